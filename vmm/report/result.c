// SPDX-License-Identifier: MIT
// Filling in a result, and the names and numbers that every format shares.
#include "result.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

/* Where what does not fit goes, so that a caller may always write to what it was given. */
static struct fact spare_fact;
static struct step spare_step;
static struct remedy spare_remedy;
static struct feature spare_feature;

static struct fact *fact_add(struct fact *list, size_t *count, const char *key, const char *label,
			     enum fact_kind kind)
{
	struct fact *fact = *count < RESULT_FACTS ? &list[(*count)++] : &spare_fact;

	assert(fact != &spare_fact);
	*fact = (struct fact){ .key = key, .label = label, .kind = kind };
	return fact;
}

struct fact *fact_text(struct fact *list, size_t *count, const char *key, const char *label,
		       const char *format, ...)
{
	struct fact *fact = fact_add(list, count, key, label, FACT_TEXT);
	va_list args;

	va_start(args, format);
	vsnprintf(fact->text, sizeof(fact->text), format, args);
	va_end(args);
	return fact;
}

struct fact *fact_number(struct fact *list, size_t *count, const char *key, const char *label,
			 int64_t number)
{
	struct fact *fact = fact_add(list, count, key, label, FACT_NUMBER);

	fact->number = number;
	return fact;
}

struct fact *fact_bool(struct fact *list, size_t *count, const char *key, const char *label,
		       bool value)
{
	struct fact *fact = fact_add(list, count, key, label, FACT_BOOL);

	fact->number = value;
	return fact;
}

struct fact *fact_unknown(struct fact *list, size_t *count, const char *key, const char *label,
			  const char *why)
{
	struct fact *fact = fact_add(list, count, key, label, FACT_UNKNOWN);

	snprintf(fact->text, sizeof(fact->text), "%s", why);
	return fact;
}

const struct fact *fact_find(const struct fact *list, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].key, key) == 0 && list[i].kind != FACT_UNKNOWN)
			return &list[i];
	return NULL;
}

struct step *result_step(struct result *result, const char *name, const char *title, int level)
{
	bool room = result->steps < RESULT_STEPS;
	struct step *step = room ? &result->step[result->steps++] : &spare_step;

	assert(room);
	*step = (struct step){
		.name = name,
		.title = title,
		.level = level,
		.status = STEP_NOT_TRIED,
	};
	return step;
}

struct feature *result_feature(struct result *result, int number, const char *name)
{
	bool room = result->features < RESULT_FEATURES;
	struct feature *feature = room ? &result->feature[result->features++] : &spare_feature;

	assert(room);
	*feature = (struct feature){ .number = number, .name = name, .status = FEATURE_NOT_TRIED };
	return feature;
}

/* Appends a line; returns whether all of it fitted. */
static bool remedy_add(struct remedy *remedy, const char *format, va_list args)
{
	int length = vsnprintf(remedy->text, sizeof(remedy->text), format, args);

	return length >= 0 && (size_t)length < sizeof(remedy->text);
}

static struct remedy *remedy_new(struct result *result)
{
	bool room = result->remedies < RESULT_REMEDIES;

	assert(room);
	return room ? &result->remedy[result->remedies++] : &spare_remedy;
}

void result_say(struct result *result, const char *format, ...)
{
	struct remedy *remedy = remedy_new(result);
	va_list args;

	remedy->command = false;
	va_start(args, format);
	remedy_add(remedy, format, args);
	va_end(args);
}

void result_command(struct result *result, const char *format, ...)
{
	struct remedy *remedy = remedy_new(result);
	va_list args;

	va_start(args, format);
	/* Half a command must not be pasted: cut short, it is but prose. */
	remedy->command = remedy_add(remedy, format, args);
	va_end(args);
}

static const struct {
	const char *name;
	int exit_status;
} verdicts[] = {
	[VERDICT_WORKS] = { "works", 0 },
	[VERDICT_LIMITED] = { "limited", 0 },
	[VERDICT_BROKEN] = { "broken", 1 },
	[VERDICT_UNAVAILABLE] = { "unavailable", 77 },
	[VERDICT_TIMED_OUT] = { "timed-out", 124 },
	[VERDICT_FAILED] = { "failed", 99 },
};

bool verdict_nests(enum verdict verdict)
{
	return verdict == VERDICT_WORKS || verdict == VERDICT_LIMITED;
}

enum outcome result_outcome(const struct result *result)
{
	static const enum outcome outcomes[] = {
		[VERDICT_WORKS] = OUTCOME_PASS,
		[VERDICT_LIMITED] = OUTCOME_WARN,
		[VERDICT_BROKEN] = OUTCOME_FAIL,
		[VERDICT_UNAVAILABLE] = OUTCOME_SKIP,
		[VERDICT_TIMED_OUT] = OUTCOME_TIMEOUT,
		[VERDICT_FAILED] = OUTCOME_ERROR,
	};
	/* neither a time-out nor a failure of minivmm's own says that it is missing */
	bool told = verdict_nests(result->verdict) || result->verdict == VERDICT_UNAVAILABLE;

	for (size_t i = 0; i < result->requirements; i++)
		if (told && !result->required[i].met)
			return OUTCOME_FAIL;
	return outcomes[result->verdict];
}

const struct requirement *result_missing(const struct result *result)
{
	for (size_t i = 0; verdict_nests(result->verdict) && i < result->requirements; i++)
		if (!result->required[i].met)
			return &result->required[i];
	return NULL;
}

/* ---- what is required ---- */

static void require_nested(const struct result *result, struct requirement *required)
{
	required->met = verdict_nests(result->verdict);
	snprintf(required->why, sizeof(required->why), "the verdict is %s, reason %s",
		 verdict_name(result->verdict), result->reason);
}

/* As asked at an exit that only L2 can cause, so that it is no mere capability bit. */
static void require_state(const struct result *result, struct requirement *required)
{
	const struct fact *fact =
		fact_find(result->evidence, result->evidences, "witness_guest_mode");

	required->met = fact && fact->number;
	snprintf(required->why, sizeof(required->why), "%s",
		 fact ? "KVM_GET_NESTED_STATE did not have the vCPU in L2" :
			"KVM_GET_NESTED_STATE gave no state of a vCPU in L2");
}

static void require_row(struct requirement *required, bool met, const char *status,
			const char *detail)
{
	required->met = met;
	snprintf(required->why, sizeof(required->why), "%s%s%s", status, *detail ? ": " : "",
		 detail);
}

/* The step or the feature of that name. */
static void require_named(const struct result *result, struct requirement *required)
{
	for (size_t i = 0; i < result->steps; i++) {
		const struct step *step = &result->step[i];

		if (strcmp(step->name, required->name) == 0)
			return require_row(required, step->status == STEP_PASSED,
					   step_status_name(step->status), step->detail);
	}
	for (size_t i = 0; i < result->features; i++) {
		const struct feature *feature = &result->feature[i];

		if (strcmp(feature->name, required->name) == 0)
			return require_row(required, feature->status == FEATURE_WORKS,
					   feature_status_name(feature->status), feature->detail);
	}
	require_row(required, false, "no run told of it", "");
}

void result_require(struct result *result, const char *name)
{
	struct requirement required = { .met = false };

	snprintf(required.name, sizeof(required.name), "%s", name);
	if (strcmp(name, "nested") == 0)
		require_nested(result, &required);
	else if (strcmp(name, "state") == 0)
		require_state(result, &required);
	else
		require_named(result, &required);
	if (required.met)
		required.why[0] = '\0';
	assert(result->requirements < RESULT_REQUIREMENTS);
	if (result->requirements < RESULT_REQUIREMENTS)
		result->required[result->requirements++] = required;
}

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

int verdict_exit_status(enum verdict verdict)
{
	return verdicts[verdict].exit_status;
}

const char *step_status_name(enum step_status status)
{
	static const char *const names[] = {
		[STEP_PASSED] = "passed",
		[STEP_FAILED] = "failed",
		[STEP_LIMITED] = "limited",
		[STEP_NOT_APPLICABLE] = "not-applicable",
		[STEP_NOT_TRIED] = "not-tried",
		[STEP_UNFINISHED] = "unfinished",
	};

	return names[status];
}

const char *feature_status_name(enum feature_status status)
{
	static const char *const names[] = {
		[FEATURE_WORKS] = "works",
		[FEATURE_FAILS] = "fails",
		[FEATURE_NOT_OFFERED] = "not-offered",
		[FEATURE_NOT_APPLICABLE] = "not-applicable",
		[FEATURE_NOT_TRIED] = "not-tried",
		[FEATURE_UNFINISHED] = "unfinished",
	};

	return names[status];
}

bool utc_text(char text[UTC_TEXT], int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm utc;

	return seconds && gmtime_r(&time, &utc) &&
	       strftime(text, UTC_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

int report_end(FILE *out)
{
	if (fflush(out) != 0)
		return -errno;
	/* An earlier write failed, and its errno may be gone. */
	return ferror(out) ? -EIO : 0;
}

const struct report_format report_formats[] = {
	{ "text", "a ladder for people", report_text },
	{ "json", "one object, as report.schema.json describes it", report_json },
	{ "tap", "Test Anything Protocol, version 13", report_tap },
	{ "tap14", "Test Anything Protocol, version 14", report_tap14 },
	{ "junit", "XML that GitLab, Jenkins and Buildkite read", report_junit },
	{ "github", "workflow commands; fills $GITHUB_STEP_SUMMARY and $GITHUB_OUTPUT too",
	  report_github },
	{ "github-summary", "what goes to $GITHUB_STEP_SUMMARY: Markdown", report_github_summary },
	{ "github-output", "what goes to $GITHUB_OUTPUT: key=value", report_github_output },
	{ "prometheus", "metrics for node_exporter's textfile collector", report_prometheus },
	{ "nfd", "node-feature-discovery's local feature file", report_nfd },
	{ "npd", "node-problem-detector, Nagios: one line under 80 characters", report_npd },
	{ 0 },
};

const struct report_format *report_format_find(const char *name)
{
	for (const struct report_format *format = report_formats; format->name; format++)
		if (strcmp(format->name, name) == 0)
			return format;
	return NULL;
}
