// SPDX-License-Identifier: MIT
// Multiboot 2: "Multiboot2 Specification version 2.0", gnu.org/software/grub/manual/multiboot2.
// Deliberately missing: EFI, framebuffers and consoles, ELF symbols; a kernel that demands one of
// them is refused. A relocatable kernel is loaded where it is linked.
#include "boot.h"

#include "multiboot_image.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define LOADER_MAGIC	0x36d76289
#define ARCHITECTURE_I386 0

/* "OS image format": the header lies in the first 32768 bytes. */
static const struct multiboot_signature signature = { "Multiboot 2", 0xe85250d6, 4, 8, 32768 };

struct header {
	uint32_t magic, architecture, length, checksum;
};

/* "Multiboot2 header": its tags, each 8-aligned. */
struct header_tag {
	uint16_t type, flags;
	uint32_t size;
};
#define TAG_OPTIONAL BIT(0)	/* flags: may be ignored by who does not support it */

enum header_tag_type {
	HEADER_END = 0,
	HEADER_REQUEST = 1,
	HEADER_ADDRESS = 2,
	HEADER_ENTRY = 3,
	HEADER_CONSOLE = 4,
	HEADER_MODULE_ALIGN = 6,
	HEADER_RELOCATABLE = 10,
};

/* Their names and smallest sizes, as the specification has them. */
static const struct {
	const char *name;
	uint32_t size;
} header_tags[] = {
	[HEADER_END] = { "end", 8 },
	[HEADER_REQUEST] = { "information request", 8 },
	[HEADER_ADDRESS] = { "address", 24 },
	[HEADER_ENTRY] = { "entry address", 12 },
	[HEADER_CONSOLE] = { "console flags", 12 },
	[5] = { "framebuffer", 20 },
	[HEADER_MODULE_ALIGN] = { "module alignment", 8 },
	[7] = { "EFI boot services", 8 },
	[8] = { "EFI i386 entry address", 12 },
	[9] = { "EFI amd64 entry address", 12 },
	[HEADER_RELOCATABLE] = { "relocatable", 24 },
};
#define CONSOLE_REQUIRED BIT(0)

/* "Boot information format": the tags that are handed over. */
enum info_tag_type {
	INFO_END = 0,
	INFO_COMMAND_LINE = 1,
	INFO_LOADER_NAME = 2,
	INFO_MODULE = 3,
	INFO_MEMORY = 4,
	INFO_MEMORY_MAP = 6,
	INFO_ACPI_OLD = 14,
	INFO_ACPI_NEW = 15,
	INFO_LOAD_BASE = 21,
};
#define INFO_SUPPORTED \
	(BIT(INFO_COMMAND_LINE) | BIT(INFO_LOADER_NAME) | BIT(INFO_MODULE) | BIT(INFO_MEMORY) | \
	 BIT(INFO_MEMORY_MAP) | BIT(INFO_ACPI_OLD) | BIT(INFO_ACPI_NEW) | BIT(INFO_LOAD_BASE))

/* What the header's tags say. */
struct wishes {
	size_t header;			/* its offset */
	bool has_addresses, has_entry, relocatable;
	struct multiboot_addresses addresses;
	uint32_t entry;
};

static bool multiboot2_sniff(const struct image *image)
{
	size_t offset;

	return multiboot_header_find(image, &signature, &offset) == 0;
}

static int header_read(const struct image *image, struct header *header, size_t *offset)
{
	int r = multiboot_header_find(image, &signature, offset);

	if (r < 0)
		return r;
	memcpy(header, image->bytes + *offset, sizeof(*header));
	if (header->architecture != ARCHITECTURE_I386)
		return image_refuse(image,
				    "the Multiboot 2 header at offset 0x%zx is for architecture "
				    "%u, not 0 (i386)", *offset, header->architecture);
	if (header->length < sizeof(*header) + sizeof(struct header_tag) ||
	    header->length > multiboot_search_size(image, &signature) - *offset)
		return image_refuse(image,
				    "the Multiboot 2 header at offset 0x%zx cannot have %u bytes",
				    *offset, header->length);
	return 0;
}

/* The one idiom by which a tag of the header is refused. */
static int tag_refuse(const struct image *image, const struct header_tag *tag, size_t offset,
		      const char *why)
{
	const char *name = "unknown";

	if (tag->type < ARRAY_SIZE(header_tags))
		name = header_tags[tag->type].name;
	return image_refuse(image, "the Multiboot 2 tag at offset 0x%zx (type %u, %s, %u bytes) %s",
			    offset, tag->type, name, tag->size, why);
}

/* "Information request header tag": each type asked for must be one that is handed over. */
static int request_check(const struct image *image, const struct header_tag *tag, size_t offset)
{
	for (size_t at = sizeof(*tag); at + sizeof(uint32_t) <= tag->size; at += sizeof(uint32_t)) {
		uint32_t type;

		memcpy(&type, image->bytes + offset + at, sizeof(type));
		if (type >= 64 || !(INFO_SUPPORTED & BIT(type)))
			return image_refuse(image,
					    "the Multiboot 2 tag at offset 0x%zx demands "
					    "information %u, which is missing", offset, type);
	}
	return 0;
}

static bool console_required(const struct image *image, size_t offset)
{
	uint32_t flags;

	memcpy(&flags, image->bytes + offset + sizeof(struct header_tag), sizeof(flags));
	return flags & CONSOLE_REQUIRED;
}

/* `tag`, whole in the file and large enough, lies at `offset`. */
static int tag_take(const struct image *image, const struct header_tag *tag, size_t offset,
		    struct wishes *wishes)
{
	const uint8_t *value = image->bytes + offset + sizeof(*tag);
	bool optional = tag->flags & TAG_OPTIONAL;

	switch (tag->type) {
	case HEADER_REQUEST:
		return optional ? 0 : request_check(image, tag, offset);
	case HEADER_ADDRESS:
		memcpy(&wishes->addresses, value, sizeof(wishes->addresses));
		wishes->has_addresses = true;
		return 0;
	case HEADER_ENTRY:
		memcpy(&wishes->entry, value, sizeof(wishes->entry));
		wishes->has_entry = true;
		return 0;
	case HEADER_CONSOLE:
		optional = optional || !console_required(image, offset);
		break;
	case HEADER_MODULE_ALIGN: /* modules are page-aligned always */
		return 0;
	case HEADER_RELOCATABLE:
		wishes->relocatable = true;
		return 0;
	}
	return optional ? 0 : tag_refuse(image, tag, offset, "demands what there is not");
}

/* Its size against its type and the header's end. */
static int tag_check(const struct image *image, const struct header_tag *tag, size_t offset,
		     size_t end)
{
	uint32_t least = sizeof(*tag);

	if (tag->type < ARRAY_SIZE(header_tags))
		least = header_tags[tag->type].size;
	if (tag->size < least)
		return tag_refuse(image, tag, offset, "is too short");
	return tag->size > end - offset ? tag_refuse(image, tag, offset, "leaves the header") : 0;
}

static int wishes_read(const struct image *image, struct wishes *wishes)
{
	struct header_tag tag;
	struct header header;
	size_t at, end;
	int r = header_read(image, &header, &wishes->header);

	if (r < 0)
		return r;
	at = wishes->header + sizeof(header);
	end = wishes->header + header.length;
	for (; r == 0 && at + sizeof(tag) <= end; at += ((size_t)tag.size + 7) & ~7ULL) {
		memcpy(&tag, image->bytes + at, sizeof(tag));
		r = tag_check(image, &tag, at, end);
		if (r == 0 && tag.type == HEADER_END)
			return 0;
		if (r == 0)
			r = tag_take(image, &tag, at, wishes);
	}
	if (r < 0)
		return r;
	return image_refuse(image, "the Multiboot 2 header at offset 0x%zx has no end tag",
			    wishes->header);
}

/* "Address header tag": load_addr -1 loads the file from its beginning. */
static void addresses_resolve(struct wishes *wishes)
{
	if (wishes->addresses.load == UINT32_MAX && wishes->header <= wishes->addresses.header)
		wishes->addresses.load = wishes->addresses.header - (uint32_t)wishes->header;
}

static int kernel_read(const struct image *image, struct wishes *wishes, struct elf *elf,
		       uint32_t *entry)
{
	int r;

	*wishes = (struct wishes){ 0 };
	r = wishes_read(image, wishes);
	if (r < 0)
		return r;
	if (wishes->has_addresses && !wishes->has_entry)
		return image_refuse(image,
				    "the Multiboot 2 header at offset 0x%zx has an address tag but "
				    "no entry address tag", wishes->header);
	addresses_resolve(wishes);
	r = wishes->has_addresses ?
	    multiboot_addresses_read(image, wishes->header, &wishes->addresses, elf) :
	    elf_parse(image, elf);
	*entry = wishes->entry;
	if (r < 0)
		return r;
	return wishes->has_entry ? multiboot_entry_check(image, elf, *entry) :
				   elf_entry(image, elf, entry);
}

static int multiboot2_check(const struct boot_request *request)
{
	struct wishes wishes;
	struct elf elf;
	uint32_t entry;

	return kernel_read(&request->kernel, &wishes, &elf, &entry);
}

/* The information while it is written: tags, each 8-aligned. */
struct info {
	uint8_t *host;
	size_t used;
};
struct info_head {
	uint32_t total_size, reserved_4;
};
struct info_tag {
	uint32_t type, size;
};

/* All tags but their strings, with padding: a bound. */
#define INFO_ROOM (512 + MEMMAP_ENTRIES * sizeof(struct boot_memmap) + BOOT_MODULES * 32)

/* Appends a tag with `size` bytes behind its head, which the caller writes: guest memory is fresh,
 * thus zero. */
static void *tag_put(struct info *info, enum info_tag_type type, size_t size)
{
	uint8_t *at = info->host + info->used;
	struct info_tag tag = { type, (uint32_t)(sizeof(tag) + size) };

	memcpy(at, &tag, sizeof(tag));
	info->used += (sizeof(tag) + size + 7) & ~7ULL;
	return at + sizeof(tag);
}

/* A tag of words and then a string; NULL = none. */
static void words_put(struct info *info, enum info_tag_type type, const uint32_t *word,
		      size_t words, const char *string)
{
	size_t length = string ? strlen(string) + 1 : 0;
	uint8_t *at = tag_put(info, type, words * sizeof(*word) + length);

	if (words)
		memcpy(at, word, words * sizeof(*word));
	if (length)
		memcpy(at + words * sizeof(*word), string, length);
}

static void memory_map_put(struct info *info, const struct memory *memory)
{
	const uint32_t head[] = { sizeof(struct boot_memmap), 0 /* version */ };
	struct boot_memmap map[MEMMAP_ENTRIES];
	size_t size = boot_memmap_fill(memory, map) * sizeof(map[0]);
	uint8_t *at = tag_put(info, INFO_MEMORY_MAP, sizeof(head) + size);

	memcpy(at, head, sizeof(head));
	memcpy(at + sizeof(head), map, size);
}

/* Copies of the RSDP: the first 20 bytes are ACPI 1.0's, revision 2 has 36. */
static void acpi_put(struct info *info, const struct memory *memory, gpa_t gpa)
{
	enum { OLD_SIZE = 20, NEW_SIZE = 36, REVISION = 15 };
	const uint8_t *rsdp = gpa ? memory_at(memory, gpa, NEW_SIZE) : NULL;

	if (!rsdp)
		return;
	memcpy(tag_put(info, INFO_ACPI_OLD, OLD_SIZE), rsdp, OLD_SIZE);
	if (rsdp[REVISION] >= 2)
		memcpy(tag_put(info, INFO_ACPI_NEW, NEW_SIZE), rsdp, NEW_SIZE);
}

static int modules_put(const struct boot_request *request, const struct memory *memory,
		       struct layout *layout, gpa_t from, struct info *info)
{
	for (size_t i = 0; i < request->modules; i++) {
		const struct image *module = &request->module[i];
		gpa_t gpa = boot_module_load(module, memory, layout, from);

		if (!gpa)
			return -ENOEXEC;
		words_put(info, INFO_MODULE,
			  (uint32_t[]){ (uint32_t)gpa, (uint32_t)(gpa + module->size) }, 2,
			  module->name);
	}
	return 0;
}

static int info_write(const struct boot_request *request, const struct memory *memory,
		      struct layout *layout, gpa_t modules_from, const uint32_t *load_base,
		      struct info *info)
{
	struct info_head head = { 0 };
	int r;

	info->used = sizeof(head);
	boot_words_write(request, tag_put(info, INFO_COMMAND_LINE, boot_words_size(request)));
	words_put(info, INFO_LOADER_NAME, NULL, 0, BOOT_LOADER_NAME);
	words_put(info, INFO_MEMORY,
		  (uint32_t[]){ multiboot_mem_lower(memory), multiboot_mem_upper(memory) }, 2,
		  NULL);
	memory_map_put(info, memory);
	acpi_put(info, memory, request->rsdp);
	if (load_base)
		words_put(info, INFO_LOAD_BASE, load_base, 1, NULL);
	r = modules_put(request, memory, layout, modules_from, info);
	tag_put(info, INFO_END, 0);
	head.total_size = (uint32_t)info->used;
	memcpy(info->host, &head, sizeof(head));
	return r;
}

static int multiboot2_load(const struct boot_request *request, const struct memory *memory,
			   struct layout *layout, struct start *start)
{
	size_t size = INFO_ROOM + boot_text_size(request);
	struct info info = { 0 };
	struct wishes wishes;
	struct elf elf;
	uint32_t entry, base;
	gpa_t gpa;
	int r = kernel_read(&request->kernel, &wishes, &elf, &entry);

	if (r == 0)
		r = elf_load(&request->kernel, &elf, memory, layout);
	if (r < 0)
		return r;
	info.host = boot_info_place(&request->kernel, memory, layout, size, elf_end(&elf),
				    "the Multiboot 2 information", &gpa);
	if (!info.host)
		return -ENOEXEC;
	base = (uint32_t)elf_start(&elf);
	*start = (struct start){ .mode = START_PROTECTED, .entry = entry, .rax = LOADER_MAGIC,
				 .rbx = gpa, .code_selector = 8, .data_selector = 16 };
	return info_write(request, memory, layout, elf_end(&elf), wishes.relocatable ? &base : NULL, &info);
}

const struct boot_protocol boot_multiboot2 = {
	.name = "multiboot2",
	.about = "Multiboot 2 kernel, ELF or with addresses in its header",
	.sniff = multiboot2_sniff,
	.check = multiboot2_check,
	.load = multiboot2_load,
};
