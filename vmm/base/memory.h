/* SPDX-License-Identifier: MIT */
/*
 * Guest memory, and the one way to reach it: every guest address is checked here. As on a PC,
 * the last GiB below 4 GiB is for devices; what does not fit below goes above 4 GiB.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "bits.h"

#include <stdbool.h>
#include <stddef.h>

#define MEMORY_HOLE	0xc0000000ULL	/* devices from here ... */
#define MEMORY_HIGH	0x100000000ULL	/* ... to here, where memory goes on */

struct memory {
	uint8_t *host;	/* `low` bytes for guest-physical 0, then `high` bytes for MEMORY_HIGH */
	size_t low, high;
	void *reserved;		/* what `host` lies in, huge page aligned */
	size_t reserved_size;
};

/* Reserves `size` bytes (page-aligned) of zeroes; the host pays only for pages that are touched.
 * Negative errno with error_last(). */
int memory_create(struct memory *memory, size_t size);
void memory_destroy(struct memory *memory);

/* The host address of `size` bytes at `gpa`, NULL where they are not all guest memory. */
void *memory_at(const struct memory *memory, gpa_t gpa, size_t size);

/* What a guest is told of its memory: e820's types. */
enum memmap_type { MEMMAP_RAM = 1, MEMMAP_RESERVED = 2, MEMMAP_ACPI = 3 };
struct memmap_entry {
	gpa_t gpa;
	uint64_t size;
	enum memmap_type type;
};
#define MEMMAP_ENTRIES 8
/* Fills `map` (of MEMMAP_ENTRIES) in ascending order, without overlaps; returns the count. The
 * EBDA and the BIOS area, where tables lie, are reserved. */
size_t memory_map(const struct memory *memory, struct memmap_entry *map);

#define EBDA_START	0x9fc00ULL	/* 1 KiB below 640 KiB */
#define EBDA_END	0xa0000ULL
#define BIOS_START	0xe0000ULL	/* ACPI and MP tables are searched from here to 1 MiB */
#define BIOS_END	0x100000ULL

/*
 * Who occupies what while a guest is set up. Loaders take the ranges that their image demands, and
 * place everything else where nothing is.
 */
#define LAYOUT_RANGES 96
struct layout {
	struct {
		gpa_t start, end;	/* [start, end) */
		const char *what;
	} range[LAYOUT_RANGES];
	size_t ranges;
};

/* Starts with page 0, the EBDA and everything from 640 KiB to 1 MiB taken. */
void layout_init(struct layout *layout);

/* Takes [gpa, gpa + size) for `what` (a constant string): NULL, or what is there already ("no
 * guest memory" where there is none). */
const char *layout_take(struct layout *layout, const struct memory *memory, gpa_t gpa,
			uint64_t size, const char *what);

/* Takes `size` bytes, aligned to `align` (a power of two), at the lowest free place from `from` that
 * ends at or below `limit`; 0 = there is none. */
gpa_t layout_place(struct layout *layout, const struct memory *memory, uint64_t size,
		   uint64_t align, gpa_t from, gpa_t limit, const char *what);
/* The same, at the highest place (for initrds). */
gpa_t layout_place_high(struct layout *layout, const struct memory *memory, uint64_t size,
			uint64_t align, gpa_t from, gpa_t limit, const char *what);

#endif
