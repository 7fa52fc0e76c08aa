/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables ("Advanced Configuration and Power Interface Specification", chapter 5) that
 * describe the small PC, for parsers of revision 1 and of revision 2 and later: RSDP, RSDT, XSDT,
 * FADT, FACS, MADT, and a DSDT that holds \_S5 alone. No HPET, no PCI, no \_S3.
 */
#ifndef ACPI_TABLES_H
#define ACPI_TABLES_H

#include "memory.h"

#define LOCAL_APIC_ADDRESS	0xfee00000U
#define IO_APIC_ADDRESS		0xfec00000U
#define IO_APIC_ID		0	/* what KVM's has at reset */
#define IO_APIC_TIMER_PIN	2	/* where ISA IRQ 0 arrives, as on PCs */

#define ACPI_CPUS		254	/* APIC ids of 8 bits, of which 255 is all */

/* Writes the tables to the BIOS area, with `cpus` (1 to ACPI_CPUS) CPUs whose APIC ids are 0, 1 ...
 * Returns the RSDP's address, for a boot protocol that passes it on; 0 = there is no memory there,
 * or too many CPUs: no tables. */
gpa_t acpi_tables_write(const struct memory *memory, unsigned int cpus);

/* What makes `size` bytes, whose own checksum byte is 0, add up to 0: as ACPI and MP tables do. */
uint8_t acpi_checksum(const void *bytes, size_t size);

#endif
