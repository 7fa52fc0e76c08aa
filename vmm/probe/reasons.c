// SPDX-License-Identifier: MIT
// The catalogue of reasons, from KVM's answers on (reasons_host.c has what comes before): the rules,
// rung by rung: for each reason what it applies to, its sentence, its remedy; then the table, in
// testing order; then the search through it.
#include "reason_words.h"

#include "bits.h"
#include "exit_words.h"
#include "l0.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- what KVM offers ---- */

/* KVM answers, on a CPU without the means: a backend that works by software, such as kvm_pvm. */
static bool kvm_without_hw_virt(const struct facts *facts)
{
	return facts->kvm.asked_cpuid && !facts->kvm.offers_vmx && !facts->kvm.offers_svm &&
	       (!cpu_has_virt(facts) || module_is_foreign(facts));
}

static void kvm_without_hw_virt_summary(struct result *result, const struct facts *facts)
{
	const char *backend = module_is_foreign(facts) ? facts->host.vendor_module : "a backend";

	if (cpu_has_virt(facts))
		summarise(result, "KVM works here through %s, which does not use the CPU's %s and "
			  "cannot show it to guests: nothing can nest.", backend, virt_name(facts));
	else
		summarise(result, "KVM works here, but without hardware virtualization (%s): the "
			  "CPU shows neither VMX nor SVM, so nothing can nest.", backend);
}

static void kvm_without_hw_virt_remedy(struct result *result, const struct facts *facts)
{
	if (cpu_has_virt(facts) && facts->host.vendor_builtin == YES) {
		result_say(result, "Boot a kernel whose KVM uses the CPU's %s, by module %s.",
			   virt_name(facts), module_name(facts));
		return;
	}
	if (cpu_has_virt(facts)) {
		say_on_the_host(result, facts);
		result_say(result, "Load the module for this CPU in place of %s:",
			   facts->host.vendor_module);
		result_command(result, "sudo modprobe -r %s && sudo modprobe %s",
			       facts->host.vendor_module, module_name(facts));
		return;
	}
	result_say(result, "Guests run here without nesting. To nest, the CPU must show VMX or "
		   "SVM%s",
		   facts->host.hypervisor_bit ? ":" : ", which takes another machine.");
	if (facts->host.hypervisor_bit)
		l0_remedy(result, facts);
}

static bool nested_disabled(const struct facts *facts)
{
	return facts->kvm.asked_cpuid && !facts->kvm.offers_vmx && !facts->kvm.offers_svm &&
	       cpu_has_virt(facts) && !module_is_foreign(facts);
}

static void nested_disabled_summary(struct result *result, const struct facts *facts)
{
	const struct param *nested = &facts->host.nested;
	const char *module = module_name(facts), *virt = virt_name(facts);

	if (param_is_off(nested))
		summarise(result, "KVM does not offer %s to guests: nesting is switched off in "
			  "module %s (nested=%s).", virt, module, nested->text);
	else if (param_is_on(nested))
		summarise(result, "KVM does not offer %s to guests, although parameter nested of "
			  "module %s reads %s.", virt, module, nested->text);
	else
		summarise(result, "KVM does not offer %s to guests, although the CPU has it: most "
			  "likely nesting is switched off in module %s.", virt, module);
}

static void nested_disabled_remedy(struct result *result, const struct facts *facts)
{
	if (param_is_on(&facts->host.nested))
		result_say(result, "The parameter says that nesting is on: load the module anew, "
			   "and look for what it says in the kernel's log.");
	remedy_param(result, facts, "nested=1", "kvm-nested");
}

/* ---- 4xx: setting up ---- */

static bool kvm_capability_missing(const struct facts *facts)
{
	return facts->kvm.missing_cap != NULL;
}

static void kvm_capability_missing_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "The KVM of this kernel (%.70s) lacks %s, which minivmm needs.",
		  facts->host.kernel, facts->kvm.missing_cap);
}

static void kvm_capability_missing_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "Boot a newer kernel; a /dev/kvm that is not Linux's own may lack it "
		   "for good.");
}

static bool hidden_by_option(const struct facts *facts)
{
	return facts->kvm.hidden_by_option;
}

static void hidden_by_option_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "KVM offers %s, but the CPU model given with -cpu hides it from L1.",
		  facts->kvm.offers_svm ? "SVM" : "VMX");
}

static void hidden_by_option_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "Leave -cpu away, or give it the host's model:");
	result_command(result, "minivmm --nested-probe -cpu host");
}

static bool kvm_busy(const struct facts *facts)
{
	return facts->kvm.failed_errno == EBUSY &&
	       strcmp(facts->kvm.failed_call, "KVM_CREATE_VM") == 0;
}

static void kvm_busy_summary(struct result *result, const struct facts *facts)
{
	const char *other = facts->host.other_hypervisor;

	summarise(result, "KVM cannot create a VM (Device or resource busy): another "
		  "hypervisor%s%s%s holds the CPU's %s.", other[0] ? " (module " : "", other,
		  other[0] ? ")" : "", virt_name(facts));
}

static void kvm_busy_remedy(struct result *result, const struct facts *facts)
{
	const char *other = facts->host.other_hypervisor;

	say_on_the_host(result, facts);
	result_say(result, "Stop the virtual machines of VirtualBox, VMware or whatever else runs "
		   "them%s", other[0] ? ", then unload its module:" : ".");
	if (strcmp(other, "vboxdrv") == 0)
		result_command(result, "sudo modprobe -r vboxnetadp vboxnetflt vboxdrv");
	else if (other[0])
		result_command(result, "sudo modprobe -r %s", other);
}

static const struct {
	uint32_t index;
	const char *name;
} msrs[] = {
	{ 0x0000003a, "IA32_FEATURE_CONTROL" },
	{ 0x0000008b, "IA32_BIOS_SIGN_ID" },
	{ 0x000000e1, "IA32_UMWAIT_CONTROL" },
	{ 0x0000010a, "IA32_ARCH_CAPABILITIES" },
	{ 0x00000345, "IA32_PERF_CAPABILITIES" },
	{ 0x0000038d, "IA32_FIXED_CTR_CTRL" },
	{ 0x00000480, "IA32_VMX_BASIC" },
	{ 0x00000481, "IA32_VMX_PINBASED_CTLS" },
	{ 0x00000482, "IA32_VMX_PROCBASED_CTLS" },
	{ 0x00000483, "IA32_VMX_EXIT_CTLS" },
	{ 0x00000484, "IA32_VMX_ENTRY_CTLS" },
	{ 0x00000485, "IA32_VMX_MISC" },
	{ 0x00000486, "IA32_VMX_CR0_FIXED0" },
	{ 0x00000487, "IA32_VMX_CR0_FIXED1" },
	{ 0x00000488, "IA32_VMX_CR4_FIXED0" },
	{ 0x00000489, "IA32_VMX_CR4_FIXED1" },
	{ 0x0000048a, "IA32_VMX_VMCS_ENUM" },
	{ 0x0000048b, "IA32_VMX_PROCBASED_CTLS2" },
	{ 0x0000048c, "IA32_VMX_EPT_VPID_CAP" },
	{ 0x0000048d, "IA32_VMX_TRUE_PINBASED_CTLS" },
	{ 0x0000048e, "IA32_VMX_TRUE_PROCBASED_CTLS" },
	{ 0x0000048f, "IA32_VMX_TRUE_EXIT_CTLS" },
	{ 0x00000490, "IA32_VMX_TRUE_ENTRY_CTLS" },
	{ 0x00000491, "IA32_VMX_VMFUNC" },
	{ 0xc0000080, "EFER" },
	{ 0xc0010114, "VM_CR" },
	{ 0xc0010117, "VM_HSAVE_PA" },
};

static const char *msr_name(uint32_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		if (msrs[i].index == index)
			return msrs[i].name;
	return "unnamed";
}

static bool msr_rejected(const struct facts *facts)
{
	return facts->kvm.failed_call[0] && facts->kvm.rejected_msr != 0;
}

static void msr_rejected_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "KVM refused to set MSR 0x%x (%s) of the vCPU.", facts->kvm.rejected_msr,
		  msr_name(facts->kvm.rejected_msr));
}

static void msr_rejected_remedy(struct result *result, const struct facts *facts)
{
	if (facts->kvm.rejected_msr == 0x3a ||
	    (facts->kvm.rejected_msr >= 0x480 && facts->kvm.rejected_msr <= 0x491))
		result_say(result, "KVM takes this MSR only for a vCPU that shows VMX: most likely "
			   "it offers the bit without the rest. Try a newer kernel.");
	else
		result_say(result, "Try a newer kernel, or a CPU model that does without the "
			   "feature.");
}

/* A call that failed on the way to L1, when no finer reason fits. */
static bool kvm_setup_failed(const struct facts *facts)
{
	return facts->kvm.failed_call[0] || facts->kvm.open_errno || facts->kvm.api_errno;
}

static int setup_errno(const struct facts *facts)
{
	if (facts->kvm.failed_call[0])
		return facts->kvm.failed_errno;
	return facts->kvm.open_errno ? facts->kvm.open_errno : facts->kvm.api_errno;
}

/* KVM itself gives none of these but for what is set up here as root and as anyone alike. */
static bool errno_is_refusal(int err)
{
	return err == EPERM || err == EACCES || err == ENOSYS;
}

static bool ioctl_blocked(const struct facts *facts)
{
	if (facts->run.end == RUN_ERROR)
		return errno_is_refusal(facts->run.failed_errno);
	return !facts->kvm.open_errno && kvm_setup_failed(facts) &&
	       errno_is_refusal(setup_errno(facts));
}

static void ioctl_blocked_summary(struct result *result, const struct facts *facts)
{
	const char *call = facts->run.end == RUN_ERROR ? "KVM_RUN" :
			   facts->kvm.failed_call[0]   ? facts->kvm.failed_call :
							 "KVM_GET_API_VERSION";
	int err = facts->run.end == RUN_ERROR ? facts->run.failed_errno : setup_errno(facts);

	summarise(result, "%s opens, but %s was refused (%s): most likely %s stands in between.",
		  dev_path(facts), call, strerror(err),
		  facts->host.seccomp == YES ? "the seccomp filter of this process" :
		  facts->host.seccomp == NO  ? "a security module (SELinux, AppArmor)" :
					       "a seccomp filter or a security module");
}

static void ioctl_blocked_remedy(struct result *result, const struct facts *facts)
{
	if (facts->host.seccomp != NO)
		result_say(result, "Allow ioctl() of KVM in the filter. To rule it out, in a "
			   "container: --security-opt seccomp=unconfined; in a systemd unit: "
			   "SystemCallFilter= without it.");
	result_say(result, "A security module tells in the kernel's log:");
	result_command(result, "sudo dmesg | grep -iE 'denied|avc|seccomp'");
}

static bool out_of_resources(const struct facts *facts)
{
	int err = setup_errno(facts);

	return kvm_setup_failed(facts) && (err == ENOMEM || err == EMFILE || err == ENFILE ||
					   err == ENOSPC || err == EAGAIN);
}

static void out_of_resources_summary(struct result *result, const struct facts *facts)
{
	const char *call = facts->kvm.failed_call;

	summarise(result, "A limit was reached at %s: %s.",
		  call[0] ? call : "the opening of the device", strerror(setup_errno(facts)));
}

static void out_of_resources_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "Memory, open files or another limit is used up; minivmm needs about "
		   "20 MB and 10 files. The limits of this process:");
	result_command(result, "ulimit -a");
	result_say(result, "And of its cgroup, if it has one:");
	result_command(result, "cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/*.max");
}

static void kvm_setup_failed_summary(struct result *result, const struct facts *facts)
{
	const char *call = facts->kvm.failed_call;
	int err = setup_errno(facts);

	if (call[0])
		summarise(result, "Setting up the virtual machine failed at %s: %s (errno %d).",
			  call, strerror(err), err);
	else
		summarise(result, "%s %s: %s (errno %d).", dev_path(facts),
			  facts->kvm.open_errno ? "cannot be opened" :
						  "opens, but KVM_GET_API_VERSION failed",
			  strerror(err), err);
}

static void kvm_setup_failed_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "The kernel's log may tell more:");
	result_command(result, "sudo dmesg | tail -n 20");
}

/* ---- 5xx: L1 and L2 ---- */

static const struct {
	const char *name, *title;
} checks[L1_CHECK_COUNT] = {
#define X(number, id, name, level, title) [number] = { name, title },
	L1_CHECKS(X)
#undef X
#define X(number, id, name, level, title, vmx, svm, proves) [number] = { name, title },
	L1_FEATURES(X)
#undef X
};

/* The number may come from the guest. */
static const char *check_name(unsigned int check)
{
	return check < L1_CHECK_COUNT && checks[check].name ? checks[check].name : "unknown";
}

bool l1_status_possible(unsigned int check, unsigned int status, enum l1_vendor vendor)
{
	switch (status) {
	case L1_PASSED:
	case L1_FAILED:
		return true;
	case L1_NOT_OFFERED:
		return check == L1_CHECK_NESTED_PAGING || check > L1_CORE_LAST;
	case L1_NOT_APPLICABLE:
		return (check == L1_CHECK_VMCS_LOAD && vendor == L1_VENDOR_SVM) ||
		       check > L1_CORE_LAST;
	case L1_NOT_TRIED:
		return check > L1_CORE_LAST;
	default:
		return false;
	}
}

static bool check_failed(const struct facts *facts, unsigned int check)
{
	unsigned int status = facts->run.status[check];

	return status && (status == L1_FAILED ||
			  !l1_status_possible(check, status, facts->run.vendor));
}

/* The first check from `first` to `last` that failed; L1_CHECK_NONE = none did. */
static unsigned int first_failed(const struct facts *facts, unsigned int first, unsigned int last)
{
	for (unsigned int check = first; check <= last; check++)
		if (checks[check].name && check_failed(facts, check))
			return check;
	return L1_CHECK_NONE;
}

static bool run_is_vmx(const struct facts *facts)
{
	return facts->run.vendor == L1_VENDOR_VMX ||
	       (facts->run.vendor != L1_VENDOR_SVM && !cpu_is_svm(facts));
}

static const char *run_level(const struct facts *facts)
{
	switch (facts->run.in_l2) {
	case YES:
		return "L2";
	case NO:
		return "L1";
	default:
		return "L1 or L2";
	}
}

/* How far L1 had come: "during check l2-port", and what went wrong before that. */
static const char *progress(char text[96], const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	unsigned int failed = first_failed(facts, L1_CHECK_CPU_SHOWS_VIRT, L1_CHECK_COUNT - 1);

	if (run->last_check == L1_CHECK_NONE)
		snprintf(text, 96, "before the first check");
	else
		snprintf(text, 96, "%s check %s%s%s%s", run->in_check ? "during" : "after",
			 check_name(run->last_check), failed ? " (" : "",
			 failed ? check_name(failed) : "", failed ? " had failed)" : "");
	return text;
}

/* No setting of this host explains it: the fault is one of a program's. */
static void remedy_report(struct result *result, const struct facts *facts)
{
	const struct host_facts *host = &facts->host;

	if (host->hypervisor_bit)
		result_say(result, "No setting explains this. This machine is itself a guest (of "
			   "%s): the fault lies there, in this kernel's KVM (%.70s), or in "
			   "minivmm. Try others.", l0_name(host), host->kernel);
	else
		result_say(result, "No setting explains this: the fault lies in this kernel's KVM "
			   "(%.70s), or in minivmm. Try another kernel.", host->kernel);
	result_say(result, "If it stays, report it, with the output of:");
	result_command(result, "minivmm --nested-probe --verbose");
}

static bool self_failed(const struct facts *facts)
{
	return facts->run.end == RUN_SELF_FAILED;
}

static void self_failed_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "minivmm itself failed at %s: %s.", facts->kvm.failed_call,
		  strerror(facts->kvm.failed_errno));
}

static bool l1_not_started(const struct facts *facts)
{
	return facts->run.end == RUN_NOT_STARTED;
}

static bool timed_out(const struct facts *facts)
{
	return facts->run.end == RUN_TIMED_OUT;
}

static void timed_out_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	if (!facts->run.rip)
		summarise(result, "Time ran out while the virtual machine was being set up.");
	else
		summarise(result, "Time ran out %s: %s was at RIP 0x%llx.", progress(text, facts),
			  run_level(facts), (unsigned long long)facts->run.rip);
}

static void timed_out_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "More time tells a slow machine from a hung one:");
	result_command(result, "minivmm --nested-probe --timeout 60");
	result_say(result, "If it hangs at the same place, try another kernel, and another level "
		   "below; then report it, with the output of:");
	result_command(result, "minivmm --nested-probe --verbose");
}

/* "VM-entry failure due to invalid guest state" (33), with bit 31: Intel SDM volume 3,
 * appendix C. */
static bool entry_invalid_guest_state(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 0x80000021;
}

static void entry_invalid_guest_state_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: invalid guest state (hardware error "
		  "0x80000021)%s.", run_level(facts), progress(text, facts),
		  param_is_off(&facts->host.unrestricted_guest) ?
		  "; KVM runs without unrestricted guest" : "");
}

static void entry_invalid_guest_state_remedy(struct result *result, const struct facts *facts)
{
	if (param_is_off(&facts->host.unrestricted_guest)) {
		result_say(result, "Most likely for want of unrestricted guest mode, which is off "
			   "here (or the CPU lacks it; then this does not help):");
		remedy_param(result, facts, "unrestricted_guest=1", "kvm-unrestricted-guest");
		return;
	}
	remedy_report(result, facts);
}

/* VM-instruction error 7 of the VMLAUNCH of KVM itself. SVM has exit codes here instead. */
static bool entry_invalid_control(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 7 &&
	       run_is_vmx(facts);
}

static void entry_invalid_control_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: invalid control field (hardware error "
		  "0x7); the level below lacks a VMX control that KVM sets.", run_level(facts),
		  progress(text, facts));
}

static void entry_invalid_control_remedy(struct result *result, const struct facts *facts)
{
	if (!param_is_on(&facts->host.enable_apicv)) {
		remedy_report(result, facts);
		return;
	}
	result_say(result, "Known of emulated hosts (Bochs): they announce APIC virtualization and "
		   "refuse it. Try without:");
	remedy_param(result, facts, "enable_apicv=0", "kvm-apicv");
}

static bool entry_fail_reason_zero(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 0;
}

static void entry_fail_reason_zero_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s, and the reason it gives is 0%s.",
		  run_level(facts), progress(text, facts),
		  strcmp(facts->host.hypervisor, "Microsoft Hv") == 0 ?
		  ", as seen under Hyper-V with enlightened VMCS" : "");
}

static void entry_fail_reason_zero_remedy(struct result *result, const struct facts *facts)
{
	if (strcmp(facts->host.hypervisor, "Microsoft Hv") == 0 && run_is_vmx(facts)) {
		result_say(result, "Without enlightened VMCS the real number shows:");
		remedy_param(result, facts, "enlightened_vmcs=0", "kvm-evmcs");
		return;
	}
	remedy_report(result, facts);
}

/* "VM-entry failure due to MSR loading" (34), with bit 31. */
static bool entry_msr_load(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 0x80000022;
}

static void entry_msr_load_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: an MSR could not be loaded (hardware "
		  "error 0x80000022).", run_level(facts), progress(text, facts));
}

/* VM-instruction error 8 of KVM's own VMLAUNCH. */
static bool entry_invalid_host(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && facts->run.hardware_reason == 8 &&
	       run_is_vmx(facts);
}

static void entry_invalid_host_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: invalid host-state field (hardware "
		  "error 0x8).", run_level(facts), progress(text, facts));
}

static bool entry_fail_svm(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY && !run_is_vmx(facts) &&
	       (uint32_t)facts->run.hardware_reason == SVM_EXIT_INVALID;
}

static void entry_fail_svm_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The CPU refused to enter %s %s: VMEXIT_INVALID (hardware error 0x%llx).",
		  run_level(facts), progress(text, facts),
		  (unsigned long long)facts->run.hardware_reason);
}

static bool entry_failed(const struct facts *facts)
{
	return facts->run.end == RUN_FAIL_ENTRY;
}

static void entry_failed_summary(struct result *result, const struct facts *facts)
{
	uint64_t reason = facts->run.hardware_reason;
	const char *name = run_is_vmx(facts) ? entry_failure_name(reason) : svm_exit_name(reason);
	char text[96];

	summarise(result, "The CPU refused to enter %s %s (hardware error 0x%llx%s%s).",
		  run_level(facts), progress(text, facts), (unsigned long long)reason,
		  name ? ": " : "", name ? name : "");
}

static bool emulation_failure(const struct facts *facts)
{
	return facts->run.end == RUN_INTERNAL_ERROR && facts->run.suberror == 1;
}

static void emulation_failure_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "KVM gave up %s: it could not emulate the instruction of %s at RIP "
		  "0x%llx.",
		  progress(text, facts), run_level(facts), (unsigned long long)facts->run.rip);
}

static bool kvm_internal_error(const struct facts *facts)
{
	return facts->run.end == RUN_INTERNAL_ERROR;
}

static void kvm_internal_error_summary(struct result *result, const struct facts *facts)
{
	uint32_t suberror = facts->run.suberror;
	const char *name = internal_error_name(suberror);
	char text[96];

	summarise(result, "KVM gave up %s: internal error %u%s%s%s, with %s at RIP 0x%llx.",
		  progress(text, facts), suberror, name ? " (" : "", name ? name : "",
		  name ? ")" : "", run_level(facts), (unsigned long long)facts->run.rip);
}

static bool l1_triple_fault(const struct facts *facts)
{
	return facts->run.end == RUN_SHUTDOWN;
}

static void l1_triple_fault_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "The virtual machine shut down (triple fault) %s: %s was at RIP 0x%llx.",
		  progress(text, facts), run_level(facts), (unsigned long long)facts->run.rip);
}

static bool l1_trap(const struct facts *facts)
{
	return facts->run.end == RUN_TRAP;
}

static const char *vector_name(uint64_t vector)
{
	static const char *const names[] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", [10] = "#TS", "#NP",
		"#SS", "#GP", "#PF", [16] = "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
		[28] = "#HV", "#VC", "#SX",
	};

	return vector < ARRAY_SIZE(names) && names[vector] ? names[vector] : "an interrupt";
}

static void l1_trap_summary(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	char text[96];

	summarise(result, "L1 took %s (vector %llu, error code 0x%llx) %s, at RIP 0x%llx.",
		  vector_name(run->trap_vector), (unsigned long long)run->trap_vector,
		  (unsigned long long)run->trap_error, progress(text, facts),
		  (unsigned long long)run->trap_address);
}

static bool l1_silent(const struct facts *facts)
{
	return facts->run.end == RUN_HALTED || facts->run.end == RUN_BAD_MESSAGE ||
	       facts->run.end == RUN_UNKNOWN_EXIT;
}

static void l1_silent_summary(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	char text[96], what[64];

	if (run->end == RUN_HALTED)
		snprintf(what, sizeof(what), "halted for good");
	else if (run->end == RUN_BAD_MESSAGE)
		snprintf(what, sizeof(what), "sent a message that minivmm does not know");
	else
		snprintf(what, sizeof(what), "left KVM with unknown exit reason %u",
			 run->exit_reason);
	summarise(result, "%s %s %s, at RIP 0x%llx.", run_level(facts), what, progress(text, facts),
		  (unsigned long long)run->rip);
}

static bool kvm_run_failed(const struct facts *facts)
{
	return facts->run.end == RUN_ERROR;
}

static void kvm_run_failed_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "KVM_RUN failed %s: %s (errno %d), with %s at RIP 0x%llx.",
		  progress(text, facts), strerror(facts->run.failed_errno), facts->run.failed_errno,
		  run_level(facts), (unsigned long long)facts->run.rip);
}

/* ---- what L1 reports of its checks ---- */

static bool l1_sees_no_virt(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_CPU_SHOWS_VIRT);
}

static void l1_sees_no_virt_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L1 sees no %s in its CPUID, although KVM offers it and minivmm told it "
		  "to show it.", facts->kvm.offers_svm ? "SVM" : "VMX");
}

static bool virt_not_allowed(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VIRT_ALLOWED);
}

static void virt_not_allowed_summary(struct result *result, const struct facts *facts)
{
	if (run_is_vmx(facts))
		summarise(result, "L1 may not use VMX: its IA32_FEATURE_CONTROL (MSR 0x3a) is not "
			  "locked with VMXON allowed.");
	else
		summarise(result, "L1 may not use SVM: its VM_CR (MSR 0xc0010114) says that SVM is "
			  "disabled.");
}

/* What the CPU said of a failed check of L1's: " (VM-instruction error 7: ...)", or "". */
static const char *l1_evidence(char text[96], const struct facts *facts, unsigned int check)
{
	uint64_t error = facts->run.value[check][L1_VALUE_INSTR_ERROR];
	const char *name = vm_instruction_error(error);

	text[0] = '\0';
	if (error)
		snprintf(text, 96, " (VM-instruction error %llu: %s)", (unsigned long long)error,
			 name ? name : "unnamed");
	return text;
}

static bool l1_vmxon_fail(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VIRT_ON);
}

static void l1_vmxon_fail_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	if (run_is_vmx(facts))
		summarise(result, "VMXON failed in L1, although VMX is shown and allowed there%s.",
			  l1_evidence(text, facts, L1_CHECK_VIRT_ON));
	else
		summarise(result, "L1 could not switch SVM on (EFER.SVME, VM_HSAVE_PA), although "
			  "SVM is shown there.");
}

static bool l1_vmptrld_fail(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VMCS_LOAD);
}

static void l1_vmptrld_fail_summary(struct result *result, const struct facts *facts)
{
	char text[96];

	summarise(result, "VMXON worked in L1, but VMCLEAR or VMPTRLD failed there%s.",
		  l1_evidence(text, facts, L1_CHECK_VMCS_LOAD));
}

static const char *exit_name(const struct facts *facts, uint64_t exit)
{
	return run_is_vmx(facts) ? vmx_exit_name(exit) : svm_exit_name(exit);
}

static bool l2_entry_failed(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_L2_ENTRY);
}

static void l2_entry_failed_summary(struct result *result, const struct facts *facts)
{
	const uint64_t *value = facts->run.value[L1_CHECK_L2_ENTRY];
	uint64_t exit = value[L1_VALUE_EXIT];
	const char *name = exit_name(facts, exit);
	char text[96], more[64];

	if (value[L1_VALUE_INSTR_ERROR])
		summarise(result, "L2 never ran: KVM refused L1's VMLAUNCH%s.",
			  l1_evidence(text, facts, L1_CHECK_L2_ENTRY));
	else if (run_is_vmx(facts) && exit <= UINT32_MAX && exit & VMX_ENTRY_FAILED)
		summarise(result, "L2 never ran: L1's VMLAUNCH ended in a failed entry, exit "
			  "reason 0x%llx (%s%s%s).", (unsigned long long)exit,
			  name ? name : "unnamed",
			  vmx_qualification(more, sizeof(more), exit, value[L1_VALUE_INFO1])[0] ?
				  ": " : "", more);
	else if (!run_is_vmx(facts) && (uint32_t)exit == SVM_EXIT_INVALID)
		summarise(result, "L2 never ran: KVM refused L1's VMRUN (VMEXIT_INVALID: a check "
			  "of the VMCB failed).");
	else
		summarise(result, "L2 did not run as it should: L1's first %s came back with exit "
			  "0x%llx%s%s%s, L2 at RIP 0x%llx.", run_is_vmx(facts) ? "VMLAUNCH" : "VMRUN",
			  (unsigned long long)exit, name ? " (" : "", name ? name : "",
			  name ? ")" : "", (unsigned long long)value[L1_VALUE_RIP]);
}

/* KVM names the check of the control block that failed in this tracepoint. */
static void l2_entry_failed_remedy(struct result *result, const struct facts *facts)
{
	if (!facts->run.kernel_says[0]) {
		result_say(result, "KVM tells by a tracepoint which check failed. Where tracefs is "
			   "mounted, root gets it with the evidence:");
		result_command(result, "sudo minivmm --nested-probe");
	}
	remedy_report(result, facts);
}

static bool answer_is_wrong(const struct facts *facts)
{
	const struct run_facts *run = &facts->run;

	if (run->answer_checked && !run->answer_right &&
	    !check_failed(facts, L1_CHECK_L2_CHALLENGE))
		return true;
	return run->witness_writes && !run->witness_answer_right &&
	       !check_failed(facts, L1_CHECK_L2_PORT);
}

/* L1 says that a check passed, and the witness which that check calls has not spoken. */
static bool claim_is_bare(const struct facts *facts)
{
	const struct run_facts *run = &facts->run;

	if (run->status[L1_CHECK_L2_ENTRY] == L1_PASSED && run->nested_run_known &&
	    run->nested_run == 0)
		return true;
	if (run->status[L1_CHECK_L2_CHALLENGE] == L1_PASSED && !run->answer_checked)
		return true;
	return run->status[L1_CHECK_L2_PORT] == L1_PASSED && !run->witness_writes;
}

/* A guest-mode witness that an old KVM cannot give is UNKNOWN, and no disagreement. */
static bool witnesses_disagree(const struct facts *facts)
{
	return facts->run.disagreement[0] || answer_is_wrong(facts) || claim_is_bare(facts);
}

static void witnesses_disagree_summary(struct result *result, const struct facts *facts)
{
	const struct run_facts *run = &facts->run;
	const char *what = "the guest of the guest gave a wrong answer to the challenge";

	if (run->disagreement[0])
		what = run->disagreement;
	else if (!answer_is_wrong(facts))
		what = run->nested_run_known && run->nested_run == 0 ?
			       "KVM counted no entry into L2" :
			       "L2 gave no answer to the challenge";
	summarise(result, "L1 says that L2 ran, but the evidence outside the guest is against it: "
		  "%s",
		  what);
	if (what[0] && what[strlen(what) - 1] != '.' &&
	    strlen(result->summary) < sizeof(result->summary) - 1)
		strcat(result->summary, ".");
}

static bool l2_wrong_exit(const struct facts *facts)
{
	return first_failed(facts, L1_CHECK_L2_CHALLENGE, L1_CHECK_L2_TRIPLE_FAULT);
}

static void l2_wrong_exit_summary(struct result *result, const struct facts *facts)
{
	unsigned int check =
		first_failed(facts, L1_CHECK_L2_CHALLENGE, L1_CHECK_L2_TRIPLE_FAULT);
	const uint64_t *value = facts->run.value[check];
	const char *name = exit_name(facts, value[L1_VALUE_EXIT]);
	char where[96] = "", got[64] = "";

	if (value[L1_VALUE_EXIT] || value[L1_VALUE_RIP])
		snprintf(where, sizeof(where), "; exit 0x%llx%s%s%s at RIP 0x%llx",
			 (unsigned long long)value[L1_VALUE_EXIT], name ? " (" : "",
			 name ? name : "", name ? ")" : "",
			 (unsigned long long)value[L1_VALUE_RIP]);
	if (value[L1_VALUE_EXPECTED] != value[L1_VALUE_GOT])
		snprintf(got, sizeof(got), "; 0x%llx instead of 0x%llx",
			 (unsigned long long)value[L1_VALUE_GOT],
			 (unsigned long long)value[L1_VALUE_EXPECTED]);
	summarise(result, "L2 ran, but check %s failed: %s%s%s.", checks[check].name,
		  checks[check].title, where, got);
}

static bool l1_leave_failed(const struct facts *facts)
{
	return check_failed(facts, L1_CHECK_VIRT_OFF);
}

static void l1_leave_failed_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L2 ran, but L1 could not leave %s (%s) afterwards.",
		  run_is_vmx(facts) ? "VMX operation" : "SVM",
		  run_is_vmx(facts) ? "VMXOFF" : "clearing EFER.SVME");
}

/* The first core check that never ended. */
static unsigned int first_untried(const struct facts *facts)
{
	for (unsigned int check = 1; check < L1_CHECK_COUNT && check <= L1_CORE_LAST; check++)
		if (checks[check].name && !facts->run.status[check])
			return check;
	return L1_CHECK_NONE;
}

static bool l1_incomplete(const struct facts *facts)
{
	return first_untried(facts);
}

static void l1_incomplete_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L1 said that it was done, but left check %s untried.",
		  check_name(first_untried(facts)));
}

/* Nothing but L1's own word: no statistic, no nested state. */
static bool unwitnessed(const struct facts *facts)
{
	return !facts->run.nested_run_known && facts->run.witness_guest_mode != YES &&
	       facts->run.stat_guest_mode != YES;
}

static void unwitnessed_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "KVM's statistics came with Linux 5.14, KVM_GET_NESTED_STATE with 4.20 on "
		   "Intel and 5.8 on AMD: a newer kernel makes this an answer to rely on.");
}

static bool nested_state_unsupported(const struct facts *facts)
{
	return facts->kvm.asked_nested_state && !facts->kvm.saves_nested_state;
}

static void nested_state_remedy(struct result *result, const struct facts *facts)
{
	(void)facts;
	result_say(result, "KVM saves nested state since Linux 4.20 on Intel and 5.8 on AMD (QEMU "
		   "since 4.1): take a newer kernel. Until then, stop L1 before its host is migrated or "
		   "saved.");
}

static bool paging_absent(const struct facts *facts)
{
	return facts->run.status[L1_CHECK_NESTED_PAGING] != L1_PASSED;
}

static unsigned int failing_feature(const struct facts *facts)
{
	return first_failed(facts, L1_CORE_LAST + 1, L1_CHECK_COUNT - 1);
}

static bool feature_fails(const struct facts *facts)
{
	return failing_feature(facts) != L1_CHECK_NONE;
}

static void feature_fails_summary(struct result *result, const struct facts *facts)
{
	unsigned int first = failing_feature(facts), count = 0;
	char others[48] = "";

	for (unsigned int check = first; check < L1_CHECK_COUNT; check++)
		count += checks[check].name && check_failed(facts, check);
	if (count > 1)
		snprintf(others, sizeof(others), ", and %u more that the map names", count - 1);
	summarise(result, "L2 runs and every core check passed, but nested feature %s is offered and "
		  "fails%s.", check_name(first), others);
}

static const char *paging_name(const struct facts *facts)
{
	return run_is_vmx(facts) ? "EPT" : "NPT";
}

static void paging_absent_summary(struct result *result, const struct facts *facts)
{
	const struct param *param = &facts->host.nested_paging;

	if (facts->kvm.offers_nested_paging)
		summarise(result, "L2 runs, but -cpu hides nested paging (%s) from L1; KVM offers it.",
			  paging_name(facts));
	else
		summarise(result, "L2 runs, but KVM offers no nested paging (%s) to L1%s: hypervisors in "
			  "it must use shadow paging, which is slow.", paging_name(facts),
			  facts->host.cpu_nested_paging == NO ? ", as the CPU shows none" :
			  param_is_off(param)		      ? ", as it is switched off here" :
								"");
}

static void paging_absent_remedy(struct result *result, const struct facts *facts)
{
	if (facts->kvm.offers_nested_paging)
		result_say(result, "Leave the feature out of -cpu.");
	else if (param_is_off(&facts->host.nested_paging) && facts->host.cpu_nested_paging != NO)
		remedy_param(result, facts, run_is_vmx(facts) ? "ept=1" : "npt=1", "kvm-paging");
	else if (facts->host.hypervisor_bit)
		result_say(result, "This machine is itself a guest (of %s), which most likely does "
			   "not show %s to it: see that hypervisor's settings, or take a newer "
			   "CPU.",
			   l0_name(&facts->host), paging_name(facts));
	else
		result_say(result, "The CPU most likely lacks %s: take a newer one.",
			   paging_name(facts));
}

/* EPT is told by the same MSR: where that is offered, so could this be. */
static bool no_unrestricted_guest(const struct facts *facts)
{
	return run_is_vmx(facts) && facts->kvm.offers_nested_paging &&
	       !facts->kvm.offers_unrestricted;
}

static void no_unrestricted_guest_summary(struct result *result, const struct facts *facts)
{
	summarise(result, "L2 runs, but KVM offers no unrestricted guest to L1%s: an L2 that starts in "
		  "real mode fails or is emulated there.",
		  param_is_off(&facts->host.unrestricted_guest) ? ", as it is off here" : "");
}

static void no_unrestricted_guest_remedy(struct result *result, const struct facts *facts)
{
	if (param_is_off(&facts->host.unrestricted_guest)) {
		result_say(result, "If the CPU has it (parameter unrestricted_guest stays N where it "
			   "does not):");
		remedy_param(result, facts, "unrestricted_guest=1", "kvm-unrestricted-guest");
		return;
	}
	result_say(result, "Most likely the level below or the CPU lacks it: take a newer one.");
}

/* Rows of a series of runs (series.c): nothing that one run shows. */
static bool never(const struct facts *facts)
{
	(void)facts;
	return false;
}

static bool always(const struct facts *facts)
{
	(void)facts;
	return true;
}

static void ok_summary(struct result *result, const struct facts *facts)
{
	char counted[64] = "", below[64] = "";

	if (facts->run.nested_run_known)
		snprintf(counted, sizeof(counted), ", KVM counted %llu entries into L2",
			 (unsigned long long)facts->run.nested_run);
	if (facts->host.hypervisor_bit)
		snprintf(below, sizeof(below), "; this machine is itself a guest (of %s)",
			 l0_name(&facts->host));
	summarise(result, "Nested virtualization works: L2 ran under %s, every core check "
		  "passed%s%s.", run_is_vmx(facts) ? "VMX" : "SVM", counted, below);
}

/* ---- the catalogue ---- */

static const struct reason reasons[] = {
	{
		REASON(901, "minivmm-failed", FAILED, self_failed, self_failed_summary, NULL),
		.symptom = "\"minivmm itself failed\" in the report.",
		.cause = "minivmm itself failed; that says nothing of this machine.",
		.tell = "The kernel refused a timer, or random numbers.",
	}, {
		REASON(401, "kvm-capability-missing", UNAVAILABLE, kvm_capability_missing,
		       kvm_capability_missing_summary, kvm_capability_missing_remedy),
		.symptom = "A VMM complains of a KVM that is too old.",
		.cause = "This KVM lacks a capability that minivmm needs.",
		.tell = "KVM_CHECK_EXTENSION answers 0 for it.",
	}, {
		REASON(206, "kvm-without-hw-virt", UNAVAILABLE, kvm_without_hw_virt,
		       kvm_without_hw_virt_summary, kvm_without_hw_virt_remedy),
		.symptom = "Virtual machines run, but no vmx or svm is anywhere; setting MSR "
			   "0x3a is rejected.",
		.cause = "KVM works here, but by software (kvm_pvm, say), so guests get no VMX or "
			 "SVM.",
		.tell = "KVM_GET_SUPPORTED_CPUID shows neither VMX nor SVM, and neither does "
			"CPUID, or the module that serves KVM is neither kvm_intel nor kvm_amd.",
		.alike = "nested=0 with a CPU that hides VMX or SVM is not possible: KVM by "
			 "hardware would not load there.",
	}, {
		REASON(304, "nested-disabled", UNAVAILABLE,
		       nested_disabled, nested_disabled_summary, nested_disabled_remedy),
		.symptom = "Virtual machines run, but inside them \"grep -c vmx /proc/cpuinfo\" "
			   "says 0; /sys/module/kvm_intel/parameters/nested is N.",
		.cause = "KVM works, but nesting is switched off in kvm_intel or kvm_amd.",
		.tell = "CPUID shows VMX or SVM, KVM_GET_SUPPORTED_CPUID does not (Linux: "
			"Documentation/virt/kvm/x86/running-nested-guests.rst).",
		.alike = "A module built without nesting, or a /dev/kvm of another system's: "
			 "there the parameter is missing or reads on.",
	}, {
		REASON(402, "hidden-by-option", UNAVAILABLE,
		       hidden_by_option, hidden_by_option_summary, hidden_by_option_remedy),
		.symptom = "As nested-disabled, with -cpu on the command line.",
		.cause = "The CPU model given on the command line hides VMX or SVM from L1.",
		.tell = "KVM offers it; option -cpu takes it away.",
	}, {
		REASON(502, "timed-out", TIMED_OUT, timed_out, timed_out_summary, timed_out_remedy),
		.symptom = "A VMM sits in ioctl(KVM_RUN) at full load, \"watchdog: BUG: soft "
			   "lockup\", or nothing at all.",
		.cause = "The deadline came before L1 was done.",
		.tell = "The deadline ended the set-up or KVM_RUN; the check under way and RIP are "
			"named.",
		.alike = "Slow and hung look the same until there is more time: --timeout 60. "
			 "Slow ones come further then.",
	}, {
		REASON(403, "kvm-busy-other-hypervisor", UNAVAILABLE,
		       kvm_busy, kvm_busy_summary, kvm_busy_remedy),
		.symptom = "\"ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy\"; \"kvm: "
			   "enabling virtualization on CPU3 failed\" in the kernel's log.",
		.cause = "Another hypervisor, such as VirtualBox or VMware, holds the CPU's VMX or "
			 "SVM.",
		.tell = "KVM_CREATE_VM fails with EBUSY.",
		.alike = "A module that holds the CPU for good, and a machine that runs now: it "
			 "goes away when that is powered off. Where lsmod shows neither vboxdrv "
			 "nor vmmon, EFER.SVME or CR4.VMXE was left set: reboot.",
	}, {
		REASON(404, "msr-rejected", UNAVAILABLE,
		       msr_rejected, msr_rejected_summary, msr_rejected_remedy),
		.symptom = "\"failed to set MSR 0x48e to 0x...\" and \"kvm_buf_set_msrs: "
			   "Assertion\" from QEMU.",
		.cause = "KVM refused to set a model-specific register of the vCPU.",
		.tell = "KVM_SET_MSRS stops short at it.",
		.alike = "An MSR that this KVM does not know, and a bit that the level below "
			 "does not offer: a newer kernel mends the first alone.",
	}, {
		REASON(406, "ioctl-blocked", UNAVAILABLE, ioctl_blocked,
		       ioctl_blocked_summary, ioctl_blocked_remedy),
		.symptom = "\"Operation not permitted\" or \"Function not implemented\" from a "
			   "KVM ioctl, though /dev/kvm opens.",
		.cause = "Something between this process and KVM refuses its calls: most likely "
			 "a seccomp filter or a security module.",
		.tell = "/dev/kvm opens, and an ioctl fails with EPERM, EACCES or ENOSYS, which "
			"KVM itself does not answer.",
		.alike = "\"grep Seccomp: /proc/self/status\" says 2 under a seccomp filter; "
			 "where it says 0, it is a security module, and the kernel's log has its "
			 "denial.",
	}, {
		REASON(407, "out-of-resources", UNAVAILABLE, out_of_resources,
		       out_of_resources_summary, out_of_resources_remedy),
		.symptom = "\"Cannot allocate memory\", \"Too many open files\" or \"No space "
			   "left on device\" from a VMM.",
		.cause = "Memory, open files or another limit was used up while the virtual "
			 "machine was set up.",
		.tell = "Opening /dev/kvm or a set-up call fails with ENOMEM, EMFILE, ENFILE, "
			"ENOSPC or EAGAIN.",
		.alike = "The process's own limits (\"ulimit -a\") and those of its cgroup "
			 "(memory.events, pids.events): the latter count up when hit.",
	}, {
		REASON(405, "kvm-setup-failed", UNAVAILABLE,
		       kvm_setup_failed, kvm_setup_failed_summary, kvm_setup_failed_remedy),
		.symptom = "A VMM fails before the guest's first instruction.",
		.cause = "A call that sets up the virtual machine failed.",
		.tell = "The system call or ioctl and its errno are named.",
		.alike = "\"dmesg | tail\" usually names the cause.",
	}, {
		REASON(501, "l1-not-started", FAILED, l1_not_started, NULL, NULL),
		.symptom = "None outside minivmm.",
		.cause = "minivmm itself failed before it could start L1.",
		.tell = "Nothing was in the way, and L1 never ran.",
	}, {
		REASON(503, "entry-invalid-guest-state", BROKEN, entry_invalid_guest_state,
		       entry_invalid_guest_state_summary, entry_invalid_guest_state_remedy),
		.symptom = "\"KVM: entry failed, hardware error 0x80000021\".",
		.cause = "The CPU refused the guest's state when KVM entered it.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 0x80000021.",
		.alike = "Want of unrestricted guest, and a bad register: the first shows in "
			 "real mode alone, and where "
			 "/sys/module/kvm_intel/parameters/unrestricted_guest is N.",
	}, {
		REASON(504, "entry-invalid-control", BROKEN, entry_invalid_control,
		       entry_invalid_control_summary, entry_invalid_control_remedy),
		.symptom = "\"KVM: entry failed, hardware error 0x7\".",
		.cause = "The CPU refused a VMX control that KVM sets: the level below does not "
			 "really support it.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 7, a VM-instruction error.",
		.alike = "APIC virtualization that an emulated host announces and refuses is the "
			 "known case: kvm_intel enable_apicv=0 makes it go.",
	}, {
		REASON(514, "entry-invalid-host-state", BROKEN, entry_invalid_host,
		       entry_invalid_host_summary, remedy_report),
		.symptom = "\"KVM: entry failed, hardware error 0x8\".",
		.cause = "The CPU refused the host's own state when KVM entered the guest.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 8, a VM-instruction error.",
	}, {
		REASON(505, "entry-fail-reason-zero", BROKEN, entry_fail_reason_zero,
		       entry_fail_reason_zero_summary, entry_fail_reason_zero_remedy),
		.symptom = "\"KVM: entry failed, hardware error 0x0\", FailEntry(0, 2).",
		.cause = "The CPU refused to enter the guest and gave no reason.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 0; seen under Hyper-V with "
			"enlightened VMCS.",
		.alike = "Enlightened VMCS, and exits disabled under Hyper-V (-overcommit "
			 "cpu-pm=on): kvm_intel enlightened_vmcs=0 shows the real number, the "
			 "other goes away without the option.",
	}, {
		REASON(513, "entry-msr-load-failed", BROKEN, entry_msr_load,
		       entry_msr_load_summary, remedy_report),
		.symptom = "\"KVM: entry failed, hardware error 0x80000022\".",
		.cause = "The CPU could not load an MSR when KVM entered the guest.",
		.tell = "KVM_EXIT_FAIL_ENTRY with hardware reason 0x80000022.",
	}, {
		REASON(515, "entry-fail-svm", BROKEN, entry_fail_svm,
		       entry_fail_svm_summary, remedy_report),
		.symptom = "\"KVM: entry failed, hardware error 0xffffffff\".",
		.cause = "The CPU refused KVM's VMRUN: a check of the control block failed.",
		.tell = "KVM_EXIT_FAIL_ENTRY on AMD with VMEXIT_INVALID, all ones.",
		.alike = "SVM does not say which check: a state that the guest made, or a "
			 "control that the level below does not offer.",
	}, {
		REASON(506, "entry-failed", BROKEN,
		       entry_failed, entry_failed_summary, remedy_report),
		.symptom = "\"KVM: entry failed, hardware error 0x...\".",
		.cause = "The CPU refused to enter the guest.",
		.tell = "KVM_EXIT_FAIL_ENTRY with any other hardware reason.",
	}, {
		REASON(507, "emulation-failure", BROKEN,
		       emulation_failure, emulation_failure_summary, remedy_report),
		.symptom = "\"KVM internal error. Suberror: 1\", \"emulation failure\".",
		.cause = "KVM had to emulate an instruction, and could not.",
		.tell = "KVM_EXIT_INTERNAL_ERROR with suberror 1.",
		.alike = "An odd instruction of the guest's, and a jump into nowhere: the bytes "
			 "at RIP tell (minivmm --kernel shows them).",
	}, {
		REASON(508, "kvm-internal-error", BROKEN,
		       kvm_internal_error, kvm_internal_error_summary, remedy_report),
		.symptom = "\"KVM internal error. Suberror: 2\", 3 or 4.",
		.cause = "KVM reported an internal error.",
		.tell = "KVM_EXIT_INTERNAL_ERROR with a suberror other than 1.",
	}, {
		REASON(509, "l1-triple-fault", BROKEN,
		       l1_triple_fault, l1_triple_fault_summary, remedy_report),
		.symptom = "The virtual machine ends or starts anew at once, without output.",
		.cause = "L1, or L2 along with it, shut down by a triple fault.",
		.tell = "KVM_EXIT_SHUTDOWN; KVM's nested state tells in which level.",
		.alike = "L1's own fault, or L2's that KVM let through to L1: evidence "
			 "stopped_in_l2 tells.",
	}, {
		REASON(510, "l1-trap", BROKEN, l1_trap, l1_trap_summary, remedy_report),
		.symptom = "A hypervisor in a virtual machine dies of #GP or #UD at one of its "
			   "own instructions.",
		.cause = "L1 took an exception where none should be.",
		.tell = "L1's own handler reports vector, error code and address.",
	}, {
		REASON(511, "l1-silent", BROKEN, l1_silent, l1_silent_summary, remedy_report),
		.symptom = "A hypervisor in a virtual machine falls silent.",
		.cause = "L1 stopped without telling a result.",
		.tell = "It halted for good, or sent or did something that minivmm does not know.",
		.alike = "A lost wake-up looks like a guest that gave up: repeat it (--repeat "
			 "10).",
	}, {
		REASON(512, "kvm-run-failed", BROKEN,
		       kvm_run_failed, kvm_run_failed_summary, remedy_report),
		.symptom = "\"error: kvm run failed Bad address\" or the like from a VMM.",
		.cause = "KVM_RUN itself failed.",
		.tell = "The ioctl's errno is named.",
	}, {
		REASON(520, "l1-sees-no-virt", BROKEN,
		       l1_sees_no_virt, l1_sees_no_virt_summary, remedy_report),
		.symptom = "No vmx or svm in the guest's /proc/cpuinfo, although KVM offers it.",
		.cause = "L1's CPUID shows neither VMX nor SVM, although KVM was told to show it.",
		.tell = "Check cpu-shows-virt fails.",
	}, {
		REASON(521, "feature-control-not-locked", BROKEN,
		       virt_not_allowed, virt_not_allowed_summary, remedy_report),
		.symptom = "Windows as L1: \"virtualization is not enabled in the firmware\", "
			   "Hyper-V event 41; VMXON raises #GP.",
		.cause = "L1's feature control (VMX) or VM_CR (SVM) does not allow virtualization.",
		.tell = "Check virt-allowed fails.",
	}, {
		REASON(522, "l1-vmxon-fail", BROKEN,
		       l1_vmxon_fail, l1_vmxon_fail_summary, remedy_report),
		.symptom = "A hypervisor in L1 says that VMXON failed, or that EFER.SVME cannot "
			   "be set.",
		.cause = "L1 could not switch VMX or SVM on.",
		.tell = "Check virt-on fails: VMXON, or setting EFER.SVME.",
		.alike = "VMXON that raises #GP is feature control; VMfailInvalid is the region; "
			 "the check's detail says which.",
	}, {
		REASON(523, "l1-vmptrld-fail", BROKEN,
		       l1_vmptrld_fail, l1_vmptrld_fail_summary, remedy_report),
		.symptom = "A hypervisor in L1 says that VMCLEAR or VMPTRLD failed.",
		.cause = "L1 could not load a VMCS.",
		.tell = "Check vmcs-load fails: VMCLEAR or VMPTRLD.",
	}, {
		REASON(524, "l2-entry-failed", BROKEN,
		       l2_entry_failed, l2_entry_failed_summary, l2_entry_failed_remedy),
		.symptom = "In L1: \"KVM: entry failed, hardware error ...\", while L1 itself "
			   "runs well.",
		.cause = "L1 could not enter L2.",
		.tell = "Check l2-entry fails: VMLAUNCH or VMRUN comes back without L2 having run.",
		.alike = "A control that KVM does not offer to L1, and a bad state of L2's: "
			 "VM-instruction error 7 or 8 is the first, exit reason 33 the second; "
			 "SVM says VMEXIT_INVALID to both, and the kernel's tracepoint "
			 "kvm_nested_vmenter_failed tells which check it was (shown where "
			 "minivmm runs as root).",
	}, {
		REASON(525, "witnesses-disagree", BROKEN,
		       witnesses_disagree, witnesses_disagree_summary, remedy_report),
		.symptom = "None outside minivmm.",
		.cause = "L1 claims that L2 ran, and the evidence that a guest cannot write is "
			 "against it.",
		.tell = "The answer to the challenge, KVM's count of nested entries, or KVM's word "
			"on guest mode at L2's port accesses does not fit.",
		.alike = "A kernel given with --probe-kernel that lies, and counters that are "
			 "wrong: without that option it is the latter.",
	}, {
		REASON(526, "l2-wrong-exit", BROKEN,
		       l2_wrong_exit, l2_wrong_exit_summary, remedy_report),
		.symptom = "Guests in L1 hang, crash or read wrong values.",
		.cause = "L2 runs, but one of its exits to L1 is wrong or missing.",
		.tell = "One of the checks from l2-challenge to l2-triple-fault fails; it is "
			"named.",
		.alike = "A bug of this KVM's, and of the hypervisor below it: the same kernel "
			 "on bare metal tells.",
	}, {
		REASON(527, "l1-leave-failed", BROKEN,
		       l1_leave_failed, l1_leave_failed_summary, remedy_report),
		.symptom = "\"kvm_intel\" cannot be unloaded in L1, or L1 dies when its last "
			   "guest ends.",
		.cause = "L1 could not leave VMX operation, or switch SVM off, after L2.",
		.tell = "Check virt-off fails.",
	}, {
		REASON(528, "l1-incomplete", BROKEN,
		       l1_incomplete, l1_incomplete_summary, remedy_report),
		.symptom = "None outside minivmm.",
		.cause = "L1 said that it was done and left core checks untried.",
		.tell = "A core check has no result.",
	}, {
		REASON(541, "l2-unwitnessed", LIMITED, unwitnessed, NULL, unwitnessed_remedy),
		.symptom = "None: nesting may well work.",
		.cause = "L1 says that L2 ran and all is well, but this kernel's KVM has no witness "
			 "of it: that is L1's word alone.",
		.tell = "Neither the statistics nested_run and guest_mode nor KVM_GET_NESTED_STATE are "
			"there.",
	}, {
		REASON(542, "nested-state-unsupported", LIMITED,
		       nested_state_unsupported, NULL, nested_state_remedy),
		.symptom = "\"Nested VMX virtualization does not support live migration yet\" "
			   "from QEMU; snapshots of L1 are refused or kill L2.",
		.cause = "Nesting works, but this KVM cannot save or restore it: no migration, "
			 "no snapshot of a machine with a live L2.",
		.tell = "KVM_CHECK_EXTENSION answers 0 for KVM_CAP_NESTED_STATE.",
		.alike = "A VMM that does not save nested state loses L2 likewise, under a KVM "
			 "that could.",
	}, {
		REASON(540, "ept-or-npt-absent", LIMITED,
		       paging_absent, paging_absent_summary, paging_absent_remedy),
		.symptom = "L2 works and is very slow; Xen as L1: \"Shadow Paging and Nested "
			   "Virtualisation are mutually exclusive\".",
		.cause = "Nesting works, but KVM offers no nested paging (EPT or NPT) to L1.",
		.tell = "Check nested-paging reports that L1's CPU does not offer it.",
		.alike = "Switched off here (the module's parameter reads N), hidden by the "
			 "level below (a guest's CPU without ept or npt), or a CPU that lacks "
			 "it.",
	}, {
		REASON(543, "no-unrestricted-guest", LIMITED, no_unrestricted_guest,
		       no_unrestricted_guest_summary, no_unrestricted_guest_remedy),
		.symptom = "In L1: \"KVM: entry failed, hardware error 0x80000021\" as soon as a "
			   "guest with a BIOS starts, \"without unrestricted mode support\".",
		.cause = "Nesting works, but KVM offers no unrestricted guest to L1 (VMX only).",
		.tell = "Bit 39 of IA32_VMX_PROCBASED_CTLS2 (MSR 0x48b) is clear among KVM's feature "
			"MSRs.",
		.alike = "A guest state that is wrong for another reason gives the same error: "
			 "then it stays where L2 starts in long mode, as minivmm's does.",
	}, {
		REASON(560, "flaky", BROKEN, never, NULL, NULL),
		.symptom = "CI jobs that nest fail now and then.",
		.cause = "Some runs of a series came out otherwise than others.",
		.tell = "--repeat, --duration or --parallel: the reasons of the runs differ; the "
			"verdict is the worst of them.",
		.alike = "Load, and a CPU that differs: --all-cpus tells (cpus-disagree).",
	}, {
		REASON(561, "cpus-disagree", BROKEN, never, NULL, NULL),
		.symptom = "Guests work or fail with the CPU that they happen to run on.",
		.cause = "The result depends on the physical CPU that the probe ran on.",
		.tell = "--all-cpus: each CPU gives the same reason each time, and some CPUs "
			"another than the rest; the verdict is the worst of them.",
		.alike = "Chance: with --all-cpus --repeat 10 each CPU is tried ten times, and "
			 "what differs on one and the same CPU is called flaky.",
	}, {
		REASON(545, "feature-fails", LIMITED,
		       feature_fails, feature_fails_summary, remedy_report),
		.symptom = "A hypervisor inside the virtual machine runs, and misbehaves once it uses one feature.",
		.cause = "Nesting works, but an optional feature that L1's CPU offers does not work.",
		.tell = "With --features, one of the checks from number 100 on fails; it is named.",
	}, {
		REASON(0, "ok", WORKS, always, ok_summary, NULL),
		.symptom = "None.",
		.cause = "Nested virtualization works.",
		.tell = "L2 ran, every core check passed, and KVM's own counters agree.",
	},
};

const struct reason *reason_at(size_t i)
{
	if (i < host_reason_count)
		return &host_reasons[i];
	i -= host_reason_count;
	return i < ARRAY_SIZE(reasons) ? &reasons[i] : NULL;
}

/* The last row always applies. */
static const struct reason *first_applying(const struct facts *facts)
{
	size_t i = 0;

	while (!reason_at(i)->applies(facts))
		i++;
	return reason_at(i);
}

const struct reason *reason_diagnose(struct result *result, const struct facts *facts)
{
	const struct reason *reason = first_applying(facts);

	result->verdict = reason->verdict;
	result->reason_number = reason->number;
	result->reason = reason->name;
	if (reason->summary)
		reason->summary(result, facts);
	else
		summarise(result, "%s", reason->cause);
	result->remedies = 0;
	if (reason->remedy)
		reason->remedy(result, facts);
	return reason;
}

const struct reason *reason_before_run(const struct facts *facts)
{
	const struct reason *reason = first_applying(facts);

	return reason->number > 0 && reason->number < 500 ? reason : NULL;
}

const struct reason *reason_find(const char *name)
{
	const struct reason *reason;

	for (size_t i = 0; (reason = reason_at(i)); i++)
		if (strcmp(reason->name, name) == 0)
			break;
	return reason;
}
