// SPDX-License-Identifier: MIT
// Text from outside, made safe for one line.
#include "line.h"

#include "utf8.h"

#include <stddef.h>

uint32_t line_next(const char **text)
{
	uint32_t code = utf8_next(text);

	if (code == '\n' || code == '\t' || code == '\r')
		return ' ';
	return utf8_columns(code) ? code : LINE_REPLACEMENT;
}

void line_write(FILE *out, const char *text, line_escape *escape)
{
	while (*text) {
		const char *start = text, *instead;
		uint32_t code = line_next(&text);

		instead = escape ? escape(code) : NULL;
		if (instead)
			fputs(instead, out);
		else if (code < 0x80)
			putc((int)code, out);
		else if (code == LINE_REPLACEMENT)
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(start, 1, (size_t)(text - start), out);
	}
}
