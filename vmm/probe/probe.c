// SPDX-License-Identifier: MIT
// The ladder: device, what KVM offers, set-up, L1 and its checks, witnesses, verdict.
#include "probe.h"

#include "boot.h"
#include "deadline.h"
#include "error.h"
#include "evidence.h"
#include "features_report.h"
#include "l1_link.h"
#include "reasons.h"
#include "trace.h"
#include "x86.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MEMORY_SIZE (16UL << 20)

/* All that one probe needs, in one place. */
struct probe {
	const struct probe_options *options;
	struct result *result;
	struct facts facts;
	struct kvm kvm;
	struct cpuid_table cpuid;	/* KVM's */
	struct machine machine;
	struct l1_link link;
	uint64_t start_ns, step_ns;
};

static void step_end(struct probe *probe, struct step *step, bool ok, const char *detail)
{
	step->status = ok ? STEP_PASSED : STEP_FAILED;
	step->timed = true;
	step->ns = now_ns() - probe->step_ns;
	snprintf(step->detail, sizeof(step->detail), "%s", detail);
}

/* A set-up call failed: error_last() knows which. */
static void call_failed(struct probe *probe)
{
	struct kvm_facts *facts = &probe->facts.kvm;

	snprintf(facts->failed_call, sizeof(facts->failed_call), "%s", error_last()->what);
	facts->failed_errno = error_last()->err;
}

/* The rungs. Each fills in its step, and returns true when the next one can be tried. */

static bool device_open(struct probe *probe, struct step *step)
{
	struct kvm_facts *facts = &probe->facts.kvm;
	const struct kvm_need *unmet;
	char detail[64];
	int version;

	if (kvm_open(&probe->kvm, KVM_DEVICE) < 0) {
		facts->open_errno = error_last()->err;
		step_end(probe, step, false, error_last()->text);
		return false;
	}
	version = kvm_api_version(&probe->kvm);
	if (version < 0) {
		facts->api_errno = -version;
		step_end(probe, step, false, error_last()->text);
		return false;
	}
	facts->asked_api = true;
	facts->api_version = version;
	unmet = version == KVM_API_VERSION ? kvm_unmet(&probe->kvm) : NULL;
	if (unmet)
		facts->missing_cap = unmet->name;
	facts->asked_nested_state = true;
	facts->saves_nested_state = kvm_check(&probe->kvm, KVM_CAP_NESTED_STATE) > 0;
	probe->link.has_state = facts->saves_nested_state;
	snprintf(detail, sizeof(detail), "API version %d%s%s", version, unmet ? ", no " : "",
		 unmet ? unmet->name : "");
	step_end(probe, step, version == KVM_API_VERSION && !unmet, detail);
	return step->status == STEP_PASSED;
}

#define VMX_PROCBASED_CTLS2_UNRESTRICTED 0x80

/* A control for L1: an "allowed" bit in the high half of IA32_VMX_PROCBASED_CTLS2. */
static bool offers_control(const struct kvm *kvm, uint32_t control)
{
	uint64_t controls;

	return kvm_feature_msr(kvm, MSR_IA32_VMX_PROCBASED_CTLS2, &controls) &&
	       (controls >> 32 & control);
}

/* The answer that decides: what KVM itself can show to a guest. */
static bool virt_offered(struct probe *probe, struct step *step)
{
	struct kvm_facts *facts = &probe->facts.kvm;
	struct cpuid_table *cpuid = &probe->cpuid, shown;

	if (kvm_supported_cpuid(&probe->kvm, cpuid) < 0) {
		call_failed(probe);
		step_end(probe, step, false, error_last()->text);
		return false;
	}
	facts->asked_cpuid = true;
	facts->offers_vmx = cpuid_has(cpuid, "vmx");
	facts->offers_svm = cpuid_has(cpuid, "svm");
	facts->offers_nested_paging = (facts->offers_svm && cpuid_has(cpuid, "npt")) ||
				      (facts->offers_vmx &&
				       offers_control(&probe->kvm, VMX_PROCBASED_CTLS2_EPT));
	facts->offers_unrestricted =
		facts->offers_vmx && offers_control(&probe->kvm, VMX_PROCBASED_CTLS2_UNRESTRICTED);
	shown = *cpuid;
	cpu_model_apply(&probe->options->cpu, &shown, 0);
	probe->link.shows_vmx = cpuid_has(&shown, "vmx");
	probe->link.shows_svm = cpuid_has(&shown, "svm");
	facts->hidden_by_option = (facts->offers_vmx || facts->offers_svm) &&
				  !probe->link.shows_vmx && !probe->link.shows_svm;
	step_end(probe, step, facts->offers_vmx || facts->offers_svm,
		 facts->offers_vmx ? "KVM_GET_SUPPORTED_CPUID shows VMX" :
		 facts->offers_svm ? "KVM_GET_SUPPORTED_CPUID shows SVM" :
				     "KVM_GET_SUPPORTED_CPUID shows neither VMX nor SVM");
	/* "-cpu host,+svm" is the user's way to have L1 run against all advice */
	return !reason_before_run(&probe->facts) ||
	       cpu_model_wants(&probe->options->cpu, "svm") > 0 ||
	       cpu_model_wants(&probe->options->cpu, "vmx") > 0;
}

static bool machine_build(struct probe *probe, struct step *step)
{
	static const struct kvm_msr_entry feature_control = {
		.index = MSR_IA32_FEATURE_CONTROL,
		.data = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON,
	};
	const struct machine_config config = {
		.memory_size = MEMORY_SIZE,
		.cpus = probe->options->cpus,
		.irqchip = IRQCHIP_LOCAL,
		.cpuid = &probe->cpuid,
		.model = &probe->options->cpu,
		/* what firmware does on a PC: without it VMXON raises #GP. KVM takes it where it offers
		 * VMX; a user's own +vmx is none of its business. */
		.msrs = &feature_control,
		.msr_count = probe->facts.kvm.offers_vmx && probe->link.shows_vmx,
	};
	const struct boot_request request = { .kernel = probe->options->l1, .command_line = "" };
	struct machine *machine = &probe->machine;
	struct layout layout;
	struct start start;
	int r = machine_create(machine, &probe->kvm, &config, &probe->facts.kvm.rejected_msr);

	layout_init(&layout);
	if (r == 0)
		r = l1_link_attach(&probe->link, machine, &probe->facts.run);
	if (r == 0)
		r = boot_pvh.load(&request, &machine->memory, &layout, &start);
	if (r == 0)
		r = start_apply(&start, &machine->memory, &machine->cpu[0].vcpu);
	if (r < 0)
		call_failed(probe);
	step_end(probe, step, r == 0, r < 0 ? error_last()->text : "");
	return r == 0;
}

static void end_take(struct run_facts *run, const struct machine_result *end)
{
	static const enum run_end ends[] = {
		[MACHINE_HALTED] = RUN_HALTED,
		[MACHINE_SHUTDOWN] = RUN_SHUTDOWN,
		[MACHINE_FAIL_ENTRY] = RUN_FAIL_ENTRY,
		[MACHINE_INTERNAL_ERROR] = RUN_INTERNAL_ERROR,
		[MACHINE_UNKNOWN_EXIT] = RUN_UNKNOWN_EXIT,
		[MACHINE_RUN_FAILED] = RUN_ERROR,
		[MACHINE_DEADLINE] = RUN_TIMED_OUT,
	};

	if (end->end != MACHINE_STOPPED) /* else the link has said why */
		run->end = ends[end->end];
	run->rip = end->rip;
	run->hardware_reason = end->hardware_reason;
	run->suberror = end->suberror;
	run->exit_reason = end->exit_reason;
	run->failed_errno = -end->err;
}

/* Where another vCPU ends the machine, the first one shall see it. */
static void first_kick(struct machine *machine)
{
	pthread_kill(machine->cpu[0].thread, SIGUSR1);
}

static int others_start(struct machine *machine)
{
	machine->cpu[0].thread = pthread_self();
	machine->ended = first_kick;
	return machine_threads_start(machine, 1);
}

/* Runs all vCPUs to the end of the machine, the first one in this thread, which has the deadline. */
static void cpus_run(struct probe *probe)
{
	struct machine *machine = &probe->machine;
	struct cpu *cpu = &machine->cpu[0];

	deadline_watch(cpu->vcpu.run);
	if (machine->cpus > 1 && others_start(machine) < 0) {
		probe->facts.run.end = RUN_SELF_FAILED;
		machine_stop(machine, MACHINE_STOPPED);
	} else {
		cpu_run(cpu);
	}
	machine_threads_join(machine);
	deadline_watch(NULL);
	/* nobody looks around while they run */
	if (machine->cpus > 1 && machine->result.end == MACHINE_DEADLINE && machine_is_dead(machine))
		machine->result.end = MACHINE_HALTED;
}

static bool l1_run(struct probe *probe, struct step *step)
{
	struct run_facts *run = &probe->facts.run;

	cpus_run(probe);
	end_take(run, &probe->machine.result);
	if (run->end == RUN_SELF_FAILED)
		call_failed(probe);
	l1_link_verify(&probe->link);
	step_end(probe, step, probe->link.said_hello, "");
	if (probe->link.said_hello) {
		step->ns = probe->link.hello_ns - probe->step_ns;
		return true;
	}
	step->status = run->end == RUN_TIMED_OUT ? STEP_UNFINISHED : STEP_FAILED;
	snprintf(step->detail, sizeof(step->detail), "no word from L1; it was at 0x%llx",
		 (unsigned long long)run->rip);
	return false;
}

static const struct rung {
	const char *name, *title;
	int level;
	bool (*climb)(struct probe *probe, struct step *step);
} rungs[] = {
	{ "kvm-device", "/dev/kvm opens and is KVM", 0, device_open },
	{ "kvm-offers-virt", "KVM offers VMX or SVM to guests", 0, virt_offered },
	{ "vm-create", "a VM with memory and vCPUs", 0, machine_build },
	{ "l1-boot", "the L1 kernel boots", 1, l1_run },
};

static const struct check_row {
	const char *name, *title;
	int level;
} check_rows[L1_CORE_COUNT] = {
#define X(number, id, name_, level_, title_) [number] = { name_, title_, level_ },
	L1_CHECKS(X)
#undef X
};

static const struct check_row witnesses_row = {
	"witnesses", "what KVM counted agrees with what L1 says", 0
};

bool probe_step_at(size_t i, const char **name, const char **title)
{
	const struct check_row *row = &witnesses_row;

	if (i < ARRAY_SIZE(rungs)) {
		*name = rungs[i].name;
		*title = rungs[i].title;
		return true;
	}
	i -= ARRAY_SIZE(rungs);
	if (i < L1_CORE_COUNT - 1)
		row = &check_rows[L1_CHECK_NONE + 1 + i];
	*name = row->name;
	*title = row->title;
	return i < L1_CORE_COUNT;
}

/* L1's own rows, as they came in, or not. */
static void checks_report(struct probe *probe)
{
	static const enum step_status statuses[] = {
		[L1_PASSED] = STEP_PASSED,
		[L1_FAILED] = STEP_FAILED,
		[L1_NOT_OFFERED] = STEP_LIMITED,
		[L1_NOT_APPLICABLE] = STEP_NOT_APPLICABLE,
	};
	const struct run_facts *run = &probe->facts.run;

	for (unsigned int check = L1_CHECK_NONE + 1; check < L1_CORE_COUNT; check++) {
		const struct check_row *row = &check_rows[check];
		struct step *step = result_step(probe->result, row->name, row->title, row->level);

		if (run->status[check]) {
			step->status = statuses[run->status[check]];
			step->timed = true;
			step->ns = probe->link.check_ns[check];
			snprintf(step->detail, sizeof(step->detail), "%s", probe->link.text[check]);
		} else if (run->in_check && run->last_check == check) {
			step->status = STEP_UNFINISHED;
			unfinished_text(step->detail, sizeof(step->detail), run);
		}
	}
}

/* The last rung: KVM's word against L1's. It stands only where L1 claims that L2 ran. */
static void witnesses_report(struct probe *probe)
{
	const struct run_facts *run = &probe->facts.run;
	struct step *step = result_step(probe->result, witnesses_row.name, witnesses_row.title,
					witnesses_row.level);

	bool asked = run->end == RUN_DONE && run->status[L1_CHECK_L2_PORT] == L1_PASSED;
	bool any = run->nested_run_known || run->witness_guest_mode != UNKNOWN ||
		   run->stat_guest_mode != UNKNOWN;

	if (run->disagreement[0])
		step->status = STEP_FAILED;
	else if (asked)
		step->status = any ? STEP_PASSED : STEP_LIMITED;
	snprintf(step->detail, sizeof(step->detail), "%s",
		 asked && !any ? "this kernel's KVM has no witness: it is L1's word alone" :
				 run->disagreement);
}

static bool deadline_begin(struct probe *probe, unsigned int milliseconds)
{
	if (deadline_arm(milliseconds) == 0)
		return true;
	call_failed(probe);
	probe->facts.run.end = RUN_SELF_FAILED;
	return false;
}

static void rungs_climb(struct probe *probe, bool climbing)
{
	for (size_t i = 0; i < ARRAY_SIZE(rungs); i++) {
		struct step *step = result_step(probe->result, rungs[i].name, rungs[i].title,
						rungs[i].level);

		probe->step_ns = now_ns();
		climbing = climbing && rungs[i].climb(probe, step);
	}
	if (deadline_passed && probe->facts.run.end == RUN_NOT_STARTED)
		probe->facts.run.end = RUN_TIMED_OUT; /* during set-up */
}

static void probe_init(struct probe *probe, const struct probe_options *options,
		       struct result *result)
{
	*probe = (struct probe){
		.options = options,
		.result = result,
		.kvm.fd = -1,
		.machine = { .vm.fd = -1 },
		.link.resume_rounds = PROBE_RESUME_ROUNDS,
		.link.features = options->features,
		.link.cpus = options->cpus,
		.facts.run.cpus = options->cpus,
		.facts.run.features_asked = options->features,
		.start_ns = now_ns(),
	};
	*result = (struct result){ 0 };
}

/*
 * KVM refused L1's entry into L2: where the kernel can be asked why (see trace.h), the same is done
 * once more while it is listened to, within the same deadline. Nothing of the second run counts but
 * what the kernel says.
 */
static void kernel_ask(struct probe *probe)
{
	static struct probe again;
	static struct result unused;
	struct run_facts *run = &probe->facts.run;
	struct trace trace;

	if (run->end != RUN_DONE || run->status[L1_CHECK_L2_ENTRY] != L1_FAILED || deadline_passed ||
	    !trace_begin(&trace))
		return;
	probe_init(&again, probe->options, &unused);
	if (probe->options->timeout_ms || deadline_begin(&again, PROBE_TIMEOUT_MS))
		rungs_climb(&again, true);
	machine_destroy(&again.machine);
	kvm_close(&again.kvm);
	trace_end(&trace, run->kernel_says, sizeof(run->kernel_says));
}

void probe_require(const struct probe_options *options, struct result *result)
{
	for (size_t i = 0; i < options->requirements; i++)
		result_require(result, options->required[i]);
}

void probe_run(const struct probe_options *options, struct result *result)
{
	struct probe probe;

	probe_init(&probe, options, result);
	host_facts_read(&probe.facts.host, KVM_DEVICE);
	rungs_climb(&probe, deadline_begin(&probe, options->timeout_ms));
	kernel_ask(&probe);
	deadline_disarm();
	checks_report(&probe);
	witnesses_report(&probe);
	if (options->features || options->cpus > 1)
		features_report(result, &probe.facts, &probe.link);
	host_report(result, &probe.facts.host);
	evidence_report(result, &probe.facts, probe.machine.cpu[0].exits);
	reason_diagnose(result, &probe.facts);
	probe_require(options, result);
	machine_destroy(&probe.machine);
	kvm_close(&probe.kvm);
	result->ns = now_ns() - probe.start_ns;
	result->time = time(NULL);
}
