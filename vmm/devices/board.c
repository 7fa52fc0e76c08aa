// SPDX-License-Identifier: MIT
// The small PC's board.
#include "board.h"

#include <errno.h>

struct socket {
	struct bus_range range;	/* its `device` is filled in */
	size_t device;		/* offset in struct devices */
	bool mmio;
	bool testdev;		/* only where asked for */
	bool pit;		/* only with it */
};

#define CHIP(chip, from, to, reads, writes) \
	.range = { #chip, from, to, reads, writes, NULL }, .device = offsetof(struct devices, chip)

/* KVM's own: no access to them comes here, and nothing else may have these ports. */
#define IN_KVM(chip, from, to) .range = { chip, from, to, NULL, NULL, NULL }

/* Whatever is not here reads as all ones and ignores writes. In ascending order. */
static const struct socket sockets[] = {
	{ IN_KVM("the PIC", 0x20, 0x21) },
	{ IN_KVM("the PIT", 0x40, 0x43), .pit = true },
	{ CHIP(i8042, I8042_DATA, I8042_DATA, i8042_read, i8042_write) },
	{ IN_KVM("the PIT", 0x61, 0x61), .pit = true },
	{ CHIP(i8042, I8042_COMMAND, I8042_COMMAND, i8042_read, i8042_write) },
	{ CHIP(cmos, CMOS_PORT, CMOS_PORT + 1, cmos_read, cmos_write) },
	{ CHIP(i8042, I8042_PORT_A, I8042_PORT_A, i8042_read, i8042_write) },
	{ IN_KVM("the PIC", 0xa0, 0xa1) },
	{ CHIP(bios, BIOS_PORT, BIOS_PORT, NULL, bios_write) },
	{ CHIP(testdev, 0xe0, 0xe8, testdev_read, testdev_write), .testdev = true },
	{ CHIP(debugcon, 0xe9, 0xe9, debugcon_read, debugcon_write) },
	{ CHIP(testdev, 0xea, 0xeb, testdev_read, testdev_write), .testdev = true },
	/* 0xf4: isa-debug-exit, by its own board_config */
	{ CHIP(uart, COM1_PORT, COM1_PORT + 7, uart16550_read, uart16550_write) },
	{ CHIP(debugcon, 0x402, 0x402, debugcon_read, debugcon_write) },
	{ IN_KVM("the PIC", 0x4d0, 0x4d1) },
	{ CHIP(fw_cfg, FW_CFG_PORT, FW_CFG_PORT + 1, fw_cfg_read, fw_cfg_write) },
	{ CHIP(fw_cfg, FW_CFG_DMA, FW_CFG_DMA + 7, fw_cfg_dma_read, fw_cfg_dma_write) },
	{ CHIP(acpi_pm, ACPI_PM1_EVENT, ACPI_PM_LAST, acpi_pm_read, acpi_pm_write) },
	{ CHIP(pci_host, PCI_HOST_PORT, PCI_HOST_LAST, pci_host_read, pci_host_write) },
	{ CHIP(testdev, TESTDEV_IRQ, TESTDEV_IRQ + TESTDEV_IRQS - 1, NULL, testdev_irq_write),
	  .testdev = true },
	{ CHIP(acpi_pm, ACPI_PM_BOCHS, ACPI_PM_BOCHS, NULL, acpi_pm_bochs_write) },
	{ CHIP(acpi_pm, ACPI_PM_OLD_CONTROL, ACPI_PM_OLD_CONTROL + 1, NULL, acpi_pm_old_write) },
	{ CHIP(testdev, TESTDEV_MMIO, TESTDEV_MMIO + TESTDEV_MMIO_SIZE - 1, testdev_mmio_read,
	       testdev_mmio_write), .testdev = true, .mmio = true },
};

static void devices_power_on(struct board *board, struct devices *devices, struct output output)
{
	i8042_attach(&devices->i8042, board);
	cmos_attach(&devices->cmos, board);
	testdev_attach(&devices->testdev, board);
	debugcon_attach(&devices->debugcon, output);
	uart16550_attach(&devices->uart, board, output);
	fw_cfg_attach(&devices->fw_cfg, board);
	acpi_pm_attach(&devices->acpi_pm, board);
	pci_host_attach(&devices->pci_host, board);
	bios_attach(&devices->bios, board, output, &devices->uart, &devices->cmos);
}

int board_attach_all(struct board *board, struct devices *devices,
		     const struct board_config *config)
{
	devices_power_on(board, devices, config->output);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		const struct socket *socket = &sockets[i];
		struct bus_range range = socket->range;
		int r;

		if ((socket->testdev && !config->testdev) || (socket->pit && !config->pit))
			continue;
		range.device = (char *)devices + socket->device;
		r = bus_attach(socket->mmio ? &board->mmio : &board->ports, &range);
		if (r < 0)
			return r;
	}
	if (config->debugexit_size == 0)
		return 0;
	return debugexit_attach(board, config->debugexit_port, config->debugexit_size);
}

int board_stop(struct board *board, enum stop stop, uint32_t value)
{
	if (board->stop == STOP_NONE) {
		board->stop = stop;
		board->value = value;
	}
	return -ECANCELED;
}

int board_line(const struct board *board, unsigned int line, bool level, bool *now)
{
	int r;

	if (level == *now)
		return 0;
	r = board->vm ? vm_irq_line(board->vm, line, level) : 0;
	if (r == 0)
		*now = level;
	return r < 0 ? r : 0;
}
