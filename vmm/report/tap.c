// SPDX-License-Identifier: MIT
// The report for test harnesses: the Test Anything Protocol, versions 13 and 14
// (testanything.org, "TAP 13 specification", "TAP 14 specification").
#include "cases.h"
#include "line.h"

/* How version 14 writes a # in a description or a reason. */
static const char *escape14(uint32_t code)
{
	return code == '#' ? "\\#" : code == '\\' ? "\\\\" : NULL;
}

/* Version 13 has no way: what looks like a directive must not be one. */
static const char *escape13(uint32_t code)
{
	return code == '#' ? "(no.)" : NULL;
}

/* A diagnostic: anything may stand behind the #. */
static void write_remark(FILE *out, const char *label, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "# %s: ", label);
	line_write(out, text, NULL);
	putc('\n', out);
}

static void write_case(FILE *out, size_t number, const struct test_case *one, line_escape *escape)
{
	bool ok = one->status == CASE_PASSED || one->status == CASE_SKIPPED;

	fprintf(out, "%s %zu - %s %s", ok ? "ok" : "not ok", number, one->group, one->name);
	if (one->status == CASE_SKIPPED || one->status == CASE_OPTIONAL) {
		/* TODO: a failure that is known not to matter */
		fprintf(out, " # %s ", one->status == CASE_SKIPPED ? "SKIP" : "TODO");
		line_write(out, one->why, escape);
	}
	putc('\n', out);
	if (!ok)
		write_remark(out, one->name, one->why);
}

static void write_remedy(FILE *out, const struct result *result)
{
	for (size_t i = 0; i < result->remedies; i++)
		write_remark(out, result->remedy[i].command ? "run" : "mend",
			     result->remedy[i].text);
}

static int write_tap(FILE *out, const struct result *result, int version, line_escape *escape)
{
	fprintf(out, "TAP version %d\n", version);
	if (result_outcome(result) == OUTCOME_SKIP) {
		fprintf(out, "1..0 # SKIP %s: ", result->reason);
		line_write(out, result->summary, escape);
		putc('\n', out);
	} else {
		fprintf(out, "1..%zu\n", cases_count(result));
		for (size_t i = 0; i < cases_count(result); i++) {
			struct test_case one;

			case_at(result, i, &one);
			write_case(out, i + 1, &one, escape);
		}
	}
	write_remark(out, "verdict", verdict_name(result->verdict));
	write_remark(out, "reason", result->reason);
	write_remark(out, "summary", result->summary);
	write_remedy(out, result);
	return report_end(out);
}

int report_tap(FILE *out, const struct result *result, const struct report_style *style)
{
	(void)style;
	return write_tap(out, result, 13, escape13);
}

int report_tap14(FILE *out, const struct result *result, const struct report_style *style)
{
	(void)style;
	return write_tap(out, result, 14, escape14);
}
