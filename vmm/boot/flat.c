// SPDX-License-Identifier: MIT
// Bytes without a format: they lie and start at an address, and in a mode, that the user names. RSP
// is at the top of a small stack (16-aligned), all other registers are zero. In real mode all
// segments but CS are zero, the stack lies below 64 KiB, and there is a small BIOS. Nothing is handed
// over.
#include "boot.h"

#include <string.h>

#define REAL_STACK_LIMIT	0xf000ULL	/* a top of stack that SP can hold */
#define REAL_LIMIT		0x100000ULL

static int flat_check(const struct boot_request *request)
{
	const struct image *image = &request->kernel;
	uint64_t limit = request->flat_mode == START_REAL ? REAL_LIMIT : MEMORY_HOLE;

	if (image->size == 0)
		return image_refuse(image, "the file is empty");
	if (image->size > limit || request->flat_address > limit - image->size)
		return image_refuse(image, "%zu bytes at 0x%llx end above 0x%llx", image->size,
				    (unsigned long long)request->flat_address,
				    (unsigned long long)limit);
	return boot_nothing_along(request);
}

/* The stack of real mode: the lowest free place, whole below 64 KiB. */
static int real_stack_place(const struct image *image, const struct memory *memory,
			    struct layout *layout, struct start *start)
{
	gpa_t gpa = layout_place(layout, memory, 4096, 4096, 4096, REAL_STACK_LIMIT, "a stack");

	if (!gpa)
		return image_refuse(image, "no room for a stack below 64 KiB");
	start->rsp = gpa + 4096;
	return 0;
}

static int flat_load(const struct boot_request *request, const struct memory *memory,
		     struct layout *layout, struct start *start)
{
	const struct image *image = &request->kernel;
	gpa_t address = request->flat_address, end = address + image->size;
	const char *met;
	int r = flat_check(request);

	if (r < 0)
		return r;
	met = layout_take(layout, memory, address, image->size, "the kernel");
	if (met)
		return image_refuse(image, "%zu bytes at 0x%llx do not fit: there is %s",
				    image->size, (unsigned long long)address, met);
	memcpy(memory_at(memory, address, image->size), image->bytes, image->size);
	*start = (struct start){ .mode = request->flat_mode, .entry = address, .code_selector = 8,
				 .data_selector = 16 };
	if (start->mode == START_REAL) {
		start->code_selector = (uint16_t)(address >> 16 << 12);
		start->data_selector = 0;
		return real_stack_place(image, memory, layout, start);
	}
	r = boot_stack_place(image, memory, layout, end, start);
	return r < 0 ? r : boot_tables_place(image, memory, layout, end, start);
}

const struct boot_protocol boot_flat = {
	.name = "flat",
	.about = "bytes at an address, entered there in real, protected or 64-bit mode",
	.check = flat_check,
	.load = flat_load,
};
