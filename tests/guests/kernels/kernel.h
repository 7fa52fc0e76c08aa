/* SPDX-License-Identifier: MIT */
/*
 * What the test kernels share. Each is one file that shows one behaviour: a header for its boot
 * protocol, a START, and kernel(), whose result goes to isa-debug-exit (0 ends minivmm with 1). The
 * same C is compiled for 64, 32 or 16 bits, as meson.build says; kernel.ld places it.
 */
#ifndef KERNEL_H
#define KERNEL_H

/* The compiler's: a libc's <stdint.h> (musl's) knows one word size alone. */
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;

#define COM1		0x3f8
#define DEBUG_EXIT	0xf4
#define PM_TIMER	0x608

/* What the loader left: `magic` is EAX; `info` is EBX, ESI or ESP, whichever START names. */
unsigned int kernel(unsigned long magic, unsigned long info);

/* Below 640 KiB, and clear of the image: where information for the kernel belongs. */
#define LOW_AND_FREE(at) ((at) >= 0x1000 && (at) < 0x9fc00 && \
			  ((at) < (unsigned long)image_start || (at) >= (unsigned long)bss_end))

extern uint8_t image_start[], image_end[], bss_end[];	/* kernel.ld's */

/* ---- the first instructions ---- */

#define END_OF_START									\
	"	out %eax, $0xf4\n"							\
	"1:	cli\n"									\
	"	hlt\n"									\
	"	jmp 1b\n"								\
	".previous\n"

#define SECTION_START ".section .start, \"ax\"\n.globl start\nstart:\n"
#define STACK ".local stack\n.comm stack, 8192, 16\n"

#ifdef __x86_64__
#define START(info)									\
	asm(STACK SECTION_START								\
	    "	mov $stack + 8192, %esp\n"						\
	    "	mov %rax, %rdi\n"							\
	    "	mov %r" info ", %rsi\n"							\
	    "	call kernel\n" END_OF_START)
/* On the stack that the loader made. */
#define START_ON_GIVEN_STACK								\
	asm(SECTION_START								\
	    "	mov %rax, %rdi\n"							\
	    "	mov %rsp, %rsi\n"							\
	    "	call kernel\n" END_OF_START)
#else
#define START(info)									\
	asm(STACK SECTION_START								\
	    "	movl $stack + 8192, %esp\n"						\
	    "	pushl %e" info "\n"							\
	    "	pushl %eax\n"								\
	    "	calll kernel\n" END_OF_START)
#define START_ON_GIVEN_STACK								\
	asm(SECTION_START								\
	    "	movl %esp, %ebx\n"							\
	    "	pushl %ebx\n"								\
	    "	pushl %eax\n"								\
	    "	calll kernel\n" END_OF_START)
#endif

/* A Multiboot 1 kernel: its header, with no wishes, and its start. */
#define MULTIBOOT_MAGIC 0x2badb002
#define MULTIBOOT_KERNEL								\
	asm(".section .header, \"a\"\n"							\
	    ".balign 4\n"								\
	    ".long 0x1badb002, 0, -0x1badb002\n"					\
	    ".previous\n");								\
	START("bx")

/* ---- instructions ---- */

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Memory as the guest finds it: tables, registers of devices. */
#define AT(type, address) (*(volatile type *)(unsigned long)(address))

/* ---- COM1 ---- */

static inline void print_char(char c)
{
	outb(COM1, (uint8_t)c);
}

static inline void print(const char *string)
{
	while (*string)
		print_char(*string++);
}

static inline void print_bytes(unsigned long from, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		print_char(AT(char, from + i));
}

static inline void print_hex(uint64_t value)
{
	int shift = 60;

	print("0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		print_char("0123456789abcdef"[value >> shift & 15]);
}

static inline void print_number(uint32_t value)
{
	if (value >= 10)
		print_number(value / 10);
	print_char((char)('0' + value % 10));
}

/* Ends the run with status 3, and says where and why. */
#define CHECK(condition)								\
	do {										\
		if (!(condition)) {							\
			print(KERNEL_NAME ": not so: " #condition "\n");			\
			return 1;							\
		}									\
	} while (0)

/* ---- the rest ---- */

/* The last word of a command line: which of its ways a kernel shall show. */
static inline const char *last_word(unsigned long command_line)
{
	const char *word = (const char *)command_line;

	for (const char *c = word; *c; c++)
		if (*c == ' ')
			word = c + 1;
	return word;
}

static inline const char *multiboot_word(unsigned long info)
{
	return last_word(AT(uint32_t, info + 16));
}

static inline int same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return *a == *b;
}

static inline int bytes_same(unsigned long at, const char *bytes, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		if (AT(char, at + i) != bytes[i])
			return 0;
	return 1;
}

static inline uint8_t bytes_sum(unsigned long at, uint32_t size)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + AT(uint8_t, at + i));
	return sum;
}

/* A signature at a multiple of 16 in the BIOS area; 0 = it is not there. */
static inline unsigned long bios_find(const char *signature, unsigned int size)
{
	for (unsigned long at = 0xe0000; at < 0x100000; at += 16)
		if (bytes_same(at, signature, size))
			return at;
	return 0;
}

/* An ACPI table by the RSDT; 0 = there is none, or its sum is wrong. */
static inline unsigned long acpi_find(const char *signature)
{
	unsigned long rsdp = bios_find("RSD PTR ", 8), rsdt;

	if (!rsdp || bytes_sum(rsdp, 20) || bytes_sum(rsdp, 36))
		return 0;
	rsdt = AT(uint32_t, rsdp + 16);
	for (uint32_t i = 36; i < AT(uint32_t, rsdt + 4); i += 4) {
		unsigned long table = AT(uint32_t, rsdt + i);

		if (bytes_same(table, signature, 4) && !bytes_sum(table, AT(uint32_t, table + 4)))
			return table;
	}
	return 0;
}

/* Milliseconds, up to 4000, by the PM timer: however fast this CPU is. */
static inline void wait_ms(uint32_t ms)
{
	uint32_t start = inl(PM_TIMER);

	while (((inl(PM_TIMER) - start) & 0xffffff) < ms * 3580)
		;
}

#endif
