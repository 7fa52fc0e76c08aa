/* SPDX-License-Identifier: MIT */
/*
 * A small BIOS, for guests that are entered in real mode or go back to it (Xen does, to ask for the
 * memory map, though it is a Multiboot kernel). Its interrupt handlers are stubs in a ROM
 * (bios_rom.S): an OUT to BIOS_PORT and an IRET; which of them it was is the vector. The service
 * itself is a row of services[] (bios.c) and works on the caller's registers. Functions and
 * registers as in Ralf Brown's Interrupt List, which the PC's own manuals became.
 *
 * What int 10h prints goes to the console, and int 16h has the keys of COM1's far end. Cursor
 * movements that are no plain text become ECMA-48's control sequences. There are no disks.
 * Missing: graphics, attributes (colours), scrolling of parts of the screen, PCI's and PnP's
 * services. What has no row leaves the registers alone; where there is a way to say no, it does.
 */
#ifndef BIOS_H
#define BIOS_H

/* The ROM: the end of the first MiB. */
#define BIOS_ROM		0xff800
#define BIOS_ROM_SIZE		0x800
#define BIOS_ROM_SEGMENT	0xf000
#define BIOS_ROM_OFFSET		(BIOS_ROM - BIOS_ROM_SEGMENT * 16)
#define BIOS_STUB_SIZE		4	/* one per vector, from the ROM's start */
#define BIOS_PORT		0xb8	/* nobody's on a PC */

/* The BIOS data area (Ralf Brown, "MEMORY.LST"), offsets in its segment. */
#define BDA_SEGMENT		0x40
#define BDA_TICKS		0x6c	/* since midnight, 32 bits */
#define BDA_TICKS_MIDNIGHT	0x70	/* it passed */
#define BDA_TICKS_A_DAY		0x1800b0

#ifndef __ASSEMBLER__

#include "cmos.h"
#include "start.h"
#include "uart16550.h"

/* A caller's registers. What a service changes here is changed there. */
union bios_register {
	uint32_t e;
	uint16_t x;
	struct {
		uint8_t l, h;
	};
};

struct bios_call {
	uint8_t vector;
	union bios_register a, b, c, d;
	uint16_t si, di, bp;
	uint16_t es;
	uint16_t flags;	/* as they will be after the IRET */
	uint16_t cs, ip;	/* where that goes: only looked at */
	bool waits;	/* set by a service: call it again after the next interrupt */
};

struct bios {
	struct board *board;
	struct output output;
	struct uart16550 *uart;	/* the keyboard */
	struct cmos *cmos;
	/* Called for a service that is not there; NULL = nobody wants to know. */
	void (*unknown)(void *opaque, const struct bios_call *call);
	void *unknown_for;
	bool printed;		/* the screen may not be clear any more */
	bool has_key, has_cell;
	uint8_t key;		/* looked at, not taken yet */
	uint8_t cell;		/* written at the cursor, which did not move: not printed yet */
};

void bios_attach(struct bios *bios, struct board *board, struct output output,
		 struct uart16550 *uart, struct cmos *cmos);

/* Writes the ROM, the vectors and the data area where there is memory for them. A `start` in real
 * mode becomes the ROM's, which sets up PIC and PIT, and goes to the old one with the same registers;
 * others find both as after a reset. */
void bios_install(const struct memory *memory, struct start *start);

/* One call: 0, or a negative errno that stops the machine. */
int bios_serve(struct bios *bios, struct bios_call *call);

int bios_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
#endif
