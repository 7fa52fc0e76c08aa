// SPDX-License-Identifier: MIT
// KVM's vCPU file descriptor.
#include "vcpu.h"

#include "ioctl.h"
#include "stats.h"

#include <sys/mman.h>
#include <unistd.h>

int vcpu_create(struct vcpu *vcpu, const struct vm *vm, const struct kvm *kvm, unsigned int id)
{
	int size = KVM_IOCTL_VALUE(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	*vcpu = (struct vcpu){ .fd = -1, .stats_fd = -1 };
	if (size < 0)
		return size;
	vcpu->fd = KVM_IOCTL_VALUE(vm->fd, KVM_CREATE_VCPU, id);
	if (vcpu->fd < 0)
		return vcpu->fd;
	vcpu->run_size = (size_t)size;
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return kvm_fail("mmap of kvm_run");
	}
	return 0;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->stats_fd >= 0)
		close(vcpu->stats_fd);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	*vcpu = (struct vcpu){ .fd = -1, .stats_fd = -1 };
}

int vcpu_run(const struct vcpu *vcpu)
{
	return KVM_IOCTL_VALUE(vcpu->fd, KVM_RUN, 0);
}

int vcpu_cpuid_set(const struct vcpu *vcpu, const struct cpuid_table *table)
{
	return KVM_IOCTL(vcpu->fd, KVM_SET_CPUID2, &table->head);
}

int vcpu_synic_enable(const struct vcpu *vcpu)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC2 };

	return KVM_IOCTL(vcpu->fd, KVM_ENABLE_CAP, &synic);
}

int vcpu_regs_get(const struct vcpu *vcpu, struct kvm_regs *regs)
{
	return KVM_IOCTL(vcpu->fd, KVM_GET_REGS, regs);
}

int vcpu_regs_set(const struct vcpu *vcpu, const struct kvm_regs *regs)
{
	return KVM_IOCTL(vcpu->fd, KVM_SET_REGS, regs);
}

int vcpu_sregs_get(const struct vcpu *vcpu, struct kvm_sregs *sregs)
{
	return KVM_IOCTL(vcpu->fd, KVM_GET_SREGS, sregs);
}

int vcpu_sregs_set(const struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return KVM_IOCTL(vcpu->fd, KVM_SET_SREGS, sregs);
}

int vcpu_lapic_touch(const struct vcpu *vcpu)
{
	struct kvm_lapic_state lapic;
	int r = KVM_IOCTL(vcpu->fd, KVM_GET_LAPIC, &lapic);

	return r < 0 ? r : KVM_IOCTL(vcpu->fd, KVM_SET_LAPIC, &lapic);
}

int vcpu_mp_state_get(const struct vcpu *vcpu, uint32_t *state)
{
	struct kvm_mp_state mp = { 0 };
	int r = KVM_IOCTL(vcpu->fd, KVM_GET_MP_STATE, &mp);

	*state = mp.mp_state;
	return r;
}

int vcpu_translate(const struct vcpu *vcpu, uint64_t address, gpa_t *gpa)
{
	struct kvm_translation translation = { .linear_address = address };

	if (KVM_IOCTL(vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid)
		return 0;
	*gpa = translation.physical_address;
	return 1;
}

int vcpu_msrs_set(const struct vcpu *vcpu, const struct kvm_msr_entry *entries, size_t count,
		  uint32_t *rejected)
{
	for (size_t i = 0; i < count; i++) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry entry;
		} msrs = { .head.nmsrs = 1, .entry = entries[i] };
		int taken = KVM_IOCTL(vcpu->fd, KVM_SET_MSRS, &msrs.head);

		if (taken == 1)
			continue;
		*rejected = entries[i].index;
		return taken < 0 ? taken :
				   fail(EINVAL, "KVM_SET_MSRS", "KVM_SET_MSRS: KVM rejects MSR 0x%x",
					entries[i].index);
	}
	return 0;
}

int vcpu_nested_state_get(const struct vcpu *vcpu, struct kvm_nested_state *header)
{
	/* header plus what either vendor appends: the VMCB, or the VMCS and a shadow VMCS */
	struct {
		struct kvm_nested_state state;
		uint8_t data[2 * 4096];
	} buffer = { .state.size = sizeof(buffer) };
	int r = KVM_IOCTL(vcpu->fd, KVM_GET_NESTED_STATE, &buffer.state);

	*header = buffer.state;
	return r < 0 ? r : 0;
}

int vcpu_stat_get(struct vcpu *vcpu, const char *name, uint64_t *value)
{
	if (vcpu->stats_fd < 0) {
		int fd = KVM_IOCTL_VALUE(vcpu->fd, KVM_GET_STATS_FD, 0);

		if (fd < 0)
			return 0;
		vcpu->stats_fd = fd;
	}
	return stats_read(vcpu->stats_fd, name, value);
}
