// SPDX-License-Identifier: MIT
// Facts for the report. Keys are part of the JSON schema's contract: stable.
#include "evidence.h"

#include "bits.h"
#include "exit_words.h"
#include "l0.h"

#include <stdio.h>
#include <string.h>

#define HOST(result)	 (result)->host, &(result)->hosts
#define EVIDENCE(result) (result)->evidence, &(result)->evidences

static void text_or_unknown(struct result *result, const char *key, const char *label,
			    const char *text, const char *why)
{
	if (text[0])
		fact_text(HOST(result), key, label, "%s", text);
	else
		fact_unknown(HOST(result), key, label, why);
}

static void tristate_report(struct result *result, const char *key, const char *label,
			    enum tristate value, const char *why)
{
	if (value == UNKNOWN)
		fact_unknown(EVIDENCE(result), key, label, why);
	else
		fact_bool(EVIDENCE(result), key, label, value == YES);
}

/* Facts without a label are for programs; people get them summed up in one line. */
#define FOR_PROGRAMS NULL

static const char *vendor_name(enum cpu_vendor vendor)
{
	return vendor == CPU_INTEL ? "Intel" : vendor == CPU_AMD ? "AMD" : "other";
}

static void cpu_report(struct result *result, const struct host_facts *host)
{
	const char *virt = host->cpuid_vmx ? "vmx" : host->cpuid_svm ? "svm" : "none";

	fact_text(HOST(result), "cpu_summary", "CPU", "%s, %s",
		  host->cpu_brand[0] ? host->cpu_brand : "a CPU without a brand string",
		  host->cpuid_vmx ? "shows vmx" :
		  host->cpuid_svm ? "shows svm" :
				    "shows neither vmx nor svm");
	text_or_unknown(result, "cpu", FOR_PROGRAMS, host->cpu_brand, "CPUID has no brand string");
	fact_text(HOST(result), "cpu_vendor", FOR_PROGRAMS, "%s", vendor_name(host->vendor));
	fact_number(HOST(result), "cpu_family", FOR_PROGRAMS, host->family);
	fact_number(HOST(result), "cpu_model", FOR_PROGRAMS, host->model);
	fact_number(HOST(result), "cpu_stepping", FOR_PROGRAMS, host->stepping);
	fact_text(HOST(result), "cpu_virtualization", FOR_PROGRAMS, "%s", virt);
}

static void module_report(struct result *result, const struct host_facts *host)
{
	const char *paging = host->vendor == CPU_AMD ? "npt" : "ept";
	const char *why = host->sys_visible ? "no such parameter here" : "/sys is not visible";
	const struct {
		const char *name, *value;
	} params[] = { { "nested", host->nested.text }, { paging, host->nested_paging.text } };
	char summary[96] = "";

	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		size_t used = strlen(summary);

		text_or_unknown(result, params[i].name, FOR_PROGRAMS, params[i].value, why);
		if (params[i].value[0])
			snprintf(summary + used, sizeof(summary) - used, ", %s=%s", params[i].name,
				 params[i].value);
	}
	text_or_unknown(result, "kvm_module", FOR_PROGRAMS, host->vendor_module,
			host->sys_visible ? "none is loaded" : "/sys is not visible");
	if (host->module_users >= 0)
		fact_number(HOST(result), "kvm_module_users", FOR_PROGRAMS, host->module_users);
	else
		fact_unknown(HOST(result), "kvm_module_users", FOR_PROGRAMS, why);
	fact_text(HOST(result), "kvm_summary", "KVM module", "%s%s",
		  host->vendor_module[0] ? host->vendor_module :
		  host->sys_visible	 ? "none is loaded" :
					   "unknown: /sys is not visible",
		  summary);
}

static void level_report(struct result *result, const struct host_facts *host)
{
	if (!host->hypervisor_bit)
		fact_text(HOST(result), "level", "This host is", "bare metal");
	else
		fact_text(HOST(result), "level", "This host is", "a guest of %s",
			  l0_name(host));
	if (host->container[0])
		fact_text(HOST(result), "container", "Container", "%s", host->container);
}

void host_report(struct result *result, const struct host_facts *host)
{
	cpu_report(result, host);
	fact_text(HOST(result), "kernel", "Kernel", "%s", host->kernel);
	module_report(result, host);
	level_report(result, host);
	if (!host->proc_visible || !host->sys_visible)
		fact_text(HOST(result), "not_visible", "Not visible", "%s%s%s: what lies there is unknown",
			  host->proc_visible ? "" : "/proc",
			  host->proc_visible || host->sys_visible ? "" : " and ",
			  host->sys_visible ? "" : "/sys");
}

static void counters_report(struct result *result, const struct run_facts *run)
{
	if (run->end == RUN_DONE)
		fact_number(EVIDENCE(result), "l1_entries", "Entries into L2 by L1's count",
			    (int64_t)run->entries);
	else
		fact_unknown(EVIDENCE(result), "l1_entries", "Entries into L2 by L1's count",
			     "L1 tells it last of all");
	if (run->nested_run_known)
		fact_number(EVIDENCE(result), "kvm_nested_run", "Entries into L2 by KVM's count",
			    (int64_t)run->nested_run);
	else
		fact_unknown(EVIDENCE(result), "kvm_nested_run", "Entries into L2 by KVM's count",
			     "this kernel has no statistic nested_run");
}

static void cpus_report(struct result *result, const struct run_facts *run)
{
	const char *label = "CPUs that KVM saw in L2";

	fact_number(EVIDENCE(result), "cpus", "CPUs of L1", run->cpus);
	if (run->witness_guest_mode == UNKNOWN && run->stat_guest_mode == UNKNOWN)
		fact_unknown(EVIDENCE(result), "cpus_in_l2", label,
			     run->witness_reads ? "this kernel has no witness" : "no L2 came to minivmm");
	else
		fact_number(EVIDENCE(result), "cpus_in_l2", label, run->cpus_in_l2);
}

static void witness_report(struct result *result, const struct run_facts *run)
{
	fact_bool(EVIDENCE(result), "challenge_answered", "Challenge answered",
		  run->answer_checked && run->answer_right);
	fact_number(EVIDENCE(result), "witness_exits", "Exits straight from L2",
		    (int64_t)run->witness_reads + run->witness_writes);
	if (run->cpus > 1)
		cpus_report(result, run);
	if (run->witness_reads + run->witness_writes == 0)
		return;
	fact_bool(EVIDENCE(result), "witness_answered", "Right answer there",
		  run->witness_answer_right);
	tristate_report(result, "witness_guest_mode", "KVM in guest mode there",
			run->witness_guest_mode, "this kernel has no KVM_GET_NESTED_STATE");
	tristate_report(result, "stat_guest_mode", "Statistic guest_mode there",
			run->stat_guest_mode, "this kernel has no statistic guest_mode");
}

/*
 * Hardware takes 1,000 to 3,000 cycles for an exit, and an L2's goes through L0 four times or more, a few
 * tens of thousands (Ben-Yehuda et al., "The Turtles Project"). Far beyond that is a remark, no verdict:
 * nesting works.
 */
#define SLOW_EXIT_CYCLES	20000
#define SLOW_ROUND_TRIP_CYCLES	200000
#define SLOW_RATIO		50

static void slow_report(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	const char *paging = run->vendor == L1_VENDOR_VMX ? "EPT" : "NPT";
	const char *cause = "the host is overcommitted, or its mitigations are dear";

	if (run->exit_cycles < SLOW_EXIT_CYCLES && run->round_trip_cycles < SLOW_ROUND_TRIP_CYCLES &&
	    run->round_trip_cycles / run->exit_cycles < SLOW_RATIO)
		return;
	if (strstr(l0_name(&facts->host), "emulator"))
		cause = "the CPU below is emulated";
	else if (!facts->kvm.offers_nested_paging)
		cause = paging[0] == 'E' ? "L1 has no EPT" : "L1 has no NPT";
	else if (strstr(l0_name(&facts->host), "Hyper-V"))
		cause = "KVM does not use Hyper-V's enlightened VMCS";
	fact_text(EVIDENCE(result), "slow", "Slow", "nesting works, but exits are dear; likely %s", cause);
}

static void cost_report(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;

	if (!run->exit_cycles || !run->round_trip_cycles)
		return;
	fact_number(EVIDENCE(result), "exit_cycles", "Cycles of an exit from L1",
		    (int64_t)run->exit_cycles);
	fact_number(EVIDENCE(result), "round_trip_cycles", "Cycles from L2 to L1 and back",
		    (int64_t)run->round_trip_cycles);
	slow_report(result, facts);
}

static const char *end_name(enum run_end end)
{
	static const char *const names[] = {
		[RUN_NOT_STARTED] = "not started",
		[RUN_DONE] = "L1 reported to the end",
		[RUN_TRAP] = "L1 took an exception",
		[RUN_SHUTDOWN] = "triple fault",
		[RUN_FAIL_ENTRY] = "KVM could not enter the guest",
		[RUN_INTERNAL_ERROR] = "KVM internal error",
		[RUN_HALTED] = "L1 halted without a word",
		[RUN_BAD_MESSAGE] = "L1 broke the contract",
		[RUN_UNKNOWN_EXIT] = "an exit that minivmm does not know",
		[RUN_ERROR] = "KVM_RUN failed",
		[RUN_SELF_FAILED] = "minivmm itself failed",
		[RUN_TIMED_OUT] = "time ran out",
	};

	return names[end];
}

/* "VMX is on (VMXON region 0x3000), VMCS 0x4000 is current, KVM counted 12 entries into L2" */
static void reached_report(struct result *result, const struct run_facts *run)
{
	bool vmx = run->vmxon_pointer != UINT64_MAX;
	char on[64], block[64] = "", entries[64] = "";

	if (run->virt_is_on == UNKNOWN) {
		fact_unknown(EVIDENCE(result), "l1_reached", "L1 got so far",
			     "this kernel has no KVM_GET_NESTED_STATE");
		return;
	}
	if (vmx)
		snprintf(on, sizeof(on), "VMX is on (VMXON region 0x%llx)",
			 (unsigned long long)run->vmxon_pointer);
	else
		snprintf(on, sizeof(on), run->virt_is_on == YES ? "SVM is on (EFER.SVME)" :
								  "neither VMX nor SVM is on");
	if (run->control_block != UINT64_MAX)
		snprintf(block, sizeof(block), ", %s 0x%llx is %s", vmx ? "VMCS" : "VMCB",
			 (unsigned long long)run->control_block, vmx ? "current" : "running");
	if (run->nested_run_known)
		snprintf(entries, sizeof(entries), ", KVM counted %llu entries into L2",
			 (unsigned long long)run->nested_run);
	fact_text(EVIDENCE(result), "l1_reached", "L1 got so far", "%s%s%s", on, block, entries);
}

/* The first core check that failed. */
static bool failed_check(const struct run_facts *run, unsigned int *check)
{
	for (*check = L1_CHECK_NONE + 1; *check < L1_CORE_COUNT; ++*check)
		if (run->status[*check] == L1_FAILED)
			return true;
	return false;
}

/* What L1 said of the exit at which the first check failed, in words. */
static void exit_report(struct result *result, const struct run_facts *run, unsigned int check)
{
	const uint64_t *value = run->value[check];
	bool vmx = run->vendor == L1_VENDOR_VMX;
	uint64_t exit = value[L1_VALUE_EXIT], error = value[L1_VALUE_INSTR_ERROR];
	const char *name = vmx ? vmx_exit_name(exit) : svm_exit_name(exit);
	char more[80] = "";

	if (error) {
		name = vm_instruction_error(error);
		fact_text(EVIDENCE(result), "l1_exit", "L1 was told", "VM-instruction error %llu: %s",
			  (unsigned long long)error, name ? name : "unnamed");
		return;
	}
	if (!exit && !value[L1_VALUE_RIP])
		return;
	if (vmx)
		vmx_qualification(more, sizeof(more), exit, value[L1_VALUE_INFO1]);
	fact_text(EVIDENCE(result), "l1_exit", "L1 was told", "exit 0x%llx, %s%s%s%s",
		  (unsigned long long)exit, name ? name : "unnamed",
		  vmx && exit & VMX_ENTRY_FAILED ? ", VM entry failed" : "", more[0] ? ": " : "",
		  more);
}

void evidence_report(struct result *result, const struct facts *facts, uint64_t exits)
{
	const struct run_facts *run = &facts->run;
	unsigned int check;

	fact_text(EVIDENCE(result), "run_end", "How the run ended", "%s", end_name(run->end));
	if (run->end == RUN_NOT_STARTED)
		return;
	fact_number(EVIDENCE(result), "exits", "Exits to minivmm", (int64_t)exits);
	counters_report(result, run);
	witness_report(result, run);
	cost_report(result, facts);
	if (failed_check(run, &check))
		exit_report(result, run, check);
	else if (run->end == RUN_DONE)
		return;
	reached_report(result, run);
	if (run->kernel_says[0])
		fact_text(EVIDENCE(result), "kernel_says", "The kernel says", "%s", run->kernel_says);
	if (run->end == RUN_DONE)
		return;
	fact_text(EVIDENCE(result), "rip", "Instruction pointer", "0x%llx",
		  (unsigned long long)run->rip);
	tristate_report(result, "stopped_in_l2", "Stopped while in L2", run->in_l2,
			"this kernel has no KVM_GET_NESTED_STATE");
}
