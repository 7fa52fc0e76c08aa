/* SPDX-License-Identifier: MIT */
/*
 * The debug console: a port whose bytes are printed. 0xe9 is Bochs's ("port e9 hack"), 0x402 is
 * the one that firmware writes to. Reading either gives 0xe9, by which guests find out that it is
 * there.
 */
#ifndef DEBUGCON_H
#define DEBUGCON_H

#include "devices.h"

struct debugcon {
	struct output output;
};

void debugcon_attach(struct debugcon *debugcon, struct output output);

int debugcon_read(void *device, uint64_t address, void *data, unsigned int size);
int debugcon_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
