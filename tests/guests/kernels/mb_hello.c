// SPDX-License-Identifier: MIT
// Multiboot 1, ELF: everything that the loader hands over.
#include "kernel.h"

MULTIBOOT_KERNEL;

enum { MEM_LOWER = 4, MEM_UPPER = 8, CMDLINE = 16, MODS_COUNT = 20, MODS_ADDR = 24,
       MMAP_LENGTH = 44, MMAP_ADDR = 48, LOADER_NAME = 64 };

static void modules_print(unsigned long info)
{
	for (uint32_t i = 0; i < AT(uint32_t, info + MODS_COUNT); i++) {
		unsigned long module = AT(uint32_t, info + MODS_ADDR) + 16 * i;
		uint32_t start = AT(uint32_t, module), end = AT(uint32_t, module + 4);

		print("module ");
		print((const char *)(unsigned long)AT(uint32_t, module + 8));
		print(start % 4096 ? ", askew: " : ": ");
		print_bytes(start, end - start);
		print("\n");
	}
}

static void mmap_print(unsigned long info)
{
	unsigned long at = AT(uint32_t, info + MMAP_ADDR), end = at + AT(uint32_t, info + MMAP_LENGTH);

	for (; at < end; at += 4 + AT(uint32_t, at)) {
		print("memory ");
		print_hex(AT(uint64_t, at + 4));
		print(" + ");
		print_hex(AT(uint64_t, at + 12));
		print(", type ");
		print_number(AT(uint32_t, at + 20));
		print("\n");
	}
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	CHECK(magic == MULTIBOOT_MAGIC);
	CHECK((AT(uint32_t, info) & 0x24f) == 0x24f);
	CHECK(LOW_AND_FREE(info) && info % 4096 == 0);
	print((const char *)(unsigned long)AT(uint32_t, info + LOADER_NAME));
	print("\n");
	print((const char *)(unsigned long)AT(uint32_t, info + CMDLINE));
	print("\n");
	print_number(AT(uint32_t, info + MEM_LOWER));
	print(" KiB, ");
	print_number(AT(uint32_t, info + MEM_UPPER));
	print(" KiB\n");
	modules_print(info);
	mmap_print(info);
	return 0;
}
