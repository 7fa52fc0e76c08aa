// SPDX-License-Identifier: MIT
// The last failure of each thread.
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local struct error last;

int fail(int err, const char *what, const char *format, ...)
{
	va_list args;

	last.err = err;
	snprintf(last.what, sizeof(last.what), "%s", what);
	va_start(args, format);
	vsnprintf(last.text, sizeof(last.text), format, args);
	va_end(args);
	return -err;
}

const struct error *error_last(void)
{
	return &last;
}
