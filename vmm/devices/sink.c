// SPDX-License-Identifier: MIT
// Output that never outlasts the machine.
#include "sink.h"

#include "error.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_LOOK_MS	100

void sink_init(struct sink *sink, int fd, const volatile bool *stop)
{
	struct stat is;

	*sink = (struct sink){ .fd = fd, .stop = stop };
	sink->waits = fstat(fd, &is) == 0 && !S_ISREG(is.st_mode);
}

/* Until it takes something or fails. A write() that blocks would not see *stop. */
static int sink_wait(const struct sink *sink)
{
	struct pollfd out = { .fd = sink->fd, .events = POLLOUT };

	while (sink->waits && poll(&out, 1, STOP_LOOK_MS) <= 0)
		if (*sink->stop)
			return -ECANCELED;
	return 0;
}

int sink_write(void *opaque, const void *bytes, size_t size)
{
	const struct sink *sink = opaque;
	const char *next = bytes;

	while (size) {
		int r = sink_wait(sink);
		/* what poll() finds writable has room for so much; for more, it might block */
		size_t most = sink->waits && size > PIPE_BUF ? PIPE_BUF : size;
		ssize_t put = r < 0 ? 0 : write(sink->fd, next, most);

		if (r < 0)
			return r;
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return fail(errno, "write", "cannot write the guest's output: %s",
				    strerror(errno));
		if (put > 0) {
			next += put;
			size -= (size_t)put;
		}
	}
	return 0;
}
