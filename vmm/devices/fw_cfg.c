// SPDX-License-Identifier: MIT
// fw_cfg.
#include "fw_cfg.h"

#include "error.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum {
	KEY_SIGNATURE = 0x00, KEY_FEATURES = 0x01, KEY_MEMORY_SIZE = 0x03, KEY_CPUS = 0x05,
	KEY_CPUS_MAX = 0x0f, KEY_DIRECTORY = 0x19, KEY_FILES = 0x20,
	KEY_FOR_WRITE = 0x4000,	/* a flag of old that means nothing any more */

	FEATURE_PORTS = BIT(0), FEATURE_DMA = BIT(1),

	DMA_ERROR = BIT(0), DMA_READ = BIT(1), DMA_SKIP = BIT(2), DMA_SELECT = BIT(3),
	DMA_WRITE = BIT(4), DMA_KEY_SHIFT = 16,
	DMA_MOST = 1 << 24,	/* no item is longer; what is asked for beyond one is zeroes */
};

/* A request, in guest memory; big-endian. */
struct dma_request {
	uint32_t control, length;
	uint64_t address;
};

static const char signature[] = "QEMU", dma_signature[] = "QEMU CFG";

/* --- state ------------------------------------------------------------------------------------ */

static void item_add(struct fw_cfg *fw_cfg, uint16_t key, const void *data, uint32_t size)
{
	fw_cfg->item[fw_cfg->items++] = (struct fw_cfg_item){ key, size, data };
}

static void item_select(struct fw_cfg *fw_cfg, uint16_t key)
{
	fw_cfg->key = key & (uint16_t)~KEY_FOR_WRITE;
	fw_cfg->offset = 0;
}

/* What is left of the chosen item; *size may be 0. */
static const void *item_rest(const struct fw_cfg *fw_cfg, uint32_t *size)
{
	*size = 0;
	for (size_t i = 0; i < fw_cfg->items; i++) {
		const struct fw_cfg_item *item = &fw_cfg->item[i];

		if (item->key == fw_cfg->key && fw_cfg->offset < item->size) {
			*size = item->size - fw_cfg->offset;
			return (const uint8_t *)item->data + fw_cfg->offset;
		}
	}
	return NULL;
}

/* Steps over `size` bytes and copies them to `to`, unless that is NULL. */
static void item_take(struct fw_cfg *fw_cfg, uint8_t *to, uint32_t size)
{
	uint32_t rest;
	const void *from = item_rest(fw_cfg, &rest);
	uint32_t taken = size < rest ? size : rest;

	if (to && taken)
		memcpy(to, from, taken);
	if (to)
		memset(to + taken, 0, size - taken);
	fw_cfg->offset += taken;
}

/* --- read ------------------------------------------------------------------------------------- */

int fw_cfg_read(void *device, uint64_t address, void *data, unsigned int size)
{
	(void)size;
	if (address == FW_CFG_PORT + 1)
		item_take(device, data, 1);
	return 0;
}

int fw_cfg_dma_read(void *device, uint64_t address, void *data, unsigned int size)
{
	size_t offset = address - FW_CFG_DMA, rest = sizeof(dma_signature) - 1 - offset;

	(void)device;
	memcpy(data, dma_signature + offset, size < rest ? size : rest);
	return 0;
}

/* --- write ------------------------------------------------------------------------------------ */

int fw_cfg_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	uint16_t key;

	if (address != FW_CFG_PORT || size != sizeof(key))
		return 0;
	memcpy(&key, data, sizeof(key));
	item_select(device, key);
	return 0;
}

/* What `control` asks for; gives the control word that answers it. */
static uint32_t dma_transfer(struct fw_cfg *fw_cfg, uint32_t control, uint32_t length,
			     gpa_t address)
{
	uint8_t *to = NULL;

	if (control & DMA_SELECT)
		item_select(fw_cfg, (uint16_t)(control >> DMA_KEY_SHIFT));
	if (control & DMA_READ) {
		to = memory_at(fw_cfg->board->memory, address, length);
		if (!to || length > DMA_MOST)
			return DMA_ERROR;
	} else if (control & DMA_WRITE) {
		return DMA_ERROR;
	} else if (!(control & DMA_SKIP)) {
		return 0;
	}
	item_take(fw_cfg, to, length);
	return 0;
}

/* The request is copied out before anything is done: the data may be meant to lie over it. */
static void dma_run(struct fw_cfg *fw_cfg, gpa_t address)
{
	struct dma_request request;
	void *place = memory_at(fw_cfg->board->memory, address, sizeof(request));
	uint32_t result;

	if (!place)
		return; /* there is nowhere to tell it */
	memcpy(&request, place, sizeof(request));
	result = htobe32(dma_transfer(fw_cfg, be32toh(request.control), be32toh(request.length),
				      be64toh(request.address)));
	memcpy(place, &result, sizeof(result));
}

int fw_cfg_dma_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct fw_cfg *fw_cfg = device;
	size_t offset = address - FW_CFG_DMA;
	uint64_t request;

	if (size != 4 || offset % 4)
		return 0;
	memcpy(fw_cfg->dma + offset, data, size);
	if (offset == 0)
		return 0;
	memcpy(&request, fw_cfg->dma, sizeof(request));
	memset(fw_cfg->dma, 0, sizeof(fw_cfg->dma)); /* below 4 GiB the low half alone will do */
	dma_run(fw_cfg, be64toh(request));
	return 0;
}

/* --- attach ----------------------------------------------------------------------------------- */

void fw_cfg_attach(struct fw_cfg *fw_cfg, struct board *board)
{
	*fw_cfg = (struct fw_cfg){
		.board = board,
		.features = FEATURE_PORTS | FEATURE_DMA,
		.memory_size = board->memory->low + board->memory->high,
		.cpus = (uint16_t)board->cpus,
	};
	item_add(fw_cfg, KEY_SIGNATURE, signature, sizeof(signature) - 1);
	item_add(fw_cfg, KEY_FEATURES, &fw_cfg->features, sizeof(fw_cfg->features));
	item_add(fw_cfg, KEY_MEMORY_SIZE, &fw_cfg->memory_size, sizeof(fw_cfg->memory_size));
	item_add(fw_cfg, KEY_CPUS, &fw_cfg->cpus, sizeof(fw_cfg->cpus));
	item_add(fw_cfg, KEY_CPUS_MAX, &fw_cfg->cpus, sizeof(fw_cfg->cpus));
	item_add(fw_cfg, KEY_DIRECTORY, &fw_cfg->directory, sizeof(fw_cfg->directory));
}

int fw_cfg_add(struct fw_cfg *fw_cfg, const char *name, const void *data, uint32_t size)
{
	struct fw_cfg_file *file = &fw_cfg->directory.file[fw_cfg->files];
	uint16_t key = (uint16_t)(KEY_FILES + fw_cfg->files);

	if (fw_cfg->files == FW_CFG_FILES)
		return fail(ENOSPC, "fw_cfg_add", "fw_cfg: no room for %s", name);
	if (strlen(name) >= FW_CFG_NAME)
		return fail(EINVAL, "fw_cfg_add", "fw_cfg: the name is too long: %s", name);
	for (size_t i = 0; i < fw_cfg->files; i++)
		if (strcmp(fw_cfg->directory.file[i].name, name) == 0)
			return fail(EINVAL, "fw_cfg_add", "fw_cfg: %s is there already", name);
	file->size = htobe32(size);
	file->key = htobe16(key);
	memcpy(file->name, name, strlen(name) + 1);
	fw_cfg->directory.count = htobe32((uint32_t)++fw_cfg->files);
	item_add(fw_cfg, key, data, size);
	return 0;
}
