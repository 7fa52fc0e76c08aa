// SPDX-License-Identifier: MIT
// Filling in a result, and the names and numbers that every format shares.
#include "result.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

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
	{ 0 },
};

const struct report_format *report_format_find(const char *name)
{
	for (const struct report_format *format = report_formats; format->name; format++)
		if (strcmp(format->name, name) == 0)
			return format;
	return NULL;
}
