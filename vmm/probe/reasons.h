/* SPDX-License-Identifier: MIT */
/*
 * The catalogue of reasons: one row each, in the order of the ladder, so that the first row that
 * applies is the root cause. reasons_host.c has the rows for a device that cannot be opened,
 * reasons.c those after it. Names and numbers never change once released.
 */
#ifndef REASONS_H
#define REASONS_H

#include "facts.h"
#include "result.h"

struct reason {
	/* 100s device, 200s CPU and L0, 300s modules, 400s set-up, 500s L1 and L2, 900s minivmm */
	int number;
	const char *name;
	enum verdict verdict;
	const char *symptom;	/* what people see, here and in other programs' words */
	const char *cause;	/* one sentence: what is wrong; "likely" where that is inferred */
	const char *tell;	/* how it is recognised */
	const char *alike;	/* what looks the same, and the test that separates it, or NULL */
	bool (*applies)(const struct facts *facts);
	/* Writes the sentence of this case into result->summary (NULL: `cause` serves). */
	void (*summary)(struct result *result, const struct facts *facts);
	/* Appends remedy lines fitted to the host (NULL: none known). */
	void (*remedy)(struct result *result, const struct facts *facts);
};

/* Row `i` in testing order, NULL past the last one: "ok", which always applies. */
const struct reason *reason_at(size_t i);

/* The first row that applies to `facts`. Sets result's verdict, reason, number, summary, remedy. */
const struct reason *reason_diagnose(struct result *result, const struct facts *facts);

/* Rows that can be told before L1 is started (numbers below 500): NULL = nothing in the way. */
const struct reason *reason_before_run(const struct facts *facts);

const struct reason *reason_find(const char *name);	/* NULL = unknown */

#endif
