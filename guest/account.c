// SPDX-License-Identifier: MIT
// How L1 tells what it does.
#include "account.h"

#include "cpu.h"

#include <stdarg.h>

static struct l1_message message __attribute__((aligned(256)));
static struct l1_orders orders = {
	/* for a VMM that gives none: arbitrary, and then no proof of anything */
	.challenge = { 0x0123456789abcdef, 0xfedcba9876543210 },
	.resume_rounds = 1000,
};
static bool contract;
static enum l1_vendor vendor;

static const char *const check_names[L1_CHECK_COUNT] = {
#define X(number, id, name, level, title) [number] = name,
	L1_CHECKS(X)
#undef X
#define X(number, id, name, level, title, vmx, svm, proves) [number] = name,
	L1_FEATURES(X)
#undef X
};

static void com1_char(char c)
{
	for (unsigned int i = 0; i < 10000; i++) /* transmitter empty; bounded if there is no UART */
		if (inb(PORT_COM1 + 5) & 0x20)
			break;
	outb(PORT_COM1, (uint8_t)c);
}

static void com1_print(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			com1_char('\r');
		com1_char(*s);
	}
}

static void send(enum l1_kind kind, unsigned int check, enum l1_status status)
{
	message.magic = CONTRACT_MAGIC;
	message.version = CONTRACT_VERSION;
	message.kind = kind;
	message.check = check;
	message.status = status;
	message.vendor = vendor;
	outl(PORT_CONTRACT, (uint32_t)(uintptr_t)&message);
}

static void message_take(const struct outcome *outcome)
{
	for (unsigned int i = 0; i < L1_VALUE_COUNT; i++)
		message.value[i] = outcome ? outcome->value[i] : 0;
	for (unsigned int i = 0; i < sizeof(message.text); i++)
		message.text[i] = outcome ? outcome->text[i] : 0;
}

const struct l1_orders *account_init(void)
{
	contract = inl(PORT_CONTRACT) == CONTRACT_MAGIC;
	if (contract) {
		send(L1_HELLO, L1_CHECK_NONE, 0);
		orders = message.orders;
	} else {
		com1_print("minivmm-l1: not under minivmm, so no witness; the account follows\n");
	}
	return &orders;
}

bool account_contract(void)
{
	return contract;
}

void account_begin(unsigned int check, enum l1_vendor seen)
{
	vendor = seen;
	if (contract) {
		message_take(0);
		send(L1_BEGIN, check, 0);
	} else {
		com1_print("minivmm-l1: ");
		com1_print(check_names[check]);
		com1_print(": ");
	}
}

void account_end(unsigned int check, enum l1_status status, const struct outcome *outcome)
{
	static const char *const words[] = {
		[L1_PASSED] = "ok",
		[L1_FAILED] = "FAILED",
		[L1_NOT_OFFERED] = "not offered",
		[L1_NOT_APPLICABLE] = "not applicable",
		[L1_NOT_TRIED] = "not tried",
	};

	if (contract) {
		message_take(outcome);
		send(L1_END, check, status);
		return;
	}
	com1_print(words[status]);
	if (outcome->text[0]) {
		com1_print(": ");
		com1_print(outcome->text);
	}
	com1_print("\n");
}

/* Stops by every way that a VMM may offer, the gentlest first. */
static _Noreturn void stop(unsigned int code)
{
	outl(PORT_DEBUG_EXIT, code);
	outb(PORT_KEYBOARD, KEYBOARD_RESET);
	lidt(&(struct descriptor_table){ 0 }); /* and a triple fault, which every VMM has */
	for (;;)
		asm volatile("ud2");
}

void account_trap(const struct trap *trap, uint64_t cr2)
{
	struct outcome outcome = { 0 };

	outcome.value[L1_VALUE_EXIT] = trap->vector;
	outcome.value[L1_VALUE_INFO1] = trap->error;
	outcome.value[L1_VALUE_INFO2] = cr2;
	outcome.value[L1_VALUE_RIP] = trap->rip;
	outcome_say(&outcome, L1_FAILED, "L1 took %s, error code %x, at %x, CR2 %x",
		    trap_name(trap->vector), trap->error, trap->rip, cr2);
	if (contract) {
		message_take(&outcome);
		send(L1_TRAP, message.check, L1_FAILED);
	} else {
		com1_print(outcome.text);
		com1_print("\n");
	}
	stop(1);
}

static uint64_t costs[2];

void account_costs(uint64_t exit_cycles, uint64_t round_trip_cycles)
{
	costs[0] = exit_cycles;
	costs[1] = round_trip_cycles;
}

void account_done(uint64_t entries, unsigned int failures)
{
	struct outcome outcome = { 0 };

	outcome.value[L1_DONE_ENTRIES] = entries;
	outcome.value[L1_DONE_EXIT_CYCLES] = costs[0];
	outcome.value[L1_DONE_ROUND_TRIP_CYCLES] = costs[1];
	outcome_say(&outcome, L1_PASSED, "%u entries into L2, %u checks failed", entries,
		    (uint64_t)failures);
	if (contract) {
		message_take(&outcome);
		send(L1_DONE, L1_CHECK_NONE, failures ? L1_FAILED : L1_PASSED);
	} else {
		com1_print("minivmm-l1: ");
		com1_print(failures ? "FAIL: " : "PASS: ");
		com1_print(outcome.text);
		com1_print("\n");
	}
	stop(failures ? 1 : 0);
}

static char *put_number(char *at, const char *end, uint64_t number, unsigned int base)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	if (base == 16) {
		digits[n++] = 'x';
		digits[n++] = '0';
	}
	while (n && at < end)
		*at++ = digits[--n];
	return at;
}

enum l1_status outcome_say(struct outcome *outcome, enum l1_status status, const char *format, ...)
{
	char *at = outcome->text;
	const char *end = outcome->text + sizeof(outcome->text) - 1;
	va_list args;

	va_start(args, format);
	for (; *format && at < end; format++) {
		if (*format != '%') {
			*at++ = *format;
			continue;
		}
		switch (*++format) {
		case 's':
			for (const char *s = va_arg(args, const char *); *s && at < end; s++)
				*at++ = *s;
			break;
		case 'u':
			at = put_number(at, end, va_arg(args, uint64_t), 10);
			break;
		case 'x':
			at = put_number(at, end, va_arg(args, uint64_t), 16);
			break;
		}
	}
	va_end(args);
	*at = '\0';
	return status;
}
