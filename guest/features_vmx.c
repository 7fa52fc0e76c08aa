// SPDX-License-Identifier: MIT
// Features that VMX alone has: SDM vol. 3 "Virtual Machine Extensions". They set the VMCS by hand
// behind hv->configure().
#include "feature.h"

#include "cpu.h"
#include "l2.h"
#include "lapic.h"
#include "nested_paging.h"
#include "vmcs.h"

typedef uint64_t page[PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));

/* L2 exits for a reason that only VMX knows. */
static bool run_to_reason(struct outcome *outcome, uint64_t reason)
{
	return l2_run_to(outcome, L2_EXIT_OTHER) && equal(outcome, "exit reason", last.raw, reason);
}

#define TIMER_TICKS 1000

static enum l1_status preemption_timer(struct outcome *outcome)
{
	l2_mailbox.result[0] = 0;
	l2_reset(PROGRAM(l2_spin), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	vmx_control_add(VMCS_PINBASED_CTLS, PINBASED_PREEMPTION_TIMER);
	vmwrite(VMCS_PREEMPTION_TIMER, TIMER_TICKS);
	if (!run_to_reason(outcome, EXIT_REASON_PREEMPTION_TIMER))
		return L1_FAILED;
	l2_mailbox.result[0] = 1;
	vmwrite(VMCS_PREEMPTION_TIMER, UINT32_MAX);
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "it ended an L2 that spun, and L2 went on");
}

void l2_two_nops(void);
asm(".globl l2_two_nops\n"
    "l2_two_nops: nop\n"
    "nop\n"
    "jmp l2_done\n");

static enum l1_status monitor_trap(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_two_nops), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	vmx_control_add(VMCS_PROCBASED_CTLS, PROCBASED_MONITOR_TRAP_FLAG);
	for (uint64_t i = 1; i <= 2; i++)
		if (!run_to_reason(outcome, EXIT_REASON_MONITOR_TRAP) ||
		    !equal(outcome, "L2's RIP", l2.rip, (uint64_t)l2_two_nops + i))
			return L1_FAILED;
	hv->intercept(&l2); /* takes the control back */
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 went two steps of one instruction");
}

static page shadow, shadow_bitmap;

/* The field may be any: a shadow VMCS is data. */
static void l2_shadow(void)
{
	l2_mailbox.result[0] = vmread(VMCS_GUEST_SYSENTER_EIP);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, ~l2_mailbox.result[0]);
	l2_done();
}

static enum l1_status shadow_vmcs(struct outcome *outcome)
{
	uint8_t *region = (uint8_t *)shadow;
	uint64_t mine = pattern(0, 700) & 0x7fffffffffff, theirs;

	if (!vmx_shadow_load(region))
		return outcome_say(outcome, L1_FAILED, "VMPTRLD of a shadow VMCS failed");
	vmwrite(VMCS_GUEST_SYSENTER_EIP, mine);
	if (!vmx_shadow_unload(region))
		return outcome_say(outcome, L1_FAILED, "VMCLEAR and VMPTRLD behind it failed");
	l2_reset(PROGRAM(l2_shadow), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED ||
	    !vmx_secondary_add(outcome, PROCBASED2_SHADOW_VMCS))
		return L1_FAILED;
	vmwrite(VMCS_VMREAD_BITMAP, (uint64_t)shadow_bitmap);
	vmwrite(VMCS_VMWRITE_BITMAP, (uint64_t)shadow_bitmap);
	vmwrite(VMCS_LINK_POINTER, (uint64_t)region);
	if (!l2_finish(outcome))
		return L1_FAILED;
	vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
	if (!vmx_shadow_reload(region))
		return outcome_say(outcome, L1_FAILED, "VMPTRLD of the shadow VMCS failed afterwards");
	theirs = vmread(VMCS_GUEST_SYSENTER_EIP);
	if (!vmx_shadow_unload(region) ||
	    !equal(outcome, "what L2 read", l2_mailbox.result[0], mine) ||
	    !equal(outcome, "what L2 wrote", theirs, ~mine))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 read and wrote field %x without an exit",
			   (uint64_t)VMCS_GUEST_SYSENTER_EIP);
}

static page pml;
#define PML_LAST 511 /* the log fills from its end */

static void l2_write_window(void)
{
	*(volatile uint64_t *)NESTED_WINDOW = NESTED_MAGIC;
	l2_done();
}

static enum l1_status page_log(struct outcome *outcome)
{
	uint64_t gpa, index;

	nested_paging_window(1, NESTED_ALL | hv->nested_leaf, &gpa);
	l2_reset(PROGRAM(l2_write_window), 0);
	l2.nested_accessed_dirty = true;
	if (hv->configure(outcome, &l2) != L1_PASSED || !vmx_secondary_add(outcome, PROCBASED2_PML))
		return L1_FAILED;
	vmwrite(VMCS_PML_ADDRESS, (uint64_t)pml);
	vmwrite(VMCS_GUEST_PML_INDEX, PML_LAST);
	if (!l2_finish(outcome))
		return L1_FAILED;
	index = vmread(VMCS_GUEST_PML_INDEX);
	for (uint64_t i = index + 1; i <= PML_LAST; i++)
		if (pml[i] == gpa)
			return outcome_say(outcome, L1_PASSED, "%x is among the %u pages logged", gpa,
					   PML_LAST - index);
	return outcome_say(outcome, L1_FAILED, "%x is not among the %u pages logged", gpa,
			   PML_LAST - index);
}

static page eptp_list, root_b, pdpt_b, pd_b, pt_b, frame_b;
#define VM_FUNCTION_EPTP_SWITCHING 1
#define TABLE 7

/* What is behind the window before and behind a switch to the list's second. */
static void l2_vmfunc(void)
{
	const volatile uint64_t *window = (const volatile uint64_t *)NESTED_WINDOW;

	l2_mailbox.result[0] = *window;
	asm volatile("vmfunc" : : "a"(0), "c"(1) : "memory");
	l2_mailbox.result[1] = *window;
	l2_done();
}

/* A second hierarchy: all as in the first, but another page in the window. */
static void hierarchy_copy(const uint64_t *root)
{
	const uint64_t *pdpt = (const uint64_t *)(root[0] & ~(uint64_t)(PAGE_SIZE - 1));
	const unsigned int window = NESTED_WINDOW >> 30;

	root_b[0] = (uint64_t)pdpt_b | TABLE;
	for (unsigned int i = 0; i < window; i++)
		pdpt_b[i] = pdpt[i];
	pdpt_b[window] = (uint64_t)pd_b | TABLE;
	pd_b[0] = (uint64_t)pt_b | TABLE;
	pt_b[0] = (uint64_t)frame_b | TABLE | hv->nested_leaf;
}

static enum l1_status vm_functions(struct outcome *outcome)
{
	uint64_t gpa, root = nested_paging_root(), eptp;

	nested_paging_window(1, NESTED_ALL | hv->nested_leaf, &gpa);
	hierarchy_copy((const uint64_t *)root);
	*nested_paging_frame() = pattern(0, 710);
	frame_b[0] = pattern(0, 711);
	l2_reset(PROGRAM(l2_vmfunc), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED ||
	    !vmx_secondary_add(outcome, PROCBASED2_VM_FUNCTIONS))
		return L1_FAILED;
	eptp = vmread(VMCS_EPT_POINTER);
	eptp_list[0] = eptp;
	eptp_list[1] = eptp - root + (uint64_t)root_b;
	vmwrite(VMCS_FUNCTION_CONTROLS, VM_FUNCTION_EPTP_SWITCHING);
	vmwrite(VMCS_EPTP_LIST, (uint64_t)eptp_list);
	if (!l2_finish(outcome) ||
	    !equal(outcome, "what L2 read before", l2_mailbox.result[0], pattern(0, 710)) ||
	    !equal(outcome, "what L2 read behind", l2_mailbox.result[1], pattern(0, 711)) ||
	    !equal(outcome, "the EPT pointer", vmread(VMCS_EPT_POINTER), eptp_list[1]))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "another EPT, and no exit");
}

/* A virtual-APIC page: registers 16 bytes apart, as in the local APIC's own. */
static page virtual_apic;
#define VIRTUAL_IRR 0x200

#define VIRTUAL_TPR 0x080

static enum l1_status virtual_tpr(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_task_priority), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	virtual_apic[VIRTUAL_TPR / 8] = 0;
	vmx_control_add(VMCS_PROCBASED_CTLS, PROCBASED_TPR_SHADOW);
	vmwrite(VMCS_VIRTUAL_APIC, (uint64_t)virtual_apic);
	vmwrite(VMCS_TPR_THRESHOLD, 0);
	if (!l2_finish(outcome) || !equal(outcome, "CR8 in L2", l2_mailbox.result[0], L2_PRIORITY) ||
	    !equal(outcome, "TPR in the page", (uint32_t)virtual_apic[VIRTUAL_TPR / 8], L2_PRIORITY << 4))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 set it to %u, the virtual APIC's page says so",
			   (uint64_t)L2_PRIORITY);
}

static void l2_set_if(void)
{
	asm volatile("sti\nnop\nnop\ncli" : : : "memory");
	l2_done();
}

/* Virtual-interrupt delivery, with nothing in the virtual APIC yet. */
static bool delivery_start(struct outcome *outcome, const void *program)
{
	uint8_t *bytes = (uint8_t *)virtual_apic;

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		bytes[i] = 0;
	l2_interrupts = 0;
	l2_reset(program, 0);
	l2.intercepts = L2_INTERCEPT_INTERRUPT;
	if (hv->configure(outcome, &l2) != L1_PASSED ||
	    !vmx_secondary_add(outcome, PROCBASED2_VIRTUAL_DELIVERY))
		return false;
	vmx_control_add(VMCS_PROCBASED_CTLS, PROCBASED_TPR_SHADOW);
	vmwrite(VMCS_VIRTUAL_APIC, (uint64_t)virtual_apic);
	vmwrite(VMCS_TPR_THRESHOLD, 0);
	vmwrite(VMCS_GUEST_INTERRUPT_STATUS, 0);
	for (unsigned int i = 0; i < 4; i++)
		vmwrite(VMCS_EOI_EXIT_BITMAP + 2 * i, 0);
	return true;
}

static enum l1_status virtual_delivery(struct outcome *outcome)
{
	uint32_t *irr = (uint32_t *)virtual_apic + VIRTUAL_IRR / 4;

	if (!delivery_start(outcome, PROGRAM(l2_set_if)))
		return L1_FAILED;
	irr[L2_INTERRUPT_VECTOR / 32 * 4] = 1U << L2_INTERRUPT_VECTOR % 32;
	vmwrite(VMCS_GUEST_INTERRUPT_STATUS, L2_INTERRUPT_VECTOR);
	if (!l2_finish(outcome) || !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "vector %x got in when L2 set IF",
			   (uint64_t)L2_INTERRUPT_VECTOR);
}

/* PIR, then a word whose bit 0 is "outstanding notification". */
static struct {
	uint32_t requests[8];
	uint64_t notification;
	uint64_t reserved_40[3];
} posted __attribute__((aligned(64)));

/* Has the notification come to this CPU while it is in L2. */
static void l2_notify(void)
{
	lapic_interrupt_self(LAPIC_NOTIFY_VECTOR);
	l2_set_if();
}

static enum l1_status posted_interrupts(struct outcome *outcome)
{
	if (!lapic_on())
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has no x2APIC");
	if (!delivery_start(outcome, PROGRAM(l2_notify)))
		return L1_FAILED;
	vmx_control_add(VMCS_PINBASED_CTLS, PINBASED_POSTED_INTERRUPTS);
	vmx_control_add(VMCS_EXIT_CTLS, EXIT_ACK_INTERRUPT);
	posted.requests[L2_INTERRUPT_VECTOR / 32] = 1U << L2_INTERRUPT_VECTOR % 32;
	posted.notification = 1;
	vmwrite(VMCS_POSTED_VECTOR, LAPIC_NOTIFY_VECTOR);
	vmwrite(VMCS_POSTED_DESCRIPTOR, (uint64_t)&posted);
	if (!l2_finish(outcome) || !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "vector %x came by notification",
			   (uint64_t)L2_INTERRUPT_VECTOR);
}

#define VM_ENTRY_INVALID_HOST_STATE	8	/* SDM vol. 3 "VM Instruction Error Numbers" */

static enum l1_status bad_host_state(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_done), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	vmwrite(VMCS_HOST_CR4, cr4_read() & ~(uint64_t)CR4_VMXE);
	if (!l2_run_to(outcome, L2_EXIT_ENTRY_FAILED) ||
	    !equal(outcome, "VM-instruction error", last.instr_error, VM_ENTRY_INVALID_HOST_STATE) ||
	    !l2_another(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "VM-instruction error 8");
}

const struct feature features_vmx[] = {
	{ L1_CHECK_PAGE_LOG, true, page_log },
	{ L1_CHECK_VM_FUNCTIONS, true, vm_functions },
	{ L1_CHECK_VIRTUAL_TPR, false, virtual_tpr },
	{ L1_CHECK_VIRTUAL_DELIVERY, false, virtual_delivery },
	{ L1_CHECK_POSTED_INTERRUPTS, false, posted_interrupts },
	{ L1_CHECK_PREEMPTION_TIMER, false, preemption_timer },
	{ L1_CHECK_MONITOR_TRAP, false, monitor_trap },
	{ L1_CHECK_SHADOW_VMCS, false, shadow_vmcs },
	{ L1_CHECK_BAD_HOST_STATE, false, bad_host_state },
	{ 0 },
};
