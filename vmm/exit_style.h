/* SPDX-License-Identifier: MIT */
/* Which number says what: harnesses have conventions of their own for exit statuses. */
#ifndef EXIT_STYLE_H
#define EXIT_STYLE_H

#include "result.h"

struct exit_style {
	const char *name, *about;
	unsigned char status[OUTCOMES];
};

/* The first is the default; ends with a NULL name. */
extern const struct exit_style exit_styles[];

#endif
