// SPDX-License-Identifier: MIT
// 16550A UART.
#include "uart16550.h"

/* Registers, by the data sheet's table "Summary of Registers". */
enum {
	RBR = 0,	/* read: receiver buffer; DLAB: divisor latch, low */
	THR = 0,	/* write: transmitter holding */
	IER = 1,	/* interrupt enable; DLAB: divisor latch, high */
	IIR = 2,	/* read: interrupt identification */
	FCR = 2,	/* write: FIFO control */
	LCR = 3,	/* line control */
	MCR = 4,	/* modem control */
	LSR = 5,	/* line status */
	MSR = 6,	/* modem status */
	SCR = 7,	/* scratch */
	REGISTERS = 8,
};

enum {
	IER_RECEIVED = BIT(0), IER_THR_EMPTY = BIT(1), IER_LINE = BIT(2), IER_MODEM = BIT(3),
	IER_ALL = 0x0f,

	IIR_MODEM = 0x0, IIR_NONE = 0x1, IIR_THR_EMPTY = 0x2, IIR_RECEIVED = 0x4, IIR_LINE = 0x6,
	IIR_TIMEOUT = 0xc, IIR_FIFOS = 0xc0,

	FCR_ENABLE = BIT(0), FCR_CLEAR_RECEIVER = BIT(1), FCR_KEPT = 0xc9, FCR_TRIGGER_SHIFT = 6,

	LCR_DLAB = BIT(7),

	MCR_DTR = BIT(0), MCR_RTS = BIT(1), MCR_OUT1 = BIT(2), MCR_OUT2 = BIT(3),
	MCR_LOOP = BIT(4), MCR_ALL = 0x1f,

	LSR_DATA_READY = BIT(0), LSR_OVERRUN = BIT(1), LSR_THR_EMPTY = BIT(5),
	LSR_ALL_SENT = BIT(6),

	MSR_DELTA_CTS = BIT(0), MSR_DELTA_DSR = BIT(1), MSR_RING_ENDED = BIT(2),
	MSR_DELTA_DCD = BIT(3),
	MSR_CTS = BIT(4), MSR_DSR = BIT(5), MSR_RING = BIT(6), MSR_DCD = BIT(7),
};

#define POLLS_TO_WAIT	8

/* --- state ------------------------------------------------------------------------------------ */

static unsigned int fifo_capacity(const struct uart16550 *uart)
{
	return uart->fcr & FCR_ENABLE ? UART16550_FIFO : 1;
}

static void fifo_push(struct uart16550 *uart, uint8_t byte)
{
	uart->fifo[(uart->head + uart->count++) % UART16550_FIFO] = byte;
}

static uint8_t fifo_pop(struct uart16550 *uart)
{
	uint8_t byte;

	if (uart->count == 0)
		return 0;
	byte = uart->fifo[uart->head];
	uart->head = (uart->head + 1) % UART16550_FIFO;
	uart->count--;
	return byte;
}

static bool receiver_triggered(const struct uart16550 *uart)
{
	static const uint8_t level[] = { 1, 4, 8, 14 };

	return !(uart->fcr & FCR_ENABLE) || uart->count >= level[uart->fcr >> FCR_TRIGGER_SHIFT];
}

/* In priority order, "Interrupt Control Functions". */
static uint8_t interrupt_pending(const struct uart16550 *uart)
{
	if (uart->ier & IER_LINE && uart->lsr_errors)
		return IIR_LINE;
	if (uart->ier & IER_RECEIVED && uart->count)
		return receiver_triggered(uart) ? IIR_RECEIVED : IIR_TIMEOUT;
	if (uart->ier & IER_THR_EMPTY && uart->thre_pending)
		return IIR_THR_EMPTY;
	if (uart->ier & IER_MODEM && uart->msr_deltas)
		return IIR_MODEM;
	return IIR_NONE;
}

/* The modem's lines; in loopback they are wired to our own outputs. */
static uint8_t modem_lines(uint8_t mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
			 (mcr & MCR_OUT1 ? MSR_RING : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/*
 * Does the guest wait for input? By the receive interrupt; but who has another one to see to first
 * will be back, or is a driver that only tries out which bits of IER there are. Or by reading the
 * line status over and over, which nobody needs to do for the sake of output here.
 */
static bool guest_listens(const struct uart16550 *uart)
{
	if (uart->mcr & MCR_LOOP)
		return false;
	if (uart->ier & IER_RECEIVED && (uart->count || interrupt_pending(uart) == IIR_NONE))
		return true;
	return uart->polled;
}

static void polling_note(struct uart16550 *uart, bool lsr)
{
	uart->polls = lsr ? uart->polls + 1 : 0;
	if (uart->polls == POLLS_TO_WAIT)
		uart->polled = true;
}

/* --- interrupt -------------------------------------------------------------------------------- */

static int line_update(struct uart16550 *uart)
{
	return board_line(uart->board, COM1_IRQ, interrupt_pending(uart) != IIR_NONE, &uart->level);
}

/* After every access: lets in what was refused, and sets the line. */
static int uart_settle(struct uart16550 *uart)
{
	if (uart->refused && uart->count == 0 && guest_listens(uart)) {
		uart->refused = false;
		if (uart->drained)
			uart->drained(uart->drained_sink);
	}
	return line_update(uart);
}

/* --- read ------------------------------------------------------------------------------------- */

static uint8_t iir_read(struct uart16550 *uart)
{
	uint8_t pending = interrupt_pending(uart);

	if (pending == IIR_THR_EMPTY)
		uart->thre_pending = false;
	return uart->fcr & FCR_ENABLE ? pending | IIR_FIFOS : pending;
}

static uint8_t lsr_read(struct uart16550 *uart)
{
	uint8_t status = LSR_THR_EMPTY | LSR_ALL_SENT | uart->lsr_errors;

	uart->lsr_errors = 0;
	return uart->count ? status | LSR_DATA_READY : status;
}

static uint8_t msr_read(struct uart16550 *uart)
{
	uint8_t deltas = uart->msr_deltas;

	uart->msr_deltas = 0;
	return modem_lines(uart->mcr) | deltas;
}

static uint8_t register_read(struct uart16550 *uart, unsigned int number)
{
	bool divisor = uart->lcr & LCR_DLAB;

	switch (number) {
	case RBR:
		return divisor ? uart->dll : fifo_pop(uart);
	case IER:
		return divisor ? uart->dlm : uart->ier;
	case IIR:
		return iir_read(uart);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return lsr_read(uart);
	case MSR:
		return msr_read(uart);
	default:
		return uart->scr;
	}
}

int uart16550_read(void *device, uint64_t address, void *data, unsigned int size)
{
	struct uart16550 *uart = device;
	uint8_t *bytes = data;

	for (unsigned int i = 0, n = address % REGISTERS; i < size && n < REGISTERS; i++, n++) {
		bytes[i] = register_read(uart, n);
		polling_note(uart, n == LSR);
	}
	return uart_settle(uart);
}

/* --- write ------------------------------------------------------------------------------------ */

/* A byte that arrives finds no room: with FIFOs it is lost itself, without it replaces the last. */
static void loopback_receive(struct uart16550 *uart, uint8_t byte)
{
	if (uart->count == fifo_capacity(uart)) {
		uart->lsr_errors |= LSR_OVERRUN;
		if (uart->fcr & FCR_ENABLE)
			return;
		uart->count = 0;
	}
	fifo_push(uart, byte);
}

static int thr_write(struct uart16550 *uart, uint8_t byte)
{
	uart->thre_pending = true;
	if (uart->mcr & MCR_LOOP) {
		loopback_receive(uart, byte);
		return 0;
	}
	return uart->output.write(uart->output.sink, &byte, 1);
}

/* Enabling THRE while the transmitter is empty interrupts at once; drivers start by it. */
static void ier_write(struct uart16550 *uart, uint8_t value)
{
	if (value & ~uart->ier & IER_THR_EMPTY)
		uart->thre_pending = true;
	uart->ier = value & IER_ALL;
	uart->polled = false;
}

/* "Bit 0 must be a 1 when other FCR bits are written to or they will not be programmed"; changing
 * it clears both FIFOs. */
static void fcr_write(struct uart16550 *uart, uint8_t value)
{
	bool enable = value & FCR_ENABLE;

	if ((value ^ uart->fcr) & FCR_ENABLE || (enable && value & FCR_CLEAR_RECEIVER))
		uart->count = 0;
	uart->fcr = enable ? value & FCR_KEPT : 0;
	uart->polled = false;
}

static void mcr_write(struct uart16550 *uart, uint8_t value)
{
	uint8_t old = modem_lines(uart->mcr), changed;

	uart->mcr = value & MCR_ALL;
	changed = old ^ modem_lines(uart->mcr);
	if (changed & MSR_CTS)
		uart->msr_deltas |= MSR_DELTA_CTS;
	if (changed & MSR_DSR)
		uart->msr_deltas |= MSR_DELTA_DSR;
	if (changed & old & MSR_RING)
		uart->msr_deltas |= MSR_RING_ENDED;
	if (changed & MSR_DCD)
		uart->msr_deltas |= MSR_DELTA_DCD;
}

static int register_write(struct uart16550 *uart, unsigned int number, uint8_t value)
{
	bool divisor = uart->lcr & LCR_DLAB;

	if (number == THR && divisor)
		uart->dll = value;
	else if (number == THR)
		return thr_write(uart, value);
	else if (number == IER && divisor)
		uart->dlm = value;
	else if (number == IER)
		ier_write(uart, value);
	else if (number == FCR)
		fcr_write(uart, value);
	else if (number == LCR)
		uart->lcr = value;
	else if (number == MCR)
		mcr_write(uart, value);
	else if (number == SCR)
		uart->scr = value;
	return 0; /* LSR and MSR: "for read operations only" */
}

int uart16550_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct uart16550 *uart = device;
	const uint8_t *bytes = data;
	unsigned int n = address % REGISTERS;
	int r = 0, settled;

	polling_note(uart, false);
	for (unsigned int i = 0; r == 0 && i < size && n < REGISTERS; i++, n++)
		r = register_write(uart, n, bytes[i]);
	settled = uart_settle(uart);
	return r < 0 ? r : settled;
}

bool uart16550_receive(struct uart16550 *uart, uint8_t byte)
{
	if (uart->count >= fifo_capacity(uart) || !guest_listens(uart)) {
		uart->refused = true;
		return false;
	}
	fifo_push(uart, byte);
	line_update(uart); /* should it fail, then the guest's next access tries again and tells */
	return true;
}

/* --- attach ----------------------------------------------------------------------------------- */

void uart16550_attach(struct uart16550 *uart, struct board *board, struct output output)
{
	*uart = (struct uart16550){
		.board = board,
		.output = output,
		.dll = 12, /* 9600 baud, as a BIOS leaves it */
	};
}
