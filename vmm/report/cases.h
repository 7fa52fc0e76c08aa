/* SPDX-License-Identifier: MIT */
/*
 * A result as the test cases that TAP and JUnit know: each step, each feature, each requirement,
 * and last the verdict, which fails exactly where the run as a whole does.
 */
#ifndef CASES_H
#define CASES_H

#include "result.h"

enum case_status {
	CASE_PASSED,
	CASE_FAILED,
	CASE_ERROR,	/* minivmm itself failed */
	CASE_SKIPPED,	/* `why` says why */
	CASE_OPTIONAL,	/* fails, and nobody required it */
};

struct test_case {
	const char *group;	/* "step", "feature", "required", "verdict" */
	const char *name;	/* unique in its group */
	enum case_status status;
	bool timed;
	uint64_t ns;
	char why[400];		/* text from outside; empty where there is nothing to say */
};

size_t cases_count(const struct result *result);
size_t cases_with(const struct result *result, enum case_status status);

/* Case `i`, counted from 0. */
void case_at(const struct result *result, size_t i, struct test_case *out);

#endif
