// SPDX-License-Identifier: MIT
// Claims that every check passed, and never runs an L2.
#include "saboteur.h"

unsigned int checks_run(const struct l1_orders *orders)
{
	for (unsigned int check = L1_CHECK_NONE + 1; check < L1_CORE_COUNT; check++)
		claim(orders, check);
	return 0;
}

uint64_t checks_entries(void)
{
	return 1018;
}
