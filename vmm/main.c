// SPDX-License-Identifier: MIT
// minivmm: a minimal KVM hypervisor that proves whether nested virtualization works.
#include "commands.h"

#include <signal.h>
#include <stddef.h>

int main(int argc, char **argv)
{
	static int (*const commands[])(const struct options *options) = {
		[COMMAND_PROBE] = command_probe,
		[COMMAND_EXPLAIN] = command_explain,
		[COMMAND_LIST] = command_list,
		[COMMAND_HELP] = command_help,
		[COMMAND_VERSION] = command_version,
	};
	struct options options;

	/* a reader that goes away is a write error, to be reported as one */
	signal(SIGPIPE, SIG_IGN);
	if (options_parse(&options, argc, argv) < 0)
		return complain(STATUS_USAGE);
	return commands[options.command](&options);
}
