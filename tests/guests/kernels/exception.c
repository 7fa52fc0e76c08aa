// SPDX-License-Identifier: MIT
// int n goes through the guest's IDT and comes back.
#include "kernel.h"

MULTIBOOT_KERNEL;

asm(".pushsection .text\n"
    "handler:\n"
    "	incl %ebx\n"
    "	iretl\n"
    ".popsection\n");
extern uint8_t handler[];

unsigned int kernel(unsigned long magic, unsigned long info)
{
	static uint64_t gdt[3] = { 0, 0xcf9b000000ffff, 0xcf93000000ffff }, idt[0x31];
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)gdt };
	uint32_t entry = (uint32_t)handler, seen = 0;

	(void)info;
	CHECK(magic == MULTIBOOT_MAGIC);
	asm volatile("lgdt %0" : : "m"(pointer));
	idt[0x30] = (uint64_t)(entry & 0xffff0000) << 32 | 0x8e0000080000 | (entry & 0xffff);
	pointer.limit = sizeof(idt) - 1;
	pointer.base = (uint32_t)idt;
	asm volatile("lidt %1; int $0x30" : "+b"(seen) : "m"(pointer));
	CHECK(seen == 1);
	print("int 0x30\n");
	return 0;
}
