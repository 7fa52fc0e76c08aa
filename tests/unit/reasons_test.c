// SPDX-License-Identifier: MIT
// build/tests/unit reason: made-up machines, each of which must come out with the right reason.
#include "bits.h"
#include "exit_words.h"
#include "reasons.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SUMMARY_MAX	200	/* so that a summary fits a line or two everywhere */
#define REMEDY_MAX	8

/* ---- machines that work, to start from ---- */

static void device_works(struct host_facts *host)
{
	strcpy(host->dev, "/dev/kvm");
	host->dev_mode = S_IFCHR | 0660;
	host->dev_gid = 104;
	host->dev_rdev = makedev(10, 232);
	strcpy(host->dev_group, "kvm");
	host->in_group = YES;
	host->group_pending = NO;
	host->misc_has_kvm = YES;
	host->euid = 1000;
	strcpy(host->user, "ada");
}

static void run_works(struct run_facts *run)
{
	run->end = RUN_DONE;
	run->last_check = L1_CHECK_COUNT - 1;
	for (unsigned int check = 1; check < L1_CHECK_COUNT; check++)
		run->status[check] = L1_PASSED;
	run->rip = 0x101234;
	run->in_l2 = NO;
	run->answer_checked = run->answer_right = true;
	run->witness_reads = run->witness_writes = 3;
	run->witness_answer_right = true;
	run->witness_guest_mode = run->stat_guest_mode = YES;
	run->nested_run_known = true;
	run->nested_run = 1042;
	run->entries = 1042;
}

static struct facts works_on_intel(void)
{
	struct facts facts = { 0 };

	device_works(&facts.host);
	facts.host.vendor = CPU_INTEL;
	strcpy(facts.host.cpu_brand, "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz");
	facts.host.cpuid_vmx = true;
	facts.host.cpuinfo_virt = YES;
	facts.host.cpu_nested_paging = YES;
	strcpy(facts.host.kernel, "6.12.0-amd64");
	facts.host.kvm_module = YES;
	strcpy(facts.host.vendor_module, "kvm_intel");
	facts.host.vendor_module_exists = YES;
	strcpy(facts.host.nested.text, "Y");
	strcpy(facts.host.nested_paging.text, "Y");
	strcpy(facts.host.unrestricted_guest.text, "Y");
	strcpy(facts.host.enable_apicv.text, "Y");
	facts.host.proc_visible = facts.host.sys_visible = true;
	facts.kvm.asked_api = true;
	facts.kvm.api_version = 12;
	facts.kvm.asked_cpuid = true;
	facts.kvm.offers_vmx = true;
	facts.kvm.offers_nested_paging = true;
	facts.kvm.offers_unrestricted = true;
	run_works(&facts.run);
	facts.run.vendor = L1_VENDOR_VMX;
	return facts;
}

static struct facts works_on_amd(void)
{
	struct facts facts = works_on_intel();

	facts.host.vendor = CPU_AMD;
	strcpy(facts.host.cpu_brand, "AMD EPYC 7763 64-Core Processor");
	facts.host.cpuid_vmx = false;
	facts.host.cpuid_svm = true;
	strcpy(facts.host.vendor_module, "kvm_amd");
	strcpy(facts.host.nested.text, "1");
	facts.host.unrestricted_guest.text[0] = facts.host.enable_apicv.text[0] = '\0';
	facts.kvm.offers_vmx = false;
	facts.kvm.offers_svm = true;
	facts.run.vendor = L1_VENDOR_SVM;
	facts.run.status[L1_CHECK_VMCS_LOAD] = L1_NOT_APPLICABLE;
	return facts;
}

/* ---- what differs from them ---- */

/* Opening fails: nothing after it is known. */
static void open_fails(struct facts *facts, int err)
{
	facts->kvm = (struct kvm_facts){ .open_errno = err };
	facts->run = (struct run_facts){ .in_l2 = UNKNOWN };
	if (err == ENOENT)
		facts->host.dev_stat_errno = ENOENT;
}

/* The kernel refuses a timer: nothing is tried. */
static void no_timer(struct facts *facts)
{
	facts->kvm = (struct kvm_facts){ .failed_call = "timer_create", .failed_errno = EAGAIN };
	facts->run = (struct run_facts){ .end = RUN_SELF_FAILED };
}

/* KVM_CREATE_VM was still under way. */
static void slow_to_set_up(struct facts *facts)
{
	strcpy(facts->kvm.failed_call, "KVM_CREATE_VM");
	facts->kvm.failed_errno = EINTR;
	facts->run = (struct run_facts){ .end = RUN_TIMED_OUT };
}

/* No device, and no module that made one. */
static void no_kvm(struct facts *facts)
{
	open_fails(facts, ENOENT);
	facts->host.misc_has_kvm = NO;
	facts->host.kvm_module = NO;
	facts->host.vendor_module[0] = '\0';
}

static void no_virt(struct facts *facts)
{
	facts->host.cpuid_vmx = facts->host.cpuid_svm = false;
	facts->host.cpuinfo_virt = NO;
}

static void guest_of(struct facts *facts, const char *hypervisor)
{
	facts->host.hypervisor_bit = true;
	strcpy(facts->host.hypervisor, hypervisor);
}

static void unchanged(struct facts *facts)
{
	(void)facts;
}

static void not_in_container(struct facts *facts)
{
	open_fails(facts, ENOENT);
	strcpy(facts->host.container, "docker");
}

static void cpu_without(struct facts *facts)
{
	no_kvm(facts);
	no_virt(facts);
}

static void tcg_without_svm(struct facts *facts)
{
	cpu_without(facts);
	guest_of(facts, "TCGTCGTCGTCG");
	facts->host.kvm_module = YES;
}

static void ec2_without(struct facts *facts)
{
	cpu_without(facts);
	guest_of(facts, "KVMKVMKVM");
	strcpy(facts->host.dmi_vendor, "Amazon EC2");
}

static void works_in_a_vm(struct facts *facts)
{
	guest_of(facts, "KVMKVMKVM");
}

static void wsl_without(struct facts *facts)
{
	cpu_without(facts);
	guest_of(facts, "Microsoft Hv");
	facts->host.wsl = YES;
}

static void unnamed_hypervisor(struct facts *facts)
{
	cpu_without(facts);
	guest_of(facts, "");
}

/* The empty root of an initramfs: neither /proc nor /sys. */
static void nothing_visible(struct facts *facts)
{
	no_kvm(facts);
	facts->host.misc_has_kvm = facts->host.kvm_module = UNKNOWN;
	facts->host.cpuinfo_virt = facts->host.vendor_module_exists = UNKNOWN;
}

static void tdx(struct facts *facts)
{
	cpu_without(facts);
	guest_of(facts, "KVMKVMKVM");
	facts->host.confidential = true;
}

static void firmware_off(struct facts *facts)
{
	no_kvm(facts);
	facts->host.kvm_module = YES;
	facts->host.cpuinfo_virt = NO;
}

/* A kernel without KVM clears the flag too, when the firmware left the register unlocked. */
static void no_module_file(struct facts *facts)
{
	firmware_off(facts);
	facts->host.kvm_module = NO;
	facts->host.vendor_module_exists = NO;
}

static void vendor_module_absent(struct facts *facts)
{
	no_kvm(facts);
	facts->host.kvm_module = YES;
	open_fails(facts, ENODEV);
}

/* kvm_intel is built in and its start failed for a reason that leaves no trace here. */
static void builtin_did_not_start(struct facts *facts)
{
	open_fails(facts, ENOENT);
	facts->host.misc_has_kvm = NO;
	facts->host.vendor_builtin = YES;
}

static void cgroup_denies(struct facts *facts)
{
	open_fails(facts, EPERM);
}

static void rootless(struct facts *facts)
{
	open_fails(facts, EACCES);
	facts->host.user_namespace = YES;
	facts->host.dev_uid = facts->host.dev_gid = 65534;
	facts->host.in_group = NO;
	strcpy(facts->host.container, "podman");
}

static void lsm_denies(struct facts *facts)
{
	open_fails(facts, EACCES);
	strcpy(facts->host.lsm, "docker-default (enforce)");
}

static void nodev_mount(struct facts *facts)
{
	open_fails(facts, EACCES);
	facts->host.dev_nodev = true;
}

static void unlike_cpus(struct facts *facts)
{
	no_kvm(facts);
	facts->host.cpus_with = 3;
	facts->host.cpus_without = 1;
}

static void blacklisted(struct facts *facts)
{
	no_kvm(facts);
	strcpy(facts->host.blacklist, "/etc/modprobe.d/blacklist-kvm.conf");
}

static void blacklisted_at_boot(struct facts *facts)
{
	no_kvm(facts);
	strcpy(facts->host.blacklist, "the kernel's command line");
}

static void azure_without(struct facts *facts)
{
	cpu_without(facts);
	guest_of(facts, "Microsoft Hv");
	strcpy(facts->host.dmi_asset_tag, "7783-7084-3265-9085-8269-3286-77");
}

static void not_in_group(struct facts *facts)
{
	open_fails(facts, EACCES);
	facts->host.in_group = NO;
}

static void group_is_new(struct facts *facts)
{
	not_in_group(facts);
	facts->host.group_pending = YES;
}

static void root_only(struct facts *facts)
{
	not_in_group(facts);
	facts->host.dev_mode = S_IFCHR | 0600;
	facts->host.dev_gid = 0;
	strcpy(facts->host.dev_group, "root");
}

static void unreadable_dev(struct facts *facts)
{
	not_in_group(facts);
	facts->host.dev_stat_errno = EACCES;
}

/* A leftover node that nobody may open, and no KVM behind it. */
static void stale_node(struct facts *facts)
{
	cpu_without(facts);
	open_fails(facts, EACCES);
	facts->host.dev_stat_errno = 0;
}

static void directory(struct facts *facts)
{
	open_fails(facts, EISDIR);
	facts->host.dev_mode = S_IFDIR | 0755;
}

static void dev_null(struct facts *facts)
{
	facts->host.dev_rdev = makedev(1, 3);
	facts->kvm = (struct kvm_facts){ .api_errno = ENOTTY };
	facts->run = (struct run_facts){ 0 };
}

static void dev_null_by_option(struct facts *facts)
{
	dev_null(facts);
	strcpy(facts->host.dev, "/dev/null");
}

static void api_of_old(struct facts *facts)
{
	facts->kvm.api_version = 10;
}

static void no_capability(struct facts *facts)
{
	facts->kvm.missing_cap = "KVM_CAP_USER_MEMORY";
}

/* KVM's pvm backend in a virtual machine without VMX and SVM: /dev/kvm works all the same. */
static void pvm(struct facts *facts)
{
	no_virt(facts);
	guest_of(facts, "KVMKVMKVM");
	strcpy(facts->host.vendor_module, "kvm_pvm");
	facts->host.vendor_builtin = YES;
	facts->host.module_users = -1;
	facts->kvm.offers_vmx = facts->kvm.offers_svm = false;
	facts->run = (struct run_facts){ 0 };
}

static void pvm_on_a_full_cpu(struct facts *facts)
{
	strcpy(facts->host.vendor_module, "kvm_pvm");
	facts->kvm.offers_vmx = facts->kvm.offers_svm = false;
}

static void nested_off(struct facts *facts)
{
	strcpy(facts->host.nested.text, "N");
	facts->kvm.offers_vmx = facts->kvm.offers_svm = false;
	facts->run = (struct run_facts){ 0 };
}

static void nested_off_unseen(struct facts *facts)
{
	nested_off(facts);
	facts->host.nested.text[0] = facts->host.vendor_module[0] = '\0';
	facts->host.module_users = -1;
}

static void nested_off_in_a_vm(struct facts *facts)
{
	nested_off(facts);
	guest_of(facts, "KVMKVMKVM");
}

static void option_hides(struct facts *facts)
{
	facts->kvm.hidden_by_option = true;
	facts->run = (struct run_facts){ 0 };
}

static void setup_fails(struct facts *facts, const char *call, int err)
{
	strcpy(facts->kvm.failed_call, call);
	facts->kvm.failed_errno = err;
	facts->run = (struct run_facts){ 0 };
}

static void virtualbox_runs(struct facts *facts)
{
	setup_fails(facts, "KVM_CREATE_VM", EBUSY);
	strcpy(facts->host.other_hypervisor, "vboxdrv");
}

static void feature_control_rejected(struct facts *facts)
{
	setup_fails(facts, "KVM_SET_MSRS", EINVAL);
	facts->kvm.rejected_msr = 0x3a;
}

static void no_memory(struct facts *facts)
{
	setup_fails(facts, "KVM_CREATE_VCPU", ENOMEM);
}

static void too_many_files(struct facts *facts)
{
	open_fails(facts, EMFILE);
}

static void mmap_fails(struct facts *facts)
{
	setup_fails(facts, "mmap of kvm_run", EIO);
}

static void seccomp_refuses(struct facts *facts)
{
	setup_fails(facts, "KVM_CREATE_VM", EPERM);
	facts->host.seccomp = YES;
}

static void cannot_open(struct facts *facts)
{
	open_fails(facts, EIO);
}

/* ---- the run ---- */

/* The run ends while `check` is under way; what comes after it has no result. */
static void run_ends(struct facts *facts, enum run_end end, unsigned int check)
{
	facts->run.end = end;
	facts->run.last_check = check;
	facts->run.in_check = true;
	facts->run.in_l2 = check >= L1_CHECK_L2_ENTRY ? YES : NO;
	facts->run.answer_checked = facts->run.answer_right = false;
	facts->run.witness_writes = 0;
	for (; check < L1_CHECK_COUNT; check++)
		facts->run.status[check] = 0;
}

static void never_started(struct facts *facts)
{
	facts->run = (struct run_facts){ 0 };
}

static void hangs(struct facts *facts)
{
	run_ends(facts, RUN_TIMED_OUT, L1_CHECK_L2_INTERRUPT);
}

static void hangs_at_once(struct facts *facts)
{
	run_ends(facts, RUN_TIMED_OUT, L1_CHECK_NONE);
}

static void fail_entry(struct facts *facts, uint64_t reason)
{
	run_ends(facts, RUN_FAIL_ENTRY, L1_CHECK_NONE);
	facts->run.hardware_reason = reason;
}

static void bad_guest_state(struct facts *facts)
{
	fail_entry(facts, 0x80000021);
}

static void bochs_apicv(struct facts *facts)
{
	fail_entry(facts, 7);
}

static void hyperv_zero(struct facts *facts)
{
	guest_of(facts, "Microsoft Hv");
	fail_entry(facts, 0);
}

static void vmexit_invalid(struct facts *facts)
{
	fail_entry(facts, UINT64_MAX);
}

static void msr_loading(struct facts *facts)
{
	fail_entry(facts, 0x80000022);
}

static void bad_host_state(struct facts *facts)
{
	fail_entry(facts, 8);
}

static void vmresume_not_launched(struct facts *facts)
{
	fail_entry(facts, 5);
}

static void internal_error(struct facts *facts, uint32_t suberror)
{
	run_ends(facts, RUN_INTERNAL_ERROR, L1_CHECK_L2_PORT);
	facts->run.suberror = suberror;
}

static void cannot_emulate(struct facts *facts)
{
	internal_error(facts, 1);
}

static void unexpected_exit(struct facts *facts)
{
	internal_error(facts, 4);
}

static void triple_fault(struct facts *facts)
{
	run_ends(facts, RUN_SHUTDOWN, L1_CHECK_L2_TRIPLE_FAULT);
}

static void trap(struct facts *facts)
{
	run_ends(facts, RUN_TRAP, L1_CHECK_VIRT_ON);
	facts->run.trap_vector = 13;
	facts->run.trap_address = 0x100abc;
}

static void trap_from_a_liar(struct facts *facts)
{
	run_ends(facts, RUN_TRAP, UINT32_MAX - 100);
	facts->run.trap_vector = facts->run.trap_error = facts->run.trap_address = UINT64_MAX;
	facts->run.rip = UINT64_MAX;
}

static void halts(struct facts *facts)
{
	run_ends(facts, RUN_HALTED, L1_CHECK_VIRT_ALLOWED);
}

static void babbles(struct facts *facts)
{
	run_ends(facts, RUN_BAD_MESSAGE, L1_CHECK_L2_MSR);
}

static void run_fails(struct facts *facts)
{
	run_ends(facts, RUN_ERROR, L1_CHECK_L2_ENTRY);
	facts->run.failed_errno = EFAULT;
}

static void run_is_refused(struct facts *facts)
{
	run_ends(facts, RUN_ERROR, L1_CHECK_L2_ENTRY);
	facts->run.failed_errno = EPERM;
}

/* `check` fails; L1 goes on, or is done if nothing can follow. */
static void check_fails(struct facts *facts, unsigned int check)
{
	facts->run.status[check] = L1_FAILED;
	if (check > L1_CHECK_L2_ENTRY)
		return;
	run_ends(facts, RUN_DONE, check + 1);
	facts->run.last_check = check;
	facts->run.in_check = false;
	facts->run.nested_run = 0;
}

static void sees_no_virt(struct facts *facts)
{
	check_fails(facts, L1_CHECK_CPU_SHOWS_VIRT);
}

static void may_not(struct facts *facts)
{
	check_fails(facts, L1_CHECK_VIRT_ALLOWED);
}

static void vmxon_fails(struct facts *facts)
{
	check_fails(facts, L1_CHECK_VIRT_ON);
}

static void vmptrld_fails(struct facts *facts)
{
	check_fails(facts, L1_CHECK_VMCS_LOAD);
	facts->run.value[L1_CHECK_VMCS_LOAD][L1_VALUE_INSTR_ERROR] = 11;
}

static void entry_fails(struct facts *facts)
{
	check_fails(facts, L1_CHECK_L2_ENTRY);
	facts->run.value[L1_CHECK_L2_ENTRY][L1_VALUE_INSTR_ERROR] = 12;
}

static void entry_comes_back(struct facts *facts)
{
	check_fails(facts, L1_CHECK_L2_ENTRY);
	facts->run.value[L1_CHECK_L2_ENTRY][L1_VALUE_EXIT] = 0x80000021;
}

static void vmrun_invalid(struct facts *facts)
{
	check_fails(facts, L1_CHECK_L2_ENTRY);
	facts->run.value[L1_CHECK_L2_ENTRY][L1_VALUE_EXIT] = UINT64_MAX;
}

static void witness_objects(struct facts *facts)
{
	strcpy(facts->run.disagreement, "L2's port access came while KVM was not in guest mode");
}

static void wrong_answer(struct facts *facts)
{
	facts->run.answer_right = false;
}

static void wrong_witness_answer(struct facts *facts)
{
	facts->run.witness_answer_right = false;
}

/* A guest that says that all passed and never entered L2. */
static void forger(struct facts *facts)
{
	facts->run.answer_checked = facts->run.answer_right = false;
	facts->run.witness_reads = facts->run.witness_writes = 0;
	facts->run.nested_run = 0;
}

static void forger_on_an_old_kernel(struct facts *facts)
{
	forger(facts);
	facts->run.nested_run_known = false;
}

static void forger_by_not_applicable(struct facts *facts)
{
	forger(facts);
	for (unsigned int check = 1; check < L1_CHECK_COUNT; check++)
		facts->run.status[check] = L1_NOT_APPLICABLE;
}

/* No KVM_CAP_NESTED_STATE, no binary statistics: fewer witnesses, and none against. */
static void old_kernel(struct facts *facts)
{
	facts->run.witness_guest_mode = facts->run.stat_guest_mode = UNKNOWN;
	facts->run.in_l2 = UNKNOWN;
	facts->run.nested_run_known = false;
	facts->run.nested_run = 0;
}

static void wrong_exit(struct facts *facts)
{
	check_fails(facts, L1_CHECK_L2_CPUID);
	facts->run.value[L1_CHECK_L2_CPUID][L1_VALUE_EXIT] = 48;
	facts->run.value[L1_CHECK_L2_CPUID][L1_VALUE_EXPECTED] = 10;
	facts->run.value[L1_CHECK_L2_CPUID][L1_VALUE_GOT] = 48;
}

/* L1 itself says that L2's answer was wrong: no witness is needed against it. */
static void honest_wrong_answer(struct facts *facts)
{
	check_fails(facts, L1_CHECK_L2_CHALLENGE);
	facts->run.answer_right = false;
}

static void core_check_not_offered(struct facts *facts)
{
	facts->run.status[L1_CHECK_L2_MSR] = L1_NOT_OFFERED;
}

static void unknown_status(struct facts *facts)
{
	facts->run.status[L1_CHECK_L2_RESUME] = 0xffffffff;
}

static void cannot_leave(struct facts *facts)
{
	check_fails(facts, L1_CHECK_VIRT_OFF);
}

static void leaves_early(struct facts *facts)
{
	facts->run.status[L1_CHECK_L2_MSR] = 0;
}

static void says_nothing(struct facts *facts)
{
	memset(facts->run.status, 0, sizeof(facts->run.status));
}

static void no_nested_state(struct facts *facts)
{
	facts->kvm.asked_nested_state = true;
	facts->kvm.saves_nested_state = false;
	facts->run.witness_guest_mode = UNKNOWN;
}

static void feature_fails_alone(struct facts *facts)
{
	facts->run.features_asked = true;
	facts->run.status[L1_CHECK_REAL_MODE] = L1_PASSED;
	facts->run.status[L1_CHECK_LA57] = L1_NOT_OFFERED;
	facts->run.status[L1_CHECK_XSAVE_STATE] = L1_FAILED;
}

static void features_fail(struct facts *facts)
{
	feature_fails_alone(facts);
	facts->run.status[L1_CHECK_REAL_MODE] = L1_FAILED;
}

static void no_paging(struct facts *facts)
{
	strcpy(facts->host.nested_paging.text, "N");
	facts->kvm.offers_nested_paging = false;
	facts->run.status[L1_CHECK_NESTED_PAGING] = L1_NOT_OFFERED;
}

static void no_unrestricted(struct facts *facts)
{
	strcpy(facts->host.unrestricted_guest.text, "N");
	facts->kvm.offers_unrestricted = false;
}

/* ---- what they must come out as ---- */

#define INTEL false
#define AMD true

static const struct sample {
	const char *reason;
	enum verdict verdict;
	bool amd;
	void (*change)(struct facts *facts);
	const char *says;	/* part of the summary or of a remedy line, NULL = anything */
} samples[] = {
	{ "ok", VERDICT_WORKS, INTEL, unchanged, "ran under VMX" },
	{ "ok", VERDICT_WORKS, AMD, unchanged, "ran under SVM" },
	{ "l2-unwitnessed", VERDICT_LIMITED, AMD, old_kernel, "a newer kernel" },
	{ "ok", VERDICT_WORKS, INTEL, works_in_a_vm, "itself a guest (of KVM)" },

	{ "kvm-dev-not-in-container", VERDICT_UNAVAILABLE, INTEL, not_in_container,
	  "docker run --device=/dev/kvm" },
	{ "confidential-guest", VERDICT_UNAVAILABLE, INTEL, tdx, "confidential" },
	{ "cpu-no-virt", VERDICT_UNAVAILABLE, INTEL, cpu_without, "Xeon" },
	{ "cpu-no-virt", VERDICT_UNAVAILABLE, AMD, stale_node, "has no driver" },
	{ "l0-hides-virt", VERDICT_UNAVAILABLE, AMD, tcg_without_svm, "QEMU's TCG emulator" },
	{ "l0-hides-virt", VERDICT_UNAVAILABLE, INTEL, ec2_without, "--cpu-options" },
	{ "l0-hides-virt", VERDICT_UNAVAILABLE, INTEL, wsl_without, "wsl --shutdown" },
	{ "l0-hides-virt", VERDICT_UNAVAILABLE, INTEL, azure_without, "az vm" },
	{ "l0-hides-virt", VERDICT_UNAVAILABLE, INTEL, unnamed_hypervisor, "a hypervisor" },
	{ "firmware-disabled-vmx", VERDICT_UNAVAILABLE, INTEL, firmware_off, "most likely" },
	{ "firmware-disabled-svm", VERDICT_UNAVAILABLE, AMD, firmware_off, "SVM Mode" },
	{ "kernel-without-kvm", VERDICT_UNAVAILABLE, INTEL, no_module_file, "CONFIG_KVM_INTEL" },
	{ "kernel-without-kvm", VERDICT_UNAVAILABLE, AMD, no_module_file, "CONFIG_KVM_AMD" },
	{ "cpu-inconsistent", VERDICT_UNAVAILABLE, INTEL, unlike_cpus, "3 of this machine's 4" },
	{ "kvm-module-blacklisted", VERDICT_UNAVAILABLE, AMD, blacklisted, "blacklist-kvm.conf" },
	{ "kvm-module-blacklisted", VERDICT_UNAVAILABLE, INTEL, blacklisted_at_boot, "reboot" },
	{ "kvm-module-not-loaded", VERDICT_UNAVAILABLE, AMD, no_kvm, "sudo modprobe kvm_amd" },
	{ "kvm-vendor-module-not-loaded", VERDICT_UNAVAILABLE, INTEL, vendor_module_absent,
	  "sudo modprobe kvm_intel" },
	{ "kvm-dev-missing", VERDICT_UNAVAILABLE, INTEL, nothing_visible, NULL },
	{ "kvm-dev-missing", VERDICT_UNAVAILABLE, INTEL, builtin_did_not_start, "kvm_intel" },
	{ "kvm-dev-cgroup-denied", VERDICT_UNAVAILABLE, INTEL, cgroup_denies, "10:232" },
	{ "kvm-dev-nodev", VERDICT_UNAVAILABLE, INTEL, nodev_mount, "mounted nodev" },
	{ "kvm-dev-userns-or-lsm", VERDICT_UNAVAILABLE, INTEL, rootless, "keep-groups" },
	{ "kvm-dev-userns-or-lsm", VERDICT_UNAVAILABLE, INTEL, lsm_denies, "docker-default" },
	{ "kvm-dev-permission", VERDICT_UNAVAILABLE, INTEL, not_in_group,
	  "sudo usermod -aG kvm ada" },
	{ "kvm-dev-permission", VERDICT_UNAVAILABLE, INTEL, group_is_new, "Log out and in" },
	{ "kvm-dev-permission", VERDICT_UNAVAILABLE, INTEL, root_only, "99-kvm4all.rules" },
	{ "kvm-dev-permission", VERDICT_UNAVAILABLE, INTEL, unreadable_dev, NULL },
	{ "not-a-kvm-device", VERDICT_UNAVAILABLE, INTEL, directory, "a directory" },
	{ "not-a-kvm-device", VERDICT_UNAVAILABLE, INTEL, dev_null, "KVM_GET_API_VERSION" },
	{ "not-a-kvm-device", VERDICT_UNAVAILABLE, INTEL, dev_null_by_option, "ls -ld /dev/null" },
	{ "not-a-kvm-device", VERDICT_UNAVAILABLE, INTEL, api_of_old, "version 10" },

	{ "kvm-capability-missing", VERDICT_UNAVAILABLE, INTEL, no_capability,
	  "KVM_CAP_USER_MEMORY" },
	{ "kvm-without-hw-virt", VERDICT_UNAVAILABLE, AMD, pvm, "kvm_pvm" },
	{ "kvm-without-hw-virt", VERDICT_UNAVAILABLE, INTEL, pvm_on_a_full_cpu,
	  "sudo modprobe kvm_intel" },
	{ "nested-disabled", VERDICT_UNAVAILABLE, INTEL, nested_off, "kvm_intel (nested=N)" },
	{ "nested-disabled", VERDICT_UNAVAILABLE, AMD, nested_off_in_a_vm, "kvm_amd (nested=N)" },
	{ "nested-disabled", VERDICT_UNAVAILABLE, AMD, nested_off_unseen, "most likely" },
	{ "hidden-by-option", VERDICT_UNAVAILABLE, AMD, option_hides, "-cpu" },
	{ "kvm-busy-other-hypervisor", VERDICT_UNAVAILABLE, INTEL, virtualbox_runs, "vboxdrv" },
	{ "msr-rejected", VERDICT_UNAVAILABLE, INTEL, feature_control_rejected,
	  "0x3a (IA32_FEATURE_CONTROL)" },
	{ "out-of-resources", VERDICT_UNAVAILABLE, INTEL, no_memory, "KVM_CREATE_VCPU" },
	{ "out-of-resources", VERDICT_UNAVAILABLE, INTEL, too_many_files, "ulimit -a" },
	{ "ioctl-blocked", VERDICT_UNAVAILABLE, INTEL, seccomp_refuses, "seccomp=unconfined" },
	{ "ioctl-blocked", VERDICT_UNAVAILABLE, AMD, run_is_refused, "security module" },
	{ "kvm-setup-failed", VERDICT_UNAVAILABLE, INTEL, mmap_fails, "mmap of kvm_run" },
	{ "kvm-setup-failed", VERDICT_UNAVAILABLE, INTEL, cannot_open, "cannot be opened" },

	{ "minivmm-failed", VERDICT_FAILED, INTEL, no_timer, "timer_create" },
	{ "l1-not-started", VERDICT_FAILED, INTEL, never_started, NULL },
	{ "timed-out", VERDICT_TIMED_OUT, AMD, slow_to_set_up, "being set up" },
	{ "timed-out", VERDICT_TIMED_OUT, AMD, hangs, "during check l2-interrupt: L2" },
	{ "timed-out", VERDICT_TIMED_OUT, AMD, hangs_at_once, "before the first check" },
	{ "entry-invalid-guest-state", VERDICT_BROKEN, INTEL, bad_guest_state, "0x80000021" },
	{ "entry-invalid-control", VERDICT_BROKEN, INTEL, bochs_apicv, "enable_apicv=0" },
	{ "entry-failed", VERDICT_BROKEN, AMD, bochs_apicv, "0x7" },
	{ "entry-fail-reason-zero", VERDICT_BROKEN, INTEL, hyperv_zero, "enlightened_vmcs=0" },
	{ "entry-failed", VERDICT_BROKEN, INTEL, vmresume_not_launched, "VMRESUME" },
	{ "entry-fail-svm", VERDICT_BROKEN, AMD, vmexit_invalid, "VMEXIT_INVALID" },
	{ "entry-msr-load-failed", VERDICT_BROKEN, INTEL, msr_loading, "0x80000022" },
	{ "entry-invalid-host-state", VERDICT_BROKEN, INTEL, bad_host_state, "host-state" },
	{ "entry-failed", VERDICT_BROKEN, AMD, bad_host_state, "0x8" },
	{ "emulation-failure", VERDICT_BROKEN, INTEL, cannot_emulate, "0x101234" },
	{ "kvm-internal-error", VERDICT_BROKEN, INTEL, unexpected_exit, "does not handle" },
	{ "l1-triple-fault", VERDICT_BROKEN, AMD, triple_fault, "L2 was at" },
	{ "l1-trap", VERDICT_BROKEN, INTEL, trap, "RIP 0x100abc" },
	{ "l1-trap", VERDICT_BROKEN, INTEL, trap_from_a_liar, "an interrupt" },
	{ "l1-silent", VERDICT_BROKEN, INTEL, halts, "halted for good" },
	{ "l1-silent", VERDICT_BROKEN, INTEL, babbles, "does not know" },
	{ "kvm-run-failed", VERDICT_BROKEN, INTEL, run_fails, "Bad address" },
	{ "l1-sees-no-virt", VERDICT_BROKEN, AMD, sees_no_virt, "SVM" },
	{ "feature-control-not-locked", VERDICT_BROKEN, INTEL, may_not, "0x3a" },
	{ "feature-control-not-locked", VERDICT_BROKEN, AMD, may_not, "VM_CR" },
	{ "l1-vmxon-fail", VERDICT_BROKEN, INTEL, vmxon_fails, "VMXON" },
	{ "l1-vmptrld-fail", VERDICT_BROKEN, INTEL, vmptrld_fails, "a wrong revision" },
	{ "l2-entry-failed", VERDICT_BROKEN, INTEL, entry_fails, "VM-instruction error 12" },
	{ "l2-entry-failed", VERDICT_BROKEN, INTEL, entry_comes_back, "invalid guest state" },
	{ "l2-entry-failed", VERDICT_BROKEN, AMD, vmrun_invalid, "VMEXIT_INVALID" },
	{ "witnesses-disagree", VERDICT_BROKEN, INTEL, witness_objects, "not in guest mode." },
	{ "witnesses-disagree", VERDICT_BROKEN, INTEL, wrong_answer, "wrong answer" },
	{ "witnesses-disagree", VERDICT_BROKEN, AMD, wrong_witness_answer, "wrong answer" },
	{ "witnesses-disagree", VERDICT_BROKEN, INTEL, forger, "counted no entry" },
	{ "witnesses-disagree", VERDICT_BROKEN, AMD, forger_on_an_old_kernel, "no answer" },
	{ "l1-sees-no-virt", VERDICT_BROKEN, AMD, forger_by_not_applicable, NULL },
	{ "l2-wrong-exit", VERDICT_BROKEN, INTEL, wrong_exit, "check l2-cpuid failed" },
	{ "l2-wrong-exit", VERDICT_BROKEN, INTEL, honest_wrong_answer, "l2-challenge" },
	{ "l2-wrong-exit", VERDICT_BROKEN, INTEL, core_check_not_offered, "l2-msr" },
	{ "l2-wrong-exit", VERDICT_BROKEN, INTEL, unknown_status, "l2-resume" },
	{ "l1-leave-failed", VERDICT_BROKEN, INTEL, cannot_leave, "VMXOFF" },
	{ "l1-incomplete", VERDICT_BROKEN, INTEL, leaves_early, "l2-msr" },
	{ "l1-incomplete", VERDICT_BROKEN, INTEL, says_nothing, "cpu-shows-virt" },
	{ "nested-state-unsupported", VERDICT_LIMITED, INTEL, no_nested_state, "4.20" },
	{ "feature-fails", VERDICT_LIMITED, AMD, feature_fails_alone, "xsave-state is offered and fails." },
	{ "feature-fails", VERDICT_LIMITED, INTEL, features_fail, "real-mode is offered and fails, and 1 more" },
	{ "ept-or-npt-absent", VERDICT_LIMITED, INTEL, no_paging, "ept=1" },
	{ "ept-or-npt-absent", VERDICT_LIMITED, AMD, no_paging, "npt=1" },
	{ "no-unrestricted-guest", VERDICT_LIMITED, INTEL, no_unrestricted, "unrestricted_guest=1" },
};

static struct facts sample_facts(const struct sample *sample)
{
	struct facts facts = sample->amd ? works_on_amd() : works_on_intel();

	sample->change(&facts);
	return facts;
}

static struct result diagnose(const struct facts *facts)
{
	struct result result = { 0 };

	reason_diagnose(&result, facts);
	return result;
}

static bool result_says(const struct result *result, const char *words)
{
	bool says = strstr(result->summary, words);

	for (size_t i = 0; i < result->remedies; i++)
		says |= strstr(result->remedy[i].text, words) != NULL;
	return says;
}

static void reasons_of_samples(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct facts facts = sample_facts(&samples[i]);
		struct result result = diagnose(&facts);

		EXPECT_STR(result.reason, samples[i].reason);
		EXPECT(result.verdict == samples[i].verdict, "sample %zu, %s: %s", i,
		       samples[i].reason, verdict_name(result.verdict));
		if (samples[i].says)
			EXPECT(result_says(&result, samples[i].says), "%s: no \"%s\": %s",
			       samples[i].reason, samples[i].says, result.summary);
	}
}

/* What stops the probe before the run is what stops it after: below 500, and only that. */
static void reasons_before_run(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct facts facts = sample_facts(&samples[i]);
		const struct reason *before = reason_before_run(&facts);
		const struct reason *reason = reason_find(samples[i].reason);
		bool early = reason && reason->number > 0 && reason->number < 500;

		EXPECT(early ? before == reason : !before, "sample %zu, %s: %s", i,
		       samples[i].reason, before ? before->name : "none");
	}
}

static void reasons_fit(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct facts facts = sample_facts(&samples[i]);
		struct result result = diagnose(&facts);
		const char *name = samples[i].reason;

		EXPECT(result.summary[0] && !strchr(result.summary, '\n'), "%s", name);
		EXPECT(result.summary[strlen(result.summary) - 1] == '.', "%s: %s", name,
		       result.summary);
		EXPECT(strlen(result.summary) <= SUMMARY_MAX, "%s: %s", name, result.summary);
		EXPECT(result.remedies <= REMEDY_MAX, "%s: %zu lines", name, result.remedies);
		for (size_t r = 0; r < result.remedies; r++) {
			const char *text = result.remedy[r].text;

			EXPECT(text[0] && !strchr(text, '\n'), "%s: %s", name, text);
			EXPECT(strlen(text) < sizeof(result.remedy[r].text) - 1, "%s: cut: %s",
			       name, text);
		}
	}
}

/* Only what nobody can mend comes without a remedy. */
static void reasons_have_remedies(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct facts facts = sample_facts(&samples[i]);
		struct result result = diagnose(&facts);
		bool none = result.verdict == VERDICT_WORKS || result.verdict == VERDICT_FAILED;

		EXPECT(none || result.remedies, "%s", samples[i].reason);
	}
}

/* Every row is reached by a sample, and no two share a number or a name. */
static void reasons_catalogue(void)
{
	const struct reason *row, *last = NULL;

	for (size_t i = 0; (row = reason_at(i)); i++) {
		/* those of a series are no single run's: the tests of the real program have them */
		bool sampled = row->number == 560 || row->number == 561;

		last = row;
		for (size_t j = 0; j < i; j++)
			EXPECT(row->number != reason_at(j)->number &&
			       strcmp(row->name, reason_at(j)->name) != 0,
			       "%s and %s", row->name, reason_at(j)->name);
		for (size_t j = 0; j < ARRAY_SIZE(samples); j++)
			sampled |= strcmp(row->name, samples[j].reason) == 0;
		EXPECT(sampled, "%s", row->name);
		EXPECT(row->cause && row->cause[0] && row->tell && row->tell[0], "%s", row->name);
		EXPECT(row->symptom && row->symptom[0], "%s", row->name);
		EXPECT(!row->number == (row->verdict == VERDICT_WORKS), "%s", row->name);
		EXPECT(reason_find(row->name) == row, "%s", row->name);
	}
	EXPECT_STR(last->name, "ok");
	EXPECT(!reason_find("no-such-reason"), "found");
}

/* The lines that someone pastes to switch nesting on: the right module, and a word when it is in
 * use and the reload must fail. */
static void reasons_nested_disabled(void)
{
	for (int amd = 0; amd < 2; amd++) {
		struct facts facts = amd ? works_on_amd() : works_on_intel();
		const char *module = amd ? "kvm_amd" : "kvm_intel";
		char reload[96], option[96];
		struct result result;

		snprintf(reload, sizeof(reload), "sudo modprobe -r %s && sudo modprobe %s nested=1",
			 module, module);
		snprintf(option, sizeof(option), "echo 'options %s nested=1' | sudo tee "
			 "/etc/modprobe.d/kvm-nested.conf", module);
		nested_off(&facts);
		result = diagnose(&facts);
		EXPECT(result_says(&result, reload), "%s", module);
		EXPECT(result_says(&result, option), "%s", module);
		EXPECT(!result_says(&result, amd ? "kvm_intel" : "kvm_amd"), "%s", module);
		EXPECT(!result_says(&result, "in use"), "%s", module);

		facts.host.module_users = 7;
		result = diagnose(&facts);
		EXPECT(result_says(&result, "in use now (reference count 7)"), "%s", module);

		facts.host.vendor_builtin = YES;
		result = diagnose(&facts);
		EXPECT(result_says(&result, "command line"), "%s", module);
		EXPECT(!result_says(&result, "modprobe"), "%s", module);
	}
}

/* Group root would hand out far more than KVM; /dev/null is not ours to replace. */
static void reasons_do_no_harm(void)
{
	struct facts facts = works_on_intel();
	struct result result;

	root_only(&facts);
	result = diagnose(&facts);
	EXPECT(!result_says(&result, "usermod"), "%s", result.summary);
	facts.host.dev_mode = S_IFCHR | 0660;
	result = diagnose(&facts);
	EXPECT(!result_says(&result, "usermod"), "%s", result.summary);

	facts = works_on_intel();
	dev_null_by_option(&facts);
	result = diagnose(&facts);
	EXPECT(!result_says(&result, "sudo"), "%s", result.summary);
}

/* Text from the host may fill its buffers to the brim, and the guest may say any number. */
static void reasons_of_long_texts(void)
{
	static const char *const containers[] = { "docker", "podman", "kubernetes", "lxc",
						  "systemd-nspawn", "other" };

	for (size_t i = 0; i < ARRAY_SIZE(samples) * ARRAY_SIZE(containers); i++) {
		struct facts facts = sample_facts(&samples[i / ARRAY_SIZE(containers)]);
		struct host_facts *host = &facts.host;
		struct result result;

		memset(host->cpu_brand, 'x', sizeof(host->cpu_brand) - 1);
		memset(host->kernel, 'x', sizeof(host->kernel) - 1);
		memset(host->dev_group, 'x', sizeof(host->dev_group) - 1);
		memset(host->user, 'x', sizeof(host->user) - 1);
		memset(host->lsm, 'x', sizeof(host->lsm) - 1);
		memset(facts.run.value, 0xff, sizeof(facts.run.value));
		strcpy(host->container, containers[i % ARRAY_SIZE(containers)]);
		result = diagnose(&facts);
		EXPECT(strlen(result.summary) < sizeof(result.summary) - 1, "%s: cut: %s",
		       result.reason, result.summary);
		EXPECT(result.remedies <= REMEDY_MAX, "%s: %zu lines", result.reason,
		       result.remedies);
		for (size_t r = 0; r < result.remedies; r++)
			EXPECT(strlen(result.remedy[r].text) < sizeof(result.remedy[r].text) - 1,
			       "%s: cut: %s", result.reason, result.remedy[r].text);
	}
}

/* SDM vol. 3, "VM Instruction Error Numbers": 14, 21 and 27 are no errors. */
static void reasons_words(void)
{
	char text[80];

	for (uint64_t number = 0; number < 40; number++) {
		bool none = !number || number > 28 || number == 14 || number == 21 || number == 27;

		EXPECT(!vm_instruction_error(number) == none, "%u", (unsigned int)number);
	}
	EXPECT_STR(vm_instruction_error(7), "VM entry with an invalid control field");
	EXPECT_STR(vmx_exit_name(0x80000021), "invalid guest state");
	EXPECT_STR(vmx_exit_name(48), "EPT violation");
	EXPECT_STR(vmx_exit_name(75), "notify window");
	EXPECT(!vmx_exit_name(35) && !vmx_exit_name(76) && !vmx_exit_name(0xffff), "no such exit");
	EXPECT_STR(svm_exit_name(0x72), "CPUID");
	EXPECT_STR(svm_exit_name(0x7f), "shutdown");
	EXPECT_STR(svm_exit_name(0x81), "VMMCALL");
	EXPECT_STR(svm_exit_name(0x8f), "write of EFER");
	EXPECT_STR(svm_exit_name(0x4e), "exception");
	EXPECT_STR(svm_exit_name(0xa6), "HLT with nothing pending");
	EXPECT_STR(svm_exit_name(0x400), "nested page fault");
	EXPECT_STR(svm_exit_name(UINT64_MAX), "VMEXIT_INVALID");
	EXPECT(!svm_exit_name(0x404) && !svm_exit_name(0xa7), "no such exit");
	EXPECT_STR(vmx_qualification(text, sizeof(text), 48, 0x82),
		   "write of a page that is not present, for a page table");
	EXPECT_STR(vmx_qualification(text, sizeof(text), 48, 0x189), "read of a page that is r");
	EXPECT_STR(vmx_qualification(text, sizeof(text), 30, 0x6d78000b),
		   "IN from port 0x6d78, 4 bytes");
	EXPECT_STR(vmx_qualification(text, sizeof(text), 28, 0x13), "MOV from CR3");
	EXPECT_STR(vmx_qualification(text, sizeof(text), 0x80000021, 4), "VMCS link pointer");
	EXPECT_STR(vmx_qualification(text, sizeof(text), 10, 4), "");
	EXPECT(!entry_failure_name(14) && !internal_error_name(77), "unnamed");
}

const struct unit_test reasons_tests[] = {
	{ "reasons of samples", reasons_of_samples },
	{ "reasons before the run", reasons_before_run },
	{ "reasons fit their buffers", reasons_fit },
	{ "reasons have remedies", reasons_have_remedies },
	{ "reasons catalogue", reasons_catalogue },
	{ "reasons nested-disabled", reasons_nested_disabled },
	{ "reasons do no harm", reasons_do_no_harm },
	{ "reasons of long texts", reasons_of_long_texts },
	{ "reasons in the manuals' words", reasons_words },
	{ 0 }
};
