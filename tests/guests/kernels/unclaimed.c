// SPDX-License-Identifier: MIT
// What no device answers, ports and addresses: all ones in every width, and writes do nothing.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	(void)magic, (void)info;
	CHECK(inb(0x1234) == 0xff && inw(0x1234) == 0xffff && inl(0x1234) == 0xffffffff);
	CHECK(inb(0xffff) == 0xff && inl(0x2f8) == 0xffffffff);
	outl(0x1234, 0);
	CHECK(inl(0x1234) == 0xffffffff);
	AT(uint32_t, 0xd0000000) = 0;
	CHECK(AT(uint8_t, 0xd0000000) == 0xff && AT(uint16_t, 0xd0000002) == 0xffff);
	CHECK(AT(uint32_t, 0xd0000000) == 0xffffffff);
	print("all ones\n");
	return 0;
}
