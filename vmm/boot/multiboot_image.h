/* SPDX-License-Identifier: MIT */
/* What Multiboot 1 and 2 share: how a header is found, where a kernel lies in its file, and the
 * memory's size. */
#ifndef MULTIBOOT_IMAGE_H
#define MULTIBOOT_IMAGE_H

#include "elf_image.h"

/* How a header looks: its first words, `magic` and others, sum up to zero. */
struct multiboot_signature {
	const char *name;
	uint32_t magic;
	size_t words;
	size_t align, limit;	/* it lies at a multiple of, and whole in the first bytes */
};

/* The bytes of the file that may hold a header. */
size_t multiboot_search_size(const struct image *image,
			     const struct multiboot_signature *signature);

/* Finds the first header: 0 and its offset, or -ENOEXEC with error_last(). */
int multiboot_header_find(const struct image *image, const struct multiboot_signature *signature,
			  size_t *offset);

/* A header's address fields, for kernels that are no ELF files; 0 = no load_end, no bss_end. */
struct multiboot_addresses {
	uint32_t header, load, load_end, bss_end;
};

/*
 * Checks the address fields of a header found at `header_offset` and makes them the one executable
 * segment of `elf`: from here on the kernel is loaded as an ELF file is. -ENOEXEC, error_last().
 */
int multiboot_addresses_read(const struct image *image, size_t header_offset,
			     const struct multiboot_addresses *addresses, struct elf *elf);

/* The entry that a header names, physical: -ENOEXEC where it lies in nothing executable. */
int multiboot_entry_check(const struct image *image, const struct elf *elf, uint32_t entry);

/* KiB of memory from 0, and from 1 MiB to the first hole. */
uint32_t multiboot_mem_lower(const struct memory *memory);
uint32_t multiboot_mem_upper(const struct memory *memory);

#endif
