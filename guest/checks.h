/* SPDX-License-Identifier: MIT */
/* The table of checks: what each row of the contract's L1_CHECKS does. */
#ifndef CHECKS_H
#define CHECKS_H

#include "hv.h"

struct check {
	enum l1_check id;
	bool needed;	/* the checks after it make no sense without it */
	enum l1_status (*run)(struct outcome *outcome);
};

/* Runs the table in order (and, if the orders ask for them, the features before the last of it, when
 * nothing failed so far), giving account of each row; returns the number of failures. */
unsigned int checks_run(const struct l1_orders *orders);

/* Successful entries into L2 so far, as L1 counted them. */
uint64_t checks_entries(void);

#endif
