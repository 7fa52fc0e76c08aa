// SPDX-License-Identifier: MIT
// A plain ELF64 file: long mode from the first instruction on, on a stack that the loader made, with
// the first 4 GiB mapped.
#include "kernel.h"

START_ON_GIVEN_STACK;

unsigned int kernel(unsigned long magic, unsigned long stack)
{
	unsigned long cr0, cr3, flags;
	uint16_t cs;

	asm volatile("mov %%cr0, %0; mov %%cr3, %1; mov %%cs, %2; pushf; pop %3"
		     : "=r"(cr0), "=r"(cr3), "=r"(cs), "=r"(flags));
	CHECK(magic == 0);
	CHECK(cr0 & 0x80000000 && cs == 8);
	CHECK(!(flags & 0x200));
	CHECK(stack % 16 == 0 && stack >= (unsigned long)bss_end);
	CHECK(cr3 >= (unsigned long)bss_end);
	AT(uint64_t, 0x7fffff8) = 0x1122334455667788; /* the end of 128 MiB */
	CHECK(AT(uint32_t, 0x7fffffc) == 0x11223344);
	CHECK(AT(uint32_t, 0xfee00030) >> 24 == 0 && (AT(uint32_t, 0xfee00030) & 0xf0) == 0x10);
	print("long mode\n");
	return 0;
}
