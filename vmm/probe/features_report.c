// SPDX-License-Identifier: MIT
// The map of nested features.
#include "features_report.h"

#include "bits.h"
#include "l0.h"

#include <stdio.h>
#include <string.h>

const struct feature_row feature_rows[] = {
#define X(number_, id, name_, level_, title_, vmx_, svm_, proves_)                            \
	{ .number = number_, .level = level_, .name = name_, .title = title_, .proves = proves_, \
	  .vmx = vmx_, .svm = svm_ },
	L1_FEATURES(X)
#undef X
};
const size_t feature_row_count = ARRAY_SIZE(feature_rows);

_Static_assert(ARRAY_SIZE(feature_rows) <= RESULT_FEATURES, "a result has room for every feature");

void need_text(char *text, size_t size, const struct l1_need *need)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };

	if (need->kind == L1_NEED_NOTHING)
		snprintf(text, size, "every CPU");
	else if (need->kind == L1_NEED_OTHER_VENDOR)
		snprintf(text, size, "no CPU");
	else if (need->kind == L1_NEED_MSR)
		snprintf(text, size, "MSR %Xh[%u]", need->where, need->bit);
	else
		snprintf(text, size, "CPUID %Xh %s[%u]", need->where,
			 registers[need->kind - L1_NEED_EAX], need->bit);
}

/* Why L1 never came to a feature. */
static const char *why_not_tried(const struct run_facts *run)
{
	for (unsigned int check = 1; check < L1_CORE_COUNT; check++)
		if (run->status[check] == L1_FAILED)
			return "a core check failed";
	if (run->end == RUN_DONE)
		return "L1 left it out";
	return run->last_check == L1_CHECK_NONE ? "L1 did not come to its checks" :
						  "the run ended before it";
}

/* Failures whose cause is known: which check, how its text starts, below which hypervisor; and where it
 * was mended. */
static const struct known_failure {
	enum l1_check check;
	const char *text, *below, *cause;
} known_failures[] = {
	{ L1_CHECK_XSAVE_STATE, "XCR0, set by XSETBV,", "TCG",
	  "known of QEMU's TCG: it does not let XSETBV exit (mended by a patch of October 2023)" },
};

static void cause_add(struct feature *feature, const struct host_facts *host)
{
	size_t used = strlen(feature->detail);

	for (size_t i = 0; i < ARRAY_SIZE(known_failures); i++) {
		const struct known_failure *row = &known_failures[i];

		if (feature->number == (int)row->check && strstr(l0_name(host), row->below) &&
		    strncmp(feature->detail, row->text, strlen(row->text)) == 0)
			snprintf(feature->detail + used, sizeof(feature->detail) - used, "; %s",
				 row->cause);
	}
}

static void outcome_report(struct feature *feature, const struct l1_need *need,
			   const struct run_facts *run, const struct l1_link *link)
{
	static const enum feature_status statuses[] = {
		[L1_PASSED] = FEATURE_WORKS,
		[L1_FAILED] = FEATURE_FAILS,
		[L1_NOT_OFFERED] = FEATURE_NOT_OFFERED,
		[L1_NOT_APPLICABLE] = FEATURE_NOT_APPLICABLE,
		[L1_NOT_TRIED] = FEATURE_NOT_TRIED,
	};
	unsigned int check = (unsigned int)feature->number;

	if (run->status[check]) {
		feature->status = statuses[run->status[check]];
		feature->timed = true;
		feature->ns = link->check_ns[check];
		snprintf(feature->detail, sizeof(feature->detail), "%s", link->text[check]);
	} else if (run->vendor != L1_VENDOR_NONE && need->kind == L1_NEED_OTHER_VENDOR) {
		feature->status = FEATURE_NOT_APPLICABLE;
	} else if (run->in_check && run->last_check == check) {
		feature->status = FEATURE_UNFINISHED;
		unfinished_text(feature->detail, sizeof(feature->detail), run);
	} else {
		snprintf(feature->detail, sizeof(feature->detail), "%s", why_not_tried(run));
	}
}

void features_report(struct result *result, const struct facts *facts, const struct l1_link *link)
{
	const struct run_facts *run = &facts->run;

	result->features_asked = true;
	for (size_t i = 0; i < feature_row_count; i++) {
		const struct feature_row *row = &feature_rows[i];
		const struct l1_need *need = run->vendor == L1_VENDOR_SVM ? &row->svm : &row->vmx;
		struct feature *feature;

		if (!run->features_asked && row->number != L1_CHECK_SMP)
			continue; /* --smp alone asks for that one */
		feature = result_feature(result, row->number, row->name);
		feature->title = row->title;
		feature->level = row->level;
		feature->proves = row->proves;
		if (run->vendor != L1_VENDOR_NONE && need->kind >= L1_NEED_EAX)
			need_text(feature->needs, sizeof(feature->needs), need);
		outcome_report(feature, need, run, link);
		if (feature->status == FEATURE_FAILS)
			cause_add(feature, &facts->host);
	}
}
