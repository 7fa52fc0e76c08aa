/* SPDX-License-Identifier: MIT */
/* Starting the other CPUs: INIT and SIPI through the local APIC's registers. */
#ifndef SMP_H
#define SMP_H

#include "kernel.h"

#define LOCAL_APIC	0xfee00000
#define TRAMPOLINE	0x7000	/* below 1 MiB, page-aligned: a SIPI's vector is its page */
#define ALIVE		0x6000	/* a byte for each APIC id, by who runs there */

extern uint8_t trampoline[], trampoline_end[];

/* Says "I am here" in real mode, and halts. */
asm(".pushsection .text\n"
    ".code16\n"
    ".globl trampoline, trampoline_end\n"
    "trampoline:\n"
    "	xor %bx, %bx\n"
    "	mov %bx, %ds\n"
    "	mov $1, %eax\n"
    "	cpuid\n"
    "	shr $24, %ebx\n"
    "	incb 0x6000(%bx)\n"
    "1:	cli\n"
    "	hlt\n"
    "	jmp 1b\n"
    "trampoline_end:\n"
    ".popsection\n"
    ".code32\n");

/* As operating systems do before they start others; sending would work without. */
static inline void local_apic_enable(void)
{
	AT(uint32_t, LOCAL_APIC + 0xf0) = 0x1ff;
}

static inline void cpu_start(uint32_t apic_id, const uint8_t *code, const uint8_t *code_end)
{
	for (uint32_t i = 0; i < (uint32_t)(code_end - code); i++)
		AT(uint8_t, TRAMPOLINE + i) = code[i];
	AT(uint32_t, LOCAL_APIC + 0x310) = apic_id << 24;
	AT(uint32_t, LOCAL_APIC + 0x300) = 0x4500; /* INIT */
	wait_ms(1);
	AT(uint32_t, LOCAL_APIC + 0x310) = apic_id << 24;
	AT(uint32_t, LOCAL_APIC + 0x300) = 0x4600 | TRAMPOLINE >> 12; /* SIPI */
}

/* Did it say so, exactly once? For ten seconds at most. */
static inline int cpu_runs(uint32_t apic_id)
{
	for (unsigned int ms = 0; ms < 10000 && !AT(uint8_t, ALIVE + apic_id); ms++)
		wait_ms(1);
	return AT(uint8_t, ALIVE + apic_id) == 1;
}

#endif
