// SPDX-License-Identifier: MIT
// ACPI's fixed hardware.
#include "acpi_pm.h"

#include <string.h>
#include <time.h>

/* Offsets from 0x600, and the bits of the control register's two bytes. */
enum {
	STATUS = 0, ENABLE = 2, CONTROL = 4, CONTROL_HIGH = 5, TIMER = 8, END = 12,

	CONTROL_SCI_EN = BIT(0), CONTROL_BM_RLD = BIT(1),
	CONTROL_HIGH_SLP_EN = BIT(5), CONTROL_HIGH_TYPE = 0x1c, CONTROL_HIGH_TYPE_SHIFT = 2,
};

#define TIMER_HZ	3579545U
#define TIMER_MASK	0xffffffU
#define OLD_SLP_EN	BIT(13)

/* Seconds and the rest apart: their product with the frequency would not last for two hours. */
static uint32_t timer_value(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((uint64_t)now.tv_sec * TIMER_HZ +
			  (uint64_t)now.tv_nsec * TIMER_HZ / 1000000000U) & TIMER_MASK;
}

int acpi_pm_read(void *device, uint64_t address, void *data, unsigned int size)
{
	const struct acpi_pm *pm = device;
	unsigned int offset = (unsigned int)(address - ACPI_PM1_EVENT);
	uint32_t timer = timer_value();
	uint8_t all[END] = { 0 };

	memcpy(all, pm->registers, sizeof(pm->registers));
	memcpy(all + TIMER, &timer, sizeof(timer));
	memcpy(data, all + offset, size < END - offset ? size : END - offset);
	return 0;
}

static void register_write(struct acpi_pm *pm, unsigned int offset, uint8_t value)
{
	if (offset == CONTROL)
		pm->registers[offset] = (value & CONTROL_BM_RLD) | CONTROL_SCI_EN;
	else if (offset >= ENABLE && offset <= CONTROL_HIGH)
		pm->registers[offset] = value;
}

int acpi_pm_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct acpi_pm *pm = device;
	const uint8_t *bytes = data;
	unsigned int type;

	for (unsigned int i = 0; i < size; i++)
		register_write(pm, (unsigned int)(address - ACPI_PM1_EVENT) + i, bytes[i]);
	if (!(pm->registers[CONTROL_HIGH] & CONTROL_HIGH_SLP_EN))
		return 0;
	pm->registers[CONTROL_HIGH] &= (uint8_t)~CONTROL_HIGH_SLP_EN; /* reads as zero */
	type = (pm->registers[CONTROL_HIGH] & CONTROL_HIGH_TYPE) >> CONTROL_HIGH_TYPE_SHIFT;
	return type == ACPI_S5_TYPE || type == 0 ? board_stop(pm->board, STOP_POWER_OFF, 0) : 0;
}

int acpi_pm_old_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct acpi_pm *pm = device;
	uint16_t value;

	if (address != ACPI_PM_OLD_CONTROL || size < sizeof(value))
		return 0;
	memcpy(&value, data, sizeof(value));
	return value & OLD_SLP_EN ? board_stop(pm->board, STOP_POWER_OFF, 0) : 0;
}

int acpi_pm_bochs_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	static const char word[] = "Shutdown";
	struct acpi_pm *pm = device;
	char letter = *(const char *)data;

	(void)address;
	(void)size;
	if (letter != word[pm->matched])
		pm->matched = 0;
	if (letter == word[pm->matched])
		pm->matched++;
	if (word[pm->matched])
		return 0;
	pm->matched = 0;
	return board_stop(pm->board, STOP_POWER_OFF, 0);
}

void acpi_pm_attach(struct acpi_pm *pm, struct board *board)
{
	*pm = (struct acpi_pm){ .board = board, .registers = { [CONTROL] = CONTROL_SCI_EN } };
}
