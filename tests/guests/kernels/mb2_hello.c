// SPDX-License-Identifier: MIT
// Multiboot 2: the header's request is met, and the tags of the information are read to their end.
#include "kernel.h"

asm(".section .header, \"a\"\n"
    ".balign 8\n"
    "header: .long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + header_end - header)\n"
    "request: .word 1, 0\n"
    ".long request_end - request, 1, 2, 3, 4, 6, 14, 15\n"
    "request_end:\n"
    ".balign 8\n"
    ".word 0, 0\n"
    ".long 8\n"
    "header_end: .previous\n");
START("bx");

enum { END, COMMAND_LINE, LOADER_NAME, MODULE, MEMORY, MEMORY_MAP = 6, ACPI_OLD = 14, ACPI_NEW = 15 };

static void tag_print(unsigned long tag, uint32_t type, uint32_t size)
{
	switch (type) {
	case COMMAND_LINE:
	case LOADER_NAME:
		print((const char *)tag + 8);
		break;
	case MODULE:
		print("module ");
		print((const char *)tag + 16);
		print(": ");
		print_bytes(AT(uint32_t, tag + 8), AT(uint32_t, tag + 12) - AT(uint32_t, tag + 8));
		break;
	case MEMORY:
		print_number(AT(uint32_t, tag + 8));
		print(" KiB, ");
		print_number(AT(uint32_t, tag + 12));
		print(" KiB");
		break;
	case MEMORY_MAP:
		for (uint32_t at = 16; at < size; at += AT(uint32_t, tag + 8)) {
			print_hex(AT(uint64_t, tag + at));
			print(" + ");
			print_hex(AT(uint64_t, tag + at + 8));
			print(AT(uint32_t, tag + at + 16) == 1 ? "; " : " reserved; ");
		}
		break;
	case ACPI_OLD:
	case ACPI_NEW:
		print_bytes(tag + 8, 8);
		print(bytes_sum(tag + 8, size - 8) ? "sum wrong" : "sum right");
		break;
	}
	print("\n");
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	uint32_t size = AT(uint32_t, info), at = 8;

	CHECK(magic == 0x36d76289);
	CHECK(info % 8 == 0 && LOW_AND_FREE(info));
	while (AT(uint32_t, info + at) != END) {
		CHECK(at + 8 < size);
		print_number(AT(uint32_t, info + at));
		print(" ");
		tag_print(info + at, AT(uint32_t, info + at), AT(uint32_t, info + at + 4));
		at += (AT(uint32_t, info + at + 4) + 7) & ~7U;
	}
	CHECK(at + 8 == size);
	return 0;
}
