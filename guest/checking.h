/* SPDX-License-Identifier: MIT */
/* What the functions of checks share: in checks.c, and in features*.c. */
#ifndef CHECKING_H
#define CHECKING_H

#include "hv.h"

extern const struct hv *hv;	/* this CPU's */
extern const struct l1_orders *orders;
extern struct l2 l2;		/* the next L2, or the one that runs */
extern struct l2_exit last;	/* its last exit */
extern bool nested;		/* nested paging has passed: L2 runs under it by default */

/* L2 shall start at `program` with `argument`, everything else at its default. */
void l2_reset(const void *program, uint64_t argument);
#define PROGRAM(function) ((const void *)(uintptr_t)(function))

/* Starts L2 afresh at what l2_reset() and the check set up, and runs it to its first exit, which
 * must be of `kind`; if not, `outcome` says so. */
bool l2_start_to(struct outcome *outcome, enum l2_exit_kind kind);
/* Goes on where L2 is. */
bool l2_run_to(struct outcome *outcome, enum l2_exit_kind kind);
void l2_step_over(void);

/* A comparison that decides a check. */
bool equal(struct outcome *outcome, const char *what, uint64_t got, uint64_t expected);
/* The values of the last exit, for the report. */
void exit_keep(struct outcome *outcome);
/* A pattern that no other round or register has. */
uint64_t pattern(uint64_t round, uint64_t reg);

#endif
