/* SPDX-License-Identifier: MIT */
/*
 * Booting: an image, what the user gave along, and a machine's memory become a start state. Each
 * protocol is one file and one row of boot_protocols[], in sniffing order.
 */
#ifndef BOOT_H
#define BOOT_H

#include "image.h"
#include "memory.h"
#include "start.h"

#include <stdbool.h>

#define BOOT_MODULES 16

/* What is booted. */
struct boot_request {
	struct image kernel;
	struct image module[BOOT_MODULES];	/* -initrd, in the order given */
	size_t modules;
	const char *command_line;		/* as -append has it; "" = none */
	gpa_t rsdp;				/* ACPI's root pointer, 0 = no ACPI */
	/* flat images: where they lie and start, and in which mode */
	gpa_t flat_address;
	enum start_mode flat_mode;
};

struct boot_protocol {
	const char *name;	/* for --format */
	const char *about;
	/* Is it this protocol's? Looks at the bytes alone. NULL: only when asked for by name. */
	bool (*sniff)(const struct image *image);
	/* Everything that can be checked without a machine: -ENOEXEC with error_last(). */
	int (*check)(const struct boot_request *request);
	/* Loads and fills `start`. `layout` knows what is occupied (tables), it learns the rest. */
	int (*load)(const struct boot_request *request, const struct memory *memory,
		    struct layout *layout, struct start *start);
};

extern const struct boot_protocol *const boot_protocols[];	/* ends with NULL */

extern const struct boot_protocol boot_linux, boot_multiboot, boot_multiboot2, boot_pvh, boot_elf64,
	boot_flat;

/* The protocol for an image: the one named (NULL = sniff). NULL with error_last(). */
const struct boot_protocol *boot_protocol_find(const struct image *image, const char *name);

/*
 * What loaders share. All of it lies below MEMORY_HOLE, so that 32 bits hold every address.
 */

/* Places `size` bytes, page-aligned, at the lowest free place from `from`; *gpa is where. NULL with
 * error_last() that names `image` = no room. */
void *boot_place(const struct image *image, const struct memory *memory, struct layout *layout,
		 uint64_t size, gpa_t from, const char *what, gpa_t *gpa);

/* The same for what the kernel is told at its start: below 640 KiB where there is room, since kernels
 * take what is behind their image before they have read it (kvm-unit-tests, from `_end` on). */
void *boot_info_place(const struct image *image, const struct memory *memory, struct layout *layout,
		      uint64_t size, gpa_t from, const char *what, gpa_t *gpa);

/* Copies a module as boot_place() would; returns its address, 0 with error_last() = no room. */
gpa_t boot_module_load(const struct image *module, const struct memory *memory,
		       struct layout *layout, gpa_t from);

/* Page tables for `start`, or just a GDT, and a stack. Negative errno with error_last(). */
#define BOOT_STACK_SIZE (4 * 4096)
int boot_tables_place(const struct image *image, const struct memory *memory,
		      struct layout *layout, gpa_t from, struct start *start);
int boot_stack_place(const struct image *image, const struct memory *memory, struct layout *layout,
		     gpa_t from, struct start *start);

/* Refuses modules and a command line, for protocols that have no way to hand them over. */
int boot_nothing_along(const struct boot_request *request);

/* The memory map as PVH (hvm_memmap_table_entry) and Multiboot 2 both have it. */
struct boot_memmap {
	uint64_t addr, size;
	uint32_t type, reserved_20;
};
_Static_assert(sizeof(struct boot_memmap) == 24, "memory map entry");

/* Fills `map` (of MEMMAP_ENTRIES); returns the count. */
uint32_t boot_memmap_fill(const struct memory *memory, struct boot_memmap *map);

#define BOOT_LOADER_NAME "minivmm " MINIVMM_VERSION

/* "PATH WORDS", as Multiboot loaders hand a command line: argv[0] is the kernel's file name. Its
 * size with the NUL, and the writing of it. */
size_t boot_words_size(const struct boot_request *request);
void boot_words_write(const struct boot_request *request, char *to);

/* Strings one behind the other in guest memory, behind an info block. */
struct boot_text {
	char *host;
	gpa_t gpa;
};

/* Room for all strings that a protocol may want to hand over. */
size_t boot_text_size(const struct boot_request *request);
/* Both return the string's guest address. */
gpa_t boot_text_put(struct boot_text *text, const char *string);
gpa_t boot_text_put_words(struct boot_text *text, const struct boot_request *request);

#endif
