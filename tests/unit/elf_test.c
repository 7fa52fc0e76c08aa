// SPDX-License-Identifier: MIT
// ELF and PVH images, good and bad. A bad one is one change to a good one.
#include "unit.h"

#include "boot.h"
#include "error.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

/* The smallest PVH kernel: one code segment at 1 MiB, one note. Tests change a copy. */
struct kernel {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[3];
	struct {
		Elf64_Nhdr head;
		char owner[4];
		uint64_t entry;
	} note;
	uint8_t code[64];
};

static struct kernel kernel_good(void)
{
	struct kernel k = {
		.ehdr = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_entry = 0x100000, .e_phoff = offsetof(struct kernel, phdr),
			.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3,
		},
		.phdr = {
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = offsetof(struct kernel, code),
			  .p_paddr = 0x100000, .p_filesz = 64, .p_memsz = 4096 },
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = offsetof(struct kernel, code),
			  .p_paddr = 0x101000, .p_filesz = 0, .p_memsz = 64 },
			{ .p_type = PT_NOTE, .p_offset = offsetof(struct kernel, note),
			  .p_filesz = sizeof(((struct kernel *)0)->note) },
		},
		.note = { { 4, 8, 18 }, "Xen", 0x100010 },
		.code = { 0xf4, 0xeb, 0xfd },
	};

	return k;
}

static int kernel_load(const struct kernel *k, size_t size, struct start *start)
{
	/* a copy of the exact size, so that the address sanitizer sees what is read beyond it */
	uint8_t *copy = malloc(size ? size : 1);
	struct boot_request request = { .kernel = { .name = "k", .bytes = copy, .size = size },
					.command_line = "words" };
	struct layout layout;
	struct memory memory;
	uint64_t words;
	int r;

	memcpy(copy, k, size);
	memory_create(&memory, 2 << 20);
	layout_init(&layout);
	r = boot_pvh.load(&request, &memory, &layout, start);
	if (r == 0) {
		EXPECT(memcmp(memory_at(&memory, 0x100000, 64), k->code, 64) == 0,
		       "code not loaded");
		memcpy(&words, memory_at(&memory, start->rbx + 24, 8), 8);
		EXPECT_STR((char *)memory_at(&memory, words, 6), "words");
	}
	memory_destroy(&memory);
	free(copy);
	return r;
}

static void elf_good(void)
{
	struct kernel k = kernel_good();
	struct start start = { 0 };

	EXPECT(kernel_load(&k, sizeof(k), &start) == 0, "%s", error_last()->text);
	EXPECT(start.entry == 0x100010, "0x%llx", (unsigned long long)start.entry);
	EXPECT(start.rbx == 0x9000, "0x%llx", (unsigned long long)start.rbx);
}

static void elf_note_of_four_bytes(void)
{
	struct kernel k = kernel_good();
	struct start start = { 0 };

	k.note.head.n_descsz = 4;
	EXPECT(kernel_load(&k, sizeof(k), &start) == 0, "%s", error_last()->text);
	EXPECT(start.entry == 0x100010, "0x%llx", (unsigned long long)start.entry);
}

/* Each row spoils one thing; the message must name it. */
#define BAD(statement, words) { bad_##statement, words }
#define SPOIL(name, change) static void bad_##name(struct kernel *k) { change; }
SPOIL(magic, k->ehdr.e_ident[0] = 0)
SPOIL(endian, k->ehdr.e_ident[EI_DATA] = ELFDATA2MSB)
SPOIL(class, k->ehdr.e_ident[EI_CLASS] = 9)
SPOIL(version, k->ehdr.e_version = 7)
SPOIL(type, k->ehdr.e_type = ET_DYN)
SPOIL(machine, k->ehdr.e_machine = EM_ARM)
SPOIL(phentsize, k->ehdr.e_phentsize = 1)
SPOIL(phnum_zero, k->ehdr.e_phnum = 0)
SPOIL(phnum_huge, k->ehdr.e_phnum = 0xffff)
SPOIL(phoff, k->ehdr.e_phoff = sizeof(*k) - 8)
SPOIL(phoff_wrap, k->ehdr.e_phoff = UINT64_MAX - 8)
SPOIL(filesz, k->phdr[0].p_memsz = 63)
SPOIL(offset, k->phdr[0].p_offset = sizeof(*k) - 8)
SPOIL(offset_wrap, k->phdr[0].p_offset = UINT64_MAX - 8)
SPOIL(paddr_wrap, k->phdr[0].p_paddr = UINT64_MAX - 8)
SPOIL(overlap, k->phdr[1].p_paddr = 0x100fff)
SPOIL(too_high, k->phdr[1].p_paddr = 0x200000)
SPOIL(too_large, k->phdr[1].p_memsz = 1ULL << 40)
SPOIL(nothing, k->phdr[0].p_memsz = k->phdr[0].p_filesz = k->phdr[1].p_memsz = 0)
SPOIL(note_outside, k->phdr[2].p_filesz = sizeof(*k))
SPOIL(class_of_machine, k->ehdr.e_machine = EM_386)
SPOIL(bios_area, k->phdr[1].p_paddr = 0xfff00)
SPOIL(page_zero, k->phdr[1].p_paddr = 0)
SPOIL(no_note, k->note.head.n_type = 17)
SPOIL(owner, k->note.owner[0] = 'Y')
SPOIL(note_size, k->note.head.n_descsz = 2)
SPOIL(note_long, k->note.head.n_descsz = 0xfffffff0)
SPOIL(note_name, k->note.head.n_namesz = 0xffffffff)
SPOIL(entry_outside, k->note.entry = 0x90000)
SPOIL(entry_data, k->note.entry = 0x101000)
SPOIL(entry_high, k->note.entry = 0x100000100010)

static const struct {
	void (*spoil)(struct kernel *k);
	const char *words;
} bad_images[] = {
	BAD(magic, "not an ELF"), BAD(endian, "little-endian"), BAD(class, "class 9"),
	BAD(version, "version 7"), BAD(type, "not an executable"), BAD(machine, "not x86"),
	BAD(phentsize, "of 1 bytes"), BAD(phnum_zero, "0 ELF program headers"),
	BAD(phnum_huge, "65535 ELF program headers"), BAD(phoff, "leave the file"),
	BAD(phoff_wrap, "leave the file"),
	BAD(filesz, "larger in the file"), BAD(offset, "leaves the file"),
	BAD(offset_wrap, "leaves the file"), BAD(paddr_wrap, "wraps"), BAD(overlap, "overlaps"),
	BAD(too_high, "do not fit"), BAD(too_large, "above 4 GiB"), BAD(nothing, "nothing to load"),
	BAD(note_outside, "leaves the file"), BAD(class_of_machine, "not x86 with 64 bits"),
	BAD(bios_area, "there is the BIOS area"), BAD(page_zero, "there is page 0"),
	BAD(no_note, "no PVH entry"), BAD(owner, "no PVH entry"), BAD(note_size, "of 2 bytes"),
	BAD(note_long, "no PVH entry"), BAD(note_name, "no PVH entry"),
	BAD(entry_outside, "no executable segment"), BAD(entry_data, "no executable segment"),
	BAD(entry_high, "no executable segment"),
};

static void elf_bad(void)
{
	for (size_t i = 0; i < sizeof(bad_images) / sizeof(bad_images[0]); i++) {
		struct kernel k = kernel_good();
		struct start start;
		int r;

		bad_images[i].spoil(&k);
		r = kernel_load(&k, sizeof(k), &start);
		EXPECT(r == -ENOEXEC, "%s: %d", bad_images[i].words, r);
		EXPECT_HAS(error_last()->text, bad_images[i].words);
	}
}

/* No length of a good image may be read beyond; only the whole is taken. */
static void elf_cut(void)
{
	struct kernel k = kernel_good();
	struct start start;

	for (size_t size = 0; size < sizeof(k); size++)
		EXPECT(kernel_load(&k, size, &start) == -ENOEXEC, "%zu bytes", size);
}

static void elf_memory_checked(void)
{
	struct memory memory;

	memory_create(&memory, 4096);
	EXPECT(memory_at(&memory, 0, 4096) != NULL, "all of it");
	EXPECT(memory_at(&memory, 4096, 0) != NULL, "nothing at the end");
	EXPECT(memory_at(&memory, 4095, 2) == NULL, "over the end");
	EXPECT(memory_at(&memory, UINT64_MAX, 2) == NULL, "wraps");
	EXPECT(memory_at(&memory, 8, SIZE_MAX) == NULL, "size wraps");
	memory_destroy(&memory);
}

const struct unit_test elf_tests[] = {
	{ "elf: a PVH kernel is loaded with its start_info", elf_good },
	{ "elf: a PVH note may have four bytes", elf_note_of_four_bytes },
	{ "elf: spoilt images are refused by name", elf_bad },
	{ "elf: cut images are refused", elf_cut },
	{ "elf: guest memory is reached through checks", elf_memory_checked },
	{ 0 },
};
