// SPDX-License-Identifier: MIT
// The AMD half: APM vol. 2 "Secure Virtual Machine". Mirrors vmx.c, function by function.
#include "hv.h"

#include "cpu.h"
#include "vmcb.h"

#define CPUID_FEATURES	0x80000001
#define CPUID_SVM	0x8000000a

/* MSR permission map: two bits per MSR (read, write); 2 KiB each for the three ranges. */
#define MSRPM_SIZE	(2 * 4096)
#define MSRPM_RANGE	2048

static uint8_t io_bitmap[IO_BITMAP_SIZE] __attribute__((aligned(4096)));
static uint8_t msr_bitmap[MSRPM_SIZE] __attribute__((aligned(4096)));

static bool tsc_is_doubled;
static uint32_t features; /* read once: CPUID in L1 is an exit to L0 */

/* This CPU's. */
struct vmcb *svm_vmcb(void)
{
	return (void *)cpu_pages[cpu_number()].control_block;
}

static bool svm_present(void)
{
	return cpuid(0x80000000, 0).eax >= CPUID_FEATURES &&
	       (cpuid(CPUID_FEATURES, 0).ecx & CPUID_80000001_ECX_SVM);
}

static enum l1_status svm_allowed(struct outcome *outcome)
{
	uint64_t vm_cr;

	if (!rdmsr_safe(MSR_VM_CR, &vm_cr))
		return outcome_say(outcome, L1_FAILED, "reading VM_CR raised %s",
				   trap_name(trap_last()->vector));
	outcome->value[L1_VALUE_GOT] = vm_cr;
	if (vm_cr & VM_CR_SVMDIS)
		return outcome_say(outcome, L1_FAILED, "VM_CR is %x: SVMDIS is set", vm_cr);
	return outcome_say(outcome, L1_PASSED, "VM_CR is %x", vm_cr);
}

static enum l1_status svm_enable(struct outcome *outcome)
{
	const uint8_t *host_save_area = cpu_pages[cpu_number()].host;

	if (!wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME))
		return outcome_say(outcome, L1_FAILED, "setting EFER.SVME raised %s",
				   trap_name(trap_last()->vector));
	if (!(rdmsr(MSR_EFER) & EFER_SVME))
		return outcome_say(outcome, L1_FAILED, "EFER.SVME did not stay set");
	if (!wrmsr_safe(MSR_VM_HSAVE_PA, (uint64_t)host_save_area))
		return outcome_say(outcome, L1_FAILED, "writing VM_HSAVE_PA raised %s",
				   trap_name(trap_last()->vector));
	features = cpuid(CPUID_SVM, 0).edx;
	return outcome_say(outcome, L1_PASSED, "EFER.SVME set, host save area at %x",
			   (uint64_t)host_save_area);
}

static enum l1_status svm_load(struct outcome *outcome)
{
	return outcome_say(outcome, L1_NOT_APPLICABLE, "SVM has no such step");
}

static bool svm_nested_paging_offered(void)
{
	return features & CPUID_8000000A_EDX_NPT;
}

static void svm_intercept(const struct l2 *l2)
{
	struct vmcb *vmcb = svm_vmcb();
	uint32_t misc1 = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_CPUID | INTERCEPT_HLT |
			 INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN;
	uint32_t misc2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL;
	uint32_t want = l2->intercepts;

	misc1 |= (want & L2_INTERCEPT_INTERRUPT_WINDOW ? INTERCEPT_VINTR : 0) |
		 (want & L2_INTERCEPT_NMI_WINDOW ? INTERCEPT_IRET : 0) |
		 (want & L2_INTERCEPT_RDTSC ? INTERCEPT_RDTSC : 0) |
		 (want & L2_INTERCEPT_PAUSE || l2->pause_filter ? INTERCEPT_PAUSE : 0);
	misc2 |= want & L2_INTERCEPT_MONITOR ? INTERCEPT_MONITOR | INTERCEPT_MWAIT : 0;
	if (want & L2_PASS_HLT)
		misc1 &= ~INTERCEPT_HLT;
	vmcb->intercept_misc1 = misc1;
	vmcb->intercept_misc2 = misc2;
	vmcb->intercept_cr_write = (want & L2_INTERCEPT_CR0_CR4 ? 1 << 0 | 1 << 4 : 0) |
				  (want & L2_INTERCEPT_CR8 ? 1 << 8 : 0);
	vmcb->intercept_dr_write = want & L2_INTERCEPT_DR ? 1 << 7 : 0;
	/* a virtual interrupt asks for the window: its own exit comes before it would get in */
	vmcb->int_ctl = V_INTR_MASKING |
		       (want & L2_INTERCEPT_INTERRUPT_WINDOW ? V_IRQ | V_IGN_TPR : 0);
}

static void svm_msr_intercept(uint32_t msr)
{
	static const uint32_t ranges[] = { 0, 0xc0000000, 0xc0010000 };
	unsigned int range = msr < ranges[1] ? 0 : msr < ranges[2] ? 1 : 2;
	uint32_t at = msr - ranges[range];

	msr_bitmap[range * MSRPM_RANGE + at / 4] = (uint8_t)(3 << at % 4 * 2);
}

static void svm_controls_set(const struct l2 *l2)
{
	struct vmcb *vmcb = svm_vmcb();

	for (unsigned int i = 0; i < sizeof(msr_bitmap); i++)
		msr_bitmap[i] = 0;
	for (unsigned int i = 0; i < sizeof(io_bitmap); i++)
		io_bitmap[i] = 0;
	svm_msr_intercept(l2->intercepted_msr);
	io_bitmap[l2->intercepted_port / 8] = (uint8_t)(1 << l2->intercepted_port % 8);

	vmcb->intercept_exceptions = l2->intercepted_exceptions;
	svm_intercept(l2);
	vmcb->pause_filter_count = l2->pause_filter;
	vmcb->iopm_base = (uint64_t)io_bitmap;
	vmcb->msrpm_base = (uint64_t)msr_bitmap;
	vmcb->tsc_offset = l2->tsc_offset;
	vmcb->asid = l2->tag ? l2->tag : 1; /* 0 is the host's: VMRUN refuses it */
	if (l2->nested_root) {
		vmcb->nested_ctl = NESTED_CTL_NP_ENABLE;
		vmcb->nested_cr3 = l2->nested_root;
		vmcb->pat = rdmsr(MSR_IA32_PAT); /* G_PAT counts under nested paging only */
	}
	/* in force from VMRUN to #VMEXIT; where there is no such MSR, nobody asks */
	if (l2->tsc_doubled != tsc_is_doubled) {
		wrmsr(MSR_TSC_RATIO, TSC_RATIO_ONE << l2->tsc_doubled);
		tsc_is_doubled = l2->tsc_doubled;
	}
}

/* FS, GS, TR and the MSRs behind them are VMLOAD's, not VMRUN's: L2 runs on L1's. */
static void svm_state_set(const struct l2 *l2)
{
	struct vmcb *vmcb = svm_vmcb();
	static const struct vmcb_segment code = { SELECTOR_CODE, 0xa9b, UINT32_MAX, 0 };
	static const struct vmcb_segment data = { SELECTOR_DATA, 0xc93, UINT32_MAX, 0 };

	vmcb->cs = code;
	vmcb->ds = vmcb->es = vmcb->ss = data;
	vmcb->gdtr = (struct vmcb_segment){ .limit = trap_gdt_limit(), .base = trap_gdt_base() };
	vmcb->idtr = (struct vmcb_segment){ .limit = l2->idt_limit, .base = l2->idt_base };
	vmcb->efer = rdmsr(MSR_EFER);
	vmcb->cr0 = cr0_read();
	vmcb->cr3 = l2->cr3 ? l2->cr3 : cr3_read();
	vmcb->cr4 = cr4_read() | l2->cr4;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	if (l2->real_mode) {
		vmcb->cs = (struct vmcb_segment){ 0, 0x9b, UINT16_MAX, l2->code_base };
		vmcb->ds = vmcb->es = vmcb->ss = (struct vmcb_segment){ 0, 0x93, UINT16_MAX, 0 };
		vmcb->efer = EFER_SVME; /* VMRUN insists */
		vmcb->cr0 = CR0_ET | CR0_NE;
		vmcb->cr4 = 0;
	}
}

static void svm_flush(const struct l2 *l2)
{
	(void)l2;
	svm_vmcb()->tlb_control = TLB_CONTROL_FLUSH_ALL; /* at the next VMRUN */
}

static void svm_flush_page(const struct l2 *l2, uint64_t address)
{
	asm volatile("invlpga %%rax, %%ecx" : : "a"(address), "c"((uint32_t)l2->tag) : "memory");
}

static enum l1_status svm_configure(struct outcome *outcome, const struct l2 *l2)
{
	struct vmcb *vmcb = svm_vmcb();

	(void)outcome; /* nothing here is optional but nested paging, which the caller asked about */
	*vmcb = (struct vmcb){ 0 };
	svm_controls_set(l2);
	svm_state_set(l2);
	if (!l2->tag_kept)
		svm_flush(l2);
	if (l2->fault == L2_BAD_CONTROL)
		vmcb->asid = 0;
	if (l2->fault == L2_BAD_STATE)
		vmcb->cr0 |= CR0_NW; /* without CD */
	return L1_PASSED;
}

/* Exits of which kind and number are all there is to say, and the length of the instruction behind
 * them, for where the CPU does not save the next RIP. */
static const struct svm_exit {
	enum l2_exit_kind kind;
	uint8_t length;
} exits[] = {
	[VMEXIT_CR_WRITE + 0] = { L2_EXIT_CR_WRITE, 3 },
	[VMEXIT_CR_WRITE + 4] = { L2_EXIT_CR_WRITE, 3 },
	[VMEXIT_CR_WRITE + 8] = { L2_EXIT_CR_WRITE, 4 }, /* with REX */
	[VMEXIT_DR_WRITE + 7] = { L2_EXIT_DR, 3 },
	[VMEXIT_INTR] = { L2_EXIT_INTERRUPT, 0 },
	[VMEXIT_NMI] = { L2_EXIT_NMI, 0 },
	[VMEXIT_VINTR] = { L2_EXIT_INTERRUPT_WINDOW, 0 },
	[VMEXIT_RDTSC] = { L2_EXIT_RDTSC, 2 },
	[VMEXIT_IRET] = { L2_EXIT_NMI_WINDOW, 0 },
	[VMEXIT_PAUSE] = { L2_EXIT_PAUSE, 2 },
	[VMEXIT_MONITOR] = { L2_EXIT_MONITOR, 3 },
	[VMEXIT_MWAIT] = { L2_EXIT_MWAIT, 3 },
	[VMEXIT_CPUID] = { L2_EXIT_CPUID, 2 },
	[VMEXIT_HLT] = { L2_EXIT_HLT, 1 },
	[VMEXIT_MSR] = { L2_EXIT_MSR_READ, 2 },
	[VMEXIT_SHUTDOWN] = { L2_EXIT_TRIPLE_FAULT, 0 },
	[VMEXIT_VMMCALL] = { L2_EXIT_HYPERCALL, 3 },
};

static void svm_exit_decode(struct l2_exit *exit)
{
	struct vmcb *vmcb = svm_vmcb();
	const struct svm_exit *known = vmcb->exit_code < sizeof(exits) / sizeof(exits[0]) ?
					       &exits[vmcb->exit_code] : &exits[0];

	*exit = (struct l2_exit){ .kind = known->kind,
				  .raw = vmcb->exit_code,
				  .info1 = vmcb->exit_info1,
				  .info2 = vmcb->exit_info2,
				  .next_rip = vmcb->rip + known->length };
	if ((features & CPUID_8000000A_EDX_NRIPS) && vmcb->next_rip)
		exit->next_rip = vmcb->next_rip;

	if ((uint32_t)vmcb->exit_code == VMEXIT_INVALID) {
		exit->kind = L2_EXIT_ENTRY_FAILED;
		return;
	}
	switch (vmcb->exit_code) {
	case VMEXIT_IOIO:
		exit->kind = L2_EXIT_PORT;
		exit->port = (uint16_t)(exit->info1 >> IOIO_PORT_SHIFT);
		exit->size = exit->info1 >> IOIO_SIZE_SHIFT & 7;
		exit->write = !(exit->info1 & IOIO_IN);
		exit->next_rip = exit->info2;
		break;
	case VMEXIT_MSR:
		if (exit->info1 & MSR_WRITE)
			exit->kind = L2_EXIT_MSR_WRITE;
		break;
	case VMEXIT_CR_WRITE ... VMEXIT_CR_WRITE + 15:
	case VMEXIT_DR_WRITE ... VMEXIT_DR_WRITE + 15:
		exit->reg = vmcb->exit_code & 0xf;
		break;
	case VMEXIT_NPF:
		exit->kind = L2_EXIT_PAGE_FAULT;
		exit->gpa = exit->info2;
		exit->write = exit->info1 & NPF_WRITE;
		exit->fetch = exit->info1 & NPF_FETCH;
		break;
	default:
		if (vmcb->exit_code - VMEXIT_EXCEPTION < VECTOR_EXCEPTIONS) {
			exit->kind = L2_EXIT_EXCEPTION;
			exit->vector = (uint32_t)(vmcb->exit_code - VMEXIT_EXCEPTION);
			if (vmcb->exit_int_info & EVENT_VALID)
				exit->interrupted = vmcb->exit_int_info & EVENT_WORDS;
		}
	}
}

/*
 * VMRUN keeps RAX, RSP and RIP in the VMCB; the rest is for L1 to load and save. RBP and RBX are
 * pushed by hand, since the compiler may need one for itself; `regs` is found again on the stack.
 */
static void svm_switch(union gprs *regs)
{
	asm volatile("push %%rbp\n"
		     "push %%rbx\n"
		     "push %%rdi\n"
		     "mov %c[rcx](%%rdi), %%rcx\n"
		     "mov %c[rdx](%%rdi), %%rdx\n"
		     "mov %c[rbx](%%rdi), %%rbx\n"
		     "mov %c[rbp](%%rdi), %%rbp\n"
		     "mov %c[rsi](%%rdi), %%rsi\n"
		     "mov %c[r8](%%rdi), %%r8\n"
		     "mov %c[r9](%%rdi), %%r9\n"
		     "mov %c[r10](%%rdi), %%r10\n"
		     "mov %c[r11](%%rdi), %%r11\n"
		     "mov %c[r12](%%rdi), %%r12\n"
		     "mov %c[r13](%%rdi), %%r13\n"
		     "mov %c[r14](%%rdi), %%r14\n"
		     "mov %c[r15](%%rdi), %%r15\n"
		     "mov %c[rdi](%%rdi), %%rdi\n"
		     "clgi\n"
		     "vmrun %%rax\n"
		     "cli\n"
		     "stgi\n"
		     "push %%rdi\n"
		     "mov 8(%%rsp), %%rdi\n"
		     "pop %c[rdi](%%rdi)\n"
		     "mov %%rcx, %c[rcx](%%rdi)\n"
		     "mov %%rdx, %c[rdx](%%rdi)\n"
		     "mov %%rbx, %c[rbx](%%rdi)\n"
		     "mov %%rbp, %c[rbp](%%rdi)\n"
		     "mov %%rsi, %c[rsi](%%rdi)\n"
		     "mov %%r8, %c[r8](%%rdi)\n"
		     "mov %%r9, %c[r9](%%rdi)\n"
		     "mov %%r10, %c[r10](%%rdi)\n"
		     "mov %%r11, %c[r11](%%rdi)\n"
		     "mov %%r12, %c[r12](%%rdi)\n"
		     "mov %%r13, %c[r13](%%rdi)\n"
		     "mov %%r14, %c[r14](%%rdi)\n"
		     "mov %%r15, %c[r15](%%rdi)\n"
		     "pop %%rdi\n"
		     "pop %%rbx\n"
		     "pop %%rbp\n"
		     : "+D"(regs)
		     : "a"(svm_vmcb()), REG(rcx), REG(rdx), REG(rbx), REG(rbp), REG(rsi), REG(rdi),
		       REG(r8), REG(r9), REG(r10), REG(r11), REG(r12), REG(r13), REG(r14), REG(r15)
		     : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		       "memory", "cc");
}

static void svm_run(struct l2 *l2, struct l2_exit *exit)
{
	struct vmcb *vmcb = svm_vmcb();

	vmcb->rax = l2->regs.rax;
	vmcb->rsp = l2->regs.rsp;
	vmcb->rip = l2->rip;
	vmcb->rflags = l2->rflags;
	if (l2->injected != NO_VECTOR) {
		vmcb->event_injection = EVENT_VALID | (uint32_t)l2->injected;
		vmcb->event_injection_error = l2->injected_error;
	}
	l2->injected = NO_VECTOR;

	/* V_INTR_MASKING: interrupts end L2 only if L1's own IF lets them; GIF keeps them from L1 */
	if (l2->intercepts & L2_INTERCEPT_INTERRUPT)
		asm volatile("clgi\nsti");
	svm_switch(&l2->regs);

	l2->regs.rax = vmcb->rax;
	l2->regs.rsp = vmcb->rsp;
	l2->rip = vmcb->rip;
	l2->rflags = vmcb->rflags;
	vmcb->tlb_control = 0;
	vmcb->event_injection = 0;
	svm_exit_decode(exit);
}

static enum l1_status svm_disable(struct outcome *outcome)
{
	wrmsr_safe(MSR_VM_HSAVE_PA, 0);
	if (!wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) & ~(uint64_t)EFER_SVME))
		return outcome_say(outcome, L1_FAILED, "clearing EFER.SVME raised %s",
				   trap_name(trap_last()->vector));
	if (rdmsr(MSR_EFER) & EFER_SVME)
		return outcome_say(outcome, L1_FAILED, "EFER.SVME did not stay clear");
	return outcome_say(outcome, L1_PASSED, "EFER.SVME cleared");
}

static const char *svm_exit_name(uint64_t raw)
{
	switch (raw) {
	case VMEXIT_INTR:
		return "interrupt";
	case VMEXIT_NMI:
		return "NMI";
	case VMEXIT_CPUID:
		return "CPUID";
	case VMEXIT_HLT:
		return "HLT";
	case VMEXIT_IOIO:
		return "I/O";
	case VMEXIT_MSR:
		return "MSR";
	case VMEXIT_SHUTDOWN:
		return "shutdown";
	case VMEXIT_VMRUN:
		return "VMRUN";
	case VMEXIT_VMMCALL:
		return "VMMCALL";
	case VMEXIT_NPF:
		return "nested page fault";
	default:
		if ((uint32_t)raw == VMEXIT_INVALID)
			return "VMRUN refused the VMCB";
		return raw - VMEXIT_EXCEPTION < VECTOR_EXCEPTIONS ?
			       trap_name((unsigned int)(raw - VMEXIT_EXCEPTION)) :
			       0;
	}
}

const struct hv svm = {
	.vendor = L1_VENDOR_SVM,
	.hypercall = "VMMCALL",
	.nested_leaf = 0, /* NPT entries are page-table entries */
	.nested_no_execute = PTE_NX,
	.nested_accessed = PTE_A,
	.nested_dirty = PTE_D,
	.present = svm_present,
	.allowed = svm_allowed,
	.enable = svm_enable,
	.load = svm_load,
	.nested_paging_offered = svm_nested_paging_offered,
	.configure = svm_configure,
	.flush = svm_flush,
	.flush_page = svm_flush_page,
	.intercept = svm_intercept,
	.run = svm_run,
	.disable = svm_disable,
	.exit_name = svm_exit_name,
};
