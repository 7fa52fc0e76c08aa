// SPDX-License-Identifier: MIT
// PCI host bridge without PCI.
#include "pci_host.h"

#include <string.h>

enum {
	RESET_SYSTEM = BIT(1),	/* hard, not soft: nobody can tell */
	RESET_CPU = BIT(2),	/* now */
	RESET_FULL = BIT(3),	/* with the power off for a moment */
};

#define ADDRESS_BITS	0x80fffffcU	/* enable, bus, device, function, register */

int pci_host_read(void *device, uint64_t address, void *data, unsigned int size)
{
	const struct pci_host *pci = device;

	if (address == PCI_HOST_PORT && size == sizeof(pci->address))
		memcpy(data, &pci->address, size);
	else if (address == PCI_HOST_RESET)
		*(uint8_t *)data = pci->reset;
	return 0;
}

/* The address register takes whole dwords only, which is why 0xcf9 could be put there. */
int pci_host_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct pci_host *pci = device;

	if (address == PCI_HOST_PORT && size == sizeof(pci->address)) {
		memcpy(&pci->address, data, size);
		pci->address &= ADDRESS_BITS;
	} else if (address == PCI_HOST_RESET) {
		pci->reset = *(const uint8_t *)data & (RESET_SYSTEM | RESET_FULL);
		if (*(const uint8_t *)data & RESET_CPU)
			return board_stop(pci->board, STOP_RESET, 0);
	}
	return 0;
}

void pci_host_attach(struct pci_host *pci, struct board *board)
{
	*pci = (struct pci_host){ .board = board };
}
