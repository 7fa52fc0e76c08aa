// SPDX-License-Identifier: MIT
// The table of exit styles.
#include "exit_style.h"

#define STATUSES(pass, warn, fail, skip, timeout, error, usage)                       \
	{                                                                             \
		[OUTCOME_PASS] = pass, [OUTCOME_WARN] = warn, [OUTCOME_FAIL] = fail,  \
		[OUTCOME_SKIP] = skip, [OUTCOME_TIMEOUT] = timeout,                   \
		[OUTCOME_ERROR] = error, [OUTCOME_USAGE] = usage                      \
	}

const struct exit_style exit_styles[] = {
	/* Automake, "Scripts-based Testsuites"; coreutils, timeout(1) */
	{ "gnu", "Automake and Meson: skip 77, hard error 99, time-out 124",
	  STATUSES(0, 0, 1, 77, 124, 99, 2) },
	/* Linux, tools/testing/selftests/kselftest.h: 2 and 3 would be an expected failure and an
	 * unexpected pass */
	{ "kselftest", "Linux' selftests: skip 4, everything else that fails 1",
	  STATUSES(0, 0, 1, 4, 1, 1, 1) },
	/* "Nagios Plugin API" and "Development Guidelines": OK, WARNING, CRITICAL, UNKNOWN */
	{ "nagios", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN", STATUSES(0, 1, 2, 3, 2, 3, 3) },
	/* node-problem-detector, "Custom Plugin Monitor": OK, NonOK, the rest is unknown */
	{ "npd", "node-problem-detector: 0 OK, 1 a problem, 2 unknown",
	  STATUSES(0, 0, 1, 2, 2, 2, 2) },
	/* prove(1) and automake's tap-driver take any status but 0 for a failure */
	{ "tap", "for prove: 0, also where everything is skipped; 1 fails",
	  STATUSES(0, 0, 1, 0, 1, 1, 2) },
	{ 0 },
};
