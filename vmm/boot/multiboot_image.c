// SPDX-License-Identifier: MIT
// What Multiboot 1 and 2 share.
#include "multiboot_image.h"

#include <string.h>

size_t multiboot_search_size(const struct image *image,
			     const struct multiboot_signature *signature)
{
	return image->size < signature->limit ? image->size : signature->limit;
}

static uint32_t words_sum(const uint8_t *at, size_t words)
{
	uint32_t sum = 0, word;

	for (; words; words--, at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += word;
	}
	return sum;
}

int multiboot_header_find(const struct image *image, const struct multiboot_signature *signature,
			  size_t *offset)
{
	size_t size = multiboot_search_size(image, signature), wrong = size;

	for (size_t at = 0; at + signature->words * 4 <= size; at += signature->align) {
		if (words_sum(image->bytes + at, 1) != signature->magic)
			continue;
		*offset = at;
		if (words_sum(image->bytes + at, signature->words) == 0)
			return 0;
		wrong = at;
	}
	if (wrong < size)
		return image_refuse(image, "the %s header at offset 0x%zx has a wrong checksum",
				    signature->name, wrong);
	return image_refuse(image, "no %s header in the first %zu bytes", signature->name, size);
}

/* How much of the file is loaded: all to its end, where the header does not say. */
static uint64_t file_size(const struct image *image, uint64_t offset,
			  const struct multiboot_addresses *a)
{
	return a->load_end ? a->load_end - a->load : image->size - offset;
}

/* The fields against each other and the file; *offset is where in the file the kernel starts. */
static int addresses_check(const struct image *image, size_t header_offset,
			   const struct multiboot_addresses *a, uint64_t *offset)
{
	if (a->header < a->load)
		return image_refuse(image, "load_addr 0x%x is above header_addr 0x%x", a->load,
				    a->header);
	if (a->header - a->load > header_offset)
		return image_refuse(image,
				    "load_addr 0x%x is 0x%x bytes before a header at offset 0x%zx",
				    a->load, a->header - a->load, header_offset);
	*offset = header_offset - (a->header - a->load);
	if (a->load_end && a->load_end <= a->load)
		return image_refuse(image, "load_end_addr 0x%x is not above load_addr 0x%x",
				    a->load_end, a->load);
	if (file_size(image, *offset, a) > image->size - *offset)
		return image_refuse(image, "load_end_addr 0x%x lies behind the end of the file",
				    a->load_end);
	return 0;
}

int multiboot_addresses_read(const struct image *image, size_t header_offset,
			     const struct multiboot_addresses *a, struct elf *elf)
{
	uint64_t offset = 0, size, end;
	int r = addresses_check(image, header_offset, a, &offset);

	if (r < 0)
		return r;
	size = file_size(image, offset, a);
	end = a->load + size;
	if (end > MEMORY_HIGH)
		return image_refuse(image, "0x%llx bytes at load_addr 0x%x end above 4 GiB",
				    (unsigned long long)size, a->load);
	if (a->bss_end && a->bss_end < end)
		return image_refuse(image, "bss_end_addr 0x%x lies before the load's end 0x%llx",
				    a->bss_end, (unsigned long long)end);
	*elf = (struct elf){ .loads = 1 };
	elf->load[0] = (struct elf_segment){
		.offset = offset, .vaddr = a->load, .paddr = a->load, .filesz = size,
		.memsz = a->bss_end ? a->bss_end - a->load : size, .executable = true,
	};
	return 0;
}

int multiboot_entry_check(const struct image *image, const struct elf *elf, uint32_t entry)
{
	if (elf_executable_at(elf, entry))
		return 0;
	return image_refuse(image, "entry_addr 0x%x lies in nothing executable", entry);
}

uint32_t multiboot_mem_lower(const struct memory *memory)
{
	return (uint32_t)((memory->low < EBDA_START ? memory->low : EBDA_START) / 1024);
}

uint32_t multiboot_mem_upper(const struct memory *memory)
{
	return memory->low > BIOS_END ? (uint32_t)((memory->low - BIOS_END) / 1024) : 0;
}
