/* SPDX-License-Identifier: MIT */
/*
 * The keyboard controller (UPI-41AH/8042, as in IBM's "PS/2 Hardware Interface Technical
 * Reference") without keyboard or mouse: it is here because guests reset the machine by it. It
 * answers every command at once, and a byte for a device that is not there with a time-out, so that
 * drivers see quickly that nothing is plugged in. The FADT says that it is absent.
 * Port 0x92, "system control port A", is its fast way: bit 0 resets; A20 is always on.
 */
#ifndef I8042_H
#define I8042_H

#include "devices.h"

#define I8042_DATA	0x60
#define I8042_COMMAND	0x64
#define I8042_PORT_A	0x92
#define I8042_IRQ	1

struct i8042 {
	struct board *board;
	uint8_t status, control, output;
	uint8_t command;	/* waits for its data byte; 0 = none */
	bool level;
};

void i8042_attach(struct i8042 *chip, struct board *board);

int i8042_read(void *device, uint64_t address, void *data, unsigned int size);
int i8042_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
