/* SPDX-License-Identifier: MIT */
/*
 * The nested page tables that L1 builds for L2. EPT and NPT walk the same four levels; entries
 * differ in their leaf bits alone (read/write/execute sit where present/writable/user do).
 * Pages are 4 KiB, which every CPU has.
 */
#ifndef NESTED_PAGING_H
#define NESTED_PAGING_H

#include <stdint.h>

/* Maps L1's image, and nothing else, at its own addresses. `leaf`: see struct hv. */
void nested_paging_init(uint64_t leaf);

uint64_t nested_paging_root(void);

/* Maps the page at `gpa`, in the second GiB, to nested_paging_frame(). */
void nested_paging_map(uint64_t gpa, uint64_t leaf);

/*
 * Maps NESTED_WINDOW anew, by one entry of the table at `level` (1: 4 KiB, 2: 2 MiB, 3: 1 GiB), to
 * the page of that size in which nested_paging_frame() lies. `bits` are all but the address.
 * Returns the entry; *gpa is where L2 then sees the frame. The CPU may still remember the old ones.
 */
volatile uint64_t *nested_paging_window(unsigned int level, uint64_t bits, uint64_t *gpa);

/* Present, writable, user or read, write, execute: the bits of a page that may all be done to. */
#define NESTED_ALL	7
#define NESTED_READ	1
#define NESTED_WRITE	2
#define NESTED_EXECUTE	4	/* EPT */

/* A page of L1's that L2 sees elsewhere. */
volatile uint64_t *nested_paging_frame(void);

#endif
