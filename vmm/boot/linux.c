// SPDX-License-Identifier: MIT
// Linux's bzImage: "The Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst), version 2.06 or
// later, and "Zero Page" (zero-page.rst). Entered at its 64-bit entry where it has one, else at the
// 32-bit entry; where it has neither (iPXE), its 16-bit code runs first, and asks the BIOS.
#include "boot.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SETUP_HEADER	0x1f1		/* where it lies in the file and in the zero page */
#define SETUP_JUMP_END	0x202		/* what the jump at 0x200 is relative to */
#define SETUP_MAGIC	0x53726448	/* "HdrS" */
#define BOOT_FLAG	0xaa55
#define JUMP_SHORT	0xeb
#define VERSION_MIN	0x0206		/* cmdline_size */
#define VERSION_INIT_SIZE	0x020a	/* pref_address, init_size */
#define VERSION_XLOADFLAGS	0x020c
#define LOADER_UNKNOWN	0xff		/* type_of_loader without a number of its own */
#define VIDEO_NORMAL	0xffff
#define KERNEL_DEFAULT	0x100000ULL	/* where a kernel with LOADED_HIGH goes */
#define ENTRY_64	0x200		/* "64-bit Boot Protocol": behind the load address */
#define BOOT_CS		0x10		/* __BOOT_CS, __BOOT_DS */
#define BOOT_DS		0x18
#define REAL_FROM	0x10000		/* "Loading The Rest of The Kernel": where the 16-bit code */
#define REAL_SIZE	0x10000		/* goes, with its heap and stack, and how it is divided */
#define REAL_CODE_MAX	0x8000
#define REAL_HEAP_END	0xe000
#define REAL_ENTRY	0x200
#define ALIGNMENT_MAX	(1U << 30)

_Static_assert(offsetof(struct boot_params, hdr) == SETUP_HEADER, "setup header");
_Static_assert(offsetof(struct boot_params, edd_mbr_sig_buffer) == 0x290, "what follows it");
_Static_assert(sizeof(struct boot_params) == 4096, "zero page");

/* The smallest header: up to cmdline_size (2.06), or init_size (2.10). */
#define HEADER_END(field) \
	(SETUP_HEADER + offsetof(struct setup_header, field) + \
	 sizeof(((struct setup_header *)0)->field))

struct kernel {
	struct setup_header header;
	size_t header_size;
	size_t offset, size;		/* what follows the 16-bit code in the file */
	gpa_t address;			/* where that goes */
	gpa_t start, end;		/* all that it needs until it reads the memory map */
	bool entry_64, entry_16;	/* neither: the 32-bit one */
};

static bool linux_sniff(const struct image *image)
{
	uint32_t magic;

	if (image->size < SETUP_JUMP_END + sizeof(magic))
		return false;
	memcpy(&magic, image->bytes + SETUP_JUMP_END, sizeof(magic));
	return magic == SETUP_MAGIC;
}

/* Copies as much of the header as its jump says; what an old kernel lacks stays zero. */
static int header_read(const struct image *image, struct kernel *kernel)
{
	const uint8_t *jump = image->bytes + 0x200;
	size_t end, least;

	if (image->size < offsetof(struct boot_params, edd_mbr_sig_buffer))
		return image_refuse(image, "the Linux setup header is cut off at %zu bytes",
				    image->size);
	if (!linux_sniff(image))
		return image_refuse(image, "no Linux setup header (\"HdrS\" at offset 0x202)");
	if (jump[0] != JUMP_SHORT)
		return image_refuse(image,
				    "0x%02x at offset 0x200 is not the jump that ends the header",
				    jump[0]);
	end = SETUP_JUMP_END + jump[1];
	kernel->header_size = end - SETUP_HEADER;
	if (end > offsetof(struct boot_params, edd_mbr_sig_buffer))
		return image_refuse(image, "the Linux setup header ends at 0x%zx, behind 0x290",
				    end);
	memcpy(&kernel->header, image->bytes + SETUP_HEADER,
	       kernel->header_size < sizeof(kernel->header) ? kernel->header_size :
							      sizeof(kernel->header));
	if (kernel->header.version < VERSION_MIN)
		return image_refuse(image, "Linux boot protocol %u.%02u is older than 2.06",
				    kernel->header.version >> 8, kernel->header.version & 0xff);
	least = kernel->header.version < VERSION_INIT_SIZE ? HEADER_END(cmdline_size) :
							     HEADER_END(init_size);
	if (end < least)
		return image_refuse(image, "the Linux setup header ends at 0x%zx, before 0x%zx",
				    end, least);
	return 0;
}

static int header_check(const struct image *image, const struct setup_header *header)
{
	uint32_t alignment = header->kernel_alignment;

	if (header->boot_flag != BOOT_FLAG)
		return image_refuse(image, "the boot flag at offset 0x1fe is 0x%04x, not 0xaa55",
				    header->boot_flag);
	if (!(header->loadflags & LOADED_HIGH))
		return image_refuse(image, "a zImage, which loads below 1 MiB (loadflags 0x%02x)",
				    header->loadflags);
	if (header->relocatable_kernel &&
	    (alignment == 0 || alignment > ALIGNMENT_MAX || (alignment & (alignment - 1))))
		return image_refuse(image, "kernel_alignment 0x%x is no power of two up to 1 GiB",
				    alignment);
	if (header->version >= VERSION_INIT_SIZE && header->pref_address >= MEMORY_HOLE)
		return image_refuse(image, "pref_address 0x%llx lies above 3 GiB",
				    (unsigned long long)header->pref_address);
	return 0;
}

/* What lies behind the 16-bit code; syssize counts it in 16-byte units, rounded up. */
static int body_read(const struct image *image, struct kernel *kernel)
{
	unsigned int sectors = kernel->header.setup_sects ? kernel->header.setup_sects : 4;
	uint64_t size = kernel->header.syssize * 16ULL;

	kernel->offset = (sectors + 1) * 512;
	if (kernel->offset >= image->size)
		return image_refuse(image, "nothing lies behind %u setup sectors", sectors);
	kernel->size = image->size - kernel->offset;
	if (size > kernel->size + 15)
		return image_refuse(image,
				    "the file is cut off: of %llu bytes at 0x%zx, %zu are there",
				    (unsigned long long)size, kernel->offset, kernel->size);
	if (kernel->entry_16 && kernel->offset > REAL_CODE_MAX)
		return image_refuse(image, "%u setup sectors of 16-bit code are more than 32 KiB",
				    sectors);
	if (kernel->entry_64 && kernel->size <= ENTRY_64)
		return image_refuse(image, "a 64-bit entry at 0x200 in a kernel of %zu bytes",
				    kernel->size);
	return 0;
}

/* boot.rst, "init_size": where a kernel runs, and what it needs until it looks at the map. One that
 * is not relocatable moves itself from 1 MiB to pref_address; 16-bit code knows no other place. */
static void kernel_place(struct kernel *kernel)
{
	const struct setup_header *header = &kernel->header;
	bool preference = header->version >= VERSION_INIT_SIZE && header->pref_address;
	gpa_t run = preference ? header->pref_address : KERNEL_DEFAULT;

	kernel->address = KERNEL_DEFAULT;
	if (header->relocatable_kernel && !kernel->entry_16) {
		gpa_t align = header->kernel_alignment;

		run = run < KERNEL_DEFAULT ? KERNEL_DEFAULT : run;
		kernel->address = run = (run + align - 1) & ~(align - 1);
	}
	kernel->start = run < kernel->address ? run : kernel->address;
	kernel->end = kernel->address + kernel->size;
	if (header->version >= VERSION_INIT_SIZE && run + header->init_size > kernel->end)
		kernel->end = run + header->init_size;
}

static int kernel_read(const struct image *image, struct kernel *kernel)
{
	int r;

	*kernel = (struct kernel){ 0 };
	r = header_read(image, kernel);
	if (r == 0)
		r = header_check(image, &kernel->header);
	if (r < 0)
		return r;
	kernel->entry_64 = kernel->header.version >= VERSION_XLOADFLAGS &&
			   (kernel->header.xloadflags & XLF_KERNEL_64);
	/* iPXE: what lies behind the 16-bit code is compressed */
	kernel->entry_16 = !kernel->entry_64 && kernel->header.code32_start == 0;
	r = body_read(image, kernel);
	if (r == 0)
		kernel_place(kernel);
	return r;
}

/* The size of all modules one behind the other. Linux takes concatenated initrds where each starts
 * at a multiple of four (Documentation/driver-api/early-userspace/buffer-format.rst). */
static uint64_t initrd_size(const struct boot_request *request)
{
	uint64_t size = 0;

	for (size_t i = 0; i < request->modules; i++)
		size = ((size + 3) & ~3ULL) + request->module[i].size;
	return size;
}

static int linux_check(const struct boot_request *request)
{
	size_t length = strlen(request->command_line);
	struct kernel kernel;
	int r = kernel_read(&request->kernel, &kernel);

	if (r < 0)
		return r;
	if (length > kernel.header.cmdline_size)
		return image_refuse(&request->kernel,
				    "a command line of %zu bytes, but it takes %u",
				    length, kernel.header.cmdline_size);
	if (initrd_size(request) > UINT32_MAX)
		return image_refuse(&request->kernel, "%llu bytes of initrd are more than 4 GiB",
				    (unsigned long long)initrd_size(request));
	return 0;
}

static int kernel_load(const struct image *image, const struct kernel *kernel,
		       const struct memory *memory, struct layout *layout)
{
	uint64_t size = kernel->end - kernel->start;
	const char *met = layout_take(layout, memory, kernel->start, size, "the kernel");

	if (met)
		return image_refuse(image, "it needs 0x%llx bytes at 0x%llx: there is %s",
				    (unsigned long long)size, (unsigned long long)kernel->start,
				    met);
	memcpy(memory_at(memory, kernel->address, kernel->size), image->bytes + kernel->offset,
	       kernel->size);
	return 0;
}

/* The highest address that an initrd may touch. */
static gpa_t initrd_limit(const struct setup_header *header)
{
	if (header->version >= VERSION_XLOADFLAGS &&
	    (header->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
		return MEMORY_HOLE;
	return header->initrd_addr_max + 1ULL;
}

/* All modules as one initrd, as high as the kernel allows: it frees them last. */
static int initrd_load(const struct boot_request *request, const struct memory *memory,
		       struct layout *layout, struct setup_header *header)
{
	uint64_t size = initrd_size(request), done = 0;
	gpa_t gpa;
	uint8_t *to;

	if (size == 0)
		return 0;
	gpa = layout_place_high(layout, memory, size, 4096, BIOS_END, initrd_limit(header),
				"the initrd");
	if (!gpa)
		return image_refuse(&request->module[0],
				    "no room for %llu bytes of initrd; try a larger -m",
				    (unsigned long long)size);
	to = memory_at(memory, gpa, size);
	for (size_t i = 0; i < request->modules; i++) {
		const struct image *module = &request->module[i];

		done = (done + 3) & ~3ULL;
		if (module->size)
			memcpy(to + done, module->bytes, module->size);
		done += module->size;
	}
	header->ramdisk_image = (uint32_t)gpa;
	header->ramdisk_size = (uint32_t)size;
	return 0;
}

/* What a loader has to say, whichever the entry. */
static void header_fill(struct setup_header *header, gpa_t command_line)
{
	header->type_of_loader = LOADER_UNKNOWN;
	header->loadflags |= CAN_USE_HEAP;
	header->heap_end_ptr = REAL_HEAP_END - REAL_ENTRY; /* only 16-bit code looks at it */
	header->vid_mode = VIDEO_NORMAL;
	header->cmd_line_ptr = (uint32_t)command_line;
	header->ramdisk_image = header->ramdisk_size = 0;
}

/* Only the header is copied from the file, the rest is zero: so is the sentinel at 0x1ef, by which
 * a kernel knows that the other fields were filled on purpose. */
static void zero_page_write(const struct boot_request *request, const struct memory *memory,
			    const struct kernel *kernel, gpa_t command_line,
			    struct boot_params *params)
{
	struct setup_header *header = &params->hdr;
	struct memmap_entry map[MEMMAP_ENTRIES];
	size_t entries = memory_map(memory, map);

	memcpy(header, request->kernel.bytes + SETUP_HEADER, kernel->header_size);
	header_fill(header, command_line);
	header->code32_start = (uint32_t)kernel->address;
	header->setup_data = 0;
	params->acpi_rsdp_addr = request->rsdp;
	params->e820_entries = (uint8_t)entries;
	for (size_t i = 0; i < entries; i++)
		params->e820_table[i] = (struct boot_e820_entry){ map[i].gpa, map[i].size,
								  map[i].type };
}

/* "Running the Kernel": all segments are the 16-bit code's, and CS lies 0x20 paragraphs behind. */
static int real_load(const struct boot_request *request, const struct memory *memory,
		     struct layout *layout, const struct kernel *kernel, struct start *start)
{
	const struct image *image = &request->kernel;
	size_t length = strlen(request->command_line) + 1;
	gpa_t gpa = layout_place(layout, memory, REAL_SIZE, 4096, REAL_FROM, EBDA_START,
				 "16-bit code");
	gpa_t line = gpa ? layout_place(layout, memory, length, 16, gpa + REAL_SIZE, EBDA_START,
					"the command line") : 0;
	struct setup_header *header;
	uint8_t *code;

	if (!line)
		return image_refuse(image, "no room for its 16-bit code below 640 KiB");
	code = memory_at(memory, gpa, REAL_SIZE);
	header = (struct setup_header *)(code + SETUP_HEADER);
	memcpy(code, image->bytes, kernel->offset);
	memcpy(memory_at(memory, line, length), request->command_line, length);
	header_fill(header, line);
	*start = (struct start){ .mode = START_REAL, .entry = gpa + REAL_ENTRY,
				 .rsp = REAL_HEAP_END, .code_selector = (gpa + REAL_ENTRY) >> 4,
				 .data_selector = gpa >> 4 };
	return initrd_load(request, memory, layout, header);
}

static int linux_load(const struct boot_request *request, const struct memory *memory,
		      struct layout *layout, struct start *start)
{
	const struct image *image = &request->kernel;
	size_t length = strlen(request->command_line) + 1;
	struct boot_params *params;
	struct kernel kernel;
	gpa_t params_gpa, line_gpa;
	char *line;
	int r = linux_check(request);

	if (r == 0)
		r = kernel_read(image, &kernel);
	if (r == 0)
		r = kernel_load(image, &kernel, memory, layout);
	if (r < 0)
		return r;
	if (kernel.entry_16)
		return real_load(request, memory, layout, &kernel, start);
	/* in the memory below 640 KiB, which a kernel that moves itself leaves alone */
	params = boot_place(image, memory, layout, sizeof(*params), 4096, "the zero page",
			    &params_gpa);
	line = boot_place(image, memory, layout, length, 4096, "the command line", &line_gpa);
	if (!params || !line)
		return -ENOEXEC;
	memcpy(line, request->command_line, length);
	zero_page_write(request, memory, &kernel, line_gpa, params);
	*start = (struct start){ .mode = kernel.entry_64 ? START_LONG : START_PROTECTED,
				 .entry = kernel.address + (kernel.entry_64 ? ENTRY_64 : 0),
				 .rsi = params_gpa, .code_selector = BOOT_CS,
				 .data_selector = BOOT_DS };
	r = boot_tables_place(image, memory, layout, 4096, start);
	return r < 0 ? r : initrd_load(request, memory, layout, &params->hdr);
}

const struct boot_protocol boot_linux = {
	.name = "linux",
	.about = "Linux bzImage, protocol 2.06 and later",
	.sniff = linux_sniff,
	.check = linux_check,
	.load = linux_load,
};
