/* SPDX-License-Identifier: MIT */
/*
 * Power management: the registers of ACPI's fixed hardware ("ACPI Hardware Specification"), at
 * the ports where QEMU's PC has them:
 *	0x600	PM1 status	nothing ever happens: always 0
 *	0x602	PM1 enable	storable
 *	0x604	PM1 control	SCI_EN is always on: there is no legacy mode and no SMI_CMD
 *	0x608	PM timer	24 bits at 3.579545 MHz, from CLOCK_MONOTONIC
 * SLP_EN with the sleep type of \_S5, or with 0 as QEMU's guests write it, powers off. So do two
 * older ways: 0x2000 to port 0xb004 and the word "Shutdown" to port 0x8900 (Bochs).
 * Missing: the power button, the timer's carry status, every sleep but \_S5; so no SCI is raised.
 */
#ifndef ACPI_PM_H
#define ACPI_PM_H

#include "devices.h"

#define ACPI_PM1_EVENT		0x600
#define ACPI_PM1_EVENT_SIZE	4
#define ACPI_PM1_CONTROL	0x604
#define ACPI_PM1_CONTROL_SIZE	2
#define ACPI_PM_TIMER		0x608
#define ACPI_PM_TIMER_SIZE	4
#define ACPI_PM_LAST		0x60b
#define ACPI_SCI		9	/* ISA IRQ and GSI */
#define ACPI_S5_TYPE		5	/* SLP_TYP that the DSDT's \_S5 names */

#define ACPI_PM_OLD_CONTROL	0xb004	/* two ports */
#define ACPI_PM_BOCHS		0x8900

struct acpi_pm {
	struct board *board;
	uint8_t registers[6];	/* PM1: status, enable, control */
	unsigned int matched;	/* letters of "Shutdown" so far */
};

void acpi_pm_attach(struct acpi_pm *pm, struct board *board);

int acpi_pm_read(void *device, uint64_t address, void *data, unsigned int size);
int acpi_pm_write(void *device, uint64_t address, const void *data, unsigned int size);
int acpi_pm_old_write(void *device, uint64_t address, const void *data, unsigned int size);
int acpi_pm_bochs_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
