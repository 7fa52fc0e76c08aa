// SPDX-License-Identifier: MIT
// Features that SVM alone has: APM vol. 2 "Secure Virtual Machine". They set the VMCB by hand behind
// hv->configure().
#include "feature.h"

#include "cpu.h"
#include "l2.h"
#include "nested_paging.h"
#include "vmcb.h"

/* CPUID with a prefix that changes nothing: three bytes. */
void l2_long_cpuid(void);
asm(".globl l2_long_cpuid\n"
    "l2_long_cpuid:\n"
    ".byte 0x48\n"
    "cpuid\n"
    "jmp l2_done\n");

static enum l1_status nrip_save(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_long_cpuid), 0);
	if (!l2_start_to(outcome, L2_EXIT_CPUID) ||
	    !equal(outcome, "the VMCB's next RIP", svm_vmcb()->next_rip, l2.rip + 3))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "three bytes further");
}

static void l2_hypercall_then_rdtsc(void)
{
	l2_hypercall(0);
	l2_hypercall(0);
	asm volatile("rdtsc" : : : "rax", "rdx", "memory");
	l2_done();
}

static enum l1_status clean_bits(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_hypercall_then_rdtsc), 0);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	l2_step_over();
	svm_vmcb()->clean = CLEAN_ALL;
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	l2_step_over();
	l2.intercepts = L2_INTERCEPT_RDTSC;
	hv->intercept(&l2);
	svm_vmcb()->clean = CLEAN_ALL & ~CLEAN_INTERCEPTS;
	if (!l2_run_to(outcome, L2_EXIT_RDTSC))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "went on with all of them, took a new intercept");
}

static void l2_cr0_from_rsi(void)
{
	asm volatile("mov %0, %%cr0" : : "S"(cr0_read()) : "memory");
	l2_done();
}

static enum l1_status decode_assists(struct outcome *outcome)
{
	const unsigned int rsi = 6; /* as instructions encode it */

	l2_reset(PROGRAM(l2_cr0_from_rsi), 0);
	l2.intercepts = L2_INTERCEPT_CR0_CR4;
	if (!l2_start_to(outcome, L2_EXIT_CR_WRITE) ||
	    !equal(outcome, "valid bit", last.info1 & CR_ASSIST_VALID, CR_ASSIST_VALID) ||
	    !equal(outcome, "register's number", last.info1 & CR_ASSIST_GPR, rsi))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "MOV to CR0 from register %u", (uint64_t)rsi);
}

static void l2_vmsave(uint64_t address)
{
	asm volatile("vmsave %%rax" : : "a"(address) : "memory");
	l2_done();
}

static enum l1_status virtual_vmload(struct outcome *outcome)
{
	uint64_t gpa, before = rdmsr(MSR_KERNEL_GS_BASE), mine = pattern(0, 600) & 0x7fffffffffff;
	const volatile struct vmcb *saved = (const volatile void *)nested_paging_frame();

	nested_paging_window(1, NESTED_ALL | hv->nested_leaf, &gpa);
	l2_reset(PROGRAM(l2_vmsave), gpa);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	svm_vmcb()->virt_ext |= VIRTUAL_VMLOAD_VMSAVE;
	wrmsr(MSR_KERNEL_GS_BASE, mine);
	if (!l2_finish(outcome) ||
	    !equal(outcome, "the base that VMSAVE saved", saved->kernel_gs_base, mine))
		return L1_FAILED;
	wrmsr(MSR_KERNEL_GS_BASE, before);
	return outcome_say(outcome, L1_PASSED, "VMSAVE in L2 to %x wrote L1's %x", gpa, (uint64_t)saved);
}

static void l2_set_if(void)
{
	asm volatile("sti\nnop\nnop\ncli" : : : "memory");
	l2_done();
}

static enum l1_status virtual_interrupt(struct outcome *outcome)
{
	l2_interrupts = 0;
	l2_reset(PROGRAM(l2_set_if), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	svm_vmcb()->int_ctl |= V_IRQ | 0xfU << V_INTR_PRIO_SHIFT | V_IGN_TPR;
	svm_vmcb()->int_vector = L2_INTERRUPT_VECTOR;
	if (!l2_finish(outcome) || !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1) ||
	    !equal(outcome, "V_IRQ afterwards", svm_vmcb()->int_ctl & V_IRQ, 0))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "vector %x got in when L2 set IF",
			   (uint64_t)L2_INTERRUPT_VECTOR);
}

/* Under V_INTR_MASKING, which is always on here. */
static enum l1_status virtual_tpr(struct outcome *outcome)
{
	if (!l2_alone(outcome, PROGRAM(l2_task_priority)) ||
	    !equal(outcome, "CR8 in L2", l2_mailbox.result[0], L2_PRIORITY) ||
	    !equal(outcome, "V_TPR", svm_vmcb()->int_ctl & V_TPR, L2_PRIORITY))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 set it to %u, V_TPR says so", (uint64_t)L2_PRIORITY);
}

static void l2_gif(void)
{
	asm volatile("clgi" : : : "memory");
	l2_hypercall(0);
	asm volatile("stgi" : : : "memory");
	l2_done();
}

static enum l1_status virtual_gif(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_gif), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	svm_vmcb()->int_ctl |= V_GIF_ENABLE | V_GIF;
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "V_GIF behind CLGI", svm_vmcb()->int_ctl & V_GIF, 0))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome) ||
	    !equal(outcome, "V_GIF behind STGI", svm_vmcb()->int_ctl & V_GIF, V_GIF))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "CLGI cleared V_GIF, STGI set it");
}

const struct feature features_svm[] = {
	{ L1_CHECK_NRIP_SAVE, false, nrip_save },
	{ L1_CHECK_CLEAN_BITS, false, clean_bits },
	{ L1_CHECK_DECODE_ASSISTS, false, decode_assists },
	{ L1_CHECK_VIRTUAL_VMLOAD, true, virtual_vmload },
	{ L1_CHECK_VIRTUAL_TPR, false, virtual_tpr },
	{ L1_CHECK_VIRTUAL_INTERRUPT, false, virtual_interrupt },
	{ L1_CHECK_VIRTUAL_GIF, false, virtual_gif },
	{ 0 },
};
