// SPDX-License-Identifier: MIT
// The commands.
#include "commands.h"

#include "contract.h"
#include "error.h"
#include "features_report.h"
#include "option_values.h"
#include "l0.h"
#include "line.h"
#include "outputs.h"
#include "pc.h"
#include "probe.h"
#include "progress.h"
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
	/* a word of the command line may hold anything, and is repeated on one line */
	fputs("minivmm: ", stderr);
	line_write(stderr, error_last()->text, NULL);
	putc('\n', stderr);
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
		.expiry_s = options->expiry_s,
		.columns = terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ?
				   size.ws_col :
				   80,
	};
}

/* The L1 kernel that was asked for. 0, or a negative errno with error_last(). */
static int l1_read(const struct options *options, struct image *l1)
{
	int r;

	*l1 = image_l1();
	if (!options->probe_kernel)
		return 0;
	r = image_read(l1, options->probe_kernel);
	return r < 0 ? r : boot_pvh.check(&(struct boot_request){ .kernel = *l1 });
}

/* The probe itself, or a series of it. 0, or a negative errno with error_last(). */
static int probe_any(const struct options *options, const struct probe_options *probe,
		     struct result *result)
{
	static struct series series;
	struct series_options again = options->series;
	int r;

	if (!series_wanted(&options->series)) {
		probe_run(probe, result);
		return 0;
	}
	again.progress = progress_begin(options->quiet);
	r = series_run(probe, &again, &series, result);
	progress_end();
	return r;
}

/* Every report that was asked for, even where one of them cannot be written. */
static int reports_write(const struct options *options, const struct result *result)
{
	struct report_style style = style_of_stdout(options), plain = style;
	const struct report_format *github = report_format_find("github");
	bool on_github = options->format == github;
	int status = result->exit_status, failed = options->exit_style->status[OUTCOME_ERROR];

	if (!options->quiet && finish(0, options->format->write(stdout, result, &style)) != 0)
		status = failed;
	plain.color = false;
	plain.columns = 0;
	for (size_t i = 0; i < options->outputs; i++) {
		if (output_write(&options->output[i], result, &plain) < 0)
			status = complain(failed);
		on_github |= options->output[i].format == github;
	}
	if (on_github && outputs_append_github(result, &plain) < 0)
		status = complain(failed);
	return status;
}

int command_probe(const struct options *options)
{
	static struct result result;
	const unsigned char *statuses = options->exit_style->status;
	struct probe_options probe = {
		.cpu = options->cpu,
		.timeout_ms = options->timeout_ms,
		.features = options->features,
		.cpus = options->boot.cpus,
		.required = options->required,
		.requirements = options->requirements,
	};
	int status = statuses[OUTCOME_USAGE], r = l1_read(options, &probe.l1);

	if (r == 0) {
		status = statuses[OUTCOME_ERROR];
		r = probe_any(options, &probe, &result);
	}
	image_release(&probe.l1);
	if (r < 0)
		return complain(status);
	result.exit_status = statuses[result_outcome(&result)];
	return reports_write(options, &result);
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

	if (!reason) {
		fail(EINVAL, "--explain", "unknown reason '%s'%s (see --list reasons)",
		     options->argument, value_hint(&values_reasons, options->argument));
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

/* A value and what it is, a line each. */
static void list_row(void *width, const char *value, const char *about)
{
	printf("%-*s %s\n", *(const int *)width, value, about);
}

static void list_formats(void)
{
	values_report_formats.each(list_row, &(int){ 14 });
}

static void list_required(void)
{
	values_required.each(list_row, &(int){ 22 });
}

/* For the man page, too: the table of who ends with which status. */
static void list_exit_styles(void)
{
	printf("%-9s %5s %7s %6s %11s %9s %6s %5s\n", "", "works", "limited", "broken", "unavailable",
	       "timed out", "failed", "usage");
	for (const struct exit_style *style = exit_styles; style->name; style++) {
		const unsigned char *status = style->status;

		printf("%-9s %5d %7d %6d %11d %9d %6d %5d  %s\n", style->name, status[OUTCOME_PASS],
		       status[OUTCOME_WARN], status[OUTCOME_FAIL], status[OUTCOME_SKIP],
		       status[OUTCOME_TIMEOUT], status[OUTCOME_ERROR], status[OUTCOME_USAGE],
		       style->about);
	}
}

static void list_image_formats(void)
{
	values_image_formats.each(list_row, &(int){ 11 });
}

static void list_cpu_models(void)
{
	for (const struct cpu_definition *at = cpu_definitions; at->name; at++)
		printf("%-18s %s\n", at->name, at->about);
}

static void list_devices(void)
{
	values_devices.each(list_row, &(int){ 14 });
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

/* For scripts: name, argument, help, the first line of that, separated by tabs. */
static void list_options(void)
{
	for (const struct option *option = options_table; option->name; option++) {
		printf("%s\t%s\t", option->name, option->argument ? option->argument : "");
		for (const char *c = option->help; *c; c++)
			putchar(*c == '\n' ? ' ' : *c);
		printf("\t%.*s\n", (int)strcspn(option->help, "\n"), option->help);
	}
}

struct values_of {
	const struct option *option;
	const char *shape;
};

static void list_value(void *to, const char *value, const char *about)
{
	const struct values_of *of = to;

	printf("%s\t%s\t%s\t%s\n", of->option->name, of->shape, value, about);
}

/* For what completes them in a shell: option, shape, value, about, separated by tabs. */
static void list_values(void)
{
	static const char *const shapes[] = {
		[VALUE_ONE] = "one",
		[VALUE_COMMAS] = "commas",
		[VALUE_FILE] = "file",
		[VALUE_OF_FILE] = "of-file",
	};

	for (const struct option *option = options_table; option->name; option++) {
		struct values_of of = { .option = option, .shape = shapes[VALUE_ONE] };

		if (option->only && *option->only)
			list_value(&of, option->only, "");
		if (!option->values)
			continue;
		of.shape = shapes[option->values->shape];
		if (option->values->each)
			option->values->each(list_value, &of);
		else
			list_value(&of, "", "");
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
	{ "required", list_required },
	{ "formats", list_formats },
	{ "exit-styles", list_exit_styles },
	{ "image-formats", list_image_formats },
	{ "cpu-models", list_cpu_models },
	{ "features", list_features },
	{ "devices", list_devices },
	{ "options", list_options },
	{ "values", list_values },
};

const char *command_list_at(size_t i)
{
	return i < ARRAY_SIZE(lists) ? lists[i].what : NULL;
}

int command_list(const struct options *options)
{
	char names[200] = "";

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(lists[i].what, options->argument) == 0) {
			lists[i].list();
			return finish(0, 0);
		}
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", lists[i].what);
	}
	fail(EINVAL, "--list", "--list: '%s' is none of %s%s", options->argument, names,
	     value_hint(&values_lists, options->argument));
	return complain(STATUS_USAGE);
}

/* One option; without `all` no more than a line. */
static void help_option(const struct option *option, bool all)
{
	char left[40];

	snprintf(left, sizeof(left), "%s%s%s%s", option->name[1] ? "--" : "-", option->name,
		 option->argument ? " " : "", option->argument ? option->argument : "");
	printf("  %-20s ", left);
	for (const char *c = option->help; *c && (all || *c != '\n'); c++)
		*c == '\n' ? printf("\n%23s", "") : putchar(*c);
	putchar('\n');
}

static const char help_examples[] =
	"Does nested virtualization work here? minivmm runs a guest in a guest to see.\n\n"
	"  minivmm --nested-probe                 the verdict, the reason, how to mend it\n"
	"  minivmm --nested-probe --format junit  the same for CI (or tap, github, json)\n"
	"  minivmm --kernel IMAGE --append WORDS  boot a kernel on this terminal\n";

/* What fits on a screen of 24 lines. */
static void help_first(void)
{
	fputs(help_examples, stdout);
	putchar('\n');
	for (const struct option *option = options_table; option->name; option++)
		if (option->first)
			help_option(option, false);
}

static void help_all(void)
{
	static const char *const titles[OPTION_GROUPS] = {
		[OPTION_PROBE] = "Does nested virtualization work?",
		[OPTION_KERNEL] = "Boot a test kernel",
		[OPTION_EITHER] = "Both",
		[OPTION_ABOUT] = "About",
		[OPTION_QEMU] = "What QEMU's users may add to --kernel",
	};

	fputs(help_examples, stdout);
	for (int group = 0; group < OPTION_GROUPS; group++) {
		printf("\n%s\n", titles[group]);
		for (const struct option *option = options_table; option->name; option++)
			if ((int)option->group == group)
				help_option(option, true);
	}
	puts("\nOptions take one dash or two.\n\n"
	     "Exit status of --nested-probe: 0 works or limited, 1 broken or something required\n"
	     "is missing, 77 unavailable, 124 time ran out, 2 wrong usage, 99 minivmm failed;\n"
	     "of a series, the worst: 0 before 77, 124, 1 and 99. Others: --list exit-styles.\n"
	     "Of --kernel: odd as the guest says (isa-debug-exit: value * 2 + 1), 0 powered\n"
	     "off, 32 reset, 34 triple fault, 36 KVM could not go on, 38 halted for good;\n"
	     "2, 99, 124 as above.");
}

int command_help(const struct options *options)
{
	if (options->argument)
		help_all();
	else
		help_first();
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
