// SPDX-License-Identifier: MIT
// isa-debug-exit.
#include "debugexit.h"

#include "error.h"

#include <errno.h>
#include <string.h>

static int debugexit_read(void *device, uint64_t address, void *data, unsigned int size)
{
	(void)device;
	(void)address;
	memset(data, 0, size);
	return 0;
}

static int debugexit_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	uint32_t value = 0;

	(void)address;
	memcpy(&value, data, size < sizeof(value) ? size : sizeof(value));
	return board_stop(device, STOP_DEBUG_EXIT, value);
}

int debugexit_attach(struct board *board, unsigned int port, unsigned int size)
{
	const struct bus_range range = {
		.name = "isa-debug-exit",
		.first = port,
		.last = (uint64_t)port + size - 1,
		.read = debugexit_read,
		.write = debugexit_write,
		.device = board,
	};

	if (port > 0xffff || size == 0 || size > 0x10000 - port)
		return fail(EINVAL, "debugexit_attach", "isa-debug-exit: no ports 0x%x+0x%x", port,
			    size);
	return bus_attach(&board->ports, &range);
}
