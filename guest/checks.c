// SPDX-License-Identifier: MIT
// What nesting must do, check by check. Vendor-neutral: svm.c and vmx.c know the hardware's words.
#include "checks.h"

#include "checking.h"
#include "cpu.h"
#include "feature.h"
#include "l2.h"
#include "nested_paging.h"

const struct hv *hv;
const struct l1_orders *orders;
struct l2 l2;
struct l2_exit last;
bool nested;
static uint64_t entries;
struct cpu_pages cpu_pages[CPUS_MAX];

/* Any MSR below 0x2000 that both vendors have will do; nothing may depend on its value. */
#define INTERCEPTED_MSR MSR_IA32_UCODE_REV

void l2_reset(const void *program, uint64_t argument)
{
	l2 = (struct l2){
		.rip = (uint64_t)program,
		/* as behind a call: 8 bytes below a multiple of 16 */
		.regs = { .rdi = argument, .rsp = (uint64_t)l2_stack + L2_STACK_SIZE - 8 },
		.rflags = RFLAGS_FIXED,
		.injected = NO_VECTOR,
		.intercepted_port = PORT_INTERCEPTED,
		.intercepted_msr = INTERCEPTED_MSR,
		.nested_root = nested ? nested_paging_root() : 0,
		.idt_base = (uint64_t)l2_idt,
		.idt_limit = sizeof(l2_idt) - 1,
	};
	l2_mailbox.vmmcall = hv->vendor == L1_VENDOR_SVM;
	l2_mailbox.key = orders->challenge[0];
	l2_mailbox.challenge = orders->challenge[1];
}
void exit_keep(struct outcome *outcome)
{
	outcome->value[L1_VALUE_EXIT] = last.raw;
	outcome->value[L1_VALUE_INFO1] = last.info1;
	outcome->value[L1_VALUE_INFO2] = last.info2;
	outcome->value[L1_VALUE_RIP] = l2.rip;
	outcome->value[L1_VALUE_INSTR_ERROR] = last.instr_error;
}

static const char *kind_name(enum l2_exit_kind kind)
{
	static const char *const names[] = {
		[L2_EXIT_OTHER] = "another",
		[L2_EXIT_ENTRY_FAILED] = "no entry",
		[L2_EXIT_CPUID] = "CPUID",
		[L2_EXIT_PORT] = "I/O",
		[L2_EXIT_MSR_READ] = "RDMSR",
		[L2_EXIT_MSR_WRITE] = "WRMSR",
		[L2_EXIT_PAGE_FAULT] = "nested page fault",
		[L2_EXIT_EXCEPTION] = "exception",
		[L2_EXIT_TRIPLE_FAULT] = "triple fault",
		[L2_EXIT_INTERRUPT] = "interrupt",
		[L2_EXIT_NMI] = "NMI",
		[L2_EXIT_HLT] = "HLT",
		[L2_EXIT_INTERRUPT_WINDOW] = "interrupt window",
		[L2_EXIT_NMI_WINDOW] = "NMI window or IRET",
		[L2_EXIT_CR_WRITE] = "MOV to CR",
		[L2_EXIT_DR] = "MOV to DR",
		[L2_EXIT_RDTSC] = "RDTSC",
		[L2_EXIT_PAUSE] = "PAUSE",
		[L2_EXIT_MONITOR] = "MONITOR",
		[L2_EXIT_MWAIT] = "MWAIT",
	};

	return kind == L2_EXIT_HYPERCALL ? hv->hypercall : names[kind];
}

bool l2_run_to(struct outcome *outcome, enum l2_exit_kind kind)
{
	const char *name;

	hv->run(&l2, &last);
	entries += last.kind != L2_EXIT_ENTRY_FAILED;
	if (last.kind == kind)
		return true;
	exit_keep(outcome);
	name = hv->exit_name(last.raw);
	if (last.refused)
		outcome_say(outcome, L1_FAILED, "L2 was not entered: %s, VM-instruction error %u",
			    last.refused, last.instr_error);
	else if (last.kind == L2_EXIT_ENTRY_FAILED)
		outcome_say(outcome, L1_FAILED, "L2 was not entered: %s, exit %x",
			    name ? name : "unknown reason", last.raw);
	else
		outcome_say(outcome, L1_FAILED, "wanted %s exit, got %s (%x, %x, %x) at %x",
			    kind_name(kind), name ? name : "another", last.raw, last.info1,
			    last.info2, l2.rip);
	return false;
}

bool l2_start_to(struct outcome *outcome, enum l2_exit_kind kind)
{
	return hv->configure(outcome, &l2) == L1_PASSED && l2_run_to(outcome, kind);
}

void l2_step_over(void)
{
	l2.rip = last.next_rip;
}

bool equal(struct outcome *outcome, const char *what, uint64_t got, uint64_t expected)
{
	if (got == expected)
		return true;
	exit_keep(outcome);
	outcome->value[L1_VALUE_EXPECTED] = expected;
	outcome->value[L1_VALUE_GOT] = got;
	outcome_say(outcome, L1_FAILED, "%s is %x, expected %x", what, got, expected);
	return false;
}

static enum l1_status check_cpu_shows_virt(struct outcome *outcome)
{
	if (svm.present())
		hv = &svm;
	else if (vmx.present())
		hv = &vmx;
	else
		return outcome_say(outcome, L1_FAILED, "CPUID shows neither VMX nor SVM");
	return outcome_say(outcome, L1_PASSED, hv == &svm ? "SVM" : "VMX");
}

static enum l1_status check_virt_allowed(struct outcome *outcome)
{
	return hv->allowed(outcome);
}

static enum l1_status check_virt_on(struct outcome *outcome)
{
	return hv->enable(outcome);
}

static enum l1_status check_vmcs_load(struct outcome *outcome)
{
	return hv->load(outcome);
}

static enum l1_status check_l2_entry(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_idle), 0);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	exit_keep(outcome);
	return outcome_say(outcome, L1_PASSED, "%s exit %x", hv->hypercall, last.raw);
}

static enum l1_status check_l2_challenge(struct outcome *outcome)
{
	l2_mailbox.answer = 0;
	l2_reset(PROGRAM(l2_challenge), orders->challenge[0]);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	exit_keep(outcome);
	/* for the VMM to judge: what came through memory, what through the register */
	outcome->value[L1_VALUE_EXPECTED] = l2_mailbox.answer;
	outcome->value[L1_VALUE_GOT] = l2.regs.rax;
	if (!equal(outcome, "L2's answer in RAX", l2.regs.rax,
		   challenge_answer(orders->challenge[0], orders->challenge[1])) ||
	    !equal(outcome, "L2's answer in memory", l2_mailbox.answer, l2.regs.rax))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "answer %x", l2.regs.rax);
}

uint64_t pattern(uint64_t round, uint64_t reg)
{
	return challenge_answer(orders->challenge[0] + round, orders->challenge[1] + reg);
}

static enum l1_status check_l2_resume(struct outcome *outcome)
{
	static const char *const names[] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
					     "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15" };
	const unsigned int count = sizeof(names) / sizeof(names[0]);
	uint64_t *reg = l2.regs.all;
	uint64_t round = 0;

	l2_reset(hv->vendor == L1_VENDOR_SVM ? PROGRAM(l2_invert_vmmcall) : PROGRAM(l2_invert_vmcall), 0);
	if (hv->configure(outcome, &l2) != L1_PASSED)
		return L1_FAILED;
	do {
		for (unsigned int i = 0; i < count; i++)
			reg[i] = pattern(round, i);
		if (!l2_run_to(outcome, L2_EXIT_HYPERCALL))
			return L1_FAILED;
		for (unsigned int i = 0; i < count; i++)
			if (!equal(outcome, names[i], reg[i], ~pattern(round, i)))
				return L1_FAILED;
		l2_step_over();
	} while (++round <= orders->resume_rounds);
	outcome->value[L1_VALUE_GOT] = round - 1;
	return outcome_say(outcome, L1_PASSED, "%u times, 16 registers each", round - 1);
}

static enum l1_status check_l2_cpuid(struct outcome *outcome)
{
	const uint32_t leaf = 0x40000000; /* the hypervisor's own: L1 is L2's hypervisor */

	l2_reset(PROGRAM(l2_cpuid), leaf);
	if (!l2_start_to(outcome, L2_EXIT_CPUID) ||
	    !equal(outcome, "CPUID leaf in RAX", (uint32_t)l2.regs.rax, leaf))
		return L1_FAILED;
	l2.regs.rax = (uint32_t)pattern(0, 100);
	l2.regs.rbx = (uint32_t)pattern(0, 101);
	l2.regs.rcx = (uint32_t)pattern(0, 102);
	l2.regs.rdx = (uint32_t)pattern(0, 103);
	l2_step_over();
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	for (unsigned int i = 0; i < 4; i++)
		if (!equal(outcome, "what L2 saw of CPUID", l2_mailbox.result[i],
			   (uint32_t)pattern(0, 100 + i)))
			return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 saw L1's values");
}

static bool port_exit(struct outcome *outcome, bool write)
{
	return equal(outcome, "port", last.port, PORT_INTERCEPTED) &&
	       equal(outcome, "size", last.size, 4) &&
	       equal(outcome, "direction (1 = OUT)", last.write, write);
}

static enum l1_status check_l2_port(struct outcome *outcome)
{
	uint32_t answer = (uint32_t)pattern(0, 200);

	l2_reset(PROGRAM(l2_port), orders->challenge[0]);
	if (!l2_start_to(outcome, L2_EXIT_PORT) || !port_exit(outcome, true) ||
	    !equal(outcome, "value written", (uint32_t)l2.regs.rax, (uint32_t)orders->challenge[0]))
		return L1_FAILED;
	l2_step_over();
	if (!l2_run_to(outcome, L2_EXIT_PORT) || !port_exit(outcome, false))
		return L1_FAILED;
	l2.regs.rax = answer;
	l2_step_over();
	/* between these two exits L2 uses PORT_WITNESS, which is none of L1's business */
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "value L2 read", l2_mailbox.result[0], answer))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "port %x exits to L1, port %x does not",
			   (uint64_t)PORT_INTERCEPTED, (uint64_t)PORT_WITNESS);
}

static enum l1_status check_l2_msr(struct outcome *outcome)
{
	uint64_t passed_through = pattern(0, 300) & 0x7fffffffffff; /* canonical */
	uint64_t answer = pattern(0, 301);

	wrmsr(MSR_KERNEL_GS_BASE, passed_through);
	l2_reset(PROGRAM(l2_msr), INTERCEPTED_MSR);
	if (!l2_start_to(outcome, L2_EXIT_MSR_READ) ||
	    !equal(outcome, "MSR number in RCX", (uint32_t)l2.regs.rcx, INTERCEPTED_MSR))
		return L1_FAILED;
	l2.regs.rax = (uint32_t)answer;
	l2.regs.rdx = answer >> 32;
	l2_step_over();
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "the intercepted MSR", l2_mailbox.result[0], answer) ||
	    !equal(outcome, "the MSR passed through", l2_mailbox.result[1], passed_through))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "MSR %x exits to L1, MSR %x does not",
			   (uint64_t)INTERCEPTED_MSR, (uint64_t)MSR_KERNEL_GS_BASE);
}

static enum l1_status check_nested_paging(struct outcome *outcome)
{
	volatile uint64_t *frame = nested_paging_frame();

	if (!hv->nested_paging_offered())
		return outcome_say(outcome, L1_NOT_OFFERED, "the CPU that L1 sees has no %s",
				   hv->vendor == L1_VENDOR_SVM ? "NPT" : "EPT");
	nested_paging_init(hv->nested_leaf);
	l2_reset(PROGRAM(l2_window), 0);
	l2.nested_root = nested_paging_root();
	if (!l2_start_to(outcome, L2_EXIT_PAGE_FAULT) ||
	    !equal(outcome, "faulting address", last.gpa, NESTED_WINDOW) ||
	    !equal(outcome, "cause (1 = write)", last.write, true))
		return L1_FAILED;
	nested_paging_map(NESTED_WINDOW, hv->nested_leaf);
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "what L2 read back", l2_mailbox.result[0], NESTED_MAGIC) ||
	    !equal(outcome, "L1's frame behind it", *frame, NESTED_MAGIC))
		return L1_FAILED;
	nested = true;
	return outcome_say(outcome, L1_PASSED, "fault at %x, mapped, went on", NESTED_WINDOW);
}

static enum l1_status check_l2_interrupt(struct outcome *outcome)
{
	l2_interrupts = 0;
	l2_reset(PROGRAM(l2_idle), 0);
	l2.rflags |= RFLAGS_IF;
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	l2_step_over();
	l2.injected = L2_INTERRUPT_VECTOR;
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "interrupts that L2 counted", l2_interrupts, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "vector %x", (uint64_t)L2_INTERRUPT_VECTOR);
}

static enum l1_status check_l2_exception(struct outcome *outcome)
{
	l2_divide_errors = 0;
	l2_reset(PROGRAM(l2_exceptions), 0);
	l2.intercepted_exceptions = 1U << VECTOR_UD;
	if (!l2_start_to(outcome, L2_EXIT_EXCEPTION) ||
	    !equal(outcome, "vector", last.vector, VECTOR_UD))
		return L1_FAILED;
	l2.rip += 2; /* over the UD2 */
	if (!l2_run_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "divide errors that L2 counted", l2_divide_errors, 1))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "#UD exits to L1, #DE reaches L2's handler");
}

static enum l1_status check_l2_triple_fault(struct outcome *outcome)
{
	l2_reset(PROGRAM(l2_undefined), 0);
	l2.idt_limit = 0; /* no handler for #UD, nor for what that leads to */
	if (!l2_start_to(outcome, L2_EXIT_TRIPLE_FAULT))
		return L1_FAILED;
	l2_reset(PROGRAM(l2_idle), 0);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 died alone; a fresh L2 ran after it");
}

static enum l1_status check_virt_off(struct outcome *outcome)
{
	return hv->disable(outcome);
}

static const struct check checks[] = {
	{ L1_CHECK_CPU_SHOWS_VIRT, true, check_cpu_shows_virt },
	{ L1_CHECK_VIRT_ALLOWED, true, check_virt_allowed },
	{ L1_CHECK_VIRT_ON, true, check_virt_on },
	{ L1_CHECK_VMCS_LOAD, true, check_vmcs_load },
	{ L1_CHECK_L2_ENTRY, true, check_l2_entry },
	{ L1_CHECK_L2_CHALLENGE, false, check_l2_challenge },
	{ L1_CHECK_L2_RESUME, false, check_l2_resume },
	{ L1_CHECK_L2_CPUID, false, check_l2_cpuid },
	{ L1_CHECK_L2_PORT, false, check_l2_port },
	{ L1_CHECK_L2_MSR, false, check_l2_msr },
	{ L1_CHECK_NESTED_PAGING, false, check_nested_paging },
	{ L1_CHECK_L2_INTERRUPT, false, check_l2_interrupt },
	{ L1_CHECK_L2_EXCEPTION, false, check_l2_exception },
	{ L1_CHECK_L2_TRIPLE_FAULT, false, check_l2_triple_fault },
	{ L1_CHECK_VIRT_OFF, false, check_virt_off },
};

unsigned int checks_run(const struct l1_orders *given)
{
	unsigned int failures = 0;

	orders = given;
	l2_idt_init();
	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct outcome outcome = { 0 };
		enum l1_status status;

		if (checks[i].id == L1_CHECK_VIRT_OFF && (orders->features || orders->cpus > 1) &&
		    !failures)
			features_run();
		account_begin(checks[i].id, hv ? hv->vendor : L1_VENDOR_NONE);
		status = checks[i].run(&outcome);
		account_end(checks[i].id, status, &outcome);
		failures += status == L1_FAILED;
		if (status == L1_FAILED && checks[i].needed)
			break;
	}
	return failures;
}

uint64_t checks_entries(void)
{
	return entries;
}
