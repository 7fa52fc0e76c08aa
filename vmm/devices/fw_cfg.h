/* SPDX-License-Identifier: MIT */
/*
 * fw_cfg: how a guest asks for its configuration (QEMU, docs/specs/fw_cfg.rst).
 *	0x510	selector: a 16-bit write chooses an item, from its first byte
 *	0x511	data: each 8-bit read gives the item's next byte; 0 behind its end
 *	0x514	DMA: the big-endian address of a request; its low half starts it
 * What is not there is an empty item: it reads as zeroes. That goes for 0x11 too, which
 * kvm-unit-tests take for a limit of memory: none. Nothing can be written.
 */
#ifndef FW_CFG_H
#define FW_CFG_H

#include "devices.h"

#define FW_CFG_PORT		0x510	/* and 0x511 */
#define FW_CFG_DMA		0x514	/* to 0x51b */
#define FW_CFG_FILES		16
#define FW_CFG_NAME		56	/* with its NUL */

/* An entry of the file directory; numbers are big-endian. */
struct fw_cfg_file {
	uint32_t size;
	uint16_t key;
	uint16_t reserved;
	char name[FW_CFG_NAME];
};
_Static_assert(sizeof(struct fw_cfg_file) == 64, "fw_cfg_file");

struct fw_cfg_item {
	uint16_t key;
	uint32_t size;
	const void *data;
};

/* Items point into it: it stays where it was attached. */
struct fw_cfg {
	struct board *board;
	uint16_t key;
	uint32_t offset;	/* of the next byte */
	uint8_t dma[8];		/* big-endian */
	uint32_t features;
	uint64_t memory_size;
	uint16_t cpus;
	struct {
		uint32_t count;	/* big-endian */
		struct fw_cfg_file file[FW_CFG_FILES];
	} directory;
	struct fw_cfg_item item[8 + FW_CFG_FILES];
	size_t items, files;
};

void fw_cfg_attach(struct fw_cfg *fw_cfg, struct board *board);

/* Adds the file `name`; `data` stays the caller's and must outlive the machine. -EINVAL (the name
 * is too long or taken) or -ENOSPC with error_last(). */
int fw_cfg_add(struct fw_cfg *fw_cfg, const char *name, const void *data, uint32_t size);

int fw_cfg_read(void *device, uint64_t address, void *data, unsigned int size);
int fw_cfg_write(void *device, uint64_t address, const void *data, unsigned int size);
int fw_cfg_dma_read(void *device, uint64_t address, void *data, unsigned int size);
int fw_cfg_dma_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
