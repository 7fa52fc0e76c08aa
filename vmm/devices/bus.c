// SPDX-License-Identifier: MIT
// The I/O port bus.
#include "bus.h"

#include "error.h"

#include <errno.h>
#include <string.h>

int bus_attach(struct bus *bus, const struct bus_range *range)
{
	for (size_t i = 0; i < bus->ranges; i++) {
		const struct bus_range *other = &bus->range[i];

		if (range->first <= other->last && other->first <= range->last)
			return fail(EEXIST, "bus_attach", "ports 0x%x-0x%x of %s overlap %s",
				    range->first, range->last, range->name, other->name);
	}
	if (bus->ranges == BUS_RANGES)
		return fail(ENOSPC, "bus_attach", "no room on the bus for %s", range->name);
	bus->range[bus->ranges++] = *range;
	return 0;
}

static const struct bus_range *range_find(const struct bus *bus, uint16_t port)
{
	for (size_t i = 0; i < bus->ranges; i++)
		if (port >= bus->range[i].first && port <= bus->range[i].last)
			return &bus->range[i];
	return NULL;
}

int bus_read(const struct bus *bus, uint16_t port, void *data, unsigned int size)
{
	const struct bus_range *range = range_find(bus, port);

	memset(data, 0xff, size);
	return range && range->read ? range->read(range->device, port, data, size) : 0;
}

int bus_write(const struct bus *bus, uint16_t port, const void *data, unsigned int size)
{
	const struct bus_range *range = range_find(bus, port);

	return range && range->write ? range->write(range->device, port, data, size) : 0;
}
