/* SPDX-License-Identifier: MIT */
/*
 * A bzImage's setup header ("The Linux/x86 Boot Protocol") for kernels linked at 0xffc00: two sectors
 * of it, and then what goes to 1 MiB. Where the other entry is, a kernel ends with status 5.
 */
#ifndef LINUX_H
#define LINUX_H

/* Offsets in boot_params: "Zero Page". */
enum {
	RSDP = 0x70, E820_ENTRIES = 0x1e8, SENTINEL = 0x1ef, TYPE_OF_LOADER = 0x210,
	CODE32_START = 0x214, RAMDISK_IMAGE = 0x218, RAMDISK_SIZE = 0x21c, COMMAND_LINE = 0x228,
	E820_TABLE = 0x2d0,
};

#ifdef __x86_64__
#define XLOADFLAGS "1"
#define LINUX_ENTRY								\
	asm(".section .header, \"a\"\n"						\
	    ".code32\n	mov $2, %eax\n	out %eax, $0xf4\n"			\
	    ".code64\n	.org 0x400 + 0x200\n"					\
	    ".previous\n");							\
	START("si")
#else
#define XLOADFLAGS "0"
#define LINUX_ENTRY START("si")
#endif

#define LINUX_KERNEL								\
	asm(".section .header, \"a\"\n"						\
	    ".fill 0x1ef, 1, 0xcc\n"						\
	    ".byte 0xff, 0xff\n"		/* the sentinel as Linux has it */	\
	    ".org 0x1f1\n .byte 1\n"		/* setup_sects */		\
	    ".org 0x1fe\n .word 0xaa55\n"					\
	    ".byte 0xeb, 0x66\n"		/* to the header's end */	\
	    ".ascii \"HdrS\"\n .word 0x20f\n"					\
	    ".org 0x211\n .byte 1\n"		/* LOADED_HIGH */		\
	    ".org 0x214\n .long 0x100000\n"					\
	    ".org 0x22c\n .long 0x37ffffff\n"	/* initrd_addr_max */		\
	    ".long 0x1000\n"			/* kernel_alignment */		\
	    ".org 0x236\n .word " XLOADFLAGS "\n"				\
	    ".long 255\n"			/* cmdline_size */		\
	    ".org 0x258\n .quad 0x100000\n"	/* pref_address */		\
	    ".long 0x20000\n"			/* init_size */			\
	    ".org 0x400\n"							\
	    ".previous\n");							\
	LINUX_ENTRY

#endif
