// SPDX-License-Identifier: MIT
// Spins with interrupts off and never exits to KVM: only --timeout, or a signal, ends it.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	(void)magic, (void)info;
	print("spinning\n");
	asm volatile("cli\n1: jmp 1b");
	return 1;
}
