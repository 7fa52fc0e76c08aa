// SPDX-License-Identifier: MIT
// L1's descriptor tables and its exceptions.
#include "trap.h"

#include "account.h"
#include "cpu.h"

#include <stddef.h>

/* The 64-bit TSS (SDM vol. 3 "TSS Structure in 64-bit Mode"). Nothing here uses it; it is there
 * because VMX refuses a host without a TR. */
static uint8_t tss[TSS_LIMIT + 1];

static uint64_t gdt[5] = {
	[SELECTOR_CODE / 8] = 0x00af9b000000ffff,
	[SELECTOR_DATA / 8] = 0x00cf93000000ffff,
	/* SELECTOR_TSS takes two entries; filled below */
};

static struct idt_gate idt[VECTORS];
static struct trap last; /* the asm statements that may change it clobber memory */

extern const uint8_t trap_stubs[];
extern const uint64_t fixups_start[][2], fixups_end[][2];

/* What trap_common in entry.S leaves on the stack. */
struct trap_frame {
	uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};
void trap_handle(struct trap_frame *frame);

void trap_gate_set(struct idt_gate *gate, const void *handler)
{
	uint64_t offset = (uint64_t)handler;

	*gate = (struct idt_gate){
		.offset_low = (uint16_t)offset,
		.selector = SELECTOR_CODE,
		.type = 0x8e, /* present, ring 0, 64-bit interrupt gate */
		.offset_middle = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

void trap_share(void)
{
	struct descriptor_table gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };
	struct descriptor_table idtr = { sizeof(idt) - 1, (uint64_t)idt };

	lgdt(&gdtr);
	lidt(&idtr);
}

void trap_init(void)
{
	uint64_t base = (uint64_t)tss;

	/* available 64-bit TSS: type 9, present */
	gdt[SELECTOR_TSS / 8] = TSS_LIMIT | (base & 0xffffff) << 16 | 0x89ULL << 40 |
				(base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
	wrmsr(MSR_GS_BASE, 0); /* cpu_number(); PVH leaves it open, and AMD's null selector too */
	trap_share();
	ltr(SELECTOR_TSS);
	for (unsigned int i = 0; i < VECTOR_EXCEPTIONS; i++)
		trap_gate_set(&idt[i], trap_stubs + i * 16);
}

void trap_interrupt_set(unsigned int vector, const void *handler)
{
	trap_gate_set(&idt[vector], handler);
}

void trap_forget(void)
{
	last.taken = false;
}

const struct trap *trap_last(void)
{
	return &last;
}

const char *trap_name(unsigned int vector)
{
	static const char *const names[VECTOR_EXCEPTIONS] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "vector 9", "#TS",
		"#NP", "#SS", "#GP", "#PF", "vector 15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
		[28] = "#HV", "#VC", "#SX",
	};

	return vector < VECTOR_EXCEPTIONS && names[vector] ? names[vector] : "unknown exception";
}

void trap_handle(struct trap_frame *frame)
{
	last.vector = (uint8_t)frame->vector;
	last.error = frame->error;
	last.rip = frame->rip;
	last.cpu = (uint8_t)cpu_number();
	last.taken = true;
	for (const uint64_t(*fixup)[2] = fixups_start; fixup < fixups_end; fixup++) {
		if ((*fixup)[0] == frame->rip) {
			frame->rip = (*fixup)[1];
			return;
		}
	}
	while (cpu_number() != 0) /* CPU 0 alone gives account: it waits in vain, and looks here */
		asm volatile("cli\nhlt");
	account_trap(trap_last(), cr2_read());
}

uint64_t trap_gdt_base(void)
{
	return (uint64_t)gdt;
}

uint16_t trap_gdt_limit(void)
{
	return sizeof(gdt) - 1;
}

uint64_t trap_idt_base(void)
{
	return (uint64_t)idt;
}

uint64_t trap_tss_base(void)
{
	return (uint64_t)tss;
}
