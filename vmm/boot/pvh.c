// SPDX-License-Identifier: MIT
// The PVH boot protocol: Xen, docs/misc/pvh.pandoc and include/public/arch-x86/hvm/start_info.h.
// A module's string is its path, the command line only the user's words.
#include "boot.h"

#include "elf_image.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define XEN_ELFNOTE_PHYS32_ENTRY	18
#define START_INFO_MAGIC		0x336ec578

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved_52;
};
_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info version 1");

struct start_info_module {
	uint64_t paddr, size, cmdline_paddr, reserved_24;
};
_Static_assert(sizeof(struct start_info_module) == 32, "hvm_modlist_entry");

static bool pvh_sniff(const struct image *image)
{
	struct elf elf;
	size_t size;

	return elf_parse(image, &elf) == 0 &&
	       elf_note_find(image, &elf, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &size);
}

static int headers_read(const struct image *image, struct elf *elf, uint32_t *entry)
{
	const uint8_t *at;
	size_t size = 0;
	uint64_t value = 0;
	int r = elf_parse(image, elf);

	if (r < 0)
		return r;
	at = elf_note_find(image, elf, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &size);
	if (!at)
		return image_refuse(image, "no PVH entry note (Xen, type 18)");
	if (size != 4 && size != 8)
		return image_refuse(image, "a PVH entry note of %zu bytes, not 4 or 8", size);
	memcpy(&value, at, size);
	if (value > UINT32_MAX || !elf_executable_at(elf, value))
		return image_refuse(image, "the PVH entry 0x%llx lies in no executable segment",
				    (unsigned long long)value);
	*entry = (uint32_t)value;
	return 0;
}

static int pvh_check(const struct boot_request *request)
{
	struct elf elf;
	uint32_t entry;

	return headers_read(&request->kernel, &elf, &entry);
}

/* All that the kernel is handed, in one piece behind the image; strings follow. */
struct info_block {
	struct start_info info;
	struct boot_memmap memmap[MEMMAP_ENTRIES];
	struct start_info_module module[BOOT_MODULES];
};

static void info_write(const struct boot_request *request, const struct memory *memory,
		       struct info_block *block, gpa_t gpa, struct boot_text *text)
{
	block->info = (struct start_info){
		.magic = START_INFO_MAGIC,
		.version = 1,
		.nr_modules = (uint32_t)request->modules,
		.modlist_paddr = request->modules ? gpa + offsetof(struct info_block, module) : 0,
		.cmdline_paddr = boot_text_put(text, request->command_line),
		.rsdp_paddr = request->rsdp,
		.memmap_paddr = gpa + offsetof(struct info_block, memmap),
		.memmap_entries = boot_memmap_fill(memory, block->memmap),
	};
}

static int pvh_load(const struct boot_request *request, const struct memory *memory,
		    struct layout *layout, struct start *start)
{
	size_t size = sizeof(struct info_block) + boot_text_size(request);
	struct info_block *block;
	struct boot_text text;
	struct elf elf;
	uint32_t entry;
	gpa_t gpa;
	int r = headers_read(&request->kernel, &elf, &entry);

	if (r == 0)
		r = elf_load(&request->kernel, &elf, memory, layout);
	if (r < 0)
		return r;
	block = boot_info_place(&request->kernel, memory, layout, size, elf_end(&elf), "start_info",
				&gpa);
	if (!block)
		return -ENOEXEC;
	text = (struct boot_text){ (char *)(block + 1), gpa + sizeof(*block) };
	info_write(request, memory, block, gpa, &text);
	for (size_t i = 0; i < request->modules; i++) {
		const struct image *module = &request->module[i];
		gpa_t at = boot_module_load(module, memory, layout, elf_end(&elf));

		if (!at)
			return -ENOEXEC;
		block->module[i] = (struct start_info_module){
			at, module->size, boot_text_put(&text, module->name), 0
		};
	}
	*start = (struct start){ .mode = START_PROTECTED, .entry = entry, .rbx = gpa,
				 .code_selector = 8, .data_selector = 16 };
	return 0;
}

const struct boot_protocol boot_pvh = {
	.name = "pvh",
	.about = "ELF with a Xen PVH entry note",
	.sniff = pvh_sniff,
	.check = pvh_check,
	.load = pvh_load,
};
