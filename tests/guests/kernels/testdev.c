// SPDX-License-Identifier: MIT
// pc-testdev: the echo register by its lanes, memory that is none, the page flush.
#include "kernel.h"

MULTIBOOT_KERNEL;

static uint32_t page[2048];

unsigned int kernel(unsigned long magic, unsigned long info)
{
	volatile uint32_t *word = (uint32_t *)(((uint32_t)page + 4095) & ~4095U);

	(void)magic, (void)info;
	outl(0xe0, 0x12345678);
	CHECK(inl(0xe0) == 0x12345678 && inw(0xe2) == 0x1234 && inb(0xe1) == 0x56);
	outb(0xe3, 0xab);
	CHECK(inl(0xe0) == 0xab345678);
	AT(uint32_t, 0xff000010) = 0x89abcdef;
	CHECK(AT(uint32_t, 0xff000010) == 0x89abcdef && AT(uint8_t, 0xff000012) == 0xab);
	*word = 42;
	outl(0xe4, (uint32_t)word);
	CHECK(*word == 42);
	print("echo\n");
	return 0;
}
