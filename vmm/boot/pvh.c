// SPDX-License-Identifier: MIT
// PVH kernels.
#include "pvh.h"

#include "elf_image.h"

#include <string.h>

#define XEN_ELFNOTE_PHYS32_ENTRY	18
#define START_INFO_MAGIC		0x336ec578
#define MEMMAP_RAM			1

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved_52;
};
_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info version 1");

struct memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved_20;
};
_Static_assert(sizeof(struct memmap_entry) == 24, "hvm_memmap_table_entry");

static int entry_find(const struct image *image, const struct elf *elf, uint32_t *entry)
{
	size_t size = 0;
	const uint8_t *at = elf_note_find(image, elf, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &size);
	uint64_t value = 0;

	if (!at)
		return image_refuse(image, "no PVH entry note (Xen, type 18)");
	if (size != 4 && size != 8)
		return image_refuse(image, "a PVH entry note of %zu bytes, not 4 or 8", size);
	memcpy(&value, at, size);
	if (value > UINT32_MAX || !elf_executable_at(elf, value))
		return image_refuse(image, "the PVH entry 0x%llx lies in no executable segment",
				    (unsigned long long)value);
	*entry = (uint32_t)value;
	return 0;
}

static int headers_read(const struct image *image, struct elf *elf, uint32_t *entry)
{
	int r = elf_parse(image, elf);

	return r < 0 ? r : entry_find(image, elf, entry);
}

int pvh_check(const struct image *image)
{
	struct elf elf;
	uint32_t entry;

	return headers_read(image, &elf, &entry);
}

/* All that the kernel is handed, laid out in one piece behind the image. */
struct info_block {
	struct start_info info;
	struct memmap_entry memmap[1];
	char command_line[];
};

int pvh_load(const struct image *image, const struct memory *memory, const char *command_line,
	     struct pvh_start *start)
{
	size_t length = strlen(command_line) + 1;
	struct elf elf;
	struct info_block *block;
	gpa_t gpa;
	int r = headers_read(image, &elf, &start->entry);

	if (r == 0)
		r = elf_load(image, &elf, memory);
	if (r < 0)
		return r;

	gpa = (elf_end(&elf) + 4095) & ~4095ULL;
	block = memory_at(memory, gpa, sizeof(*block) + length);
	if (!block || gpa > UINT32_MAX)
		return image_refuse(image, "no guest memory left behind the image for start_info");
	block->info = (struct start_info){
		.magic = START_INFO_MAGIC,
		.version = 1,
		.cmdline_paddr = gpa + sizeof(*block),
		.memmap_paddr = gpa + offsetof(struct info_block, memmap),
		.memmap_entries = 1,
	};
	block->memmap[0] = (struct memmap_entry){ .size = memory->size, .type = MEMMAP_RAM };
	memcpy(block->command_line, command_line, length);
	start->start_info = (uint32_t)gpa;
	return 0;
}
