// SPDX-License-Identifier: MIT
// Sends back what comes in on COM1, byte by byte, until a full stop.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	char c;

	(void)magic, (void)info;
	print("?");
	do {
		while (!(inb(COM1 + 5) & 1))
			;
		c = (char)inb(COM1);
		print_char(c);
	} while (c != '.');
	return 0;
}
