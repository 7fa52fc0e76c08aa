// SPDX-License-Identifier: MIT
// The kernel's own sentence about a refused entry.
#include "trace.h"

#include "bits.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENT "kvm_nested_vmenter_failed"

static bool file_write(const struct trace *trace, const char *name, const char *text)
{
	char path[192];
	bool written;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", trace->path, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

static void signals_hold(struct trace *trace)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, &trace->signals);
}

static void instance_remove(struct trace *trace)
{
	rmdir(trace->path); /* takes the tracepoint's setting along */
	sigprocmask(SIG_SETMASK, &trace->signals, NULL);
}

bool trace_begin(struct trace *trace)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	if (geteuid() != 0)
		return false;
	signals_hold(trace);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		snprintf(trace->path, sizeof(trace->path), "%s/instances/minivmm-%d", roots[i],
			 (int)getpid());
		if (mkdir(trace->path, 0700) < 0)
			continue;
		/* a few entries are all there will be */
		if (file_write(trace, "buffer_size_kb", "4") &&
		    file_write(trace, "events/kvm/" EVENT "/enable", "1"))
			return true;
		rmdir(trace->path);
	}
	sigprocmask(SIG_SETMASK, &trace->signals, NULL);
	return false;
}

/* "  minivmm-71  [000] ...1.  12.3: kvm_nested_vmenter_failed: MESSAGE" */
static void line_take(char *text, size_t size, const char *line)
{
	const char *message = strstr(line, EVENT ": ");
	char of_this_process[32];

	snprintf(of_this_process, sizeof(of_this_process), "-%d ", (int)getpid());
	if (!message || !strstr(line, of_this_process) || line[0] == '#')
		return;
	message += strlen(EVENT ": ");
	snprintf(text, size, "%.*s", (int)strcspn(message, "\n"), message);
}

void trace_end(struct trace *trace, char *text, size_t size)
{
	char path[192], line[512];
	FILE *file;

	text[0] = '\0';
	snprintf(path, sizeof(path), "%s/trace", trace->path);
	file = fopen(path, "re"); /* the file does not wait for more, as trace_pipe does */
	while (file && fgets(line, sizeof(line), file))
		line_take(text, size, line);
	if (file)
		fclose(file);
	instance_remove(trace);
}
