// SPDX-License-Identifier: MIT
// A plain ELF64 executable, without any protocol: entered in 64-bit mode at e_entry with the first
// 4 GiB identity-mapped, RSP at the top of a small stack (16-aligned), every other register zero,
// interrupts off, no IDT. Nothing is handed over: no modules, no command line.
#include "boot.h"

#include "elf_image.h"

#include <elf.h>
#include <string.h>

/* Takes whatever calls itself ELF, so that a broken or 32-bit file is refused for what it is. */
static bool elf64_sniff(const struct image *image)
{
	return image->size >= SELFMAG && memcmp(image->bytes, ELFMAG, SELFMAG) == 0;
}

static int kernel_read(const struct image *image, struct elf *elf, uint32_t *entry)
{
	int r = elf_parse(image, elf);

	if (r < 0)
		return r;
	if (!elf->is_64bit)
		return image_refuse(image,
				    "a 32-bit ELF file without a Multiboot header or PVH note");
	if (elf->wants_loader)
		return image_refuse(image, "a program that wants a dynamic loader, no kernel");
	return elf_entry(image, elf, entry);
}

static int elf64_check(const struct boot_request *request)
{
	struct elf elf;
	uint32_t entry;
	int r = kernel_read(&request->kernel, &elf, &entry);

	return r < 0 ? r : boot_nothing_along(request);
}

static int elf64_load(const struct boot_request *request, const struct memory *memory,
		      struct layout *layout, struct start *start)
{
	const struct image *image = &request->kernel;
	struct elf elf;
	uint32_t entry;
	int r = kernel_read(image, &elf, &entry);

	if (r == 0)
		r = elf_load(image, &elf, memory, layout);
	if (r < 0)
		return r;
	*start = (struct start){ .mode = START_LONG, .entry = entry, .code_selector = 8,
				 .data_selector = 16 };
	r = boot_stack_place(image, memory, layout, elf_end(&elf), start);
	return r < 0 ? r : boot_tables_place(image, memory, layout, elf_end(&elf), start);
}

const struct boot_protocol boot_elf64 = {
	.name = "elf64",
	.about = "plain ELF64, entered in 64-bit mode",
	.sniff = elf64_sniff,
	.check = elf64_check,
	.load = elf64_load,
};
