/* SPDX-License-Identifier: MIT */
/*
 * A bus: who answers at which address. The machine has two, one for I/O ports and one for memory
 * that is not RAM. What nobody claims reads as all ones and ignores writes, as on a PC; overlaps
 * are refused.
 */
#ifndef BUS_H
#define BUS_H

#include <stddef.h>
#include <stdint.h>

#define BUS_RANGES 32

struct bus_range {
	const char *name;
	uint64_t first, last;
	/* `data`: 1, 2, 4 or 8 bytes, little-endian. NULL: reads as all ones, or ignores. A negative
	 * result stops the machine. */
	int (*read)(void *device, uint64_t address, void *data, unsigned int size);
	int (*write)(void *device, uint64_t address, const void *data, unsigned int size);
	void *device;
};

struct bus {
	struct bus_range range[BUS_RANGES];
	size_t ranges;
};

/* 0, or -EEXIST / -ENOSPC with error_last(). */
int bus_attach(struct bus *bus, const struct bus_range *range);

/* Both return the handler's result, or BUS_UNCLAIMED. */
#define BUS_UNCLAIMED 1
int bus_read(const struct bus *bus, uint64_t address, void *data, unsigned int size);
int bus_write(const struct bus *bus, uint64_t address, const void *data, unsigned int size);

#endif
