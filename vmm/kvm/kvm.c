// SPDX-License-Identifier: MIT
// /dev/kvm: opening it and asking what it can do.
#include "kvm.h"

#include "ioctl.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

const struct kvm_need kvm_needs[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY", "guest memory comes from this process" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID", "to ask which CPU features KVM can show" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR",
	  "Intel CPUs without unrestricted guest start L1 with its help" },
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP", "the guest's local APIC is KVM's" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT",
	  "the deadline must stop a guest that never exits (Linux 4.11)" },
	{ 0, NULL, NULL },
};

int kvm_open(struct kvm *kvm, const char *path)
{
	kvm->fd = open(path, O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0) {
		int err = errno;

		return fail(err, "open", "cannot open %s: %s", path, strerror(err));
	}
	return 0;
}

void kvm_close(struct kvm *kvm)
{
	if (kvm->fd >= 0)
		close(kvm->fd);
	kvm->fd = -1;
}

int kvm_api_version(const struct kvm *kvm)
{
	return KVM_IOCTL_VALUE(kvm->fd, KVM_GET_API_VERSION, 0);
}

int kvm_check(const struct kvm *kvm, int capability)
{
	return KVM_IOCTL_VALUE(kvm->fd, KVM_CHECK_EXTENSION, capability);
}

const struct kvm_need *kvm_unmet(const struct kvm *kvm)
{
	for (const struct kvm_need *need = kvm_needs; need->name; need++)
		if (kvm_check(kvm, need->capability) <= 0)
			return need;
	return NULL;
}

int kvm_supported_cpuid(const struct kvm *kvm, struct cpuid_table *table)
{
	_Static_assert(offsetof(struct cpuid_table, entry) == sizeof(struct kvm_cpuid2),
		       "entries follow the head");
	table->head = (struct kvm_cpuid2){ .nent = KVM_CPUID_ENTRIES };
	return KVM_IOCTL(kvm->fd, KVM_GET_SUPPORTED_CPUID, &table->head);
}

int kvm_hyperv_cpuid(const struct kvm *kvm, struct cpuid_table *table)
{
	bool has = kvm_check(kvm, KVM_CAP_SYS_HYPERV_CPUID) > 0 &&
		   kvm_check(kvm, KVM_CAP_HYPERV_SYNIC2) > 0;

	table->head = (struct kvm_cpuid2){ .nent = has ? KVM_CPUID_ENTRIES : 0 };
	return has ? KVM_IOCTL(kvm->fd, KVM_GET_SUPPORTED_HV_CPUID, &table->head) : 0;
}

int kvm_feature_msr(const struct kvm *kvm, uint32_t index, uint64_t *value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry.index = index };
	int r = KVM_IOCTL(kvm->fd, KVM_GET_MSRS, &msrs.head);

	*value = r == 1 ? msrs.entry.data : 0;
	return r == 1;
}
