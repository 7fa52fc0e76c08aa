// SPDX-License-Identifier: MIT
// Halts with interrupts off: nothing can wake it, and minivmm need not wait for that.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	(void)magic, (void)info;
	print("the end\n");
	asm volatile("cli; hlt");
	return 1;
}
