// SPDX-License-Identifier: MIT
// Intel's MP table.
#include "mptable.h"

#include "acpi_pm.h"
#include "acpi_tables.h"
#include "bios.h"

#include <string.h>

/* --- "MP Configuration Table": its layout ----------------------------------------------------- */

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length;			/* in units of 16 bytes */
	uint8_t revision;
	uint8_t checksum;
	uint8_t features[5];		/* 0: there is a table, and no IMCR */
};
_Static_assert(sizeof(struct mp_pointer) == 16, "mp_pointer");

struct mp_header {
	char signature[4];
	uint16_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[8];
	char product_id[12];
	uint32_t oem_table;
	uint16_t oem_table_size;
	uint16_t entries;
	uint32_t local_apic;
	uint16_t extended_length;
	uint8_t extended_checksum;
	uint8_t reserved_43;
};
_Static_assert(sizeof(struct mp_header) == 44, "mp_header");

struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features;	/* as CPUID leaf 1 gives them, in the least */
	uint32_t reserved_12[2];
};
_Static_assert(sizeof(struct mp_cpu) == 20, "mp_cpu");

struct mp_bus {
	uint8_t type, id;
	char name[6];
};

struct mp_io_apic {
	uint8_t type, id, version, flags;
	uint32_t address;
};

/* An I/O or local interrupt. */
struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, irq, apic, pin;
};
_Static_assert(sizeof(struct mp_bus) == 8 && sizeof(struct mp_io_apic) == 8 &&
	       sizeof(struct mp_interrupt) == 8, "MP entries");

enum {
	REVISION_1_4 = 4,
	MP_CPU = 0, MP_BUS = 1, MP_IO_APIC = 2, MP_IO_INTERRUPT = 3, MP_LOCAL_INTERRUPT = 4,

	APIC_VERSION = 0x14, IO_APIC_VERSION = 0x11,	/* as KVM's say */
	CPU_ENABLED = BIT(0), CPU_BOOTS = BIT(1), IO_APIC_ENABLED = BIT(0),
	SIGNATURE_P6 = 0x600, FEATURE_FPU = BIT(0), FEATURE_APIC = BIT(9),

	INTERRUPT = 0, INTERRUPT_NMI = 1, INTERRUPT_EXTERNAL = 3,
	LEVEL_ACTIVE_HIGH = 0xd,
	ISA_BUS = 0, ISA_IRQS = 16, ISA_CASCADE = 2,
	ALL_APICS = 0xff,
};

/* One behind the other in guest memory. */
struct mp_area {
	struct mp_pointer pointer;
	struct mp_header header;
	uint8_t entries[ACPI_CPUS * sizeof(struct mp_cpu) +
			32 * sizeof(struct mp_interrupt)];
};
_Static_assert(sizeof(struct mp_area) <= BIOS_ROM - MPTABLE_ADDRESS, "mp_area");

/* --- writing ---------------------------------------------------------------------------------- */

struct writer {
	struct mp_area *area;
	uint8_t *next;
};

static void entry_add(struct writer *writer, const void *entry, size_t size)
{
	memcpy(writer->next, entry, size);
	writer->next += size;
	writer->area->header.entries++;
}

static void cpus_add(struct writer *writer, unsigned int cpus)
{
	for (unsigned int id = 0; id < cpus; id++) {
		const struct mp_cpu cpu = {
			.type = MP_CPU,
			.apic_id = (uint8_t)id,
			.apic_version = APIC_VERSION,
			.flags = id ? CPU_ENABLED : CPU_ENABLED | CPU_BOOTS,
			.signature = SIGNATURE_P6,
			.features = FEATURE_FPU | FEATURE_APIC,
		};

		entry_add(writer, &cpu, sizeof(cpu));
	}
}

static void interrupts_add(struct writer *writer)
{
	for (uint8_t irq = 0; irq < ISA_IRQS; irq++) {
		const struct mp_interrupt entry = {
			.type = MP_IO_INTERRUPT,
			.kind = INTERRUPT,
			.flags = irq == ACPI_SCI ? LEVEL_ACTIVE_HIGH : 0,
			.bus = ISA_BUS,
			.irq = irq,
			.apic = IO_APIC_ID,
			.pin = irq ? irq : IO_APIC_TIMER_PIN,
		};

		if (irq != ISA_CASCADE)
			entry_add(writer, &entry, sizeof(entry));
	}
}

static void entries_add(struct writer *writer, unsigned int cpus)
{
	static const struct mp_bus isa = {
		.type = MP_BUS, .id = ISA_BUS, .name = { 'I', 'S', 'A', ' ', ' ', ' ' },
	};
	static const struct mp_io_apic io_apic = {
		.type = MP_IO_APIC, .id = IO_APIC_ID, .version = IO_APIC_VERSION,
		.flags = IO_APIC_ENABLED, .address = IO_APIC_ADDRESS,
	};
	/* LINT0: the PIC's, for the first CPU; LINT1: NMI, for each */
	static const struct mp_interrupt local[] = {
		{ .type = MP_LOCAL_INTERRUPT, .kind = INTERRUPT_EXTERNAL, .pin = 0 },
		{ .type = MP_LOCAL_INTERRUPT, .kind = INTERRUPT_NMI, .apic = ALL_APICS, .pin = 1 },
	};

	cpus_add(writer, cpus);
	entry_add(writer, &isa, sizeof(isa));
	entry_add(writer, &io_apic, sizeof(io_apic));
	interrupts_add(writer);
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		entry_add(writer, &local[i], sizeof(local[i]));
}

bool mptable_write(const struct memory *memory, unsigned int cpus)
{
	struct mp_area *area = memory_at(memory, MPTABLE_ADDRESS, sizeof(*area));
	struct writer writer = { .area = area };

	if (!area || cpus > ACPI_CPUS)
		return false;
	memset(area, 0, sizeof(*area));
	writer.next = area->entries;
	area->header = (struct mp_header){
		.signature = { 'P', 'C', 'M', 'P' },
		.revision = REVISION_1_4,
		.oem_id = { 'M', 'I', 'N', 'I', 'V', 'M', 'M', ' ' },
		.product_id = { 'S', 'M', 'A', 'L', 'L', ' ', 'P', 'C', ' ', ' ', ' ', ' ' },
		.local_apic = LOCAL_APIC_ADDRESS,
	};
	entries_add(&writer, cpus);
	area->header.length = (uint16_t)(writer.next - (uint8_t *)&area->header);
	area->header.checksum = acpi_checksum(&area->header, area->header.length);
	area->pointer = (struct mp_pointer){
		.signature = { '_', 'M', 'P', '_' },
		.table = (uint32_t)(MPTABLE_ADDRESS + offsetof(struct mp_area, header)),
		.length = sizeof(area->pointer) / 16,
		.revision = REVISION_1_4,
	};
	area->pointer.checksum = acpi_checksum(&area->pointer, sizeof(area->pointer));
	return true;
}
