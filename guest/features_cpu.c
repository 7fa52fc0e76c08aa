// SPDX-License-Identifier: MIT
// Features of the CPU that L2 runs on: its mode, its clock, what of its instructions exits.
#include "feature.h"

#include "cpu.h"
#include "l2.h"

/* Where real mode sees `image_start`: with segment 0xffff, beyond its first MiB. */
#define REAL_SEGMENT	0xffff
#define REAL_OFFSET	0x10
extern const uint8_t image_start[];

/* 16-bit: EBX = CR0, EDX = the first word of L1's image through a segment of real mode. Ends in
 * CPUID, as it exits to any L1. */
void l2_real_mode(void);
asm(".code16\n"
    ".globl l2_real_mode\n"
    "l2_real_mode:\n"
    "mov %cr0, %ebx\n"
    "mov $0xffff, %ax\n"
    "mov %ax, %ds\n"
    "mov 0x10, %edx\n"
    "cpuid\n"
    ".code64\n");

static enum l1_status real_mode(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_real_mode), 0);
	l2.real_mode = true;
	l2.code_base = (uint32_t)l2.rip & ~0xfU;
	l2.rip &= 0xf;
	if (!l2_start_to(outcome, L2_EXIT_CPUID) ||
	    !equal(outcome, "CR0.PE and CR0.PG", l2.regs.rbx & (CR0_PE | CR0_PG), 0) ||
	    !equal(outcome, "what is at ffff:0010", (uint32_t)l2.regs.rdx,
		   *(const uint32_t *)(const void *)image_start) ||
	    !l2_another(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "16-bit code read its memory through ffff:0010");
}

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("lfence\nrdtsc\nlfence" : "=a"(low), "=d"(high) : : "memory");
	return low | (uint64_t)high << 32;
}

static void l2_tsc(void)
{
	l2_mailbox.result[0] = rdtsc();
	l2_done();
}

/* L2's TSC must lie between L1's before and behind, times `factor`, plus `offset`. */
static enum l1_status tsc_between(struct outcome *outcome, uint64_t factor, uint64_t offset)
{
	uint64_t before, behind, seen;

	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	before = rdtsc() * factor + offset;
	if (!l2_finish(outcome))
		return L1_FAILED;
	behind = rdtsc() * factor + offset;
	seen = l2_mailbox.result[0];
	return outcome_say(outcome, before <= seen && seen <= behind ? L1_PASSED : L1_FAILED,
			   "L2 read %u, L1's clock gives %u to %u", seen, before, behind);
}

static enum l1_status tsc_offset(struct outcome *outcome)
{
	const uint64_t offset = 1ULL << 50; /* days */

	l2_reset(PROGRAM(l2_tsc), 0);
	l2.tsc_offset = offset;
	return tsc_between(outcome, 1, offset);
}

static enum l1_status tsc_scaling(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_tsc), 0);
	l2.tsc_doubled = true;
	return tsc_between(outcome, 2, 0);
}

/* Reads an MSR, and writes back what it read. */
static void l2_msr_touch(uint64_t msr)
{
	wrmsr((uint32_t)msr, rdmsr((uint32_t)msr));
	l2_done();
}

static bool msr_exits(struct outcome *outcome, uint32_t msr)
{
	uint64_t answer = pattern(0, msr);

	l2_reset(PROGRAM(l2_msr_touch), msr);
	l2.intercepted_msr = msr;
	if (!l2_start_to(outcome, L2_EXIT_MSR_READ) ||
	    !equal(outcome, "MSR read", (uint32_t)l2.regs.rcx, msr))
		return false;
	l2.regs.rax = (uint32_t)answer;
	l2.regs.rdx = answer >> 32;
	l2_step_over();
	if (!l2_run_to(outcome, L2_EXIT_MSR_WRITE) ||
	    !equal(outcome, "MSR written", (uint32_t)l2.regs.rcx, msr) ||
	    !equal(outcome, "value written", (uint32_t)l2.regs.rax | l2.regs.rdx << 32, answer))
		return false;
	return true;
}

/* Marks `marked`; L2 uses `msr`, which L1 has, and there is no exit. */
static bool msr_passes(struct outcome *outcome, uint32_t msr, uint32_t marked)
{
	l2_reset(PROGRAM(l2_msr_touch), msr);
	l2.intercepted_msr = marked;
	return l2_start_and_finish(outcome);
}

static enum l1_status msr_bitmap(struct outcome *outcome)
{
	/* the ends of the ranges, and some between; no such MSR need exist, since it exits first */
	static const uint32_t marked[] = { 0x0, 0x7, 0x8, 0x10, 0x277, 0x7ff, 0x1000, 0x1fff,
					   0xc0000000, 0xc0000007, 0xc0000102, 0xc0000fff, 0xc0001fff };
	const unsigned int count = sizeof(marked) / sizeof(marked[0]);

	for (unsigned int i = 0; i < count; i++)
		if (!msr_exits(outcome, marked[i]))
			return L1_FAILED;
	if (!msr_passes(outcome, MSR_IA32_PAT, MSR_IA32_PAT - 1) ||
	    !msr_passes(outcome, MSR_IA32_PAT, MSR_IA32_PAT + 1) ||
	    !msr_passes(outcome, MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE - 1) ||
	    !msr_passes(outcome, MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE + 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "%u MSRs exit, their neighbours do not",
			   (uint64_t)count);
}

/* The ports around one, which alone exits. */
static void l2_ports(uint64_t port)
{
	if (port)
		inb((uint16_t)(port - 1));
	outb((uint16_t)port, 0);
	if (port < UINT16_MAX)
		inb((uint16_t)(port + 1));
	l2_done();
}

static bool port_exits(struct outcome *outcome, uint16_t port)
{
	l2_reset(PROGRAM(l2_ports), port);
	l2.intercepted_port = port;
	if (!l2_start_to(outcome, L2_EXIT_PORT) || !equal(outcome, "port", last.port, port) ||
	    !equal(outcome, "size", last.size, 1) ||
	    !equal(outcome, "direction (1 = OUT)", last.write, true))
		return false;
	l2_step_over();
	return l2_finish(outcome);
}

static enum l1_status io_bitmap(struct outcome *outcome)
{
	static const uint16_t marked[] = { 0x0, 0x7, 0x8, 0xfff, 0x7fff, 0x8000, 0xc001, 0xffff };
	const unsigned int count = sizeof(marked) / sizeof(marked[0]);

	for (unsigned int i = 0; i < count; i++)
		if (!port_exits(outcome, marked[i]))
			return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "%u ports exit, their neighbours do not",
			   (uint64_t)count);
}

const struct feature features_cpu[] = {
	{ L1_CHECK_REAL_MODE, false, real_mode },
	{ L1_CHECK_TSC_OFFSET, false, tsc_offset },
	{ L1_CHECK_TSC_SCALING, false, tsc_scaling },
	{ L1_CHECK_MSR_BITMAP, false, msr_bitmap },
	{ L1_CHECK_IO_BITMAP, false, io_bitmap },
	{ 0 },
};
