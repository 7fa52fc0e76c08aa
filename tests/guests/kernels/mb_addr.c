// SPDX-License-Identifier: MIT
// Multiboot 1, no ELF file: the header's address fields say where it goes. The header is not at
// the file's beginning, what lies before it is loaded too, and .bss is zero.
#include "kernel.h"

asm(".section .header, \"a\"\n"
    ".ascii \"before the header\"\n"
    ".balign 64\n"
    "header: .long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)\n"
    ".long header, image_start, image_end, bss_end, start\n"
    ".previous\n");
START("bx");

static uint8_t zeroes[5000];

unsigned int kernel(unsigned long magic, unsigned long info)
{
	CHECK(magic == MULTIBOOT_MAGIC);
	CHECK((unsigned long)image_start == 0x200000);
	CHECK(bytes_same((unsigned long)image_start, "before the header", 17));
	CHECK(LOW_AND_FREE(info));
	for (unsigned int i = 0; i < sizeof(zeroes); i++)
		CHECK(AT(uint8_t, zeroes + i) == 0);
	print("address fields\n");
	return 0;
}
