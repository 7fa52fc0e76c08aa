// SPDX-License-Identifier: MIT
// The report formats, on the samples of report_sample.h and on noise.
#include "bits.h"
#include "report_sample.h"
#include "unit.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>

static const char *const samples[] = SAMPLE_NAMES;

static const struct report_style plain = { .columns = 80 };
static const struct report_style fancy = { .columns = 80, .unicode = true, .color = true };

/* The caller frees it. */
static char *report_of(const struct result *result, const char *format,
		       const struct report_style *style)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err = report_format_find(format)->write(out, result, style);

	EXPECT(err == 0, "%d", err);
	fclose(out);
	EXPECT(strlen(text) == size, "a NUL among %zu bytes", size);
	return text;
}

static char *report_of_sample(const char *sample, const char *format,
			      const struct report_style *style)
{
	struct result result;

	EXPECT(sample_fill(&result, sample), "%s", sample);
	return report_of(&result, format, style);
}

static void expect_has(const char *text, const char *part)
{
	EXPECT(strstr(text, part), "no \"%s\"", part);
}

static void expect_lacks(const char *text, const char *part)
{
	EXPECT(!strstr(text, part), "\"%s\" is in it", part);
}

/* Text */

static void text_tells_the_verdict(void)
{
	static const struct {
		const char *sample, *headline, *mark, *reason;
	} rows[] = {
		{ "works", "-- WORKS --", "  [ ok ]  VMLAUNCH or VMRUN", "reason ok," },
		{ "limited", "-- LIMITED --", "  [warn]  L2 under EPT",
		  "reason nested-paging-missing," },
		{ "broken", "-- BROKEN --", "  [FAIL]  L2 under EPT", "reason l2-wrong-exit," },
		{ "unavailable", "-- UNAVAILABLE --", "  [FAIL]  KVM offers VMX",
		  "reason nested-disabled," },
		{ "timed-out", "-- TIMED OUT --", "  [....]  L2 resumed", "reason timed-out," },
		{ "failed", "-- MINIVMM FAILED --", "  [FAIL]  a VM with",
		  "reason internal-error," },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = report_of_sample(rows[i].sample, "text", &plain);

		expect_has(text, rows[i].headline);
		expect_has(text, rows[i].mark);
		expect_has(text, rows[i].reason);
		free(text);
	}
}

static void text_marks_in_unicode_and_color(void)
{
	char *text = report_of_sample("broken", "text", &fancy);

	expect_has(text, "\033[32m✓\033[0m");
	expect_has(text, "\033[1;31m✗\033[0m");
	expect_has(text, "\033[1;7;31m BROKEN \033[0m");
	free(text);
}

static void text_maps_the_features(void)
{
	char *text = report_of_sample("limited", "text", &plain);
	char *none = report_of_sample("works", "text", &plain);
	char *json = report_of_sample("works", "json", &plain);

	expect_has(text, "Nested features:\n  tsc-offset    works        what it is\n"
			 "  nested-1g     fails        why it is so\n"
			 "  tsc-scaling   not offered  why it is so\n"
			 "  nested-flush  not tried    why it is so\n"
			 "  virtual-gif   unfinished   why it is so\n"
			 "  and 1 that CPUs of this vendor do not have\n");
	expect_lacks(none, "Nested features");
	expect_lacks(json, "\"features\"");
	free(text);
	free(none);
	free(json);
}

static void text_hides_what_is_not_verbose(void)
{
	struct report_style verbose = { .columns = 80, .verbose = true };
	char *brief = report_of_sample("unavailable", "text", &plain);
	char *all = report_of_sample("unavailable", "text", &verbose);

	expect_has(brief, "17 more steps not tried\n");
	expect_has(brief, "  L2      guest of that guest\n");
	expect_lacks(brief, "VMLAUNCH");
	expect_lacks(brief, "VMCLEAR");
	expect_lacks(brief, "/sys is not mounted");
	expect_lacks(all, "more steps");
	expect_has(all, "[    ]  VMLAUNCH or VMRUN enters L2");
	expect_has(all, "[ -- ]  VMCLEAR and VMPTRLD");
	expect_has(all, "unknown: /sys is not mounted");
	expect_has(all, "63 us\n");
	free(brief);
	free(all);
}

static void text_numbers(void)
{
	static const struct {
		int64_t number;
		const char *text;
	} rows[] = {
		{ 0, "zero  0\n" },
		{ 999, "zero  999\n" },
		{ 1000, "zero  1,000\n" },
		{ -123456, "zero  -123,456\n" },
		{ INT64_MIN, "zero  -9,223,372,036,854,775,808\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct result result = { .reason = "ok" };
		char *text;

		fact_number(result.host, &result.hosts, "zero", "zero", rows[i].number);
		text = report_of(&result, "text", &plain);
		expect_has(text, rows[i].text);
		free(text);
	}
}

static void text_times(void)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{ 0, " 0 ns\n" },
		{ 999, " 999 ns\n" },
		{ 1000, " 1.0 us\n" },
		{ 9999, " 9.9 us\n" },
		{ 10000, " 10 us\n" },
		{ 5000123456, " 5.0 s\n" },
		{ UINT64_MAX, " 18446744073 s\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct result result = { .reason = "ok", .ns = rows[i].ns };
		char *text = report_of(&result, "text", &plain);

		expect_has(text, rows[i].text);
		free(text);
	}
}

static void text_commands_stay_whole(void)
{
	struct report_style narrow = { .columns = 40 };
	char *text = report_of_sample("unavailable", "text", &narrow);

	expect_has(text, "\n    echo 'options kvm_amd nested=1' | "
			 "sudo tee /etc/modprobe.d/nested.conf\n");
	free(text);
}

/* What a terminal may get: text that shows, newlines, and minivmm's own colours. */
static void expect_safe(const char *text, const struct report_style *style)
{
	for (const char *at = text; *at;) {
		const char *start = at;
		uint32_t code = utf8_next(&at);

		if (code == 0x1b && style->color) {
			EXPECT(*at == '[', "an escape at byte %td", start - text);
			at += strspn(at, "[0123456789;");
			EXPECT(*at == 'm', "not a colour at byte %td", start - text);
			continue;
		}
		EXPECT(code == '\n' || utf8_columns(code), "U+%04x at byte %td", code,
		       start - text);
		EXPECT(code < 0x80 || style->unicode, "U+%04x at byte %td", code, start - text);
	}
}

/* Commands may be longer: they are there to be pasted. */
static bool is_command(const char *line)
{
	static const char *const begin[] = {
		"    echo ",
		"    sudo ",
		"    minivmm ",
		"More: minivmm ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(begin); i++)
		if (strncmp(line, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

static void expect_narrow(const char *text, int columns)
{
	const char *line = text;
	int at = 0;

	while (*text) {
		uint32_t code = utf8_next(&text);

		if (code != '\n') {
			at += utf8_columns(code);
			continue;
		}
		EXPECT(at <= columns || is_command(line), "%d columns, not %d: %.*s", at, columns,
		       (int)(text - line - 1), line);
		line = text;
		at = 0;
	}
	EXPECT(line == text, "no newline at the end: %s", line);
}

static void expect_well_behaved(const struct result *result)
{
	static const int columns[] = { 40, 41, 57, 80, 100, 200 };

	for (size_t i = 0; i < ARRAY_SIZE(columns) * 8; i++) {
		struct report_style style = {
			.columns = columns[i / 8],
			.color = i & 1,
			.unicode = i & 2,
			.verbose = i & 4,
		};
		char *text = report_of(result, "text", &style);

		expect_safe(text, &style);
		if (!style.color)
			expect_narrow(text, style.columns);
		free(text);
	}
}

static void text_is_safe_and_narrow(void)
{
	struct result result;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		sample_fill(&result, samples[i]);
		expect_well_behaved(&result);
	}
}

static void fill_noise(char *text, size_t size, uint64_t *seed)
{
	for (size_t i = 0; i + 1 < size; i++) {
		*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
		text[i] = (char)(*seed >> 56 ? *seed >> 56 : 1);
	}
	text[size - 1] = '\0';
}

static void text_of_noise_is_safe_and_narrow(void)
{
	uint64_t seed = 1;

	for (int i = 0; i < 50; i++) {
		struct result result;

		sample_fill(&result, "broken");
		fill_noise(result.host[0].text, sizeof(result.host[0].text), &seed);
		fill_noise(result.evidence[4].text, sizeof(result.evidence[4].text), &seed);
		fill_noise(result.step[0].detail, sizeof(result.step[0].detail), &seed);
		result.step[0].status = STEP_FAILED;
		fill_noise(result.summary, sizeof(result.summary), &seed);
		fill_noise(result.remedy[0].text, sizeof(result.remedy[0].text), &seed);
		expect_well_behaved(&result);
	}
}

/* Tiny and absurd widths are taken as 40 and 80. */
static void text_of_any_width(void)
{
	static const struct {
		int asked, kept;
	} rows[] = { { 1, 40 }, { 39, 40 }, { 0, 80 }, { -5, 80 }, { 1000000, 100 } };
	struct result result;

	sample_fill(&result, "hostile");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct report_style style = { .columns = rows[i].asked };
		char *text = report_of(&result, "text", &style);

		expect_narrow(text, rows[i].kept);
		free(text);
	}
}

/* JSON */

static void json_has_every_key(void)
{
	static const char *const parts[] = {
		"{\n  \"schema_version\": 1,\n  \"program\": {\n    \"name\": \"minivmm\"",
		"\n  },\n  \"verdict\": \"unavailable\",\n  \"reason\": \"nested-disabled\",\n",
		"\n  \"reason_number\": 301,\n  \"summary\": \"Nesting is",
		"\n  \"exit_status\": 77,\n  \"duration_ns\": 431234567,\n  \"steps\": [\n    {\n",
		"\n      \"status\": \"not-tried\",\n      \"duration_ns\": null,\n",
		"\n    \"dmi_product\": null\n  },\n  \"unknown\": {\n",
		"\n    \"dmi_product\": \"/sys is not mounted\"\n  },\n  \"evidence\": {},\n",
		"\n      \"kind\": \"command\",\n      \"text\": \"sudo modprobe -r kvm_amd\"\n",
	};
	char *text = report_of_sample("unavailable", "json", &plain);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		expect_has(text, parts[i]);
	EXPECT_STR(text + strlen(text) - 6, "  ]\n}\n");
	free(text);
}

static void json_escapes(void)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "\n\t\033\x7f", "\"\\u000a\\u0009\\u001b\\u007f\"" },
		{ "\xc2\x9b", "\"\\u009b\"" },				/* C1: CSI */
		{ "\xe2\x80\xae", "\"\\u202e\"" },			/* right-to-left override */
		{ "\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"" },		/* U+E0041, a tag */
		{ "caf\xc3\xa9 \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"" },
		{ "\xff|\xc3|", "\"\xef\xbf\xbd|\xef\xbf\xbd|\"" },	/* stray, cut short */
		{ "\xc0\xaf", "\"\xef\xbf\xbd\"" },			/* overlong "/" */
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\"" },			/* a surrogate */
		{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\"" },		/* beyond U+10FFFF */
		{ "\xe2\x9c", "\"\xef\xbf\xbd\"" },			/* cut short by the end */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct result result = { .reason = "ok" };
		char *text;

		snprintf(result.summary, sizeof(result.summary), "%s", rows[i].text);
		text = report_of(&result, "json", &plain);
		expect_has(text, rows[i].json);
		free(text);
	}
}

/* Results, and writing */

/* Unbuffered, each write fails by itself and the last flush has nothing left to fail on. */
static void errors_are_returned(void)
{
	struct result result;

	for (size_t i = 0; i < ARRAY_SIZE(samples) * 4; i++) {
		FILE *full = fopen("/dev/full", "w");
		int err;

		if (i & 2)
			setvbuf(full, NULL, _IONBF, 0);
		sample_fill(&result, samples[i / 4]);
		err = report_formats[i & 1].write(full, &result, &plain);
		EXPECT(err == -ENOSPC || err == -EIO, "%s: %d", samples[i / 4], err);
		fclose(full);
	}
}

static void formats_are_found(void)
{
	EXPECT(report_format_find("text")->write == report_text, "text");
	EXPECT(report_format_find("json")->write == report_json, "json");
	EXPECT(!report_format_find("xml"), "xml");
	EXPECT(!report_format_find(""), "nothing");
}

static void verdicts_have_names_and_statuses(void)
{
	static const int statuses[] = { 0, 0, 1, 77, 124, 99 };

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		EXPECT_STR(verdict_name((enum verdict)i), samples[i]);
		EXPECT(verdict_exit_status((enum verdict)i) == statuses[i], "%s", samples[i]);
	}
	EXPECT_STR(step_status_name(STEP_NOT_APPLICABLE), "not-applicable");
	EXPECT_STR(step_status_name(STEP_UNFINISHED), "unfinished");
}

static void half_a_command_is_prose(void)
{
	struct result result = { 0 };

	result_command(&result, "rm -r /tmp/%0239d", 0);
	result_command(&result, "true");
	EXPECT(!result.remedy[0].command, "\"%s\"", result.remedy[0].text);
	EXPECT(result.remedy[1].command, "\"%s\"", result.remedy[1].text);
}

const struct unit_test report_tests[] = {
	{ "report: text tells verdict, mark and reason", text_tells_the_verdict },
	{ "report: text marks in Unicode and colour", text_marks_in_unicode_and_color },
	{ "report: text maps the features", text_maps_the_features },
	{ "report: text hides what only verbose shows", text_hides_what_is_not_verbose },
	{ "report: text groups digits", text_numbers },
	{ "report: text picks the unit of a time", text_times },
	{ "report: text keeps commands on one line", text_commands_stay_whole },
	{ "report: text is safe and narrow", text_is_safe_and_narrow },
	{ "report: text of noise is safe and narrow", text_of_noise_is_safe_and_narrow },
	{ "report: text takes any width", text_of_any_width },
	{ "report: JSON has every key in order", json_has_every_key },
	{ "report: JSON escapes", json_escapes },
	{ "report: write errors are returned", errors_are_returned },
	{ "report: formats are found by name", formats_are_found },
	{ "report: verdicts have names and exit statuses", verdicts_have_names_and_statuses },
	{ "report: half a command is prose", half_a_command_is_prose },
	{ 0 },
};
