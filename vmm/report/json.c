// SPDX-License-Identifier: MIT
// The report for programs: one JSON object, as report.schema.json describes it.
#include "result.h"
#include "utf8.h"

#include <inttypes.h>

#ifdef MINIVMM_VERSION
static const char *const program_version = MINIVMM_VERSION;
#else
static const char *const program_version = NULL;
#endif

struct json {
	FILE *out;
	int depth;	/* objects and arrays that are open */
	bool member;	/* the innermost has a member already: a comma comes first */
};

static void json_escape(FILE *out, uint32_t code)
{
	if (code >= 0x10000) {
		code -= 0x10000;
		fprintf(out, "\\u%04x", (unsigned int)(0xd800 + (code >> 10)));
		code = 0xdc00 + (code & 0x3ff);
	}
	fprintf(out, "\\u%04x", (unsigned int)code);
}

/* Beyond what RFC 8259 asks for (section 7), all that is unfit for a terminal is escaped too:
 * people do look at JSON. */
static void json_quote(FILE *out, const char *text)
{
	putc('"', out);
	while (*text) {
		const char *start = text;
		uint32_t code = utf8_next(&text);

		if (code == UTF8_INVALID)
			fputs("\xef\xbf\xbd", out);	/* U+FFFD, the replacement character */
		else if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (char)code);
		else if (!utf8_columns(code))
			json_escape(out, code);
		else
			fwrite(start, 1, (size_t)(text - start), out);
	}
	putc('"', out);
}

/* Begins a value: the comma before it, its line, and its key (NULL in an array). */
static void json_key(struct json *json, const char *key)
{
	if (json->member)
		putc(',', json->out);
	if (json->depth)
		fprintf(json->out, "\n%*s", 2 * json->depth, "");
	if (key) {
		json_quote(json->out, key);
		fputs(": ", json->out);
	}
	json->member = true;
}

static void json_open(struct json *json, const char *key, char bracket)
{
	json_key(json, key);
	putc(bracket, json->out);
	json->depth++;
	json->member = false;
}

static void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->member)
		fprintf(json->out, "\n%*s", 2 * json->depth, "");
	putc(bracket, json->out);
	json->member = true;
}

static void json_text(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	json_quote(json->out, text);
}

static void json_number(struct json *json, const char *key, int64_t number)
{
	json_key(json, key);
	fprintf(json->out, "%" PRId64, number);
}

static void json_word(struct json *json, const char *key, const char *word)
{
	json_key(json, key);
	fputs(word, json->out);
}

static void json_program(struct json *json)
{
	json_open(json, "program", '{');
	json_text(json, "name", "minivmm");
	if (program_version)
		json_text(json, "version", program_version);
	json_close(json, '}');
}

static void json_duration(struct json *json, bool timed, uint64_t ns)
{
	if (timed)
		json_number(json, "duration_ns", (int64_t)ns);
	else
		json_word(json, "duration_ns", "null");
}

static void json_steps(struct json *json, const struct result *result)
{
	json_open(json, "steps", '[');
	for (size_t i = 0; i < result->steps; i++) {
		const struct step *step = &result->step[i];

		json_open(json, NULL, '{');
		json_text(json, "name", step->name);
		json_text(json, "title", step->title);
		json_number(json, "level", step->level);
		json_text(json, "status", step_status_name(step->status));
		json_duration(json, step->timed, step->ns);
		json_text(json, "detail", step->detail);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_features(struct json *json, const struct result *result)
{
	json_open(json, "features", '[');
	for (size_t i = 0; i < result->features; i++) {
		const struct feature *feature = &result->feature[i];

		json_open(json, NULL, '{');
		json_number(json, "number", feature->number);
		json_text(json, "name", feature->name);
		json_text(json, "title", feature->title);
		json_number(json, "level", feature->level);
		json_text(json, "needs", feature->needs);
		json_text(json, "proves", feature->proves);
		json_text(json, "status", feature_status_name(feature->status));
		json_duration(json, feature->timed, feature->ns);
		json_text(json, "detail", feature->detail);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_fact(struct json *json, const struct fact *fact)
{
	switch (fact->kind) {
	case FACT_TEXT:
		json_text(json, fact->key, fact->text);
		break;
	case FACT_NUMBER:
		json_number(json, fact->key, fact->number);
		break;
	case FACT_BOOL:
		json_word(json, fact->key, fact->number ? "true" : "false");
		break;
	case FACT_UNKNOWN:
		json_word(json, fact->key, "null");
		break;
	}
}

static void json_facts(struct json *json, const char *key, const struct fact *list, size_t count)
{
	json_open(json, key, '{');
	for (size_t i = 0; i < count; i++)
		json_fact(json, &list[i]);
	json_close(json, '}');
}

/* Why each null of `list` is one. */
static void json_whys(struct json *json, const struct fact *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].kind == FACT_UNKNOWN)
			json_text(json, list[i].key, list[i].text);
}

static void json_unknown(struct json *json, const struct result *result)
{
	json_open(json, "unknown", '{');
	json_whys(json, result->host, result->hosts);
	json_whys(json, result->evidence, result->evidences);
	json_close(json, '}');
}

static void json_remedy(struct json *json, const struct result *result)
{
	json_open(json, "remedy", '[');
	for (size_t i = 0; i < result->remedies; i++) {
		json_open(json, NULL, '{');
		json_text(json, "kind", result->remedy[i].command ? "command" : "say");
		json_text(json, "text", result->remedy[i].text);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_required(struct json *json, const struct result *result)
{
	json_open(json, "required", '[');
	for (size_t i = 0; i < result->requirements; i++) {
		json_open(json, NULL, '{');
		json_text(json, "name", result->required[i].name);
		json_word(json, "met", result->required[i].met ? "true" : "false");
		json_text(json, "why_not", result->required[i].why);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_time(struct json *json, int64_t seconds)
{
	char text[UTC_TEXT];

	if (utc_text(text, seconds))
		json_text(json, "time", text);
}

static void json_tallies(struct json *json, const struct series *series)
{
	json_open(json, "reasons", '[');
	for (size_t i = 0; i < series->tallies; i++) {
		json_open(json, NULL, '{');
		json_text(json, "reason", series->tally[i].reason);
		json_number(json, "reason_number", series->tally[i].number);
		json_text(json, "verdict", verdict_name(series->tally[i].verdict));
		json_number(json, "runs", series->tally[i].runs);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_cpus(struct json *json, const struct series *series)
{
	json_open(json, "cpus", '[');
	for (size_t i = 0; i < series->cpus && series->cpu[i].runs; i++) {
		json_open(json, NULL, '{');
		json_number(json, "cpu", series->cpu[i].cpu);
		json_number(json, "runs", series->cpu[i].runs);
		json_text(json, "reason", series->cpu[i].reason);
		json_word(json, "mixed", series->cpu[i].mixed ? "true" : "false");
		json_word(json, "odd", series->cpu[i].odd ? "true" : "false");
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_series(struct json *json, const struct series *series)
{
	json_open(json, "series", '{');
	json_number(json, "runs", series->runs);
	json_number(json, "parallel", series->parallel);
	json_word(json, "interrupted", series->interrupted ? "true" : "false");
	json_number(json, "duration_ns", (int64_t)series->ns);
	json_number(json, "shortest_ns", (int64_t)series->ns_min);
	json_number(json, "mean_ns", (int64_t)(series->ns_sum / series->runs));
	json_number(json, "longest_ns", (int64_t)series->ns_max);
	json_tallies(json, series);
	json_open(json, "kept", '{');
	json_number(json, "run", series->kept_run);
	if (series->kept_cpu >= 0)
		json_number(json, "cpu", series->kept_cpu);
	json_text(json, "reason", series->kept_reason);
	json_text(json, "verdict", verdict_name(series->kept_verdict));
	json_close(json, '}');
	if (series->cpus)
		json_cpus(json, series);
	json_close(json, '}');
}

int report_json(FILE *out, const struct result *result, const struct report_style *style)
{
	struct json json = { .out = out };

	(void)style;
	json_open(&json, NULL, '{');
	json_number(&json, "schema_version", RESULT_SCHEMA_VERSION);
	json_program(&json);
	json_text(&json, "verdict", verdict_name(result->verdict));
	json_text(&json, "reason", result->reason);
	json_number(&json, "reason_number", result->reason_number);
	json_text(&json, "summary", result->summary);
	json_number(&json, "exit_status", verdict_exit_status(result->verdict));
	json_number(&json, "duration_ns", (int64_t)result->ns);
	json_time(&json, result->time);
	if (result->requirements)
		json_required(&json, result);
	json_steps(&json, result);
	if (result->features_asked)
		json_features(&json, result);
	json_facts(&json, "host", result->host, result->hosts);
	json_unknown(&json, result);
	json_facts(&json, "evidence", result->evidence, result->evidences);
	json_remedy(&json, result);
	if (result->series)
		json_series(&json, result->series);
	json_close(&json, '}');
	putc('\n', out);
	return report_end(out);
}
