// SPDX-License-Identifier: MIT
// PVH, as ELF32 and (by objcopy) as ELF64: start_info, modules, memory map, the RSDP's address.
#include "kernel.h"

asm(".section .note.pvh, \"a\", @note\n"
    ".long 4, 4, 18\n"
    ".asciz \"Xen\"\n"
    ".long start\n"
    ".previous\n");
START("bx");

enum { MAGIC = 0, VERSION = 4, FLAGS = 8, MODULES = 12, MODULE_LIST = 16, COMMAND_LINE = 24,
       RSDP = 32, MEMORY_MAP = 40, MEMORY_ENTRIES = 48 };

static void modules_print(unsigned long info)
{
	for (uint32_t i = 0; i < AT(uint32_t, info + MODULES); i++) {
		unsigned long module = AT(uint32_t, info + MODULE_LIST) + 32 * i;

		print("module ");
		print((const char *)(unsigned long)AT(uint32_t, module + 16));
		print(": ");
		print_bytes(AT(uint32_t, module), AT(uint32_t, module + 8));
		print("\n");
	}
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	unsigned long map = AT(uint32_t, info + MEMORY_MAP);
	uint32_t cr0, cr4;

	asm volatile("mov %%cr0, %0; mov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
	CHECK((cr0 & 0x80000001) == 1 && cr4 == 0);
	CHECK(AT(uint32_t, info + MAGIC) == 0x336ec578 && AT(uint32_t, info + VERSION) == 1);
	CHECK(AT(uint32_t, info + FLAGS) == 0 && magic != MULTIBOOT_MAGIC);
	print((const char *)(unsigned long)AT(uint32_t, info + COMMAND_LINE));
	print("\n");
	modules_print(info);
	for (uint32_t i = 0; i < AT(uint32_t, info + MEMORY_ENTRIES); i++, map += 24) {
		print_hex(AT(uint64_t, map));
		print(" + ");
		print_hex(AT(uint64_t, map + 8));
		print(AT(uint32_t, map + 16) == 1 ? "\n" : " reserved\n");
	}
	if (AT(uint32_t, info + RSDP))
		print_bytes(AT(uint32_t, info + RSDP), 7);
	print("\n");
	return 0;
}
