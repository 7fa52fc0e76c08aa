/* SPDX-License-Identifier: MIT */
/*
 * The terminal, or whatever stdin and stdout are, on the far end of COM1.
 *
 * Input goes through a ring: the main thread reads stdin into it (console_poll(), poll(),
 * console_input(): no lock), and whoever has the board's lock moves bytes from it to the UART
 * (console_feed()) as far as there is room. The UART calls console_feed() itself once the guest has
 * emptied its FIFO, so nothing is lost and nothing polls; a full ring leaves stdin alone.
 *
 * On a terminal, keys go to the guest as they are (raw mode), and Ctrl-A is ours:
 *	Ctrl-A x	ends the machine
 *	Ctrl-A h	lists these, on stderr
 *	Ctrl-A Ctrl-A	sends a Ctrl-A
 * Otherwise bytes pass untouched, and their end just ends the input. A terminal is left alone where
 * this process is in its background.
 *
 * Output is not buffered: one write() for each byte that the guest writes costs less than the exit
 * that brought it, and nothing is ever late or lost, however the machine ends.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "sink.h"
#include "uart16550.h"

#include <poll.h>
#include <stdatomic.h>

#define CONSOLE_RING		4096U	/* a power of two */
#define CONSOLE_POLLFDS		2

struct console {
	int in;
	struct sink out;
	int room;			/* eventfd: a full ring has room again */
	bool ready;			/* initialised */
	struct uart16550 *uart;
	bool terminal;			/* raw, and Ctrl-A is ours */
	bool ended;			/* nothing more comes from `in` */
	bool escaped;			/* Ctrl-A was the last key */
	atomic_uint head, tail;		/* count up for ever; the feeder's, the reader's */
	uint8_t ring[CONSOLE_RING];
};

/* `in` and `out` stay the caller's. Puts a terminal into raw mode, until console_restore(), exit()
 * or a signal that ends the process (where nobody handles it otherwise). One at a time. Negative
 * errno with error_last(). */
int console_init(struct console *console, int in, int out, const volatile bool *stop);
/* Restores, too. One that is all zeroes may be destroyed. */
void console_destroy(struct console *console);

/* Gives the terminal its old mode back, if it has not got it. Safe in a signal handler. */
void console_restore(void);

/* After board_attach_all(): where input goes. */
void console_connect(struct console *console, struct uart16550 *uart);

/* Fills `fds` (of CONSOLE_POLLFDS) with what to wait for; returns the count. */
nfds_t console_poll(const struct console *console, struct pollfd *fds);

/* After poll() of these: takes what came. -ECANCELED: the user wants to end the machine (Ctrl-A x).
 * Then call console_feed() under the board's lock. Does not wait, and takes no lock. */
int console_input(struct console *console, const struct pollfd *fds, nfds_t count);

/* Moves input to the UART as far as it has room. Under the board's lock. */
void console_feed(void *console);

#endif
