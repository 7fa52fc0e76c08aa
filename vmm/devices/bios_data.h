/* SPDX-License-Identifier: MIT */
/*
 * What a BIOS leaves in its data area at 0x400: where COM1 is, where the EBDA begins, how much base
 * memory there is. Kernels read it to learn what they may use below 1 MiB (Xen, Linux).
 */
#ifndef BIOS_DATA_H
#define BIOS_DATA_H

#include "memory.h"

/* Nothing happens where there is no memory for it. */
void bios_data_write(const struct memory *memory);

#endif
