/* SPDX-License-Identifier: MIT */
/*
 * What the probe knows: about the host (host.c fills it, without KVM's help and before /dev/kvm
 * is opened), of KVM's answers, and of the run of L1. Plain data, so that the rules of reasons.c
 * can be tried on any machine that a test makes up.
 */
#ifndef FACTS_H
#define FACTS_H

#include "contract.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A value that may be unknown: no /proc, no /sys, no permission. */
enum tristate { UNKNOWN = -1, NO = 0, YES = 1 };

enum cpu_vendor { CPU_OTHER, CPU_INTEL, CPU_AMD };	/* AMD includes Hygon: both do SVM */

/* A module's parameter as sysfs shows it ("Y", "N", "1", "0", a number); "" = not to be read. */
struct param { char text[16]; };

struct host_facts {
	/* the device node */
	char dev[64];			/* its path */
	int dev_stat_errno;		/* 0 = stat() worked */
	mode_t dev_mode;
	uid_t dev_uid;
	gid_t dev_gid;
	dev_t dev_rdev;
	bool dev_nodev;			/* its file system is mounted nodev */
	char dev_group[32];		/* name of dev_gid, or its number */
	enum tristate in_group;		/* dev_gid is among this process's groups */
	enum tristate group_pending;	/* /etc/group lists the user, this session lacks it */
	enum tristate misc_has_kvm;	/* /proc/misc or /sys/devices/virtual/misc/kvm shows kvm */

	/* this process */
	uid_t euid;
	char user[32];
	enum tristate user_namespace;	/* uid_map is not the identity map */
	char container[32];		/* "docker", "podman", "lxc", ...; "" = none seen */
	enum tristate wsl;
	enum tristate seccomp;		/* a seccomp filter watches over this process */
	char lsm[64];			/* /proc/self/attr/current: its security label; "" = none */

	/* the CPU */
	enum cpu_vendor vendor;
	char cpu_brand[64];
	unsigned int family, model, stepping;
	bool cpuid_vmx, cpuid_svm;	/* raw CPUID, as this host's user space sees it */
	bool hypervisor_bit;		/* CPUID.1:ECX[31] */
	char hypervisor[16];		/* leaf 0x40000000's signature, printable part */
	enum tristate cpu_nested_paging;	/* the CPU (as this host sees it) has EPT or NPT */
	enum tristate cpuinfo_virt;	/* vmx or svm among the flags of /proc/cpuinfo */
	unsigned int cpus_with, cpus_without;	/* that flag, of all CPUs; 0 = not looked */
	bool confidential;		/* a TDX or SEV-SNP guest */

	/* kernel and modules */
	char kernel[96];		/* release */
	char arch[32];
	enum tristate kvm_module;	/* /sys/module/kvm */
	char vendor_module[32];		/* kvm_intel, kvm_amd, kvm_pvm...; "" = none seen */
	enum tristate vendor_module_exists;	/* for this kernel, as a file or built in */
	enum tristate vendor_builtin;	/* vendor_module is part of the kernel: no modprobe -r */
	int module_users;		/* /sys/module/<vendor>/refcnt, -1 = unknown */
	char blacklist[96];		/* what keeps the KVM modules away; "" = none seen */
	char other_hypervisor[16];	/* module "vboxdrv" or "vmmon" is loaded; "" = none seen */
	struct param nested;
	struct param nested_paging;	/* ept or npt */
	struct param unrestricted_guest;
	struct param enable_apicv;
	char dmi_vendor[64];
	char dmi_product[64];
	char dmi_asset_tag[64];

	bool proc_visible, sys_visible;
};

/* What KVM answered. */
struct kvm_facts {
	int open_errno;			/* of /dev/kvm; 0 = open */
	int api_errno;			/* of KVM_GET_API_VERSION */
	bool asked_api;			/* it answered: */
	int api_version;
	bool asked_cpuid;		/* the next three are known */
	bool offers_vmx, offers_svm;	/* KVM_GET_SUPPORTED_CPUID */
	bool offers_nested_paging;	/* EPT by feature MSR, or NPT by 8000_000A */
	bool offers_unrestricted;	/* unrestricted guest, by the same feature MSR */
	bool hidden_by_option;		/* offered, but the user's own CPU model leaves it out */
	const char *missing_cap;	/* a required capability that is not there, NULL = none */
	bool asked_nested_state;	/* saves_nested_state is known */
	bool saves_nested_state;	/* KVM_CAP_NESTED_STATE */
	char failed_call[48];		/* the set-up call that failed, "" = none */
	int failed_errno;
	uint32_t rejected_msr;		/* failed_call is KVM_SET_MSRS: this one */
};

/* How the run of L1 ended. */
enum run_end {
	RUN_NOT_STARTED,
	RUN_DONE,		/* L1 said L1_DONE */
	RUN_TRAP,		/* L1 said L1_TRAP */
	RUN_SHUTDOWN,		/* KVM_EXIT_SHUTDOWN: triple fault */
	RUN_FAIL_ENTRY,		/* KVM_EXIT_FAIL_ENTRY */
	RUN_INTERNAL_ERROR,	/* KVM_EXIT_INTERNAL_ERROR */
	RUN_HALTED,		/* L1 halted for good without a word */
	RUN_BAD_MESSAGE,	/* L1 sent what the contract does not know */
	RUN_UNKNOWN_EXIT,
	RUN_ERROR,		/* KVM_RUN itself failed: failed_errno */
	RUN_SELF_FAILED,	/* minivmm failed: kvm.failed_call says at what */
	RUN_TIMED_OUT,
};

struct run_facts {
	enum run_end end;
	unsigned int last_check;	/* enum l1_check under way or last ended */
	bool in_check;			/* it had begun and not ended */
	enum l1_vendor vendor;		/* as L1 saw it */
	unsigned int status[L1_CHECK_COUNT];	/* enum l1_status, 0 = never ended */
	uint64_t value[L1_CHECK_COUNT][L1_VALUE_COUNT];
	uint64_t entries;		/* L1's own count of entries into L2 */
	uint64_t exit_cycles, round_trip_cycles; /* medians by L1's TSC, 0 = not measured */
	bool features_asked;		/* L1 was told to try the optional checks too */

	/* where it stopped */
	uint64_t rip;
	enum tristate in_l2;		/* KVM's nested state at the end */
	uint64_t hardware_reason;	/* RUN_FAIL_ENTRY */
	uint32_t suberror;		/* RUN_INTERNAL_ERROR */
	uint32_t exit_reason;		/* RUN_UNKNOWN_EXIT */
	uint64_t trap_vector, trap_error, trap_address;	/* RUN_TRAP: address is L1's RIP there */
	int failed_errno;

	/* how far L1 had come, by KVM's word */
	enum tristate virt_is_on;	/* a VMXON pointer, or EFER.SVME */
	uint64_t vmxon_pointer, control_block;	/* UINT64_MAX = none: VMXON region; VMCS or VMCB */
	char kernel_says[128];		/* tracepoint kvm_nested_vmenter_failed; "" = not heard */

	/* the witnesses that the guest cannot write */
	bool answer_checked, answer_right;	/* check 6, through L1 */
	unsigned int witness_reads, witness_writes;	/* exits at PORT_WITNESS */
	bool witness_answer_right;
	enum tristate witness_guest_mode;	/* at each of them; UNKNOWN: no KVM_CAP_NESTED_STATE */
	enum tristate stat_guest_mode;		/* likewise, by the statistic */
	bool nested_run_known;
	uint64_t nested_run;			/* the vCPU's statistic at the end */
	unsigned int cpus;			/* L1's */
	unsigned int cpus_in_l2;		/* check smp: by those witnesses, with the right answer */
	bool port_leaked;			/* PORT_INTERCEPTED reached the VMM */
	/* the first sentence of disagreement, "" = none */
	char disagreement[160];
};

struct facts {
	struct host_facts host;
	struct kvm_facts kvm;
	struct run_facts run;
};

/* May L1's check end like this at all? Only VMX loads a VMCS, and only nested paging may be missing. */
bool l1_status_possible(unsigned int check, unsigned int status, enum l1_vendor vendor);

/* Fills `host`; never fails: what cannot be seen stays unknown. Call before /dev/kvm is opened
 * (module_users counts the opener too). `dev` is the path of the device node. */
void host_facts_read(struct host_facts *host, const char *dev);

#endif
