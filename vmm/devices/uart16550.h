/* SPDX-License-Identifier: MIT */
/*
 * The serial port COM1: a 16550A UART (PC16550D data sheet, "Universal Asynchronous
 * Receiver/Transmitter with FIFOs"). Complete but for time: a byte takes none. What is written is
 * out at once, so the transmitter is always empty; a receive FIFO below its trigger level has
 * always waited long enough for the timeout interrupt. Nobody breaks the line or its parity.
 *
 * Differences to a PC's card: MCR's OUT2 does not gate the interrupt (guests that were written on
 * other hypervisors forget it), and the far end is there: CTS, DSR and DCD are on. It is patient,
 * too: it sends only while somebody listens, which is to wait for a receive interrupt or to poll
 * the line status. Otherwise drivers would throw away, when they probe and start, what was piped
 * in.
 */
#ifndef UART16550_H
#define UART16550_H

#include "devices.h"

#define COM1_PORT	0x3f8
#define COM1_IRQ	4
#define UART16550_FIFO	16

struct uart16550 {
	struct board *board;
	struct output output;
	/* Called when there is room for a byte that was refused, and somebody listens; NULL =
	 * nobody. It may call uart16550_receive(). */
	void (*drained)(void *sink);
	void *drained_sink;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lsr_errors, msr_deltas;
	uint8_t fifo[UART16550_FIFO];
	unsigned int head, count;
	bool thre_pending;	/* the transmitter became empty, and nobody has looked yet */
	bool refused;		/* a byte waits outside */
	unsigned int polls;	/* reads of the line status in a row */
	bool polled;		/* the guest waits for input by them */
	bool level;		/* of the interrupt line */
};

void uart16550_attach(struct uart16550 *uart, struct board *board, struct output output);

/* A byte from outside; under the board's lock. false = there is no room, or nobody listens: keep it
 * until drained(). */
bool uart16550_receive(struct uart16550 *uart, uint8_t byte);

int uart16550_read(void *device, uint64_t address, void *data, unsigned int size);
int uart16550_write(void *device, uint64_t address, const void *data, unsigned int size);

#endif
