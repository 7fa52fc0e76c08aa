// SPDX-License-Identifier: MIT
// The report for CI systems that read JUnit's XML: only elements and attributes that GitLab,
// Jenkins and Buildkite all take (GitLab, "Unit test reports"; junit.xsd of the Jenkins xunit
// plugin). GitLab shows an element's content, Jenkins its `message`: both have the text.
#include "cases.h"
#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* XML 1.0, 2.4: Character Data and Markup. What XML cannot have at all, line.h has replaced. */
static const char *escape(uint32_t code)
{
	switch (code) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	}
	return NULL;
}

static void write_attribute(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	line_write(out, text, escape);
	putc('"', out);
}

static void write_time(FILE *out, uint64_t ns)
{
	fprintf(out, " time=\"%llu.%06llu\"", (unsigned long long)(ns / 1000000000),
		(unsigned long long)(ns % 1000000000 / 1000));
}

static void write_counts(FILE *out, const struct result *result)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", cases_count(result),
		cases_with(result, CASE_FAILED), cases_with(result, CASE_ERROR));
}

/* The report for people, line by line. */
static int write_system_out(FILE *out, const struct result *result)
{
	const struct report_style plain = { .unicode = true, .verbose = true, .columns = 100 };
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *memory = open_memstream(&text, &size);
	int r;

	if (!memory)
		return -errno;
	r = report_text(memory, result, &plain);
	if (fclose(memory) != 0 && r == 0)
		r = -errno;
	fputs("    <system-out>", out);
	for (rest = text; r == 0 && (line = strsep(&rest, "\n")); putc('\n', out))
		line_write(out, line, escape);
	fputs("</system-out>\n", out);
	free(text);
	return r;
}

static int write_case(FILE *out, const struct result *result, const struct test_case *one)
{
	static const struct {
		const char *element, *type;
	} kinds[] = {
		[CASE_PASSED] = { NULL, NULL },
		[CASE_FAILED] = { "failure", "failed" },
		[CASE_ERROR] = { "error", "minivmm-failed" },
		[CASE_SKIPPED] = { "skipped", NULL },
		[CASE_OPTIONAL] = { "skipped", NULL }, /* there is no word for it */
	};
	const char *element = kinds[one->status].element;
	int r = 0;

	fprintf(out, "   <testcase classname=\"minivmm.%s\" name=\"%s\"", one->group, one->name);
	write_time(out, one->timed ? one->ns : 0);
	fputs(">\n", out);
	if (element) {
		fprintf(out, "    <%s", element);
		if (kinds[one->status].type)
			write_attribute(out, "type", kinds[one->status].type);
		write_attribute(out, "message", one->why);
		putc('>', out);
		line_write(out, one->why, escape);
		fprintf(out, "</%s>\n", element);
	}
	if (one->group[0] == 'v')
		r = write_system_out(out, result);
	fputs("   </testcase>\n", out);
	return r;
}

static void write_timestamp(FILE *out, int64_t seconds)
{
	char text[UTC_TEXT];

	if (!utc_text(text, seconds))
		return;
	text[strcspn(text, "Z")] = '\0'; /* Jenkins' schema has no zone */
	write_attribute(out, "timestamp", text);
}

int report_junit(FILE *out, const struct result *result, const struct report_style *style)
{
	int r = 0;

	(void)style;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"minivmm\"", out);
	write_counts(out, result);
	write_time(out, result->ns);
	fputs(">\n <testsuite name=\"minivmm\"", out);
	write_counts(out, result);
	/* of a suite alone: Jenkins' schema has no such count for all of them */
	fprintf(out, " skipped=\"%zu\"",
		cases_with(result, CASE_SKIPPED) + cases_with(result, CASE_OPTIONAL));
	write_time(out, result->ns);
	write_timestamp(out, result->time);
	fputs(">\n", out);
	for (size_t i = 0; r == 0 && i < cases_count(result); i++) {
		struct test_case one;

		case_at(result, i, &one);
		r = write_case(out, result, &one);
	}
	fputs(" </testsuite>\n</testsuites>\n", out);
	return r < 0 ? r : report_end(out);
}
