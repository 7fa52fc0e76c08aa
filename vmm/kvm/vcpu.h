/* SPDX-License-Identifier: MIT */
/* A virtual CPU: KVM's vCPU file descriptor and its kvm_run page. Errors as in kvm.h. */
#ifndef VCPU_H
#define VCPU_H

#include "vm.h"

struct vcpu {
	int fd;				/* -1 = none */
	struct kvm_run *run;		/* shared with the kernel */
	size_t run_size;
	int stats_fd;			/* -1 = none */
};

/* KVM_CREATE_VCPU with APIC ID `id`, and the kvm_run mapping. */
int vcpu_create(struct vcpu *vcpu, const struct vm *vm, const struct kvm *kvm, unsigned int id);
void vcpu_destroy(struct vcpu *vcpu);

/* KVM_RUN: returns 0 after an exit (see vcpu->run), -EINTR after a signal or immediate_exit. */
int vcpu_run(const struct vcpu *vcpu);

/* Gives the vCPU Hyper-V's interrupt controller, before its first instruction: no CPUID bit turns
 * on that, nor the timers, which need it. */
int vcpu_synic_enable(const struct vcpu *vcpu);

int vcpu_cpuid_set(const struct vcpu *vcpu, const struct cpuid_table *table);
int vcpu_regs_get(const struct vcpu *vcpu, struct kvm_regs *regs);
int vcpu_regs_set(const struct vcpu *vcpu, const struct kvm_regs *regs);
int vcpu_sregs_get(const struct vcpu *vcpu, struct kvm_sregs *sregs);
int vcpu_sregs_set(const struct vcpu *vcpu, const struct kvm_sregs *sregs);

/* Reads the local APIC and writes it back as it was: KVM then knows all APICs there are. */
int vcpu_lapic_touch(const struct vcpu *vcpu);
/* KVM_GET_MP_STATE: KVM_MP_STATE_RUNNABLE, _HALTED, _UNINITIALIZED ... */
int vcpu_mp_state_get(const struct vcpu *vcpu, uint32_t *state);
/* Where a guest-virtual address lies (KVM_TRANSLATE): 1 and the address, 0 = not mapped. */
int vcpu_translate(const struct vcpu *vcpu, uint64_t address, gpa_t *gpa);

/* Sets `count` MSRs. KVM stops at the first one it rejects and says how many it took: then the
 * result is -EINVAL and *rejected that MSR's number. */
int vcpu_msrs_set(const struct vcpu *vcpu, const struct kvm_msr_entry *entries, size_t count,
		  uint32_t *rejected);

/* KVM_GET_NESTED_STATE's header: flags (KVM_STATE_NESTED_GUEST_MODE ...), VMXON and VMCS
 * addresses, or the VMCB's. Returns -ENOTTY or -EINVAL where KVM_CAP_NESTED_STATE is 0. */
int vcpu_nested_state_get(const struct vcpu *vcpu, struct kvm_nested_state *header);

/*
 * One value of the vCPU's binary statistics (KVM_GET_STATS_FD) by name: "nested_run",
 * "guest_mode", "exits" ... Returns 1 and the value, or 0 when this kernel has no such statistic
 * (the stats fd came with 5.14).
 */
int vcpu_stat_get(struct vcpu *vcpu, const char *name, uint64_t *value);

#endif
