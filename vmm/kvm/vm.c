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

#define PIC_LINES	16
#define IOAPIC_LINES	24
#define TIMER_PIN	2	/* of the I/O APIC: pin 0 is not connected on a PC */

static struct kvm_irq_routing_entry route(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct kvm_irq_routing_entry){ .gsi = gsi,
					       .type = KVM_IRQ_ROUTING_IRQCHIP,
					       .u.irqchip = { chip, pin } };
}

int vm_pc_irqchip_create(const struct vm *vm)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[PIC_LINES + IOAPIC_LINES];
	} routing = { .head.nr = 0 };
	uint32_t n = 0;
	int r = KVM_IOCTL_VALUE(vm->fd, KVM_CREATE_IRQCHIP, 0);

	for (uint32_t i = 0; i < PIC_LINES; i++)
		routing.entry[n++] = route(i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
					   i % 8);
	for (uint32_t i = 0; i < IOAPIC_LINES; i++)
		if (i != TIMER_PIN)
			routing.entry[n++] = route(i, KVM_IRQCHIP_IOAPIC, i ? i : TIMER_PIN);
	routing.head.nr = n;
	return r < 0 ? r : KVM_IOCTL(vm->fd, KVM_SET_GSI_ROUTING, &routing.head);
}

int vm_pit_create(const struct vm *vm, bool catch_up)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_reinject_control reinject = { .pit_reinject = catch_up };
	int r = KVM_IOCTL(vm->fd, KVM_CREATE_PIT2, &config);

	return r < 0 ? r : KVM_IOCTL(vm->fd, KVM_REINJECT_CONTROL, &reinject);
}

int vm_idle_exits_disable(const struct vm *vm, const struct kvm *kvm)
{
	int known = kvm_check(kvm, KVM_CAP_X86_DISABLE_EXITS);
	struct kvm_enable_cap disable = { .cap = KVM_CAP_X86_DISABLE_EXITS,
					  .args = { (uint64_t)known } };

	if (known <= 0)
		return fail(ENOTSUP, "KVM_CAP_X86_DISABLE_EXITS",
			    "this KVM cannot leave HLT, MWAIT and PAUSE to the guest");
	return KVM_IOCTL(vm->fd, KVM_ENABLE_CAP, &disable);
}

int vm_irq_line(const struct vm *vm, unsigned int line, bool level)
{
	struct kvm_irq_level irq = { .irq = line, .level = level };

	return KVM_IOCTL(vm->fd, KVM_IRQ_LINE, &irq);
}
