// SPDX-License-Identifier: MIT
// The commands.
#include "commands.h"

#include "contract.h"
#include "error.h"
#include "features_report.h"
#include "near.h"
#include "option_values.h"
#include "l0.h"
#include "pc.h"
#include "probe.h"
#include "boot.h"
#include "reasons.h"
#include "version.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int complain(int status)
{
	fprintf(stderr, "minivmm: %s\n", error_last()->text);
	return status;
}

/* stdout written to the end, or a complaint. */
static int finish(int status, int written)
{
	if (written == 0 && fflush(stdout) != 0)
		written = -errno;
	if (written == 0)
		return status;
	fail(-written, "stdout", "cannot write the report: %s", strerror(-written));
	return complain(STATUS_FAILED);
}

/* Colour and width only where a terminal reads; https://no-color.org. */
static struct report_style style_of_stdout(const struct options *options)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size;

	setlocale(LC_CTYPE, "");
	return (struct report_style){
		.color = terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0,
		.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.verbose = options->verbose,
		.columns = terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ?
				   size.ws_col :
				   80,
	};
}

int command_probe(const struct options *options)
{
	struct probe_options probe = {
		.cpu = options->cpu,
		.timeout_ms = options->timeout_ms,
		.l1 = image_l1(),
		.features = options->features,
		.cpus = options->boot.cpus,
	};
	static struct series series;
	static struct result result;
	struct report_style style = style_of_stdout(options);
	int r = 0;

	if (options->probe_kernel &&
	    (image_read(&probe.l1, options->probe_kernel) < 0 ||
	     boot_pvh.check(&(struct boot_request){ .kernel = probe.l1 }) < 0)) {
		image_release(&probe.l1);
		return complain(STATUS_USAGE);
	}
	if (series_wanted(&options->series))
		r = series_run(&probe, &options->series, &series, &result);
	else
		probe_run(&probe, &result);
	image_release(&probe.l1);
	if (r < 0)
		return complain(STATUS_FAILED);
	return finish(verdict_exit_status(result.verdict),
		      options->quiet ? 0 : options->format->write(stdout, &result, &style));
}

int command_kernel(const struct options *options)
{
	return pc_run(&options->boot);
}

/* Wrapped, and indented by two. */
static void explain_text(const char *text)
{
	int at = 0;

	for (const char *word = text; *word;) {
		int length = (int)strcspn(word, " ");

		if (at && at + 1 + length > 78)
			at = 0 * putchar('\n');
		at += printf("%s%.*s", at ? " " : "  ", length, word);
		word += length + (word[length] == ' ');
	}
	putchar('\n');
}

/* A paragraph of --explain; none where there is no text. */
static void explain_part(const char *title, const char *text)
{
	if (!text)
		return;
	printf("\n%s\n", title);
	explain_text(text);
}

/* The remedy as this machine would get it; facts that only a run can learn are not there. */
static void explain_remedy(const struct reason *reason)
{
	static struct facts facts;
	static struct result result;

	host_facts_read(&facts.host, KVM_DEVICE);
	if (reason->remedy)
		reason->remedy(&result, &facts);
	if (result.remedies)
		puts("\nHow to mend it, on a machine like this one");
	for (size_t i = 0; i < result.remedies; i++) {
		if (result.remedy[i].command)
			printf("    %s\n", result.remedy[i].text); /* whole, to be pasted */
		else
			explain_text(result.remedy[i].text);
	}
}

int command_explain(const struct options *options)
{
	const struct reason *reason = reason_find(options->argument);
	struct near near = { .word = options->argument };

	if (!reason) {
		for (size_t i = 0; (reason = reason_at(i)); i++)
			near_offer(&near, reason->name);
		fail(EINVAL, "--explain", "unknown reason '%s'%s (see --list reasons)",
		     options->argument, near_hint(&near));
		return complain(STATUS_USAGE);
	}
	printf("%s (%d), verdict %s\n", reason->name, reason->number, verdict_name(reason->verdict));
	explain_part("Symptom", reason->symptom);
	explain_part("Cause", reason->cause);
	explain_part("How it is told", reason->tell);
	explain_part("What looks alike", reason->alike);
	explain_remedy(reason);
	return finish(0, 0);
}

static void list_reasons(void)
{
	const struct reason *reason;

	for (size_t i = 0; (reason = reason_at(i)); i++)
		printf("%3d  %-28s %-12s %s\n", reason->number, reason->name,
		       verdict_name(reason->verdict), reason->cause);
}

static void list_remedy(const struct result *result)
{
	for (size_t i = 0; i < result->remedies; i++)
		printf("%s\t%s\n", result->remedy[i].command ? "command" : "say",
		       result->remedy[i].text);
}

/* For the man page: a keyword and a text, separated by a tab. The remedies are those of a machine of
 * which nothing is known. */
static void list_catalogue(void)
{
	static const struct facts nothing;
	const struct reason *reason;

	for (size_t i = 0; (reason = reason_at(i)); i++) {
		static struct result result;

		printf("reason\t%s (%d, %s)\nsymptom\t%s\ncause\t%s\ntell\t%s\n", reason->name,
		       reason->number, verdict_name(reason->verdict), reason->symptom,
		       reason->cause, reason->tell);
		if (reason->alike)
			printf("alike\t%s\n", reason->alike);
		result.remedies = 0;
		if (reason->remedy)
			reason->remedy(&result, &nothing);
		list_remedy(&result);
	}
}

/* Likewise: who may stand below this machine, and how each is told to show VMX or SVM. */
static void list_hypervisors(void)
{
	const char *name;

	for (size_t i = 0; (name = l0_name_at(i)); i++) {
		static struct result result;

		printf("reason\t%s\n", name);
		result.remedies = 0;
		l0_remedy_at(&result, i);
		list_remedy(&result);
	}
}

static void list_checks(void)
{
#define X(number, id, name, level, title)                                                          \
	printf("%3d  L%d  %-18s %s\n", number, level, name, title);
	L1_CHECKS(X)
#undef X
	puts("\nOptional, tried with --features; what offers it to L1 on VMX, on SVM; what it proves");
	for (size_t i = 0; i < feature_row_count; i++) {
		const struct feature_row *row = &feature_rows[i];
		char vmx[48], svm[48];

		need_text(vmx, sizeof(vmx), &row->vmx);
		need_text(svm, sizeof(svm), &row->svm);
		printf("%3d  L%d  %-22s %s\n%32s%s; %s: %s\n", row->number, row->level, row->name,
		       row->title, "", vmx, svm, row->proves);
	}
}

static void list_formats(void)
{
	for (const struct report_format *format = report_formats; format->name; format++)
		printf("%-8s %s\n", format->name, format->about);
}

static void list_image_formats(void)
{
	for (const struct boot_protocol *const *at = boot_protocols; *at; at++)
		printf("%-11s %s\n", (*at)->name, (*at)->about);
}

static void list_cpu_models(void)
{
	for (const struct cpu_definition *at = cpu_definitions; at->name; at++)
		printf("%-18s %s\n", at->name, at->about);
}

static void list_devices(void)
{
	for (const struct device_option *device = device_options; device->name; device++)
		printf("%-14s %s\n", device->name, device->about);
}

static void list_features(void)
{
	for (const struct cpu_feature *feature = cpu_features; feature->name; feature++) {
		if (feature->reg == FEATURE_MSR)
			printf("%-34s MSR %X[%u]\n", feature->name, feature->leaf, feature->bit);
		else
			printf("%-34s CPUID.%X.%X:%s[%u]\n", feature->name, feature->leaf,
			       feature->subleaf,
			       (const char *[]){ "EAX", "EBX", "ECX", "EDX" }[feature->reg],
			       feature->bit);
	}
}

/* For scripts: name, argument, help, separated by tabs. */
static void list_options(void)
{
	for (const struct option *option = options_table; option->name; option++) {
		printf("%s\t%s\t", option->name, option->argument ? option->argument : "");
		for (const char *c = option->help; *c; c++)
			putchar(*c == '\n' ? ' ' : *c);
		putchar('\n');
	}
}

static const struct list {
	const char *what;
	void (*list)(void);
} lists[] = {
	{ "reasons", list_reasons },
	{ "catalogue", list_catalogue },
	{ "hypervisors", list_hypervisors },
	{ "checks", list_checks },
	{ "formats", list_formats },
	{ "image-formats", list_image_formats },
	{ "cpu-models", list_cpu_models },
	{ "features", list_features },
	{ "devices", list_devices },
	{ "options", list_options },
};

int command_list(const struct options *options)
{
	struct near near = { .word = options->argument };
	char names[160] = "";

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(lists[i].what, options->argument) == 0) {
			lists[i].list();
			return finish(0, 0);
		}
		near_offer(&near, lists[i].what);
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", lists[i].what);
	}
	fail(EINVAL, "--list", "--list: '%s' is none of %s%s", options->argument, names,
	     near_hint(&near));
	return complain(STATUS_USAGE);
}

/* One option; without `all` no more than a line. */
static void help_option(const struct option *option, bool all)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
		 option->argument ? option->argument : "");
	printf("  %-23s ", left);
	for (const char *c = option->help; *c && (all || *c != '\n'); c++)
		*c == '\n' ? printf("\n%26s", "") : putchar(*c);
	putchar('\n');
}

int command_help(const struct options *options)
{
	static const char *const titles[OPTION_GROUPS] = {
		[OPTION_PROBE] = "Does nested virtualization work?",
		[OPTION_KERNEL] = "Boot a test kernel",
		[OPTION_EITHER] = "Both",
		[OPTION_ABOUT] = "About",
		[OPTION_QEMU] = "What QEMU's users may add to --kernel",
	};
	bool all = options->argument != NULL;

	puts("minivmm boots a small guest (L1) that runs a guest of its own (L2), and reports "
	     "whether\n"
	     "that works here, why not, and how to mend it. It boots other test kernels, too.\n\n"
	     "  minivmm --nested-probe                  a verdict, for people\n"
	     "  minivmm --nested-probe --format json    the same, for programs\n"
	     "  minivmm --kernel IMAGE --append WORDS   the guest's console on this terminal");
	for (int group = 0; group < (all ? OPTION_GROUPS : OPTION_QEMU); group++) {
		printf("\n%s\n", titles[group]);
		for (const struct option *option = options_table; option->name; option++)
			if ((int)option->group == group)
				help_option(option, all);
	}
	if (!all)
		puts("\nOptions take one dash or two. More of each, and of exit statuses: --help "
		     "all");
	else
		puts("\nOptions take one dash or two.\n\n"
		     "Exit status of --nested-probe: 0 works or limited, 1 broken, 77 "
		     "unavailable,\n"
		     "124 time ran out, 2 wrong usage, 99 minivmm itself failed; of a series, "
		     "the worst:\n0 before 77, 124, 1 and 99.\n"
		     "Of --kernel: odd as the guest says (isa-debug-exit: value * 2 + 1), 0 "
		     "powered off,\n"
		     "32 reset, 34 triple fault, 36 KVM could not go on, 38 halted for good; 2, "
		     "99, 124\n"
		     "as above.");
	return finish(0, 0);
}

int command_version(const struct options *options)
{
	(void)options;
	puts("minivmm " MINIVMM_VERSION "\n"
	     "commit  " MINIVMM_COMMIT "\n"
	     "compiler  " MINIVMM_COMPILER "\n"
	     "libc  " MINIVMM_LIBC);
	return finish(0, 0);
}
