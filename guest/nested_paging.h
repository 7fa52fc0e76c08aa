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

/* A page of L1's that L2 sees elsewhere. */
volatile uint64_t *nested_paging_frame(void);

#endif
