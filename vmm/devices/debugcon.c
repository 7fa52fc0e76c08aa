// SPDX-License-Identifier: MIT
// Debug console.
#include "debugcon.h"

#define PRESENT 0xe9

int debugcon_read(void *device, uint64_t address, void *data, unsigned int size)
{
	(void)device;
	(void)address;
	(void)size;
	*(uint8_t *)data = PRESENT;
	return 0;
}

int debugcon_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct debugcon *debugcon = device;

	(void)address;
	(void)size;
	return debugcon->output.write(debugcon->output.sink, data, 1);
}

void debugcon_attach(struct debugcon *debugcon, struct output output)
{
	debugcon->output = output;
}
