// SPDX-License-Identifier: MIT
// Which protocol an image speaks, and what all protocols share.
#include "boot.h"

#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* In sniffing order: a kernel may speak several, and its authors test the first of these most. */
const struct boot_protocol *const boot_protocols[] = {
	&boot_linux, &boot_multiboot, &boot_multiboot2, &boot_pvh, &boot_elf64, &boot_flat, NULL,
};

const struct boot_protocol *boot_protocol_find(const struct image *image, const char *name)
{
	for (const struct boot_protocol *const *at = boot_protocols; *at; at++) {
		const struct boot_protocol *protocol = *at;

		if (name ? strcmp(protocol->name, name) == 0 :
			   protocol->sniff && protocol->sniff(image))
			return protocol;
	}
	if (name)
		fail(EINVAL, "--format", "unknown image format '%s' (see --list formats)", name);
	else
		image_refuse(image, "no boot protocol that minivmm knows (see --list formats); "
				    "flat images need --format flat@ADDRESS");
	return NULL;
}

/* Where QEMU's Multiboot loader has it, so that kernels are used to it. */
#define INFO_LOW 0x9000

void *boot_place(const struct image *image, const struct memory *memory, struct layout *layout,
		 uint64_t size, gpa_t from, const char *what, gpa_t *gpa)
{
	*gpa = layout_place(layout, memory, size, 4096, from, MEMORY_HOLE, what);
	if (*gpa)
		return memory_at(memory, *gpa, size);
	image_refuse(image, "no guest memory left for %s (%llu bytes); try a larger -m", what,
		     (unsigned long long)size);
	return NULL;
}

void *boot_info_place(const struct image *image, const struct memory *memory, struct layout *layout,
		      uint64_t size, gpa_t from, const char *what, gpa_t *gpa)
{
	*gpa = layout_place(layout, memory, size, 4096, INFO_LOW, EBDA_START, what);
	if (*gpa)
		return memory_at(memory, *gpa, size);
	return boot_place(image, memory, layout, size, from, what, gpa);
}

gpa_t boot_module_load(const struct image *module, const struct memory *memory,
		       struct layout *layout, gpa_t from)
{
	gpa_t gpa;
	/* an empty module has an address of its own, too */
	void *to = boot_place(module, memory, layout, module->size ? module->size : 1, from,
			      "a module", &gpa);

	if (to && module->size)
		memcpy(to, module->bytes, module->size);
	return gpa;
}

int boot_tables_place(const struct image *image, const struct memory *memory,
		      struct layout *layout, gpa_t from, struct start *start)
{
	if (!boot_place(image, memory, layout, START_TABLES_SIZE, from, "page tables",
			&start->tables))
		return -ENOEXEC;
	return 0;
}

int boot_stack_place(const struct image *image, const struct memory *memory, struct layout *layout,
		     gpa_t from, struct start *start)
{
	gpa_t gpa;

	if (!boot_place(image, memory, layout, BOOT_STACK_SIZE, from, "a stack", &gpa))
		return -ENOEXEC;
	start->rsp = gpa + BOOT_STACK_SIZE;
	return 0;
}

int boot_nothing_along(const struct boot_request *request)
{
	if (request->modules)
		return image_refuse(&request->kernel, "this kind of image takes no -initrd");
	if (request->command_line[0])
		return image_refuse(&request->kernel, "this kind of image takes no -append");
	return 0;
}

uint32_t boot_memmap_fill(const struct memory *memory, struct boot_memmap *map)
{
	struct memmap_entry entry[MEMMAP_ENTRIES];
	size_t count = memory_map(memory, entry);

	for (size_t i = 0; i < count; i++)
		map[i] = (struct boot_memmap){ entry[i].gpa, entry[i].size, entry[i].type, 0 };
	return (uint32_t)count;
}

size_t boot_words_size(const struct boot_request *request)
{
	size_t words = strlen(request->command_line);

	return strlen(request->kernel.name) + (words ? 1 + words : 0) + 1;
}

void boot_words_write(const struct boot_request *request, char *to)
{
	snprintf(to, boot_words_size(request), "%s%s%s", request->kernel.name,
		 request->command_line[0] ? " " : "", request->command_line);
}

size_t boot_text_size(const struct boot_request *request)
{
	size_t size = boot_words_size(request) + sizeof(BOOT_LOADER_NAME);

	for (size_t i = 0; i < request->modules; i++)
		size += strlen(request->module[i].name) + 1;
	return size;
}

/* `size` bytes of text were written: their address, and on behind them. */
static gpa_t text_advance(struct boot_text *text, size_t size)
{
	gpa_t gpa = text->gpa;

	text->host += size;
	text->gpa += size;
	return gpa;
}

gpa_t boot_text_put(struct boot_text *text, const char *string)
{
	size_t size = strlen(string) + 1;

	memcpy(text->host, string, size);
	return text_advance(text, size);
}

gpa_t boot_text_put_words(struct boot_text *text, const struct boot_request *request)
{
	boot_words_write(request, text->host);
	return text_advance(text, boot_words_size(request));
}
