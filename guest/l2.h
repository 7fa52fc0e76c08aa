/* SPDX-License-Identifier: MIT */
/*
 * L2's programs. They live in L1's image and run in L2 on a stack of their own; every one ends
 * in hypercalls for ever. What they find out goes into the mailbox, which L1 reads.
 */
#ifndef L2_H
#define L2_H

#include "trap.h"

#include <stdbool.h>
#include <stdint.h>

struct l2_mailbox {
	bool vmmcall;			/* L2's hypercall is AMD's */
	uint64_t challenge;		/* the half that comes through memory */
	uint64_t key;			/* the other, where no register is to spare for it */
	uint64_t answer;
	uint64_t result[4];
};
extern volatile struct l2_mailbox l2_mailbox;
extern volatile uint64_t l2_interrupts, l2_divide_errors, l2_nmis;	/* counted by L2's handlers */
extern volatile uint64_t l2_protections, l2_error;	/* #GP, and the error code of the last */

/* Where L2 touches memory that nested paging does not map yet, and what it writes there. */
#define NESTED_WINDOW	0x40000000UL
#define NESTED_MAGIC	0x6e65737465645047UL	/* "nestedPG" */

#define L2_INTERRUPT_VECTOR 0x41
#define L2_IDT_SIZE	    (L2_INTERRUPT_VECTOR + 1)
extern struct idt_gate l2_idt[L2_IDT_SIZE];
/* Fills l2_idt with the handlers for #DE, NMI, #GP and L2_INTERRUPT_VECTOR. */
void l2_idt_init(void);

extern uint8_t l2_stack[];
#define L2_STACK_SIZE 4096

/* What L2's programs are made of. */
void l2_hypercall(uint64_t rax);
void l2_sign(void);				/* at PORT_WITNESS: this is L2 */
_Noreturn void l2_done(void);			/* signs, and hypercalls for ever */

void l2_idle(void);				/* hypercalls, nothing else */
void l2_challenge(uint64_t in_register);	/* answers through memory and RAX */
void l2_invert_vmcall(void);			/* NOTs every general register, then hypercalls */
void l2_invert_vmmcall(void);
void l2_cpuid(uint64_t leaf);			/* result[]: EAX, EBX, ECX, EDX */
void l2_port(uint64_t in_register);		/* both ports; result[0]: what L1 answered */
void l2_msr(uint64_t intercepted);		/* result[0]: intercepted, [1]: KERNEL_GS_BASE */
void l2_window(void);				/* writes and reads back NESTED_WINDOW: result[0] */
void l2_exceptions(void);			/* UD2, then a division by zero */
void l2_undefined(void);			/* UD2 */

#endif
