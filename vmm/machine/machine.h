/* SPDX-License-Identifier: MIT */
/* A machine: memory, one vCPU, the port bus, and the loop that runs it. */
#ifndef MACHINE_H
#define MACHINE_H

#include "bus.h"
#include "cpu_model.h"
#include "memory.h"
#include "vcpu.h"

struct machine {
	const struct kvm *kvm;
	struct vm vm;
	struct memory memory;
	struct vcpu vcpu;
	struct bus bus;
	uint64_t exits;		/* from KVM_RUN to this process */
};

struct machine_config {
	size_t memory_size;			/* bytes, page-aligned, below 3 GiB */
	struct cpuid_table *cpuid;		/* what the guest is shown */
	const struct kvm_msr_entry *msrs;	/* set before the first instruction */
	size_t msr_count;
};

/* Why a run ended. */
enum machine_end {
	MACHINE_STOPPED,	/* a device said so: its negative result is `err` */
	MACHINE_HALTED,		/* HLT that nothing can end */
	MACHINE_SHUTDOWN,	/* triple fault */
	MACHINE_FAIL_ENTRY,
	MACHINE_INTERNAL_ERROR,
	MACHINE_UNKNOWN_EXIT,
	MACHINE_RUN_FAILED,	/* KVM_RUN gave an error: `err` */
	MACHINE_DEADLINE,
};

struct machine_result {
	enum machine_end end;
	int err;			/* negative errno */
	uint32_t exit_reason;		/* KVM's, of the last exit */
	uint32_t suberror;		/* MACHINE_INTERNAL_ERROR */
	uint64_t hardware_reason;	/* MACHINE_FAIL_ENTRY */
	uint64_t rip;			/* 0 = not to be had */
};

/*
 * Creates all of it in the order that costs least: memory before the irqchip (the other way round
 * costs KVM milliseconds), vCPU last. On failure what was created is kept for machine_destroy();
 * negative errno with error_last(), *rejected_msr is set where that was it.
 */
int machine_create(struct machine *machine, const struct kvm *kvm,
		   const struct machine_config *config, uint32_t *rejected_msr);
void machine_destroy(struct machine *machine);

/* Runs the vCPU until something ends it. */
struct machine_result machine_run(struct machine *machine);

/* KVM_EXIT_* as a word, NULL = none known. */
const char *machine_exit_name(uint32_t exit_reason);

#endif
