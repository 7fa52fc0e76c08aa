/* SPDX-License-Identifier: MIT */
/* The probe again and again: a fresh virtual machine each time, side by side, on each CPU. */
#ifndef SERIES_H
#define SERIES_H

#include "probe.h"

#define SERIES_PARALLEL_MAX 256

/* How far a series is. */
struct series_progress {
	unsigned int runs;		/* that ended */
	uint64_t runs_all;		/* that there will be, 0 = not known: time decides */
	uint64_t ns;			/* since it began */
	uint64_t ns_all;		/* no run begins after this; 0 = no such limit */
	unsigned int failed;		/* runs that neither work nor are limited, or lack what is required */
};

struct series_options {
	unsigned int repeat;		/* runs of each process, 0 = as many as fit in the duration */
	uint64_t duration_ns;		/* no run begins after it, 0 = no such limit */
	unsigned int parallel;		/* processes side by side, 1 = this one alone */
	bool all_cpus;			/* each run on one CPU, all allowed ones in turn */
	/* called now and then while it runs, in the process that called series_run(); may be NULL */
	void (*progress)(const struct series_progress *progress);
};

/* More than one plain run? */
bool series_wanted(const struct series_options *options);

/*
 * Runs the series and fills `series`. `result` gets the first run that failed, whole (the first of
 * all where none did), under the verdict and the reason of the series. Ends early, with what there is,
 * at SIGINT. 0, or negative errno with error_last().
 */
int series_run(const struct probe_options *probe, const struct series_options *options,
	       struct series *series, struct result *result);

#endif
