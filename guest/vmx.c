// SPDX-License-Identifier: MIT
// The Intel half: SDM vol. 3 "Virtual Machine Extensions". Mirrors svm.c, function by function.
#include "hv.h"

#include "cpu.h"
#include "vmcs.h"

/* MSR bitmap: a bit per MSR. A KiB each: reads of 0 to 0x1fff, of 0xc0000000 on, writes likewise. */
#define MSR_BITMAP_SIZE 4096
#define MSR_BITMAP_HIGH 1024
#define MSR_BITMAP_WRITE 2048

static uint8_t io_bitmap[IO_BITMAP_SIZE] __attribute__((aligned(4096)));
static uint8_t msr_bitmap[MSR_BITMAP_SIZE] __attribute__((aligned(4096)));
static bool launched[CPUS_MAX];
static uint64_t refused_field; /* the first field that a VMWRITE failed for, 0 = none */

static uint8_t *vmxon_region(void)
{
	return cpu_pages[cpu_number()].host;
}

static uint8_t *vmcs_region(void)
{
	return cpu_pages[cpu_number()].control_block;
}

/* How a VMX instruction ended (SDM vol. 3 "VMX Instruction Reference: Conventions"). */
enum vmx_result { VMX_SUCCEED, VMX_FAIL_INVALID, VMX_FAIL_VALID, VMX_FAULT };

uint64_t vmread(enum vmcs_field field)
{
	uint64_t value = 0;

	asm volatile("vmread %1, %0" : "+rm"(value) : "r"((uint64_t)field) : "cc", "memory");
	return value;
}

void vmwrite(enum vmcs_field field, uint64_t value)
{
	bool failed;

	asm volatile("vmwrite %1, %2\nsetna %0"
		     : "=q"(failed) : "rm"(value), "r"((uint64_t)field) : "cc", "memory");
	if (failed && !refused_field)
		refused_field = field;
}

static enum vmx_result vmx_result(uint64_t rflags)
{
	if (trap_last()->taken)
		return VMX_FAULT;
	if (rflags & RFLAGS_CF)
		return VMX_FAIL_INVALID;
	return rflags & RFLAGS_ZF ? VMX_FAIL_VALID : VMX_SUCCEED;
}

/* VMXON, VMCLEAR, VMPTRLD: one operand, the region's address in memory. */
#define VMX_POINTER_INSTRUCTION(name)							\
	static enum vmx_result name(const uint64_t *region)				\
	{										\
		uint64_t rflags = 0;							\
		trap_forget();								\
		asm volatile("1: " #name " %1\npushf\npop %0\n2:\n" FIXUP("1b", "2b")	\
			     : "+r"(rflags) : "m"(*region) : "cc", "memory");		\
		return vmx_result(rflags);						\
	}
VMX_POINTER_INSTRUCTION(vmxon)
VMX_POINTER_INSTRUCTION(vmclear)
VMX_POINTER_INSTRUCTION(vmptrld)

static enum l1_status vmx_say(struct outcome *outcome, const char *instruction,
			      enum vmx_result result)
{
	switch (result) {
	case VMX_SUCCEED:
		return L1_PASSED;
	case VMX_FAIL_INVALID:
		return outcome_say(outcome, L1_FAILED, "%s: VMfailInvalid", instruction);
	case VMX_FAIL_VALID:
		outcome->value[L1_VALUE_INSTR_ERROR] = vmread(VMCS_INSTRUCTION_ERROR);
		return outcome_say(outcome, L1_FAILED, "%s: VMfailValid, VM-instruction error %u",
				   instruction, outcome->value[L1_VALUE_INSTR_ERROR]);
	case VMX_FAULT:
		break;
	}
	return outcome_say(outcome, L1_FAILED, "%s raised %s", instruction,
			   trap_name(trap_last()->vector));
}

static bool vmx_present(void)
{
	return cpuid(1, 0).ecx & CPUID_1_ECX_VMX;
}

static enum l1_status vmx_allowed(struct outcome *outcome)
{
	const uint64_t need = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON;
	uint64_t control;

	if (!rdmsr_safe(MSR_IA32_FEATURE_CONTROL, &control))
		return outcome_say(outcome, L1_FAILED, "reading IA32_FEATURE_CONTROL raised %s",
				   trap_name(trap_last()->vector));
	outcome->value[L1_VALUE_EXPECTED] = need;
	outcome->value[L1_VALUE_GOT] = control;
	return outcome_say(outcome, (control & need) == need ? L1_PASSED : L1_FAILED,
			   "IA32_FEATURE_CONTROL is %x%s", control,
			   (control & need) == need ? "" : ", VMXON needs bits 0 and 2");
}

static void vmx_region_init(uint8_t *region)
{
	/* the revision identifier, bits 30:0 of IA32_VMX_BASIC, starts each region */
	*(uint32_t *)(void *)region = (uint32_t)rdmsr(MSR_IA32_VMX_BASIC) & 0x7fffffff;
}

static enum l1_status vmx_enable(struct outcome *outcome)
{
	uint64_t region = (uint64_t)vmxon_region();
	enum l1_status status;

	cr0_write((cr0_read() | rdmsr(MSR_IA32_VMX_CR0_FIXED0)) & rdmsr(MSR_IA32_VMX_CR0_FIXED1));
	if (!cr4_write_safe((cr4_read() | CR4_VMXE | rdmsr(MSR_IA32_VMX_CR4_FIXED0)) &
			    rdmsr(MSR_IA32_VMX_CR4_FIXED1)))
		return outcome_say(outcome, L1_FAILED, "setting CR4.VMXE raised %s",
				   trap_name(trap_last()->vector));
	vmx_region_init(vmxon_region());
	status = vmx_say(outcome, "VMXON", vmxon(&region));
	return status == L1_PASSED ?
		       outcome_say(outcome, L1_PASSED, "VMXON with the region at %x", region) :
		       status;
}

static enum l1_status vmx_load(struct outcome *outcome)
{
	uint64_t region = (uint64_t)vmcs_region();
	enum l1_status status;

	vmx_region_init(vmcs_region());
	status = vmx_say(outcome, "VMCLEAR", vmclear(&region));
	if (status == L1_PASSED)
		status = vmx_say(outcome, "VMPTRLD", vmptrld(&region));
	launched[cpu_number()] = false;
	return status == L1_PASSED ?
		       outcome_say(outcome, L1_PASSED, "the VMCS at %x is current", region) :
		       status;
}

/* Low half of a capability MSR: bits that must be one; high half: bits that may be. */
static bool vmx_may(uint64_t capability, uint32_t bits)
{
	return ((capability >> 32) & bits) == bits;
}

/* The MSR to believe for `plain`: its TRUE twin where IA32_VMX_BASIC bit 55 says there is one. */
static uint64_t vmx_capability(uint32_t plain, uint32_t twin)
{
	return rdmsr(rdmsr(MSR_IA32_VMX_BASIC) >> 55 & 1 ? twin : plain);
}

static bool vmx_nested_paging_offered(void)
{
	const uint32_t need = EPT_CAP_WALK_4 | EPT_CAP_WB;
	uint64_t procbased = vmx_capability(MSR_IA32_VMX_PROCBASED_CTLS,
					    MSR_IA32_VMX_TRUE_PROCBASED_CTLS);

	return vmx_may(procbased, PROCBASED_SECONDARY) &&
	       vmx_may(rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2), VMX_PROCBASED_CTLS2_EPT) &&
	       (rdmsr(MSR_IA32_VMX_EPT_VPID_CAP) & need) == need;
}

/* Writes a control field: `want` and whatever must be one. */
static enum l1_status vmx_control_set(struct outcome *outcome, enum vmcs_field field,
				      uint64_t capability, uint32_t want, const char *name)
{
	if (!vmx_may(capability, want))
		return outcome_say(outcome, L1_FAILED,
				   "the CPU lacks a control L2 needs: %s %x, allowed %x", name,
				   (uint64_t)want, capability >> 32);
	vmwrite(field, want | (uint32_t)capability);
	return L1_PASSED;
}

static uint32_t vmx_pinbased(const struct l2 *l2)
{
	return (l2->intercepts & L2_INTERCEPT_INTERRUPT ? PINBASED_EXTERNAL_INTERRUPT : 0) |
	       (l2->intercepts & L2_INTERCEPT_NMI ? PINBASED_NMI : 0) |
	       (l2->intercepts & L2_INTERCEPT_NMI_WINDOW ? PINBASED_NMI | PINBASED_VIRTUAL_NMIS : 0);
}

static uint32_t vmx_secondary(const struct l2 *l2)
{
	return (l2->nested_root ? VMX_PROCBASED_CTLS2_EPT : 0) |
	       (l2->real_mode ? PROCBASED2_UNRESTRICTED_GUEST : 0) |
	       (l2->tsc_doubled ? PROCBASED2_TSC_SCALING : 0) |
	       (l2->pause_filter ? PROCBASED2_PAUSE_LOOP : 0) |
	       (l2->tag ? PROCBASED2_VPID : 0);
}

static uint32_t vmx_intercepted(uint32_t want)
{
	return (want & L2_PASS_HLT ? 0 : PROCBASED_HLT_EXITING) |
	       (want & L2_INTERCEPT_INTERRUPT_WINDOW ? PROCBASED_INTERRUPT_WINDOW : 0) |
	       (want & L2_INTERCEPT_NMI_WINDOW ? PROCBASED_NMI_WINDOW : 0) |
	       (want & L2_INTERCEPT_CR8 ? PROCBASED_CR8_LOAD_EXITING : 0) |
	       (want & L2_INTERCEPT_DR ? PROCBASED_MOV_DR_EXITING : 0) |
	       (want & L2_INTERCEPT_RDTSC ? PROCBASED_RDTSC_EXITING : 0) |
	       (want & L2_INTERCEPT_PAUSE ? PROCBASED_PAUSE_EXITING : 0) |
	       (want & L2_INTERCEPT_MONITOR ? PROCBASED_MONITOR_EXITING | PROCBASED_MWAIT_EXITING : 0);
}

static uint32_t vmx_procbased(const struct l2 *l2)
{
	return vmx_intercepted(l2->intercepts) | PROCBASED_USE_IO_BITMAPS |
	       PROCBASED_USE_MSR_BITMAPS |
	       (l2->tsc_offset || l2->tsc_doubled ? PROCBASED_TSC_OFFSETTING : 0) |
	       (vmx_secondary(l2) ? PROCBASED_SECONDARY : 0);
}

static enum l1_status vmx_controls_set(struct outcome *outcome, const struct l2 *l2)
{
	const struct {
		enum vmcs_field field;
		uint32_t plain, twin, want;
		const char *name;
	} controls[] = {
		{ VMCS_PINBASED_CTLS, MSR_IA32_VMX_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		  vmx_pinbased(l2), "pin-based" },
		{ VMCS_PROCBASED_CTLS, MSR_IA32_VMX_PROCBASED_CTLS,
		  MSR_IA32_VMX_TRUE_PROCBASED_CTLS, vmx_procbased(l2), "processor-based" },
		{ VMCS_EXIT_CTLS, MSR_IA32_VMX_EXIT_CTLS, MSR_IA32_VMX_TRUE_EXIT_CTLS,
		  EXIT_HOST_ADDRESS_SPACE_SIZE, "VM-exit" },
		{ VMCS_ENTRY_CTLS, MSR_IA32_VMX_ENTRY_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS,
		  l2->real_mode ? 0 : ENTRY_IA32E_MODE_GUEST, "VM-entry" },
	};

	for (unsigned int i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		uint64_t capability = vmx_capability(controls[i].plain, controls[i].twin);

		if (vmx_control_set(outcome, controls[i].field, capability, controls[i].want,
				    controls[i].name) != L1_PASSED)
			return L1_FAILED;
	}
	if (!vmx_secondary(l2))
		return L1_PASSED;
	if (l2->nested_root)
		vmwrite(VMCS_EPT_POINTER, l2->nested_root | EPT_MEMORY_TYPE_WB | EPTP_WALK_4_LEVELS |
						  (l2->nested_accessed_dirty ? EPTP_ACCESSED_DIRTY : 0));
	if (l2->tag)
		vmwrite(VMCS_VPID, l2->tag);
	if (l2->pause_filter) {
		vmwrite(VMCS_PLE_GAP, UINT32_MAX);	/* however slow the loop */
		vmwrite(VMCS_PLE_WINDOW, l2->pause_filter);
	}
	if (l2->tsc_doubled)
		vmwrite(VMCS_TSC_MULTIPLIER, 2 * TSC_MULTIPLIER_ONE);
	return vmx_control_set(outcome, VMCS_PROCBASED_CTLS2, rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2),
			       vmx_secondary(l2), "secondary");
}

/* The controls that were set but for those, which L1's CPU has as it took them before. */
static void vmx_intercept(const struct l2 *l2)
{
	uint64_t owned = l2->intercepts & L2_INTERCEPT_CR0_CR4 ? UINT64_MAX : 0;
	uint32_t all = vmx_intercepted(~(uint32_t)L2_PASS_HLT) | PROCBASED_MONITOR_TRAP_FLAG;

	vmwrite(VMCS_PROCBASED_CTLS,
		(vmread(VMCS_PROCBASED_CTLS) & ~(uint64_t)all) |
			(uint32_t)vmx_capability(MSR_IA32_VMX_PROCBASED_CTLS,
						 MSR_IA32_VMX_TRUE_PROCBASED_CTLS) |
			vmx_intercepted(l2->intercepts));
	vmwrite(VMCS_CR0_MASK, owned);
	vmwrite(VMCS_CR4_MASK, owned);
}

static void vmx_msr_intercept(uint32_t msr)
{
	unsigned int at = (msr & 0x1fff) / 8 + (msr >= 0xc0000000 ? MSR_BITMAP_HIGH : 0);

	msr_bitmap[at] = msr_bitmap[at + MSR_BITMAP_WRITE] = (uint8_t)(1 << msr % 8);
}

static void vmx_bitmaps_set(const struct l2 *l2)
{
	for (unsigned int i = 0; i < sizeof(msr_bitmap); i++)
		msr_bitmap[i] = 0;
	for (unsigned int i = 0; i < sizeof(io_bitmap); i++)
		io_bitmap[i] = 0;
	vmx_msr_intercept(l2->intercepted_msr);
	io_bitmap[l2->intercepted_port / 8] = (uint8_t)(1 << l2->intercepted_port % 8);
	vmwrite(VMCS_MSR_BITMAP, (uint64_t)msr_bitmap);
	vmwrite(VMCS_IO_BITMAP_A, (uint64_t)io_bitmap);
	vmwrite(VMCS_IO_BITMAP_B, (uint64_t)io_bitmap + 4096);
}

static void vmx_host_state_set(void)
{
	for (unsigned int i = SEGMENT_ES; i <= SEGMENT_GS; i++)
		vmwrite(VMCS_HOST_ES_SELECTOR + 2 * i,
			i == SEGMENT_CS ? SELECTOR_CODE : i == SEGMENT_SS ? SELECTOR_DATA : 0);
	vmwrite(VMCS_HOST_ES_SELECTOR + 2 * SEGMENT_LDTR, SELECTOR_TSS); /* TR follows GS here */
	vmwrite(VMCS_HOST_CR0, cr0_read());
	vmwrite(VMCS_HOST_CR3, cr3_read());
	vmwrite(VMCS_HOST_CR4, cr4_read());
	vmwrite(VMCS_HOST_FS_BASE, rdmsr(MSR_FS_BASE));
	vmwrite(VMCS_HOST_GS_BASE, rdmsr(MSR_GS_BASE));
	vmwrite(VMCS_HOST_TR_BASE, trap_tss_base());
	vmwrite(VMCS_HOST_GDTR_BASE, trap_gdt_base());
	vmwrite(VMCS_HOST_IDTR_BASE, trap_idt_base());
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
}

static void vmx_segment_set(enum vmcs_segment segment, uint16_t selector, uint32_t access,
			    uint32_t limit, uint64_t base)
{
	vmwrite(VMCS_GUEST_ES_SELECTOR + 2 * segment, selector);
	vmwrite(VMCS_GUEST_ES_ACCESS + 2 * segment, access);
	vmwrite(VMCS_GUEST_ES_LIMIT + 2 * segment, limit);
	vmwrite(VMCS_GUEST_ES_BASE + 2 * segment, base);
}

/* As at the reset of a CPU, but for the bits that VMX fixes (SDM vol. 3 "Unrestricted Guests"). */
static void vmx_real_mode_set(uint32_t code_base)
{
	for (unsigned int i = SEGMENT_ES; i <= SEGMENT_GS; i++)
		vmx_segment_set(i, 0, 0x93, UINT16_MAX, 0);
	vmx_segment_set(SEGMENT_CS, (uint16_t)(code_base >> 4), 0x9b, UINT16_MAX, code_base);
	vmwrite(VMCS_GUEST_CR0, cr0_read() & ~(uint64_t)(CR0_PE | CR0_PG | CR0_WP));
	vmwrite(VMCS_GUEST_CR4, cr4_read() & ~(uint64_t)CR4_PAE);
}

static void vmx_state_set(const struct l2 *l2)
{
	for (unsigned int i = SEGMENT_ES; i <= SEGMENT_GS; i++)
		vmx_segment_set(i, SELECTOR_DATA, 0xc093, UINT32_MAX, 0);
	vmx_segment_set(SEGMENT_CS, SELECTOR_CODE, 0xa09b, UINT32_MAX, 0);
	vmx_segment_set(SEGMENT_LDTR, 0, SEGMENT_UNUSABLE, 0, 0);
	vmx_segment_set(SEGMENT_TR, SELECTOR_TSS, 0x008b, TSS_LIMIT, trap_tss_base());
	vmwrite(VMCS_GUEST_GDTR_BASE, trap_gdt_base());
	vmwrite(VMCS_GUEST_GDTR_LIMIT, trap_gdt_limit());
	vmwrite(VMCS_GUEST_IDTR_BASE, l2->idt_base);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, l2->idt_limit);
	vmwrite(VMCS_GUEST_CR0, cr0_read());
	vmwrite(VMCS_GUEST_CR3, l2->cr3 ? l2->cr3 : cr3_read());
	vmwrite(VMCS_GUEST_CR4, cr4_read() | l2->cr4);
	vmwrite(VMCS_GUEST_DR7, DR7_RESET);
	vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
	if (l2->real_mode)
		vmx_real_mode_set(l2->code_base);
}

/* INVEPT and INVVPID: a type, and a descriptor of 16 bytes. KVM offers them wherever it offers EPT
 * and VPID; where they are not, they fail, and nothing depends on them. */
static void vmx_flush(const struct l2 *l2)
{
	const struct {
		uint64_t what, address;
	} all = { 0, 0 }, tag = { l2->tag, 0 };

	if (l2->nested_root && !l2->tag_kept)
		asm volatile("1: invept %0, %1\n2:\n" FIXUP("1b", "2b")
			     : : "m"(all), "r"((uint64_t)INVEPT_GLOBAL) : "cc", "memory");
	if (l2->tag && !l2->tag_kept)
		asm volatile("1: invvpid %0, %1\n2:\n" FIXUP("1b", "2b")
			     : : "m"(tag), "r"((uint64_t)INVVPID_SINGLE_CONTEXT) : "cc", "memory");
}

static void vmx_flush_page(const struct l2 *l2, uint64_t address)
{
	const struct {
		uint64_t what, address;
	} page = { l2->tag, address };

	asm volatile("1: invvpid %0, %1\n2:\n" FIXUP("1b", "2b")
		     : : "m"(page), "r"((uint64_t)INVVPID_INDIVIDUAL_ADDRESS) : "cc", "memory");
}

static enum l1_status vmx_configure(struct outcome *outcome, const struct l2 *l2)
{
	static const enum vmcs_field zero[] = {
		VMCS_PAGE_FAULT_MASK, VMCS_PAGE_FAULT_MATCH, VMCS_CR3_TARGET_COUNT,
		VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_COUNT,
		VMCS_ENTRY_INTERRUPTION, VMCS_GUEST_DEBUGCTL,
		VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_ACTIVITY, VMCS_GUEST_PENDING_DEBUG,
		VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_EIP,
	};

	if (vmx_controls_set(outcome, l2) != L1_PASSED)
		return L1_FAILED;
	for (unsigned int i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		vmwrite(zero[i], 0);
	vmwrite(VMCS_CR0_MASK, l2->intercepts & L2_INTERCEPT_CR0_CR4 ? UINT64_MAX : 0);
	vmwrite(VMCS_CR4_MASK, l2->intercepts & L2_INTERCEPT_CR0_CR4 ? UINT64_MAX : 0);
	vmwrite(VMCS_EXCEPTION_BITMAP, l2->intercepted_exceptions);
	if (l2->tsc_offset || l2->tsc_doubled)
		vmwrite(VMCS_TSC_OFFSET, l2->tsc_offset);
	vmx_bitmaps_set(l2);
	vmx_host_state_set();
	vmx_state_set(l2);
	vmwrite(VMCS_CR0_SHADOW, cr0_read());
	vmwrite(VMCS_CR4_SHADOW, cr4_read());
	if (l2->fault == L2_BAD_CONTROL)
		vmwrite(VMCS_CR3_TARGET_COUNT, UINT32_MAX);
	if (l2->fault == L2_BAD_STATE)
		vmwrite(VMCS_GUEST_CR4, cr4_read() & ~(uint64_t)CR4_VMXE);
	vmx_flush(l2);
	return refused_field ? outcome_say(outcome, L1_FAILED, "VMWRITE of field %x failed",
					   refused_field) :
			       L1_PASSED;
}

static const enum l2_exit_kind exit_kinds[] = {
	[EXIT_REASON_EXCEPTION_NMI] = L2_EXIT_EXCEPTION,
	[EXIT_REASON_EXTERNAL_INTERRUPT] = L2_EXIT_INTERRUPT,
	[EXIT_REASON_TRIPLE_FAULT] = L2_EXIT_TRIPLE_FAULT,
	[EXIT_REASON_INTERRUPT_WINDOW] = L2_EXIT_INTERRUPT_WINDOW,
	[EXIT_REASON_NMI_WINDOW] = L2_EXIT_NMI_WINDOW,
	[EXIT_REASON_CPUID] = L2_EXIT_CPUID,
	[EXIT_REASON_HLT] = L2_EXIT_HLT,
	[EXIT_REASON_RDTSC] = L2_EXIT_RDTSC,
	[EXIT_REASON_CR_ACCESS] = L2_EXIT_CR_WRITE,
	[EXIT_REASON_DR_ACCESS] = L2_EXIT_DR,
	[EXIT_REASON_MWAIT] = L2_EXIT_MWAIT,
	[EXIT_REASON_MONITOR] = L2_EXIT_MONITOR,
	[EXIT_REASON_PAUSE] = L2_EXIT_PAUSE,
	[EXIT_REASON_VMCALL] = L2_EXIT_HYPERCALL,
	[EXIT_REASON_IO] = L2_EXIT_PORT,
	[EXIT_REASON_RDMSR] = L2_EXIT_MSR_READ,
	[EXIT_REASON_WRMSR] = L2_EXIT_MSR_WRITE,
	[EXIT_REASON_EPT_VIOLATION] = L2_EXIT_PAGE_FAULT,
};

static void vmx_exception_decode(struct l2_exit *exit)
{
	uint32_t event = (uint32_t)vmread(VMCS_EXIT_INTERRUPTION);

	exit->info1 = event;
	exit->vector = event & 0xff;
	event = (uint32_t)vmread(VMCS_IDT_VECTORING);
	exit->interrupted = event & EVENT_VALID ? event & EVENT_WORDS : 0;
	event = (uint32_t)exit->info1;
	if ((event & EVENT_WORDS & ~EVENT_ERROR_CODE) == EVENT(NMI, VECTOR_NMI))
		exit->kind = L2_EXIT_NMI;
}

/* Fills in what an exit of its kind comes with; VMREADs cost an exit each, so no more than that. */
static void vmx_exit_details(struct l2_exit *exit)
{
	switch (exit->kind) {
	case L2_EXIT_PORT:
		exit->info1 = vmread(VMCS_EXIT_QUALIFICATION);
		exit->port = (uint16_t)(exit->info1 >> QUALIFICATION_IO_PORT_SHIFT);
		exit->size = (exit->info1 & QUALIFICATION_IO_SIZE) + 1;
		exit->write = !(exit->info1 & QUALIFICATION_IO_IN);
		break;
	case L2_EXIT_PAGE_FAULT:
		exit->info1 = vmread(VMCS_EXIT_QUALIFICATION);
		exit->info2 = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
		exit->gpa = exit->info2;
		exit->write = exit->info1 & QUALIFICATION_EPT_WRITE;
		exit->fetch = exit->info1 & QUALIFICATION_EPT_FETCH;
		break;
	case L2_EXIT_CR_WRITE:
	case L2_EXIT_DR:
		exit->info1 = vmread(VMCS_EXIT_QUALIFICATION);
		exit->reg = exit->info1 & (exit->kind == L2_EXIT_DR ? 7 : 0xf);
		break;
	case L2_EXIT_EXCEPTION:
		vmx_exception_decode(exit);
		break;
	case L2_EXIT_OTHER:
		exit->info1 = vmread(VMCS_EXIT_QUALIFICATION);
		break;
	default:
		break;
	}
}

static void vmx_exit_decode(struct l2_exit *exit, uint64_t rip, enum vmx_result result)
{
	uint64_t basic;

	*exit = (struct l2_exit){ .kind = L2_EXIT_ENTRY_FAILED };
	if (result != VMX_SUCCEED) {
		/* there was no exit, so no reason for one: the instruction says what it can */
		exit->refused = result == VMX_FAULT ? trap_name(trap_last()->vector) :
				result == VMX_FAIL_INVALID ? "VMfailInvalid" : "VMfailValid";
		if (result == VMX_FAIL_VALID)
			exit->instr_error = vmread(VMCS_INSTRUCTION_ERROR);
		return;
	}
	exit->raw = vmread(VMCS_EXIT_REASON);
	exit->next_rip = rip + vmread(VMCS_EXIT_INSTRUCTION_LENGTH);
	if (exit->raw & EXIT_REASON_ENTRY_FAILED) {
		exit->info1 = vmread(VMCS_EXIT_QUALIFICATION);
		return;
	}
	basic = exit->raw & EXIT_REASON_BASIC;
	exit->kind = basic < sizeof(exit_kinds) / sizeof(exit_kinds[0]) ? exit_kinds[basic] :
									   L2_EXIT_OTHER;
	launched[cpu_number()] = true;
	vmx_exit_details(exit);
}

/*
 * VMLAUNCH or VMRESUME. RSP and RIP are the VMCS's; the rest is for L1 to load and save. RBP and
 * RBX are pushed by hand, since the compiler may need one for itself; `regs` is found again on
 * the stack. Returns RFLAGS after an instruction that failed, 0 after an exit.
 */
static uint64_t vmx_switch(union gprs *regs, bool resume)
{
	uint64_t rflags = resume, rsp_field = VMCS_HOST_RSP, rip_field = VMCS_HOST_RIP;

	trap_forget();
	asm volatile("push %%rbp\n"
		     "push %%rbx\n"
		     "push %%rdi\n"
		     "vmwrite %%rsp, %%rdx\n"
		     "lea 3f(%%rip), %%rdx\n"
		     "vmwrite %%rdx, %%rcx\n"
		     "test %%eax, %%eax\n"
		     "mov %c[rax](%%rdi), %%rax\n"
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
		     "jne 1f\n"
		     "4: vmlaunch\n"
		     "jmp 2f\n"
		     "1: vmresume\n"
		     "2: pushf\n"
		     "pop %%rax\n"
		     "pop %%rdi\n"
		     "jmp 5f\n"
		     "3: push %%rdi\n"
		     "mov 8(%%rsp), %%rdi\n"
		     "pop %c[rdi](%%rdi)\n"
		     "mov %%rax, %c[rax](%%rdi)\n"
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
		     "xor %%eax, %%eax\n"
		     "5: pop %%rbx\n"
		     "pop %%rbp\n" FIXUP("1b", "2b") FIXUP("4b", "2b")
		     : "+a"(rflags), "+D"(regs), "+d"(rsp_field), "+c"(rip_field)
		     : REG(rax), REG(rcx), REG(rdx), REG(rbx), REG(rbp), REG(rsi), REG(rdi),
		       REG(r8), REG(r9), REG(r10), REG(r11), REG(r12), REG(r13), REG(r14), REG(r15)
		     : "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	return rflags;
}

static void vmx_run(struct l2 *l2, struct l2_exit *exit)
{
	uint64_t rflags;

	vmwrite(VMCS_GUEST_RSP, l2->regs.rsp);
	vmwrite(VMCS_GUEST_RIP, l2->rip);
	vmwrite(VMCS_GUEST_RFLAGS, l2->rflags);
	if (l2->injected != NO_VECTOR) {
		vmwrite(VMCS_ENTRY_INTERRUPTION, EVENT_VALID | l2->injected);
		vmwrite(VMCS_ENTRY_EXCEPTION_ERROR, l2->injected_error);
	}
	l2->injected = NO_VECTOR; /* the CPU clears the field's valid bit on exit */

	rflags = vmx_switch(&l2->regs, launched[cpu_number()]);

	l2->regs.rsp = vmread(VMCS_GUEST_RSP);
	l2->rip = vmread(VMCS_GUEST_RIP);
	l2->rflags = vmread(VMCS_GUEST_RFLAGS);
	vmx_exit_decode(exit, l2->rip, vmx_result(rflags));
}

static enum l1_status vmx_disable(struct outcome *outcome)
{
	uint64_t region = (uint64_t)vmcs_region();
	uint64_t rflags = 0;
	enum l1_status status;

	vmclear(&region);
	trap_forget();
	asm volatile("1: vmxoff\npushf\npop %0\n2:\n" FIXUP("1b", "2b") : "+r"(rflags) : : "cc",
		     "memory");
	status = vmx_say(outcome, "VMXOFF", vmx_result(rflags));
	if (status != L1_PASSED)
		return status;
	cr4_write(cr4_read() & ~(uint64_t)CR4_VMXE);
	return outcome_say(outcome, L1_PASSED, "VMXOFF, CR4.VMXE cleared");
}

static const char *vmx_exit_name(uint64_t raw)
{
	static const char *const names[] = {
		[EXIT_REASON_EXCEPTION_NMI] = "exception or NMI",
		[EXIT_REASON_EXTERNAL_INTERRUPT] = "interrupt",
		[EXIT_REASON_TRIPLE_FAULT] = "triple fault",
		[EXIT_REASON_CPUID] = "CPUID",
		[EXIT_REASON_HLT] = "HLT",
		[EXIT_REASON_VMCALL] = "VMCALL",
		[EXIT_REASON_IO] = "I/O",
		[EXIT_REASON_RDMSR] = "RDMSR",
		[EXIT_REASON_WRMSR] = "WRMSR",
		[EXIT_REASON_INVALID_STATE] = "invalid guest state",
		[EXIT_REASON_MSR_LOADING] = "MSR loading",
		[EXIT_REASON_EPT_VIOLATION] = "EPT violation",
		[EXIT_REASON_EPT_MISCONFIG] = "EPT misconfiguration",
	};
	uint64_t basic = raw & EXIT_REASON_BASIC;

	return basic < sizeof(names) / sizeof(names[0]) ? names[basic] : 0;
}

void vmx_control_add(enum vmcs_field field, uint32_t bits)
{
	vmwrite(field, vmread(field) | bits);
}

bool vmx_secondary_add(struct outcome *outcome, uint32_t bits)
{
	bool active = vmread(VMCS_PROCBASED_CTLS) & PROCBASED_SECONDARY;

	vmx_control_add(VMCS_PROCBASED_CTLS, PROCBASED_SECONDARY);
	return vmx_control_set(outcome, VMCS_PROCBASED_CTLS2, rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2),
			       bits | (active ? (uint32_t)vmread(VMCS_PROCBASED_CTLS2) : 0),
			       "secondary") == L1_PASSED;
}

#define SHADOW_VMCS (1U << 31) /* in the first word of a region, beside the revision */

bool vmx_shadow_reload(uint8_t *region)
{
	uint64_t address = (uint64_t)region;

	return vmptrld(&address) == VMX_SUCCEED;
}

bool vmx_shadow_load(uint8_t *region)
{
	uint64_t address = (uint64_t)region;

	vmx_region_init(region);
	*(uint32_t *)(void *)region |= SHADOW_VMCS;
	return vmclear(&address) == VMX_SUCCEED && vmx_shadow_reload(region);
}

bool vmx_shadow_unload(uint8_t *region)
{
	uint64_t address = (uint64_t)region, own = (uint64_t)vmcs_region();

	return vmclear(&address) == VMX_SUCCEED && vmptrld(&own) == VMX_SUCCEED;
}

const struct hv vmx = {
	.vendor = L1_VENDOR_VMX,
	.hypercall = "VMCALL",
	.nested_leaf = EPT_MEMORY_TYPE_WB << EPT_LEAF_TYPE_SHIFT,
	.nested_no_execute = EPT_EXECUTE,
	.nested_accessed = EPT_ACCESSED,
	.nested_dirty = EPT_DIRTY,
	.present = vmx_present,
	.allowed = vmx_allowed,
	.enable = vmx_enable,
	.load = vmx_load,
	.nested_paging_offered = vmx_nested_paging_offered,
	.configure = vmx_configure,
	.flush = vmx_flush,
	.flush_page = vmx_flush_page,
	.intercept = vmx_intercept,
	.run = vmx_run,
	.disable = vmx_disable,
	.exit_name = vmx_exit_name,
};
