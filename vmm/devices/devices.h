/* SPDX-License-Identifier: MIT */
/*
 * What all devices share: the board they sit on. One chip, one file, named after the chip; each
 * exports its state struct, `NAME_read()` and `NAME_write()` for the board's table (board.c), and
 * `NAME_attach()`, which powers it on. Handlers run under the board's lock, one at a time.
 *
 * An access may be wider than the register it hits, or hang over the end of its range: the 8-bit
 * chips take it apart into bytes, as the ISA bus does, and leave alone what is beyond them (a read
 * finds all ones there already, see bus_read()).
 */
#ifndef DEVICES_H
#define DEVICES_H

#include "bus.h"
#include "memory.h"
#include "vcpu.h"

/* Why a machine stopped, when a device decided it. */
enum stop {
	STOP_NONE,
	STOP_POWER_OFF,
	STOP_RESET,
	STOP_DEBUG_EXIT,	/* isa-debug-exit: the value written is in `value` */
	STOP_USER,		/* Ctrl-A x on the console */
};

struct board {
	struct bus ports, mmio;
	const struct vm *vm;		/* for vm_irq_line(); NULL = there is nothing that takes lines */
	const struct memory *memory;
	unsigned int cpus;
	const struct vcpu *caller;	/* whose access it is; NULL = no vCPU's */
	enum stop stop;
	uint32_t value;
};

/* Where a device's bytes go. `write` takes all of them, or gives a negative errno with
 * error_last(); the device's handler returns it, which stops the machine. */
struct output {
	int (*write)(void *sink, const void *bytes, size_t size);
	void *sink;
};

/* Remembers why (the first one counts) and returns -ECANCELED: a handler's `return`. */
int board_stop(struct board *board, enum stop stop, uint32_t value);

/* Sets ISA interrupt line `line`, if *now differs from `level`, and keeps *now. Negative errno with
 * error_last(); *now is then as it was, so that the next call tries again. */
int board_line(const struct board *board, unsigned int line, bool level, bool *now);

#endif
