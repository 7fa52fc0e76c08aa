/* SPDX-License-Identifier: MIT */
/*
 * The clock and its CMOS memory (Motorola MC146818A data sheet): index at 0x70, data at 0x71. The
 * time is the host's, in UTC; a guest that sets it gets a clock of its own, as far from the host's
 * as it likes. Also tells, in the cells that PC BIOSes use, how much memory there is.
 * Missing: interrupts and their flags. The alarm can be stored, and never rings.
 */
#ifndef CMOS_H
#define CMOS_H

#include "devices.h"

#define CMOS_PORT	0x70
#define CMOS_CELLS	128
#define CMOS_CENTURY	0x32	/* the cell; the FADT names it */

struct cmos {
	uint8_t index;
	uint8_t cell[CMOS_CELLS];
	int64_t ahead;		/* of the host's clock, in seconds */
};

void cmos_attach(struct cmos *cmos, const struct board *board);

int cmos_read(void *device, uint64_t address, void *data, unsigned int size);
int cmos_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
