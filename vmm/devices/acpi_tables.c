// SPDX-License-Identifier: MIT
// ACPI tables.
#include "acpi_tables.h"

#include "acpi_pm.h"
#include "cmos.h"
#include "pci_host.h"

#include <string.h>

#define AREA	BIOS_START	/* where all of it lies */

#define AT(type, member, offset) \
	_Static_assert(offsetof(struct type, member) == (offset), #type "." #member)

/* --- "ACPI System Description Tables": their layout ------------------------------------------- */

#define PACKED __attribute__((packed))

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;		/* all bytes of the table add up to 0 */
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} PACKED;
_Static_assert(sizeof(struct acpi_header) == 36, "acpi_header");

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;		/* of the first 20 bytes, revision 1's */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved_33[3];
} PACKED;
AT(acpi_rsdp, length, 20);
_Static_assert(sizeof(struct acpi_rsdp) == 36, "acpi_rsdp");

struct acpi_rsdt {
	struct acpi_header header;
	uint32_t fadt, madt;
} PACKED;

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t fadt, madt;
} PACKED;

/* "Generic Address Structure" */
struct acpi_register {
	uint8_t space, bits, bit_offset, access;
	uint64_t address;
} PACKED;
_Static_assert(sizeof(struct acpi_register) == 12, "acpi_register");

/* As of ACPI 3.0 */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved_44;
	uint8_t profile;
	uint16_t sci;
	uint32_t smi_command;		/* 0: there is no SMM, and ACPI is always on */
	uint8_t smi_values[4];
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_size, pm1_control_size, pm2_control_size, pm_timer_size;
	uint8_t gpe0_size, gpe1_size, gpe1_base, cstate_control;
	uint16_t c2_latency, c3_latency;
	uint16_t flush_size, flush_stride;
	uint8_t duty_offset, duty_width;
	uint8_t alarm_day, alarm_month, century;
	uint16_t boot_flags;
	uint8_t reserved_111;
	uint32_t flags;
	struct acpi_register reset;
	uint8_t reset_value;
	uint8_t reserved_129[3];
	uint64_t x_facs, x_dsdt;
	struct acpi_register x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_register x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
} PACKED;
AT(acpi_fadt, sci, 46);
AT(acpi_fadt, pm1a_event, 56);
AT(acpi_fadt, pm_timer, 76);
AT(acpi_fadt, pm1_event_size, 88);
AT(acpi_fadt, c2_latency, 96);
AT(acpi_fadt, century, 108);
AT(acpi_fadt, boot_flags, 109);
AT(acpi_fadt, flags, 112);
AT(acpi_fadt, reset, 116);
AT(acpi_fadt, x_facs, 132);
AT(acpi_fadt, x_pm_timer, 208);
_Static_assert(sizeof(struct acpi_fadt) == 244, "acpi_fadt");

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved_33[31];
} PACKED;
_Static_assert(sizeof(struct acpi_facs) == 64, "acpi_facs");

struct acpi_madt {
	struct acpi_header header;
	uint32_t local_apic;
	uint32_t flags;
} PACKED;

struct madt_local_apic {
	uint8_t type, length, uid, id;
	uint32_t flags;
} PACKED;
_Static_assert(sizeof(struct madt_local_apic) == 8, "madt_local_apic");

struct madt_io_apic {
	uint8_t type, length, id;
	uint8_t reserved_3;
	uint32_t address, first_gsi;
} PACKED;
_Static_assert(sizeof(struct madt_io_apic) == 12, "madt_io_apic");

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} PACKED;
_Static_assert(sizeof(struct madt_override) == 10, "madt_override");

struct madt_nmi {
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t pin;
} PACKED;
_Static_assert(sizeof(struct madt_nmi) == 6, "madt_nmi");

enum {
	SPACE_IO = 1,
	ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3,

	BOOT_LEGACY_DEVICES = BIT(0), BOOT_NO_VGA = BIT(2),	/* not BIT(1): no 8042 */

	FADT_WBINVD = BIT(0), FADT_C1 = BIT(2), FADT_NO_POWER_BUTTON = BIT(4),
	FADT_NO_SLEEP_BUTTON = BIT(5), FADT_NO_RTC_WAKE = BIT(6), FADT_RESET_REGISTER = BIT(10),

	LATENCY_NO_C2 = 101, LATENCY_NO_C3 = 1001,

	MADT_LOCAL_APIC = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4,
	MADT_HAS_PIC = BIT(0), CPU_ENABLED = BIT(0),
	LEVEL_ACTIVE_HIGH = 0xd,
	ALL_CPUS = 0xff, NMI_PIN = 1,
};

/* --- where each of them lies ------------------------------------------------------------------ */

/* Name (\_S5, Package () { 5, 5, 0, 0 }) */
static const uint8_t s5_aml[] = {
	0x08, 0x5c, '_', 'S', '5', '_',		/* NameOp, root, name */
	0x12, 0x08, 0x04,			/* PackageOp, length from itself, elements */
	0x0a, ACPI_S5_TYPE, 0x0a, ACPI_S5_TYPE, 0x00, 0x00,
};

/* The FACS is 64-aligned, by the specification; the rest for the eye. */
struct acpi_area {
	struct acpi_rsdp rsdp __attribute__((aligned(64)));
	struct acpi_rsdt rsdt __attribute__((aligned(64)));
	struct acpi_xsdt xsdt __attribute__((aligned(64)));
	struct acpi_fadt fadt __attribute__((aligned(64)));
	struct acpi_facs facs __attribute__((aligned(64)));
	struct {
		struct acpi_header header;
		uint8_t aml[sizeof(s5_aml)];
	} PACKED dsdt __attribute__((aligned(64)));
	struct {
		struct acpi_madt head;
		uint8_t entries[ACPI_CPUS * sizeof(struct madt_local_apic) + 64];
	} PACKED madt __attribute__((aligned(64)));
};
_Static_assert(sizeof(struct acpi_area) <= 0x10000, "the MP table lies behind it");

#define WHERE(member)	((uint32_t)(AREA + offsetof(struct acpi_area, member)))

/* --- writing ---------------------------------------------------------------------------------- */

uint8_t acpi_checksum(const void *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)bytes)[i];
	return (uint8_t)-sum;
}

/* A table that is complete but for its header. */
static void table_seal(struct acpi_header *header, const char *signature, uint8_t revision,
		       size_t size)
{
	*header = (struct acpi_header){
		.length = (uint32_t)size,
		.revision = revision,
		.oem_id = { 'M', 'I', 'N', 'I', 'V', 'M' },
		.oem_table_id = { 'M', 'I', 'N', 'I', 'V', 'M', 'M', ' ' },
		.oem_revision = 1,
		.creator_id = { 'M', 'V', 'M', 'M' },
		.creator_revision = 1,
	};
	memcpy(header->signature, signature, sizeof(header->signature));
	header->checksum = acpi_checksum(header, size);
}

static struct acpi_register io_register(uint16_t port, uint8_t bytes, uint8_t access)
{
	return (struct acpi_register){
		.space = SPACE_IO, .bits = (uint8_t)(8 * bytes), .access = access, .address = port,
	};
}

static void rsdp_write(struct acpi_rsdp *rsdp)
{
	*rsdp = (struct acpi_rsdp){
		.signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.oem_id = { 'M', 'I', 'N', 'I', 'V', 'M' },
		.revision = 2,
		.rsdt = WHERE(rsdt),
		.length = sizeof(*rsdp),
		.xsdt = WHERE(xsdt),
	};
	rsdp->checksum = acpi_checksum(rsdp, offsetof(struct acpi_rsdp, length));
	rsdp->checksum_all = acpi_checksum(rsdp, sizeof(*rsdp));
}

static void fadt_write(struct acpi_fadt *fadt)
{
	*fadt = (struct acpi_fadt){
		.facs = WHERE(facs),		/* of the two, x_facs then has to be 0 */
		.dsdt = WHERE(dsdt),
		.sci = ACPI_SCI,
		.pm1a_event = ACPI_PM1_EVENT,
		.pm1a_control = ACPI_PM1_CONTROL,
		.pm_timer = ACPI_PM_TIMER,
		.pm1_event_size = ACPI_PM1_EVENT_SIZE,
		.pm1_control_size = ACPI_PM1_CONTROL_SIZE,
		.pm_timer_size = ACPI_PM_TIMER_SIZE,
		.c2_latency = LATENCY_NO_C2,
		.c3_latency = LATENCY_NO_C3,
		.century = CMOS_CENTURY,
		.boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA,
		.flags = FADT_WBINVD | FADT_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON |
			 FADT_NO_RTC_WAKE | FADT_RESET_REGISTER,
		.reset = io_register(PCI_HOST_RESET, 1, ACCESS_BYTE),
		.reset_value = PCI_HOST_RESET_VALUE,
		.x_dsdt = WHERE(dsdt),
		.x_pm1a_event = io_register(ACPI_PM1_EVENT, ACPI_PM1_EVENT_SIZE, ACCESS_WORD),
		.x_pm1a_control = io_register(ACPI_PM1_CONTROL, ACPI_PM1_CONTROL_SIZE, ACCESS_WORD),
		.x_pm_timer = io_register(ACPI_PM_TIMER, ACPI_PM_TIMER_SIZE, ACCESS_DWORD),
	};
	table_seal(&fadt->header, "FACP", 4, sizeof(*fadt));
}

static size_t madt_cpu_write(uint8_t *at, uint32_t id)
{
	const struct madt_local_apic apic = {
		.type = MADT_LOCAL_APIC, .length = sizeof(apic), .uid = (uint8_t)id,
		.id = (uint8_t)id, .flags = CPU_ENABLED,
	};

	memcpy(at, &apic, sizeof(apic));
	return sizeof(apic);
}

/* What is no CPU. */
static const struct {
	struct madt_io_apic io_apic;
	struct madt_override timer, sci;
	struct madt_nmi nmi;
} PACKED madt_rest = {
	.io_apic = { .type = MADT_IO_APIC, .length = sizeof(struct madt_io_apic), .id = IO_APIC_ID,
		     .address = IO_APIC_ADDRESS },
	.timer = { .type = MADT_OVERRIDE, .length = sizeof(struct madt_override), .irq = 0,
		   .gsi = IO_APIC_TIMER_PIN },
	.sci = { .type = MADT_OVERRIDE, .length = sizeof(struct madt_override), .irq = ACPI_SCI,
		 .gsi = ACPI_SCI, .flags = LEVEL_ACTIVE_HIGH },
	.nmi = { .type = MADT_NMI, .length = sizeof(struct madt_nmi), .uid = ALL_CPUS,
		 .pin = NMI_PIN },
};
_Static_assert(sizeof(madt_rest) <= 64, "acpi_area.madt has room for it");

static void madt_write(struct acpi_area *area, unsigned int cpus)
{
	uint8_t *at = area->madt.entries;

	area->madt.head = (struct acpi_madt){
		.local_apic = LOCAL_APIC_ADDRESS,
		.flags = MADT_HAS_PIC,
	};
	for (unsigned int id = 0; id < cpus; id++)
		at += madt_cpu_write(at, id);
	memcpy(at, &madt_rest, sizeof(madt_rest));
	at += sizeof(madt_rest);
	table_seal(&area->madt.head.header, "APIC", 3, (size_t)(at - (uint8_t *)&area->madt));
}

gpa_t acpi_tables_write(const struct memory *memory, unsigned int cpus)
{
	struct acpi_area *area = memory_at(memory, AREA, sizeof(*area));

	if (!area || cpus > ACPI_CPUS)
		return 0;
	memset(area, 0, sizeof(*area));
	rsdp_write(&area->rsdp);
	area->rsdt.fadt = WHERE(fadt);
	area->rsdt.madt = WHERE(madt);
	table_seal(&area->rsdt.header, "RSDT", 1, sizeof(area->rsdt));
	area->xsdt.fadt = WHERE(fadt);
	area->xsdt.madt = WHERE(madt);
	table_seal(&area->xsdt.header, "XSDT", 1, sizeof(area->xsdt));
	fadt_write(&area->fadt);
	area->facs = (struct acpi_facs){
		.signature = { 'F', 'A', 'C', 'S' }, .length = sizeof(area->facs), .version = 1,
	};
	memcpy(area->dsdt.aml, s5_aml, sizeof(s5_aml));
	table_seal(&area->dsdt.header, "DSDT", 2, sizeof(area->dsdt));
	madt_write(area, cpus);
	return WHERE(rsdp);
}
