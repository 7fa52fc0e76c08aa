// SPDX-License-Identifier: MIT
// report_dump SAMPLE FORMAT [COLUMNS] [color] [unicode] [verbose]: a made-up report, to look at
// and for report_schema_test.py to check against the schema.
#include "report_sample.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	const struct report_format *format = argc > 2 ? report_format_find(argv[2]) : NULL;
	struct report_style style = { .columns = 80 };
	struct result result;

	if (!format || !sample_fill(&result, argv[1])) {
		fputs("report_dump SAMPLE FORMAT [COLUMNS] [color] [unicode] [verbose]\n", stderr);
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		style.color |= strcmp(argv[i], "color") == 0;
		style.unicode |= strcmp(argv[i], "unicode") == 0;
		style.verbose |= strcmp(argv[i], "verbose") == 0;
		style.columns = atoi(argv[i]) > 0 ? atoi(argv[i]) : style.columns;
	}
	return format->write(stdout, &result, &style) ? 99 : 0;
}
