/* SPDX-License-Identifier: MIT */
/* A virtual machine: KVM's VM file descriptor. Errors as in kvm.h. */
#ifndef VM_H
#define VM_H

#include "kvm.h"

#include <stdbool.h>
#include <stddef.h>

struct vm {
	int fd;		/* -1 = none */
};

/* KVM_CREATE_VM; a signal in between (EINTR) starts it again, unless `*stop` is set by then. */
int vm_create(struct vm *vm, const struct kvm *kvm, const volatile bool *stop);
void vm_destroy(struct vm *vm);

/* Makes `size` bytes at `host` guest memory at `gpa`, as slot number `slot`. All page-aligned;
 * `host` stays the caller's and must outlive the VM. */
int vm_memory_set(const struct vm *vm, uint32_t slot, gpa_t gpa, void *host, size_t size);

/* The pages that KVM on Intel needs to run real mode and unpaged code: 3 pages for the TSS and one
 * for the identity map, at `gpa`, below 4 GiB and outside of guest memory. Before the first vCPU. */
int vm_tss_set(const struct vm *vm, gpa_t gpa);

/* In-kernel local APICs; the I/O APIC and PIC stay out (KVM_CAP_SPLIT_IRQCHIP: it costs no grace
 * period of the kernel, which KVM_CREATE_IRQCHIP does). Falls back to the whole in-kernel irqchip
 * where the kernel is too old (before 4.4). After the memory, before the first vCPU. */
int vm_irqchip_create(const struct vm *vm, const struct kvm *kvm);

/*
 * The whole irqchip in the kernel (PIC, I/O APIC, local APICs) as a PC has it: ISA line 0, the
 * timer's, arrives at the I/O APIC's pin 2. After the memory, before the first vCPU; waits for a
 * grace period of the kernel.
 */
int vm_pc_irqchip_create(const struct vm *vm);

/* The PIT in the kernel. `catch_up`: ticks that the guest missed are delivered late; else dropped. */
int vm_pit_create(const struct vm *vm, bool catch_up);

/* HLT, MWAIT and PAUSE of the guest do not exit, as far as this KVM can (KVM_CAP_X86_DISABLE_EXITS).
 * Before the first vCPU. -ENOTSUP where it cannot. */
int vm_idle_exits_disable(const struct vm *vm, const struct kvm *kvm);

/* KVM_IRQ_LINE: sets the level of a global interrupt line (ISA IRQ n is line n). */
int vm_irq_line(const struct vm *vm, unsigned int line, bool level);

#endif
