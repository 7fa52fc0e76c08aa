/* SPDX-License-Identifier: MIT */
/*
 * The command line. One table describes every option: parsing, --help, the man page and whatever
 * else lists options come from it.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "cpu_model.h"
#include "result.h"

#include <stdbool.h>

enum command {
	COMMAND_NONE,
	COMMAND_PROBE,
	COMMAND_EXPLAIN,
	COMMAND_LIST,
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct options {
	enum command command;
	const char *argument;		/* of --explain, --list */
	const struct report_format *format;
	struct cpu_model cpu;
	unsigned int timeout_ms;
	const char *probe_kernel;	/* NULL = the built-in L1 kernel */
	bool verbose;
	bool quiet;
};

struct option {
	const char *name;		/* without dashes */
	const char *argument;		/* "FILE", NULL = takes none */
	const char *help;		/* one line, or more with '\n' */
	/* 0, or -EINVAL with error_last(). `value` is NULL for an option without argument. */
	int (*set)(struct options *options, const char *value);
};
extern const struct option options_table[];	/* ends with a NULL name */

/* Reads argv[1..]; long options with one dash or two, "--name value" or "--name=value".
 * -EINVAL with error_last() on wrong usage. */
int options_parse(struct options *options, int argc, char *const *argv);

#endif
