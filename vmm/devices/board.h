/* SPDX-License-Identifier: MIT */
/*
 * The small PC: which devices there are, and where. The PIC, the I/O APIC, the local APICs and the
 * PIT (ports 0x20, 0x40, 0x61, 0xa0, 0x4d0) are KVM's.
 */
#ifndef BOARD_H
#define BOARD_H

#include "acpi_pm.h"
#include "bios.h"
#include "cmos.h"
#include "debugcon.h"
#include "debugexit.h"
#include "fw_cfg.h"
#include "i8042.h"
#include "pci_host.h"
#include "testdev.h"
#include "uart16550.h"

struct devices {
	struct uart16550 uart;
	struct debugcon debugcon;
	struct acpi_pm acpi_pm;
	struct pci_host pci_host;
	struct i8042 i8042;
	struct cmos cmos;
	struct fw_cfg fw_cfg;
	struct testdev testdev;
	struct bios bios;
};

struct board_config {
	struct output output;		/* of COM1 and of the debug console */
	unsigned int debugexit_port;
	unsigned int debugexit_size;	/* 0 = there is none */
	bool testdev;
	bool pit;
};

/* Powers all devices on and puts them on the board, whose `memory` and `cpus` are set. `devices`
 * outlives the machine and stays where it is. Negative errno with error_last(). */
int board_attach_all(struct board *board, struct devices *devices,
		     const struct board_config *config);

#endif
