/* SPDX-License-Identifier: MIT */
/* The probe: does nested virtualization work here? */
#ifndef PROBE_H
#define PROBE_H

#include "cpu_model.h"
#include "image.h"
#include "result.h"

struct probe_options {
	struct cpu_model cpu;
	unsigned int timeout_ms;	/* wall time for all of it, 0 = none */
	struct image l1;		/* the L1 kernel to boot */
	bool features;			/* the optional checks too */
	unsigned int cpus;		/* L1's; above 1: an L2 on each of them too */
	/* what each run is judged by: see result_require() */
	const char (*required)[REQUIREMENT_NAME];
	size_t requirements;
};

#define PROBE_TIMEOUT_MS	5000
#define PROBE_RESUME_ROUNDS	1000

/* Climbs the ladder as far as it goes and fills `result`. Never fails: minivmm's own failures are
 * a verdict too (VERDICT_FAILED). */
void probe_run(const struct probe_options *options, struct result *result);

/* The requirements of a run that told nothing else. */
void probe_require(const struct probe_options *options, struct result *result);

/* Step `i` of the ladder, in the order of a result's steps; false past the last one. */
bool probe_step_at(size_t i, const char **name, const char **title);

#endif
