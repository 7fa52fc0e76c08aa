// SPDX-License-Identifier: MIT
// ELF executables.
#include "elf_image.h"

#include <elf.h>
#include <string.h>

/* The two classes differ in field widths alone: both are read into one of these. */
struct header {
	uint16_t type, machine, phentsize, phnum;
	uint32_t version;
	uint64_t entry, phoff;
};

#define HEADER_TAKE(to, from)								\
	((to) = (struct header){ (from).e_type, (from).e_machine, (from).e_phentsize,	\
				 (from).e_phnum, (from).e_version, (from).e_entry, (from).e_phoff })
#define SEGMENT_TAKE(to, from)								\
	((to) = (struct elf_segment){ (from).p_offset, (from).p_vaddr, (from).p_paddr,	\
				      (from).p_filesz, (from).p_memsz,			\
				      ((from).p_flags & PF_X) != 0 })

/* True where [offset, offset + size) lies in the file. */
static bool in_file(const struct image *image, uint64_t offset, uint64_t size)
{
	return offset <= image->size && size <= image->size - offset;
}

static int header_read(const struct image *image, struct elf *elf, struct header *header)
{
	const uint8_t *ident = image->bytes;

	if (image->size < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return image_refuse(image, "not an ELF file");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return image_refuse(image, "ELF byte order %u at offset 5 is not little-endian",
				    ident[EI_DATA]);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return image_refuse(image, "unknown ELF class %u at offset 4", ident[EI_CLASS]);
	elf->is_64bit = ident[EI_CLASS] == ELFCLASS64;
	if (image->size < (elf->is_64bit ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return image_refuse(image, "the ELF header is cut off at %zu bytes", image->size);
	if (elf->is_64bit) {
		Elf64_Ehdr ehdr;

		memcpy(&ehdr, image->bytes, sizeof(ehdr));
		HEADER_TAKE(*header, ehdr);
	} else {
		Elf32_Ehdr ehdr;

		memcpy(&ehdr, image->bytes, sizeof(ehdr));
		HEADER_TAKE(*header, ehdr);
	}
	return 0;
}

static int header_check(const struct image *image, const struct elf *elf,
			const struct header *header)
{
	size_t phentsize = elf->is_64bit ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (header->version != EV_CURRENT)
		return image_refuse(image, "unknown ELF version %u", header->version);
	if (header->type != ET_EXEC)
		return image_refuse(image, "ELF type %u is not an executable (ET_EXEC, 2)",
				    header->type);
	if (header->machine != (elf->is_64bit ? EM_X86_64 : EM_386))
		return image_refuse(image, "ELF machine %u is not x86 with %d bits",
				    header->machine, elf->is_64bit ? 64 : 32);
	if (header->phentsize != phentsize)
		return image_refuse(image, "ELF program headers of %u bytes, not %zu",
				    header->phentsize, phentsize);
	if (header->phnum == 0 || header->phnum > ELF_SEGMENTS)
		return image_refuse(image, "%u ELF program headers, not 1 to %d", header->phnum,
				    ELF_SEGMENTS);
	if (!in_file(image, header->phoff, (uint64_t)header->phnum * phentsize))
		return image_refuse(image, "ELF program headers at offset 0x%llx leave the file",
				    (unsigned long long)header->phoff);
	return 0;
}

static uint32_t segment_read(const struct image *image, const struct elf *elf,
			     const struct header *header, unsigned int i,
			     struct elf_segment *segment)
{
	const uint8_t *at = image->bytes + header->phoff + (uint64_t)i * header->phentsize;

	if (elf->is_64bit) {
		Elf64_Phdr phdr;

		memcpy(&phdr, at, sizeof(phdr));
		SEGMENT_TAKE(*segment, phdr);
		return phdr.p_type;
	} else {
		Elf32_Phdr phdr;

		memcpy(&phdr, at, sizeof(phdr));
		SEGMENT_TAKE(*segment, phdr);
		return phdr.p_type;
	}
}

static int segment_check(const struct image *image, const struct elf_segment *segment,
			 unsigned int i)
{
	if (!in_file(image, segment->offset, segment->filesz))
		return image_refuse(image,
				    "ELF segment %u (0x%llx, 0x%llx bytes) leaves the file", i,
				    (unsigned long long)segment->offset,
				    (unsigned long long)segment->filesz);
	return 0;
}

/* A PT_LOAD against the address space and those before it. */
static int load_check(const struct image *image, const struct elf *elf,
		      const struct elf_segment *segment, unsigned int i)
{
	if (segment->filesz > segment->memsz)
		return image_refuse(image, "ELF segment %u is larger in the file than in memory",
				    i);
	if (segment->paddr + segment->memsz < segment->paddr)
		return image_refuse(image, "ELF segment %u wraps around the address space", i);
	if (segment->paddr + segment->memsz > MEMORY_HIGH)
		return image_refuse(image, "ELF segment %u (0x%llx, 0x%llx bytes) ends above 4 GiB",
				    i, (unsigned long long)segment->paddr,
				    (unsigned long long)segment->memsz);
	for (size_t k = 0; k < elf->loads; k++) {
		const struct elf_segment *other = &elf->load[k];

		if (segment->paddr < other->paddr + other->memsz &&
		    other->paddr < segment->paddr + segment->memsz)
			return image_refuse(image, "ELF segment %u overlaps another at 0x%llx", i,
					    (unsigned long long)segment->paddr);
	}
	return 0;
}

/* Program header `i`: checked, and kept where it is of use. */
static int segment_take(const struct image *image, struct elf *elf, const struct header *header,
			unsigned int i)
{
	struct elf_segment segment;
	uint32_t type = segment_read(image, elf, header, i, &segment);
	int r = 0;

	/* FreeBSD's kernel has one, which means nothing: it says "/red/herring" */
	elf->wants_loader |= type == PT_INTERP || type == PT_DYNAMIC;
	if (type == PT_NOTE) {
		r = segment_check(image, &segment, i);
		elf->note[elf->notes++] = segment;
	}
	if (type == PT_LOAD && (segment.memsz || segment.filesz)) {
		r = segment_check(image, &segment, i);
		if (r == 0)
			r = load_check(image, elf, &segment, i);
		elf->load[elf->loads++] = segment;
	}
	return r;
}

int elf_parse(const struct image *image, struct elf *elf)
{
	struct header header = { 0 };
	int r;

	*elf = (struct elf){ 0 };
	r = header_read(image, elf, &header);
	if (r == 0)
		r = header_check(image, elf, &header);
	if (r < 0)
		return r;
	elf->entry = header.entry;
	for (unsigned int i = 0; r == 0 && i < header.phnum; i++)
		r = segment_take(image, elf, &header, i);
	if (r < 0)
		return r;
	return elf->loads ? 0 : image_refuse(image, "the ELF file has nothing to load");
}

bool elf_executable_at(const struct elf *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->loads; i++) {
		const struct elf_segment *segment = &elf->load[i];

		if (segment->executable && address >= segment->paddr &&
		    address - segment->paddr < segment->memsz)
			return true;
	}
	return false;
}

int elf_entry(const struct image *image, const struct elf *elf, uint32_t *entry)
{
	uint64_t address = elf->entry;

	for (size_t i = 0; i < elf->loads; i++) {
		const struct elf_segment *segment = &elf->load[i];

		if (segment->executable && elf->entry >= segment->vaddr &&
		    elf->entry - segment->vaddr < segment->memsz) {
			address = segment->paddr + (elf->entry - segment->vaddr);
			break;
		}
	}
	if (!elf_executable_at(elf, address))
		return image_refuse(image, "the entry 0x%llx lies in no executable segment",
				    (unsigned long long)elf->entry);
	*entry = (uint32_t)address;
	return 0;
}

uint64_t elf_start(const struct elf *elf)
{
	uint64_t start = UINT64_MAX;

	for (size_t i = 0; i < elf->loads; i++)
		if (elf->load[i].paddr < start)
			start = elf->load[i].paddr;
	return start;
}

uint64_t elf_end(const struct elf *elf)
{
	uint64_t end = 0;

	for (size_t i = 0; i < elf->loads; i++)
		if (elf->load[i].paddr + elf->load[i].memsz > end)
			end = elf->load[i].paddr + elf->load[i].memsz;
	return end;
}

int elf_load(const struct image *image, const struct elf *elf, const struct memory *memory,
	     struct layout *layout)
{
	for (size_t i = 0; i < elf->loads; i++) {
		const struct elf_segment *segment = &elf->load[i];
		const char *met = layout_take(layout, memory, segment->paddr, segment->memsz,
					      "the kernel");

		if (met)
			return image_refuse(image, "0x%llx bytes at 0x%llx do not fit: there is %s",
					    (unsigned long long)segment->memsz,
					    (unsigned long long)segment->paddr, met);
	}
	for (size_t i = 0; i < elf->loads; i++) {
		const struct elf_segment *segment = &elf->load[i];

		memcpy(memory_at(memory, segment->paddr, segment->memsz),
		       image->bytes + segment->offset, segment->filesz);
	}
	return 0;
}

/* A note: three words, the owner, the description, both padded to 4 bytes. */
static const uint8_t *note_find_in(const uint8_t *at, size_t size, const char *owner, uint32_t type,
				   size_t *found)
{
	size_t owner_size = strlen(owner) + 1;

	while (size >= sizeof(Elf32_Nhdr)) {
		Elf32_Nhdr note;
		uint64_t name, total;

		memcpy(&note, at, sizeof(note));
		name = sizeof(note) + (((uint64_t)note.n_namesz + 3) & ~3ULL);
		total = name + (((uint64_t)note.n_descsz + 3) & ~3ULL);
		if (name + note.n_descsz > size)
			return NULL;
		if (note.n_type == type && note.n_namesz == owner_size &&
		    memcmp(at + sizeof(note), owner, owner_size) == 0) {
			*found = note.n_descsz;
			return at + name;
		}
		if (total >= size)
			return NULL;
		at += total;
		size -= total;
	}
	return NULL;
}

const uint8_t *elf_note_find(const struct image *image, const struct elf *elf, const char *owner,
			     uint32_t type, size_t *size)
{
	const uint8_t *found = NULL;

	for (size_t i = 0; !found && i < elf->notes; i++)
		found = note_find_in(image->bytes + elf->note[i].offset, elf->note[i].filesz, owner,
				     type, size);
	return found;
}
