// SPDX-License-Identifier: MIT
// L1: the small kernel that runs a guest of its own and says how it went.
#include "account.h"
#include "checks.h"
#include "cpu.h"
#include "trap.h"

_Noreturn void l1_main(void);

void l1_main(void)
{
	const struct l1_orders *orders;
	unsigned int failures;

	/* firmware may have left the timer's interrupt pending: none shall meet an L2 with IF set */
	outb(PORT_PIC_MASK, 0xff);
	outb(PORT_PIC2_MASK, 0xff);
	trap_init();
	orders = account_init();
	failures = checks_run(orders);
	account_done(checks_entries(), failures);
}

/* The compiler may call these in freestanding code too. */
void *memset(void *to, int byte, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);

void *memset(void *to, int byte, size_t size)
{
	void *at = to;

	asm volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *at = to;

	asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}
