// SPDX-License-Identifier: MIT
// MC146818 clock and CMOS memory.
#include "cmos.h"

#include <time.h>

enum {
	SECONDS = 0x00, MINUTES = 0x02, HOURS = 0x04, WEEKDAY = 0x06, DAY = 0x07, MONTH = 0x08,
	YEAR = 0x09, STATUS_A = 0x0a, STATUS_B = 0x0b, STATUS_C = 0x0c, STATUS_D = 0x0d,

	/* IBM's and its successors' cells */
	EQUIPMENT = 0x14, BASE_KIB = 0x15, EXTENDED_KIB = 0x17, CHECKSUM_FIRST = 0x10,
	CHECKSUM_LAST = 0x2d, CHECKSUM = 0x2e, EXTENDED_KIB_2 = 0x30, ABOVE_16_MIB = 0x34,
	ABOVE_4_GIB = 0x5b, CPUS_LESS_1 = 0x5f,

	A_UPDATING = BIT(7), A_RATES = 0x26,	/* 32.768 kHz, 1024 Hz */
	B_SET = BIT(7), B_BINARY = BIT(2), B_24_HOURS = BIT(1),
	D_VALID = BIT(7),
	HOURS_PM = BIT(7),
	EQUIPMENT_FPU = BIT(1),
};

/* "Update cycle": announced 244 us before it begins, it takes 1984 us. Ours ends as the second
 * does: who has seen it clear has 244 us, and who waits for it can see it. */
#define UPDATE_NS	(244000 + 1984000)

/* --- state ------------------------------------------------------------------------------------ */

static uint8_t encode(const struct cmos *cmos, unsigned int value)
{
	if (cmos->cell[STATUS_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static int decode(const struct cmos *cmos, uint8_t cell)
{
	return cmos->cell[STATUS_B] & B_BINARY ? cell : (cell >> 4) * 10 + (cell & 0xf);
}

static uint8_t encode_hours(const struct cmos *cmos, unsigned int hours)
{
	if (cmos->cell[STATUS_B] & B_24_HOURS)
		return encode(cmos, hours);
	return encode(cmos, hours % 12 ? hours % 12 : 12) | (hours >= 12 ? HOURS_PM : 0);
}

static int decode_hours(const struct cmos *cmos, uint8_t cell)
{
	if (cmos->cell[STATUS_B] & B_24_HOURS)
		return decode(cmos, cell);
	return decode(cmos, cell & (uint8_t)~HOURS_PM) % 12 + (cell & HOURS_PM ? 12 : 0);
}

static bool cell_is_time(unsigned int index)
{
	return index == SECONDS || index == MINUTES || index == HOURS || index == CMOS_CENTURY ||
	       (index >= WEEKDAY && index <= YEAR);
}

/* The clock into its cells, unless the guest has stopped it to set it. */
static void time_fetch(struct cmos *cmos)
{
	time_t now = time(NULL) + cmos->ahead;
	struct tm tm;
	unsigned int year;

	if (cmos->cell[STATUS_B] & B_SET || !gmtime_r(&now, &tm))
		return;
	year = tm.tm_year > -1900 ? (unsigned int)(tm.tm_year + 1900) : 0;
	cmos->cell[SECONDS] = encode(cmos, (unsigned int)tm.tm_sec);
	cmos->cell[MINUTES] = encode(cmos, (unsigned int)tm.tm_min);
	cmos->cell[HOURS] = encode_hours(cmos, (unsigned int)tm.tm_hour);
	cmos->cell[WEEKDAY] = encode(cmos, (unsigned int)tm.tm_wday + 1);
	cmos->cell[DAY] = encode(cmos, (unsigned int)tm.tm_mday);
	cmos->cell[MONTH] = encode(cmos, (unsigned int)tm.tm_mon + 1);
	cmos->cell[YEAR] = encode(cmos, year % 100);
	cmos->cell[CMOS_CENTURY] = encode(cmos, year / 100);
}

/* The cells into the clock. Nonsense is carried over: the 32nd is the 1st. */
static void time_set(struct cmos *cmos)
{
	struct tm tm = {
		.tm_sec = decode(cmos, cmos->cell[SECONDS]),
		.tm_min = decode(cmos, cmos->cell[MINUTES]),
		.tm_hour = decode_hours(cmos, cmos->cell[HOURS]),
		.tm_mday = decode(cmos, cmos->cell[DAY]),
		.tm_mon = decode(cmos, cmos->cell[MONTH]) - 1,
		.tm_year = decode(cmos, cmos->cell[CMOS_CENTURY]) * 100 - 1900 +
			   decode(cmos, cmos->cell[YEAR]),
	};

	if (!(cmos->cell[STATUS_B] & B_SET))
		cmos->ahead = timegm(&tm) - time(NULL);
}

/* --- read ------------------------------------------------------------------------------------- */

static uint8_t status_a_read(const struct cmos *cmos)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_nsec < 1000000000 - UPDATE_NS || cmos->cell[STATUS_B] & B_SET)
		return cmos->cell[STATUS_A];
	return cmos->cell[STATUS_A] | A_UPDATING;
}

static uint8_t cell_read(struct cmos *cmos)
{
	if (cmos->index == STATUS_A)
		return status_a_read(cmos);
	if (cell_is_time(cmos->index))
		time_fetch(cmos);
	return cmos->cell[cmos->index];
}

int cmos_read(void *device, uint64_t address, void *data, unsigned int size)
{
	uint8_t *bytes = data;

	for (unsigned int i = 0; i < size; i++)
		if (address + i == CMOS_PORT + 1) /* the index cannot be read */
			bytes[i] = cell_read(device);
	return 0;
}

/* --- write ------------------------------------------------------------------------------------ */

static void status_b_write(struct cmos *cmos, uint8_t value)
{
	uint8_t old = cmos->cell[STATUS_B];

	if (value & ~old & B_SET)
		time_fetch(cmos);
	cmos->cell[STATUS_B] = value;
	if (old & ~value & B_SET)
		time_set(cmos);
}

static void time_write(struct cmos *cmos, uint8_t value)
{
	time_fetch(cmos);
	cmos->cell[cmos->index] = value;
	time_set(cmos);
}

static void cell_write(struct cmos *cmos, uint8_t value)
{
	if (cmos->index == STATUS_A)
		cmos->cell[STATUS_A] = value & (uint8_t)~A_UPDATING;
	else if (cmos->index == STATUS_B)
		status_b_write(cmos, value);
	else if (cell_is_time(cmos->index))
		time_write(cmos, value);
	else if (cmos->index != STATUS_C && cmos->index != STATUS_D)
		cmos->cell[cmos->index] = value;
}

/* A word written to 0x70 is the index and its data: that way the ISA bus takes it apart. */
int cmos_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct cmos *cmos = device;
	const uint8_t *bytes = data;

	for (unsigned int i = 0; i < size; i++) {
		if (address + i == CMOS_PORT)
			cmos->index = bytes[i] % CMOS_CELLS; /* bit 7 would mask the NMI */
		else if (address + i == CMOS_PORT + 1)
			cell_write(cmos, bytes[i]);
	}
	return 0;
}

/* --- attach ----------------------------------------------------------------------------------- */

/* `value` into `bytes` cells, low byte first; the largest number where it is larger. */
static void cells_set(struct cmos *cmos, unsigned int index, unsigned int bytes, uint64_t value)
{
	uint64_t largest = BIT(8 * bytes) - 1;

	if (value > largest)
		value = largest;
	for (unsigned int i = 0; i < bytes; i++)
		cmos->cell[index + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t above(uint64_t size, uint64_t limit)
{
	return size > limit ? size - limit : 0;
}

static void memory_cells_set(struct cmos *cmos, const struct memory *memory)
{
	uint64_t extended = above(memory->low, 1 << 20) >> 10;

	cells_set(cmos, BASE_KIB, 2, 640);
	cells_set(cmos, EXTENDED_KIB, 2, extended);
	cells_set(cmos, EXTENDED_KIB_2, 2, extended);
	cells_set(cmos, ABOVE_16_MIB, 2, above(memory->low, 16 << 20) >> 16);
	cells_set(cmos, ABOVE_4_GIB, 3, memory->high >> 16);
}

void cmos_attach(struct cmos *cmos, const struct board *board)
{
	unsigned int sum = 0;

	*cmos = (struct cmos){ .cell = {
		[STATUS_A] = A_RATES,
		[STATUS_B] = B_24_HOURS,
		[STATUS_D] = D_VALID,
		[EQUIPMENT] = EQUIPMENT_FPU,
	} };
	memory_cells_set(cmos, board->memory);
	cells_set(cmos, CPUS_LESS_1, 1, board->cpus - 1);
	for (unsigned int i = CHECKSUM_FIRST; i <= CHECKSUM_LAST; i++)
		sum += cmos->cell[i];
	cmos->cell[CHECKSUM] = (uint8_t)(sum >> 8); /* high byte first, here alone */
	cmos->cell[CHECKSUM + 1] = (uint8_t)sum;
}
