// SPDX-License-Identifier: MIT
// KVM's VM file descriptor.
#include "vm.h"

#include "ioctl.h"

#include <unistd.h>

int vm_create(struct vm *vm, const struct kvm *kvm, const volatile bool *stop)
{
	do
		vm->fd = KVM_IOCTL_VALUE(kvm->fd, KVM_CREATE_VM, 0);
	while (vm->fd == -EINTR && !*stop);
	return vm->fd < 0 ? vm->fd : 0;
}

void vm_destroy(struct vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	vm->fd = -1;
}

int vm_memory_set(const struct vm *vm, uint32_t slot, gpa_t gpa, void *host, size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return KVM_IOCTL(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

int vm_tss_set(const struct vm *vm, gpa_t gpa)
{
	uint64_t identity = gpa + 3 * 4096;
	int r = KVM_IOCTL(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);

	return r < 0 ? r : KVM_IOCTL_VALUE(vm->fd, KVM_SET_TSS_ADDR, gpa);
}

int vm_irqchip_create(const struct vm *vm, const struct kvm *kvm)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

	if (kvm_check(kvm, KVM_CAP_SPLIT_IRQCHIP) <= 0)
		return KVM_IOCTL_VALUE(vm->fd, KVM_CREATE_IRQCHIP, 0);
	return KVM_IOCTL(vm->fd, KVM_ENABLE_CAP, &split);
}
