/* SPDX-License-Identifier: MIT */
/* Small things that every layer uses. */
#ifndef BITS_H
#define BITS_H

#include <stdint.h>

#define BIT(n)		(1ULL << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

typedef uint64_t gpa_t;		/* guest-physical address */

#endif
