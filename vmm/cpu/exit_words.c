// SPDX-License-Identifier: MIT
// Tables of the manuals' numbers.
#include "exit_words.h"

#include "bits.h"

#include <linux/kvm.h>
#include <stdio.h>

const char *vm_instruction_error(uint64_t number)
{
	static const char *const names[] = {
		[1] = "VMCALL in VMX root operation",
		[2] = "VMCLEAR with an invalid address",
		[3] = "VMCLEAR with the VMXON pointer",
		[4] = "VMLAUNCH with a VMCS that is not clear",
		[5] = "VMRESUME with a VMCS that was not launched",
		[6] = "VMRESUME after VMXOFF",
		[7] = "VM entry with an invalid control field",
		[8] = "VM entry with an invalid host-state field",
		[9] = "VMPTRLD with an invalid address",
		[10] = "VMPTRLD with the VMXON pointer",
		[11] = "VMPTRLD with a wrong revision identifier",
		[12] = "access to an unsupported VMCS component",
		[13] = "VMWRITE to a read-only VMCS component",
		[15] = "VMXON in VMX root operation",
		[16] = "VM entry with an invalid executive-VMCS pointer",
		[17] = "VM entry with an executive VMCS that was not launched",
		[18] = "VM entry with an executive-VMCS pointer that is not the VMXON pointer",
		[19] = "VMCALL with a VMCS that is not clear",
		[20] = "VMCALL with an invalid VM-exit control field",
		[22] = "VMCALL with a wrong MSEG revision identifier",
		[23] = "VMXOFF under dual-monitor treatment",
		[24] = "VMCALL with invalid SMM-monitor features",
		[25] = "VM entry with an invalid control field in the executive VMCS",
		[26] = "VM entry with events blocked by MOV SS",
		[28] = "invalid operand to INVEPT or INVVPID",
	};

	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

const char *vmx_exit_name(uint64_t reason)
{
	static const char *const names[] = {
		[0] = "exception or NMI",
		[1] = "external interrupt",
		[2] = "triple fault",
		[3] = "INIT",
		[4] = "start-up IPI",
		[5] = "I/O SMI",
		[6] = "SMI",
		[7] = "interrupt window",
		[8] = "NMI window",
		[9] = "task switch",
		[10] = "CPUID",
		[11] = "GETSEC",
		[12] = "HLT",
		[13] = "INVD",
		[14] = "INVLPG",
		[15] = "RDPMC",
		[16] = "RDTSC",
		[17] = "RSM",
		[18] = "VMCALL",
		[19] = "VMCLEAR",
		[20] = "VMLAUNCH",
		[21] = "VMPTRLD",
		[22] = "VMPTRST",
		[23] = "VMREAD",
		[24] = "VMRESUME",
		[25] = "VMWRITE",
		[26] = "VMXOFF",
		[27] = "VMXON",
		[28] = "control-register access",
		[29] = "MOV DR",
		[30] = "I/O instruction",
		[31] = "RDMSR",
		[32] = "WRMSR",
		[33] = "invalid guest state",
		[34] = "MSR loading",
		[36] = "MWAIT",
		[37] = "monitor trap flag",
		[39] = "MONITOR",
		[40] = "PAUSE",
		[41] = "machine check at VM entry",
		[43] = "TPR below threshold",
		[44] = "APIC access",
		[45] = "virtualized EOI",
		[46] = "access to GDTR or IDTR",
		[47] = "access to LDTR or TR",
		[48] = "EPT violation",
		[49] = "EPT misconfiguration",
		[50] = "INVEPT",
		[51] = "RDTSCP",
		[52] = "VMX-preemption timer",
		[53] = "INVVPID",
		[54] = "WBINVD or WBNOINVD",
		[55] = "XSETBV",
		[56] = "APIC write",
		[57] = "RDRAND",
		[58] = "INVPCID",
		[59] = "VMFUNC",
		[60] = "ENCLS",
		[61] = "RDSEED",
		[62] = "page-modification log full",
		[63] = "XSAVES",
		[64] = "XRSTORS",
		[66] = "SPP-related event",
		[67] = "UMWAIT",
		[68] = "TPAUSE",
		[69] = "LOADIWKEY",
		[74] = "bus lock",
		[75] = "notify window",
	};
	uint64_t basic = reason & 0xffff;

	return basic < ARRAY_SIZE(names) ? names[basic] : NULL;
}

const char *svm_exit_name(uint64_t code)
{
	static const char *const names[] = {	/* from 0x60 on */
		"interrupt", "NMI", "SMI", "INIT", "virtual interrupt", "selective write of CR0",
		"read of IDTR", "read of GDTR", "read of LDTR", "read of TR",
		"write of IDTR", "write of GDTR", "write of LDTR", "write of TR",
		"RDTSC", "RDPMC", "PUSHF", "POPF", "CPUID", "RSM", "IRET", "INT n", "INVD", "PAUSE",
		"HLT", "INVLPG", "INVLPGA", "I/O instruction", "RDMSR or WRMSR", "task switch",
		"FERR freeze", "shutdown", "VMRUN", "VMMCALL", "VMLOAD", "VMSAVE", "STGI", "CLGI",
		"SKINIT", "RDTSCP", "ICEBP", "WBINVD or WBNOINVD", "MONITOR", "MWAIT",
		"MWAIT, armed", "XSETBV", "RDPRU", "write of EFER",
		[0xa0 - 0x60] = "INVLPGB", "illegal INVLPGB", "INVPCID", "MCOMMIT", "TLBSYNC",
		"bus lock", "HLT with nothing pending",
	};
	static const struct {
		uint32_t from, to;
		const char *name;
	} ranges[] = {
		{ 0x00, 0x0f, "read of a control register" },
		{ 0x10, 0x1f, "write of a control register" },
		{ 0x20, 0x2f, "read of a debug register" },
		{ 0x30, 0x3f, "write of a debug register" },
		{ 0x40, 0x5f, "exception" },
		{ 0x90, 0x9f, "write of a control register, done" },
		{ 0x400, 0x400, "nested page fault" },
		{ 0x401, 0x401, "AVIC: incomplete IPI" },
		{ 0x402, 0x402, "AVIC: access not accelerated" },
		{ 0x403, 0x403, "VMGEXIT" },
		{ SVM_EXIT_INVALID, SVM_EXIT_INVALID, "VMEXIT_INVALID" },
		{ SVM_EXIT_INVALID - 1, SVM_EXIT_INVALID - 1, "VMEXIT_BUSY" },
		{ SVM_EXIT_INVALID - 2, SVM_EXIT_INVALID - 2, "VMEXIT_IDLE_REQUIRED" },
	};
	uint32_t low = (uint32_t)code;

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (low >= ranges[i].from && low <= ranges[i].to)
			return ranges[i].name;
	return low >= 0x60 && low - 0x60 < ARRAY_SIZE(names) ? names[low - 0x60] : NULL;
}

static const char *ept_qualification(char *text, size_t size, uint64_t q)
{
	/* bits 2:0 what was tried, 5:3 what the entries allow, 7:8 whose access */
	snprintf(text, size, "%s%s%s of a page that is %s%s%s%s%s", q & 1 ? "read" : "",
		 q & 2 ? "write" : "", q & 4 ? "fetch" : "", q & 0x38 ? "" : "not present",
		 q & 8 ? "r" : "", q & 0x10 ? "w" : "", q & 0x20 ? "x" : "",
		 q & BIT(7) && !(q & BIT(8)) ? ", for a page table" : "");
	return text;
}

/* SDM vol. 3, "VM-Entry Failures During or After Loading Guest State". */
static const char *entry_qualification(uint64_t q)
{
	static const char *const names[] = {
		[2] = "PDPTE loading",
		[3] = "NMI injection under blocking by STI",
		[4] = "VMCS link pointer",
	};

	return q < ARRAY_SIZE(names) && names[q] ? names[q] : "";
}

const char *vmx_qualification(char *text, size_t size, uint64_t reason, uint64_t qualification)
{
	static const char *const accesses[] = { "MOV to", "MOV from", "CLTS of", "LMSW to" };

	text[0] = '\0';
	switch (reason & 0xffff) {
	case 28:
		snprintf(text, size, "%s CR%u", accesses[qualification >> 4 & 3],
			 (unsigned int)(qualification & 15));
		break;
	case 30:
		snprintf(text, size, "%s port 0x%x, %u bytes",
			 qualification & 8 ? "IN from" : "OUT to",
			 (unsigned int)(qualification >> 16 & 0xffff),
			 (unsigned int)(qualification & 7) + 1);
		break;
	case 33:
		snprintf(text, size, "%s", entry_qualification(qualification));
		break;
	case 34:
		snprintf(text, size, "entry %u of the MSR-load area", (unsigned int)qualification);
		break;
	case 48:
		return ept_qualification(text, size, qualification);
	}
	return text;
}

const char *entry_failure_name(uint64_t reason)
{
	if (reason == 0)
		return "the level below KVM gave no reason";
	if (reason == UINT64_MAX || reason == SVM_EXIT_INVALID)
		return "VMRUN found an invalid state";
	if (reason == (VMX_ENTRY_FAILED | 33))
		return "VM entry with invalid guest state";
	if (reason == (VMX_ENTRY_FAILED | 34))
		return "VM entry failed loading MSRs";
	if (reason == (VMX_ENTRY_FAILED | 41))
		return "machine check at VM entry";
	return vm_instruction_error(reason);
}

const char *internal_error_name(uint32_t suberror)
{
	static const char *const names[] = {
		[KVM_INTERNAL_ERROR_EMULATION] = "KVM cannot emulate this instruction",
		[KVM_INTERNAL_ERROR_SIMUL_EX] = "two exceptions at once",
		[KVM_INTERNAL_ERROR_DELIVERY_EV] = "a fault while an event was delivered",
		[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit that KVM does not handle",
	};

	return suberror < ARRAY_SIZE(names) ? names[suberror] : NULL;
}
