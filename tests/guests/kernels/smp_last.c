// SPDX-License-Identifier: MIT
// Another CPU halts for good. The first one then starts it anew and halts for good itself; the other
// goes on for a second and ends the machine. Nobody may take all of it for halted meanwhile.
#include "smp.h"

MULTIBOOT_KERNEL;

asm(".pushsection .text\n"
    ".code16\n"
    ".globl worker, worker_end\n"
    "worker:\n"
    "	mov $0x608, %dx\n"
    "	in %dx, %eax\n"
    "	mov %eax, %ebx\n"
    "1:	in %dx, %eax\n"
    "	sub %ebx, %eax\n"
    "	and $0xffffff, %eax\n"
    "	cmp $3580000, %eax\n"	/* a second */
    "	jb 1b\n"
    "	xor %eax, %eax\n"
    "	out %eax, $0xf4\n"
    "worker_end:\n"
    ".popsection\n"
    ".code32\n");

extern uint8_t worker[], worker_end[];

unsigned int kernel(unsigned long magic, unsigned long info)
{
	CHECK(magic == MULTIBOOT_MAGIC && info);
	local_apic_enable();
	cpu_start(1, trampoline, trampoline_end);
	CHECK(cpu_runs(1));
	wait_ms(700); /* a look or two at a CPU that is halted */
	print("you go on\n");
	cpu_start(1, worker, worker_end);
	for (;;)
		asm volatile("cli; hlt");
}
