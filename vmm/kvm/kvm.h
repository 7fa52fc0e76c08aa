/* SPDX-License-Identifier: MIT */
/*
 * KVM itself: /dev/kvm. Every function returns 0 (or what it says), or a negative errno with
 * error_last() set. Source of all facts: the kernel's Documentation/virt/kvm/api.rst.
 */
#ifndef KVM_H
#define KVM_H

#include "bits.h"

#include <linux/kvm.h>
#include <stdbool.h>

#define KVM_DEVICE "/dev/kvm"

struct kvm {
	int fd;		/* -1 = closed */
};

/* Opens the device at `path` for reading and writing. Asks it nothing yet. */
int kvm_open(struct kvm *kvm, const char *path);
void kvm_close(struct kvm *kvm);

/* KVM_GET_API_VERSION: 12 (KVM_API_VERSION) since Linux 2.6.22. Fails with -ENOTTY where the file
 * is not KVM's. */
int kvm_api_version(const struct kvm *kvm);

/* KVM_CHECK_EXTENSION: 0 = not there, otherwise positive, as the capability's section says. */
int kvm_check(const struct kvm *kvm, int capability);

/* The capabilities minivmm cannot do without, each with why. Ends with a NULL name. */
struct kvm_need {
	int capability;
	const char *name;
	const char *why;
};
extern const struct kvm_need kvm_needs[];
/* The first need that is not met; NULL = all are there. */
const struct kvm_need *kvm_unmet(const struct kvm *kvm);

/* What KVM can show to a guest by CPUID (KVM_GET_SUPPORTED_CPUID). */
#define KVM_CPUID_ENTRIES 256
struct cpuid_table {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entry[KVM_CPUID_ENTRIES];
};
int kvm_supported_cpuid(const struct kvm *kvm, struct cpuid_table *table);
/* The leaves by which KVM poses as Hyper-V (KVM_GET_SUPPORTED_HV_CPUID); none where it cannot. */
int kvm_hyperv_cpuid(const struct kvm *kvm, struct cpuid_table *table);

/* Feature MSRs: what KVM can offer of an MSR's bits (KVM_GET_MSRS on the device).
 * kvm_feature_msr() returns 1 and the value, or 0 when KVM does not offer that MSR. */
int kvm_feature_msr(const struct kvm *kvm, uint32_t index, uint64_t *value);

#endif
