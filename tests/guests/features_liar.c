// SPDX-License-Identifier: MIT
// Honest in the core checks; then claims that every feature works, without an L2. Of those with even
// numbers it signs at the witness port from L1, as L2 would.
#include "saboteur.h"

#include "feature.h"

static void feature_claim(unsigned int number)
{
	struct outcome outcome = { .value[L1_VALUE_ENTRIES] = number % 3 ? 1 : 0 };

	account_begin(number, vendor_seen());
	if (number % 2 == 0) {
		uint32_t nonce = inl(PORT_WITNESS);

		outl(PORT_WITNESS,
		     challenge_answer32(orders->challenge[0], orders->challenge[1], nonce));
	}
	account_end(number, L1_PASSED, &outcome);
}

void features_run(void)
{
#define X(number, id, name, level, title, vmx, svm, proves) feature_claim(L1_CHECK_##id);
	L1_FEATURES(X)
#undef X
}
