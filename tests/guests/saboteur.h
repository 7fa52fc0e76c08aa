/* SPDX-License-Identifier: MIT */
/*
 * What the saboteurs share. Each is the L1 kernel with another table of checks in place of
 * guest/checks.c: it may say what it likes, and must never be believed.
 */
#ifndef SABOTEUR_H
#define SABOTEUR_H

#include "account.h"
#include "checks.h"
#include "cpu.h"

/* As an honest L1 sees it: the VMM knows what it shows. */
static inline enum l1_vendor vendor_seen(void)
{
	return cpuid(1, 0).ecx & CPUID_1_ECX_VMX ? L1_VENDOR_VMX : L1_VENDOR_SVM;
}

/* Claims that `check` passed, with the outcome that an honest one would have. */
static inline void claim(const struct l1_orders *orders, unsigned int check)
{
	struct outcome outcome = { 0 };
	uint64_t answer = challenge_answer(orders->challenge[0], orders->challenge[1]);

	account_begin(check, vendor_seen());
	outcome.value[L1_VALUE_EXPECTED] = answer;
	outcome.value[L1_VALUE_GOT] = answer;
	account_end(check,
		    check == L1_CHECK_VMCS_LOAD && vendor_seen() == L1_VENDOR_SVM ? L1_NOT_APPLICABLE :
										    L1_PASSED,
		    &outcome);
}

/* Claims all that comes before `check`, and begins that one. */
static inline void claim_until(const struct l1_orders *orders, unsigned int check)
{
	for (unsigned int before = L1_CHECK_NONE + 1; before < check; before++)
		claim(orders, before);
	account_begin(check, vendor_seen());
}

#endif
