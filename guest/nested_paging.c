// SPDX-License-Identifier: MIT
// EPT or NPT tables, by hand.
#include "nested_paging.h"

#include "l2.h"
#include "x86.h"

#define ENTRIES	512
#define TABLES	(PTE_P | PTE_W | PTE_U)	/* EPT: read, write, execute */

typedef uint64_t table[ENTRIES] __attribute__((aligned(PAGE_SIZE)));

static table root, pdpt_nested, pd_low, pd_window, pt_low, pt_window;
static uint64_t frame[ENTRIES] __attribute__((aligned(PAGE_SIZE)));

/* No leaf below 1 MiB nor beyond the image: an L2 gone astray shall be seen. */
extern const uint8_t image_start[], image_end[];

void nested_paging_init(uint64_t leaf)
{
	root[0] = (uint64_t)pdpt_nested | TABLES;
	pdpt_nested[0] = (uint64_t)pd_low | TABLES;
	pd_low[0] = (uint64_t)pt_low | TABLES; /* L1 lies below 2 MiB */
	for (uint64_t page = (uint64_t)image_start; page < (uint64_t)image_end; page += PAGE_SIZE)
		pt_low[page >> 12] = page | TABLES | leaf;
}

uint64_t nested_paging_root(void)
{
	return (uint64_t)root;
}

void nested_paging_map(uint64_t gpa, uint64_t leaf)
{
	pdpt_nested[gpa >> 30] = (uint64_t)pd_window | TABLES;
	pd_window[gpa >> 21 & (ENTRIES - 1)] = (uint64_t)pt_window | TABLES;
	pt_window[gpa >> 12 & (ENTRIES - 1)] = (uint64_t)frame | TABLES | leaf;
}

volatile uint64_t *nested_paging_window(unsigned int level, uint64_t bits, uint64_t *gpa)
{
	uint64_t *const entry[] = { pt_window, pd_window, &pdpt_nested[NESTED_WINDOW >> 30] };
	uint64_t size = 1UL << (12 + 9 * (level - 1));

	pdpt_nested[NESTED_WINDOW >> 30] = (uint64_t)pd_window | TABLES;
	pd_window[0] = (uint64_t)pt_window | TABLES;
	*entry[level - 1] = ((uint64_t)frame & ~(size - 1)) | bits | (level > 1 ? PTE_PS : 0);
	*gpa = NESTED_WINDOW + ((uint64_t)frame & (size - 1));
	return entry[level - 1];
}

volatile uint64_t *nested_paging_frame(void)
{
	return frame;
}
