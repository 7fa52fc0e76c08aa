// SPDX-License-Identifier: MIT
// As the liar, and answers at the witness port as L2 would, from L1: only KVM can tell.
#include "saboteur.h"

unsigned int checks_run(const struct l1_orders *orders)
{
	for (unsigned int check = L1_CHECK_NONE + 1; check < L1_CORE_COUNT; check++) {
		if (check == L1_CHECK_L2_PORT) {
			uint32_t nonce = inl(PORT_WITNESS);

			outl(PORT_WITNESS, challenge_answer32(orders->challenge[0],
							      orders->challenge[1], nonce));
		}
		claim(orders, check);
	}
	return 0;
}

uint64_t checks_entries(void)
{
	return 1018;
}
