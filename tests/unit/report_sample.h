/* SPDX-License-Identifier: MIT */
/* Made-up results, one of each verdict and a hostile one: for report_test.c and report_dump.c; and for
 * the latter alone, one of each reason, and noise. */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include "contract.h"
#include "reasons.h"
#include "result.h"

#include <stdlib.h>
#include <string.h>

/* In the order of enum verdict, and one more. */
#define SAMPLE_NAMES \
	{ "works", "limited", "broken", "unavailable", "timed-out", "failed", "hostile" }

/* Terminal escapes (ESC, and C1's CSI), a line of its own, malformed, overlong, a surrogate, a
 * direction override, too long a word, quotes. */
#define SAMPLE_HOSTILE \
	"\033[2J\033]0;owned\007\xc2\x9b" "31m\r\nWORKS\t\x7f \xff\xfe\xc0\xaf \xed\xa0\x80 " \
	"\xe2\x80\xae \"\\ \xe6\xbc\xa2\xe5\xad\x97 " \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x9c"

/* Every step; the first `passed` of them passed. */
static void sample_steps(struct result *result, size_t passed)
{
	static const struct {
		const char *name;
		int level;
		const char *title;
	} rows[] = {
		{ "kvm-open", 0, "/dev/kvm opens" },
		{ "kvm-api", 0, "KVM speaks API version 12" },
		{ "kvm-offers-virt", 0, "KVM offers VMX or SVM to guests" },
		{ "kvm-nested-paging", 0, "KVM offers nested paging" },
		{ "vm-create", 0, "a VM with one vCPU and memory" },
#define X(number, id, name, level, title) { name, level, title },
		L1_CHECKS(X)
#undef X
		{ "witnesses", 0, "KVM's own counters agree" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct step *step = result_step(result, rows[i].name, rows[i].title, rows[i].level);

		if (strcmp(step->name, "vmcs-load") == 0) {
			step->status = STEP_NOT_APPLICABLE;
		} else if (i < passed) {
			step->status = STEP_PASSED;
			step->timed = true;
			step->ns = (i + 3) * (i + 1) * 7919;
			snprintf(step->detail, sizeof(step->detail), "as it should: %zu", i);
		}
	}
}

static struct step *sample_step(struct result *result, const char *name, enum step_status status,
				const char *detail)
{
	for (size_t i = 0; i < result->steps; i++) {
		struct step *step = &result->step[i];

		if (strcmp(step->name, name) != 0)
			continue;
		step->status = status;
		snprintf(step->detail, sizeof(step->detail), "%s", detail);
		return step;
	}
	return NULL;
}

/* One row of each kind. */
static void sample_features(struct result *result, const char *detail)
{
	static const char *const names[] = { "tsc-offset", "nested-1g", "tsc-scaling", "nrip-save",
					     "nested-flush", "virtual-gif" };

	result->features_asked = true;
	for (int i = 0; i < 6; i++) {
		struct feature *feature = result_feature(result, 100 + i, names[i]);

		feature->status = (enum feature_status)i;
		feature->title = "what it is";
		feature->proves = "what it proves";
		feature->level = 2;
		feature->timed = i < 2;
		feature->ns = 7919;
		if (i == FEATURE_NOT_OFFERED)
			snprintf(feature->needs, sizeof(feature->needs), "CPUID 8000000Ah EDX[4]");
		snprintf(feature->detail, sizeof(feature->detail), "%s", detail);
	}
}

static void sample_verdict(struct result *result, enum verdict verdict, int number,
			   const char *reason, const char *summary)
{
	result->verdict = verdict;
	result->reason_number = number;
	result->reason = reason;
	snprintf(result->summary, sizeof(result->summary), "%s", summary);
}

static void sample_host(struct result *result, const char *brand)
{
	struct fact *host = result->host;
	size_t *hosts = &result->hosts;

	fact_text(host, hosts, "cpu", "CPU", "%s", brand);
	fact_text(host, hosts, "kernel", "Kernel", "6.1.0-39-amd64");
	fact_text(host, hosts, "kvm_module", "KVM module", "kvm_amd, nested=1 npt=1");
	fact_text(host, hosts, "machine", "Machine", "guest of QEMU TCG (TCGTCGTCGTCG)");
	fact_unknown(host, hosts, "dmi_product", "Product", "/sys is not mounted");
}

static void sample_evidence(struct result *result, int entries)
{
	struct fact *list = result->evidence;
	size_t *count = &result->evidences;

	fact_number(list, count, "l1_entries", "Entries into L2 by L1's count", entries);
	fact_number(list, count, "nested_run", "Entries into L2 by KVM's count", entries);
	fact_bool(list, count, "witness_guest_mode", "KVM in guest mode at L2's port", entries > 0);
	fact_bool(list, count, "answer_right", "Challenge answered", entries > 0);
	fact_unknown(list, count, "stat_guest_mode", "Statistic guest_mode",
		     "this kernel has no such statistic");
}

static void sample_works(struct result *result)
{
	sample_steps(result, 21);
	sample_evidence(result, 1016);
	sample_verdict(result, VERDICT_WORKS, 0, "ok",
		       "A guest of this machine's KVM ran a guest of its own.");
}

static void sample_limited(struct result *result)
{
	sample_works(result);
	sample_step(result, "nested-paging", STEP_LIMITED,
		    "L1's CPU does not offer NPT: L2 runs on shadow page tables");
	sample_features(result, "why it is so");
	sample_verdict(result, VERDICT_LIMITED, 502, "nested-paging-missing",
		       "Nested guests run here, but slowly: L1 is not offered nested paging.");
	result_say(result, "kvm_amd was loaded with npt=0. Load it again with npt=1 (no VM may run "
			   "meanwhile):");
	result_command(result, "sudo modprobe -r kvm_amd && sudo modprobe kvm_amd npt=1");
}

static void sample_broken(struct result *result)
{
	sample_works(result);
	sample_step(result, "nested-paging", STEP_FAILED,
		    "expected an exit for 0x40000000, got exit 0x7f (shutdown) at rip 0x10234a");
	sample_step(result, "l2-interrupt", STEP_NOT_TRIED, "");
	sample_verdict(result, VERDICT_BROKEN, 512, "l2-wrong-exit",
		       "L2 starts, but does not run right under nested paging.");
	result_say(result, "L0, the hypervisor below this machine, is at fault. Report it there "
			   "with the output of:");
	result_command(result, "minivmm --nested-probe --format json --verbose");
}

static void sample_unavailable(struct result *result)
{
	sample_steps(result, 2);
	sample_step(result, "kvm-offers-virt", STEP_FAILED,
		    "kvm_amd has nested=0: KVM does not offer SVM to its guests");
	sample_verdict(result, VERDICT_UNAVAILABLE, 301, "nested-disabled",
		       "Nesting is switched off in this machine's KVM (kvm_amd nested=0).");
	result_say(result, "Switch it on until the next boot. No VM may run meanwhile:");
	result_command(result, "sudo modprobe -r kvm_amd");
	result_command(result, "sudo modprobe kvm_amd nested=1");
	result_say(result, "And for good:");
	result_command(result, "echo 'options kvm_amd nested=1' | "
			       "sudo tee /etc/modprobe.d/nested.conf");
}

static void sample_timed_out(struct result *result)
{
	sample_steps(result, 11);
	sample_step(result, "l2-resume", STEP_UNFINISHED,
		    "after 412 rounds; rip 0x0000000000101f3c, in L2 by KVM's word");
	sample_evidence(result, 414);
	sample_verdict(result, VERDICT_TIMED_OUT, 531, "timed-out",
		       "5 s were not enough: L2 was being resumed when the time ran out.");
	result->ns = 5000123456;
	result_say(result, "On a machine that emulates its CPU, give it more time:");
	result_command(result, "minivmm --nested-probe --timeout 120");
}

static void sample_failed(struct result *result)
{
	sample_steps(result, 4);
	sample_step(result, "vm-create", STEP_FAILED, "KVM_CREATE_VCPU: Cannot allocate memory");
	sample_verdict(result, VERDICT_FAILED, 901, "internal-error",
		       "minivmm could not make the vCPU: Cannot allocate memory.");
}

static void sample_hostile(struct result *result)
{
	sample_broken(result);
	result->hosts = 0;
	sample_host(result, SAMPLE_HOSTILE);
	sample_step(result, "l2-exception", STEP_FAILED, SAMPLE_HOSTILE);
	sample_features(result, SAMPLE_HOSTILE);
	snprintf(result->summary, sizeof(result->summary), "%s", SAMPLE_HOSTILE);
	fact_text(result->evidence, &result->evidences, "l1_says", "L1 says", "%s", SAMPLE_HOSTILE);
	result_say(result, "%s", SAMPLE_HOSTILE);
	result_command(result, "echo %s", SAMPLE_HOSTILE);
}

/* ---- any reason, with any verdict: "nested-disabled:broken" ---- */

static const struct reason *sample_reason(const char *name, enum verdict *verdict)
{
	static const char *const verdicts[] = SAMPLE_NAMES;
	const struct reason *reason;

	for (size_t i = 0; (reason = reason_at(i)); i++) {
		size_t length = strlen(reason->name);

		if (strncmp(reason->name, name, length) != 0 || name[length] != ':')
			continue;
		for (int v = 0; v <= VERDICT_FAILED; v++) {
			*verdict = (enum verdict)v;
			if (strcmp(name + length + 1, verdicts[v]) == 0)
				return reason;
		}
	}
	return NULL;
}

/* What is required, of each kind: met, and not. */
static void sample_required(struct result *result)
{
	result_require(result, "nested");
	result_require(result, "state");
	result_require(result, "l2-entry");
	result_require(result, "tsc-offset");
	result_require(result, "nested-1g");
}

static void sample_of_reason(struct result *result, const struct reason *reason, enum verdict verdict)
{
	static void (*const like[])(struct result *) = {
		sample_works, sample_limited, sample_broken, sample_unavailable, sample_timed_out,
		sample_failed,
	};
	static const struct facts nothing;

	like[verdict](result);
	sample_verdict(result, verdict, reason->number, reason->name, reason->cause);
	result->remedies = 0;
	if (reason->remedy)
		reason->remedy(result, &nothing);
	if (!result->features_asked && reason->number % 2)
		sample_features(result, "why it is so");
	if (reason->number % 3 == 0)
		sample_required(result);
}

/* ---- noise: "noise:SEED" ---- */

/* Words that mean something to one format or another. */
static const char *const noise_words[] = {
	"]]>", "<![CDATA[", "</failure>", "<script>alert(1)</script>", "<img src=x>", "&amp;", "&#0;",
	"<!--", "-->", "\n::error::x", "::error::x", "::stop-commands::x", "::add-mask::a", "##[error]x",
	"\n##[add-path]x", "%0A::error::x", "%25", "${{ secrets.X }}", "\nok 1 - fake", "\nnot ok 2",
	"Bail out!", "\nBail out! now", "\n1..0", " # SKIP", "# TODO", "#", "\\#", "\\", "\\\\", "\n---\n",
	"- item", "1. item", "    code", "> quote", "===", "| pipe |", "|---|", "`", "```\n", "~~~", "**b**",
	"_i_", "[a](http://x.y)", "![a](x)", "www.example.com", "http://example.com", "a@example.com",
	"\"", "'", "{x=\"y\"} 1", "\n# TYPE x gauge", "\nverdict=works", "verdict<<EOF\n", "EOF\n", "\n\n",
	"\r", "\t", "\033[2J", "\033]0;x\007", "\033]8;;http://x\033\\", "\xc2\x9b;1m", "\x7f", "\xff",
	"\xc0\xaf", "\xed\xa0\x80", "\xe2\x9c", "\xef\xbf\xbe", "\xef\xbb\xbf", "\xe2\x80\xae",
	"\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xe6\xbc\xa2", "cafe\xcc\x81", " ",
};

/* splitmix64 */
static uint64_t noise_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Words, any bytes, or one long word; never empty, and often as much as there is room for. */
static void noise_fill(char *text, size_t size, uint64_t *seed)
{
	size_t count = sizeof(noise_words) / sizeof(noise_words[0]), at = 0;
	size_t most = noise_next(seed) % 3 ? size - 1 : 1 + noise_next(seed) % (size - 1);
	unsigned int kind = (unsigned int)(noise_next(seed) % 8);

	memset(text, 0, size);
	while (at < most) {
		const char *word = noise_words[noise_next(seed) % count];
		size_t length = strlen(word) < most - at ? strlen(word) : most - at;

		if (kind < 6)
			memcpy(text + at, word, length);
		else
			text[at] = kind == 6 ? (char)(1 + noise_next(seed) % 255) : 'a';
		at += kind < 6 ? length : 1;
	}
}

static void noise_facts(struct fact *list, size_t count, uint64_t *seed)
{
	for (size_t i = 0; i < count; i++) {
		/* minivmm's own words, by contract */
		if (strcmp(list[i].key, "cpu_virtualization") == 0)
			continue;
		if (list[i].kind == FACT_NUMBER)
			list[i].number = (int64_t)noise_next(seed);
		else if (list[i].kind != FACT_BOOL)
			noise_fill(list[i].text, sizeof(list[i].text), seed);
	}
}

static void noise_series(struct result *result, uint64_t *seed)
{
	static struct series series;

	series = (struct series){ .runs = 3, .parallel = 1, .ns = noise_next(seed) >> 2, .ns_min = 1,
				  .ns_max = 9, .ns_sum = 12, .kept_run = 1, .kept_cpu = -1,
				  .kept_reason = "flaky", .kept_verdict = VERDICT_BROKEN,
				  .tallies = 2, .cpus = 2 };
	series.tally[0] = (struct series_tally){ "ok", 0, VERDICT_WORKS, 1 };
	series.tally[1] = (struct series_tally){ "l1-trap", 530, VERDICT_BROKEN, 2 };
	series.cpu[0] = (struct series_cpu){ .cpu = 0, .runs = 1, .reason = "ok", .odd = true };
	series.cpu[1] = (struct series_cpu){ .cpu = 7, .runs = 2, .reason = "l1-trap", .mixed = true };
	result->series = &series;
}

/* Every text that may come from outside is noise; words of minivmm's own are as ever. */
static void sample_noise(struct result *result, uint64_t seed)
{
	static const struct reason *reason;
	enum verdict verdict = (enum verdict)(noise_next(&seed) % (VERDICT_FAILED + 1));
	size_t reasons = 0;

	while (reason_at(reasons))
		reasons++;
	/* the last of the catalogue is "ok" */
	reason = reason_at(verdict == VERDICT_WORKS ? reasons - 1 : noise_next(&seed) % (reasons - 1));
	sample_of_reason(result, reason, verdict);
	if (!result->features_asked)
		sample_features(result, "x");
	if (!result->requirements)
		sample_required(result);
	result_say(result, "x");
	result_command(result, "x");
	fact_text(result->evidence, &result->evidences, "l1_says", "L1 says", "x");
	fact_text(result->host, &result->hosts, "level", NULL, "x");
	fact_text(result->host, &result->hosts, "cpu_virtualization", NULL, "svm");
	noise_fill(result->summary, sizeof(result->summary), &seed);
	noise_facts(result->host, result->hosts, &seed);
	noise_facts(result->evidence, result->evidences, &seed);
	for (size_t i = 0; i < result->steps; i++)
		noise_fill(result->step[i].detail, sizeof(result->step[i].detail), &seed);
	for (size_t i = 0; i < result->features; i++) {
		noise_fill(result->feature[i].needs, sizeof(result->feature[i].needs), &seed);
		noise_fill(result->feature[i].detail, sizeof(result->feature[i].detail), &seed);
	}
	for (size_t i = 0; i < result->remedies; i++)
		noise_fill(result->remedy[i].text, sizeof(result->remedy[i].text), &seed);
	for (size_t i = 0; i < result->requirements; i++)
		if (!result->required[i].met)
			noise_fill(result->required[i].why, sizeof(result->required[i].why), &seed);
	if (noise_next(&seed) % 2)
		noise_series(result, &seed);
}

/* Fills `result` with the sample of that name; false = there is none. */
static bool sample_fill(struct result *result, const char *name)
{
	static const char *const names[] = SAMPLE_NAMES;
	static void (*const fill[])(struct result *) = {
		sample_works, sample_limited, sample_broken, sample_unavailable, sample_timed_out,
		sample_failed, sample_hostile,
	};

	const struct reason *reason;
	enum verdict verdict;

	memset(result, 0, sizeof(*result));
	result->ns = 431234567;
	sample_host(result, "AMD EPYC-v4 Processor (family 23, model 1, svm)");
	if (strncmp(name, "noise:", 6) == 0)
		return sample_noise(result, strtoull(name + 6, NULL, 10)), true;
	reason = sample_reason(name, &verdict);
	if (reason)
		return sample_of_reason(result, reason, verdict), true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return fill[i](result), true;
	return false;
}

#endif
