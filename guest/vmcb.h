/* SPDX-License-Identifier: MIT */
/* The VMCB: APM vol. 2 appendix B, "VMCB Layout". Checks itself. */
#ifndef VMCB_H
#define VMCB_H

#include <stddef.h>
#include <stdint.h>

#define GAP(from, to)	 uint8_t reserved_##from[(to) - (from)]
#define AT(type, m, off) _Static_assert(offsetof(struct type, m) == (off), #type "." #m)

/* intercept_misc1, intercept_misc2 */
#define INTERCEPT_INTR		(1U << 0)
#define INTERCEPT_NMI		(1U << 1)
#define INTERCEPT_VINTR		(1U << 4)
#define INTERCEPT_RDTSC		(1U << 14)
#define INTERCEPT_CPUID		(1U << 18)
#define INTERCEPT_IRET		(1U << 20)
#define INTERCEPT_PAUSE		(1U << 23)
#define INTERCEPT_HLT		(1U << 24)
#define INTERCEPT_IOIO		(1U << 27)
#define INTERCEPT_MSR		(1U << 28)
#define INTERCEPT_SHUTDOWN	(1U << 31)
#define INTERCEPT_VMRUN		(1U << 0)
#define INTERCEPT_VMMCALL	(1U << 1)
#define INTERCEPT_MONITOR	(1U << 10)
#define INTERCEPT_MWAIT		(1U << 11)

#define TLB_CONTROL_FLUSH_ALL	1
/* int_ctl */
#define V_TPR			0xf
#define V_IRQ			(1U << 8)
#define V_GIF			(1U << 9)
#define V_INTR_PRIO_SHIFT	16
#define V_IGN_TPR		(1U << 20)
#define V_INTR_MASKING		(1U << 24)
#define V_GIF_ENABLE		(1U << 25)
/* virt_ext */
#define VIRTUAL_VMLOAD_VMSAVE	(1U << 1)
/* clean */
#define CLEAN_INTERCEPTS	(1U << 0)
#define CLEAN_ALL		0x1fff
#define NESTED_CTL_NP_ENABLE	1

/* exit_code: appendix C, "SVM Intercept Exit Codes" */
#define VMEXIT_CR_WRITE		0x010		/* plus the number */
#define VMEXIT_DR_WRITE		0x030		/* plus the number */
#define VMEXIT_EXCEPTION	0x040		/* plus the vector */
#define VMEXIT_INTR		0x060
#define VMEXIT_NMI		0x061
#define VMEXIT_VINTR		0x064
#define VMEXIT_RDTSC		0x06e
#define VMEXIT_CPUID		0x072
#define VMEXIT_IRET		0x074
#define VMEXIT_PAUSE		0x077
#define VMEXIT_HLT		0x078
#define VMEXIT_IOIO		0x07b
#define VMEXIT_MSR		0x07c
#define VMEXIT_SHUTDOWN		0x07f
#define VMEXIT_VMRUN		0x080
#define VMEXIT_VMMCALL		0x081
#define VMEXIT_MONITOR		0x08a
#define VMEXIT_MWAIT		0x08b
#define VMEXIT_NPF		0x400
/* VMRUN refused the VMCB: -1. KVM wrote the low half alone for years, so only that half counts. */
#define VMEXIT_INVALID		UINT32_MAX

#define IOIO_IN			(1U << 0)
#define IOIO_SIZE_SHIFT		4		/* one bit per size: 1, 2, 4 bytes */
#define IOIO_PORT_SHIFT		16
#define MSR_WRITE		(1U << 0)
#define NPF_WRITE		(1U << 1)
#define NPF_FETCH		(1U << 4)
#define CR_ASSIST_VALID		(1ULL << 63)	/* exit_info1 of a MOV to or from CR: bits 3:0 */
#define CR_ASSIST_GPR		0xf

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes;	/* descriptor bits 55:52 and 47:40, packed */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint16_t intercept_cr_read, intercept_cr_write;
	uint16_t intercept_dr_read, intercept_dr_write;
	uint32_t intercept_exceptions;
	uint32_t intercept_misc1;
	uint32_t intercept_misc2;
	uint32_t intercept_misc3;
	GAP(0x018, 0x03c);
	uint16_t pause_filter_threshold, pause_filter_count;
	uint64_t iopm_base;
	uint64_t msrpm_base;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint32_t int_ctl;
	uint32_t int_vector;
	uint64_t interrupt_shadow;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint32_t exit_int_info, exit_int_info_error;
	uint64_t nested_ctl;
	GAP(0x098, 0x0a8);
	uint32_t event_injection, event_injection_error;
	uint64_t nested_cr3;
	uint64_t virt_ext;
	uint32_t clean;
	GAP(0x0c4, 0x0c8);
	uint64_t next_rip;
	GAP(0x0d0, 0x400);

	/* state save area */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	GAP(0x4a0, 0x4cb);
	uint8_t cpl;
	GAP(0x4cc, 0x4d0);
	uint64_t efer;
	GAP(0x4d8, 0x548);
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	GAP(0x580, 0x5d8);
	uint64_t rsp;
	GAP(0x5e0, 0x5f8);
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	GAP(0x628, 0x640);
	uint64_t cr2;
	GAP(0x648, 0x668);
	uint64_t pat;
	GAP(0x670, 0x1000);
};

AT(vmcb, intercept_misc1, 0x00c);
AT(vmcb, pause_filter_threshold, 0x03c);
AT(vmcb, asid, 0x058);
AT(vmcb, exit_code, 0x070);
AT(vmcb, nested_ctl, 0x090);
AT(vmcb, event_injection, 0x0a8);
AT(vmcb, nested_cr3, 0x0b0);
AT(vmcb, clean, 0x0c0);
AT(vmcb, next_rip, 0x0c8);
AT(vmcb, es, 0x400);
AT(vmcb, cpl, 0x4cb);
AT(vmcb, efer, 0x4d0);
AT(vmcb, cr4, 0x548);
AT(vmcb, rip, 0x578);
AT(vmcb, rsp, 0x5d8);
AT(vmcb, rax, 0x5f8);
AT(vmcb, kernel_gs_base, 0x620);
AT(vmcb, cr2, 0x640);
AT(vmcb, pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "vmcb");

/* svm.c's: for features that no other vendor has. */
struct vmcb *svm_vmcb(void);

#endif
