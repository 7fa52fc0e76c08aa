/* SPDX-License-Identifier: MIT */
/*
 * ELF executables for x86, 32- and 64-bit: System V ABI, "Object Files". Everything in the file
 * is checked before anything is written to guest memory; a bad file gives -ENOEXEC with what is
 * wrong and where as error_last().
 */
#ifndef ELF_IMAGE_H
#define ELF_IMAGE_H

#include "bits.h"
#include "image.h"
#include "memory.h"

#include <stdbool.h>

#define ELF_SEGMENTS 64

struct elf_segment {
	uint64_t offset, vaddr, paddr, filesz, memsz;
	bool executable;
};

struct elf {
	bool is_64bit;
	bool wants_loader;		/* it names a dynamic loader, as user programs do */
	uint64_t entry;			/* as the header has it */
	struct elf_segment load[ELF_SEGMENTS];	/* PT_LOAD with memsz > 0, as in the file */
	size_t loads;
	struct elf_segment note[ELF_SEGMENTS];	/* PT_NOTE */
	size_t notes;
};

/* Reads and checks the headers. Segments lie below 4 GiB: every protocol starts where no more can
 * be reached. Knows nothing of guest memory's size. */
int elf_parse(const struct image *image, struct elf *elf);

/* True where `address` lies in a PT_LOAD segment that is executable. */
bool elf_executable_at(const struct elf *elf, uint64_t address);

/* The physical address of the header's entry. Kernels linked high have a virtual one: that is
 * looked for in the segments first, as GRUB does. -ENOEXEC where nothing executable lies. */
int elf_entry(const struct image *image, const struct elf *elf, uint32_t *entry);

/* Copies the segments to their physical addresses; the rest of each is zeroed (fresh guest memory
 * is zero: only what lies in the file is touched). Fails where one does not fit, or meets what
 * `layout` knows of. */
int elf_load(const struct image *image, const struct elf *elf, const struct memory *memory,
	     struct layout *layout);

/* The lowest segment's address, and the first behind the highest. */
uint64_t elf_start(const struct elf *elf);
uint64_t elf_end(const struct elf *elf);

/* Finds a note by owner ("Xen") and type; *size bytes at the result, NULL = none. */
const uint8_t *elf_note_find(const struct image *image, const struct elf *elf, const char *owner,
			     uint32_t type, size_t *size);

#endif
