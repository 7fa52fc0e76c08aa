// SPDX-License-Identifier: MIT
// The table of options.
#include "options.h"

#include "error.h"
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int command_set(struct options *options, enum command command, const char *argument)
{
	if (options->command != COMMAND_NONE && options->command != command)
		return fail(EINVAL, "options", "only one of --nested-probe, --explain, --list, --help "
					       "and --version at a time");
	options->command = command;
	options->argument = argument;
	return 0;
}

static int set_probe(struct options *options, const char *value)
{
	return command_set(options, COMMAND_PROBE, value);
}

static int set_explain(struct options *options, const char *value)
{
	return command_set(options, COMMAND_EXPLAIN, value);
}

static int set_list(struct options *options, const char *value)
{
	return command_set(options, COMMAND_LIST, value);
}

static int set_help(struct options *options, const char *value)
{
	return command_set(options, COMMAND_HELP, value);
}

static int set_version(struct options *options, const char *value)
{
	return command_set(options, COMMAND_VERSION, value);
}

static int set_format(struct options *options, const char *value)
{
	options->format = report_format_find(value);
	if (!options->format)
		return fail(EINVAL, "--format", "--format: unknown format '%s' (see --list formats)",
			    value);
	return 0;
}

static int set_cpu(struct options *options, const char *value)
{
	return cpu_model_parse(&options->cpu, value);
}

/* Seconds, with a fraction; 0 = no deadline. A day at most. */
static int set_timeout(struct options *options, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0 && seconds <= 86400))
		return fail(EINVAL, "--timeout",
			    "--timeout: '%s' is not a number of seconds from 0 to 86400", value);
	options->timeout_ms = (unsigned int)(seconds * 1000);
	if (seconds > 0 && options->timeout_ms == 0)
		options->timeout_ms = 1;
	return 0;
}

static int set_probe_kernel(struct options *options, const char *value)
{
	options->probe_kernel = value;
	return 0;
}

static int set_verbose(struct options *options, const char *value)
{
	(void)value;
	options->verbose = true;
	return 0;
}

static int set_quiet(struct options *options, const char *value)
{
	(void)value;
	options->quiet = true;
	return 0;
}

const struct option options_table[] = {
	{ "nested-probe", NULL, "run a guest in a guest and report whether nesting works",
	  set_probe },
	{ "explain", "REASON", "say what a reason means, how it is told and how to mend it",
	  set_explain },
	{ "list", "WHAT", "list reasons, checks, formats, features or options", set_list },
	{ "format", "NAME", "how to report: text (the default) or json", set_format },
	{ "cpu", "MODEL", "what the guest is shown: host[,+FEATURE|,-FEATURE]...\n"
			  "\"host,-svm\" hides SVM; \"host,+svm\" has L1 try it against KVM's word",
	  set_cpu },
	{ "timeout", "SECONDS", "give up after this much wall time (5; 0 = never)", set_timeout },
	{ "probe-kernel", "FILE", "boot this L1 kernel (a PVH ELF file) in place of the built-in one",
	  set_probe_kernel },
	{ "verbose", NULL, "every step with its time and evidence", set_verbose },
	{ "quiet", NULL, "no report: the exit status tells", set_quiet },
	{ "help", NULL, "this text", set_help },
	{ "version", NULL, "version of this program", set_version },
	{ NULL, NULL, NULL, NULL },
};

/* The row for "--name", "-name" or "--name=value"; *value is the part behind '='. */
static const struct option *option_find(const char *word, const char **value)
{
	size_t length;

	word += word[1] == '-' ? 2 : 1;
	length = strcspn(word, "=");
	*value = word[length] ? word + length + 1 : NULL;
	for (const struct option *option = options_table; option->name; option++)
		if (strlen(option->name) == length && strncmp(option->name, word, length) == 0)
			return option;
	return NULL;
}

int options_parse(struct options *options, int argc, char *const *argv)
{
	*options = (struct options){ .timeout_ms = PROBE_TIMEOUT_MS,
				     .format = report_format_find("text") };
	for (int i = 1; i < argc; i++) {
		const struct option *option;
		const char *value;
		int r;

		if (argv[i][0] != '-' || !argv[i][1])
			return fail(EINVAL, "options", "unexpected argument '%s' (see --help)", argv[i]);
		option = option_find(argv[i], &value);
		if (!option)
			return fail(EINVAL, "options", "unknown option '%s' (see --help)", argv[i]);
		if (!option->argument && value)
			return fail(EINVAL, "options", "--%s takes no argument", option->name);
		if (option->argument && !value) {
			if (i + 1 == argc)
				return fail(EINVAL, "options", "--%s needs an argument: %s",
					    option->name, option->argument);
			value = argv[++i];
		}
		r = option->set(options, value);
		if (r < 0)
			return r;
	}
	if (options->command == COMMAND_NONE)
		return fail(EINVAL, "options", "nothing to do; try --nested-probe, or --help");
	return 0;
}
