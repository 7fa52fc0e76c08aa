// SPDX-License-Identifier: MIT
// The report for GitHub Actions: annotations by workflow commands, a step summary in Markdown,
// values for later steps (docs.github.com, "Workflow commands for GitHub Actions"; "GitHub Flavored
// Markdown Spec", 4.6: HTML blocks).
#include "line.h"
#include "result.h"

#include <errno.h>
#include <sys/random.h>

/* ---- workflow commands ---- */

static const char *escape_message(uint32_t code)
{
	return code == '%' ? "%25" : NULL;
}

static const char *escape_property(uint32_t code)
{
	return code == '%' ? "%25" : code == ':' ? "%3A" : code == ',' ? "%2C" : NULL;
}

#define TOKEN_SIZE (2 * 16 + 1)

/* Nobody who writes into the report can know it. */
static int token_make(char token[TOKEN_SIZE])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* The report for people, folded. Nothing in it is obeyed: some of it is the guest's. */
static int write_log(FILE *out, const struct result *result, const struct report_style *style)
{
	const struct report_style plain = { .unicode = true, .verbose = style->verbose,
					    .columns = 80 };
	char token[TOKEN_SIZE];
	int r = token_make(token);

	if (r < 0)
		return r;
	fprintf(out, "::group::minivmm, the whole report\n::stop-commands::%s\n", token);
	r = report_text(out, result, &plain);
	fprintf(out, "::%s::\n::endgroup::\n", token);
	return r;
}

static void write_annotation(FILE *out, const char *level, const char *title, const char *text)
{
	fprintf(out, "::%s title=", level);
	line_write(out, title, escape_property);
	fputs("::", out);
	line_write(out, text, escape_message);
}

static const char *level_of(const struct result *result)
{
	static const char *const levels[OUTCOMES] = {
		[OUTCOME_PASS] = "notice",   [OUTCOME_WARN] = "warning", [OUTCOME_FAIL] = "error",
		[OUTCOME_SKIP] = "warning",  [OUTCOME_TIMEOUT] = "error", [OUTCOME_ERROR] = "error",
	};

	/* what is missing has an annotation of its own */
	if (result_missing(result))
		return result->verdict == VERDICT_WORKS ? "notice" : "warning";
	return levels[result_outcome(result)];
}

/* The verdict, and behind it how to mend it, in one annotation: a step has ten of each level. */
static void write_annotations(FILE *out, const struct result *result)
{
	char title[96];

	snprintf(title, sizeof(title), "nested virtualization: %s (%s)",
		 verdict_name(result->verdict), result->reason);
	write_annotation(out, level_of(result), title, result->summary);
	for (size_t i = 0; i < result->remedies; i++) {
		fputs(result->remedy[i].command ? "%0A    " : "%0A", out);
		line_write(out, result->remedy[i].text, escape_message);
	}
	putc('\n', out);
	for (size_t i = 0; i < result->requirements; i++) {
		const struct requirement *required = &result->required[i];

		if (required->met)
			continue;
		snprintf(title, sizeof(title), "required, and missing: %s", required->name);
		write_annotation(out, "error", title, required->why);
		putc('\n', out);
	}
}

int report_github(FILE *out, const struct result *result, const struct report_style *style)
{
	int r = write_log(out, result, style);

	if (r < 0)
		return r;
	write_annotations(out, result);
	return report_end(out);
}

/* ---- the step summary ---- */

/* Elements of HTML, which GitHub's Markdown takes, and no line of which is blank: that alone
 * would end such a block. In Markdown's own words text from outside could not be made safe: an
 * address is found and linked whatever is escaped. */
static const char *escape_html(uint32_t code)
{
	return code == '&' ? "&amp;" : code == '<' ? "&lt;" : code == '>' ? "&gt;" : NULL;
}

static void write_element(FILE *out, const char *element, const char *text)
{
	fprintf(out, "<%s>", element);
	line_write(out, text, escape_html);
	fprintf(out, "</%s>", element);
}

/* A name of minivmm's own, with its mark. */
static void write_name(FILE *out, const char *mark, const char *name)
{
	fprintf(out, "<tr><td>%s</td><td><code>%s</code></td>", mark, name);
}

static void write_row(FILE *out, const char *mark, const char *name, const char *title,
		      const char *detail)
{
	write_name(out, mark, name);
	write_element(out, "td", title);
	write_element(out, "td", detail);
	fputs("</tr>\n", out);
}

static void write_ladder(FILE *out, const struct result *result)
{
	static const char *const marks[] = {
		[STEP_PASSED] = "✅",	     [STEP_FAILED] = "❌",    [STEP_LIMITED] = "⚠️",
		[STEP_NOT_APPLICABLE] = "–", [STEP_NOT_TRIED] = "·", [STEP_UNFINISHED] = "⏳",
	};

	fputs("\n<table>\n<tr><th></th><th>step</th><th>what</th><th>detail</th></tr>\n", out);
	for (size_t i = 0; i < result->steps; i++) {
		const struct step *step = &result->step[i];

		write_row(out, marks[step->status], step->name, step->title, step->detail);
	}
	fputs("</table>\n", out);
}

static void write_features(FILE *out, const struct result *result)
{
	static const char *const marks[] = {
		[FEATURE_WORKS] = "✅",		[FEATURE_FAILS] = "❌",
		[FEATURE_NOT_OFFERED] = "–",	[FEATURE_NOT_APPLICABLE] = NULL,
		[FEATURE_NOT_TRIED] = "·",	[FEATURE_UNFINISHED] = "⏳",
	};

	fputs("\n<details><summary>Nested features</summary>\n<table>\n"
	      "<tr><th></th><th>feature</th><th>what</th><th>detail</th></tr>\n", out);
	for (size_t i = 0; i < result->features; i++) {
		const struct feature *feature = &result->feature[i];

		if (marks[feature->status])
			write_row(out, marks[feature->status], feature->name, feature->title,
				  feature->detail);
	}
	fputs("</table>\n</details>\n", out);
}

static void write_facts(FILE *out, const struct fact *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!list[i].label || list[i].kind == FACT_UNKNOWN)
			continue;
		fprintf(out, "<tr><td>%s</td>", list[i].label);
		if (list[i].kind == FACT_TEXT)
			write_element(out, "td", list[i].text);
		else if (list[i].kind == FACT_BOOL)
			write_element(out, "td", list[i].number ? "yes" : "no");
		else
			fprintf(out, "<td>%lld</td>", (long long)list[i].number);
		fputs("</tr>\n", out);
	}
}

static void write_remedy(FILE *out, const struct result *result)
{
	for (size_t i = 0; i < result->remedies; i++) {
		putc('\n', out);
		write_element(out, result->remedy[i].command ? "pre" : "p", result->remedy[i].text);
		putc('\n', out);
	}
}

static void write_requirements(FILE *out, const struct result *result)
{
	fputs("\n<table>\n<tr><th></th><th>required</th><th>why not</th></tr>\n", out);
	for (size_t i = 0; i < result->requirements; i++) {
		write_name(out, result->required[i].met ? "✅" : "❌", result->required[i].name);
		write_element(out, "td", result->required[i].why);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

int report_github_summary(FILE *out, const struct result *result, const struct report_style *style)
{
	(void)style;
	fprintf(out, "### Nested virtualization: %s\n\n<p>", verdict_name(result->verdict));
	line_write(out, result->summary, escape_html);
	fprintf(out, " Reason: <code>%s</code>.</p>\n", result->reason);
	write_remedy(out, result);
	if (result->requirements)
		write_requirements(out, result);
	write_ladder(out, result);
	if (result->features)
		write_features(out, result);
	fputs("\n<details><summary>Machine and evidence</summary>\n<table>\n", out);
	write_facts(out, result->host, result->hosts);
	write_facts(out, result->evidence, result->evidences);
	fputs("</table>\n</details>\n\n", out);
	return report_end(out);
}

/* ---- values for later steps ---- */

int report_github_output(FILE *out, const struct result *result, const struct report_style *style)
{
	(void)style;
	fprintf(out, "verdict=%s\nreason=%s\nreason-number=%d\nnested=%s\nexit-status=%d\nsummary=",
		verdict_name(result->verdict), result->reason, result->reason_number,
		verdict_nests(result->verdict) ? "true" : "false",
		result->exit_status);
	line_write(out, result->summary, NULL);
	putc('\n', out);
	return report_end(out);
}
