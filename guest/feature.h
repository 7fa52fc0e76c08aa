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
extern const struct feature features_smp[];	/* several CPUs */
extern const struct feature features_svm[];	/* what only SVM has, or has in its own way */
extern const struct feature features_vmx[];	/* VMX likewise */

/* Tries them all, in the order of their numbers, giving account of each, and of what exits cost. */
void features_run(void);

/* Runs L2 on to its end: it signs, and exits by hypercall. */
bool l2_finish(struct outcome *outcome);
/* The same for an L2 that has yet to be started. */
bool l2_start_and_finish(struct outcome *outcome);
/* L2 runs to its end from its start: without any exit between. */
bool l2_alone(struct outcome *outcome, const void *program);
/* For checks whose own L2 cannot sign: another one can. */
bool l2_another(struct outcome *outcome);

/* L2's: writes L2_PRIORITY to CR8, and reads it back into result[0]. */
void l2_task_priority(void);
#define L2_PRIORITY 5

/* L2's: spins until result[0] is not 0, signs, and ends. */
void l2_spin(void);

/* Page tables of L2's own, for l2.cr3: L1's, and a page at SPACE_PAGE by `entry`. */
#define SPACE_PAGE 0x80000000UL
uint64_t space_root(uint64_t entry);
void space_map(uint64_t entry);

#endif
