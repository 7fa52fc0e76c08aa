/* SPDX-License-Identifier: MIT */
/*
 * The command line. One table describes every option: parsing, --help, the man page and whatever
 * else lists options come from it.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "boot_options.h"
#include "cpu_model.h"
#include "exit_style.h"
#include "outputs.h"
#include "result.h"
#include "series.h"
#include "value_lists.h"

#include <stdbool.h>

enum command {
	COMMAND_NONE,
	COMMAND_PROBE,
	COMMAND_KERNEL,
	COMMAND_EXPLAIN,
	COMMAND_LIST,
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct options {
	enum command command;
	const char *argument;		/* of --explain, --list, --help; may be NULL for --help */
	/* --nested-probe */
	const struct report_format *format;	/* on standard output */
	struct report_file output[OUTPUTS_MAX];	/* and into files */
	size_t outputs;
	char required[RESULT_REQUIREMENTS][48];	/* names that result_require() knows */
	size_t requirements;
	const struct exit_style *exit_style;	/* never NULL, after wrong usage neither */
	unsigned int expiry_s;
	struct cpu_model cpu;
	unsigned int timeout_ms;
	const char *probe_kernel;	/* NULL = the built-in L1 kernel */
	struct series_options series;
	bool features;
	bool verbose;
	bool quiet;
	/* --kernel */
	struct boot_options boot;
	/* As given, until it is known what for: see options_parse() */
	const char *format_name;
	bool timeout_given, serial_given, no_defaults, parallel_given;
};

/* What an option belongs to; the order of --help. */
enum option_group {
	OPTION_PROBE,
	OPTION_KERNEL,
	OPTION_EITHER,
	OPTION_ABOUT,
	OPTION_QEMU,	/* --kernel's too, for QEMU's users; --help all alone shows them */
	OPTION_GROUPS
};

struct option {
	enum option_group group;
	const char *name;		/* without dashes */
	const char *argument;		/* "FILE", "[FILE]" = may be left out, NULL = takes none */
	const char *help;		/* one line, or more with '\n' */
	/* 0, or -EINVAL with error_last(). `value` is NULL for an option without argument. */
	int (*set)(struct options *options, const char *value);
	/* `set` NULL: an option that changes nothing, for it asks for what is so anyway: its only
	 * value, "" = any */
	const char *only;
	const struct value_list *values;	/* what the argument may be; NULL = no list of words */
	bool first;				/* among those that --help shows */
};
extern const struct option options_table[];	/* ends with a NULL name */

/* Reads argv[1..]; long options with one dash or two, "--name value" or "--name=value"; the last of
 * several counts. Then makes `format` or `boot.format` of --format, and settles all that depends on
 * the command. -EINVAL with error_last() on wrong usage. */
int options_parse(struct options *options, int argc, char *const *argv);

#endif
