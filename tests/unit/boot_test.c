// SPDX-License-Identifier: MIT
// Every boot protocol: the smallest good image, what it is handed parsed back, and bad images, each
// one change to a good one; then a few thousand random changes.
#include "unit.h"

#include "boot.h"
#include "error.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define KERNEL		0x100000	/* where the good images lie */
#define MEMORY_SIZE	(4 << 20)
#define RSDP		0xe0000		/* as the machine's tables would have it */
#define TEXT		"one \"two three\""

/* ---- booting an image ---- */

struct booted {
	int r;
	struct memory memory;
	struct layout layout;
	struct start start;
};

static uint8_t module_bytes[2][5000];

/* What the user gives along; .kernel is filled per image. */
static struct boot_request request_full(void)
{
	memset(module_bytes[0], 0xa1, sizeof(module_bytes[0]));
	memset(module_bytes[1], 0xb2, sizeof(module_bytes[1]));
	return (struct boot_request){
		.module = { { .name = "dir/m0", .bytes = module_bytes[0], .size = 5 },
			    { .name = "m1", .bytes = module_bytes[1], .size = 4097 } },
		.modules = 2, .command_line = TEXT, .rsdp = RSDP,
	};
}

static struct boot_request request_bare(void)
{
	return (struct boot_request){ .command_line = "", .flat_address = 0x7c00,
				      .flat_mode = START_REAL };
}

static void rsdp_write(const struct memory *memory)
{
	uint8_t *rsdp = memory_at(memory, RSDP, 36);

	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	rsdp[35] = 0x5a;
}

/* check() and load() on a copy of the exact size, so that the address sanitizer sees what is read
 * beyond it. The caller destroys the memory. */
static struct booted image_boot(const struct boot_protocol *protocol, const void *bytes,
				size_t size, struct boot_request request)
{
	struct booted booted = { 0 };
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, bytes, size);
	request.kernel = (struct image){ .name = "dir/kernel", .bytes = copy, .size = size };
	memory_create(&booted.memory, MEMORY_SIZE);
	layout_init(&booted.layout);
	rsdp_write(&booted.memory);
	boot_protocol_find(&request.kernel, NULL);
	booted.r = protocol->check(&request);
	if (booted.r == 0)
		booted.r = protocol->load(&request, &booted.memory, &booted.layout, &booted.start);
	free(copy);
	return booted;
}

static void pieces_check(const struct booted *booted)
{
	const struct layout *layout = &booted->layout;

	for (size_t i = 0; i < layout->ranges; i++) {
		gpa_t start = layout->range[i].start, end = layout->range[i].end;

		EXPECT(end > start && end <= booted->memory.low, "%s ends at 0x%llx",
		       layout->range[i].what, (unsigned long long)end);
		for (size_t k = 0; k < i; k++)
			EXPECT(start >= layout->range[k].end || end <= layout->range[k].start,
			       "%s overlaps %s", layout->range[i].what, layout->range[k].what);
	}
}

/* What piece [gpa, gpa + size) lies in. */
static const char *piece_at(const struct booted *booted, gpa_t gpa, uint64_t size)
{
	for (size_t i = 0; i < booted->layout.ranges; i++)
		if (gpa >= booted->layout.range[i].start &&
		    gpa + size <= booted->layout.range[i].end)
			return booted->layout.range[i].what;
	return "nothing";
}

/* Guest memory as a structure; all zero where there is none. */
static const void *guest(const struct booted *booted, gpa_t gpa, size_t size)
{
	static const uint8_t nothing[4096];
	const void *at = memory_at(&booted->memory, gpa, size);

	EXPECT(at != NULL, "0x%llx", (unsigned long long)gpa);
	return at ? at : nothing;
}

static uint32_t word(const struct booted *booted, gpa_t gpa)
{
	uint32_t value;

	memcpy(&value, guest(booted, gpa, sizeof(value)), sizeof(value));
	return value;
}

static uint64_t quad(const struct booted *booted, gpa_t gpa)
{
	return word(booted, gpa) | (uint64_t)word(booted, gpa + 4) << 32;
}

/* A string that was handed over: wholly in the piece `what`. */
static const char *string(const struct booted *booted, gpa_t gpa, const char *what)
{
	const char *text = guest(booted, gpa, 1);

	EXPECT_STR(piece_at(booted, gpa, strlen(text) + 1), what);
	return text;
}

static void module_expect(const struct booted *booted, size_t i, gpa_t gpa, uint64_t size)
{
	EXPECT(size == (i ? 4097 : 5), "%llu", (unsigned long long)size);
	EXPECT(gpa % 4096 == 0, "0x%llx", (unsigned long long)gpa);
	EXPECT_STR(piece_at(booted, gpa, size), "a module");
	EXPECT(memcmp(guest(booted, gpa, size), module_bytes[i], size) == 0, "module %zu", i);
}

static void memmap_expect(uint64_t addr, uint64_t size, uint32_t type, size_t i)
{
	static const struct memmap_entry want[] = {
		{ 0, 0x9fc00, MEMMAP_RAM }, { 0x9fc00, 0x400, MEMMAP_RESERVED },
		{ 0xe0000, 0x20000, MEMMAP_RESERVED },
		{ 0x100000, MEMORY_SIZE - 0x100000, MEMMAP_RAM },
	};

	EXPECT(i < 4 && addr == want[i].gpa && size == want[i].size && type == want[i].type,
	       "entry %zu: 0x%llx 0x%llx %u", i, (unsigned long long)addr, (unsigned long long)size,
	       type);
}

static void protected_expect(const struct booted *booted, uint64_t entry, uint32_t rax)
{
	const struct start *start = &booted->start;

	EXPECT(booted->r == 0, "%s", error_last()->text);
	EXPECT(start->mode == START_PROTECTED && start->rax == rax, "mode %d", start->mode);
	EXPECT(start->entry == entry, "0x%llx", (unsigned long long)start->entry);
	pieces_check(booted);
}

/* ---- good images ---- */

static const uint8_t ident32[EI_NIDENT] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32,
					    ELFDATA2LSB, EV_CURRENT };

/* Multiboot 1, ELF32: as kvm-unit-tests' flats, its first segment lies at an odd address. */
struct mb1_elf {
	Elf32_Ehdr ehdr;
	Elf32_Phdr phdr[2];
	uint32_t header[3];
	uint8_t code[52];
};
#define MB1_BODY (sizeof(struct mb1_elf) - offsetof(struct mb1_elf, header))
#define MB1_PADDR (KERNEL + 0xb0)

static struct mb1_elf mb1_elf_good(void)
{
	struct mb1_elf k = {
		.ehdr = { .e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
			  .e_entry = MB1_PADDR + 12, .e_phoff = offsetof(struct mb1_elf, phdr),
			  .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2 },
		.phdr = { { PT_LOAD, offsetof(struct mb1_elf, header), MB1_PADDR, MB1_PADDR,
			    MB1_BODY, MB1_BODY, PF_R | PF_X, 16 },
			  { PT_LOAD, offsetof(struct mb1_elf, code), 0x101000, 0x101000, 16, 0x2345,
			    PF_R | PF_W, 16 } },
		.header = { 0x1badb002, 3, -(0x1badb002u + 3) },
		.code = { 0xf4, 0xeb, 0xfd },
	};

	memcpy(k.ehdr.e_ident, ident32, EI_NIDENT);
	return k;
}

/* Multiboot 1 with addresses: 16 bytes of something, the header, code, and bss. */
struct mb1_raw {
	uint32_t before[4], header[3];
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
	uint8_t code[32];
};

static struct mb1_raw mb1_raw_good(void)
{
	return (struct mb1_raw){
		.before = { 1, 2, 3, 4 },
		.header = { 0x1badb002, 0x10003, -(0x1badb002u + 0x10003) },
		.header_addr = KERNEL + 8, .load_addr = KERNEL,
		.load_end_addr = KERNEL + sizeof(struct mb1_raw) - 8,
		.bss_end_addr = KERNEL + 0x1800, .entry_addr = KERNEL + 48,
		.code = { 0xf4 },
	};
}

static void mb1_fix(uint8_t *bytes, size_t at)
{
	uint32_t header[3];

	memcpy(header, bytes + at, sizeof(header));
	header[2] = -(header[0] + header[1]);
	memcpy(bytes + at, header, sizeof(header));
}

static void mb1_elf_fix(uint8_t *bytes)
{
	mb1_fix(bytes, offsetof(struct mb1_elf, header));
}

static void mb1_raw_fix(uint8_t *bytes)
{
	mb1_fix(bytes, offsetof(struct mb1_raw, header));
}

/* Multiboot 2: all the tags that there can be, optional where they want too much. */
struct mb2_tags {
	uint32_t magic, architecture, length, checksum;
	struct { uint16_t type, flags; uint32_t size, wants[5], pad; } request;
	struct { uint16_t type, flags; uint32_t size, flag, pad; } console;
	struct { uint16_t type, flags; uint32_t size, width, height, depth, pad; } framebuffer;
	struct { uint16_t type, flags; uint32_t size; } align;
	struct { uint16_t type, flags; uint32_t size; } boot_services;
	struct { uint16_t type, flags; uint32_t size, min, max, align, preference; } relocatable;
	struct { uint16_t type, flags; uint32_t size; } unknown;
};

static struct mb2_tags mb2_tags_good(uint32_t length)
{
	return (struct mb2_tags){
		0xe85250d6, 0, length, -(0xe85250d6u + length),
		{ 1, 0, 28, { 1, 3, 4, 6, 15 }, 0 }, { 4, 0, 12, 2, 0 },
		{ 5, 1, 20, 80, 25, 0, 0 }, { 6, 0, 8 }, { 7, 1, 8 },
		{ 10, 0, 24, 0, 0xffffffff, 4096, 0 }, { 77, 1, 8 },
	};
}

struct mb2_raw {
	uint64_t before;
	struct mb2_tags tags;
	struct { uint16_t type, flags; uint32_t size, header, load, load_end, bss_end; } address;
	struct { uint16_t type, flags; uint32_t size, entry, pad; } entry;
	struct { uint16_t type, flags; uint32_t size; } end;
	uint8_t code[32];
};

static struct mb2_raw mb2_raw_good(void)
{
	return (struct mb2_raw){
		.tags = mb2_tags_good(offsetof(struct mb2_raw, code) - 8),
		.address = { 2, 0, 24, KERNEL + 8, KERNEL, KERNEL + sizeof(struct mb2_raw),
			     KERNEL + 0x1800 },
		.entry = { 3, 0, 12, KERNEL + offsetof(struct mb2_raw, code), 0 },
		.end = { 0, 0, 8 },
		.code = { 0xf4 },
	};
}

/* ELF64, linked high: the entry is a virtual address. */
struct mb2_elf {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	struct mb2_tags tags;
	struct { uint16_t type, flags; uint32_t size; } end;
	uint8_t code[32];
};
#define HIGH 0xffffffff80000000

static struct mb2_elf mb2_elf_good(void)
{
	const size_t code = offsetof(struct mb2_elf, code);

	return (struct mb2_elf){
		.ehdr = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			  .e_entry = HIGH + KERNEL + code,
			  .e_phoff = offsetof(struct mb2_elf, phdr),
			  .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 },
		.phdr = { PT_LOAD, PF_R | PF_X, 0, HIGH + KERNEL, KERNEL, sizeof(struct mb2_elf),
			  0x3000, 4096 },
		.tags = mb2_tags_good(code - offsetof(struct mb2_elf, tags)),
		.end = { 0, 0, 8 },
		.code = { 0xf4 },
	};
}

static void mb2_fix(uint8_t *bytes, size_t at)
{
	uint32_t header[4];

	memcpy(header, bytes + at, sizeof(header));
	header[3] = -(header[0] + header[1] + header[2]);
	memcpy(bytes + at, header, sizeof(header));
}

static void mb2_raw_fix(uint8_t *bytes)
{
	mb2_fix(bytes, offsetof(struct mb2_raw, tags));
}

static void mb2_elf_fix(uint8_t *bytes)
{
	mb2_fix(bytes, offsetof(struct mb2_elf, tags));
}

/* PVH, ELF32. */
struct pvh_elf {
	Elf32_Ehdr ehdr;
	Elf32_Phdr phdr[2];
	struct { uint32_t namesz, descsz, type; char owner[4]; uint32_t entry; } note;
	uint8_t code[32];
};

static struct pvh_elf pvh_elf_good(void)
{
	struct pvh_elf k = {
		.ehdr = { .e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
			  .e_entry = 1, .e_phoff = offsetof(struct pvh_elf, phdr),
			  .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2 },
		.phdr = { { PT_NOTE, offsetof(struct pvh_elf, note), 0, 0, 20, 20, PF_R, 4 },
			  { PT_LOAD, offsetof(struct pvh_elf, code), KERNEL, KERNEL, 32, 0x1001,
			    PF_R | PF_X, 16 } },
		.note = { 4, 4, 18, "Xen", KERNEL + 4 },
		.code = { 0xf4 },
	};

	memcpy(k.ehdr.e_ident, ident32, EI_NIDENT);
	return k;
}

/* Linux: two sectors of 16-bit code, then 1024 bytes that are the kernel. */
struct bzimage {
	uint8_t before[0x1f1];
	struct setup_header header;
	uint8_t between[1536 - 0x1f1 - sizeof(struct setup_header)];
	uint8_t code[1024];
};
#define LINUX_PREFERS 0x200000

static struct bzimage bzimage_good(void)
{
	struct bzimage k = { .header = {
		.setup_sects = 2, .syssize = 1024 / 16, .boot_flag = 0xaa55, .jump = 0x6aeb,
		.header = 0x53726448, .version = 0x20f, .loadflags = LOADED_HIGH,
		.code32_start = 0x100000, .initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000, .relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64, .cmdline_size = 64,
		.pref_address = LINUX_PREFERS - 0x1000, .init_size = 0x10000, .setup_data = 7,
	} };

	memset(k.before, 0xff, sizeof(k.before));
	memset(k.code, 0xf4, sizeof(k.code));
	return k;
}

/* Plain ELF64: the Multiboot 2 kernel without its header. */
static struct mb2_elf elf64_good(void)
{
	struct mb2_elf k = mb2_elf_good();

	k.tags.magic = 0;
	return k;
}

/* ---- what good images are handed ---- */

static void mb1_info_check(const struct booted *booted)
{
	const char *what = "the Multiboot information";
	gpa_t info = booted->start.rbx;
	uint32_t modules = word(booted, info + 24), mmap = word(booted, info + 48);

	EXPECT(word(booted, info) == 0x24f, "flags 0x%x", word(booted, info));
	EXPECT(word(booted, info + 4) == 639 && word(booted, info + 8) == 3072, "memory sizes");
	EXPECT(word(booted, info + 12) == 0x8000ffff, "boot device");
	EXPECT_STR(piece_at(booted, info, 88), what);
	EXPECT_STR(string(booted, word(booted, info + 16), what), "dir/kernel " TEXT);
	EXPECT_HAS(string(booted, word(booted, info + 64), what), "minivmm");
	EXPECT(word(booted, info + 20) == 2, "modules");
	for (uint32_t i = 0; i < 2; i++) {
		gpa_t at = modules + 16 * i;

		module_expect(booted, i, word(booted, at), word(booted, at + 4) - word(booted, at));
		EXPECT_STR(string(booted, word(booted, at + 8), what), i ? "m1" : "dir/m0");
	}
	EXPECT(word(booted, info + 44) == 4 * 24, "%u", word(booted, info + 44));
	for (uint32_t i = 0; i < 4; i++, mmap += 24) {
		EXPECT(word(booted, mmap) == 20, "size");
		memmap_expect(quad(booted, mmap + 4), quad(booted, mmap + 12),
			      word(booted, mmap + 20), i);
	}
}

static void multiboot_elf(void)
{
	struct mb1_elf k = mb1_elf_good();
	struct booted booted = image_boot(&boot_multiboot, &k, sizeof(k), request_full());

	protected_expect(&booted, MB1_PADDR + 12, 0x2badb002);
	EXPECT(memcmp(guest(&booted, MB1_PADDR, MB1_BODY), k.header, MB1_BODY) == 0, "not loaded");
	/* behind the bss, on a page of its own */
	EXPECT(booted.start.rbx == 0x9000, "0x%llx", (unsigned long long)booted.start.rbx);
	mb1_info_check(&booted);
	memory_destroy(&booted.memory);
}

static void multiboot_addresses(void)
{
	struct mb1_raw k = mb1_raw_good();
	struct booted booted = image_boot(&boot_multiboot, &k, sizeof(k), request_full());

	/* header_addr - load_addr is 8, and the header at 16: loading starts at offset 8 */
	protected_expect(&booted, KERNEL + 48, 0x2badb002);
	EXPECT(word(&booted, KERNEL) == 3 && word(&booted, KERNEL + 8) == 0x1badb002, "not loaded");
	EXPECT(booted.start.rbx == 0x9000, "0x%llx", (unsigned long long)booted.start.rbx);
	mb1_info_check(&booted);
	memory_destroy(&booted.memory);

	k.load_end_addr = k.bss_end_addr = 0;
	booted = image_boot(&boot_multiboot, &k, sizeof(k), request_full());
	protected_expect(&booted, KERNEL + 48, 0x2badb002);
	EXPECT(booted.layout.range[3].end == KERNEL + sizeof(k) - 8, "the whole file");
	memory_destroy(&booted.memory);
}

/* kvm-unit-tests' realmode.flat lies at 0x8000: nothing else may. */
static void multiboot_low(void)
{
	struct mb1_elf k = mb1_elf_good();
	struct booted booted;

	k.phdr[0].p_paddr = k.phdr[0].p_vaddr = 0x8000;
	k.phdr[1].p_paddr = k.phdr[1].p_vaddr = 0xb000;
	k.ehdr.e_entry = 0x8018;
	booted = image_boot(&boot_multiboot, &k, sizeof(k), request_full());
	protected_expect(&booted, 0x8018, 0x2badb002);
	EXPECT(booted.start.rbx == 0x9000, "0x%llx", (unsigned long long)booted.start.rbx);
	mb1_info_check(&booted);
	memory_destroy(&booted.memory);
}

/* Unknown features from bit 17 on are the loader's to ignore. */
static void multiboot_ignored_flags(void)
{
	struct mb1_elf k = mb1_elf_good();
	struct booted booted;

	k.header[1] |= 0xfffe0000;
	mb1_elf_fix((uint8_t *)&k);
	booted = image_boot(&boot_multiboot, &k, sizeof(k), request_full());
	protected_expect(&booted, MB1_PADDR + 12, 0x2badb002);
	memory_destroy(&booted.memory);
}

/* Finds the nth information tag of a type: its address and size, 0 = none. */
static gpa_t mb2_tag(const struct booted *booted, uint32_t type, unsigned int n, uint32_t *size)
{
	gpa_t info = booted->start.rbx, end = info + word(booted, info), at = info + 8;

	while (at + 8 <= end) {
		*size = word(booted, at + 4);
		if (word(booted, at) == type && n-- == 0)
			return at;
		if (word(booted, at) == 0 || *size < 8)
			break;
		at += (*size + 7) & ~7U;
	}
	*size = 0;
	return 0;
}

static void mb2_memory_check(const struct booted *booted)
{
	uint32_t size;
	gpa_t at = mb2_tag(booted, 4, 0, &size);

	EXPECT(at && size == 16 && word(booted, at + 8) == 639 && word(booted, at + 12) == 3072,
	       "sizes");
	at = mb2_tag(booted, 6, 0, &size);
	EXPECT(at && size == 16 + 4 * 24 && quad(booted, at + 8) == 24, "map");
	for (uint32_t i = 0; at && i < 4; i++) {
		gpa_t entry = at + 16 + 24 * i;

		memmap_expect(quad(booted, entry), quad(booted, entry + 8),
			      word(booted, entry + 16), i);
	}
}

static void mb2_info_check(const struct booted *booted)
{
	const char *what = "the Multiboot 2 information";
	gpa_t info = booted->start.rbx, at;
	uint32_t size;

	EXPECT(info % 8 == 0 && word(booted, info + 4) == 0, "head");
	EXPECT_STR(piece_at(booted, info, word(booted, info)), what);
	at = mb2_tag(booted, 0, 0, &size);
	EXPECT(at && size == 8 && at + 8 == info + word(booted, info), "end tag");
	at = mb2_tag(booted, 1, 0, &size);
	EXPECT(size == 8 + sizeof("dir/kernel " TEXT), "%u", size);
	EXPECT_STR(string(booted, at + 8, what), "dir/kernel " TEXT);
	EXPECT_HAS(string(booted, mb2_tag(booted, 2, 0, &size) + 8, what), "minivmm");
	mb2_memory_check(booted);
	for (unsigned int i = 0; i < 2; i++) {
		at = mb2_tag(booted, 3, i, &size);
		module_expect(booted, i, word(booted, at + 8),
			      word(booted, at + 12) - word(booted, at + 8));
		EXPECT_STR(string(booted, at + 16, what), i ? "m1" : "dir/m0");
	}
	EXPECT(mb2_tag(booted, 3, 2, &size) == 0, "a third module");
	at = mb2_tag(booted, 14, 0, &size);
	EXPECT(size == 28 && memcmp(guest(booted, at + 8, 20), "RSD PTR ", 8) == 0, "old RSDP");
	at = mb2_tag(booted, 15, 0, &size);
	EXPECT(size == 44 && memcmp(guest(booted, at + 8, 36), "RSD PTR ", 8) == 0, "new RSDP");
	EXPECT(word(booted, at + 40) == 0x5a000000, "its end");
	at = mb2_tag(booted, 21, 0, &size);
	EXPECT(size == 12 && word(booted, at + 8) == KERNEL, "load base");
}

static void multiboot2_addresses(void)
{
	struct mb2_raw k = mb2_raw_good();
	struct booted booted = image_boot(&boot_multiboot2, &k, sizeof(k), request_full());

	protected_expect(&booted, KERNEL + offsetof(struct mb2_raw, code), 0x36d76289);
	EXPECT(memcmp(guest(&booted, KERNEL, sizeof(k)), &k, sizeof(k)) == 0, "not loaded");
	mb2_info_check(&booted);
	memory_destroy(&booted.memory);

	k.address.load = UINT32_MAX; /* from the file's beginning: the same */
	booted = image_boot(&boot_multiboot2, &k, sizeof(k), request_full());
	protected_expect(&booted, KERNEL + offsetof(struct mb2_raw, code), 0x36d76289);
	EXPECT(memcmp(guest(&booted, KERNEL, sizeof(k)), &k, sizeof(k)) == 0, "not loaded");
	memory_destroy(&booted.memory);
}

static void multiboot2_elf(void)
{
	struct mb2_elf k = mb2_elf_good();
	struct booted booted = image_boot(&boot_multiboot2, &k, sizeof(k), request_full());

	protected_expect(&booted, KERNEL + offsetof(struct mb2_elf, code), 0x36d76289);
	EXPECT(booted.start.rbx == 0x9000, "0x%llx", (unsigned long long)booted.start.rbx);
	mb2_info_check(&booted);
	memory_destroy(&booted.memory);
}

static void pvh_elf32(void)
{
	struct pvh_elf k = pvh_elf_good();
	struct booted booted = image_boot(&boot_pvh, &k, sizeof(k), request_full());
	gpa_t info = booted.start.rbx, modules = quad(&booted, info + 16);
	gpa_t map = quad(&booted, info + 40);

	protected_expect(&booted, KERNEL + 4, 0);
	EXPECT(info == 0x9000, "0x%llx", (unsigned long long)info);
	EXPECT(word(&booted, info) == 0x336ec578 && quad(&booted, info + 4) == 1,
	       "magic, version 1");
	EXPECT_STR(piece_at(&booted, info, 56), "start_info");
	EXPECT_STR(string(&booted, quad(&booted, info + 24), "start_info"), TEXT);
	EXPECT(quad(&booted, info + 32) == RSDP && word(&booted, info + 12) == 2, "RSDP, modules");
	for (uint32_t i = 0; i < 2; i++) {
		gpa_t at = modules + 32 * i;

		module_expect(&booted, i, quad(&booted, at), quad(&booted, at + 8));
		EXPECT_STR(string(&booted, quad(&booted, at + 16), "start_info"),
			   i ? "m1" : "dir/m0");
	}
	EXPECT(quad(&booted, info + 48) == 4, "memory map");
	for (uint32_t i = 0; i < 4; i++, map += 24)
		memmap_expect(quad(&booted, map), quad(&booted, map + 8),
			      word(&booted, map + 16), i);
	memory_destroy(&booted.memory);
}

static void zero_page_check(const struct booted *booted, gpa_t kernel)
{
	const struct boot_params *params = guest(booted, booted->start.rsi, sizeof(*params));
	const struct setup_header *header = &params->hdr;
	uint8_t first[5] = { 0xa1, 0xa1, 0xa1, 0xa1, 0xa1 };
	gpa_t initrd = header->ramdisk_image;

	EXPECT_STR(piece_at(booted, booted->start.rsi, 4096), "the zero page");
	EXPECT(params->sentinel == 0 && header->setup_data == 0, "sentinel %u", params->sentinel);
	EXPECT(header->type_of_loader == 0xff && header->loadflags == 0x81, "0x%x",
	       header->loadflags);
	EXPECT(header->code32_start == kernel && header->vid_mode == 0xffff, "0x%x",
	       header->code32_start);
	EXPECT_STR(string(booted, header->cmd_line_ptr, "the command line"), TEXT);
	EXPECT(params->acpi_rsdp_addr == RSDP, "0x%llx",
	       (unsigned long long)params->acpi_rsdp_addr);
	EXPECT(header->ramdisk_size == 8 + 4097, "%u", header->ramdisk_size);
	EXPECT_STR(piece_at(booted, initrd, header->ramdisk_size), "the initrd");
	EXPECT(memcmp(guest(booted, initrd, 5), first, 5) == 0, "first initrd");
	EXPECT(memcmp(guest(booted, initrd + 8, 4097), module_bytes[1], 4097) == 0,
	       "second initrd");
	EXPECT(params->e820_entries == 4, "%u", params->e820_entries);
	for (size_t i = 0; i < 4; i++)
		memmap_expect(params->e820_table[i].addr, params->e820_table[i].size,
			      params->e820_table[i].type, i);
	EXPECT_STR(piece_at(booted, booted->start.tables, START_TABLES_SIZE), "page tables");
	EXPECT(booted->start.code_selector == 0x10 && booted->start.data_selector == 0x18,
	       "selectors");
	EXPECT(memcmp(guest(booted, kernel, 4), "\xf4\xf4\xf4\xf4", 4) == 0, "not loaded");
	pieces_check(booted);
}

static void linux_64bit(void)
{
	struct bzimage k = bzimage_good();
	struct booted booted = image_boot(&boot_linux, &k, sizeof(k), request_full());

	EXPECT(booted.r == 0, "%s", error_last()->text);
	EXPECT(booted.start.mode == START_LONG, "mode %d", booted.start.mode);
	EXPECT(booted.start.entry == LINUX_PREFERS + 0x200, "0x%llx",
	       (unsigned long long)booted.start.entry);
	EXPECT_STR(piece_at(&booted, LINUX_PREFERS, 0x10000), "the kernel");
	zero_page_check(&booted, LINUX_PREFERS);
	memory_destroy(&booted.memory);
}

/* Protocol 2.06, not relocatable: at 1 MiB, 32 bits, and no more header than that had. */
static void linux_32bit_old(void)
{
	struct bzimage k = bzimage_good();
	struct booted booted;

	k.header.version = 0x206;
	k.header.jump = 0x3aeb; /* up to 0x23c */
	k.header.relocatable_kernel = 0;
	booted = image_boot(&boot_linux, &k, sizeof(k), request_full());
	protected_expect(&booted, 0x100000, 0);
	zero_page_check(&booted, 0x100000);
	memory_destroy(&booted.memory);
}

/* No other entry than the 16-bit one: the 16-bit code is loaded, too, and entered with its segments.
 * Behind 2.07's header are bytes of its own. */
static void linux_16bit(void)
{
	struct {
		struct bzimage k;
		uint8_t more[64 * 512];
	} image = { bzimage_good(), { 0 } };
	const struct setup_header *header;
	const struct start *start;
	struct booted booted;
	gpa_t code;

	image.k.header.version = 0x207;
	image.k.header.code32_start = 0;
	image.k.header.xloadflags = 0;
	image.k.header.pref_address = UINT64_MAX;
	booted = image_boot(&boot_linux, &image.k, sizeof(image.k), request_full());
	start = &booted.start;
	code = start->data_selector * 16U;
	EXPECT(booted.r == 0 && start->mode == START_REAL, "%s", error_last()->text);
	EXPECT(code <= 0x90000 && start->code_selector == start->data_selector + 0x20 &&
	       start->entry == code + 0x200, "0x%llx", (unsigned long long)start->entry);
	EXPECT_STR(piece_at(&booted, code, 0x10000), "16-bit code");
	EXPECT(memcmp(guest(&booted, KERNEL, 1024), image.k.code, 1024) == 0, "the rest");
	header = guest(&booted, code + 0x1f1, sizeof(*header));
	EXPECT(header->pref_address == UINT64_MAX && header->code32_start == 0, "kept");
	EXPECT(header->type_of_loader == 0xff && header->loadflags & CAN_USE_HEAP, "loader");
	EXPECT(header->heap_end_ptr + 0x200 == (int)start->rsp && start->rsp <= 0xfffe, "heap");
	EXPECT_STR(string(&booted, header->cmd_line_ptr, "the command line"), TEXT);
	EXPECT(header->cmd_line_ptr < 0xa0000, "0x%x", header->cmd_line_ptr);
	EXPECT(header->ramdisk_size == 8 + 4097, "%u", header->ramdisk_size);
	EXPECT_STR(piece_at(&booted, header->ramdisk_image, 8 + 4097), "the initrd");
	pieces_check(&booted);
	memory_destroy(&booted.memory);
	image.k.header.setup_sects = 64;
	booted = image_boot(&boot_linux, &image, sizeof(image), request_full());
	EXPECT(booted.r == -ENOEXEC, "%d", booted.r);
	EXPECT_HAS(error_last()->text, "64 setup sectors of 16-bit code are more than 32 KiB");
	memory_destroy(&booted.memory);
}

/* A kernel that moves itself needs both places, and all between. */
static void linux_moving(void)
{
	struct bzimage k = bzimage_good();
	struct booted booted;

	k.header.relocatable_kernel = 0;
	k.header.xloadflags = 0;
	booted = image_boot(&boot_linux, &k, sizeof(k), request_full());
	protected_expect(&booted, 0x100000, 0);
	EXPECT_STR(piece_at(&booted, 0x100000, LINUX_PREFERS - 0x1000 + 0x10000 - 0x100000),
		   "the kernel");
	zero_page_check(&booted, 0x100000);
	memory_destroy(&booted.memory);
}

/* initrd_addr_max is the last address that an initrd may touch. */
static void linux_initrd_limit(void)
{
	struct bzimage k = bzimage_good();
	struct boot_params params;
	struct booted booted;

	k.header.initrd_addr_max = 0x17ffff;
	booted = image_boot(&boot_linux, &k, sizeof(k), request_full());
	EXPECT(booted.r == 0, "%s", error_last()->text);
	memcpy(&params, guest(&booted, booted.start.rsi, 4096), 4096);
	EXPECT(params.hdr.ramdisk_image == 0x17e000, "0x%x", params.hdr.ramdisk_image);
	memory_destroy(&booted.memory);
	k.header.initrd_addr_max = 0xfffff;
	booted = image_boot(&boot_linux, &k, sizeof(k), request_full());
	EXPECT(booted.r == -ENOEXEC, "%d", booted.r);
	EXPECT_HAS(error_last()->text, "bytes of initrd");
	memory_destroy(&booted.memory);
}

static void linux_command_line_limit(void)
{
	struct bzimage k = bzimage_good();
	struct boot_request request = request_full();
	struct booted booted;
	char line[66];

	memset(line, 'x', sizeof(line));
	line[64] = '\0';
	request.command_line = line;
	booted = image_boot(&boot_linux, &k, sizeof(k), request);
	EXPECT(booted.r == 0, "%s", error_last()->text);
	memory_destroy(&booted.memory);
	memcpy(line + 64, "x", 2);
	booted = image_boot(&boot_linux, &k, sizeof(k), request);
	EXPECT(booted.r == -ENOEXEC, "%d", booted.r);
	EXPECT_HAS(error_last()->text, "a command line of 65 bytes, but it takes 64");
	memory_destroy(&booted.memory);
}

static void elf64_plain(void)
{
	struct mb2_elf k = elf64_good();
	struct booted booted = image_boot(&boot_elf64, &k, sizeof(k), request_bare());

	EXPECT(booted.r == 0, "%s", error_last()->text);
	EXPECT(booted.start.mode == START_LONG, "mode %d", booted.start.mode);
	EXPECT(booted.start.entry == KERNEL + offsetof(struct mb2_elf, code), "0x%llx",
	       (unsigned long long)booted.start.entry);
	EXPECT(booted.start.rsp % 16 == 0, "RSP");
	EXPECT_STR(piece_at(&booted, booted.start.rsp - BOOT_STACK_SIZE, BOOT_STACK_SIZE),
		   "a stack");
	EXPECT_STR(piece_at(&booted, booted.start.tables, START_TABLES_SIZE), "page tables");
	pieces_check(&booted);
	memory_destroy(&booted.memory);
	booted = image_boot(&boot_elf64, &k, sizeof(k), request_full());
	EXPECT(booted.r == -ENOEXEC, "%d", booted.r);
	EXPECT_HAS(error_last()->text, "takes no -initrd");
	memory_destroy(&booted.memory);
}

static void flat_expect(const struct booted *booted, gpa_t address, enum start_mode mode)
{
	const struct start *start = &booted->start;

	EXPECT(start->mode == mode && start->entry == address, "0x%llx",
	       (unsigned long long)start->entry);
	EXPECT_STR(piece_at(booted, start->rsp - 4096, 4096), "a stack");
	EXPECT(start->rsp < 0x10000 || mode != START_REAL, "0x%llx",
	       (unsigned long long)start->rsp);
}

static void flat_modes(void)
{
	static const struct {
		gpa_t address;
		enum start_mode mode;
		const char *words;	/* NULL = good */
	} rows[] = {
		{ 0x7c00, START_REAL, NULL }, { 0x1000, START_REAL, NULL },
		{ 0x20000, START_REAL, NULL }, { 0x100000, START_PROTECTED, NULL },
		{ 0x1234567 % MEMORY_SIZE, START_LONG, NULL },
		{ 0, START_REAL, "there is page 0" }, { 0x9fbff, START_REAL, "there is the EBDA" },
		{ 0xffe00, START_REAL, "there is the BIOS area" },
		{ 0xffe01, START_REAL, "end above" },
		{ 0x100000, START_REAL, "end above 0x100000" },
		{ 0xf0000, START_LONG, "the BIOS area" },
		{ MEMORY_SIZE - 511, START_LONG, "no guest memory" },
		{ MEMORY_SIZE, START_PROTECTED, "no guest memory" },
		{ MEMORY_SIZE - 512, START_LONG, "no guest memory left for a stack" },
		{ 0xc0000000, START_LONG, "end above" }, { UINT64_MAX, START_LONG, "end above" },
		{ UINT64_MAX - 511, START_PROTECTED, "end above" },
	};
	static const uint8_t bytes[512] = { 0xf4 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct boot_request request = request_bare();
		struct booted booted;

		request.flat_address = rows[i].address;
		request.flat_mode = rows[i].mode;
		booted = image_boot(&boot_flat, bytes, sizeof(bytes), request);
		EXPECT(booted.r == (rows[i].words ? -ENOEXEC : 0), "row %zu: %s", i,
		       error_last()->text);
		if (rows[i].words)
			EXPECT_HAS(error_last()->text, rows[i].words);
		else
			flat_expect(&booted, rows[i].address, rows[i].mode);
		pieces_check(&booted);
		memory_destroy(&booted.memory);
	}
}

/* ---- bad images ---- */

/* One field of a good image changed, and what the refusal says. */
struct patch {
	size_t offset, width;
	uint64_t value;
	const char *words;
	bool raw;	/* the checksum is left as it was */
};
#define PATCH(type, field, value, words) \
	{ offsetof(struct type, field), sizeof(((struct type *)0)->field), (value), (words), false }
#define PATCH_RAW(type, field, value, words) \
	{ offsetof(struct type, field), sizeof(((struct type *)0)->field), (value), (words), true }

#define M(field, value, words) PATCH(mb1_elf, field, value, words)
static const struct patch mb1_elf_bad[] = {
	PATCH_RAW(mb1_elf, header[0], 0x1badb003, "no Multiboot header"),
	PATCH_RAW(mb1_elf, header[2], 0, "wrong checksum"),
	PATCH_RAW(mb1_elf, header[1], 0, "offset 0x74 has a wrong checksum"),
	M(header[1], 4, "a video mode"), M(header[1], 8, "demands what is unknown"),
	M(header[1], 0x8003, "unknown (flags 0x8003)"),
	M(header[1], 0x10000, "load_addr"),
	M(ehdr.e_ident[0], 0, "not an ELF"), M(ehdr.e_ident[EI_CLASS], 3, "class 3"),
	M(ehdr.e_ident[EI_CLASS], ELFCLASS64, ""), M(ehdr.e_ident[EI_DATA], 2, "little-endian"),
	M(ehdr.e_type, ET_DYN, "not an executable"), M(ehdr.e_type, ET_REL, "not an executable"),
	M(ehdr.e_machine, EM_X86_64, "not x86 with 32 bits"), M(ehdr.e_machine, EM_ARM, "not x86"),
	M(ehdr.e_version, 0, "version 0"), M(ehdr.e_phnum, 0, "0 ELF program headers"),
	M(ehdr.e_phnum, 65, "65 ELF program headers"), M(ehdr.e_phnum, 64, "leave the file"),
	M(ehdr.e_phentsize, 56, "of 56 bytes"), M(ehdr.e_phoff, 0xffffffff, "leave the file"),
	M(ehdr.e_entry, 0x101000, "no executable segment"),
	M(ehdr.e_entry, 0, "no executable segment"),
	M(ehdr.e_entry, MB1_PADDR + MB1_BODY, "no executable segment"),
	M(phdr[0].p_flags, PF_R, "no executable segment"),
	M(phdr[0].p_memsz, MB1_BODY - 1, "larger in the file"),
	M(phdr[0].p_offset, sizeof(struct mb1_elf) - 1, "leaves the file"),
	M(phdr[0].p_offset, 0xffffffff, "leaves the file"),
	M(phdr[0].p_paddr, 0x101000, "overlaps"), M(phdr[0].p_paddr, 0, "there is page 0"),
	M(phdr[1].p_paddr, 0xffffffff, "above 4 GiB"),
	M(phdr[1].p_memsz, 0xffffffff, "above 4 GiB"),
	M(phdr[1].p_paddr, 0x9fbff, "there is the EBDA"),
	M(phdr[1].p_paddr, 0xb8000, "the BIOS area"),
	M(phdr[1].p_memsz, MEMORY_SIZE, "there is no guest memory"),
	M(phdr[1].p_memsz, MEMORY_SIZE - 0x101000, "no guest memory left for a module (5 bytes)"),
	M(phdr[1].p_memsz, MEMORY_SIZE - 0x101000 - 4096, "memory left for a module (4097 bytes)"),
	M(phdr[1].p_memsz, MEMORY_SIZE - 0x101000 - 8192, "m1: no guest memory left for a module"),
};
#undef M

#define M(field, value, words) PATCH(mb1_raw, field, value, words)
static const struct patch mb1_raw_bad[] = {
	PATCH_RAW(mb1_raw, header[1], 0x10001, "wrong checksum"),
	M(header[1], 0x10004, "a video mode"), M(header[1], 0x10010, "demands what is unknown"),
	M(header[1], 0, "not an ELF"),
	M(header_addr, KERNEL - 1, "load_addr 0x100000 is above header_addr 0xfffff"),
	M(header_addr, KERNEL + 17, "is 0x11 bytes before a header at offset 0x10"),
	M(header_addr, 0xffffffff, "before a header"),
	M(load_addr, KERNEL + 9, "is above header_addr"), M(load_addr, 0, "before a header"),
	M(load_addr, 0xffffffff, "is above header_addr"),
	M(load_end_addr, KERNEL, "is not above load_addr"),
	M(load_end_addr, 1, "is not above load_addr"),
	M(load_end_addr, KERNEL + sizeof(struct mb1_raw) - 7, "behind the end of the file"),
	M(load_end_addr, 0xffffffff, "behind the end of the file"),
	M(bss_end_addr, KERNEL + 16, "bss_end_addr 0x100010 lies before"),
	M(bss_end_addr, 1, "bss_end_addr 0x1 lies before"),
	M(bss_end_addr, 0xffffffff, "there is no guest memory"),
	M(bss_end_addr, MEMORY_SIZE, "no guest memory left"),
	M(bss_end_addr, MEMORY_SIZE + 1, "there is no guest memory"),
	M(entry_addr, KERNEL - 1, "entry_addr 0xfffff"),
	M(entry_addr, KERNEL + 0x1800, "nothing executable"),
	M(entry_addr, 0, "entry_addr 0x0 lies in nothing"),
	M(entry_addr, 0xffffffff, "nothing executable"),
};
#undef M

#define M(field, value, words) PATCH(mb2_raw, field, value, words)
static const struct patch mb2_raw_bad[] = {
	PATCH_RAW(mb2_raw, tags.magic, 0, "no Multiboot 2 header"),
	PATCH_RAW(mb2_raw, tags.checksum, 1, "offset 0x8 has a wrong checksum"),
	M(tags.architecture, 4, "for architecture 4, not 0"),
	M(tags.length, 16, "cannot have 16 bytes"), M(tags.length, 0, "cannot have 0 bytes"),
	M(tags.length, 24, "leaves the header"), M(tags.length, 44, "no end tag"),
	M(tags.length, 0xffffffff, "cannot have"),
	M(tags.length, sizeof(struct mb2_raw), "cannot have"),
	M(tags.length, 48, "no end tag"),
	M(tags.request.size, 7, "(type 1, information request, 7 bytes) is too short"),
	M(tags.request.size, 0, "is too short"),
	M(tags.request.size, 0xffffffff, "leaves the header"),
	M(tags.request.size, 0xfffffff8, "leaves the header"),
	M(tags.request.wants[0], 8, "demands information 8"),
	M(tags.request.wants[4], 9, "information 9"),
	M(tags.request.wants[1], 64, "information 64"),
	M(tags.request.wants[1], 0xffffffff, "information"),
	M(tags.console.flag, 3, "console flags, 12 bytes) demands what there is not"),
	M(tags.console.size, 8, "is too short"),
	M(tags.framebuffer.flags, 0, "(type 5, framebuffer"),
	M(tags.framebuffer.size, 12, "is too short"),
	M(tags.boot_services.flags, 2, "(type 7, EFI boot services"),
	M(tags.unknown.flags, 0, "(type 77, unknown"), M(tags.relocatable.size, 20, "is too short"),
	M(tags.unknown.size, 1, "is too short"),
	M(address.size, 8, "is too short"), M(address.header, KERNEL - 1, "is above header_addr"),
	M(address.header, KERNEL + 9, "before a header"),
	M(address.load, KERNEL + 9, "above header_addr"),
	M(address.load_end, KERNEL, "is not above load_addr"),
	M(address.load_end, KERNEL + sizeof(struct mb2_raw) + 1, "behind the end of the file"),
	M(address.bss_end, KERNEL + 1, "lies before"),
	M(address.bss_end, 0xffffffff, "no guest memory"),
	M(address.bss_end, MEMORY_SIZE, "no guest memory left for a module (5 bytes)"),
	M(address.bss_end, MEMORY_SIZE - 4096, "no guest memory left for a module"),
	M(entry.type, 6, "but no entry address tag"),
	M(entry.entry, KERNEL - 1, "nothing executable"),
	M(entry.entry, KERNEL + 0x1800, "nothing executable"), M(address.type, 6, "not an ELF"),
	M(end.type, 6, "no end tag"), M(end.size, 4, "is too short"),
	M(end.size, 16, "leaves the header"),
};
#undef M

#define M(field, value, words) PATCH(mb2_elf, field, value, words)
static const struct patch mb2_elf_bad[] = {
	M(ehdr.e_entry, HIGH, "no executable segment"),
	M(ehdr.e_entry, UINT64_MAX, "no executable"),
	M(ehdr.e_entry, HIGH + KERNEL + 0x3000, "no executable"),
	M(ehdr.e_machine, EM_386, "not x86 with 64 bits"),
	M(ehdr.e_phoff, UINT64_MAX, "leave the file"),
	M(phdr.p_paddr, 1ULL << 32, "above 4 GiB"), M(phdr.p_paddr, UINT64_MAX, "wraps"),
	M(phdr.p_memsz, UINT64_MAX, "wraps"), M(phdr.p_memsz, 1ULL << 40, "above 4 GiB"),
	M(phdr.p_filesz, UINT64_MAX, "leaves the file"),
	M(phdr.p_offset, UINT64_MAX, "leaves the file"),
	M(phdr.p_type, PT_NULL, "nothing to load"), M(phdr.p_memsz, 0, "larger in the file"),
	M(phdr.p_paddr, 0x100, "there is page 0"),
	M(phdr.p_paddr, MEMORY_SIZE - 1, "no guest memory"),
};
static const struct patch elf64_bad[] = {
	M(ehdr.e_ident[1], 0, "not an ELF"), M(ehdr.e_ident[EI_CLASS], 1, ""),
	M(ehdr.e_ident[EI_CLASS], 0, "class 0"), M(ehdr.e_ident[EI_DATA], 0, "little-endian"),
	M(ehdr.e_version, 2, "version 2"), M(ehdr.e_type, ET_DYN, "ELF type 3"),
	M(ehdr.e_type, ET_CORE, "ELF type 4"), M(ehdr.e_machine, 0, "not x86"),
	M(ehdr.e_phentsize, 32, "of 32 bytes"), M(ehdr.e_phnum, 64, "leave the file"),
	M(ehdr.e_phnum, 0xffff, "65535"), M(ehdr.e_phoff, 1ULL << 63, "leave the file"),
	M(ehdr.e_entry, 0, "no executable"), M(ehdr.e_entry, 0x7fffffffffff, "no executable"),
	M(phdr.p_flags, PF_W, "no executable"), M(phdr.p_type, PT_INTERP, "nothing to load"),
	M(phdr.p_filesz, sizeof(struct mb2_elf) + 1, "leaves the file"),
	M(phdr.p_memsz, 1, "larger in the file"),
	M(phdr.p_paddr, UINT64_MAX - 0x3000, "above 4 GiB"),
	M(phdr.p_paddr, 0xfffff, "the BIOS area"), M(phdr.p_memsz, 0xc0000000, "no guest memory"),
	M(phdr.p_memsz, MEMORY_SIZE - KERNEL, "left for a stack"),
	M(phdr.p_memsz, MEMORY_SIZE - KERNEL - BOOT_STACK_SIZE, "left for page tables"),
};
#undef M

#define M(field, value, words) PATCH(pvh_elf, field, value, words)
static const struct patch pvh_elf_bad[] = {
	M(note.type, 17, "no PVH entry note"), M(note.owner[3], 'X', "no PVH entry note"),
	M(note.namesz, 3, "no PVH entry note"), M(note.namesz, 0xffffffff, "no PVH entry note"),
	M(note.descsz, 0xffffffff, "no PVH entry note"), M(note.descsz, 5, "no PVH entry note"),
	M(note.descsz, 3, "of 3 bytes, not 4 or 8"), M(note.descsz, 0, "of 0 bytes"),
	M(phdr[0].p_filesz, 19, "no PVH entry note"), M(phdr[0].p_filesz, 11, "no PVH entry note"),
	M(phdr[0].p_filesz, 0, "no PVH entry note"),
	M(phdr[0].p_filesz, 0xffffffff, "leaves the file"),
	M(phdr[0].p_offset, 0xffffffff, "leaves the file"),
	M(phdr[0].p_type, PT_NULL, "no PVH entry"),
	M(note.entry, 0, "no executable segment"),
	M(note.entry, KERNEL - 1, "no executable segment"),
	M(note.entry, KERNEL + 0x1001, "no executable"), M(note.entry, 0xffffffff, "no executable"),
	M(phdr[1].p_flags, PF_R, "no executable"), M(phdr[1].p_paddr, 0xa0000, "no executable"),
	M(phdr[1].p_memsz, MEMORY_SIZE - KERNEL, "left for a module (5 bytes)"),
	M(phdr[1].p_memsz, MEMORY_SIZE, "there is no guest memory"),
	M(phdr[1].p_memsz, 31, "larger in the file"),
};
#undef M

#define M(field, value, words) PATCH(bzimage, header.field, value, words)
static const struct patch bzimage_bad[] = {
	M(header, 0, "no Linux setup header"),
	M(boot_flag, 0, "the boot flag at offset 0x1fe is 0x0000"),
	M(jump, 0x6ae9, "0xe9 at offset 0x200"), M(jump, 0xffeb, "ends at 0x301, behind 0x290"),
	M(jump, 0x8feb, "ends at 0x291"), M(jump, 0x00eb, "older than 2.06") /* no version there */,
	M(jump, 0x61eb, "ends at 0x263, before 0x264"),
	M(version, 0x205, "2.05 is older than 2.06"),
	M(version, 0, "0.00 is older"), M(loadflags, 0, "a zImage"), M(loadflags, 0xfe, "a zImage"),
	M(kernel_alignment, 0, "kernel_alignment 0x0"),
	M(kernel_alignment, 0x300000, "no power of two"),
	M(kernel_alignment, 0x80000000, "up to 1 GiB"),
	M(kernel_alignment, 0x40000000, "there is no guest memory"),
	M(pref_address, UINT64_MAX, "lies above 3 GiB"),
	M(pref_address, 1ULL << 32, "lies above 3 GiB"),
	M(pref_address, 0xbfffffff, "no guest memory"),
	M(pref_address, MEMORY_SIZE, "no guest memory"),
	M(init_size, 0xffffffff, "no guest memory"),
	M(init_size, MEMORY_SIZE - LINUX_PREFERS + 1, "it needs 0x200001 bytes at 0x200000"),
	M(setup_sects, 255, "behind 255 setup sectors"), M(setup_sects, 3, "the file is cut off"),
	M(setup_sects, 0, "behind 4 setup sectors"), M(syssize, 65, "of 1040 bytes at 0x600, 1024"),
	M(syssize, 0xffffffff, "the file is cut off"),
	M(cmdline_size, 3, "15 bytes, but it takes 3"),
	M(cmdline_size, 0, "but it takes 0"), M(initrd_addr_max, 0, "bytes of initrd"),
	M(initrd_addr_max, 0x100fff, "4105 bytes of initrd"),
};
#undef M

/* ---- all of them ---- */

static struct mb1_elf mb1_elf;
static struct mb1_raw mb1_raw;
static struct mb2_raw mb2_raw;
static struct mb2_elf mb2_elf, elf64;
static struct pvh_elf pvh_elf;
static struct bzimage bzimage;
static uint8_t boot_sector[512] = { 0xf4 };

static const struct suite {
	const char *name;
	const struct boot_protocol *protocol;
	void *good;
	size_t size;
	void (*fix)(uint8_t *bytes);
	struct boot_request (*request)(void);
	const struct patch *bad;
	size_t bads, slack;	/* bytes that may be cut off */
} suites[] = {
#define SUITE(protocol, image, fix, request, slack) \
	{ #image, &(protocol), &(image), sizeof(image), (fix), (request), image##_bad, \
	  ARRAY_SIZE(image##_bad), (slack) }
	SUITE(boot_multiboot, mb1_elf, mb1_elf_fix, request_full, 0),
	SUITE(boot_multiboot, mb1_raw, mb1_raw_fix, request_full, 0),
	SUITE(boot_multiboot2, mb2_raw, mb2_raw_fix, request_full, 0),
	SUITE(boot_multiboot2, mb2_elf, mb2_elf_fix, request_full, 0),
	SUITE(boot_pvh, pvh_elf, NULL, request_full, 0),
	SUITE(boot_linux, bzimage, NULL, request_full, 15),
	SUITE(boot_elf64, elf64, NULL, request_bare, 0),
#undef SUITE
	{ "flat", &boot_flat, boot_sector, sizeof(boot_sector), NULL, request_bare, NULL, 0, 511 },
};

static void suites_fill(void)
{
	mb1_elf = mb1_elf_good();
	mb1_raw = mb1_raw_good();
	mb2_raw = mb2_raw_good();
	mb2_elf = mb2_elf_good();
	pvh_elf = pvh_elf_good();
	bzimage = bzimage_good();
	elf64 = elf64_good();
}

static int suite_boot(const struct suite *suite, const uint8_t *bytes, size_t size)
{
	struct booted booted = image_boot(suite->protocol, bytes, size, suite->request());

	pieces_check(&booted);
	if (booted.r == 0)
		EXPECT(memory_at(&booted.memory, booted.start.entry, 1), "%s: entry 0x%llx",
		       suite->name,
		       (unsigned long long)booted.start.entry);
	memory_destroy(&booted.memory);
	return booted.r;
}

static void boot_bad(void)
{
	suites_fill();
	for (const struct suite *suite = suites; suite < suites + ARRAY_SIZE(suites); suite++) {
		uint8_t *bytes = malloc(suite->size);

		EXPECT(suite_boot(suite, suite->good, suite->size) == 0, "%s: %s", suite->name,
		       error_last()->text);
		for (size_t i = 0; i < suite->bads; i++) {
			const struct patch *bad = &suite->bad[i];
			int r;

			memcpy(bytes, suite->good, suite->size);
			memcpy(bytes + bad->offset, &bad->value, bad->width);
			if (suite->fix && !bad->raw)
				suite->fix(bytes);
			r = suite_boot(suite, bytes, suite->size);
			EXPECT(r == -ENOEXEC, "%s %zu, \"%s\": %d", suite->name, i, bad->words, r);
			EXPECT_HAS(error_last()->text, bad->words);
			EXPECT(!strchr(error_last()->text, '\n'), "%s", error_last()->text);
		}
		free(bytes);
	}
}

static void boot_cut(void)
{
	suites_fill();
	for (const struct suite *suite = suites; suite < suites + ARRAY_SIZE(suites); suite++)
		for (size_t size = 0; size < suite->size - suite->slack; size++)
			EXPECT(suite_boot(suite, suite->good, size) == -ENOEXEC, "%s: %zu bytes",
			       suite->name, size);
}

/* xorshift64: the same numbers everywhere. */
static uint32_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

/* Random bytes, or values at the edges, in random places; mostly with the checksum put right. */
static void image_mutate(const struct suite *suite, uint8_t *bytes, uint64_t *state)
{
	static const uint32_t edges[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };

	for (uint32_t n = random_next(state) % 6 + 1; n; n--) {
		size_t at = random_next(state) % suite->size;

		bytes[at] ^= (uint8_t)random_next(state);
		if (random_next(state) % 4 == 0 && at + 4 <= suite->size)
			memcpy(bytes + at, &edges[random_next(state) % ARRAY_SIZE(edges)], 4);
	}
	if (suite->fix && random_next(state) % 8)
		suite->fix(bytes);
}

static void boot_fuzz(void)
{
	uint64_t state = 0x6d696e69766d6d31;

	suites_fill();
	for (const struct suite *suite = suites; suite < suites + ARRAY_SIZE(suites); suite++) {
		uint8_t *bytes = malloc(suite->size);
		unsigned int taken = 0;

		for (unsigned int i = 0; i < 2000; i++) {
			int r;

			memcpy(bytes, suite->good, suite->size);
			image_mutate(suite, bytes, &state);
			r = suite_boot(suite, bytes, suite->size);
			EXPECT(r == 0 || r == -ENOEXEC, "%s, round %u: %d", suite->name, i, r);
			taken += r == 0;
		}
		EXPECT(taken, "%s: none was taken", suite->name);
		free(bytes);
	}
}

static void boot_sniffed(void)
{
	suites_fill();
	for (const struct suite *suite = suites; suite < suites + ARRAY_SIZE(suites); suite++) {
		struct image image = { .name = "k", .bytes = suite->good, .size = suite->size };
		const struct boot_protocol *found = boot_protocol_find(&image, NULL);

		if (suite->protocol == &boot_flat)
			EXPECT_HAS(error_last()->text, "k: no boot protocol that minivmm knows");
		else
			EXPECT(found == suite->protocol, "%s: %s", suite->name,
			       found ? found->name : "none");
		EXPECT(boot_protocol_find(&image, suite->protocol->name) == suite->protocol,
		       "by name");
	}
	EXPECT(boot_protocol_find(NULL, "a.out") == NULL, "unknown");
	EXPECT_HAS(error_last()->text, "unknown image format 'a.out'");
}

const struct unit_test boot_tests[] = {
	{ "boot: Multiboot 1 ELF", multiboot_elf },
	{ "boot: Multiboot 1 with addresses", multiboot_addresses },
	{ "boot: Multiboot 1 in low memory", multiboot_low },
	{ "boot: Multiboot 1 ignores flags from bit 17 on", multiboot_ignored_flags },
	{ "boot: Multiboot 2 with addresses", multiboot2_addresses },
	{ "boot: Multiboot 2 ELF64, linked high", multiboot2_elf },
	{ "boot: PVH ELF32", pvh_elf32 },
	{ "boot: Linux at its 64-bit entry", linux_64bit },
	{ "boot: Linux 2.06 at its 32-bit entry", linux_32bit_old },
	{ "boot: Linux at its 16-bit entry", linux_16bit },
	{ "boot: Linux that moves itself", linux_moving },
	{ "boot: Linux limits where its initrd lies", linux_initrd_limit },
	{ "boot: Linux limits its command line", linux_command_line_limit },
	{ "boot: plain ELF64", elf64_plain },
	{ "boot: flat images in three modes", flat_modes },
	{ "boot: protocols are told apart", boot_sniffed },
	{ "boot: bad images are refused by name", boot_bad },
	{ "boot: cut images are refused", boot_cut },
	{ "boot: random changes load or are refused", boot_fuzz },
	{ 0 },
};
