// SPDX-License-Identifier: MIT
// What an exit costs, in cycles of L1's TSC.
#include "costs.h"

#include "checking.h"
#include "cpu.h"
#include "l2.h"

#define SAMPLES 101 /* odd: the median is one of them */

static uint64_t samples[SAMPLES];

static uint64_t median(void)
{
	for (unsigned int i = 1; i < SAMPLES; i++) {
		uint64_t value = samples[i];
		unsigned int at = i;

		for (; at > 0 && samples[at - 1] > value; at--)
			samples[at] = samples[at - 1];
		samples[at] = value;
	}
	return samples[SAMPLES / 2];
}

uint64_t cost_l1_exit(void)
{
	for (unsigned int i = 0; i < SAMPLES; i++) {
		uint64_t before = rdtsc();

		cpuid(0, 0);
		samples[i] = rdtsc() - before;
	}
	return median();
}

static void l2_cpuids(void)
{
	for (;;)
		cpuid(0, 0);
}

uint64_t cost_l2_round_trip(void)
{
	struct outcome ignored = { 0 };

	l2_reset(PROGRAM(l2_cpuids), 0);
	if (!l2_start_to(&ignored, L2_EXIT_CPUID))
		return 0;
	for (unsigned int i = 0; i < SAMPLES; i++) {
		uint64_t before;

		l2_step_over();
		before = rdtsc();
		if (!l2_run_to(&ignored, L2_EXIT_CPUID))
			return 0;
		samples[i] = rdtsc() - before;
	}
	return median();
}
