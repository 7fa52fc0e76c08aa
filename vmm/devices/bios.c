// SPDX-License-Identifier: MIT
// A small BIOS.
#include "bios.h"

#include "x86.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BDA(offset)	(BDA_SEGMENT * 16ULL + (offset))
#define SMAP		0x534d4150	/* "SMAP" */
#define COLUMNS		80
#define ROWS		25
#define ATTRIBUTE	0x07		/* grey on black */
#define EXTENDED	0x100000ULL	/* memory above it is "extended" */

enum {
	/* offsets in the data area */
	BDA_COM1 = 0x00, BDA_EBDA = 0x0e, BDA_EQUIPMENT = 0x10, BDA_BASE_KIB = 0x13,
	BDA_MODE = 0x49, BDA_COLUMNS = 0x4a,
	BDA_CURSOR_COLUMN = 0x50, BDA_CURSOR_ROW = 0x51, BDA_CRTC = 0x63, BDA_LAST_ROW = 0x84,

	MODE_TEXT = 0x03,
	EQUIPMENT = 0x0222,	/* FPU, 80x25 in colour, one serial port */

	ERROR_FUNCTION = 0x86, ERROR_NO_DISK = 0x01, ERROR_NO_PCI = 0x81, ERROR_APM = 0x09,

	UART_LSR = 5, UART_LSR_READY = BIT(0), UART_LCR_DLAB = BIT(7),

	/* MC146818's time, in BCD as a BIOS leaves it */
	RTC_SECONDS = 0x00, RTC_MINUTES = 0x02, RTC_HOURS = 0x04, RTC_DAY = 0x07, RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
};

/* Scan codes of a US keyboard: keys by their code, without and with Shift. */
static const char keys[] = "\0\x1b" "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./";
static const char keys_shift[] = "\0\x1b!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";

/* --- a service's ways to return --------------------------------------------------------------- */

#define UNKNOWN 1

static int done(struct bios_call *call)
{
	call->flags &= (uint16_t)~RFLAGS_CF;
	return 0;
}

static int refuse(struct bios_call *call, uint8_t error)
{
	call->flags |= RFLAGS_CF;
	call->a.h = error;
	return 0;
}

/* A byte of the data area; a guest may have written anything there. */
static uint8_t *bda(const struct bios *bios, unsigned int offset)
{
	static uint8_t nowhere;
	uint8_t *at = memory_at(bios->board->memory, BDA(offset), 1);

	return at ? at : &nowhere;
}

static uint32_t bda_read(const struct bios *bios, unsigned int offset, size_t size)
{
	const void *at = memory_at(bios->board->memory, BDA(offset), size);
	uint32_t value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

static void bda_put(const struct memory *memory, unsigned int offset, uint32_t value, size_t size)
{
	void *at = memory_at(memory, BDA(offset), size);

	if (at)
		memcpy(at, &value, size);
}

/* --- int 10h: the screen ---------------------------------------------------------------------- */

static int print(struct bios *bios, const void *bytes, size_t size)
{
	bios->printed = true;
	return bios->output.write(bios->output.sink, bytes, size);
}

/* The terminal's cursor to the data area's. */
static int cursor_show(struct bios *bios)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "\033[%u;%uH", *bda(bios, BDA_CURSOR_ROW) + 1U,
			    *bda(bios, BDA_CURSOR_COLUMN) + 1U);

	return print(bios, text, (size_t)size);
}

static int cursor_move(struct bios *bios, uint8_t row, uint8_t column)
{
	uint8_t *at_row = bda(bios, BDA_CURSOR_ROW), *at_column = bda(bios, BDA_CURSOR_COLUMN);
	bool there;
	int r = 0;

	if (bios->has_cell) {
		if (row == *at_row && column == *at_column)
			return 0;
		r = print(bios, &bios->cell, 1);
		++*at_column;
		bios->has_cell = false;
	}
	there = row == *at_row && column == *at_column;
	*at_row = row;
	*at_column = column;
	return r < 0 || there ? r : cursor_show(bios);
}

static int character_print(struct bios *bios, uint8_t character)
{
	uint8_t *row = bda(bios, BDA_CURSOR_ROW), *column = bda(bios, BDA_CURSOR_COLUMN);

	bios->has_cell = false; /* it is written over */
	if (character == '\r')
		*column = 0;
	else if (character == '\b')
		*column -= *column > 0;
	else if (character != '\n' && character != '\a')
		++*column;
	if (character == '\n' || *column >= COLUMNS)
		*row += *row < ROWS - 1;
	if (*column >= COLUMNS)
		*column = 0; /* a line's end is the terminal's matter */
	return print(bios, &character, 1);
}

static int screen_clear(struct bios *bios)
{
	static const char clear[] = "\033[2J";

	return bios->printed ? print(bios, clear, sizeof(clear) - 1) : 0;
}

static int video_mode_set(struct bios *bios, struct bios_call *call)
{
	int r;

	*bda(bios, BDA_MODE) = call->a.l & 0x7f;
	bios->has_cell = false;
	r = cursor_move(bios, 0, 0);
	return r < 0 || call->a.l & 0x80 ? r : screen_clear(bios);
}

static int video_cursor_set(struct bios *bios, struct bios_call *call)
{
	return cursor_move(bios, call->d.h, call->d.l);
}

static int video_cursor_get(struct bios *bios, struct bios_call *call)
{
	call->c.x = 0x0607; /* its shape */
	call->d.h = *bda(bios, BDA_CURSOR_ROW);
	call->d.l = *bda(bios, BDA_CURSOR_COLUMN);
	return 0;
}

static int video_scroll(struct bios *bios, struct bios_call *call)
{
	bool whole = call->c.x == 0 && call->d.h >= ROWS - 1 && call->d.l >= COLUMNS - 1;

	return whole && (call->a.l == 0 || call->a.l >= ROWS) ? screen_clear(bios) : 0;
}

static int video_character_get(struct bios *bios, struct bios_call *call)
{
	call->a.l = bios->has_cell ? bios->cell : ' ';
	call->a.h = ATTRIBUTE;
	return 0;
}

/* The cursor stays. One character waits: most callers print it again, or move the cursor on. */
static int video_character_put(struct bios *bios, struct bios_call *call)
{
	unsigned int count = call->c.x < COLUMNS * ROWS ? call->c.x : COLUMNS * ROWS;
	int r = 0;

	bios->cell = call->a.l;
	bios->has_cell = count == 1;
	if (count < 2)
		return 0;
	for (unsigned int i = 0; r == 0 && i < count; i++)
		r = print(bios, &bios->cell, 1);
	return r < 0 ? r : cursor_show(bios);
}

static int video_teletype(struct bios *bios, struct bios_call *call)
{
	return character_print(bios, call->a.l);
}

static int video_mode_get(struct bios *bios, struct bios_call *call)
{
	call->a.l = *bda(bios, BDA_MODE);
	call->a.h = COLUMNS;
	call->b.h = 0;
	return 0;
}

static int video_string(struct bios *bios, struct bios_call *call)
{
	unsigned int step = call->a.l & 2 ? 2 : 1; /* attributes in between */
	uint8_t row = *bda(bios, BDA_CURSOR_ROW), column = *bda(bios, BDA_CURSOR_COLUMN);
	int r = cursor_move(bios, call->d.h, call->d.l);

	for (unsigned int i = 0; r == 0 && i < call->c.x; i++) {
		const uint8_t *from = memory_at(bios->board->memory, call->es * 16ULL +
						(uint16_t)(call->bp + i * step), 1);

		r = character_print(bios, from ? *from : ' ');
	}
	return r < 0 || call->a.l & 1 ? r : cursor_move(bios, row, column);
}

static int nothing(struct bios *bios, struct bios_call *call)
{
	(void)bios, (void)call;
	return 0;
}

/* --- int 11h, 12h, 15h: the machine ----------------------------------------------------------- */

static int equipment(struct bios *bios, struct bios_call *call)
{
	call->a.x = (uint16_t)bda_read(bios, BDA_EQUIPMENT, 2);
	return 0;
}

/* As the data area has it: whoever takes memory away for good changes it there. */
static int base_memory(struct bios *bios, struct bios_call *call)
{
	call->a.x = (uint16_t)bda_read(bios, BDA_BASE_KIB, 2);
	return 0;
}

/* It is always on. */
static int a20(struct bios *bios, struct bios_call *call)
{
	(void)bios;
	if (call->a.l == 0 || call->a.l > 3)
		return refuse(call, ERROR_FUNCTION);
	if (call->a.l == 3)
		call->b.x = 3; /* by the keyboard controller, and by port 0x92 */
	call->a.x = call->a.l == 2;
	return done(call);
}

/* APM 1.2, as far as to switch off. */
static int apm(struct bios *bios, struct bios_call *call)
{
	switch (call->a.l) {
	case 0x00: /* installation check */
		call->b.x = 'P' << 8 | 'M';
		call->c.x = 0;
		call->a.x = 0x0102;
		return done(call);
	case 0x0e: /* version */
		call->a.x = 0x0102;
		return done(call);
	case 0x01: /* connect, disconnect */
	case 0x04:
		return done(call);
	case 0x07: /* the state of all devices: off */
		if (call->b.x == 1 && call->c.x == 3)
			return board_stop(bios->board, STOP_POWER_OFF, 0);
		return refuse(call, ERROR_APM);
	default:
		return UNKNOWN;
	}
}

/* Descriptors 2 and 3 at ES:SI say from where and to where; CX words. */
static int block_move(struct bios *bios, struct bios_call *call)
{
	const struct memory *memory = bios->board->memory;
	const uint8_t *gdt = memory_at(memory, call->es * 16ULL + call->si, 32);
	size_t size = call->c.x * 2U;
	const void *from;
	void *to;

	if (!gdt || call->c.x > 0x8000)
		return refuse(call, 0x02);
	from = memory_at(memory, gdt[0x12] | gdt[0x13] << 8 | gdt[0x14] << 16 |
				 (gpa_t)gdt[0x17] << 24, size);
	to = memory_at(memory, gdt[0x1a] | gdt[0x1b] << 8 | gdt[0x1c] << 16 |
			       (gpa_t)gdt[0x1f] << 24, size);
	if (!from || !to)
		return refuse(call, 0x02);
	memmove(to, from, size);
	call->a.h = 0;
	return done(call);
}

static uint64_t extended_memory(const struct bios *bios)
{
	uint64_t low = bios->board->memory->low;

	return low > EXTENDED ? low - EXTENDED : 0;
}

static int extended_memory_old(struct bios *bios, struct bios_call *call)
{
	uint64_t kib = extended_memory(bios) >> 10;

	call->a.x = kib < UINT16_MAX ? (uint16_t)kib : UINT16_MAX;
	return done(call);
}

static int configuration(struct bios *bios, struct bios_call *call)
{
	extern const uint8_t bios_rom[], bios_rom_configuration[];

	(void)bios;
	call->es = BIOS_ROM_SEGMENT;
	call->b.x = (uint16_t)(BIOS_ROM_OFFSET + (bios_rom_configuration - bios_rom));
	call->a.h = 0;
	return done(call);
}

static int ebda(struct bios *bios, struct bios_call *call)
{
	(void)bios;
	call->es = EBDA_START >> 4;
	return done(call);
}

static int memory_sizes(struct bios *bios, struct bios_call *call)
{
	uint64_t size = extended_memory(bios), below = (16 << 20) - EXTENDED;

	if (below > size)
		below = size;
	call->a.x = call->c.x = (uint16_t)(below >> 10);	/* KiB up to 16 MiB */
	call->b.x = call->d.x = (uint16_t)((size - below) >> 16); /* and 64 KiB from there */
	return done(call);
}

static int memory_map_next(struct bios *bios, struct bios_call *call)
{
	struct memmap_entry map[MEMMAP_ENTRIES];
	size_t count = memory_map(bios->board->memory, map);
	struct { uint64_t start, size; uint32_t type; } __attribute__((packed)) entry;
	void *to = memory_at(bios->board->memory, call->es * 16ULL + call->di, sizeof(entry));

	if (call->d.e != SMAP || call->c.e < sizeof(entry) || call->b.e >= count || !to)
		return refuse(call, ERROR_FUNCTION);
	entry.start = map[call->b.e].gpa;
	entry.size = map[call->b.e].size;
	entry.type = map[call->b.e].type;
	memcpy(to, &entry, sizeof(entry));
	call->a.e = SMAP;
	call->c.e = sizeof(entry);
	call->b.e = call->b.e + 1 < count ? call->b.e + 1 : 0;
	return done(call);
}

static int memory_ask(struct bios *bios, struct bios_call *call)
{
	if (call->a.l == 0x20)
		return memory_map_next(bios, call);
	return call->a.l == 0x01 ? memory_sizes(bios, call) : UNKNOWN;
}

/* --- int 13h: disks --------------------------------------------------------------------------- */

static int disk(struct bios *bios, struct bios_call *call)
{
	(void)bios;
	return refuse(call, ERROR_NO_DISK);
}

/* --- int 16h: the keyboard -------------------------------------------------------------------- */

/* Polls COM1 as any driver would, unless the guest has its divisor latch open. */
static int key_fetch(struct bios *bios)
{
	uint8_t status = 0;
	int r;

	if (bios->has_key || bios->uart->lcr & UART_LCR_DLAB)
		return 0;
	r = uart16550_read(bios->uart, COM1_PORT + UART_LSR, &status, 1);
	if (r < 0 || !(status & UART_LSR_READY))
		return r;
	bios->has_key = true;
	r = uart16550_read(bios->uart, COM1_PORT, &bios->key, 1);
	if (bios->key == 0x7f) /* terminals' Backspace */
		bios->key = '\b';
	if (bios->key == '\n')
		bios->key = '\r';
	return r;
}

/* AL = the character, AH = the key that has it, 0 = none. */
static void key_give(const struct bios *bios, struct bios_call *call)
{
	call->a.x = bios->key;
	for (size_t i = 1; i < sizeof(keys) - 1 && bios->key; i++)
		if ((uint8_t)keys[i] == bios->key || (uint8_t)keys_shift[i] == bios->key)
			call->a.h = (uint8_t)i;
	if (bios->key == ' ')
		call->a.h = 0x39;
}

static int key_take(struct bios *bios, struct bios_call *call)
{
	int r = key_fetch(bios);

	call->waits = !bios->has_key;
	if (bios->has_key)
		key_give(bios, call);
	bios->has_key = false;
	return r;
}

static int key_look(struct bios *bios, struct bios_call *call)
{
	int r = key_fetch(bios);

	call->flags |= RFLAGS_ZF;
	if (bios->has_key) {
		call->flags &= (uint16_t)~RFLAGS_ZF;
		key_give(bios, call);
	}
	return r;
}

static int key_shifts(struct bios *bios, struct bios_call *call)
{
	(void)bios;
	call->a.l = 0;
	return 0;
}

/* --- int 1Ah: the time ------------------------------------------------------------------------ */

static int ticks_get(struct bios *bios, struct bios_call *call)
{
	uint32_t ticks = bda_read(bios, BDA_TICKS, 4);
	uint8_t *midnight = bda(bios, BDA_TICKS_MIDNIGHT);

	call->c.x = (uint16_t)(ticks >> 16);
	call->d.x = (uint16_t)ticks;
	call->a.x = *midnight;
	*midnight = 0;
	return done(call);
}

static int ticks_set(struct bios *bios, struct bios_call *call)
{
	bda_put(bios->board->memory, BDA_TICKS, (uint32_t)call->c.x << 16 | call->d.x, 4);
	return done(call);
}

static uint8_t rtc(const struct bios *bios, uint8_t cell)
{
	uint8_t value = 0;

	cmos_write(bios->cmos, CMOS_PORT, &cell, 1);
	cmos_read(bios->cmos, CMOS_PORT + 1, &value, 1);
	return value;
}

static int rtc_time(struct bios *bios, struct bios_call *call)
{
	call->c.h = rtc(bios, RTC_HOURS);
	call->c.l = rtc(bios, RTC_MINUTES);
	call->d.h = rtc(bios, RTC_SECONDS);
	call->d.l = 0;
	return done(call);
}

static int rtc_date(struct bios *bios, struct bios_call *call)
{
	call->c.h = rtc(bios, CMOS_CENTURY);
	call->c.l = rtc(bios, RTC_YEAR);
	call->d.h = rtc(bios, RTC_MONTH);
	call->d.l = rtc(bios, RTC_DAY);
	return done(call);
}

static int no_pci(struct bios *bios, struct bios_call *call)
{
	(void)bios;
	return refuse(call, ERROR_NO_PCI);
}

/* --- calls ------------------------------------------------------------------------------------ */

#define ANY -1

static const struct service {
	uint8_t vector;
	int function;	/* AH */
	int (*serve)(struct bios *bios, struct bios_call *call);
} services[] = {
	{ 0x10, 0x00, video_mode_set },
	{ 0x10, 0x01, nothing },	/* the cursor's shape */
	{ 0x10, 0x02, video_cursor_set },
	{ 0x10, 0x03, video_cursor_get },
	{ 0x10, 0x05, nothing },	/* the page */
	{ 0x10, 0x06, video_scroll },
	{ 0x10, 0x07, video_scroll },
	{ 0x10, 0x08, video_character_get },
	{ 0x10, 0x09, video_character_put },
	{ 0x10, 0x0a, video_character_put },
	{ 0x10, 0x0b, nothing },	/* colours */
	{ 0x10, 0x0e, video_teletype },
	{ 0x10, 0x0f, video_mode_get },
	{ 0x10, 0x10, nothing },	/* the palette */
	{ 0x10, 0x13, video_string },
	{ 0x11, ANY, equipment },
	{ 0x12, ANY, base_memory },
	{ 0x13, ANY, disk },
	{ 0x15, 0x24, a20 },
	{ 0x15, 0x53, apm },
	{ 0x15, 0x87, block_move },
	{ 0x15, 0x88, extended_memory_old },
	{ 0x15, 0xc0, configuration },
	{ 0x15, 0xc1, ebda },
	{ 0x15, 0xe8, memory_ask },
	{ 0x16, 0x00, key_take },
	{ 0x16, 0x01, key_look },
	{ 0x16, 0x02, key_shifts },
	{ 0x16, 0x03, nothing },	/* how fast keys repeat */
	{ 0x16, 0x10, key_take },
	{ 0x16, 0x11, key_look },
	{ 0x1a, 0x00, ticks_get },
	{ 0x1a, 0x01, ticks_set },
	{ 0x1a, 0x02, rtc_time },
	{ 0x1a, 0x04, rtc_date },
	{ 0x1a, 0xb1, no_pci },
};

int bios_serve(struct bios *bios, struct bios_call *call)
{
	int r = UNKNOWN;

	for (size_t i = 0; r == UNKNOWN && i < ARRAY_SIZE(services); i++)
		if (services[i].vector == call->vector &&
		    (services[i].function == ANY || services[i].function == call->a.h))
			r = services[i].serve(bios, call);
	if (r != UNKNOWN)
		return r;
	if (bios->unknown)
		bios->unknown(bios->unknown_for, call);
	/* these have a way to say no; the others leave registers alone */
	if (call->vector == 0x15)
		return refuse(call, ERROR_FUNCTION);
	if (call->vector == 0x1a)
		call->flags |= RFLAGS_CF;
	return 0;
}

static void low_set(__u64 *reg, uint16_t value)
{
	memcpy(reg, &value, sizeof(value));
}

/* A word of what the stub's IRET takes: IP, CS, FLAGS. */
enum frame { FRAME_IP = 0, FRAME_CS = 2, FRAME_FLAGS = 4 };

static void *frame_at(const struct bios *bios, const struct kvm_regs *regs,
		      const struct kvm_sregs *sregs, enum frame word)
{
	return memory_at(bios->board->memory, sregs->ss.base + (uint16_t)(regs->rsp + word), 2);
}

static uint16_t frame_read(const struct bios *bios, const struct kvm_regs *regs,
			   const struct kvm_sregs *sregs, enum frame word)
{
	const void *at = frame_at(bios, regs, sregs, word);
	uint16_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

static int es_set(const struct vcpu *vcpu, struct kvm_sregs *sregs, uint16_t es)
{
	if (es == sregs->es.selector)
		return 0;
	sregs->es.selector = es;
	sregs->es.base = es * 16U;
	return vcpu_sregs_set(vcpu, sregs);
}

static int call_run(struct bios *bios, uint8_t vector, struct kvm_regs *regs,
		    struct kvm_sregs *sregs)
{
	extern const uint8_t bios_rom[], bios_rom_key_wait[];
	void *flags = frame_at(bios, regs, sregs, FRAME_FLAGS);
	struct bios_call call = {
		.vector = vector,
		.a.e = (uint32_t)regs->rax, .b.e = (uint32_t)regs->rbx,
		.c.e = (uint32_t)regs->rcx, .d.e = (uint32_t)regs->rdx,
		.si = (uint16_t)regs->rsi, .di = (uint16_t)regs->rdi, .bp = (uint16_t)regs->rbp,
		.es = sregs->es.selector,
		.flags = frame_read(bios, regs, sregs, FRAME_FLAGS),
		.cs = frame_read(bios, regs, sregs, FRAME_CS),
		.ip = frame_read(bios, regs, sregs, FRAME_IP),
	};
	int r;

	r = bios_serve(bios, &call);
	if (flags)
		memcpy(flags, &call.flags, sizeof(call.flags));
	regs->rax = call.a.e;
	regs->rbx = call.b.e;
	regs->rcx = call.c.e;
	regs->rdx = call.d.e;
	low_set(&regs->rsi, call.si);
	low_set(&regs->rdi, call.di);
	if (call.waits)
		regs->rip = BIOS_ROM_OFFSET + (uint64_t)(bios_rom_key_wait - bios_rom);
	if (r == 0)
		r = es_set(bios->board->caller, sregs, call.es);
	return r < 0 ? r : vcpu_regs_set(bios->board->caller, regs);
}

/* From anywhere but the stubs, the port is nobody's. RIP may be the OUT's, or behind it. */
int bios_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct bios *bios = device;
	const struct vcpu *vcpu = bios->board->caller;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	int r;

	(void)address, (void)data, (void)size;
	if (!vcpu)
		return BUS_UNCLAIMED;
	r = vcpu_regs_get(vcpu, &regs);
	if (r == 0)
		r = vcpu_sregs_get(vcpu, &sregs);
	if (r < 0)
		return r;
	if (sregs.cr0 & CR0_PE || sregs.cs.base != BIOS_ROM_SEGMENT * 16 ||
	    regs.rip < BIOS_ROM_OFFSET || regs.rip >= BIOS_ROM_OFFSET + 256 * BIOS_STUB_SIZE)
		return BUS_UNCLAIMED;
	return call_run(bios, (uint8_t)((regs.rip - BIOS_ROM_OFFSET) / BIOS_STUB_SIZE), &regs,
			&sregs);
}

/* --- attach ----------------------------------------------------------------------------------- */

void bios_attach(struct bios *bios, struct board *board, struct output output,
		 struct uart16550 *uart, struct cmos *cmos)
{
	*bios = (struct bios){ .board = board, .output = output, .uart = uart, .cmos = cmos };
}

static void vectors_write(uint16_t *table)
{
	extern const uint8_t bios_rom[], bios_rom_tick[], bios_rom_irq[], bios_rom_irq_slave[],
		bios_rom_return[], bios_rom_dead_end[], bios_rom_reset[];
	const struct { uint8_t first, last; const uint8_t *code; } own[] = {
		{ VECTOR_DE, VECTOR_DE, bios_rom_dead_end },
		{ VECTOR_UD, VECTOR_NM, bios_rom_dead_end },
		{ 0x08, 0x08, bios_rom_tick }, { 0x09, 0x0f, bios_rom_irq },
		{ 0x18, 0x18, bios_rom_dead_end }, { 0x19, 0x19, bios_rom_reset },
		{ 0x1c, 0x1c, bios_rom_return }, { 0x70, 0x77, bios_rom_irq_slave },
	};

	for (unsigned int i = 0; i < 256; i++) {
		table[2 * i] = (uint16_t)(BIOS_ROM_OFFSET + i * BIOS_STUB_SIZE);
		table[2 * i + 1] = BIOS_ROM_SEGMENT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		for (unsigned int k = own[i].first; k <= own[i].last; k++)
			table[2 * k] = (uint16_t)(BIOS_ROM_OFFSET + (own[i].code - bios_rom));
}

/* Kernels read it to learn what they may use below 1 MiB (Xen, Linux). The rest stays zero. */
static void data_area_write(const struct memory *memory)
{
	time_t now = time(NULL);

	bda_put(memory, BDA_COM1, PORT_COM1, 2);
	bda_put(memory, BDA_EBDA, EBDA_START >> 4, 2);
	bda_put(memory, BDA_BASE_KIB, EBDA_START >> 10, 2);
	bda_put(memory, BDA_EQUIPMENT, EQUIPMENT, 2);
	bda_put(memory, BDA_MODE, MODE_TEXT, 1);
	bda_put(memory, BDA_COLUMNS, COLUMNS, 2);
	bda_put(memory, BDA_CRTC, 0x3d4, 2);
	bda_put(memory, BDA_LAST_ROW, ROWS - 1, 1);
	bda_put(memory, BDA_TICKS, (uint32_t)((uint64_t)(now % 86400) * BDA_TICKS_A_DAY / 86400), 4);
}

void bios_install(const struct memory *memory, struct start *start)
{
	extern const uint8_t bios_rom[], bios_rom_post[], bios_rom_post_entry[], bios_rom_end[];
	uint8_t *rom = memory_at(memory, BIOS_ROM, BIOS_ROM_SIZE);
	uint16_t to[2] = { (uint16_t)(start->entry - start->code_selector * 16U),
			   start->code_selector };

	if (!rom)
		return;
	memcpy(rom, bios_rom, (size_t)(bios_rom_end - bios_rom));
	vectors_write(memory_at(memory, 0, 256 * 4));
	data_area_write(memory);
	if (start->mode != START_REAL)
		return;
	memcpy(rom + (bios_rom_post_entry - bios_rom), to, sizeof(to));
	start->code_selector = BIOS_ROM_SEGMENT;
	start->entry = BIOS_ROM + (gpa_t)(bios_rom_post - bios_rom);
}
