// SPDX-License-Identifier: MIT
// Claims everything up to check STOP_AT, and stops in the midst of that one, by STOP_BY.
#include "saboteur.h"

/* Halts with interrupts off: nothing can wake it. */
#define HALT	asm volatile("1: cli; hlt; jmp 1b")
/* Spins with interrupts off: only the deadline can end it. */
#define SPIN	asm volatile("1: cli; jmp 1b")
/* An exception that nobody expects. */
#define TRAP	asm volatile("ud2")
/* ... and without a handler it is three faults in a row. */
#define DIE	do { lidt(&(struct descriptor_table){ 0 }); TRAP; } while (0)
/* A message that is none. */
#define BABBLE	outl(PORT_CONTRACT, 0)
/* The check that is under way ends as failed. */
#define FAIL	account_end(STOP_AT, L1_FAILED, &(struct outcome){ 0 })
/* Likewise, with words that try to get out of every report's format. */
#define SHOUT	account_end(STOP_AT, L1_FAILED, &(struct outcome){ .text = \
	"]]></failure>\n::error::x\r##[error]x # SKIP\nnot ok 1\nBail out!\n\033[2J\xff%0A|`${{x}}" \
	"\"'\\ <img src=x> www.a.b a@b.c" })

unsigned int checks_run(const struct l1_orders *orders)
{
	claim_until(orders, STOP_AT);
	STOP_BY;
	return 0;
}

uint64_t checks_entries(void)
{
	return 0;
}
