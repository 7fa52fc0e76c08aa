// SPDX-License-Identifier: MIT
// The BIOS data area.
#include "bios_data.h"

#include "x86.h"

#include <stddef.h>
#include <string.h>

/* The words that somebody reads; the rest stays zero. */
static const struct {
	gpa_t gpa;
	uint16_t value;
} words[] = {
	{ 0x400, PORT_COM1 },
	{ 0x40e, EBDA_START >> 4 },	/* segment */
	{ 0x413, EBDA_START >> 10 },	/* KiB */
};

void bios_data_write(const struct memory *memory)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		void *at = memory_at(memory, words[i].gpa, sizeof(words[i].value));

		if (at)
			memcpy(at, &words[i].value, sizeof(words[i].value));
	}
}
