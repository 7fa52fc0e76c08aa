// SPDX-License-Identifier: MIT
// The report on one line of less than 80 bytes, for node-problem-detector's custom plugin monitor,
// whose max_output_length is 80 in its examples, and for Nagios ("Plugin API": the first line
// counts).
#include "line.h"
#include "result.h"

#include <errno.h>
#include <string.h>

#define BYTES_MAX 79	/* with the line's end */

/* ASCII alone, so that a cut falls between characters; no |, behind which Nagios finds numbers. */
static const char *escape(uint32_t code)
{
	return code >= 0x80 ? "?" : code == '|' ? "/" : NULL;
}

int report_npd(FILE *out, const struct result *result, const struct report_style *style)
{
	char line[sizeof(result->summary) + 128];
	const struct requirement *required = result_missing(result);
	FILE *memory = fmemopen(line, sizeof(line), "w");

	(void)style;
	if (!memory)
		return -errno;
	fprintf(memory, "nested %s, ", verdict_name(result->verdict));
	if (required)
		fprintf(memory, "but %s is required: ", required->name);
	else
		fprintf(memory, "%s: ", result->reason);
	line_write(memory, required ? required->why : result->summary, escape);
	putc('\0', memory);
	fclose(memory);
	line[sizeof(line) - 1] = '\0';
	if (strlen(line) > BYTES_MAX - 1)
		memcpy(line + BYTES_MAX - 1 - 3, "...", 4);
	fprintf(out, "%s\n", line);
	return report_end(out);
}
