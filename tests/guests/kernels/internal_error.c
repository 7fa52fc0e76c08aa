// SPDX-License-Identifier: MIT
// What KVM cannot go on with: code in the place of a device, or ("fwait") an instruction that the
// software backends lack.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	(void)magic;
	print("now\n");
	if (same(multiboot_word(info), "fwait"))
		asm volatile("fwait");
	else
		asm volatile("jmp *%0" : : "r"(0xd0000000));
	return 0;
}
