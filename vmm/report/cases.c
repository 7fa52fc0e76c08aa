// SPDX-License-Identifier: MIT
// Steps, features, requirements and the verdict as test cases.
#include "cases.h"

#include <string.h>

static void why_set(struct test_case *out, const char *word, const char *detail)
{
	snprintf(out->why, sizeof(out->why), "%s%s%s", word, *word && *detail ? ": " : "", detail);
}

/* Where nothing can be tried, the rung that says so has not failed: it was no test. */
static void step_case(const struct result *result, const struct step *step, struct test_case *out)
{
	static const struct {
		enum case_status status;
		const char *word;
	} rows[] = {
		[STEP_PASSED] = { CASE_PASSED, "" },
		[STEP_FAILED] = { CASE_FAILED, "" },
		[STEP_LIMITED] = { CASE_SKIPPED, "not to be had here" },
		[STEP_NOT_APPLICABLE] = { CASE_SKIPPED, "the other vendor's" },
		[STEP_NOT_TRIED] = { CASE_SKIPPED, "not tried" },
		[STEP_UNFINISHED] = { CASE_FAILED, "unfinished" },
	};

	*out = (struct test_case){ .group = "step", .name = step->name,
				   .status = rows[step->status].status, .timed = step->timed,
				   .ns = step->ns };
	why_set(out, rows[step->status].word, step->detail);
	if (out->status == CASE_FAILED && result_outcome(result) == OUTCOME_SKIP)
		out->status = CASE_SKIPPED;
}

static void feature_case(const struct feature *feature, struct test_case *out)
{
	static const enum case_status statuses[] = {
		[FEATURE_WORKS] = CASE_PASSED,	       [FEATURE_FAILS] = CASE_OPTIONAL,
		[FEATURE_NOT_OFFERED] = CASE_SKIPPED,  [FEATURE_NOT_APPLICABLE] = CASE_SKIPPED,
		[FEATURE_NOT_TRIED] = CASE_SKIPPED,    [FEATURE_UNFINISHED] = CASE_OPTIONAL,
	};

	*out = (struct test_case){ .group = "feature", .name = feature->name,
				   .status = statuses[feature->status],
				   .timed = feature->timed, .ns = feature->ns };
	why_set(out, feature->status == FEATURE_WORKS ? "" : feature_status_name(feature->status),
		feature->detail);
}

static void required_case(const struct requirement *required, struct test_case *out)
{
	*out = (struct test_case){ .group = "required", .name = required->name,
				   .status = required->met ? CASE_PASSED : CASE_FAILED };
	why_set(out, "", required->why);
}

static void verdict_case(const struct result *result, struct test_case *out)
{
	static const enum case_status statuses[OUTCOMES] = {
		[OUTCOME_PASS] = CASE_PASSED,	 [OUTCOME_WARN] = CASE_PASSED,
		[OUTCOME_FAIL] = CASE_FAILED,	 [OUTCOME_SKIP] = CASE_SKIPPED,
		[OUTCOME_TIMEOUT] = CASE_FAILED, [OUTCOME_ERROR] = CASE_ERROR,
	};
	const struct requirement *missing = result_missing(result);

	*out = (struct test_case){ .group = "verdict", .name = "nested-virtualization",
				   .status = statuses[result_outcome(result)], .timed = true,
				   .ns = result->ns };
	if (missing)
		snprintf(out->why, sizeof(out->why), "required, and missing: %s: %s", missing->name,
			 missing->why);
	else
		why_set(out, result->reason, result->summary);
}

size_t cases_count(const struct result *result)
{
	return result->steps + result->features + result->requirements + 1;
}

size_t cases_with(const struct result *result, enum case_status status)
{
	size_t count = 0;

	for (size_t i = 0; i < cases_count(result); i++) {
		struct test_case one;

		case_at(result, i, &one);
		count += one.status == status;
	}
	return count;
}

void case_at(const struct result *result, size_t i, struct test_case *out)
{
	if (i < result->steps)
		return step_case(result, &result->step[i], out);
	i -= result->steps;
	if (i < result->features)
		return feature_case(&result->feature[i], out);
	i -= result->features;
	if (i < result->requirements)
		return required_case(&result->required[i], out);
	verdict_case(result, out);
}
