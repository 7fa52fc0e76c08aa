/* SPDX-License-Identifier: MIT */
/*
 * A file descriptor that takes what a guest causes to be written, from under the board's lock. Where
 * nobody reads it, the guest waits, but only as long as the machine runs: who wants that lock to end
 * the machine sets *stop first.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>

struct sink {
	int fd;
	bool waits;			/* it is no regular file */
	const volatile bool *stop;	/* set: do not wait for whoever does not read */
};

/* `fd` stays the caller's. */
void sink_init(struct sink *sink, int fd, const volatile bool *stop);

/* All of it, for struct output. -ECANCELED: given up, at most 0.1 s after *stop is set; other negative
 * errnos with error_last(). */
int sink_write(void *sink, const void *bytes, size_t size);

#endif
