// SPDX-License-Identifier: MIT
// The AMD half of an L1 that makes the mistake BAD: svm.c, but for what it does last before VMRUN.
#define svm svm_honest
#include "svm.c"
#undef svm

#include "bad.h"

static enum l1_status svm_enable_bad(struct outcome *outcome)
{
	if (BAD != BAD_ENABLE || wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | 1ULL << 63))
		return svm_enable(outcome);
	return outcome_say(outcome, L1_FAILED, "setting EFER raised %s",
			   trap_name(trap_last()->vector));
}

static void svm_run_bad(struct l2 *l2, struct l2_exit *exit)
{
	if (BAD == BAD_CONTROL) /* the host's: "Canonicalization and Consistency Checks" */
		svm_vmcb()->asid = 0;
	if (BAD == BAD_STATE)
		svm_vmcb()->efer &= ~(uint64_t)EFER_SVME;
	if (BAD == BAD_INTERCEPT)
		svm_vmcb()->intercept_misc1 &= ~INTERCEPT_CPUID;
	svm_run(l2, exit);
}

const struct hv svm = {
	.vendor = L1_VENDOR_SVM,
	.hypercall = "VMMCALL",
	.present = svm_present,
	.allowed = svm_allowed,
	.enable = svm_enable_bad,
	.load = svm_load,
	.nested_paging_offered = svm_nested_paging_offered,
	.configure = svm_configure,
	.run = svm_run_bad,
	.disable = svm_disable,
	.exit_name = svm_exit_name,
};
