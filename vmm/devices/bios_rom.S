/* SPDX-License-Identifier: MIT */
/*
 * The BIOS' ROM, 16-bit code of the segment BIOS_ROM_SEGMENT: all that has to run in the guest.
 */
#include "bios.h"
#include "x86.h"

/* Intel 8259A data sheet, "Initialization Command Words": cascaded at line 2, 8086 mode. */
#define PORT_PIC	0x20
#define PORT_PIC2	0xa0
#define ICW1		0x11
#define ICW2_VECTOR	0x08
#define ICW2_VECTOR2	0x70
#define ICW3_CASCADE	0x04
#define ICW3_IDENTITY	0x02
#define ICW4		0x01
#define MASK		0xfa	/* lets through the PIT and the second PIC */
#define EOI		0x20

/* Intel 8254 data sheet, "Control Word Format": counter 0, both bytes, square wave. */
#define PORT_PIT	0x40
#define PORT_PIT_MODE	0x43
#define PIT_MODE	0x36

#define PORT_RESET	0xcf9	/* RST_CNT: see pci_host.h */
#define RESET_NOW	0x06

	.section .rodata
	.code16
	.globl bios_rom, bios_rom_post, bios_rom_post_entry, bios_rom_key_wait, bios_rom_tick
	.globl bios_rom_irq, bios_rom_irq_slave, bios_rom_return, bios_rom_dead_end, bios_rom_reset
	.globl bios_rom_configuration, bios_rom_end
	.balign 16

/* The handlers of vectors 0 to 255, which the VMM tells apart by the instruction pointer. */
bios_rom:
	.rept 256
	out %al, $BIOS_PORT
	iret
	.balign BIOS_STUB_SIZE
	.endr

/* Where the CPU starts: PICs at vectors 8 and 0x70 with the timer let through, PIT at 18.2 Hz. AX is
 * 0 before and after it. */
bios_rom_post:
	mov $ICW1, %al
	out %al, $PORT_PIC
	out %al, $PORT_PIC2
	mov $ICW2_VECTOR, %al
	out %al, $PORT_PIC_MASK
	mov $ICW2_VECTOR2, %al
	out %al, $PORT_PIC2_MASK
	mov $ICW3_CASCADE, %al
	out %al, $PORT_PIC_MASK
	mov $ICW3_IDENTITY, %al
	out %al, $PORT_PIC2_MASK
	mov $ICW4, %al
	out %al, $PORT_PIC_MASK
	out %al, $PORT_PIC2_MASK
	mov $MASK, %al
	out %al, $PORT_PIC_MASK
	mov $0xff, %al
	out %al, $PORT_PIC2_MASK
	mov $PIT_MODE, %al
	out %al, $PORT_PIT_MODE
	xor %ax, %ax		/* 65536 */
	out %al, $PORT_PIT
	out %al, $PORT_PIT
	.byte 0xea		/* far jump; the VMM fills in where to */
bios_rom_post_entry:
	.word 0, 0

/* Interrupt 8: PIT. */
bios_rom_tick:
	push %ds
	push %ax
	mov $BDA_SEGMENT, %ax
	mov %ax, %ds
	incl BDA_TICKS
	cmpl $BDA_TICKS_A_DAY, BDA_TICKS
	jb 1f
	movl $0, BDA_TICKS
	movb $1, BDA_TICKS_MIDNIGHT
1:	int $0x1c
	mov $EOI, %al
	out %al, $PORT_PIC
	pop %ax
	pop %ds
	iret

/* Interrupts that nobody has taken. */
bios_rom_irq_slave:
	push %ax
	mov $EOI, %al
	out %al, $PORT_PIC2
	jmp 1f
bios_rom_irq:
	push %ax
	mov $EOI, %al
1:	out %al, $PORT_PIC
	pop %ax
bios_rom_return:
	iret

/* Inside of int 0x16: no key yet. Once an interrupt came, look again. */
bios_rom_key_wait:
	sti
	hlt
	jmp bios_rom + 0x16 * BIOS_STUB_SIZE

/* Int 0x18: nothing can be booted. Faults that nobody handles: a return would only repeat them. */
bios_rom_dead_end:
	cli
	hlt
	jmp bios_rom_dead_end

/* Int 0x19, and the reset vector. */
bios_rom_reset:
	mov $RESET_NOW, %al
	mov $PORT_RESET, %dx
	out %al, %dx
	jmp bios_rom_dead_end

/* Int 0x15, AH=0xc0: 8 bytes follow; an AT, revision 0; two PICs, RTC, EBDA. */
bios_rom_configuration:
	.word 8
	.byte 0xfc, 0, 0, 0x64, 0, 0, 0, 0

	/* FFFF:0, where a CPU starts; the model byte of an AT ends the ROM */
	.org bios_rom + BIOS_ROM_SIZE - 16
	jmp bios_rom_reset
	.org bios_rom + BIOS_ROM_SIZE - 2
	.byte 0xfc, 0
bios_rom_end:
	.section .note.GNU-stack, "", @progbits
