// SPDX-License-Identifier: MIT
// Guest memory and who occupies it.
#include "memory.h"

#include "error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* KVM maps a huge page in one fault, where host and guest address lie alike in it. A small kernel
 * touches a few pages of the first MiBs, and is better off without. */
#define HUGE_PAGE	(2UL << 20)
#define HUGE_FROM	(32UL << 20)

int memory_create(struct memory *memory, size_t size)
{
	size_t reserved = size + HUGE_PAGE;
	void *host = mmap(NULL, reserved, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*memory = (struct memory){ 0 };
	if (host == MAP_FAILED) {
		int err = errno;

		return fail(err, "mmap", "cannot reserve %zu bytes of guest memory: %s", size,
			    strerror(err));
	}
	memory->reserved = host;
	memory->reserved_size = reserved;
	memory->host = (uint8_t *)host + (-(uintptr_t)host & (HUGE_PAGE - 1));
	if (size > HUGE_FROM) /* a wish: some kernels have no huge pages */
		madvise(memory->host + HUGE_FROM, size - HUGE_FROM, MADV_HUGEPAGE);
	memory->low = size < MEMORY_HOLE ? size : MEMORY_HOLE;
	memory->high = size - memory->low;
	return 0;
}

void memory_destroy(struct memory *memory)
{
	if (memory->reserved)
		munmap(memory->reserved, memory->reserved_size);
	*memory = (struct memory){ 0 };
}

void *memory_at(const struct memory *memory, gpa_t gpa, size_t size)
{
	if (gpa <= memory->low && size <= memory->low - gpa)
		return memory->host + gpa;
	if (gpa < MEMORY_HIGH || gpa - MEMORY_HIGH > memory->high ||
	    size > memory->high - (gpa - MEMORY_HIGH))
		return NULL;
	return memory->host + memory->low + (gpa - MEMORY_HIGH);
}

size_t memory_map(const struct memory *memory, struct memmap_entry *map)
{
	const struct memmap_entry whole[] = {
		{ 0, EBDA_START, MEMMAP_RAM },
		{ EBDA_START, EBDA_END - EBDA_START, MEMMAP_RESERVED },
		{ BIOS_START, BIOS_END - BIOS_START, MEMMAP_RESERVED },
		{ BIOS_END, memory->low > BIOS_END ? memory->low - BIOS_END : 0, MEMMAP_RAM },
		{ MEMORY_HIGH, memory->high, MEMMAP_RAM },
	};
	size_t count = 0;

	_Static_assert(ARRAY_SIZE(whole) <= MEMMAP_ENTRIES, "memmap");
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (whole[i].size)
			map[count++] = whole[i];
	return count;
}

static void range_add(struct layout *layout, gpa_t start, gpa_t end, const char *what)
{
	layout->range[layout->ranges].start = start;
	layout->range[layout->ranges].end = end;
	layout->range[layout->ranges++].what = what;
}

void layout_init(struct layout *layout)
{
	*layout = (struct layout){ 0 };
	range_add(layout, 0, 4096, "page 0");
	range_add(layout, EBDA_START, EBDA_END, "the EBDA");
	range_add(layout, EBDA_END, BIOS_END, "the BIOS area");
}

/* The range that [start, end) meets, -1 = none. */
static int range_met(const struct layout *layout, gpa_t start, gpa_t end)
{
	for (size_t i = 0; i < layout->ranges; i++)
		if (start < layout->range[i].end && layout->range[i].start < end)
			return (int)i;
	return -1;
}

const char *layout_take(struct layout *layout, const struct memory *memory, gpa_t gpa,
			uint64_t size, const char *what)
{
	int met;

	if (!memory_at(memory, gpa, size))
		return "no guest memory";
	if (layout->ranges == LAYOUT_RANGES)
		return "too many pieces";
	met = range_met(layout, gpa, gpa + size);
	if (met >= 0)
		return layout->range[met].what;
	if (size)
		range_add(layout, gpa, gpa + size, what);
	return NULL;
}

gpa_t layout_place(struct layout *layout, const struct memory *memory, uint64_t size,
		   uint64_t align, gpa_t from, gpa_t limit, const char *what)
{
	gpa_t gpa = (from + align - 1) & ~(align - 1);

	while (layout->ranges < LAYOUT_RANGES && size && size <= limit && gpa <= limit - size &&
	       memory_at(memory, gpa, size)) {
		int met = range_met(layout, gpa, gpa + size);

		if (met < 0) {
			range_add(layout, gpa, gpa + size, what);
			return gpa;
		}
		gpa = (layout->range[met].end + align - 1) & ~(align - 1);
	}
	return 0;
}

gpa_t layout_place_high(struct layout *layout, const struct memory *memory, uint64_t size,
			uint64_t align, gpa_t from, gpa_t limit, const char *what)
{
	gpa_t end = limit < memory->low ? limit : memory->low;

	while (layout->ranges < LAYOUT_RANGES && size && size <= end) {
		gpa_t gpa = (end - size) & ~(align - 1);
		int met = range_met(layout, gpa, gpa + size);

		if (gpa < from)
			return 0;
		if (met < 0) {
			range_add(layout, gpa, gpa + size, what);
			return gpa;
		}
		end = layout->range[met].start;
	}
	return 0;
}
