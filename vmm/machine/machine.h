/* SPDX-License-Identifier: MIT */
/* A machine: memory, vCPUs, the board's buses, and the loop that runs a vCPU. */
#ifndef MACHINE_H
#define MACHINE_H

#include "cpu_model.h"
#include "devices.h"
#include "memory.h"
#include "vcpu.h"

#include <pthread.h>
#include <stdatomic.h>

#define MACHINE_CPUS 64

/* Why a run ended. */
enum machine_end {
	MACHINE_RUNNING,
	MACHINE_STOPPED,	/* a device said so: see board.stop; its negative result is `err` */
	MACHINE_HALTED,		/* halted for good: no interrupt can come through */
	MACHINE_SHUTDOWN,	/* triple fault */
	MACHINE_FAIL_ENTRY,
	MACHINE_INTERNAL_ERROR,
	MACHINE_UNKNOWN_EXIT,
	MACHINE_RUN_FAILED,	/* KVM_RUN gave an error: `err` */
	MACHINE_DEADLINE,
};

struct machine_result {
	enum machine_end end;
	unsigned int cpu;		/* whose exit it was */
	int err;			/* negative errno */
	uint32_t exit_reason;		/* KVM's, of the last exit */
	uint32_t suberror;		/* MACHINE_INTERNAL_ERROR */
	uint64_t hardware_reason;	/* MACHINE_FAIL_ENTRY */
	uint64_t rip;			/* 0 = not to be had */
	char text[160];			/* MACHINE_STOPPED by a device's failure: which */
};

/* The last exits of a vCPU, for a dump. */
#define EXIT_LOG 16
struct exit_record {
	uint32_t reason;
	uint8_t size;
	bool write;
	uint64_t address;	/* port or guest-physical address */
};

struct cpu {
	struct machine *machine;
	struct vcpu vcpu;
	unsigned int id;
	pthread_t thread;
	bool started;		/* `thread` is to be joined */
	unsigned int dead_looks;	/* in a row that found it halted with interrupts off */
	unsigned int last_look;		/* the machine's, when it was looked at last */
	uint64_t exits;		/* from KVM_RUN to this process */
	struct exit_record log[EXIT_LOG];	/* ring: exit n is at n % EXIT_LOG */
};

struct machine {
	const struct kvm *kvm;
	struct vm vm;
	struct memory memory;
	struct board board;
	struct cpu cpu[MACHINE_CPUS];
	unsigned int cpus;
	/* Called for an access that no device claims (under the lock); NULL = nothing more to do. A
	 * negative result stops the machine. */
	int (*unclaimed)(struct cpu *cpu, const struct exit_record *access);
	/* Called by each thread of machine_threads_start() when it ends; NULL = nobody waits. */
	void (*ended)(struct machine *machine);
	atomic_uint look;	/* counts up with each signal to all; starts at 1 */
	void *owner;		/* for whoever built it */
	/* one device handler at a time; also guards `result` */
	pthread_mutex_t lock;
	struct machine_result result;	/* the first end; MACHINE_RUNNING until then */
};

enum irqchip {
	IRQCHIP_LOCAL,		/* local APICs alone: what the probe needs, and free */
	IRQCHIP_PC,		/* PIC and I/O APIC too */
};

enum pit {
	PIT_NONE,
	PIT_DROPS_TICKS,	/* those that the guest missed */
	PIT_CATCHES_UP,
};

struct machine_config {
	size_t memory_size;			/* bytes, page-aligned */
	unsigned int cpus;			/* 1 to MACHINE_CPUS */
	enum irqchip irqchip;
	enum pit pit;				/* needs IRQCHIP_PC */
	bool cpu_pm;				/* HLT, MWAIT and PAUSE do not exit */
	const struct cpuid_table *cpuid;	/* KVM's; `model` makes each vCPU's of it */
	const struct cpu_model *model;
	const struct cpuid_table *hyperv;	/* KVM's leaves as Hyper-V, NULL = not shown */
	const struct kvm_msr_entry *msrs;	/* set before the first instruction */
	size_t msr_count;
};

/*
 * Creates all of it in the order that costs least: memory before the irqchip (the other way round
 * costs KVM milliseconds), vCPUs last. On failure what was created is kept for machine_destroy();
 * negative errno with error_last(), *rejected_msr is set where that was it.
 */
int machine_create(struct machine *machine, const struct kvm *kvm,
		   const struct machine_config *config, uint32_t *rejected_msr);
void machine_destroy(struct machine *machine);

/*
 * Runs one vCPU in this thread until something ends the machine. The first vCPU that ends writes
 * machine->result and has all others stop. A signal with a handler makes each look whether it
 * should go on.
 */
void cpu_run(struct cpu *cpu);

/*
 * A thread for each vCPU from number `first` on, which runs it. SIGUSR1 is taken for
 * machine_threads_kick(). 0, or a negative errno with error_last(): some may run already.
 */
int machine_threads_start(struct machine *machine, unsigned int first);
/* Has each of them come out of KVM_RUN and look whether it should go on. */
void machine_threads_kick(const struct machine *machine);
/* Waits for all of them; the machine has ended. */
void machine_threads_join(const struct machine *machine);

/* Ends the machine from outside: result, if there is none yet, and every vCPU's immediate_exit. The
 * threads still need a signal to come out of KVM_RUN. */
void machine_stop(struct machine *machine, enum machine_end end);

/* Are all CPUs halted for good? For when no thread runs one any more. */
bool machine_is_dead(const struct machine *machine);

/* KVM_EXIT_* as a word, NULL = none known. */
const char *machine_exit_name(uint32_t exit_reason);

#endif
