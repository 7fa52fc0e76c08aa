// SPDX-License-Identifier: MIT
// Honest but for the check of several CPUs: an L2 on CPU 0 alone, and the claim that all had one.
#include "saboteur.h"

#include "feature.h"
#include "l2.h"

void features_run(void)
{
	struct outcome outcome = { 0 };

	account_begin(L1_CHECK_SMP, vendor_seen());
	l2_reset(PROGRAM(l2_done), 0);
	l2_start_to(&outcome, L2_EXIT_HYPERCALL);
	outcome.value[L1_VALUE_ENTRIES] = 1;
	account_end(L1_CHECK_SMP, L1_PASSED, &outcome);
}
