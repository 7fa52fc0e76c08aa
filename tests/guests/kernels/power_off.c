// SPDX-License-Identifier: MIT
// Each way to switch the machine off; the last word of the command line chooses.
#include "kernel.h"

MULTIBOOT_KERNEL;

/* As an operating system does it: PM1a by the FADT, the sleep type by the DSDT's \_S5. */
static unsigned int by_acpi(void)
{
	unsigned long fadt = acpi_find("FACP"), at, end;
	uint16_t control;

	CHECK(fadt);
	control = (uint16_t)AT(uint32_t, fadt + 64);
	at = AT(uint32_t, fadt + 40);
	CHECK(bytes_same(at, "DSDT", 4) && !bytes_sum(at, AT(uint32_t, at + 4)));
	CHECK(inw(control) & 1);
	for (end = at + AT(uint32_t, at + 4); at < end && !bytes_same(at, "_S5_", 4); at++)
		;
	CHECK(at < end && AT(uint8_t, at + 4) == 0x12 && AT(uint8_t, at + 7) == 0x0a);
	outw(control, (uint16_t)(AT(uint8_t, at + 8) << 10 | 1 << 13));
	return 1;
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	const char *word = multiboot_word(info);

	(void)magic;
	print("good night\n");
	if (same(word, "acpi"))
		return by_acpi();
	if (same(word, "0x604"))
		outw(0x604, 0x2000);
	if (same(word, "0xb004"))
		outw(0xb004, 0x2000);
	if (same(word, "bochs"))
		for (const char *c = "ShutShutdown"; *c; c++)
			outb(0x8900, (uint8_t)*c);
	return 1;
}
