// SPDX-License-Identifier: MIT
// A bus.
#include "bus.h"

#include "error.h"

#include <errno.h>
#include <string.h>

int bus_attach(struct bus *bus, const struct bus_range *range)
{
	for (size_t i = 0; i < bus->ranges; i++) {
		const struct bus_range *other = &bus->range[i];

		if (range->first <= other->last && other->first <= range->last)
			return fail(EEXIST, "bus_attach", "0x%llx-0x%llx of %s overlaps %s",
				    (unsigned long long)range->first,
				    (unsigned long long)range->last, range->name, other->name);
	}
	if (bus->ranges == BUS_RANGES)
		return fail(ENOSPC, "bus_attach", "no room on the bus for %s", range->name);
	bus->range[bus->ranges++] = *range;
	return 0;
}

static const struct bus_range *range_find(const struct bus *bus, uint64_t address)
{
	for (size_t i = 0; i < bus->ranges; i++)
		if (address >= bus->range[i].first && address <= bus->range[i].last)
			return &bus->range[i];
	return NULL;
}

int bus_read(const struct bus *bus, uint64_t address, void *data, unsigned int size)
{
	const struct bus_range *range = range_find(bus, address);

	memset(data, 0xff, size);
	return range && range->read ? range->read(range->device, address, data, size) : BUS_UNCLAIMED;
}

int bus_write(const struct bus *bus, uint64_t address, const void *data, unsigned int size)
{
	const struct bus_range *range = range_find(bus, address);

	return range && range->write ? range->write(range->device, address, data, size) : BUS_UNCLAIMED;
}
