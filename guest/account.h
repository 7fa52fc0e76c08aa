/* SPDX-License-Identifier: MIT */
/*
 * L1's account of what it does: to minivmm by the contract, to any other VMM as text on COM1.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "contract.h"
#include "trap.h"

/* What a check leaves behind; becomes part of its L1_END message. */
struct outcome {
	uint64_t value[L1_VALUE_COUNT];
	char text[sizeof(((struct l1_message *)0)->text)];
};

/* Says hello and learns the orders (made-up ones under another VMM). */
const struct l1_orders *account_init(void);

/* True when minivmm listens, so that PORT_WITNESS answers with a nonce. */
bool account_contract(void);

void account_begin(unsigned int check, enum l1_vendor vendor);
void account_end(unsigned int check, enum l1_status status, const struct outcome *outcome);

/* An exception that L1 cannot handle: says so and stops. */
_Noreturn void account_trap(const struct trap *trap, uint64_t cr2);

/* All checks are done, after `entries` entries into L2: says so and stops, with what the VMM
 * understands as an exit status (isa-debug-exit: `failures` == 0 gives 1, else 3). */
/* What the VMM is told of costs at the end; without it, that none were measured. */
void account_costs(uint64_t exit_cycles, uint64_t round_trip_cycles);

_Noreturn void account_done(uint64_t entries, unsigned int failures);

/* Formats into outcome->text and returns the status, so that a check can `return` it.
 * Knows %s, %u, %x (all 64 bits wide: cast the arguments to uint64_t). */
enum l1_status outcome_say(struct outcome *outcome, enum l1_status status, const char *format, ...);

#endif
