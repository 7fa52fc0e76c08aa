// SPDX-License-Identifier: MIT
// The terminal.
#include "console.h"

#include "error.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_A		0x01

static const char help[] = "\n"
	"Ctrl-A x       ends the machine\n"
	"Ctrl-A h       shows this\n"
	"Ctrl-A Ctrl-A  sends a Ctrl-A\n";

/* --- the terminal's mode ---------------------------------------------------------------------- */

/* Handlers of signals and of exit() get at it. */
static struct {
	volatile sig_atomic_t raw;
	int fd;
	struct termios before;
} terminal;

/* SIGTTOU would stop a process that has got into the background meanwhile. */
void console_restore(void)
{
	sigset_t ttou, before;

	if (!terminal.raw)
		return;
	terminal.raw = 0;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &before);
	tcsetattr(terminal.fd, TCSANOW, &terminal.before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Installed with SA_RESETHAND: raised again, it does what it does by default. */
static void fatal_signal(int signal)
{
	int err = errno;

	console_restore();
	raise(signal);
	errno = err;
}

/* Only where nobody else cares: main's handlers, and what nohup ignores, stay. */
static void signals_catch(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU,
		SIGXFSZ, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS,
	};
	const struct sigaction action = { .sa_handler = fatal_signal, .sa_flags = SA_RESETHAND };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction before;

		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	}
}

/* Output keeps its translation: a guest's bare newline shall not make stairs. */
static int terminal_set_raw(int fd)
{
	static bool registered;
	struct termios raw;

	if (tcgetattr(fd, &terminal.before) < 0)
		return fail(errno, "tcgetattr", "cannot read the terminal's mode: %s",
			    strerror(errno));
	terminal.fd = fd;
	if (!registered)
		atexit(console_restore);
	registered = true;
	signals_catch();
	raw = terminal.before;
	raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL |
				   IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	terminal.raw = 1; /* first: better restored in vain than not at all */
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return fail(errno, "tcsetattr", "cannot set the terminal to raw mode: %s",
			    strerror(errno));
	return 0;
}

/* --- start and end ---------------------------------------------------------------------------- */

/* Who is in the background of his terminal would be stopped for reading it or setting its mode. */
static bool terminal_is_ours(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp(); /* < 0: no job control there */
}

int console_init(struct console *console, int in, int out, const volatile bool *stop)
{
	bool tty = isatty(in);

	memset(console, 0, sizeof(*console));
	console->in = in;
	sink_init(&console->out, out, stop);
	console->ready = true;
	console->room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (console->room < 0)
		return fail(errno, "eventfd", "cannot create an eventfd: %s", strerror(errno));
	console->terminal = tty && terminal_is_ours(in);
	console->ended = tty && !console->terminal;
	return console->terminal ? terminal_set_raw(in) : 0;
}

void console_destroy(struct console *console)
{
	console_restore();
	if (console->ready && console->room >= 0)
		close(console->room);
	console->ready = false;
}

void console_connect(struct console *console, struct uart16550 *uart)
{
	console->uart = uart;
	uart->drained = console_feed;
	uart->drained_sink = console;
}

/* --- input ------------------------------------------------------------------------------------ */

static unsigned int ring_room(const struct console *console)
{
	return CONSOLE_RING - (console->tail - console->head);
}

nfds_t console_poll(const struct console *console, struct pollfd *fds)
{
	nfds_t count = 0;

	fds[count++] = (struct pollfd){ .fd = console->room, .events = POLLIN };
	if (!console->ended && ring_room(console))
		fds[count++] = (struct pollfd){ .fd = console->in, .events = POLLIN };
	return count;
}

static void ring_push(struct console *console, uint8_t byte)
{
	console->ring[console->tail % CONSOLE_RING] = byte;
	console->tail++;
}

/* One key of a terminal. What is no command after Ctrl-A is dropped. */
static int key_take(struct console *console, uint8_t key)
{
	bool escaped = console->escaped;

	console->escaped = !escaped && key == CTRL_A;
	if (console->escaped)
		return 0;
	if (!escaped || key == CTRL_A)
		ring_push(console, key);
	else if (key == 'x')
		return -ECANCELED;
	else if (key == 'h' || key == '?')
		(void)!write(STDERR_FILENO, help, sizeof(help) - 1);
	return 0;
}

static int bytes_take(struct console *console, const uint8_t *bytes, size_t size)
{
	int r = 0;

	for (size_t i = 0; i < size && r == 0; i++) {
		if (console->terminal)
			r = key_take(console, bytes[i]);
		else
			ring_push(console, bytes[i]);
	}
	return r;
}

int console_input(struct console *console, const struct pollfd *fds, nfds_t count)
{
	uint8_t bytes[256];
	uint64_t ignored;
	size_t room = ring_room(console);
	ssize_t got;

	if (fds[0].revents)
		(void)!read(console->room, &ignored, sizeof(ignored));
	if (count < 2 || !fds[1].revents)
		return 0;
	got = read(console->in, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
	if (got > 0)
		return bytes_take(console, bytes, (size_t)got);
	if (got == 0 || (errno != EINTR && errno != EAGAIN))
		console->ended = true;
	return 0;
}

/*
 * The reader stops at a full ring and waits for `room`. Both indices are sequentially consistent:
 * either it sees the new head here and does not stop, or we see its last tail and wake it.
 */
void console_feed(void *opaque)
{
	struct console *console = opaque;
	const uint64_t one = 1;

	while (console->head != console->tail) {
		unsigned int head = console->head;

		if (!uart16550_receive(console->uart, console->ring[head % CONSOLE_RING]))
			return;
		console->head = head + 1;
		if (console->tail - head == CONSOLE_RING)
			(void)!write(console->room, &one, sizeof(one));
	}
}
