/* SPDX-License-Identifier: MIT */
/*
 * Text from outside on one line of a report. Whatever it holds, what comes out is well-formed UTF-8
 * without line ends and without anything that a terminal would obey.
 */
#ifndef LINE_H
#define LINE_H

#include <stdint.h>
#include <stdio.h>

#define LINE_REPLACEMENT 0xfffdU	/* U+FFFD, the replacement character */

/* Steps over a code point of `text`, which must not be at its NUL. Returns it; a space for a tab
 * or a line end; LINE_REPLACEMENT for what is malformed or unfit to show (see utf8_columns()). */
uint32_t line_next(const char **text);

/* What a format writes in place of a code point; NULL = that itself. */
typedef const char *line_escape(uint32_t code);

/* Writes all of `text`. `escape` NULL: nothing needs escaping. */
void line_write(FILE *out, const char *text, line_escape *escape);

#endif
