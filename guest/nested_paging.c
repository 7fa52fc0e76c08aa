// SPDX-License-Identifier: MIT
// EPT or NPT tables, by hand.
#include "nested_paging.h"

#include "x86.h"

#define ENTRIES	512
#define TABLES	(PTE_P | PTE_W | PTE_U)	/* EPT: read, write, execute */
#define LOW_PTS	2			/* 2 MiB each: L1 lies below 4 MiB */

typedef uint64_t table[ENTRIES] __attribute__((aligned(PAGE_SIZE)));

static table root, pdpt_nested, pd_low, pd_window, pt_low[LOW_PTS], pt_window;
static uint64_t frame[ENTRIES] __attribute__((aligned(PAGE_SIZE)));

/* No leaf below 1 MiB nor beyond the image: an L2 gone astray shall be seen. */
extern const uint8_t image_start[], image_end[];

void nested_paging_init(uint64_t leaf)
{
	root[0] = (uint64_t)pdpt_nested | TABLES;
	pdpt_nested[0] = (uint64_t)pd_low | TABLES;
	for (unsigned int i = 0; i < LOW_PTS; i++)
		pd_low[i] = (uint64_t)pt_low[i] | TABLES;
	for (uint64_t page = (uint64_t)image_start; page < (uint64_t)image_end; page += PAGE_SIZE)
		pt_low[page >> 21][page >> 12 & (ENTRIES - 1)] = page | TABLES | leaf;
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

volatile uint64_t *nested_paging_frame(void)
{
	return frame;
}
