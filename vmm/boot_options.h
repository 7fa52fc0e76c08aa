/* SPDX-License-Identifier: MIT */
/*
 * What --kernel is asked to boot, and the machine around it, as the command line says it. Strings
 * point into argv or are constants. Nothing here was opened or asked of KVM yet.
 */
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include "boot.h"
#include "cpu_model.h"
#include "machine.h"

enum boot_machine {
	BOOT_MACHINE_PC,		/* the default */
	BOOT_MACHINE_Q35,
	BOOT_MACHINE_MICROVM,
};

enum boot_serial {
	BOOT_SERIAL_NONE,	/* no UART: also what -nodefaults without -serial means */
	BOOT_SERIAL_NULL,	/* a UART whose output goes nowhere */
	BOOT_SERIAL_STDIO,	/* the default */
	BOOT_SERIAL_FILE,	/* output to `serial_path` */
};

struct boot_options {
	const char *kernel;			/* path; NULL only where COMMAND_KERNEL is not it */
	const char *initrd[BOOT_MODULES];	/* paths, in the order given */
	size_t initrds;
	const char *append;			/* never NULL */
	const struct boot_protocol *format;	/* NULL = sniff */
	gpa_t flat_address;			/* &boot_flat alone */
	enum start_mode flat_mode;

	struct cpu_model cpu;			/* --nested off is in it already */
	enum boot_nested { BOOT_NESTED_AUTO, BOOT_NESTED_ON, BOOT_NESTED_OFF } nested;
	unsigned int cpus;			/* 1 to BOOT_CPUS_MAX */
	uint64_t memory_size;			/* bytes, page-aligned */
	unsigned int timeout_ms;		/* 0 = never */

	enum boot_machine machine;
	bool no_pit;				/* -machine pit=off */
	bool pit_discard; /* lost ticks are not made up for (pit_reinject = 0) */
	bool cpu_pm;				/* HLT, MWAIT and PAUSE do not exit */
	bool no_acpi;				/* -machine acpi=off */
	enum boot_serial serial;
	const char *serial_path;
	bool pc_testdev;
	bool debug_exit;			/* isa-debug-exit at these ports: */
	uint16_t debug_exit_port, debug_exit_size;
	bool strict_io;				/* name accesses that nothing answers */
};

#define BOOT_CPUS_MAX		MACHINE_CPUS
#define BOOT_MEMORY_DEFAULT	(128ULL << 20)
#define BOOT_MEMORY_MIN		(1ULL << 20)
#define BOOT_MEMORY_MAX		(1ULL << 40)

#endif
