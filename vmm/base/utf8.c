// SPDX-License-Identifier: MIT
// A strict UTF-8 reader, and which code points are fit for a terminal.
#include "utf8.h"

#include "bits.h"

#include <stddef.h>

uint32_t utf8_next(const char **text)
{
	/* The least code point of a sequence with so many more bytes: below it is overlong. */
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = (unsigned char)*(*text)++;
	int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	uint32_t code = more ? lead & (0x3fU >> more) : lead;

	if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8)
		return UTF8_INVALID;
	for (int i = 0; i < more; i++) {
		if (((unsigned char)**text & 0xc0) != 0x80)
			return UTF8_INVALID;
		code = code << 6 | ((unsigned char)*(*text)++ & 0x3f);
	}
	if (code < least[more] || code >= UTF8_INVALID || (code >= 0xd800 && code <= 0xdfff))
		return UTF8_INVALID;
	return code;
}

/* What does not take one column, in ascending order. Whole blocks, not single characters: a
 * letter too many shown as "?" does no harm, and JSON always has the text itself. */
static const struct {
	uint32_t first, last;
	int columns;
} ranges[] = {
	{ 0x0000, 0x001f, 0 },		/* C0 controls */
	{ 0x007f, 0x009f, 0 },		/* DEL, C1 controls: 9b is CSI */
	{ 0x00ad, 0x00ad, 0 },		/* soft hyphen */
	{ 0x0300, 0x036f, 0 },		/* combining marks */
	{ 0x0483, 0x0489, 0 },
	{ 0x0590, 0x08ff, 0 },		/* right to left: Hebrew to Arabic */
	{ 0x1100, 0x115e, 2 },		/* Hangul initials */
	{ 0x115f, 0x11ff, 0 },		/* Hangul fillers and parts that combine */
	{ 0x180b, 0x180f, 0 },
	{ 0x1ab0, 0x1aff, 0 },
	{ 0x1dc0, 0x1dff, 0 },
	{ 0x200b, 0x200f, 0 },		/* zero width, direction marks */
	{ 0x2028, 0x202e, 0 },		/* line separators, direction overrides */
	{ 0x2060, 0x206f, 0 },
	{ 0x20d0, 0x20ff, 0 },
	{ 0x2e80, 0x3029, 2 },		/* East Asian, wide */
	{ 0x302a, 0x302f, 0 },
	{ 0x3030, 0x3098, 2 },
	{ 0x3099, 0x309a, 0 },
	{ 0x309b, 0x3163, 2 },
	{ 0x3164, 0x3164, 0 },		/* Hangul filler */
	{ 0x3165, 0xa4cf, 2 },
	{ 0xac00, 0xd7a3, 2 },
	{ 0xd7b0, 0xf8ff, 0 },		/* parts that combine, surrogates, private use */
	{ 0xf900, 0xfaff, 2 },
	{ 0xfb1d, 0xfe2f, 0 },		/* right to left, variation selectors, combining halves */
	{ 0xfe30, 0xfe6f, 2 },
	{ 0xfe70, 0xfeff, 0 },		/* Arabic forms, byte order mark */
	{ 0xff00, 0xff60, 2 },
	{ 0xffa0, 0xffa0, 0 },
	{ 0xffe0, 0xffe6, 2 },
	{ 0xfff0, 0xfffb, 0 },
	{ 0xfffe, 0xffff, 0 },
	{ 0x10800, 0x10fff, 0 },	/* right to left */
	{ 0x13430, 0x1345f, 0 },
	{ 0x1bca0, 0x1bcaf, 0 },
	{ 0x1d165, 0x1d1ad, 0 },
	{ 0x1e800, 0x1efff, 0 },
	{ 0x1f300, 0x1faff, 2 },	/* pictographs */
	{ 0x20000, 0x3fffd, 2 },
	{ 0x3fffe, 0xffffffff, 0 },	/* unassigned, tags, private use, UTF8_INVALID */
};

int utf8_columns(uint32_t code)
{
	size_t i = 0;

	while (ranges[i].last < code)
		i++;
	return code >= ranges[i].first ? ranges[i].columns : 1;
}
