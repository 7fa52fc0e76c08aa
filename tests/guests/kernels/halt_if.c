// SPDX-License-Identifier: MIT
// Halts with interrupts on, though none will come: that is no end, so only --timeout ends it.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	(void)magic, (void)info;
	outb(0x21, 0xff); /* the PICs' masks */
	outb(0xa1, 0xff);
	print("waiting\n");
	asm volatile("sti; hlt");
	return 1;
}
