/* SPDX-License-Identifier: MIT */
/*
 * The I/O port bus: who answers at which port. Ports that nobody claims read as all ones and
 * ignore writes, as on a PC. Overlaps are refused.
 */
#ifndef BUS_H
#define BUS_H

#include <stddef.h>
#include <stdint.h>

#define BUS_RANGES 32

struct bus_range {
	const char *name;
	uint16_t first, last;
	/* `data`: 1, 2 or 4 bytes, little-endian. NULL: reads as all ones, or ignores. A negative
	 * result stops the machine. */
	int (*read)(void *device, uint16_t port, void *data, unsigned int size);
	int (*write)(void *device, uint16_t port, const void *data, unsigned int size);
	void *device;
};

struct bus {
	struct bus_range range[BUS_RANGES];
	size_t ranges;
};

/* 0, or -EEXIST / -ENOSPC with error_last(). */
int bus_attach(struct bus *bus, const struct bus_range *range);

int bus_read(const struct bus *bus, uint16_t port, void *data, unsigned int size);
int bus_write(const struct bus *bus, uint16_t port, const void *data, unsigned int size);

#endif
