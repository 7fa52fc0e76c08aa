/* SPDX-License-Identifier: MIT */
/*
 * The optional checks: the contract's L1_FEATURES. Each is a function of features*.c and gets what
 * the core checks have: checking.h. An L2 of theirs signs at PORT_WITNESS before it ends, so that the
 * VMM sees that each ran.
 */
#ifndef FEATURE_H
#define FEATURE_H

#include "checking.h"

struct feature {
	enum l1_check id;
	bool nested;	/* it plays in the nested page tables: not tried without */
	enum l1_status (*run)(struct outcome *outcome);
};

/* One table a file, ending with an empty row. */
extern const struct feature features_memory[];	/* address translation */
extern const struct feature features_cpu[];	/* modes, registers, time, intercepts */
extern const struct feature features_events[];	/* interrupts, exceptions, NMIs, failing entries */

/* Tries them all, in the order of their numbers, giving account of each. */
void features_run(void);

/* Runs L2 on to its end: it signs, and exits by hypercall. */
bool l2_finish(struct outcome *outcome);
/* The same for an L2 that has yet to be started. */
bool l2_start_and_finish(struct outcome *outcome);
/* For checks whose own L2 cannot sign: another one can. */
bool l2_another(struct outcome *outcome);

#endif
