/* SPDX-License-Identifier: MIT */
/* What an exit costs, in cycles of L1's TSC: medians, 0 = it could not be measured. */
#ifndef COSTS_H
#define COSTS_H

#include <stdint.h>

/* CPUID in L1: to L0 and back. */
uint64_t cost_l1_exit(void);

/* CPUID in L2: from L1's entry into L2 to L1's next instruction behind its exit, with what L1 reads and
 * writes of the VMCS or VMCB between. */
uint64_t cost_l2_round_trip(void);

#endif
