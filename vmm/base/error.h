/* SPDX-License-Identifier: MIT */
/*
 * Errors. A function that fails returns a negative errno and records, once and where it happens,
 * what failed; the caller adds nothing but passes the number on. Only main turns it into words on
 * stderr and an exit status.
 */
#ifndef ERROR_H
#define ERROR_H

#include "bits.h"

/* What failed last in this thread: `what` names the call ("KVM_CREATE_VM"), `text` is the whole
 * sentence. Valid until the next fail(). */
struct error {
	int err;		/* positive errno, 0 = none yet */
	char what[48];
	char text[256];
};

/* Records the failure of `what` with errno `err` (positive) and a sentence; returns -err. */
int fail(int err, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

const struct error *error_last(void);

#endif
