// SPDX-License-Identifier: MIT
// Each way to reset the machine, triple faults among them; the command line's last word chooses.
#include "kernel.h"

MULTIBOOT_KERNEL;

static void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) nothing;

	asm volatile("lidt %0; ud2" : : "m"(nothing));
}

/* As an operating system does it: the register and the value of the FADT. */
static unsigned int by_acpi(void)
{
	unsigned long fadt = acpi_find("FACP");

	CHECK(fadt && AT(uint32_t, fadt + 112) & 1 << 10 && AT(uint8_t, fadt + 116) == 1);
	outb((uint16_t)AT(uint64_t, fadt + 120), AT(uint8_t, fadt + 128));
	return 1;
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	const char *word = multiboot_word(info);

	(void)magic;
	print("again\n");
	if (same(word, "acpi"))
		return by_acpi();
	if (same(word, "0xcf9")) {
		outb(0xcf9, 2);
		outb(0xcf9, 6);
	}
	if (same(word, "0x64"))
		outb(0x64, 0xfe);
	if (same(word, "0x92"))
		outb(0x92, 1);
	if (same(word, "triple"))
		triple_fault();
	return 1;
}
