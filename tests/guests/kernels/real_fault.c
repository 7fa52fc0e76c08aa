// SPDX-License-Identifier: MIT
// A fault in real mode, where nobody but the BIOS has a handler: it does not come back.
#include "kernel.h"

START_ON_GIVEN_STACK;

unsigned int kernel(unsigned long magic, unsigned long stack)
{
	(void)magic, (void)stack;
	print("fault\n");
	asm volatile("ud2");
	return 2;
}
