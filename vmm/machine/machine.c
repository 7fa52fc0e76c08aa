// SPDX-License-Identifier: MIT
// Building a machine and running it.
#include "machine.h"

#include "deadline.h"
#include "error.h"
#include "x86.h"

#include <errno.h>
#include <string.h>

/* Just below the local APICs' page, above any memory that a guest gets here. */
#define TSS_ADDRESS 0xfebfc000

int machine_create(struct machine *machine, const struct kvm *kvm,
		   const struct machine_config *config, uint32_t *rejected_msr)
{
	int r;

	*machine = (struct machine){ .kvm = kvm, .vm.fd = -1, .vcpu = { .fd = -1, .stats_fd = -1 } };
	r = memory_create(&machine->memory, config->memory_size);
	if (r == 0)
		r = vm_create(&machine->vm, kvm, &deadline_passed);
	if (r == 0)
		r = vm_memory_set(&machine->vm, 0, 0, machine->memory.host, machine->memory.size);
	if (r == 0)
		r = vm_tss_set(&machine->vm, TSS_ADDRESS);
	if (r == 0)
		r = vm_irqchip_create(&machine->vm, kvm);
	if (r == 0)
		r = vcpu_create(&machine->vcpu, &machine->vm, kvm, 0);
	if (r == 0)
		r = vcpu_cpuid_set(&machine->vcpu, config->cpuid);
	if (r == 0)
		r = vcpu_msrs_set(&machine->vcpu, config->msrs, config->msr_count, rejected_msr);
	return r;
}

void machine_destroy(struct machine *machine)
{
	vcpu_destroy(&machine->vcpu);
	vm_destroy(&machine->vm);
	memory_destroy(&machine->memory);
}

/* With KVM's local APIC a HLT never exits; halted with interrupts off, it never ends either. */
static bool vcpu_is_dead(const struct vcpu *vcpu)
{
	struct kvm_regs regs;
	uint32_t state;

	return vcpu_mp_state_get(vcpu, &state) == 0 && state == KVM_MP_STATE_HALTED &&
	       vcpu_regs_get(vcpu, &regs) == 0 && !(regs.rflags & RFLAGS_IF);
}

/* Handlers return true to go on. */

static bool exit_io(struct machine *machine, struct machine_result *result)
{
	struct kvm_run *run = machine->vcpu.run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	for (uint32_t i = 0; i < run->io.count && result->err >= 0; i++, data += run->io.size)
		result->err = run->io.direction == KVM_EXIT_IO_IN ?
				      bus_read(&machine->bus, run->io.port, data, run->io.size) :
				      bus_write(&machine->bus, run->io.port, data, run->io.size);
	result->end = MACHINE_STOPPED;
	return result->err >= 0;
}

/* Nothing is mapped outside memory: reads give all ones, writes are ignored. */
static bool exit_mmio(struct machine *machine, struct machine_result *result)
{
	struct kvm_run *run = machine->vcpu.run;

	(void)result;
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	return true;
}

static bool exit_ignore(struct machine *machine, struct machine_result *result)
{
	(void)machine;
	(void)result;
	return true;
}

static bool exit_halt(struct machine *machine, struct machine_result *result)
{
	(void)machine;
	result->end = MACHINE_HALTED;
	return false;
}

static bool exit_shutdown(struct machine *machine, struct machine_result *result)
{
	(void)machine;
	result->end = MACHINE_SHUTDOWN;
	return false;
}

static bool exit_fail_entry(struct machine *machine, struct machine_result *result)
{
	result->end = MACHINE_FAIL_ENTRY;
	result->hardware_reason = machine->vcpu.run->fail_entry.hardware_entry_failure_reason;
	return false;
}

static bool exit_internal_error(struct machine *machine, struct machine_result *result)
{
	result->end = MACHINE_INTERNAL_ERROR;
	result->suberror = machine->vcpu.run->internal.suberror;
	return false;
}

static bool exit_unknown(struct machine *machine, struct machine_result *result)
{
	(void)machine;
	result->end = MACHINE_UNKNOWN_EXIT;
	return false;
}

/* One row per exit reason; a missing row is exit_unknown. */
#define ROW(reason, handler) [KVM_EXIT_##reason] = { #reason, handler }
static const struct exit_row {
	const char *name;
	bool (*handle)(struct machine *machine, struct machine_result *result);
} exit_rows[] = {
	ROW(UNKNOWN, exit_unknown),
	ROW(EXCEPTION, exit_unknown),
	ROW(IO, exit_io),
	ROW(HYPERCALL, exit_unknown),
	ROW(DEBUG, exit_unknown),
	ROW(HLT, exit_halt),
	ROW(MMIO, exit_mmio),
	ROW(IRQ_WINDOW_OPEN, exit_ignore),
	ROW(SHUTDOWN, exit_shutdown),
	ROW(FAIL_ENTRY, exit_fail_entry),
	ROW(INTR, exit_ignore),
	ROW(INTERNAL_ERROR, exit_internal_error),
	ROW(SYSTEM_EVENT, exit_unknown),
	ROW(IOAPIC_EOI, exit_ignore),
};

static const struct exit_row *exit_row_find(uint32_t reason)
{
	static const struct exit_row unknown = { NULL, exit_unknown };

	return reason < sizeof(exit_rows) / sizeof(exit_rows[0]) && exit_rows[reason].name ?
		       &exit_rows[reason] :
		       &unknown;
}

const char *machine_exit_name(uint32_t exit_reason)
{
	return exit_row_find(exit_reason)->name;
}

struct machine_result machine_run(struct machine *machine)
{
	struct machine_result result = { .err = 0 };
	struct kvm_regs regs;
	bool go_on = true;

	deadline_watch(machine->vcpu.run);
	while (go_on) {
		int r = vcpu_run(&machine->vcpu);

		if (deadline_passed) {
			result.end = vcpu_is_dead(&machine->vcpu) ? MACHINE_HALTED : MACHINE_DEADLINE;
			break;
		}
		if (r == -EINTR || r == -EAGAIN)
			continue;
		if (r < 0) {
			result.end = MACHINE_RUN_FAILED;
			result.err = r;
			break;
		}
		machine->exits++;
		result.exit_reason = machine->vcpu.run->exit_reason;
		go_on = exit_row_find(result.exit_reason)->handle(machine, &result);
	}
	deadline_watch(NULL);
	result.rip = vcpu_regs_get(&machine->vcpu, &regs) == 0 ? regs.rip : 0;
	return result;
}
