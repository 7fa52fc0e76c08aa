// SPDX-License-Identifier: MIT
// What the CPU offers beyond the core, and whether it works: the run through the tables of features.
#include "feature.h"

#include "checks.h"
#include "costs.h"
#include "cpu.h"
#include "l2.h"

/* What each needs on either vendor's CPU. */
static const struct {
	struct l1_need vmx, svm;
} needs[L1_CHECK_COUNT] = {
#define X(number, id, name, level, title, vmx_, svm_, proves) [number] = { vmx_, svm_ },
	L1_FEATURES(X)
#undef X
};

bool l2_finish(struct outcome *outcome)
{
	return l2_run_to(outcome, L2_EXIT_HYPERCALL);
}

bool l2_start_and_finish(struct outcome *outcome)
{
	return l2_start_to(outcome, L2_EXIT_HYPERCALL);
}

bool l2_alone(struct outcome *outcome, const void *program)
{
	l2_reset(program, 0);
	return l2_start_and_finish(outcome);
}

bool l2_another(struct outcome *outcome)
{
	return l2_alone(outcome, PROGRAM(l2_done));
}

static enum l1_status msr_offers(struct outcome *outcome, const struct l1_need *need)
{
	uint64_t value;

	if (!rdmsr_safe(need->where, &value))
		return outcome_say(outcome, L1_NOT_OFFERED, "MSR %x is not there", (uint64_t)need->where);
	if (value >> need->bit & 1)
		return L1_PASSED;
	return outcome_say(outcome, L1_NOT_OFFERED, "MSR %x bit %u is 0", (uint64_t)need->where,
			   (uint64_t)need->bit);
}

/* L1_PASSED: L1's CPU offers it. */
static enum l1_status offered(struct outcome *outcome, const struct l1_need *need)
{
	static const char *const names[] = { "EAX", "EBX", "ECX", "EDX" };
	struct cpuid r;

	if (need->kind == L1_NEED_NOTHING)
		return L1_PASSED;
	if (need->kind == L1_NEED_OTHER_VENDOR)
		return L1_NOT_APPLICABLE;
	if (need->kind == L1_NEED_MSR)
		return msr_offers(outcome, need);
	r = cpuid(need->where, 0);
	if ((const uint32_t[]){ r.eax, r.ebx, r.ecx, r.edx }[need->kind - L1_NEED_EAX] >> need->bit & 1)
		return L1_PASSED;
	return outcome_say(outcome, L1_NOT_OFFERED, "CPUID %x %s bit %u is 0", (uint64_t)need->where,
			   names[need->kind - L1_NEED_EAX], (uint64_t)need->bit);
}

/* This vendor's row for `id`; a row that needs the other vendor may have none. */
static const struct feature *feature_find(enum l1_check id)
{
	const struct feature *const tables[] = {
		features_memory, features_cpu, features_events, features_smp,
		hv->vendor == L1_VENDOR_SVM ? features_svm : features_vmx,
	};

	for (unsigned int i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct feature *feature = tables[i]; feature->run; feature++)
			if (feature->id == id)
				return feature;
	return 0;
}

static enum l1_status feature_try(enum l1_check id, struct outcome *outcome)
{
	bool is_svm = hv->vendor == L1_VENDOR_SVM;
	enum l1_status status = offered(outcome, is_svm ? &needs[id].svm : &needs[id].vmx);
	const struct feature *feature = feature_find(id);

	if (status != L1_PASSED)
		return status;
	if (feature->nested && !nested)
		return outcome_say(outcome, L1_NOT_TRIED, "L1 has no %s", is_svm ? "NPT" : "EPT");
	return feature->run(outcome);
}

static void feature_run(enum l1_check id)
{
	struct outcome outcome = { 0 };
	uint64_t before = checks_entries();
	enum l1_status status;

	account_begin(id, hv->vendor);
	status = feature_try(id, &outcome);
	outcome.value[L1_VALUE_ENTRIES] = checks_entries() - before;
	account_end(id, status, &outcome);
}

void features_run(void)
{
#define X(number, id, name, level, title, vmx, svm, proves)			\
	if (orders->features || L1_CHECK_##id == L1_CHECK_SMP)		\
		feature_run(L1_CHECK_##id);
	L1_FEATURES(X)
#undef X
	if (orders->features)
		account_costs(cost_l1_exit(), cost_l2_round_trip());
}
