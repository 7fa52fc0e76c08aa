// SPDX-License-Identifier: MIT
// Multiboot 1: "Multiboot Specification version 0.6.96", gnu.org/software/grub/manual/multiboot.
// Deliberately missing: video modes (a kernel that demands one is refused), symbol tables.
#include "boot.h"

#include "multiboot_image.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define LOADER_MAGIC	0x2badb002

/* "OS image format": the header lies in the first 8192 bytes. */
static const struct multiboot_signature signature = { "Multiboot", 0x1badb002, 3, 4, 8192 };

/* "Header magic fields": what a kernel demands. Of bits 0-15, unknown ones must be refused. */
#define HEADER_ALIGN		BIT(0)	/* page-aligned modules: as they are always */
#define HEADER_MEMORY		BIT(1)	/* memory sizes: likewise */
#define HEADER_VIDEO		BIT(2)
#define HEADER_UNKNOWN		(0xffff & ~(HEADER_ALIGN | HEADER_MEMORY | HEADER_VIDEO))
#define HEADER_ADDRESSES	BIT(16)

struct header {
	uint32_t magic, flags, checksum;
	struct multiboot_addresses addresses;	/* HEADER_ADDRESSES */
	uint32_t entry;
};

/* "Boot information format": which fields are valid. */
#define INFO_MEMORY		BIT(0)
#define INFO_BOOT_DEVICE	BIT(1)
#define INFO_COMMAND_LINE	BIT(2)
#define INFO_MODULES		BIT(3)
#define INFO_MEMORY_MAP		BIT(6)
#define INFO_LOADER_NAME	BIT(9)

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t reserved_28[4];	/* symbols */
	uint32_t mmap_length, mmap_addr;
	uint32_t reserved_52[3];	/* drives, ROM configuration */
	uint32_t boot_loader_name;
	uint32_t reserved_68[5];	/* APM, VBE */
};
_Static_assert(sizeof(struct info) == 88 && offsetof(struct info, mmap_length) == 44 &&
	       offsetof(struct info, boot_loader_name) == 64, "Multiboot information");

struct mmap {
	uint32_t size;	/* of what follows */
	uint64_t addr, length;
	uint32_t type;
} __attribute__((packed));

struct module {
	uint32_t start, end, string, reserved_12;
};

/* All that the kernel is handed, in one piece behind the image; strings follow. */
struct info_block {
	struct info info;
	struct mmap mmap[MEMMAP_ENTRIES];
	struct module module[BOOT_MODULES];
};

static bool multiboot_sniff(const struct image *image)
{
	size_t offset;

	return multiboot_header_find(image, &signature, &offset) == 0;
}

/* Without HEADER_ADDRESSES, only the first words are there. */
static int header_read(const struct image *image, struct header *header, size_t *offset)
{
	int r = multiboot_header_find(image, &signature, offset);

	if (r < 0)
		return r;
	memcpy(header, image->bytes + *offset, offsetof(struct header, addresses));
	if (header->flags & HEADER_UNKNOWN)
		return image_refuse(image,
				    "the Multiboot header at offset 0x%zx demands what is unknown "
				    "(flags 0x%x)", *offset, header->flags);
	if (header->flags & HEADER_VIDEO)
		return image_refuse(image,
				    "the Multiboot header at offset 0x%zx demands a video mode",
				    *offset);
	if (!(header->flags & HEADER_ADDRESSES))
		return 0;
	if (*offset + sizeof(*header) > multiboot_search_size(image, &signature))
		return image_refuse(image, "the Multiboot header at offset 0x%zx is cut off",
				    *offset);
	memcpy(header, image->bytes + *offset, sizeof(*header));
	return 0;
}

static int kernel_read(const struct image *image, struct elf *elf, uint32_t *entry)
{
	struct header header = { 0 };
	size_t offset;
	int r = header_read(image, &header, &offset);

	if (r == 0 && (header.flags & HEADER_ADDRESSES)) {
		*entry = header.entry;
		r = multiboot_addresses_read(image, offset, &header.addresses, elf);
		return r < 0 ? r : multiboot_entry_check(image, elf, header.entry);
	}
	if (r == 0)
		r = elf_parse(image, elf);
	return r < 0 ? r : elf_entry(image, elf, entry);
}

static int multiboot_check(const struct boot_request *request)
{
	struct elf elf;
	uint32_t entry;

	return kernel_read(&request->kernel, &elf, &entry);
}

static uint32_t mmap_write(const struct memory *memory, struct mmap *mmap)
{
	struct memmap_entry map[MEMMAP_ENTRIES];
	size_t count = memory_map(memory, map);

	for (size_t i = 0; i < count; i++)
		mmap[i] = (struct mmap){ sizeof(*mmap) - sizeof(mmap->size), map[i].gpa,
					 map[i].size, map[i].type };
	return (uint32_t)(count * sizeof(*mmap));
}

static void info_write(const struct boot_request *request, const struct memory *memory,
		       struct info_block *block, gpa_t gpa, struct boot_text *text)
{
	block->info = (struct info){
		.flags = INFO_MEMORY | INFO_BOOT_DEVICE | INFO_COMMAND_LINE | INFO_MODULES |
			 INFO_MEMORY_MAP | INFO_LOADER_NAME,
		.mem_lower = multiboot_mem_lower(memory),
		.mem_upper = multiboot_mem_upper(memory),
		.boot_device = 0x8000ffff, /* the first disk, partition 0: as QEMU has it */
		.cmdline = (uint32_t)boot_text_put_words(text, request),
		.mods_count = (uint32_t)request->modules,
		.mods_addr = (uint32_t)(gpa + offsetof(struct info_block, module)),
		.mmap_length = mmap_write(memory, block->mmap),
		.mmap_addr = (uint32_t)(gpa + offsetof(struct info_block, mmap)),
		.boot_loader_name = (uint32_t)boot_text_put(text, BOOT_LOADER_NAME),
	};
}

static int modules_load(const struct boot_request *request, const struct memory *memory,
			struct layout *layout, gpa_t from, struct module *list,
			struct boot_text *text)
{
	for (size_t i = 0; i < request->modules; i++) {
		const struct image *module = &request->module[i];
		gpa_t gpa = boot_module_load(module, memory, layout, from);

		if (!gpa)
			return -ENOEXEC;
		list[i] = (struct module){ (uint32_t)gpa, (uint32_t)(gpa + module->size),
					   (uint32_t)boot_text_put(text, module->name), 0 };
	}
	return 0;
}

static int multiboot_load(const struct boot_request *request, const struct memory *memory,
			  struct layout *layout, struct start *start)
{
	size_t size = sizeof(struct info_block) + boot_text_size(request);
	struct info_block *block;
	struct boot_text text;
	struct elf elf;
	uint32_t entry;
	gpa_t gpa;
	int r = kernel_read(&request->kernel, &elf, &entry);

	if (r == 0)
		r = elf_load(&request->kernel, &elf, memory, layout);
	if (r < 0)
		return r;
	block = boot_info_place(&request->kernel, memory, layout, size, elf_end(&elf),
				"the Multiboot information", &gpa);
	if (!block)
		return -ENOEXEC;
	text = (struct boot_text){ (char *)(block + 1), gpa + sizeof(*block) };
	info_write(request, memory, block, gpa, &text);
	*start = (struct start){ .mode = START_PROTECTED, .entry = entry, .rax = LOADER_MAGIC,
				 .rbx = gpa, .code_selector = 8, .data_selector = 16 };
	return modules_load(request, memory, layout, elf_end(&elf), block->module, &text);
}

const struct boot_protocol boot_multiboot = {
	.name = "multiboot",
	.about = "Multiboot 1 kernel, ELF or with addresses in its header",
	.sniff = multiboot_sniff,
	.check = multiboot_check,
	.load = multiboot_load,
};
