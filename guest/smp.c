// SPDX-License-Identifier: MIT
// Several CPUs: an L2 on each at once, and interrupts from one to the other while they are in L2.
#include "feature.h"

#include "cpu.h"
#include "l2.h"
#include "lapic.h"

#define TRAMPOLINE_PAGE	8		/* at 0x8000: the loader's data, if any, is not needed any more */
#define PATIENCE	2000000000UL	/* cycles; emulated CPUs that share one are slow to answer */
#define STACK_SIZE	2048
#define STACK_SIZE_L2	1024

extern const uint8_t smp_trampoline[], smp_trampoline_end[];
extern uint64_t smp_stack;
_Noreturn void smp_other(void);

/* How far another CPU has come. */
enum progress { SMP_SILENT, SMP_IN_L1, SMP_READY, SMP_IN_L2, SMP_CALLED, SMP_ANSWERED, SMP_OFF };

static struct other {
	volatile enum progress progress;
	volatile bool go, stop;		/* CPU 0's word: enter L2; L2 shall end */
	volatile bool failed;		/* `outcome` says how */
	struct outcome outcome;
	uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
	uint8_t stack_l2[STACK_SIZE_L2] __attribute__((aligned(16)));
} others[CPUS_MAX];

uint64_t smp_stack;			/* of the CPU that starts next, which is that of ... */
static volatile unsigned int starting;	/* ... this number */

/* L2 of the other CPUs: answers one call, from L2 as well, and goes on until told to end. */
static void l2_answer(uint64_t number)
{
	struct other *me = &others[number];

	l2_sign();
	me->progress = SMP_IN_L2;
	while (!me->stop) {
		asm volatile("pause");
		if (me->progress != SMP_CALLED)
			continue;
		me->progress = SMP_ANSWERED;
		lapic_call(0);
	}
	for (;;)
		l2_hypercall(0);
}

/* L2 of CPU 0: calls one after the other. L1 counts the answers in result[0]; for want of one, L2
 * ends. */
static void l2_call(uint64_t cpus)
{
	l2_sign();
	for (unsigned int number = 1; number < cpus; number++) {
		uint64_t start = rdtsc();

		lapic_call(number);
		while (l2_mailbox.result[0] < number)
			if (rdtsc() - start > PATIENCE)
				l2_hypercall(0);
	}
	for (;;)
		l2_hypercall(0);
}

static bool other_prepare(struct outcome *outcome)
{
	return lapic_on() && hv->allowed(outcome) == L1_PASSED && hv->enable(outcome) == L1_PASSED &&
	       hv->load(outcome) != L1_FAILED;
}

/* Enters L2 and comes back with an exit of `kind`. */
static bool other_run(struct other *me, struct l2 *own, enum l2_exit_kind kind)
{
	struct l2_exit exit;

	hv->run(own, &exit);
	if (exit.kind == kind)
		return true;
	outcome_say(&me->outcome, L1_FAILED, "its L2 ended with %x at %x, wanted %s", exit.raw, own->rip,
		    kind == L2_EXIT_INTERRUPT ? "an interrupt" : hv->hypercall);
	return false;
}

static bool other_serve(struct other *me, struct l2 *own)
{
	if (hv->configure(&me->outcome, own) != L1_PASSED)
		return false;
	me->progress = SMP_READY;
	while (!me->go && !me->stop) /* asleep, for the others that start on the same CPU below */
		asm volatile("sti\nhlt\ncli" : : : "memory");
	lapic_calls_take();
	if (me->stop)
		return true;
	if (!other_run(me, own, L2_EXIT_INTERRUPT) ||
	    !equal(&me->outcome, "calls that its L1 took", lapic_calls_take(), 1))
		return false;
	me->progress = SMP_CALLED;
	return other_run(me, own, L2_EXIT_HYPERCALL);
}

/* The other CPUs come here from the trampoline. They end halted for good, VMX or SVM off. */
_Noreturn void smp_other(void)
{
	unsigned int number = starting;
	struct other *me = &others[number];
	struct l2 own = l2;

	wrmsr(MSR_GS_BASE, number);
	trap_share();
	me->progress = SMP_IN_L1;
	own.rip = (uint64_t)l2_answer;
	own.regs.rdi = number;
	own.regs.rsp = (uint64_t)me->stack_l2 + STACK_SIZE_L2 - 8;
	me->failed = !other_prepare(&me->outcome) || !other_serve(me, &own);
	while (!me->stop)
		asm volatile("pause");
	if (!me->failed)
		me->failed = hv->disable(&me->outcome) != L1_PASSED;
	me->progress = SMP_OFF;
	for (;;)
		asm volatile("cli\nhlt");
}

/* Names the CPU that is to blame. */
static bool blame(struct outcome *outcome, unsigned int number)
{
	static const char *const names[] = {
		[SMP_SILENT] = "it did not start",
		[SMP_IN_L1] = "it did not get VMX or SVM on",
		[SMP_READY] = "its L2 gave no sign of life",
		[SMP_IN_L2] = "no interrupt came to it in L2",
		[SMP_CALLED] = "its L2 did not go on behind the interrupt",
		[SMP_ANSWERED] = "its interrupt did not end CPU 0's L2, or its L2 did not end",
		[SMP_OFF] = "it was off too early",
	};
	const struct other *other = &others[number];
	const struct trap *trap = trap_last();

	if (other->failed)
		outcome_say(outcome, L1_FAILED, "CPU %u: %s", (uint64_t)number, other->outcome.text);
	else if (trap->taken && trap->cpu == number)
		outcome_say(outcome, L1_FAILED, "CPU %u: L1 took %s at %x", (uint64_t)number,
			    trap_name(trap->vector), trap->rip);
	else
		outcome_say(outcome, L1_FAILED, "CPU %u: %s", (uint64_t)number, names[other->progress]);
	return false;
}

static bool wait_for(struct outcome *outcome, unsigned int number, enum progress progress)
{
	const struct other *other = &others[number];
	uint64_t start = rdtsc();

	while (other->progress < progress && !other->failed && rdtsc() - start < PATIENCE)
		asm volatile("pause");
	return (other->progress >= progress && !other->failed) || blame(outcome, number);
}

/* One at a time: what they share of svm.c, vmx.c and trap.c has one user then. */
static bool others_start(struct outcome *outcome, unsigned int cpus)
{
	volatile uint8_t *trampoline = (volatile uint8_t *)(TRAMPOLINE_PAGE * 4096UL);

	for (unsigned int i = 0; i < (unsigned int)(smp_trampoline_end - smp_trampoline); i++)
		trampoline[i] = smp_trampoline[i];
	for (unsigned int number = 1; number < cpus; number++) {
		starting = number;
		smp_stack = (uint64_t)others[number].stack + STACK_SIZE;
		lapic_cpu_start(number, TRAMPOLINE_PAGE);
		if (!wait_for(outcome, number, SMP_READY))
			return false;
	}
	return true;
}

static bool others_enter(struct outcome *outcome, unsigned int cpus)
{
	for (unsigned int number = 1; number < cpus; number++) {
		others[number].go = true;
		lapic_call(number);
	}
	for (unsigned int number = 1; number < cpus; number++)
		if (!wait_for(outcome, number, SMP_IN_L2))
			return false;
	return true;
}

static bool others_call(struct outcome *outcome, unsigned int cpus)
{
	for (unsigned int number = 1; number < cpus; number++) {
		if (!l2_run_to(outcome, L2_EXIT_INTERRUPT)) {
			if (last.kind == L2_EXIT_HYPERCALL)
				blame(outcome, number);
			return false;
		}
		if (!equal(outcome, "answers that CPU 0 took", lapic_calls_take(), 1))
			return false;
		l2_mailbox.result[0] = number;
	}
	return l2_finish(outcome);
}

/* One at a time again; after a failure nobody is waited for. */
static bool others_stop(struct outcome *outcome, unsigned int cpus, bool passed)
{
	for (unsigned int number = 1; number < cpus; number++) {
		others[number].stop = true;
		if (others[number].progress == SMP_READY)
			lapic_call(number);
		if (passed)
			passed = wait_for(outcome, number, SMP_OFF);
	}
	return passed;
}

static enum l1_status smp(struct outcome *outcome)
{
	unsigned int cpus = orders->cpus < CPUS_MAX ? orders->cpus : CPUS_MAX;
	bool passed;

	if (cpus < 2)
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has one CPU: see --smp");
	if (!lapic_on())
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has no x2APIC");
	l2_reset(PROGRAM(l2_call), cpus);
	l2.intercepts = L2_INTERCEPT_INTERRUPT;
	l2.rflags |= RFLAGS_IF;
	l2_mailbox.result[0] = 0;
	passed = hv->configure(outcome, &l2) == L1_PASSED && others_start(outcome, cpus) &&
		 others_enter(outcome, cpus) && others_call(outcome, cpus);
	if (!others_stop(outcome, cpus, passed))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "an L2 on %u CPUs at once, each called and answered",
			   (uint64_t)cpus);
}

const struct feature features_smp[] = {
	{ L1_CHECK_SMP, false, smp },
	{ 0 },
};
