/* SPDX-License-Identifier: MIT */
/*
 * Exceptions in L1. An instruction that is expected to fault on some machines is marked with
 * FIXUP(); any other exception is reported to the VMM and stops L1.
 */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* Inside an asm statement: if the instruction at label `from` faults, go on at label `to`. */
#define FIXUP(from, to) ".pushsection .fixups, \"a\"\n.quad " from ", " to "\n.popsection\n"

struct trap {
	bool taken;
	uint8_t cpu;
	uint8_t vector;
	uint64_t error;
	uint64_t rip;
};

/* One IDT gate, long mode (SDM vol. 3 "64-Bit Mode IDT"). */
struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved_12;
};
_Static_assert(sizeof(struct idt_gate) == 16, "idt_gate");

/* Loads L1's own GDT (with a TSS, which VMX demands of a host) and IDT. */
void trap_init(void);

/* Has another CPU use them, too: all but the TSS, which SVM does not need and VMX loads itself. */
void trap_share(void);

/* Points `gate` at `handler`, an interrupt gate of ring 0. */
void trap_gate_set(struct idt_gate *gate, const void *handler);

/* An interrupt's handler in L1's IDT; below VECTORS. It ends in IRETQ. */
void trap_interrupt_set(unsigned int vector, const void *handler);

/* Forgets the last fixed-up exception; trap_last() tells about the one since then. */
void trap_forget(void);
const struct trap *trap_last(void);

/* "#GP", "#UD" ... */
const char *trap_name(unsigned int vector);

/* L1's descriptor tables and TSS, which L2 and VMX's host state share. */
uint64_t trap_gdt_base(void);
uint16_t trap_gdt_limit(void);
uint64_t trap_idt_base(void);
uint64_t trap_tss_base(void);
#define TSS_LIMIT 0x67

#endif
