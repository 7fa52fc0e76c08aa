/* SPDX-License-Identifier: MIT */
/*
 * Intel's MP table ("MultiProcessor Specification", version 1.4), for guests without ACPI: the
 * floating pointer at 0xf0000, and the configuration table behind it.
 */
#ifndef MPTABLE_H
#define MPTABLE_H

#include "memory.h"

#define MPTABLE_ADDRESS		0xf0000ULL

/* Writes both, with CPUs whose APIC ids are 0, 1 ...; ids that 8 bits do not hold are left out.
 * false = there is no memory there. */
bool mptable_write(const struct memory *memory, unsigned int cpus);

#endif
