// SPDX-License-Identifier: MIT
// A flat image, compiled for each of the three modes: it is where it was put, in the right mode, on
// a stack that the loader made.
#include "kernel.h"

START_ON_GIVEN_STACK;

unsigned int kernel(unsigned long magic, unsigned long stack)
{
	unsigned long cr0;
	uint16_t ds, cs;

	asm volatile("mov %%cr0, %0; mov %%ds, %1; mov %%cs, %2" : "=r"(cr0), "=r"(ds), "=r"(cs));
	CHECK(magic == 0);
	CHECK(stack % 16 == 0 && stack >= 4096);
	CHECK((unsigned long)image_start == 0x8000);
#ifdef __x86_64__
	CHECK((cr0 & 0x80000001) == 0x80000001);
	print("long\n");
#else
	if (cr0 & 1) {
		CHECK(!(cr0 & 0x80000000) && cs == 8 && ds == 16);
		print("protected\n");
	} else {
		CHECK(ds == 0 && cs == 0 && stack < 0x10000);
		print("real\n");
	}
#endif
	return 0;
}
