/* SPDX-License-Identifier: MIT */
/* What a user can ask for. Each returns the exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "options.h"

/* Exit statuses that are no verdict's; sysexits would clash with the verdicts'. */
#define STATUS_USAGE	2
#define STATUS_FAILED	99

int command_probe(const struct options *options);
int command_kernel(const struct options *options);
int command_explain(const struct options *options);
int command_list(const struct options *options);
int command_help(const struct options *options);
int command_version(const struct options *options);

/* What --list knows: the name of list `i`, NULL past the last one. */
const char *command_list_at(size_t i);

/* One line on stderr: what error_last() says, behind the program's name. Returns `status`. */
int complain(int status);

#endif
