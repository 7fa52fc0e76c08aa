// SPDX-License-Identifier: MIT
// fw_cfg by its ports and by DMA: signature, memory, CPUs, the directory of files, an unknown key.
#include "kernel.h"

MULTIBOOT_KERNEL;

enum { SIGNATURE = 0, ID = 1, RAM_SIZE = 3, CPUS = 5, DIRECTORY = 0x19, DMA_READ = 2, DMA_SELECT = 8 };

static uint64_t item(uint16_t key, unsigned int size)
{
	uint64_t value = 0;

	outw(0x510, key);
	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)inb(0x511) << 8 * i;
	return value;
}

static volatile struct {
	uint32_t control, length;
	uint32_t address_high, address;
} request;	/* big-endian */

static uint32_t dma_signature(void)
{
	static volatile uint32_t read;

	request.control = __builtin_bswap32(SIGNATURE << 16 | DMA_SELECT | DMA_READ);
	request.length = __builtin_bswap32(sizeof(read));
	request.address = __builtin_bswap32((uint32_t)&read);
	outl(0x514, 0);
	outl(0x518, __builtin_bswap32((uint32_t)&request));
	return request.control ? 0 : read;
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	(void)magic, (void)info;
	CHECK(item(SIGNATURE, 4) == 0x554d4551);	/* "QEMU" */
	CHECK(item(ID, 4) == 3);			/* ports and DMA */
	CHECK(inl(0x514) == 0x554d4551 && inl(0x518) == 0x47464320);
	CHECK(dma_signature() == 0x554d4551);
	CHECK(item(0x7777, 8) == 0);
	CHECK(item(DIRECTORY, 4) >> 24 <= 16);
	print_hex(item(RAM_SIZE, 8));
	print(" bytes, ");
	print_number((uint32_t)item(CPUS, 2));
	print(" CPUs\n");
	return 0;
}
