/* SPDX-License-Identifier: MIT */
/* The PVH boot protocol: Xen, docs/misc/pvh.pandoc and include/public/arch-x86/hvm/start_info.h. */
#ifndef PVH_H
#define PVH_H

#include "image.h"
#include "memory.h"

/* Where a PVH kernel is entered, and with what in EBX. */
struct pvh_start {
	uint32_t entry;
	uint32_t start_info;
};

/* Is this a PVH kernel? All that can be said without guest memory; -ENOEXEC as below. */
int pvh_check(const struct image *image);

/* Loads the ELF `image` into `memory`, and start_info, command line and memory map behind it.
 * -ENOEXEC with error_last() when the image is refused. */
int pvh_load(const struct image *image, const struct memory *memory, const char *command_line,
	     struct pvh_start *start);

#endif
