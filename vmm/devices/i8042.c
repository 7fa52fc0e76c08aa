// SPDX-License-Identifier: MIT
// Keyboard controller.
#include "i8042.h"

enum {
	STATUS_OUTPUT_FULL = BIT(0), STATUS_SYSTEM = BIT(2), STATUS_COMMAND = BIT(3),
	STATUS_UNLOCKED = BIT(4), STATUS_TIMEOUT = BIT(6),

	CONTROL_INTERRUPT = BIT(0), CONTROL_SYSTEM = BIT(2),
	CONTROL_KEYBOARD_OFF = BIT(4), CONTROL_MOUSE_OFF = BIT(5),

	COMMAND_READ_CONTROL = 0x20, COMMAND_WRITE_CONTROL = 0x60,
	COMMAND_MOUSE_OFF = 0xa7, COMMAND_MOUSE_ON = 0xa8, COMMAND_MOUSE_TEST = 0xa9,
	COMMAND_SELF_TEST = 0xaa, COMMAND_KEYBOARD_TEST = 0xab,
	COMMAND_KEYBOARD_OFF = 0xad, COMMAND_KEYBOARD_ON = 0xae,
	COMMAND_READ_OUTPUT = 0xd0, COMMAND_WRITE_OUTPUT = 0xd1, COMMAND_LOOP_KEYBOARD = 0xd2,
	COMMAND_LOOP_MOUSE = 0xd3, COMMAND_TO_MOUSE = 0xd4,
	COMMAND_PULSE = 0xf0,	/* the low nibble's zeroes are the output lines to pull down */

	OUTPUT_NO_RESET = BIT(0), OUTPUT_A20 = BIT(1),	/* the output port */

	PORT_A_RESET = BIT(0), PORT_A_A20 = BIT(1),

	SELF_TEST_PASSED = 0x55, TEST_PASSED = 0, CLOCK_STUCK_LOW = 1,
	RESEND = 0xfe,		/* what the controller makes of a device's silence */
};

/* --- state ------------------------------------------------------------------------------------ */

static int answer(struct i8042 *chip, uint8_t byte, uint8_t status)
{
	chip->output = byte;
	chip->status |= STATUS_OUTPUT_FULL | status;
	return 0;
}

static int reset_unless(struct i8042 *chip, uint8_t lines)
{
	return lines & OUTPUT_NO_RESET ? 0 : board_stop(chip->board, STOP_RESET, 0);
}

/* --- interrupt -------------------------------------------------------------------------------- */

static int line_update(struct i8042 *chip)
{
	bool level = chip->status & STATUS_OUTPUT_FULL && chip->control & CONTROL_INTERRUPT;

	return board_line(chip->board, I8042_IRQ, level, &chip->level);
}

/* --- read ------------------------------------------------------------------------------------- */

int i8042_read(void *device, uint64_t address, void *data, unsigned int size)
{
	struct i8042 *chip = device;
	uint8_t *byte = data;

	(void)size; /* the registers are not adjacent */
	switch (address) {
	case I8042_DATA:
		*byte = chip->output;
		chip->status &= (uint8_t)~(STATUS_OUTPUT_FULL | STATUS_TIMEOUT);
		break;
	case I8042_COMMAND:
		*byte = chip->status;
		break;
	default:
		*byte = PORT_A_A20;
	}
	return line_update(chip);
}

/* --- write ------------------------------------------------------------------------------------ */

static int self_test(struct i8042 *chip)
{
	chip->status |= STATUS_SYSTEM;
	return answer(chip, SELF_TEST_PASSED, 0);
}

/* Commands that are complete by themselves. */
static int command_run(struct i8042 *chip, uint8_t command)
{
	switch (command) {
	case COMMAND_READ_CONTROL:
		return answer(chip, chip->control, 0);
	case COMMAND_SELF_TEST:
		return self_test(chip);
	case COMMAND_KEYBOARD_TEST:
		return answer(chip, TEST_PASSED, 0);
	case COMMAND_MOUSE_TEST:
		return answer(chip, CLOCK_STUCK_LOW, 0);
	case COMMAND_READ_OUTPUT:
		return answer(chip, OUTPUT_NO_RESET | OUTPUT_A20, 0);
	case COMMAND_MOUSE_OFF:
		chip->control |= CONTROL_MOUSE_OFF;
		return 0;
	case COMMAND_MOUSE_ON:
		chip->control &= (uint8_t)~CONTROL_MOUSE_OFF;
		return 0;
	case COMMAND_KEYBOARD_OFF:
		chip->control |= CONTROL_KEYBOARD_OFF;
		return 0;
	case COMMAND_KEYBOARD_ON:
		chip->control &= (uint8_t)~CONTROL_KEYBOARD_OFF;
		return 0;
	}
	return command >= COMMAND_PULSE ? reset_unless(chip, command) : 0;
}

static int command_write(struct i8042 *chip, uint8_t command)
{
	chip->status |= STATUS_COMMAND;
	chip->command = 0;
	switch (command) {
	case COMMAND_WRITE_CONTROL:
	case COMMAND_WRITE_OUTPUT:
	case COMMAND_LOOP_KEYBOARD:
	case COMMAND_LOOP_MOUSE:
	case COMMAND_TO_MOUSE:
		chip->command = command;
		return 0;
	}
	return command_run(chip, command);
}

/* COMMAND_LOOP_MOUSE answers without the mark of a mouse's byte: so there is no mouse port. */
static int data_write(struct i8042 *chip, uint8_t byte)
{
	uint8_t command = chip->command;

	chip->status &= (uint8_t)~STATUS_COMMAND;
	chip->command = 0;
	switch (command) {
	case COMMAND_WRITE_CONTROL:
		chip->control = byte;
		return 0;
	case COMMAND_WRITE_OUTPUT:
		return reset_unless(chip, byte);
	case COMMAND_LOOP_KEYBOARD:
	case COMMAND_LOOP_MOUSE:
		return answer(chip, byte, 0);
	}
	return answer(chip, RESEND, STATUS_TIMEOUT);
}

int i8042_write(void *device, uint64_t address, const void *data, unsigned int size)
{
	struct i8042 *chip = device;
	uint8_t byte = *(const uint8_t *)data;
	int r = 0;

	(void)size;
	if (address == I8042_DATA)
		r = data_write(chip, byte);
	else if (address == I8042_COMMAND)
		r = command_write(chip, byte);
	else if (byte & PORT_A_RESET)
		r = board_stop(chip->board, STOP_RESET, 0);
	return r < 0 ? r : line_update(chip);
}

/* --- attach ----------------------------------------------------------------------------------- */

void i8042_attach(struct i8042 *chip, struct board *board)
{
	*chip = (struct i8042){
		.board = board,
		.status = STATUS_SYSTEM | STATUS_UNLOCKED,
		.control = CONTROL_SYSTEM | CONTROL_KEYBOARD_OFF | CONTROL_MOUSE_OFF,
	};
}
