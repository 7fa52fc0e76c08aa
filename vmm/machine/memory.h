/* SPDX-License-Identifier: MIT */
/* Guest memory, and the one way to reach it: every guest address is checked here. */
#ifndef MEMORY_H
#define MEMORY_H

#include "bits.h"

#include <stddef.h>

struct memory {
	uint8_t *host;
	size_t size;	/* bytes, from guest-physical 0 */
};

/* Reserves `size` bytes (page-aligned) of zeroes; the host pays only for pages that are touched.
 * Negative errno with error_last(). */
int memory_create(struct memory *memory, size_t size);
void memory_destroy(struct memory *memory);

/* The host address of `size` bytes at `gpa`, NULL where they are not all guest memory. */
void *memory_at(const struct memory *memory, gpa_t gpa, size_t size);

#endif
