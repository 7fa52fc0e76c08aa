/* SPDX-License-Identifier: MIT */
/*
 * The tiny hypervisor's seam: twelve operations that svm.c and vmx.c fill in, in the same order.
 * They translate between the hardware's words and the neutral ones below and decide nothing;
 * what is tried and what counts as right stands once, in checks.c and the features*.c.
 */
#ifndef HV_H
#define HV_H

#include "account.h"

#include <stdbool.h>
#include <stdint.h>

/* L2's general registers, in the order in which instructions encode them. */
union gprs {
	struct {
		uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
		uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	};
	uint64_t all[16];
};

/* For the vendors' assembly: the offset of a register as the operand of that name. */
#define REG(name) [name] "i"(offsetof(union gprs, name))

enum l2_fault { L2_SOUND, L2_BAD_CONTROL, L2_BAD_STATE };

/* Everything L1 decides about L2. hv->configure() takes over the lower part, hv->run() the upper. */
struct l2 {
	union gprs regs;
	uint64_t rip;
	uint64_t rflags;
	uint64_t injected;		/* an EVENT(), or a vector alone = external interrupt */
	uint32_t injected_error;	/* with EVENT_ERROR_CODE */

	uint32_t intercepts;		/* L2_INTERCEPT_*: beyond what always exits to L1 */
	uint32_t intercepted_exceptions;	/* bit per vector */
	uint16_t intercepted_port;	/* one port exits to L1, all others do not */
	uint32_t intercepted_msr;	/* accesses to one MSR likewise */
	uint64_t nested_root;		/* L1's EPT or NPT root table, 0 = no nested paging */
	bool nested_accessed_dirty;	/* the CPU keeps those bits in it (NPT: always) */
	uint64_t tsc_offset;
	bool tsc_doubled;		/* L2's TSC runs at twice the rate of L1's */
	bool real_mode;			/* L2 starts in real mode; `code_base` is CS's */
	uint32_t code_base;
	uint64_t cr3;			/* 0 = L1's own */
	uint64_t cr4;			/* bits that L2 has beyond L1's */
	uint16_t tag;			/* VPID or ASID, 0 = none or the vendor's least */
	bool tag_kept;			/* what is cached under that tag still holds */
	uint16_t pause_filter;		/* that many PAUSEs do not exit, 0 = no filter */
	uint64_t idt_base;
	uint16_t idt_limit;
	enum l2_fault fault;		/* something for the CPU to refuse */
};
#define NO_VECTOR UINT64_MAX

/* Events: VMX and SVM encode them alike (SDM vol. 3 "VM-Entry Controls for Event Injection"; APM
 * vol. 2 "Event Injection"). */
#define EVENT(type, vector)	((uint64_t)EVENT_##type << 8 | (vector))
#define EVENT_EXTERNAL		0
#define EVENT_NMI		2
#define EVENT_EXCEPTION		3
#define EVENT_ERROR_CODE	(1U << 11)
#define EVENT_VALID		(1U << 31)
#define EVENT_WORDS		(0xffU | 7U << 8 | EVENT_ERROR_CODE)	/* vector, type, error code */

/* CPUID, hypercalls, HLT and triple faults always exit to L1. */
#define L2_INTERCEPT_INTERRUPT		(1U << 0)	/* external ones */
#define L2_INTERCEPT_NMI		(1U << 1)
#define L2_INTERCEPT_INTERRUPT_WINDOW	(1U << 2)	/* exit as soon as L2 could take one */
#define L2_INTERCEPT_NMI_WINDOW		(1U << 3)	/* the same, or (SVM) at the IRET before */
#define L2_INTERCEPT_CR0_CR4		(1U << 4)	/* writes */
#define L2_INTERCEPT_CR8		(1U << 5)	/* writes */
#define L2_INTERCEPT_DR			(1U << 6)	/* writes to DR7 */
#define L2_INTERCEPT_RDTSC		(1U << 7)
#define L2_INTERCEPT_PAUSE		(1U << 8)
#define L2_INTERCEPT_MONITOR		(1U << 9)	/* and MWAIT */
#define L2_PASS_HLT			(1U << 10)	/* HLT halts L2, and does not exit */

enum l2_exit_kind {
	L2_EXIT_OTHER,
	L2_EXIT_ENTRY_FAILED,		/* L2 was not entered: see instr_error and raw */
	L2_EXIT_HYPERCALL,
	L2_EXIT_CPUID,
	L2_EXIT_PORT,
	L2_EXIT_MSR_READ,
	L2_EXIT_MSR_WRITE,
	L2_EXIT_PAGE_FAULT,		/* of nested paging */
	L2_EXIT_EXCEPTION,
	L2_EXIT_TRIPLE_FAULT,
	L2_EXIT_INTERRUPT,
	L2_EXIT_NMI,
	L2_EXIT_HLT,
	L2_EXIT_INTERRUPT_WINDOW,
	L2_EXIT_NMI_WINDOW,
	L2_EXIT_CR_WRITE,
	L2_EXIT_DR,
	L2_EXIT_RDTSC,
	L2_EXIT_PAUSE,
	L2_EXIT_MONITOR,
	L2_EXIT_MWAIT,
	L2_EXIT_KINDS
};

/* Why L2 exited, decoded. */
struct l2_exit {
	enum l2_exit_kind kind;
	uint64_t next_rip;		/* behind the instruction that exited */
	uint64_t gpa;			/* L2_EXIT_PAGE_FAULT */
	bool write;			/* L2_EXIT_PAGE_FAULT, L2_EXIT_PORT */
	bool fetch;			/* L2_EXIT_PAGE_FAULT */
	uint16_t port;			/* L2_EXIT_PORT */
	uint8_t size;			/* L2_EXIT_PORT, bytes */
	uint32_t vector;		/* L2_EXIT_EXCEPTION */
	uint8_t reg;			/* L2_EXIT_CR_WRITE, L2_EXIT_DR: the register's number */
	uint64_t interrupted;		/* L2_EXIT_EXCEPTION: the EVENT() whose delivery it cut short */

	/* the vendor's own words, for the report */
	uint64_t raw, info1, info2;
	uint64_t instr_error;		/* VMX's VM-instruction error */
	const char *refused;		/* the entering instruction itself failed so; NULL = it did not */
};

struct hv {
	enum l1_vendor vendor;
	const char *hypercall;		/* L2's way to L1: "VMCALL" or "VMMCALL" */
	uint64_t nested_leaf;		/* bits of a leaf entry beyond present, writable, user/execute */
	uint64_t nested_no_execute;	/* leaf entry: bits to toggle so that no code runs from it */
	uint64_t nested_accessed, nested_dirty;

	/* Does CPUID show it? */
	bool (*present)(void);
	/* The checks 2 to 4: each says in `outcome` what it met. */
	enum l1_status (*allowed)(struct outcome *outcome);
	enum l1_status (*enable)(struct outcome *outcome);
	enum l1_status (*load)(struct outcome *outcome);
	/* Is nested paging (EPT, NPT) offered to L1? */
	bool (*nested_paging_offered)(void);
	/* Takes over the lower part of `l2`; L2 starts afresh. Fails where the CPU lacks a control it needs. */
	enum l1_status (*configure)(struct outcome *outcome, const struct l2 *l2);
	/* Has the CPU forget what it cached of L2's translations. configure() does so too. */
	void (*flush)(const struct l2 *l2);
	/* The same for one page of L2's own tables, by INVVPID or INVLPGA under l2->tag. */
	void (*flush_page)(const struct l2 *l2, uint64_t address);
	/* Takes over l2->intercepts alone; L2 goes on where it is. */
	void (*intercept)(const struct l2 *l2);
	/* Runs L2 until it exits; updates registers, rip and rflags, and clears `injected`. */
	void (*run)(struct l2 *l2, struct l2_exit *exit);
	/* Check 15. */
	enum l1_status (*disable)(struct outcome *outcome);
	/* Words for a raw exit reason, NULL = none known. */
	const char *(*exit_name)(uint64_t raw);
};

extern const struct hv svm, vmx;

/* What each CPU has of its own, shared by both vendors to save room: the VMCB or VMCS, and the host
 * save area or VMXON region. All else of theirs is written by one CPU at a time, while no L2 runs; what
 * is left to race is the last exception of trap.c, which only an instruction that fails sets. */
#define CPUS_MAX 64
struct cpu_pages {
	uint8_t control_block[4096], host[4096];
} __attribute__((aligned(4096)));
extern struct cpu_pages cpu_pages[CPUS_MAX];

/* One bit per port: 8 KiB; SVM may read into a third page. The same layout for both. */
#define IO_BITMAP_SIZE (3 * 4096)

#endif
