/* SPDX-License-Identifier: MIT */
/*
 * Intel's MP table ("MultiProcessor Specification", version 1.4), for guests without ACPI: the
 * floating pointer at 0xf0000, and the configuration table behind it.
 */
#ifndef MPTABLE_H
#define MPTABLE_H

#include "memory.h"

#define MPTABLE_ADDRESS		0xf0000ULL

/* Writes both, with `cpus` (1 to ACPI_CPUS) CPUs whose APIC ids are 0, 1 ... false = there is no
 * memory there, or too many CPUs. */
bool mptable_write(const struct memory *memory, unsigned int cpus);

#endif
