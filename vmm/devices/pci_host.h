/* SPDX-License-Identifier: MIT */
/*
 * The PCI host bridge's ports ("PCI Local Bus Specification", configuration mechanism #1): an
 * address register at 0xcf8, and data at 0xcfc that are all ones, since there is no device, not
 * even the bridge itself. Inside of the address register lies the reset control register, 0xcf9
 * (Intel's south bridges, "RST_CNT"): RST_CPU resets the machine; so it is what the FADT names.
 */
#ifndef PCI_HOST_H
#define PCI_HOST_H

#include "devices.h"

#define PCI_HOST_PORT		0xcf8
#define PCI_HOST_RESET		0xcf9
#define PCI_HOST_RESET_VALUE	0x06	/* SYS_RST, RST_CPU */
#define PCI_HOST_LAST		0xcff

struct pci_host {
	struct board *board;
	uint32_t address;
	uint8_t reset;
};

void pci_host_attach(struct pci_host *pci, struct board *board);

int pci_host_read(void *device, uint64_t address, void *data, unsigned int size);
int pci_host_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
