// SPDX-License-Identifier: MIT
// An image at 32 KiB, where many loaders keep their own tables: what they hand over lies elsewhere.
#include "kernel.h"

MULTIBOOT_KERNEL;

unsigned int kernel(unsigned long magic, unsigned long info)
{
	CHECK(magic == MULTIBOOT_MAGIC);
	CHECK((unsigned long)image_start == 0x8000);
	CHECK(LOW_AND_FREE(info));
	CHECK(bytes_same(AT(uint32_t, info + 64), "minivmm ", 8));
	print("at 32 KiB\n");
	return 0;
}
