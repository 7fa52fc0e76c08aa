// SPDX-License-Identifier: MIT
// A flat image in real mode that knows nothing but the BIOS: it prints, asks for the memory map,
// takes a key, looks at the clock, and switches off.
#include "kernel.h"

START_ON_GIVEN_STACK;

struct call {
	uint32_t a, b, c, d;
	uint8_t carry;
};

#define INT(vector, call)								\
	asm volatile("int $" #vector "; setc %4"					\
		     : "+a"((call).a), "+b"((call).b), "+c"((call).c), "+d"((call).d),	\
		       "=m"((call).carry)						\
		     : "D"(entry) : "memory", "cc")

static struct {
	uint64_t start, size;
	uint32_t type;
} __attribute__((packed)) entry[1];

static void say(const char *text)
{
	for (; *text; text++) {
		struct call call = { .a = 0x0e00 | (uint8_t)*text };

		INT(0x10, call);
	}
}

static void say_hex(uint64_t value)
{
	for (int shift = 36; shift >= 0; shift -= 4) {
		char digit[2] = { "0123456789abcdef"[value >> shift & 15], 0 };

		say(digit);
	}
}

static unsigned int memory_say(void)
{
	struct call call = { 0 };

	do {
		call = (struct call){ .a = 0xe820, .b = call.b, .c = 20, .d = 0x534d4150 };
		INT(0x15, call);
		CHECK(!call.carry && call.a == 0x534d4150 && call.c == 20);
		say_hex(entry->start);
		say(" ");
		say_hex(entry->size);
		say(entry->type == 1 ? "\n" : " reserved\n");
	} while (call.b);
	call = (struct call){ .a = 0xe801 };
	INT(0x15, call);
	CHECK(!call.carry && (uint16_t)call.a == 15 * 1024 && (uint16_t)call.b == 112 * 16);
	call = (struct call){ .a = 0 };
	INT(0x12, call);
	CHECK((uint16_t)call.a == 639);
	return 0;
}

/* Services that are not there say so. */
static unsigned int refusals(void)
{
	struct call call = { .a = 0x0201, .c = 1, .d = 0x80 };

	INT(0x13, call);
	CHECK(call.carry);
	call = (struct call){ .a = 0xb101 };
	INT(0x1a, call);
	CHECK(call.carry);
	call = (struct call){ .a = 0x4200 };
	INT(0x15, call);
	CHECK(call.carry && (call.a >> 8 & 0xff) == 0x86);
	return 0;
}

/* The clock ticks while int 0x16 waits for a key, which does not come before somebody listens. */
static unsigned int key_say(void)
{
	struct call call = { .a = 0 };
	char text[] = "key x\n";

	INT(0x16, call);
	CHECK((call.a & 0xffff) == (0x10 << 8 | 'q'));
	text[4] = (char)call.a;
	say(text);
	return 0;
}

static unsigned int ticks_wait(void)
{
	uint32_t start = AT(uint32_t, 0x46c);
	struct call call;

	asm volatile("sti");
	do {
		call = (struct call){ .a = 0 };
		INT(0x1a, call);
	} while (((uint16_t)call.d | (uint32_t)(uint16_t)call.c << 16) == start);
	say("tick\n");
	return 0;
}

unsigned int kernel(unsigned long magic, unsigned long stack)
{
	struct call off = { .a = 0x5307, .b = 1, .c = 3 };

	(void)magic, (void)stack;
	if (memory_say() || refusals() || key_say() || ticks_wait())
		return 1;
	INT(0x15, off);
	return 2;
}
