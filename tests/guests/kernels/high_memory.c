// SPDX-License-Identifier: MIT
// Memory above 4 GiB: the map tells of it, and it is there, a GiB at a time and its last word.
#include "kernel.h"
#include "linux.h"

LINUX_KERNEL;

#define GIB	0x40000000UL

static uint64_t directory[4][512] __attribute__((aligned(4096)));

/* Four GiB more, into the page tables that the loader made. */
static void map(void)
{
	unsigned long cr3, pdpt;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	pdpt = AT(uint64_t, cr3 & ~0xfffUL) & ~0xfffUL;
	for (unsigned long i = 0; i < 4 * 512; i++)
		directory[i / 512][i % 512] = (4 * GIB + (i << 21)) | 0x83;
	for (unsigned long i = 0; i < 4; i++)
		AT(uint64_t, pdpt + 8 * (4 + i)) = (unsigned long)directory[i] | 3;
	asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

unsigned int kernel(unsigned long magic, unsigned long params)
{
	unsigned long last = params + E820_TABLE + 20 * (AT(uint8_t, params + E820_ENTRIES) - 1UL);
	unsigned long start = AT(uint64_t, last), end = start + AT(uint64_t, last + 8);

	(void)magic;
	CHECK(start == 4 * GIB && AT(uint32_t, last + 16) == 1);
	CHECK(end <= 8 * GIB);
	map();
	AT(uint64_t, 0x800000) = 0x8877665544332211;
	for (unsigned long at = start; at < end; at += GIB) {
		CHECK(AT(uint64_t, at + 0x800000) == 0);
		AT(uint64_t, at + 0x800000) = at;
	}
	AT(uint64_t, end - 8) = end;
	CHECK(AT(uint64_t, 0x800000) == 0x8877665544332211); /* no other name of it */
	for (unsigned long at = start; at < end; at += GIB)
		CHECK(AT(uint64_t, at + 0x800000) == at);
	CHECK(AT(uint64_t, end - 8) == end && AT(uint64_t, end) == ~0UL);
	print_hex(end);
	print("\n");
	return 0;
}
