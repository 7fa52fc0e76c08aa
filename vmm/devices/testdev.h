/* SPDX-License-Identifier: MIT */
/*
 * pc-testdev, the helper of kvm-unit-tests:
 *	0xe0-0xe3, 0xe8-0xeb	one 32-bit register that echoes, by byte lanes; 0xe9 is the debug
 *				console's (no test uses the second range)
 *	0xe4			the address of a page: it is unmapped from this process and mapped
 *				again, so that KVM has to forget its translations; 32 bits wide only
 *	0x2000-0x2017		sets interrupt line n to (value != 0)
 *	MMIO 0xff000000		64 KiB that hold what is written, but are no RAM: every access is
 *				emulated
 */
#ifndef TESTDEV_H
#define TESTDEV_H

#include "devices.h"

#define TESTDEV_ECHO		0xe0
#define TESTDEV_FLUSH		0xe4
#define TESTDEV_IRQ		0x2000
#define TESTDEV_IRQS		24
#define TESTDEV_MMIO		0xff000000ULL
#define TESTDEV_MMIO_SIZE	0x10000

struct testdev {
	struct board *board;
	uint8_t echo[4];
	uint8_t mmio[TESTDEV_MMIO_SIZE];
};

void testdev_attach(struct testdev *testdev, struct board *board);

int testdev_read(void *device, uint64_t address, void *data, unsigned int size);
int testdev_write(void *device, uint64_t address, const void *data, unsigned int size);
int testdev_irq_write(void *device, uint64_t address, const void *data, unsigned int size);
int testdev_mmio_read(void *device, uint64_t address, void *data, unsigned int size);
int testdev_mmio_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
