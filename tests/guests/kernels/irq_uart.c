// SPDX-License-Identifier: MIT
// The UART's interrupt arrives through the PIC or the I/O APIC, as the last word says.
#include "kernel.h"

MULTIBOOT_KERNEL;

#define VECTOR		0x44	/* the PIC takes a multiple of 8, and adds the IRQ */
#define IRQ		4
#define LOCAL_APIC	0xfee00000
#define IO_APIC		0xfec00000

static volatile uint32_t interrupts;

__attribute__((used)) static void interrupt(void)
{
	interrupts++;
	inb(COM1 + 2);	/* takes the cause away */
	outb(0x20, 0x20);	/* the PIC's end of interrupt, and the local APIC's */
	AT(uint32_t, LOCAL_APIC + 0xb0) = 0;
}

asm(".pushsection .text\n"
    "interrupt_entry:\n"
    "	pushal\n"
    "	cld\n"
    "	call interrupt\n"
    "	popal\n"
    "	iretl\n"
    ".popsection\n");
extern uint8_t interrupt_entry[];

static void idt_load(void)
{
	static uint64_t gdt[3] = { 0, 0xcf9b000000ffff, 0xcf93000000ffff }, idt[VECTOR + 1];
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)gdt };
	uint32_t entry = (uint32_t)interrupt_entry;

	asm volatile("lgdt %0" : : "m"(pointer));
	idt[VECTOR] = (uint64_t)(entry & 0xffff0000) << 32 | 0x8e0000080000 | (entry & 0xffff);
	pointer.limit = sizeof(idt) - 1;
	pointer.base = (uint32_t)idt;
	asm volatile("lidt %0" : : "m"(pointer));
}

static void pic_init(void)
{
	outb(0x20, 0x11);
	outb(0x21, VECTOR - IRQ);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0x21, (uint8_t)~(1 << IRQ));
}

static void io_apic_init(void)
{
	outb(0x21, 0xff);
	AT(uint32_t, LOCAL_APIC + 0xf0) = 0x1ff;	/* on */
	AT(uint32_t, IO_APIC) = 0x10 + 2 * IRQ + 1;
	AT(uint32_t, IO_APIC + 0x10) = 0;		/* to CPU 0 */
	AT(uint32_t, IO_APIC) = 0x10 + 2 * IRQ;
	AT(uint32_t, IO_APIC + 0x10) = VECTOR;
}

unsigned int kernel(unsigned long magic, unsigned long info)
{
	CHECK(magic == MULTIBOOT_MAGIC);
	idt_load();
	if (same(multiboot_word(info), "pic"))
		pic_init();
	else
		io_apic_init();
	outb(COM1 + 4, 8);
	outb(COM1 + 1, 2);	/* "transmitter empty", which it is */
	asm volatile("sti");
	for (unsigned int ms = 0; ms < 1000 && !interrupts; ms++)
		wait_ms(1);
	asm volatile("cli");
	CHECK(interrupts == 1);
	print("an interrupt\n");
	return 0;
}
