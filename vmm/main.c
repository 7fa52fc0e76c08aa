// SPDX-License-Identifier: MIT
// minivmm: a minimal KVM hypervisor that proves whether nested virtualization works.
#include "commands.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static int (*const commands[])(const struct options *options) = {
		[COMMAND_PROBE] = command_probe,
		[COMMAND_KERNEL] = command_kernel,
		[COMMAND_EXPLAIN] = command_explain,
		[COMMAND_LIST] = command_list,
		[COMMAND_HELP] = command_help,
		[COMMAND_VERSION] = command_version,
	};
	struct options options;

	/* closed standard streams: or else the next file opened becomes one. Opened the wrong way round,
	 * so that using them is an error all the same */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			return STATUS_FAILED;
	/* a reader that goes away is a write error, to be reported as one; so is a file's limit */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (options_parse(&options, argc, argv) < 0)
		return complain(options.exit_style->status[OUTCOME_USAGE]);
	return commands[options.command](&options);
}
