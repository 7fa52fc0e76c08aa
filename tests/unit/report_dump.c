// SPDX-License-Identifier: MIT
// A made-up report, to look at and for report_schema_test.py to check against the schema; and whole
// folders of them, for test_formats.py to have them checked by those who read such files.
#include "exit_style.h"
#include "report_sample.h"

#include <errno.h>
#include <time.h>

static const char usage[] =
	"report_dump SAMPLE FORMAT [COLUMNS] [color] [unicode] [verbose]\n"
	"report_dump --into FOLDER SAMPLE...      each in every format: FOLDER/SAMPLE.FORMAT\n";

static int dump(FILE *out, const char *sample, const struct report_format *format,
		const struct report_style *style)
{
	static struct result result;

	if (!sample_fill(&result, sample))
		return -EINVAL;
	result.time = time(NULL);
	result.exit_status = exit_styles[0].status[result_outcome(&result)];
	return format->write(out, &result, style);
}

static int dump_into(const char *folder, const char *sample, const struct report_format *format,
		     const struct report_style *style, const char *more)
{
	char path[512];
	FILE *out;
	int r;

	snprintf(path, sizeof(path), "%s/%s.%s%s", folder, sample, format->name, more);
	out = fopen(path, "w");
	if (!out)
		return -errno;
	r = dump(out, sample, format, style);
	return fclose(out) != 0 ? -errno : r;
}

/* Text, also as a narrow and as a colourful terminal gets it. */
static int dump_all(const char *folder, const char *sample)
{
	static const struct report_style plain = { .columns = 80 }, narrow = { .columns = 40 },
		fancy = { .columns = 100, .color = true, .unicode = true, .verbose = true };
	int r = dump_into(folder, sample, report_formats, &narrow, "-40");

	if (r == 0)
		r = dump_into(folder, sample, report_formats, &fancy, "-color");
	for (const struct report_format *format = report_formats; r == 0 && format->name; format++)
		r = dump_into(folder, sample, format, &plain, "");
	return r;
}

int main(int argc, char **argv)
{
	const struct report_format *format = argc > 2 ? report_format_find(argv[2]) : NULL;
	struct report_style style = { .columns = 80 };
	int r = 0;

	if (argc > 3 && strcmp(argv[1], "--into") == 0) {
		for (int i = 3; r == 0 && i < argc; i++)
			r = dump_all(argv[2], argv[i]);
		if (r < 0)
			fprintf(stderr, "report_dump: %s\n", strerror(-r));
		return r ? 99 : 0;
	}
	for (int i = 3; i < argc; i++) {
		style.color |= strcmp(argv[i], "color") == 0;
		style.unicode |= strcmp(argv[i], "unicode") == 0;
		style.verbose |= strcmp(argv[i], "verbose") == 0;
		style.columns = atoi(argv[i]) > 0 ? atoi(argv[i]) : style.columns;
	}
	r = format ? dump(stdout, argv[1], format, &style) : -EINVAL;
	if (r == -EINVAL)
		fputs(usage, stderr);
	return r == -EINVAL ? 2 : r ? 99 : 0;
}
