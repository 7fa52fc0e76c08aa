// SPDX-License-Identifier: MIT
// The time of day, read as a driver should: twice outside of an update, and alike.
#include "kernel.h"

MULTIBOOT_KERNEL;

enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, A = 10, B = 11, D = 13,
       CENTURY = 0x32 };

static uint8_t cell(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void digits(uint8_t bcd)
{
	print_char((char)('0' + (bcd >> 4)));
	print_char((char)('0' + (bcd & 15)));
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	static const uint8_t cells[] = { CENTURY, YEAR, MONTH, DAY, HOURS, MINUTES, SECONDS };
	uint8_t now[sizeof(cells)];
	int differ;

	(void)magic, (void)info;
	CHECK(cell(D) & 0x80);
	CHECK((cell(B) & 6) == 2); /* 24 hours, BCD */
	do {
		while (cell(A) & 0x80)
			;
		for (unsigned int i = 0; i < sizeof(cells); i++)
			now[i] = cell(cells[i]);
		differ = cell(A) & 0x80;
		for (unsigned int i = 0; i < sizeof(cells); i++)
			differ |= now[i] != cell(cells[i]);
	} while (differ);
	for (unsigned int i = 0; i < sizeof(cells); i++) {
		digits(now[i]);
		if (i)
			print_char(" --T::\n"[i]);
	}
	return 0;
}
