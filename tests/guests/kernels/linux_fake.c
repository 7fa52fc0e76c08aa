// SPDX-License-Identifier: MIT
// A Linux bzImage in miniature, compiled for 64 bits and entered at 0x200 behind its load address,
// or for 32 bits and entered there: boot_params, command line, initrd, memory map.
#include "kernel.h"
#include "linux.h"

LINUX_KERNEL;

static unsigned int memory_print(unsigned long params)
{
	CHECK(AT(uint8_t, params + E820_ENTRIES) >= 4);
	for (unsigned int i = 0; i < AT(uint8_t, params + E820_ENTRIES); i++) {
		unsigned long entry = params + E820_TABLE + 20 * i;

		print_hex(AT(uint64_t, entry));
		print(" + ");
		print_hex(AT(uint64_t, entry + 8));
		print(AT(uint32_t, entry + 16) == 1 ? "\n" : " reserved\n");
	}
	return 0;
}

unsigned int kernel(unsigned long magic, unsigned long params)
{
	uint16_t cs, ds;

	(void)magic;
	asm volatile("mov %%cs, %0; mov %%ds, %1" : "=r"(cs), "=r"(ds));
	CHECK(cs == 0x10 && ds == 0x18);
	asm volatile("mov %0, %%ds; mov %0, %%ss" : : "r"(0x18)); /* there is a GDT behind it */
	CHECK(AT(uint8_t, params + SENTINEL) == 0);
	CHECK(AT(uint8_t, params + TYPE_OF_LOADER) == 0xff);
	CHECK(AT(uint32_t, params + CODE32_START) == 0x100000);
	CHECK(bytes_same(params + 0x202, "HdrS", 4));
	print(sizeof(long) == 8 ? "64-bit entry\n" : "32-bit entry\n");
	print((const char *)(unsigned long)AT(uint32_t, params + COMMAND_LINE));
	print("\n");
	print_bytes(AT(uint32_t, params + RAMDISK_IMAGE), AT(uint32_t, params + RAMDISK_SIZE));
	print("\n");
	if (AT(uint64_t, params + RSDP))
		print_bytes((unsigned long)AT(uint64_t, params + RSDP), 7);
	print("\n");
	return memory_print(params);
}
