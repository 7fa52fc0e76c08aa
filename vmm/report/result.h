/* SPDX-License-Identifier: MIT */
/*
 * A finished result: what the probe hands over to the report formats. It owns no pointers but to
 * constant strings (and a series), knows nothing of KVM, and is all that a format may look at. Every
 * char array is NUL-terminated. Text may come from outside (CPU brand strings, DMI, the guest): it can hold
 * any byte, and each format escapes what it must.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RESULT_SCHEMA_VERSION 1

enum verdict {
	VERDICT_WORKS,		/* L2 ran, every core check passed, the witnesses agree */
	VERDICT_LIMITED,	/* as above; something optional is missing */
	VERDICT_BROKEN,		/* L1 sees VMX or SVM, and L2 does not run right */
	VERDICT_UNAVAILABLE,	/* it cannot be tried here */
	VERDICT_TIMED_OUT,	/* the deadline came first */
	VERDICT_FAILED,		/* minivmm itself failed */
};

/* A row of the ladder. */
enum step_status {
	STEP_PASSED,
	STEP_FAILED,
	STEP_LIMITED,		/* optional, and not to be had here */
	STEP_NOT_APPLICABLE,	/* the other vendor's */
	STEP_NOT_TRIED,		/* something before it failed */
	STEP_UNFINISHED,	/* under way when the run ended */
};

struct step {
	const char *name;	/* "l2-entry": stable */
	const char *title;	/* one short line for people */
	int level;		/* 0: host's KVM, 1: guest of minivmm, 2: guest of that guest */
	enum step_status status;
	bool timed;		/* `ns` is known */
	uint64_t ns;		/* wall time it took, nanoseconds */
	char detail[200];	/* evidence or what went wrong; may be empty */
};

/* A row of the map of nested features, and how it came out. */
enum feature_status {
	FEATURE_WORKS,
	FEATURE_FAILS,
	FEATURE_NOT_OFFERED,	/* L1's CPU does not show it: `detail` says by which bit */
	FEATURE_NOT_APPLICABLE,	/* the other vendor's */
	FEATURE_NOT_TRIED,	/* `detail` says why */
	FEATURE_UNFINISHED,	/* under way when the run ended */
};

struct feature {
	int number;
	const char *name;	/* "tsc-offset": stable */
	const char *title;
	int level;		/* as of a step */
	const char *proves;
	char needs[48];		/* the bit that offers it, for the vendor at hand; may be empty */
	enum feature_status status;
	bool timed;
	uint64_t ns;
	char detail[240];
};

/* One thing known (or known to be unknown) about the machine or the run. */
enum fact_kind {
	FACT_TEXT,
	FACT_NUMBER,
	FACT_BOOL,
	FACT_UNKNOWN,		/* could not be learned: `text` says why */
};

struct fact {
	const char *key;	/* "kernel": stable, snake_case */
	const char *label;	/* "Kernel" for people; NULL = a fact for programs alone */
	enum fact_kind kind;
	int64_t number;		/* FACT_NUMBER; 0 or 1 for FACT_BOOL */
	char text[160];
};

/* A line of the remedy: prose, or a command to paste. */
struct remedy {
	bool command;
	char text[240];
};

/* A series of runs: how often each reason came, and on which CPU. */
#define SERIES_REASONS	64
#define SERIES_CPUS	1024

struct series_tally {
	const char *reason;
	int number;
	enum verdict verdict;
	unsigned int runs;
};

struct series_cpu {
	unsigned int cpu;
	unsigned int runs;
	const char *reason;	/* of its first run */
	bool mixed;		/* its runs differ */
	bool odd;		/* not what most CPUs say */
};

struct series {
	unsigned int runs, parallel;
	bool interrupted;			/* by SIGINT: there would have been more */
	uint64_t ns;				/* wall time of all of it */
	uint64_t ns_min, ns_max, ns_sum;	/* of single runs */
	struct series_tally tally[SERIES_REASONS];	/* in the order in which they came */
	size_t tallies;
	struct series_cpu cpu[SERIES_CPUS];	/* none: the runs were not pinned */
	size_t cpus;
	/* the run whose ladder and evidence the result has: the first that failed, or the first */
	unsigned int kept_run;			/* counted from 1, in its process */
	int kept_cpu;				/* -1 = not pinned */
	const char *kept_reason;
	enum verdict kept_verdict;
};

/* Something that --require names. */
#define REQUIREMENT_NAME 48
struct requirement {
	char name[REQUIREMENT_NAME];
	bool met;
	char why[320];		/* it is not; else empty */
};

#define RESULT_REQUIREMENTS 32
#define RESULT_STEPS	64
#define RESULT_FEATURES	64
#define RESULT_FACTS	48
#define RESULT_REMEDIES	12

struct result {
	enum verdict verdict;
	int reason_number;	/* 0 = ok */
	const char *reason;	/* "ok", "nested-disabled" ... stable */
	char summary[240];	/* the verdict in one sentence */
	uint64_t ns;		/* wall time of the whole probe */

	struct step step[RESULT_STEPS];
	size_t steps;
	bool features_asked;			/* else there is no map, and `features` is 0 */
	struct feature feature[RESULT_FEATURES];
	size_t features;
	struct fact host[RESULT_FACTS];		/* the machine */
	size_t hosts;
	struct fact evidence[RESULT_FACTS];	/* the run: witnesses, exits, how far it got */
	size_t evidences;
	struct remedy remedy[RESULT_REMEDIES];
	size_t remedies;

	const struct series *series;	/* NULL: one run */

	struct requirement required[RESULT_REQUIREMENTS];	/* what the caller insists on */
	size_t requirements;
	int64_t time;		/* when it ended: seconds since 1970 in UTC; 0 = not known */
	int exit_status;	/* what minivmm ends with, in the style asked for */
};

/* What came of it for whoever called: the verdict, in the light of what was required. */
enum outcome {
	OUTCOME_PASS,		/* works */
	OUTCOME_WARN,		/* limited */
	OUTCOME_FAIL,		/* broken, or something required is missing */
	OUTCOME_SKIP,		/* unavailable */
	OUTCOME_TIMEOUT,
	OUTCOME_ERROR,		/* minivmm itself failed */
	OUTCOME_USAGE,		/* no result's: wrong usage */
	OUTCOMES
};
enum outcome result_outcome(const struct result *result);

/* Where nested guests run, what makes the outcome a failure all the same: the first requirement
 * that is not met; else NULL. */
const struct requirement *result_missing(const struct result *result);

/* Appends a fact to `list` (of RESULT_FACTS, *count used) and returns it; the text is formatted
 * as by printf. A full list drops the fact: a programmer's error, caught by assert(). */
struct fact *fact_text(struct fact *list, size_t *count, const char *key, const char *label,
		       const char *format, ...) __attribute__((format(printf, 5, 6)));
struct fact *fact_number(struct fact *list, size_t *count, const char *key, const char *label,
			 int64_t number);
struct fact *fact_bool(struct fact *list, size_t *count, const char *key, const char *label,
		       bool value);
struct fact *fact_unknown(struct fact *list, size_t *count, const char *key, const char *label,
			  const char *why);

/* The fact with this key; NULL = there is none, or it is unknown. */
const struct fact *fact_find(const struct fact *list, size_t count, const char *key);

/*
 * Judges `name` and appends it to result->required: "nested" (the verdict is works or limited),
 * "state" (KVM saves a vCPU that is in L2), or the name of a step or a feature; one of which the
 * result tells nothing is not met. A full list drops it: a programmer's error, caught by assert().
 */
void result_require(struct result *result, const char *name);

/* Appends a step with STEP_NOT_TRIED and returns it. */
struct step *result_step(struct result *result, const char *name, const char *title, int level);

/* Appends a feature with FEATURE_NOT_TRIED and returns it. */
struct feature *result_feature(struct result *result, int number, const char *name);

/* "2026-11-28T01:02:03Z", as RFC 3339 and XML Schema have it; false where `seconds` is 0 or no
 * date. */
#define UTC_TEXT 32
bool utc_text(char text[UTC_TEXT], int64_t seconds);

/* Appends a remedy line. */
void result_say(struct result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void result_command(struct result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

const char *verdict_name(enum verdict verdict);		/* "works", "timed-out" ... */
bool verdict_nests(enum verdict verdict);		/* works or limited: an L2 runs right */
const char *step_status_name(enum step_status status);	/* "passed", "not-tried" ... */
const char *feature_status_name(enum feature_status status);	/* "works", "not-offered" ... */
/* Exit status of the default (GNU) style where nothing is required: 0, 1, 77, 99, 124. */
int verdict_exit_status(enum verdict verdict);

/* How to write: known to main, not to the result. */
struct report_style {
	bool color;
	bool unicode;		/* box characters and check marks */
	bool verbose;		/* every step and fact, times too */
	int columns;		/* of the terminal; 80 when unknown */
	unsigned int expiry_s;	/* nfd: how long its labels hold, in seconds; 0 = a day */
};
#define REPORT_EXPIRY_S 86400

/* Returns 0, or a negative errno when `out` could not be written. */
typedef int report_write(FILE *out, const struct result *result, const struct report_style *style);

/* A format: one file and one row of report_formats[]. */
struct report_format {
	const char *name;
	const char *about;
	report_write *write;
};
report_write report_text, report_json, report_tap, report_tap14, report_junit, report_github,
	report_github_summary, report_github_output, report_prometheus, report_nfd, report_npd;

/* A format's last call: flushes `out`; 0, or a negative errno if any write to it failed. */
int report_end(FILE *out);

extern const struct report_format report_formats[];	/* ends with a NULL name */
const struct report_format *report_format_find(const char *name);	/* NULL = unknown */

#endif
