/* SPDX-License-Identifier: MIT */
/*
 * Architectural facts under the names of the Intel SDM and the AMD APM: plain numbers, so that
 * C on both sides and assembly can include this file.
 */
#ifndef X86_H
#define X86_H

/* Control registers: SDM vol. 3 "Control Registers"; APM vol. 2 "Control Registers". */
#define CR0_PE			0x00000001
#define CR0_MP			0x00000002
#define CR0_ET			0x00000010
#define CR0_NE			0x00000020
#define CR0_WP			0x00010000
#define CR0_NW			0x20000000
#define CR0_PG			0x80000000
#define CR4_PAE			0x00000020
#define CR4_LA57		0x00001000
#define CR4_VMXE		0x00002000
#define CR4_OSXSAVE		0x00040000
#define CR0_AM			0x00040000
#define CR4_DE			0x00000008
#define DR7_GE			0x00000200

#define RFLAGS_FIXED		0x00000002	/* bit 1 always reads as one */
#define RFLAGS_CF		0x00000001
#define RFLAGS_ZF		0x00000040
#define RFLAGS_IF		0x00000200

#define DR6_RESET		0xffff0ff0
#define DR7_RESET		0x00000400

/* MSRs: SDM vol. 4; APM vol. 2 "MSR Cross-Reference". */
#define MSR_IA32_FEATURE_CONTROL	0x0000003a
#define MSR_IA32_UCODE_REV		0x0000008b	/* PATCH_LEVEL on AMD */
#define MSR_IA32_PAT			0x00000277
#define MSR_IA32_VMX_BASIC		0x00000480
#define MSR_IA32_VMX_PINBASED_CTLS	0x00000481
#define MSR_IA32_VMX_PROCBASED_CTLS	0x00000482
#define MSR_IA32_VMX_EXIT_CTLS		0x00000483
#define MSR_IA32_VMX_ENTRY_CTLS		0x00000484
#define MSR_IA32_VMX_CR0_FIXED0		0x00000486
#define MSR_IA32_VMX_CR0_FIXED1		0x00000487
#define MSR_IA32_VMX_CR4_FIXED0		0x00000488
#define MSR_IA32_VMX_CR4_FIXED1		0x00000489
#define MSR_IA32_VMX_PROCBASED_CTLS2	0x0000048b
#define MSR_IA32_VMX_EPT_VPID_CAP	0x0000048c
#define MSR_IA32_VMX_TRUE_PINBASED_CTLS	0x0000048d
#define MSR_IA32_VMX_TRUE_PROCBASED_CTLS 0x0000048e
#define MSR_IA32_VMX_TRUE_EXIT_CTLS	0x0000048f
#define MSR_IA32_VMX_TRUE_ENTRY_CTLS	0x00000490
#define MSR_EFER			0xc0000080
#define MSR_SYSENTER_CS			0x00000174
#define MSR_SYSENTER_ESP		0x00000175
#define MSR_SYSENTER_EIP		0x00000176
#define MSR_STAR			0xc0000081
#define MSR_LSTAR			0xc0000082
#define MSR_SFMASK			0xc0000084
#define MSR_FS_BASE			0xc0000100
#define MSR_GS_BASE			0xc0000101
#define MSR_KERNEL_GS_BASE		0xc0000102
#define MSR_TSC_RATIO			0xc0000104	/* AMD: 8.32 fixed point */
#define MSR_VM_CR			0xc0010114
#define MSR_VM_HSAVE_PA			0xc0010117

#define VMX_PROCBASED_CTLS2_EPT		0x2
#define FEATURE_CONTROL_LOCKED		0x1
#define FEATURE_CONTROL_VMXON		0x4	/* outside SMX */
#define VM_CR_SVMDIS			0x10

#define TSC_RATIO_ONE			0x100000000

#define EFER_SCE			0x00000001
#define EFER_LME			0x00000100
#define EFER_LMA			0x00000400
#define EFER_NXE			0x00000800
#define EFER_SVME			0x00001000

/* CPUID: SDM vol. 2 "CPUID"; APM vol. 3 appendix E. */
#define CPUID_1_ECX_VMX			0x00000020
#define CPUID_1_ECX_X2APIC		0x00200000
#define CPUID_80000001_ECX_SVM		0x00000004
#define CPUID_8000000A_EDX_NPT		0x00000001
#define CPUID_8000000A_EDX_NRIPS	0x00000008

/* Exception vectors. */
#define VECTOR_DE			0
#define VECTOR_NMI			2
#define VECTOR_UD			6
#define VECTOR_NM			7
#define VECTOR_GP			13
#define VECTOR_PF			14
#define VECTOR_EXCEPTIONS		32	/* 0 to 31 are the CPU's own */
#define VECTORS				0x60	/* that L1's IDT has room for */

/* Page-table entries, 4-level paging. */
#define PTE_P				0x01
#define PTE_W				0x02
#define PTE_U				0x04
#define PTE_A				0x20
#define PTE_D				0x40
#define PTE_PS				0x80
#define PTE_NX				0x8000000000000000
#define PAGE_SIZE			4096
#define PAGE_2M				0x200000
#define PAGE_1G				0x40000000

/* L1's segments. The layout of gdt[] in trap.c; entry.S uses the first two. */
#define SELECTOR_CODE			0x08
#define SELECTOR_DATA			0x10
#define SELECTOR_TSS			0x18

/* isa-debug-exit, as QEMU places it on request; COM1; the 8042. */
#define PORT_DEBUG_EXIT			0xf4
#define PORT_COM1			0x3f8
#define PORT_PIC_MASK			0x21		/* the 8259s' mask registers */
#define PORT_PIC2_MASK			0xa1
#define PORT_KEYBOARD			0x64		/* the controller's command port */
#define KEYBOARD_RESET			0xfe		/* pulses the CPU's reset line */

#endif
