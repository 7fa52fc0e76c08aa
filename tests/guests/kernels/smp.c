// SPDX-License-Identifier: MIT
// Finds the CPUs in the MADT or in the MP table ("mp"), and starts each. "bare": by a local APIC that
// software has not enabled, which sends all the same (SDM vol. 3 "Local APIC State After It Has Been
// Software Disabled").
#include "smp.h"

MULTIBOOT_KERNEL;

static uint8_t id[256];
static uint32_t ids;

static unsigned int madt_read(void)
{
	unsigned long madt = acpi_find("APIC"), at = madt + 44;

	CHECK(madt && AT(uint32_t, madt + 36) == LOCAL_APIC);
	for (; at < madt + AT(uint32_t, madt + 4); at += AT(uint8_t, at + 1))
		if (AT(uint8_t, at) == 0 && AT(uint32_t, at + 4) & 1)
			id[ids++ % 256] = AT(uint8_t, at + 3);
	return 0;
}

static unsigned int mp_table_read(void)
{
	unsigned long pointer = bios_find("_MP_", 4), table, at;

	CHECK(pointer && !bytes_sum(pointer, 16));
	table = AT(uint32_t, pointer + 4);
	CHECK(bytes_same(table, "PCMP", 4) && !bytes_sum(table, AT(uint16_t, table + 4)));
	CHECK(AT(uint32_t, table + 36) == LOCAL_APIC);
	at = table + 44;
	for (uint32_t i = 0; i < AT(uint16_t, table + 34); i++) {
		if (AT(uint8_t, at) == 0 && AT(uint8_t, at + 3) & 1)
			id[ids++ % 256] = AT(uint8_t, at + 1);
		at += AT(uint8_t, at) == 0 ? 20 : 8;
	}
	CHECK(at == table + AT(uint16_t, table + 4));
	return 0;
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	const char *word = multiboot_word(info);
	uint32_t running = 1;

	CHECK(magic == MULTIBOOT_MAGIC);
	CHECK((same(word, "mp") ? mp_table_read() : madt_read()) == 0);
	if (!same(word, "bare"))
		local_apic_enable();
	for (uint32_t i = 0; i < ids; i++)
		if (id[i] != AT(uint32_t, LOCAL_APIC + 0x20) >> 24)
			cpu_start(id[i], trampoline, trampoline_end);
	for (uint32_t i = 0; i < ids; i++)
		if (id[i] != AT(uint32_t, LOCAL_APIC + 0x20) >> 24)
			running += (uint32_t)cpu_runs(id[i]);
	print_number(running);
	print(" of ");
	print_number(ids);
	print(" CPUs run\n");
	return 0;
}
