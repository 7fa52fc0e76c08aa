// SPDX-License-Identifier: MIT
// The small PC's devices, each by way of the board's buses, and the tables that describe them.
#include "unit.h"

#include "acpi_tables.h"
#include "board.h"
#include "console.h"
#include "error.h"
#include "mptable.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* --- a board to test on ----------------------------------------------------------------------- */

#define MEMORY_SIZE	(4U << 20)

static struct memory memory;
static struct board board;
static struct devices devices;
static char printed[256];
static size_t printed_size;
static int print_result;

static int print(void *sink, const void *bytes, size_t size)
{
	(void)sink;
	if (print_result == 0 && printed_size + size < sizeof(printed)) {
		memcpy(printed + printed_size, bytes, size);
		printed_size += size;
		printed[printed_size] = 0;
	}
	return print_result;
}

static void board_up(void)
{
	const struct board_config config = {
		.output = { print, NULL },
		.debugexit_port = DEBUGEXIT_PORT,
		.debugexit_size = DEBUGEXIT_SIZE,
		.testdev = true,
	};
	int r;

	printed[printed_size = 0] = 0;
	print_result = 0;
	memory_create(&memory, MEMORY_SIZE);
	board = (struct board){ .memory = &memory, .cpus = 3 };
	r = board_attach_all(&board, &devices, &config);
	EXPECT(r == 0, "%s", error_last()->text);
}

static void board_down(void)
{
	memory_destroy(&memory);
}

static uint32_t in(unsigned int port, unsigned int size)
{
	uint32_t value = 0;

	bus_read(&board.ports, port, &value, size);
	return value;
}

static int out(unsigned int port, uint32_t value, unsigned int size)
{
	return bus_write(&board.ports, port, &value, size);
}

static uint32_t inb(unsigned int port)
{
	return in(port, 1);
}

static int outb(unsigned int port, uint32_t value)
{
	return out(port, value, 1);
}

#define EXPECT_IN(port, size, want) \
	do { \
		uint32_t got_ = in((port), (size)); \
		EXPECT(got_ == (uint32_t)(want), "0x%x at 0x%x", got_, (unsigned int)(port)); \
	} while (0)

/* Did the last access stop the machine, and why? Starts it again. */
static void expect_stop(int result, enum stop stop, uint32_t value, const char *what)
{
	EXPECT(result == -ECANCELED, "%s: %d", what, result);
	EXPECT(board.stop == stop && board.value == value, "%s: %d, %u", what, board.stop,
	       board.value);
	board.stop = STOP_NONE;
	board.value = 0;
}

/* --- the board -------------------------------------------------------------------------------- */

static void board_refuses_overlaps(void)
{
	board_up();
	EXPECT(debugexit_attach(&board, 0x3f0, 16) == -EEXIST, "%s", error_last()->text);
	EXPECT_HAS(error_last()->text, "uart");
	EXPECT(debugexit_attach(&board, 0xfffe, 4) == -EINVAL, "%s", error_last()->text);
	EXPECT(debugexit_attach(&board, 0xfffc, 4) == 0, "%s", error_last()->text);
	EXPECT_IN(0x1234, 4, 0xffffffff);
	EXPECT(out(0x1234, 1, 4) == BUS_UNCLAIMED, "%d", board.stop);
	board_down();
}

static void board_first_stop_counts(void)
{
	board_up();
	board_stop(&board, STOP_RESET, 1);
	expect_stop(board_stop(&board, STOP_USER, 2), STOP_RESET, 1, "first");
	board_down();
}

static uint64_t noise(void)
{
	static uint64_t state = 88172645463325252ULL; /* xorshift64 */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* The data lies in a piece of exactly its size, for the address sanitizer to watch. */
static void bus_disturb(const struct bus *bus, uint64_t address, unsigned int size)
{
	void *data = malloc(size);
	uint64_t value = noise();

	memcpy(data, &value, size);
	if (value >> 63)
		bus_write(bus, address, data, size);
	else
		bus_read(bus, address, data, size);
	free(data);
}

static void range_disturb(const struct bus *bus, const struct bus_range *range)
{
	uint64_t step = range->last - range->first > 256 ? 4093 : 1;

	for (uint64_t address = range->first; address <= range->last; address += step)
		for (unsigned int size = 1; size <= (bus == &board.mmio ? 8 : 4); size *= 2)
			bus_disturb(bus, address, size);
	bus_disturb(bus, range->last, 4);
}

static void board_survives_noise(void)
{
	board_up();
	for (unsigned int round = 0; round < 3000; round++) {
		for (size_t i = 0; i < board.ports.ranges; i++)
			range_disturb(&board.ports, &board.ports.range[i]);
		for (size_t i = 0; i < board.mmio.ranges; i++)
			range_disturb(&board.mmio, &board.mmio.range[i]);
		uart16550_receive(&devices.uart, (uint8_t)round);
	}
	board_down();
}

/* --- UART ------------------------------------------------------------------------------------- */

enum { RBR = 0x3f8, THR = 0x3f8, IER = 0x3f9, IIR = 0x3fa, FCR = 0x3fa, LCR = 0x3fb, MCR = 0x3fc,
       LSR = 0x3fd, MSR = 0x3fe, SCR = 0x3ff };

/* As drivers/tty/serial/8250 tries it. */
static void uart_is_found(void)
{
	board_up();
	outb(IER, 0);
	EXPECT_IN(IER, 1, 0);
	outb(IER, 0xff);
	EXPECT_IN(IER, 1, 0x0f);
	outb(IER, 0);
	outb(MCR, 0x1a);	/* loopback, OUT2, RTS */
	EXPECT((inb(MSR) & 0xf0) == 0x90, "DCD, CTS");
	outb(MCR, 0);
	EXPECT((inb(MSR) & 0xf0) == 0xb0, "DCD, DSR, CTS");
	outb(FCR, 0x01);
	EXPECT_IN(IIR, 1, 0xc1);
	outb(FCR, 0xe1);	/* no 64-byte FIFO */
	EXPECT_IN(IIR, 1, 0xc1);
	outb(FCR, 0);
	EXPECT_IN(IIR, 1, 0x01);
	outb(LCR, 0x80);
	out(RBR, 0x1234, 2);
	EXPECT_IN(RBR, 2, 0x1234);
	outb(LCR, 0x03);
	EXPECT_IN(IER, 1, 0);
	outb(SCR, 0xa5);
	EXPECT_IN(SCR, 1, 0xa5);
	EXPECT_IN(SCR, 2, 0xffa5);	/* what hangs over is not the UART's */
	EXPECT_IN(LSR, 1, 0x60);
	board_down();
}

static void uart_prints(void)
{
	board_up();
	outb(THR, 'a');
	out(THR, 0x0100 | 'b', 2);	/* and IER = 1 */
	EXPECT_STR(printed, "ab");
	EXPECT_IN(IER, 1, 1);
	print_result = -EPIPE;
	EXPECT(outb(THR, 'c') == -EPIPE, "a failure stops the machine");
	board_down();
}

static void uart_tells_that_it_is_empty(void)
{
	board_up();
	outb(IER, 0x02);
	EXPECT(devices.uart.level, "enabling interrupts");
	EXPECT_IN(IIR, 1, 0x02);
	EXPECT(!devices.uart.level, "reading IIR took it");
	EXPECT_IN(IIR, 1, 0x01);
	outb(THR, 'x');
	EXPECT(devices.uart.level, "sent");
	outb(IER, 0);
	EXPECT(!devices.uart.level, "disabled");
	outb(IER, 0x02);
	EXPECT(devices.uart.level, "enabled again");
	board_down();
}

static void uart_receives(void)
{
	board_up();
	outb(FCR, 0x41);	/* FIFOs, trigger at 4 */
	outb(IER, 0x01);
	for (unsigned int i = 0; i < 16; i++)
		EXPECT(uart16550_receive(&devices.uart, (uint8_t)('a' + i)), "byte %u", i);
	EXPECT(!uart16550_receive(&devices.uart, 'z'), "full");
	EXPECT(devices.uart.level, "line");
	EXPECT_IN(LSR, 1, 0x61);
	for (unsigned int i = 0; i < 16; i++) {
		EXPECT_IN(IIR, 1, 16 - i >= 4 ? 0xc4 : 0xcc);
		EXPECT_IN(RBR, 1, 'a' + i);
	}
	EXPECT_IN(IIR, 1, 0xc1);
	EXPECT(!devices.uart.level, "line");
	EXPECT_IN(LSR, 1, 0x60);
	EXPECT_IN(RBR, 1, 0);
	uart16550_receive(&devices.uart, 'q');
	outb(FCR, 0x43);
	EXPECT_IN(LSR, 1, 0x60);
	EXPECT(!devices.uart.level, "cleared");
	board_down();
}

static void uart_without_fifos_holds_one(void)
{
	board_up();
	outb(IER, 0x01);
	EXPECT(uart16550_receive(&devices.uart, '1'), "room");
	EXPECT(!uart16550_receive(&devices.uart, '2'), "no room");
	EXPECT_IN(IIR, 1, 0x04);
	EXPECT_IN(RBR, 1, '1');
	EXPECT(uart16550_receive(&devices.uart, '2'), "room again");
	board_down();
}

static void uart_loops_back(void)
{
	board_up();
	outb(FCR, 0x01);
	outb(MCR, 0x10);
	outb(IER, 0x05);
	EXPECT(!uart16550_receive(&devices.uart, 'x'), "the line is cut");
	for (unsigned int i = 0; i < 17; i++)
		outb(THR, i);
	EXPECT_STR(printed, "");
	EXPECT_IN(IIR, 1, 0xc6);
	EXPECT_IN(LSR, 1, 0x63);	/* overrun */
	EXPECT_IN(LSR, 1, 0x61);
	for (unsigned int i = 0; i < 16; i++)
		EXPECT_IN(RBR, 1, i);
	inb(MSR);
	outb(IER, 0x08);
	outb(MCR, 0x14);		/* OUT1 is the ring indicator: it starts ... */
	EXPECT_IN(MSR, 1, 0x40);
	outb(MCR, 0x12);		/* ... ends, and RTS is CTS */
	EXPECT_IN(IIR, 1, 0xc0);
	EXPECT_IN(MSR, 1, 0x15);
	EXPECT_IN(IIR, 1, 0xc1);
	board_down();
}

/* What is piped in while drivers probe and start must still be there when they read. */
static void uart_waits_for_a_listener(void)
{
	board_up();
	EXPECT(!uart16550_receive(&devices.uart, 'a'), "nobody listens");
	outb(IER, 0x0f);		/* Linux, autoconfig() */
	EXPECT(!uart16550_receive(&devices.uart, 'a'), "THRE comes first");
	outb(IER, 0x00);
	for (unsigned int i = 0; i < 7; i++)
		inb(LSR);
	outb(THR, 'o');
	EXPECT(!uart16550_receive(&devices.uart, 'a'), "polls for output");
	for (unsigned int i = 0; i < 8; i++)
		inb(LSR);
	EXPECT(uart16550_receive(&devices.uart, 'a'), "polls for input");
	EXPECT_IN(RBR, 1, 'a');
	outb(IER, 0x00);
	EXPECT(!uart16550_receive(&devices.uart, 'b'), "nobody listens");
	outb(IER, 0x03);
	inb(IIR);
	EXPECT(uart16550_receive(&devices.uart, 'b'), "waits for an interrupt");
	board_down();
}

/* --- debug console, debug exit ---------------------------------------------------------------- */

static void debugcon_prints(void)
{
	board_up();
	EXPECT_IN(0xe9, 1, 0xe9);
	EXPECT_IN(0x402, 1, 0xe9);
	outb(0xe9, 'x');
	outb(0x402, 'y');
	EXPECT_STR(printed, "xy");
	board_down();
}

static void debugexit_stops(void)
{
	board_up();
	expect_stop(outb(0xf4, 0x81), STOP_DEBUG_EXIT, 0x81, "outb");
	expect_stop(out(0xf5, 0x8001, 2), STOP_DEBUG_EXIT, 0x8001, "outw");
	expect_stop(out(0xf7, 0x12345678, 4), STOP_DEBUG_EXIT, 0x12345678, "outl");
	EXPECT_IN(0xf4, 4, 0);
	board_down();
}

/* --- power, reset ----------------------------------------------------------------------------- */

static void acpi_pm_powers_off(void)
{
	board_up();
	expect_stop(out(0x604, 0x2000, 2), STOP_POWER_OFF, 0, "type 0");
	expect_stop(out(0x604, 0x2000 | 5 << 10, 2), STOP_POWER_OFF, 0, "type 5");
	expect_stop(outb(0x605, 0x20 | 5 << 2), STOP_POWER_OFF, 0, "one byte");
	EXPECT(out(0x604, 0x2400, 2) == 0 && board.stop == STOP_NONE, "S3 is not offered");
	EXPECT_IN(0x604, 2, 0x0401);
	expect_stop(out(0xb004, 0x2000, 2), STOP_POWER_OFF, 0, "old");
	for (const char *at = "ShuShutdow"; *at; at++)
		EXPECT(outb(0x8900, (uint8_t)*at) == 0, "%c", *at);
	expect_stop(outb(0x8900, 'n'), STOP_POWER_OFF, 0, "Bochs");
	EXPECT(outb(0x8900, 'n') == 0, "again");
	board_down();
}

static void acpi_pm_has_registers(void)
{
	uint32_t before, after;

	board_up();
	EXPECT_IN(0x604, 2, 0x0001);
	out(0x602, 0x0421, 2);
	EXPECT_IN(0x600, 4, 0x04210000);
	EXPECT_IN(0x603, 4, 0x00000104);
	out(0x600, 0xffff, 2);
	EXPECT_IN(0x600, 2, 0);
	before = in(0x608, 4);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	after = in(0x608, 4);
	EXPECT(before < BIT(24) && after < BIT(24), "%x %x", before, after);
	EXPECT(((after - before) & 0xffffff) >= 71590, "%u ticks in 20 ms", after - before);
	EXPECT(((after - before) & 0xffffff) < 3579545, "%u ticks in 20 ms", after - before);
	EXPECT_IN(0x60b, 4, 0xffffff00);
	board_down();
}

static void resets_reset(void)
{
	board_up();
	EXPECT(outb(0xcf9, 0x02) == 0, "armed");
	EXPECT_IN(0xcf9, 1, 0x02);
	expect_stop(outb(0xcf9, 0x06), STOP_RESET, 0, "0xcf9");
	expect_stop(outb(0x64, 0xfe), STOP_RESET, 0, "keyboard controller");
	outb(0x64, 0xd1);
	EXPECT(outb(0x60, 0x03) == 0, "A20");
	outb(0x64, 0xd1);
	expect_stop(outb(0x60, 0x02), STOP_RESET, 0, "output port");
	EXPECT_IN(0x92, 1, 0x02);
	EXPECT(outb(0x92, 0x02) == 0, "A20");
	expect_stop(outb(0x92, 0x03), STOP_RESET, 0, "port 0x92");
	board_down();
}

static void pci_host_is_empty(void)
{
	board_up();
	out(0xcf8, 0x80000000, 4);
	EXPECT_IN(0xcf8, 4, 0x80000000);
	EXPECT_IN(0xcfc, 4, 0xffffffff);
	EXPECT_IN(0xcfe, 2, 0xffff);
	EXPECT(outb(0xcf8, 0xff) == 0 && out(0xcf8, 0xffff, 2) == 0, "no dwords");
	EXPECT_IN(0xcf8, 4, 0x80000000);
	board_down();
}

static void i8042_has_no_keyboard(void)
{
	board_up();
	EXPECT((inb(0x64) & 0x03) == 0, "ready for a command, nothing to read");
	outb(0x64, 0xaa);
	EXPECT((inb(0x64) & 0x01) == 1, "answered");
	EXPECT_IN(0x60, 1, 0x55);
	EXPECT((inb(0x64) & 0x01) == 0, "taken");
	outb(0x64, 0x60);
	outb(0x60, 0x41);
	outb(0x64, 0x20);
	EXPECT_IN(0x60, 1, 0x41);
	outb(0x60, 0xf2);	/* "who are you?" */
	EXPECT(devices.i8042.level, "interrupt");
	EXPECT((inb(0x64) & 0x41) == 0x41, "timed out");
	EXPECT_IN(0x60, 1, 0xfe);
	EXPECT(!devices.i8042.level, "interrupt");
	outb(0x64, 0xd3);
	outb(0x60, 0x5a);
	EXPECT((inb(0x64) & 0x21) == 0x01, "no mouse");
	board_down();
}

/* --- testdev ---------------------------------------------------------------------------------- */

static void testdev_echoes(void)
{
	uint64_t value = 0x1122334455667788ULL, got = 0;

	board_up();
	out(0xe0, 0x12345678, 4);
	EXPECT_IN(0xe0, 4, 0x12345678);
	EXPECT_IN(0xe1, 1, 0x56);
	outb(0xe3, 0xaa);
	out(0xe1, 0xbbcc, 2);
	EXPECT_IN(0xe8, 4, 0xaabbcc78);
	EXPECT_IN(0xe2, 4, 0x0000aabb);
	EXPECT_IN(0xe9, 1, 0xe9);
	bus_write(&board.mmio, 0xff000008, &value, 8);
	bus_read(&board.mmio, 0xff000008, &got, 8);
	EXPECT(got == value, "0x%llx", (unsigned long long)got);
	got = 0;
	bus_read(&board.mmio, 0xff00000a, &got, 2);
	EXPECT(got == 0x5566, "0x%llx", (unsigned long long)got);
	EXPECT(out(0x2000 + 14, 1, 1) == 0 && out(0x2017, 0, 4) == 0, "interrupt lines");
	board_down();
}

static void testdev_flushes_pages(void)
{
	board_up();
	memset(memory.host + 0x5000, 0x77, 4096);
	EXPECT(out(0xe4, 0x5123, 4) == 0, "%s", error_last()->text);
	EXPECT(memory.host[0x5000] == 0x77 && memory.host[0x5fff] == 0x77, "%x",
	       memory.host[0x5000]);
	memory.host[0x5000] = 1;
	EXPECT(out(0xe4, MEMORY_SIZE, 4) == 0 && out(0xe4, 0xfffff000, 4) == 0, "no memory");
	board_down();
}

/* --- fw_cfg ----------------------------------------------------------------------------------- */

static uint64_t fw_cfg_number(unsigned int key, unsigned int bytes)
{
	uint64_t value = 0;

	out(0x510, key, 2);
	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)inb(0x511) << 8 * i;
	return value;
}

static void fw_cfg_answers(void)
{
	board_up();
	EXPECT(fw_cfg_number(0x00, 4) == 0x554d4551, "QEMU");
	EXPECT(fw_cfg_number(0x01, 4) == 3, "ports and DMA");
	EXPECT(fw_cfg_number(0x05, 8) == 3, "CPUs, and zeroes behind");
	EXPECT(fw_cfg_number(0x4005, 2) == 3, "with the write flag");
	EXPECT(fw_cfg_number(0x0f, 2) == 3, "CPUs at most");
	EXPECT(fw_cfg_number(0x03, 8) == MEMORY_SIZE, "memory");
	EXPECT(fw_cfg_number(0x11, 8) == 0, "no limit");
	EXPECT(fw_cfg_number(0x8003, 8) == 0, "unknown");
	EXPECT_IN(0x514, 4, 0x554d4551);
	EXPECT_IN(0x518, 4, 0x47464320);
	board_down();
}

static void fw_cfg_has_files(void)
{
	static const uint64_t feature_control = 5;
	static const char long_name[] = "123456789 123456789 123456789 123456789 123456789 123456";
	struct fw_cfg_file file;
	char name[] = "opt/0";

	board_up();
	EXPECT(fw_cfg_add(&devices.fw_cfg, "etc/msr_feature_control", &feature_control, 8) == 0,
	       "%s", error_last()->text);
	EXPECT(fw_cfg_add(&devices.fw_cfg, "etc/msr_feature_control", NULL, 0) == -EINVAL, "twice");
	EXPECT(fw_cfg_add(&devices.fw_cfg, long_name, NULL, 0) == -EINVAL, "%s",
	       error_last()->text);
	EXPECT(fw_cfg_number(0x19, 4) == be32toh(1), "one file");
	for (unsigned int i = 0; i < sizeof(file); i++)
		((uint8_t *)&file)[i] = (uint8_t)inb(0x511);
	EXPECT(be32toh(file.size) == 8, "%u", be32toh(file.size));
	EXPECT_STR(file.name, "etc/msr_feature_control");
	EXPECT(fw_cfg_number(be16toh(file.key), 8) == 5, "its contents");
	for (unsigned int i = 1; i < FW_CFG_FILES; i++, name[4]++)
		EXPECT(fw_cfg_add(&devices.fw_cfg, name, name, 1) == 0, "%s", error_last()->text);
	EXPECT(fw_cfg_add(&devices.fw_cfg, "more", NULL, 0) == -ENOSPC, "%s", error_last()->text);
	board_down();
}

/* Runs a request that lies at `at`; gives its control word then. */
static uint32_t fw_cfg_dma(gpa_t at, uint32_t control, uint32_t length, uint64_t address)
{
	const uint32_t head[] = { htobe32(control), htobe32(length) };
	uint8_t *request = memory_at(&memory, at, 16);

	address = htobe64(address);
	memcpy(request, head, sizeof(head));
	memcpy(request + 8, &address, sizeof(address));
	out(0x514, htobe32((uint32_t)(at >> 32)), 4);
	out(0x518, htobe32((uint32_t)at), 4);
	memcpy(&control, request, sizeof(control));
	return be32toh(control);
}

static void fw_cfg_does_dma(void)
{
	board_up();
	memset(memory.host + 0x2000, 0xee, 32);
	EXPECT(fw_cfg_dma(0x1001, 0x0000000a, 3, 0x2001) == 0, "select, read");
	EXPECT(memcmp(memory.host + 0x2000, "\xeeQEM\xee", 5) == 0, "%s", memory.host + 0x2000);
	EXPECT(fw_cfg_dma(0x1000, 0x00000002, 4, 0x2001) == 0, "read on");
	EXPECT(memcmp(memory.host + 0x2000, "\xeeU\0\0\0\xee", 6) == 0, "%s", memory.host + 0x2000);
	EXPECT(fw_cfg_dma(0x1000, 0x0000000c, 1, 0) == 0, "select, skip");
	EXPECT_IN(0x511, 1, 'E');
	EXPECT(fw_cfg_dma(0x1000, 0x00050008, 0, 0) == 0, "select");
	EXPECT_IN(0x511, 1, 3);
	EXPECT(fw_cfg_dma(0x1000, 0x00000018, 4, 0x2000) == 1, "write");
	EXPECT(fw_cfg_dma(MEMORY_SIZE - 16, 0x0000000a, 4, 0x2000) == 0, "request at the end");
	out(0x518, htobe32(MEMORY_SIZE - 15), 4);
	out(0x514, 0xffffffff, 4);
	out(0x518, 0xffffffff, 4);
	board_down();
}

static void fw_cfg_checks_addresses(void)
{
	static const struct {
		uint64_t address;
		uint32_t length;
		uint32_t want;
	} rows[] = {
		{ 0x2000, MEMORY_SIZE - 0x2000, 0 }, { 0x2000, MEMORY_SIZE - 0x1fff, 1 },
		{ MEMORY_SIZE, 1, 1 }, { MEMORY_SIZE - 1, 1, 0 }, { 0, 0xffffffff, 1 },
		{ 0xffffffffffffffff, 1, 1 }, { 0xffffffffffffffff, 0xffffffff, 1 },
		{ 0x100000000, 1, 1 }, { 0xfffff000, 0x2000, 1 }, { MEMORY_SIZE, 0, 0 },
	};

	board_up();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t got = fw_cfg_dma(0x1000, 0x0000000a, rows[i].length, rows[i].address);

		EXPECT(got == rows[i].want, "row %zu: 0x%x", i, got);
	}
	EXPECT(fw_cfg_dma(0x1000, 0x0000000c, 0xffffffff, 0) == 0, "skip far");
	EXPECT(fw_cfg_dma(0x1000, 0x00000004, 0xffffffff, 0) == 0, "skip farther");
	EXPECT_IN(0x511, 1, 0);
	/* a request that reads over itself: the answer comes last */
	EXPECT(fw_cfg_dma(0x1000, 0x0000000a, 16, 0x1000) == 0, "over itself");
	EXPECT(memcmp(memory.host + 0x1000, "\0\0\0\0", 4) == 0, "control");
	board_down();
}

/* --- CMOS ------------------------------------------------------------------------------------- */

static uint32_t cmos_get(unsigned int index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void cmos_put(unsigned int index, uint32_t value)
{
	out(0x70, index | value << 8, 2);
}

static unsigned int from_bcd(uint32_t value)
{
	return (value >> 4) * 10 + (value & 15);
}

static void cmos_tells_the_time(void)
{
	time_t now, clock;
	struct tm tm = { 0 };

	board_up();
	now = time(NULL);
	tm.tm_sec = (int)from_bcd(cmos_get(0));
	tm.tm_min = (int)from_bcd(cmos_get(2));
	tm.tm_hour = (int)from_bcd(cmos_get(4));
	tm.tm_mday = (int)from_bcd(cmos_get(7));
	tm.tm_mon = (int)from_bcd(cmos_get(8)) - 1;
	tm.tm_year = (int)(from_bcd(cmos_get(0x32)) * 100 + from_bcd(cmos_get(9))) - 1900;
	clock = timegm(&tm);
	EXPECT(clock >= now && clock <= now + 60, "%lld, not %lld", (long long)clock,
	       (long long)now);
	EXPECT(cmos_get(6) == (uint32_t)tm.tm_wday + 1, "day of the week");
	EXPECT((cmos_get(0x0a) & 0x7f) == 0x26 && cmos_get(0x0b) == 0x02, "status A, B");
	EXPECT(cmos_get(0x0c) == 0 && cmos_get(0x0d) == 0x80, "status C, D");
	board_down();
}

static void cmos_can_be_set(void)
{
	board_up();
	cmos_put(0x0b, 0x86);		/* set, binary, 24 hours */
	cmos_put(0, 30);
	cmos_put(2, 59);
	cmos_put(4, 22);
	cmos_put(7, 31);
	cmos_put(8, 12);
	cmos_put(9, 99);
	cmos_put(0x32, 19);
	EXPECT(cmos_get(0) == 30 && cmos_get(9) == 99, "held");
	cmos_put(0x0b, 0x06);
	EXPECT(cmos_get(4) == 22 && cmos_get(7) == 31 && cmos_get(9) == 99, "kept");
	EXPECT(cmos_get(6) == 6, "a Friday");
	cmos_put(0x0b, 0x00);		/* BCD, 12 hours */
	EXPECT(cmos_get(4) == 0x90 && cmos_get(7) == 0x31, "10 p.m.");
	cmos_put(4, 0x12);
	cmos_put(0x0b, 0x02);
	EXPECT(cmos_get(4) == 0x00, "12 a.m. is midnight");
	cmos_put(7, 0x32);
	EXPECT(cmos_get(7) == 0x01 && cmos_get(9) == 0x00 && cmos_get(0x32) == 0x20,
	       "carried over");
	cmos_put(1, 0x12);
	EXPECT(cmos_get(1) == 0x12, "the alarm is stored");
	board_down();
}

/* Looks at UIP once at `ns` into a second, where it has to be `want` for half a millisecond on; a
 * busy host gets more chances. */
static void expect_updating(long ns, bool want)
{
	for (unsigned int tries = 0; tries < 20; tries++) {
		struct timespec now, after;
		bool updating;

		clock_gettime(CLOCK_REALTIME, &now);
		now.tv_sec += now.tv_nsec > ns;
		now.tv_nsec = ns;
		clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &now, NULL);
		updating = cmos_get(0x0a) & 0x80;
		clock_gettime(CLOCK_REALTIME, &after);
		if (after.tv_sec == now.tv_sec && after.tv_nsec - ns < 500000) {
			EXPECT(updating == want, "%ld ns into a second", after.tv_nsec);
			return;
		}
	}
}

static void cmos_updates_visibly(void)
{
	board_up();
	expect_updating(998000000, true);
	expect_updating(1000000, false);
	cmos_put(0x0b, 0x82);	/* stopped, to be set */
	expect_updating(998000000, false);
	board_down();
}

static void cmos_knows_the_memory(void)
{
	const struct memory large = { .low = 0xc0000000, .high = 5ULL << 30 };
	const struct board rich = { .memory = &large, .cpus = 64 };
	struct cmos cmos;

	board_up();
	EXPECT(cmos_get(0x15) == 0x80 && cmos_get(0x16) == 0x02, "640 KiB");
	EXPECT(cmos_get(0x17) == 0x00 && cmos_get(0x18) == 0x0c, "3 MiB");
	EXPECT(cmos_get(0x34) == 0 && cmos_get(0x35) == 0, "nothing above 16 MiB");
	EXPECT(cmos_get(0x5f) == 2, "CPUs");
	cmos_put(0x0f, 0x0a);
	EXPECT(cmos_get(0x8f) == 0x0a, "shutdown byte, with NMI masked");
	cmos_attach(&cmos, &rich);
	EXPECT(cmos.cell[0x30] == 0xff && cmos.cell[0x31] == 0xff, "at most");
	EXPECT(cmos.cell[0x34] == 0x00 && cmos.cell[0x35] == 0xbf, "3 GiB less 16 MiB");
	EXPECT(cmos.cell[0x5b] == 0 && cmos.cell[0x5c] == 0x40 && cmos.cell[0x5d] == 1, "5 GiB");
	board_down();
}

/* --- tables ----------------------------------------------------------------------------------- */

static uint32_t u32_at(gpa_t gpa)
{
	uint32_t value = 0;
	const void *at = memory_at(&memory, gpa, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

static bool adds_up(gpa_t gpa, uint32_t size)
{
	const uint8_t *at = memory_at(&memory, gpa, size);
	uint8_t sum = 0;

	for (uint32_t i = 0; at && i < size; i++)
		sum += at[i];
	return at && sum == 0;
}

static void expect_table(gpa_t gpa, const char *signature)
{
	EXPECT(gpa >= BIOS_START && gpa < 0xf0000, "%s at 0x%llx", signature,
	       (unsigned long long)gpa);
	EXPECT(memcmp(memory.host + gpa, signature, 4) == 0, "%s at 0x%llx", signature,
	       (unsigned long long)gpa);
	EXPECT(adds_up(gpa, u32_at(gpa + 4)), "%s", signature);
}

static void acpi_tables_hang_together(void)
{
	gpa_t rsdp, rsdt, xsdt, fadt, madt;

	board_up();
	rsdp = acpi_tables_write(&memory, 3);
	EXPECT(rsdp % 16 == 0 && rsdp >= BIOS_START && rsdp < BIOS_END, "%llx",
	       (unsigned long long)rsdp);
	EXPECT(memcmp(memory.host + rsdp, "RSD PTR ", 8) == 0, "signature");
	EXPECT(adds_up(rsdp, 20) && adds_up(rsdp, 36), "checksums");
	rsdt = u32_at(rsdp + 16);
	xsdt = u32_at(rsdp + 24);
	expect_table(rsdt, "RSDT");
	expect_table(xsdt, "XSDT");
	fadt = u32_at(rsdt + 36);
	madt = u32_at(rsdt + 40);
	EXPECT(u32_at(xsdt + 36) == fadt && u32_at(xsdt + 44) == madt, "both ways");
	expect_table(fadt, "FACP");
	expect_table(madt, "APIC");
	expect_table(u32_at(fadt + 40), "DSDT");
	EXPECT(u32_at(fadt + 36) % 64 == 0, "FACS");
	EXPECT(memcmp(memory.host + u32_at(fadt + 36), "FACS", 4) == 0, "FACS");
	EXPECT(u32_at(fadt + 56) == 0x600 && u32_at(fadt + 64) == 0x604 &&
	       u32_at(fadt + 76) == 0x608, "PM registers");
	EXPECT(u32_at(fadt + 120) == 0xcf9 && memory.host[fadt + 128] == 6, "reset register");
	EXPECT(u32_at(madt + 4) == 44 + 3 * 8 + 12 + 2 * 10 + 6, "MADT of %u", u32_at(madt + 4));
	board_down();
}

static void acpi_tables_have_limits(void)
{
	struct memory small = { .host = NULL, .low = 0x80000 };

	board_up();
	EXPECT(acpi_tables_write(&small, 1) == 0 && !mptable_write(&small, 1), "no BIOS area");
	EXPECT(acpi_tables_write(&memory, ACPI_CPUS + 1) == 0, "too many");
	EXPECT(!mptable_write(&memory, ACPI_CPUS + 1), "too many");
	EXPECT(acpi_tables_write(&memory, ACPI_CPUS) == BIOS_START, "as many as there may be");
	expect_table(u32_at(u32_at(BIOS_START + 16) + 40), "APIC");
	for (gpa_t gpa = 0xf0000; gpa < 0x100000; gpa += 4)
		EXPECT(u32_at(gpa) == 0, "0x%llx is the MP table's", (unsigned long long)gpa);
	board_down();
}

static void mptable_hangs_together(void)
{
	static const uint8_t entry_size[] = { 20, 8, 8, 8, 8 };
	static const unsigned int cpus[] = { 1, 64, ACPI_CPUS };

	board_up();
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		unsigned int seen[5] = { 0 };
		gpa_t table, next;

		EXPECT(mptable_write(&memory, cpus[i]), "written");
		EXPECT(memcmp(memory.host + 0xf0000, "_MP_", 4) == 0 && adds_up(0xf0000, 16),
		       "pointer");
		table = u32_at(0xf0004);
		EXPECT(memcmp(memory.host + table, "PCMP", 4) == 0, "table");
		EXPECT(adds_up(table, u32_at(table + 4) & 0xffff), "checksum");
		next = table + 44;
		for (unsigned int n = u32_at(table + 32) >> 16; n; n--) {
			unsigned int type = memory.host[next] % 5;

			seen[type]++;
			next += entry_size[type];
		}
		EXPECT(next == table + (u32_at(table + 4) & 0xffff), "entries and length");
		EXPECT(seen[0] == cpus[i], "%u CPUs", seen[0]);
		EXPECT(seen[1] == 1 && seen[2] == 1 && seen[3] == 15 && seen[4] == 2, "the rest");
	}
	board_down();
}

/* --- console ---------------------------------------------------------------------------------- */

static const volatile bool never_stop;
static struct console console;

/* What main does once poll() returns. */
static int console_turn(void)
{
	struct pollfd fds[CONSOLE_POLLFDS];
	nfds_t count = console_poll(&console, fds);
	int r;

	poll(fds, count, 0);
	r = console_input(&console, fds, count);
	console_feed(&console);
	return r;
}

/* 10000 bytes through a pipe, a ring and a FIFO, none lost. */
static void console_keeps_everything(void)
{
	unsigned int written = 0, got = 0, turns = 0;
	int fds[2];

	board_up();
	EXPECT(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0, "pipe");
	EXPECT(console_init(&console, fds[0], 1, &never_stop) == 0, "%s", error_last()->text);
	console_connect(&console, &devices.uart);
	outb(FCR, 0x01);
	outb(IER, 0x01);
	while (got < 10000 && turns++ < 100000) {
		uint8_t byte = (uint8_t)written;

		while (written < 10000 && write(fds[1], &byte, 1) == 1)
			byte = (uint8_t)++written;
		console_turn();
		while (turns > 40 && inb(LSR) & 1) {
			uint32_t value = inb(RBR);

			EXPECT(value == (got & 0xff), "byte %u is %u", got, value);
			got++;
		}
	}
	EXPECT(got == 10000, "%u", got);
	close(fds[1]);
	console_turn();
	EXPECT(console.ended && console_turn() == 0, "the end just ends the input");
	console_destroy(&console);
	close(fds[0]);
	board_down();
}

static void console_wakes_the_reader(void)
{
	struct pollfd fds[CONSOLE_POLLFDS];
	int pipes[2];

	board_up();
	EXPECT(pipe2(pipes, O_NONBLOCK | O_CLOEXEC) == 0, "pipe");
	console_init(&console, pipes[0], 1, &never_stop);
	console_connect(&console, &devices.uart);
	for (unsigned int i = 0; i < CONSOLE_RING + 100; i++)
		EXPECT(write(pipes[1], "x", 1) == 1, "%u", i);
	for (unsigned int i = 0; i < CONSOLE_RING / 256; i++)
		console_turn();
	EXPECT(console_poll(&console, fds) == 1, "full: stdin is left alone");
	EXPECT(poll(fds, 1, 0) == 0, "no news");
	outb(IER, 0x01);
	EXPECT(inb(RBR) == 'x' && inb(RBR) == 'x', "the guest reads");
	EXPECT(poll(fds, 1, 0) == 1, "there is room");
	EXPECT(console_input(&console, fds, 1) == 0 && poll(fds, 1, 0) == 0, "heard");
	EXPECT(console_poll(&console, fds) == 2, "goes on");
	console_destroy(&console);
	close(pipes[0]);
	close(pipes[1]);
	board_down();
}

static unsigned int terminal_flags(int fd)
{
	struct termios mode;

	return tcgetattr(fd, &mode) == 0 ? mode.c_lflag & (ICANON | ECHO | ISIG) : 0;
}

static void console_takes_the_keys(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	unsigned int before;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return; /* a sandbox without terminals */
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	before = terminal_flags(slave);
	board_up();
	EXPECT(console_init(&console, slave, slave, &never_stop) == 0, "%s", error_last()->text);
	console_connect(&console, &devices.uart);
	EXPECT(before && terminal_flags(slave) == 0, "raw");
	outb(FCR, 0x01);
	outb(IER, 0x01);
	EXPECT(write(master, "a\x03\r\x01\x01\x01q\x01", 8) == 8, "keys");
	EXPECT(console_turn() == 0, "no end");
	EXPECT(inb(RBR) == 'a' && inb(RBR) == 3 && inb(RBR) == '\r' && inb(RBR) == 1,
	       "as they are");
	EXPECT(!(inb(LSR) & 1), "Ctrl-A q is nothing");
	EXPECT(write(master, "x", 1) == 1 && console_turn() == -ECANCELED, "Ctrl-A x");
	EXPECT(sink_write(&console.out, "hi", 2) == 0, "%s", error_last()->text);
	console_destroy(&console);
	EXPECT(terminal_flags(slave) == before, "restored");
	close(slave);
	close(master);
	board_down();
}

static void console_tells_when_output_fails(void)
{
	int full = open("/dev/full", O_WRONLY);

	if (full < 0)
		return;
	console_init(&console, -1, full, &never_stop);
	EXPECT(sink_write(&console.out, "x", 1) == -ENOSPC, "%s", error_last()->text);
	EXPECT_HAS(error_last()->text, "No space left");
	EXPECT(console_turn() == 0, "a closed stdin");
	console_destroy(&console);
	close(full);
}

static void console_stops_waiting_for_a_reader(void)
{
	static const volatile bool stopped = true;
	int pipes[2], r = 0;
	unsigned int bytes = 0;

	EXPECT(pipe2(pipes, O_CLOEXEC) == 0, "pipe");
	console_init(&console, -1, pipes[1], &stopped);
	while (r == 0 && bytes++ < 10000000)
		r = sink_write(&console.out, "x", 1);
	EXPECT(r == -ECANCELED, "%d after %u bytes", r, bytes);
	console_destroy(&console);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- BIOS ------------------------------------------------------------------------------------- */

static struct bios_call bios_int(uint8_t vector, uint16_t ax, uint16_t bx, uint16_t cx, uint16_t dx)
{
	struct bios_call call = { .vector = vector, .a.e = ax, .b.e = bx, .c.e = cx, .d.e = dx };
	int r = bios_serve(&devices.bios, &call);

	EXPECT(r == 0, "int 0x%02x, AX 0x%04x: %d", vector, ax, r);
	return call;
}

/* What is written at the cursor and then again by teletype is printed once; moves are told. */
static void bios_prints(void)
{
	struct bios_call call;

	board_up();
	bios_int(0x10, 0x0003, 0, 0, 0);
	bios_int(0x10, 0x0941, 0x07, 1, 0);
	bios_int(0x10, 0x0e41, 0, 0, 0);
	bios_int(0x10, 0x0942, 0x07, 1, 0);
	bios_int(0x10, 0x0200, 0, 0, 2);
	EXPECT_STR(printed, "AB");
	bios_int(0x10, 0x0200, 0, 0, 0x0403);
	bios_int(0x10, 0x0e43, 0, 0, 0);
	call = bios_int(0x10, 0x0300, 0, 0, 0);
	EXPECT(call.d.x == 0x0404, "0x%04x", call.d.x);
	bios_int(0x10, 0x0003, 0, 0, 0);
	EXPECT_STR(printed, "AB\033[5;4HC\033[1;1H\033[2J");
	board_down();
}

/* Addresses that are no memory are refused, and memory is moved within it only. */
static void bios_checks_addresses(void)
{
	struct bios_call call = { .vector = 0x15, .a.e = 0xe820, .c.e = 20, .d.e = 0x534d4150,
				  .es = 0x1000 };
	uint8_t *gdt;

	board_up();
	EXPECT(bios_serve(&devices.bios, &call) == 0 && !(call.flags & 1), "0x%x", call.flags);
	EXPECT(call.b.e == 1 && call.a.e == 0x534d4150, "0x%x", call.b.e);
	memory.low = 0x10010; /* the same address again, which now is none */
	EXPECT(bios_serve(&devices.bios, &call) == 0, "it goes on");
	EXPECT(call.flags & 1 && call.a.h == 0x86, "0x%x", call.a.e);
	memory.low = MEMORY_SIZE;
	gdt = memory_at(&memory, 0x10000, 48);
	memset(gdt, 0, 48);
	gdt[0x14] = 1;				/* from 0x10000 */
	gdt[0x1c] = 0x3f, gdt[0x1b] = 0xff;	/* to 256 bytes below the end */
	for (int more = 0; more < 2; more++) {
		call = (struct bios_call){ .vector = 0x15, .a.e = 0x8700, .es = 0x1000,
					   .c.e = (uint32_t)(128 + more) };
		EXPECT(bios_serve(&devices.bios, &call) == 0, "it goes on");
		EXPECT((call.flags & 1) == more, "%d more: 0x%x", more, call.flags);
	}
	EXPECT(memcmp(memory_at(&memory, 0x3fff00, 48), gdt, 48) == 0, "moved");
	board_down();
}

/* Whatever the registers say, in a guest with little memory, too. */
static void bios_survives_noise(void)
{
	uint32_t seed = 1;

	board_up();
	for (unsigned int i = 0; i < 400000; i++) {
		uint32_t random[8];
		struct bios_call call;

		for (unsigned int k = 0; k < 8; k++)
			random[k] = (seed = seed * 1664525 + 1013904223) >> 3;
		memory.low = i % 2 ? MEMORY_SIZE : 0x440;
		call = (struct bios_call){
			.vector = (uint8_t)(i / 256 % 32), .a.e = (i % 256) << 8 | random[0] % 256,
			.b.e = random[1], .c.e = random[2] % 4096, .d.e = random[3],
			.si = (uint16_t)random[4], .di = (uint16_t)random[5],
			.bp = (uint16_t)random[6], .es = (uint16_t)random[7],
		};
		bios_serve(&devices.bios, &call);
	}
	memory.low = MEMORY_SIZE;
	board_down();
}

const struct unit_test devices_tests[] = {
	{ "bios: prints", bios_prints },
	{ "bios: checks addresses", bios_checks_addresses },
	{ "bios: survives noise", bios_survives_noise },
	{ "board: overlaps are refused, nobody's ports read as ones", board_refuses_overlaps },
	{ "board: the first reason to stop counts", board_first_stop_counts },
	{ "board: every port and size survives noise", board_survives_noise },
	{ "uart: is found to be a 16550A", uart_is_found },
	{ "uart: prints", uart_prints },
	{ "uart: interrupts when it is empty", uart_tells_that_it_is_empty },
	{ "uart: receives by FIFO, trigger level and timeout", uart_receives },
	{ "uart: holds one byte without FIFOs", uart_without_fifos_holds_one },
	{ "uart: loops back", uart_loops_back },
	{ "uart: input waits for a listener", uart_waits_for_a_listener },
	{ "debugcon: prints, and says that it is there", debugcon_prints },
	{ "debugexit: stops with its value, by all sizes", debugexit_stops },
	{ "acpi_pm: powers off in all known ways", acpi_pm_powers_off },
	{ "acpi_pm: registers and timer", acpi_pm_has_registers },
	{ "reset: all known ways", resets_reset },
	{ "pci_host: no devices", pci_host_is_empty },
	{ "i8042: answers without a keyboard", i8042_has_no_keyboard },
	{ "testdev: echoes by byte lanes", testdev_echoes },
	{ "testdev: flushes pages and keeps them", testdev_flushes_pages },
	{ "fw_cfg: items", fw_cfg_answers },
	{ "fw_cfg: files", fw_cfg_has_files },
	{ "fw_cfg: DMA", fw_cfg_does_dma },
	{ "fw_cfg: DMA to hostile addresses", fw_cfg_checks_addresses },
	{ "cmos: tells the time", cmos_tells_the_time },
	{ "cmos: can be set", cmos_can_be_set },
	{ "cmos: the update can be seen", cmos_updates_visibly },
	{ "cmos: memory and CPUs", cmos_knows_the_memory },
	{ "acpi: tables hang together", acpi_tables_hang_together },
	{ "acpi: tables have limits", acpi_tables_have_limits },
	{ "mptable: hangs together", mptable_hangs_together },
	{ "console: piped input arrives complete", console_keeps_everything },
	{ "console: a full ring wakes the reader", console_wakes_the_reader },
	{ "console: keys of a terminal", console_takes_the_keys },
	{ "console: lost output is an error", console_tells_when_output_fails },
	{ "console: a reader who stalls is not waited for at the end",
	  console_stops_waiting_for_a_reader },
	{ 0 }
};
