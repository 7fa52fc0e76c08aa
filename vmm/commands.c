// SPDX-License-Identifier: MIT
// The commands.
#include "commands.h"

#include "contract.h"
#include "error.h"
#include "probe.h"
#include "pvh.h"
#include "reasons.h"

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
	};
	static struct result result;
	struct report_style style = style_of_stdout(options);

	if (options->probe_kernel &&
	    (image_read(&probe.l1, options->probe_kernel) < 0 || pvh_check(&probe.l1) < 0)) {
		image_release(&probe.l1);
		return complain(STATUS_USAGE);
	}
	probe_run(&probe, &result);
	image_release(&probe.l1);
	return finish(verdict_exit_status(result.verdict),
		      options->quiet ? 0 : options->format->write(stdout, &result, &style));
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
	for (size_t i = 0; i < result.remedies; i++)
		printf("%s%s\n", result.remedy[i].command ? "    " : "  ", result.remedy[i].text);
}

int command_explain(const struct options *options)
{
	const struct reason *reason = reason_find(options->argument);

	if (!reason) {
		fail(EINVAL, "--explain", "unknown reason '%s' (see --list reasons)",
		     options->argument);
		return complain(STATUS_USAGE);
	}
	printf("%s (%d), verdict %s\n\nCause\n  %s\n\nHow it is told\n  %s\n", reason->name,
	       reason->number, verdict_name(reason->verdict), reason->cause, reason->tell);
	explain_remedy(reason);
	return finish(0, 0);
}

static void list_reasons(void)
{
	for (size_t i = 0; i < reason_count; i++)
		printf("%3d  %-28s %-12s %s\n", reasons[i].number, reasons[i].name,
		       verdict_name(reasons[i].verdict), reasons[i].cause);
}

static void list_checks(void)
{
#define X(number, id, name, level, title) printf("%3d  L%d  %-18s %s\n", number, level, name, title);
	L1_CHECKS(X)
#undef X
}

static void list_formats(void)
{
	for (const struct report_format *format = report_formats; format->name; format++)
		printf("%-8s %s\n", format->name, format->about);
}

static void list_features(void)
{
	for (const struct cpu_feature *feature = cpu_features; feature->name; feature++)
		printf("%-16s CPUID.%X:%s[%u]\n", feature->name, feature->leaf,
		       (const char *[]){ "EAX", "EBX", "ECX", "EDX" }[feature->reg], feature->bit);
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

int command_list(const struct options *options)
{
	static const struct {
		const char *what;
		void (*list)(void);
	} lists[] = {
		{ "reasons", list_reasons },   { "checks", list_checks },   { "formats", list_formats },
		{ "features", list_features }, { "options", list_options },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(lists[i].what, options->argument) == 0) {
			lists[i].list();
			return finish(0, 0);
		}
	}
	fail(EINVAL, "--list", "--list: '%s' is none of reasons, checks, formats, features, options",
	     options->argument);
	return complain(STATUS_USAGE);
}

int command_help(const struct options *options)
{
	(void)options;
	puts("Usage: minivmm --nested-probe [OPTION]...\n\n"
	     "Does nested virtualization work on this machine? minivmm boots a small guest (L1)\n"
	     "that runs a guest of its own (L2), and reports what happened, why, and how to mend it.\n\n"
	     "  minivmm --nested-probe                  a verdict, for people\n"
	     "  minivmm --nested-probe --format json    the same, for programs\n"
	     "  minivmm --explain nested-disabled       what a reason means\n\n"
	     "Options (one dash or two):");
	for (const struct option *option = options_table; option->name; option++) {
		char left[32];

		snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
			 option->argument ? option->argument : "");
		printf("  %-22s ", left);
		for (const char *c = option->help; *c; c++)
			*c == '\n' ? printf("\n%25s", "") : putchar(*c);
		putchar('\n');
	}
	puts("\nExit status: 0 works or limited, 1 broken, 77 unavailable, 124 time ran out,\n"
	     "2 wrong usage, 99 minivmm itself failed.");
	return finish(0, 0);
}

int command_version(const struct options *options)
{
	(void)options;
	puts("minivmm " MINIVMM_VERSION);
	return finish(0, 0);
}
