// SPDX-License-Identifier: MIT
// Features of events: interrupts, exceptions, NMIs, and entries that must fail.
#include "feature.h"

#include "l2.h"
#include "lapic.h"
#include "x86.h"

/* Of the LAPIC's timer: nanoseconds under KVM. */
#define TICKS		200000
#define TICKS_TO_SLEEP	20000000	/* L2 halts long before, even on an emulated CPU */

/*
 * CLI, and IF is clear already: Bochs 3.0 decides whether a guest's interrupts are masked when IF changes,
 * so that one entered with IF clear, as the host had it, cannot be interrupted until it writes to IF. Then
 * no timer of the emulated machine ends it, and all of that machine hangs.
 */
void l2_spin(void)
{
	while (!l2_mailbox.result[0])
		asm volatile("cli");
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

/* Halts until its handler has run. The hlt is the last instruction before `l2_behind_hlt`. */
extern const uint8_t l2_behind_hlt[];
static void l2_sleep(void)
{
	while (!l2_interrupts)
		asm volatile("sti\nhlt\nl2_behind_hlt: cli" : : : "memory");
	l2_done();
}

static enum l1_status hlt_wakeup(struct outcome *outcome)
{
	if (!lapic_on())
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has no x2APIC");
	l2_interrupts = 0;
	l2_reset(PROGRAM(l2_sleep), 0);
	l2.intercepts = L2_INTERCEPT_INTERRUPT | L2_PASS_HLT;
	lapic_timer(TICKS_TO_SLEEP);
	if (!l2_start_to(outcome, L2_EXIT_INTERRUPT) ||
	    !equal(outcome, "L2's RIP", l2.rip, (uint64_t)l2_behind_hlt) ||
	    !equal(outcome, "timer interrupts that L1 took", lapic_timer_take(), 1))
		return L1_FAILED;
	l2.injected = EVENT(EXTERNAL, L2_INTERRUPT_VECTOR);
	if (!l2_finish(outcome) || !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "it slept, was woken and went on");
}

/* Sets IF when it has said that it is about to. */
static void l2_open(void)
{
	l2_mailbox.result[0] = 1;
	asm volatile("sti\nnop\nnop\ncli" : : : "memory");
	l2_done();
}

static enum l1_status interrupt_window(struct outcome *outcome)
{
	l2_interrupts = 0;
	l2_mailbox.result[0] = 0;
	l2_reset(PROGRAM(l2_open), 0);
	l2.intercepts = L2_INTERCEPT_INTERRUPT_WINDOW;
	if (!l2_start_to(outcome, L2_EXIT_INTERRUPT_WINDOW) ||
	    !equal(outcome, "how far L2 was", l2_mailbox.result[0], 1) ||
	    !equal(outcome, "L2's IF", l2.rflags & RFLAGS_IF, RFLAGS_IF))
		return L1_FAILED;
	l2.intercepts = 0;
	hv->intercept(&l2);
	l2.injected = EVENT(EXTERNAL, L2_INTERRUPT_VECTOR);
	if (!l2_finish(outcome) || !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "an exit behind STI, then the interrupt");
}

/* L2 does it by L1's own APIC, which L1 lets it use: in L1 it could not be held back for L2. */
static void l2_nmi_self(void)
{
	lapic_nmi_self();
	l2_spin();
}

static enum l1_status nmi_exit(struct outcome *outcome)
{
	if (!lapic_on())
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has no x2APIC");
	l2_nmis = 0;
	l2_mailbox.result[0] = 0;
	lapic_nmi_expect();
	l2_reset(PROGRAM(l2_nmi_self), 0);
	l2.intercepts = L2_INTERCEPT_NMI;
	if (!l2_start_to(outcome, L2_EXIT_NMI) ||
	    !equal(outcome, "NMIs that L1 took", lapic_nmi_take(hv->vendor == L1_VENDOR_VMX), 1))
		return L1_FAILED;
	l2_mailbox.result[0] = 1;
	if (!l2_finish(outcome) || !equal(outcome, "NMIs that L2 saw", l2_nmis, 0))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L1 took it, L2 went on");
}

static enum l1_status nmi_window(struct outcome *outcome)
{
	l2_nmis = 0;
	l2_reset(PROGRAM(l2_done), 0);
	l2.intercepts = L2_INTERCEPT_NMI_WINDOW;
	l2.injected = EVENT(NMI, VECTOR_NMI);
	if (!l2_start_to(outcome, L2_EXIT_NMI_WINDOW) ||
	    !equal(outcome, "NMIs that L2 counted", l2_nmis, 1))
		return L1_FAILED;
	l2.intercepts = 0;
	hv->intercept(&l2);
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2's handler ran, then the exit");
}

#define PAGE_MAPPED(page) ((uint64_t)(page) | PTE_P | PTE_W)

/* L2's stack lies in a page that is not there yet. */
static enum l1_status reinjection(struct outcome *outcome)
{
	static uint8_t stack[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	const uint64_t event = EVENT(EXTERNAL, L2_INTERRUPT_VECTOR);

	l2_interrupts = 0;
	l2_reset(PROGRAM(l2_done), 0);
	l2.cr3 = space_root(0);
	l2.regs.rsp = SPACE_PAGE + PAGE_SIZE - 8;
	l2.rflags |= RFLAGS_IF;
	l2.intercepted_exceptions = 1U << VECTOR_PF;
	l2.injected = event;
	if (!l2_start_to(outcome, L2_EXIT_EXCEPTION) ||
	    !equal(outcome, "vector", last.vector, VECTOR_PF) ||
	    !equal(outcome, "interrupts that L2 counted", l2_interrupts, 0) ||
	    !equal(outcome, "event that the fault interrupted", last.interrupted, event))
		return L1_FAILED;
	space_map(PAGE_MAPPED(stack));
	l2.injected = last.interrupted;
	if (!l2_finish(outcome) || !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "vector %x came at the second try",
			   (uint64_t)L2_INTERRUPT_VECTOR);
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
	{ L1_CHECK_HLT_WAKEUP, false, hlt_wakeup },
	{ L1_CHECK_INTERRUPT_WINDOW, false, interrupt_window },
	{ L1_CHECK_NMI_EXIT, false, nmi_exit },
	{ L1_CHECK_NMI_WINDOW, false, nmi_window },
	{ L1_CHECK_REINJECTION, false, reinjection },
	{ L1_CHECK_EXTERNAL_INTERRUPT, false, external_interrupt },
	{ L1_CHECK_INJECT_ERROR_CODE, false, inject_error_code },
	{ L1_CHECK_BAD_CONTROL, false, bad_control },
	{ L1_CHECK_BAD_GUEST_STATE, false, bad_guest_state },
	{ 0 },
};
