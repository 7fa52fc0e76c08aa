/* SPDX-License-Identifier: MIT */
/* Text from outside, read one code point at a time: what is malformed or unfit to show is told. */
#ifndef UTF8_H
#define UTF8_H

#include <stdint.h>

#define UTF8_INVALID	0x110000U	/* one past the last code point */

/* Reads the code point at *text, which must not be at its NUL, and steps over it; never past the
 * NUL. Returns UTF8_INVALID for what is malformed, overlong or a surrogate (Unicode, table 3-7:
 * Well-Formed UTF-8 Byte Sequences), and steps over the bytes that seemed to belong together. */
uint32_t utf8_next(const char **text);

/* Columns that a code point takes on a terminal, 1 or 2; 0 = do not send it to one: it would obey
 * it, hide it, lay it over its neighbour, or turn the line around. */
int utf8_columns(uint32_t code);

#endif
