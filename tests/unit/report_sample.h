/* SPDX-License-Identifier: MIT */
/* Made-up results, one of each verdict and a hostile one: for report_test.c and report_dump.c. */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include "contract.h"
#include "result.h"

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

/* Fills `result` with the sample of that name; false = there is none. */
static bool sample_fill(struct result *result, const char *name)
{
	static const char *const names[] = SAMPLE_NAMES;
	static void (*const fill[])(struct result *) = {
		sample_works, sample_limited, sample_broken, sample_unavailable, sample_timed_out,
		sample_failed, sample_hostile,
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		memset(result, 0, sizeof(*result));
		result->ns = 431234567;
		sample_host(result, "AMD EPYC-v4 Processor (family 23, model 1, svm)");
		fill[i](result);
		return true;
	}
	return false;
}

#endif
