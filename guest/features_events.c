// SPDX-License-Identifier: MIT
// Features of events: interrupts, exceptions, NMIs, and entries that must fail.
#include "feature.h"

#include "l2.h"
#include "lapic.h"
#include "x86.h"

#define TICKS 200000 /* well beyond an entry into L2 */

/* Spins until L1 says enough. */
static void l2_spin(void)
{
	while (!l2_mailbox.result[0])
		asm volatile("pause");
	l2_done();
}

static enum l1_status external_interrupt(struct outcome *outcome)
{
	if (!lapic_on())
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has no x2APIC");
	l2_mailbox.result[0] = 0;
	l2_reset(PROGRAM(l2_spin), 0);
	l2.intercepts = L2_INTERCEPT_INTERRUPT;
	lapic_timer(TICKS);
	if (!l2_start_to(outcome, L2_EXIT_INTERRUPT) ||
	    !equal(outcome, "timer interrupts that L1 took", lapic_timer_take(), 1))
		return L1_FAILED;
	l2_mailbox.result[0] = 1;
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "vector %x ended L2, L1 took it, L2 went on",
			   (uint64_t)LAPIC_TIMER_VECTOR);
}

static void l2_two_hypercalls(void)
{
	l2_hypercall(0);
	l2_done();
}

static enum l1_status inject_error_code(struct outcome *outcome)
{
	const uint32_t error = 0x1230; /* a selector of no segment */

	l2_protections = l2_error = 0;
	l2_reset(PROGRAM(l2_two_hypercalls), 0);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	l2_step_over();
	l2.injected = EVENT(EXCEPTION, VECTOR_GP) | EVENT_ERROR_CODE;
	l2.injected_error = error;
	if (!l2_finish(outcome) || !equal(outcome, "#GP that L2 counted", l2_protections, 1) ||
	    !equal(outcome, "error code that L2 saw", l2_error, error))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "#GP with error code %x", (uint64_t)error);
}

/* An L2 that must not be entered: the vendor's word for why comes back. */
static bool refused(struct outcome *outcome, enum l2_fault fault)
{
	l2_reset(PROGRAM(l2_done), 0);
	l2.fault = fault;
	return l2_start_to(outcome, L2_EXIT_ENTRY_FAILED);
}

#define VM_ENTRY_INVALID_CONTROL	7	/* SDM vol. 3 "VM Instruction Error Numbers" */
#define VM_ENTRY_INVALID_GUEST_STATE	(1U << 31 | 33)	/* "VMX Basic Exit Reasons" */

static enum l1_status bad_control(struct outcome *outcome)
{
	if (!refused(outcome, L2_BAD_CONTROL) ||
	    (hv->vendor == L1_VENDOR_VMX &&
	     !equal(outcome, "VM-instruction error", last.instr_error, VM_ENTRY_INVALID_CONTROL)) ||
	    !l2_another(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, hv->vendor == L1_VENDOR_VMX ?
				"VM-instruction error 7" : "VMEXIT_INVALID");
}

static enum l1_status bad_guest_state(struct outcome *outcome)
{
	if (!refused(outcome, L2_BAD_STATE) ||
	    (hv->vendor == L1_VENDOR_VMX &&
	     !equal(outcome, "exit reason", last.raw, VM_ENTRY_INVALID_GUEST_STATE)) ||
	    !l2_another(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, hv->vendor == L1_VENDOR_VMX ?
				"exit reason 33 with bit 31" : "VMEXIT_INVALID");
}

const struct feature features_events[] = {
	{ L1_CHECK_EXTERNAL_INTERRUPT, false, external_interrupt },
	{ L1_CHECK_INJECT_ERROR_CODE, false, inject_error_code },
	{ L1_CHECK_BAD_CONTROL, false, bad_control },
	{ L1_CHECK_BAD_GUEST_STATE, false, bad_guest_state },
	{ 0 },
};
