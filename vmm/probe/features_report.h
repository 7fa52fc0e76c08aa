/* SPDX-License-Identifier: MIT */
/* The map of nested features: from what L1 said of the contract's L1_FEATURES to the result. */
#ifndef FEATURES_REPORT_H
#define FEATURES_REPORT_H

#include "l1_link.h"
#include "result.h"

/* Fills result->feature with every row, also if L1 never came there. */
void features_report(struct result *result, const struct facts *facts, const struct l1_link *link);

/* "MSR 48Bh[39]", "CPUID 8000000Ah EDX[3]", "every CPU", "no CPU": what offers a feature. */
void need_text(char *text, size_t size, const struct l1_need *need);

/* A row of the contract, as --list checks shows it. */
struct feature_row {
	int number, level;
	const char *name, *title, *proves;
	struct l1_need vmx, svm;
};
extern const struct feature_row feature_rows[];
extern const size_t feature_row_count;

#endif
