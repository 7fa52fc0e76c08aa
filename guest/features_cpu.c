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

/* Flips a bit, writes, reads back, in both; result[]: whether the bits stayed as they were. */
static void l2_control_registers(void)
{
	uint64_t cr0 = cr0_read(), cr4 = cr4_read();

	asm volatile("mov %0, %%cr0" : : "a"(cr0 ^ CR0_AM) : "memory");
	asm volatile("mov %0, %%cr4" : : "a"(cr4 ^ CR4_DE) : "memory");
	l2_mailbox.result[0] = cr0_read() ^ cr0;
	l2_mailbox.result[1] = cr4_read() ^ cr4;
	l2_done();
}

/* Runs to the exit of an instruction that L1 then steps over. */
static bool steps_over(struct outcome *outcome, enum l2_exit_kind kind)
{
	if (!l2_run_to(outcome, kind))
		return false;
	l2_step_over();
	return true;
}

static bool intercept_start(struct outcome *outcome, const void *program, uint32_t intercepts)
{
	l2_reset(program, 0);
	l2.intercepts = intercepts;
	return hv->configure(outcome, &l2) == L1_PASSED;
}

static enum l1_status cr_intercepts(struct outcome *outcome)
{
	if (!intercept_start(outcome, PROGRAM(l2_control_registers), L2_INTERCEPT_CR0_CR4) ||
	    !steps_over(outcome, L2_EXIT_CR_WRITE) || !equal(outcome, "register", last.reg, 0) ||
	    !steps_over(outcome, L2_EXIT_CR_WRITE) || !equal(outcome, "register", last.reg, 4) ||
	    !l2_finish(outcome) ||
	    !equal(outcome, "what changed in L2's CR0", l2_mailbox.result[0], 0) ||
	    !equal(outcome, "what changed in L2's CR4", l2_mailbox.result[1], 0))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "MOV to CR0 and CR4 exit");
}

void l2_task_priority(void)
{
	uint64_t value;

	asm volatile("mov %1, %%cr8\nmov %%cr8, %0" : "=r"(value) : "a"((uint64_t)L2_PRIORITY));
	l2_mailbox.result[0] = value;
	l2_done();
}

static enum l1_status cr8_intercept(struct outcome *outcome)
{
	if (!intercept_start(outcome, PROGRAM(l2_task_priority), L2_INTERCEPT_CR8) ||
	    !steps_over(outcome, L2_EXIT_CR_WRITE) || !equal(outcome, "register", last.reg, 8) ||
	    !l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "MOV to CR8 exits");
}

static void l2_dr7(void)
{
	uint64_t value;

	asm volatile("mov %0, %%dr7" : : "a"((uint64_t)(DR7_RESET | DR7_GE)));
	l2_hypercall(0);
	asm volatile("mov %%dr7, %0" : "=r"(value));
	l2_mailbox.result[0] = value;
	l2_done();
}

/* VMX makes reads exit too: so the register is read when L1 has taken the intercept back. */
static enum l1_status dr_intercept(struct outcome *outcome)
{
	if (!intercept_start(outcome, PROGRAM(l2_dr7), L2_INTERCEPT_DR) ||
	    !steps_over(outcome, L2_EXIT_DR) || !equal(outcome, "register", last.reg, 7) ||
	    !steps_over(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	l2.intercepts = 0;
	hv->intercept(&l2);
	if (!l2_finish(outcome) || !equal(outcome, "L2's DR7", l2_mailbox.result[0], DR7_RESET))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "MOV to DR7 exits");
}

static void l2_bare_rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	l2_mailbox.result[0] = low | (uint64_t)high << 32;
	l2_done();
}

static enum l1_status rdtsc_intercept(struct outcome *outcome)
{
	uint64_t answer = pattern(0, 400);

	if (!intercept_start(outcome, PROGRAM(l2_bare_rdtsc), L2_INTERCEPT_RDTSC) ||
	    !steps_over(outcome, L2_EXIT_RDTSC))
		return L1_FAILED;
	l2.regs.rax = (uint32_t)answer;
	l2.regs.rdx = answer >> 32;
	if (!l2_finish(outcome) || !equal(outcome, "what L2 read", l2_mailbox.result[0], answer))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 read L1's value");
}

static void l2_hlt(void)
{
	asm volatile("hlt");
	l2_done();
}

static enum l1_status hlt_intercept(struct outcome *outcome)
{
	if (!intercept_start(outcome, PROGRAM(l2_hlt), 0) || !steps_over(outcome, L2_EXIT_HLT) ||
	    !l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "HLT exits");
}

static void l2_pause(void)
{
	asm volatile("pause");
	l2_done();
}

static enum l1_status pause_intercept(struct outcome *outcome)
{
	if (!intercept_start(outcome, PROGRAM(l2_pause), L2_INTERCEPT_PAUSE) ||
	    !steps_over(outcome, L2_EXIT_PAUSE) || !l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "PAUSE exits");
}

static void l2_monitor(void)
{
	asm volatile("monitor" : : "a"(&l2_mailbox), "c"(0), "d"(0));
	asm volatile("mwait" : : "a"(0), "c"(0));
	l2_done();
}

static enum l1_status monitor_intercept(struct outcome *outcome)
{
	if (!intercept_start(outcome, PROGRAM(l2_monitor), L2_INTERCEPT_MONITOR) ||
	    !steps_over(outcome, L2_EXIT_MONITOR) || !steps_over(outcome, L2_EXIT_MWAIT) ||
	    !l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "MONITOR and MWAIT exit");
}

#define PAUSES_PASSED	50		/* by the filter */
#define PAUSES		1000000		/* at most */

static void l2_pauses(void)
{
	for (l2_mailbox.result[0] = 0; l2_mailbox.result[0] < PAUSES; l2_mailbox.result[0]++)
		asm volatile("pause");
	l2_done();
}

static enum l1_status pause_filter(struct outcome *outcome)
{
	uint64_t seen;

	l2_reset(PROGRAM(l2_pauses), 0);
	l2.pause_filter = PAUSES_PASSED;
	if (!l2_start_to(outcome, L2_EXIT_PAUSE))
		return L1_FAILED;
	seen = l2_mailbox.result[0];
	if (seen == 0)
		return outcome_say(outcome, L1_FAILED, "the first PAUSE exited, in spite of the filter");
	return l2_another(outcome) ? outcome_say(outcome, L1_PASSED, "an exit after %u PAUSEs", seen) :
				     L1_FAILED;
}

/* x87, SSE and AVX (SDM vol. 1 "XSAVE-Managed State"): where they lie in an XSAVE area. */
#define XCR0_X87_SSE_AVX	7
#define XSAVE_MXCSR		24
#define XSAVE_XMM		160
#define XSAVE_XMM_END		416
#define XSAVE_BV		512
#define XSAVE_YMM_HIGH		576
#define XSAVE_YMM_HIGH_END	832
#define MXCSR_RESET		0x1f80
#define X87_CONTROL_RESET	0x37f

static uint8_t xsave_l1[1024] __attribute__((aligned(64)));
static uint8_t xsave_l2[1024] __attribute__((aligned(64)));
static uint8_t xsave_seen[1024] __attribute__((aligned(64)));
static uint32_t xcr0;

static uint64_t xcr0_read(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0) : "memory");
	return low | (uint64_t)high << 32;
}

static void xsave(uint8_t *area)
{
	asm volatile("xsave (%0)" : : "r"(area), "a"(xcr0), "d"(0) : "memory");
}

static void xrstor(const uint8_t *area)
{
	asm volatile("xrstor (%0)" : : "r"(area), "a"(xcr0), "d"(0) : "memory");
}

static void xsave_fill(uint8_t *area, uint64_t round)
{
	for (unsigned int i = 0; i < sizeof(xsave_l1); i++)
		area[i] = 0;
	*(uint16_t *)(void *)area = X87_CONTROL_RESET;
	*(uint32_t *)(void *)(area + XSAVE_MXCSR) = MXCSR_RESET;
	*(uint64_t *)(void *)(area + XSAVE_BV) = xcr0;
	for (unsigned int i = XSAVE_XMM; i < XSAVE_XMM_END; i++)
		area[i] = (uint8_t)pattern(round, i);
	for (unsigned int i = XSAVE_YMM_HIGH; i < XSAVE_YMM_HIGH_END && xcr0 & 4; i++)
		area[i] = (uint8_t)pattern(round, i);
}

static bool xsave_same(struct outcome *outcome, const uint8_t *expected, const char *whose)
{
	for (unsigned int i = XSAVE_XMM; i < XSAVE_YMM_HIGH_END; i++) {
		if (i == XSAVE_XMM_END)
			i = XSAVE_YMM_HIGH;
		if (!equal(outcome, whose, xsave_seen[i], expected[i]))
			return false;
	}
	return true;
}

static void l2_xsave(void)
{
	xsave(xsave_seen);
	l2_hypercall(0);
	xrstor(xsave_l2);
	l2_done();
}

static enum l1_status xsave_state(struct outcome *outcome)
{
	const char *const what = "a byte of XMM or YMM";

	if (!cr4_write_safe(cr4_read() | CR4_OSXSAVE))
		return outcome_say(outcome, L1_FAILED, "setting CR4.OSXSAVE raised %s",
				   trap_name(trap_last()->vector));
	xcr0 = cpuid(0xd, 0).eax & XCR0_X87_SSE_AVX;
	asm volatile("xsetbv" : : "a"(xcr0), "d"(0), "c"(0) : "memory");
	cpuid(0, 0); /* an exit to L0, which must not lose it */
	if (!equal(outcome, "XCR0, set by XSETBV,", xcr0_read(), xcr0))
		return L1_FAILED;
	xsave_fill(xsave_l1, 500);
	xsave_fill(xsave_l2, 501);
	xsave_fill(xsave_seen, 502);
	l2_reset(PROGRAM(l2_xsave), 0);
	xrstor(xsave_l1);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL) || !xsave_same(outcome, xsave_l1, what))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome))
		return L1_FAILED;
	xsave(xsave_seen);
	if (!xsave_same(outcome, xsave_l2, what))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "XCR0 %x, every XMM%s", (uint64_t)xcr0,
			   xcr0 & 4 ? " and YMM" : "");
}

/* L2's system calls: what its MSRs say, and where SYSCALL goes. */
static const uint32_t syscall_msrs[] = { MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
					 MSR_LSTAR, MSR_SFMASK };
#define SYSCALL_MSRS (sizeof(syscall_msrs) / sizeof(syscall_msrs[0]))

/* Canonical, and 32 bits where there are no more; 16 of a selector. */
static uint64_t syscall_value(unsigned int i)
{
	return pattern(600, i) & (syscall_msrs[i] == MSR_SYSENTER_CS ? 0xffff : 0x7fffffff);
}

void l2_on_syscall(void);
asm("l2_on_syscall:\n"
    "movq $1, %rbx\n"
    "jmp *%rcx\n");

static void l2_syscall(void)
{
	uint64_t taken = 0;

	for (unsigned int i = 0; i < SYSCALL_MSRS; i++)
		wrmsr(syscall_msrs[i], syscall_value(i));
	l2_hypercall(0);
	l2_mailbox.result[0] = 0;
	for (unsigned int i = 0; i < SYSCALL_MSRS; i++)
		l2_mailbox.result[0] += rdmsr(syscall_msrs[i]) == syscall_value(i);
	wrmsr(MSR_STAR, (uint64_t)SELECTOR_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)l2_on_syscall);
	wrmsr(MSR_SFMASK, 0);
	l2_hypercall(0);
	asm volatile("syscall" : "+b"(taken) : : "rcx", "r11", "memory");
	l2_mailbox.result[1] = taken;
	l2_done();
}

static enum l1_status syscall_msrs_try(struct outcome *outcome)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	l2_reset(PROGRAM(l2_syscall), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED || !steps_over(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	cpuid(0, 0); /* an exit to L0 */
	if (!steps_over(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "MSRs that L2 found as it left them", l2_mailbox.result[0], SYSCALL_MSRS))
		return L1_FAILED;
	cpuid(0, 0);
	if (!l2_finish(outcome) || !equal(outcome, "SYSCALLs that arrived", l2_mailbox.result[1], 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "%u MSRs kept, SYSCALL taken", (uint64_t)SYSCALL_MSRS);
}

/* SVM has L1 and L2 share them, but for VMLOAD: what L1 had is put back. */
static enum l1_status syscall_msrs_kept(struct outcome *outcome)
{
	uint64_t star = rdmsr(MSR_STAR), efer = rdmsr(MSR_EFER), had[SYSCALL_MSRS];
	enum l1_status status;

	for (unsigned int i = 0; i < SYSCALL_MSRS; i++)
		had[i] = rdmsr(syscall_msrs[i]);
	status = syscall_msrs_try(outcome);
	for (unsigned int i = 0; i < SYSCALL_MSRS; i++)
		wrmsr(syscall_msrs[i], had[i]);
	wrmsr(MSR_STAR, star);
	wrmsr(MSR_EFER, efer);
	return status;
}

const struct feature features_cpu[] = {
	{ L1_CHECK_CR_INTERCEPTS, false, cr_intercepts },
	{ L1_CHECK_CR8_INTERCEPT, false, cr8_intercept },
	{ L1_CHECK_DR_INTERCEPT, false, dr_intercept },
	{ L1_CHECK_RDTSC_INTERCEPT, false, rdtsc_intercept },
	{ L1_CHECK_HLT_INTERCEPT, false, hlt_intercept },
	{ L1_CHECK_PAUSE_INTERCEPT, false, pause_intercept },
	{ L1_CHECK_MONITOR_INTERCEPT, false, monitor_intercept },
	{ L1_CHECK_PAUSE_FILTER, false, pause_filter },
	{ L1_CHECK_XSAVE_STATE, false, xsave_state },
	{ L1_CHECK_SYSCALL_MSRS, false, syscall_msrs_kept },
	{ L1_CHECK_REAL_MODE, false, real_mode },
	{ L1_CHECK_TSC_OFFSET, false, tsc_offset },
	{ L1_CHECK_TSC_SCALING, false, tsc_scaling },
	{ L1_CHECK_MSR_BITMAP, false, msr_bitmap },
	{ L1_CHECK_IO_BITMAP, false, io_bitmap },
	{ 0 },
};
