// SPDX-License-Identifier: MIT
// Building a machine and running its vCPUs.
#include "machine.h"

#include "deadline.h"
#include "error.h"
#include "x86.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Between the I/O APIC's page and the local APICs', in the devices' GiB. */
#define TSS_ADDRESS 0xfedfc000

#define HYPERV_INVALID_HYPERCALL 2	/* HV_STATUS_INVALID_HYPERCALL_CODE */

static int memory_attach(const struct machine *machine)
{
	const struct memory *memory = &machine->memory;
	int r = vm_memory_set(&machine->vm, 0, 0, memory->host, memory->low);

	if (r < 0 || !memory->high)
		return r;
	return vm_memory_set(&machine->vm, 1, MEMORY_HIGH, memory->host + memory->low, memory->high);
}

static int irqchip_create(struct machine *machine, const struct machine_config *config)
{
	int r;

	if (config->irqchip == IRQCHIP_LOCAL)
		return vm_irqchip_create(&machine->vm, machine->kvm);
	machine->board.vm = &machine->vm;
	r = vm_pc_irqchip_create(&machine->vm);
	return r < 0 || config->pit == PIT_NONE ?
		       r :
		       vm_pit_create(&machine->vm, config->pit == PIT_CATCHES_UP);
}

static int cpu_create(struct machine *machine, unsigned int id, const struct machine_config *config,
		      uint32_t *rejected_msr)
{
	struct cpu *cpu = &machine->cpu[id];
	struct cpuid_table table = *config->cpuid;
	int r = vcpu_create(&cpu->vcpu, &machine->vm, machine->kvm, id);

	cpu->machine = machine;
	cpu->id = id;
	if (r < 0)
		return r;
	cpu_model_apply(config->model, &table, id);
	if (config->hyperv)
		cpuid_hyperv_add(&table, config->hyperv);
	cpuid_place(&table, id, config->cpus);
	r = vcpu_cpuid_set(&cpu->vcpu, &table);
	if (r == 0 && config->hyperv)
		r = vcpu_synic_enable(&cpu->vcpu);
	return r < 0 ? r : vcpu_msrs_set(&cpu->vcpu, config->msrs, config->msr_count, rejected_msr);
}

int machine_create(struct machine *machine, const struct kvm *kvm,
		   const struct machine_config *config, uint32_t *rejected_msr)
{
	int r;

	*machine = (struct machine){ .kvm = kvm, .vm.fd = -1, .cpus = config->cpus, .look = 1 };
	pthread_mutex_init(&machine->lock, NULL);
	for (unsigned int i = 0; i < MACHINE_CPUS; i++)
		machine->cpu[i].vcpu = (struct vcpu){ .fd = -1, .stats_fd = -1 };
	machine->board = (struct board){ .memory = &machine->memory, .cpus = config->cpus };
	r = memory_create(&machine->memory, config->memory_size);
	if (r == 0)
		r = vm_create(&machine->vm, kvm, &deadline_passed);
	if (r == 0)
		r = memory_attach(machine);
	if (r == 0)
		r = vm_tss_set(&machine->vm, TSS_ADDRESS);
	if (r == 0)
		r = irqchip_create(machine, config);
	if (r == 0 && config->cpu_pm)
		r = vm_idle_exits_disable(&machine->vm, kvm);
	for (unsigned int id = 0; r == 0 && id < config->cpus; id++)
		r = cpu_create(machine, id, config, rejected_msr);
	/* KVM's map of APICs misses the vCPU created last, until one APIC is written */
	return r == 0 && config->cpus > 1 ? vcpu_lapic_touch(&machine->cpu[0].vcpu) : r;
}

void machine_destroy(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->cpus; i++)
		vcpu_destroy(&machine->cpu[i].vcpu);
	vm_destroy(&machine->vm);
	memory_destroy(&machine->memory);
}

/* Handlers return true to go on; else they have filled in why not. */

static int device_access(struct cpu *cpu, const struct exit_record *access, const struct bus *bus,
			 void *data)
{
	int r = access->write ? bus_write(bus, access->address, data, access->size) :
				bus_read(bus, access->address, data, access->size);

	return r == BUS_UNCLAIMED && cpu->machine->unclaimed ? cpu->machine->unclaimed(cpu, access) : r;
}

static bool exit_io(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	struct kvm_run *run = cpu->vcpu.run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	access->address = run->io.port;
	access->size = run->io.size;
	access->write = run->io.direction == KVM_EXIT_IO_OUT;
	for (uint32_t i = 0; i < run->io.count && result->err >= 0; i++, data += run->io.size)
		result->err = device_access(cpu, access, &cpu->machine->board.ports, data);
	result->end = MACHINE_STOPPED;
	return result->err >= 0;
}

static bool exit_mmio(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	struct kvm_run *run = cpu->vcpu.run;

	access->address = run->mmio.phys_addr;
	access->size = (uint8_t)run->mmio.len;
	access->write = run->mmio.is_write;
	result->err = device_access(cpu, access, &cpu->machine->board.mmio, run->mmio.data);
	result->end = MACHINE_STOPPED;
	return result->err >= 0;
}

static bool exit_ignore(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	(void)cpu, (void)result, (void)access;
	return true;
}

static bool exit_halt(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	(void)cpu, (void)access;
	result->end = MACHINE_HALTED;
	return false;
}

static bool exit_shutdown(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	(void)cpu, (void)access;
	result->end = MACHINE_SHUTDOWN;
	return false;
}

static bool exit_fail_entry(struct cpu *cpu, struct machine_result *result,
			    struct exit_record *access)
{
	(void)access;
	result->end = MACHINE_FAIL_ENTRY;
	result->hardware_reason = cpu->vcpu.run->fail_entry.hardware_entry_failure_reason;
	return false;
}

static bool exit_internal_error(struct cpu *cpu, struct machine_result *result,
				struct exit_record *access)
{
	(void)access;
	result->end = MACHINE_INTERNAL_ERROR;
	result->suberror = cpu->vcpu.run->internal.suberror;
	return false;
}

/* The interrupt controller's pages: KVM uses the guest's memory where the guest said, which is right
 * unless the guest keeps something of its own below them. Hypercalls that KVM has no part in: nobody
 * is there to take a message or an event. */
static bool exit_hyperv(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	struct kvm_hyperv_exit *hyperv = &cpu->vcpu.run->hyperv;

	(void)result, (void)access;
	if (hyperv->type == KVM_EXIT_HYPERV_HCALL)
		hyperv->u.hcall.result = HYPERV_INVALID_HYPERCALL;
	return true;
}

static bool exit_unknown(struct cpu *cpu, struct machine_result *result, struct exit_record *access)
{
	(void)cpu, (void)access;
	result->end = MACHINE_UNKNOWN_EXIT;
	return false;
}

/* One row per exit reason; a missing row is exit_unknown. */
#define ROW(reason, handler) [KVM_EXIT_##reason] = { #reason, handler }
static const struct exit_row {
	const char *name;
	bool (*handle)(struct cpu *cpu, struct machine_result *result, struct exit_record *access);
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
	ROW(HYPERV, exit_hyperv),
};

static const struct exit_row *exit_row_find(uint32_t reason)
{
	static const struct exit_row unknown = { NULL, exit_unknown };

	return reason < ARRAY_SIZE(exit_rows) && exit_rows[reason].name ? &exit_rows[reason] :
									  &unknown;
}

const char *machine_exit_name(uint32_t exit_reason)
{
	return exit_row_find(exit_reason)->name;
}

/* Under the lock: the first end counts, and all vCPUs shall see it. */
static void end_set(struct machine *machine, const struct machine_result *result)
{
	if (machine->result.end == MACHINE_RUNNING)
		machine->result = *result;
	for (unsigned int i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].vcpu.run)
			machine->cpu[i].vcpu.run->immediate_exit = 1;
}

void machine_stop(struct machine *machine, enum machine_end end)
{
	const struct machine_result result = { .end = end };

	pthread_mutex_lock(&machine->lock);
	end_set(machine, &result);
	pthread_mutex_unlock(&machine->lock);
}

/* One exit; true to go on. */
static bool cpu_exit(struct cpu *cpu)
{
	struct machine_result result = { .cpu = cpu->id, .exit_reason = cpu->vcpu.run->exit_reason };
	struct exit_record *access = &cpu->log[cpu->exits++ % EXIT_LOG];
	bool go_on;

	*access = (struct exit_record){ .reason = result.exit_reason };
	pthread_mutex_lock(&cpu->machine->lock);
	cpu->dead_looks = 0; /* a signal that came meanwhile was not seen */
	cpu->machine->board.caller = &cpu->vcpu;
	go_on = exit_row_find(result.exit_reason)->handle(cpu, &result, access);
	if (!go_on && result.err < 0 && cpu->machine->board.stop == STOP_NONE)
		snprintf(result.text, sizeof(result.text), "%.*s", (int)sizeof(result.text) - 1,
			 error_last()->text);
	if (!go_on)
		end_set(cpu->machine, &result);
	go_on = cpu->machine->result.end == MACHINE_RUNNING;
	pthread_mutex_unlock(&cpu->machine->lock);
	return go_on;
}

/* In L2 an interrupt may end a HLT whatever L2's own flag says. */
static bool cpu_in_l2(const struct cpu *cpu)
{
	struct kvm_nested_state state;

	return vcpu_nested_state_get(&cpu->vcpu, &state) == 0 &&
	       state.flags & KVM_STATE_NESTED_GUEST_MODE;
}

/* Halted with interrupts off: only an NMI or INIT could wake it. Another CPU that sends one is not dead
 * itself; a guest that has the PIT send NMIs while all its CPUs wait so is taken for dead. */
static bool cpu_is_dead(const struct cpu *cpu)
{
	struct kvm_regs regs;
	uint32_t state;

	if (vcpu_mp_state_get(&cpu->vcpu, &state) < 0)
		return false;
	if (state != KVM_MP_STATE_HALTED)
		return state == KVM_MP_STATE_UNINITIALIZED || state == KVM_MP_STATE_INIT_RECEIVED;
	return vcpu_regs_get(&cpu->vcpu, &regs) == 0 && !(regs.rflags & RFLAGS_IF) &&
	       !cpu_in_l2(cpu);
}

/*
 * Are all CPUs halted for good? One look may find a CPU that another, not looked at yet, is about to
 * start by INIT and SIPI; two in a row may not, as a dead CPU starts nobody.
 */
static bool all_dead(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	unsigned int wanted = deadline_passed ? 1 : 2;
	bool all = true;

	if (!cpu_is_dead(cpu))
		cpu->dead_looks = 0;
	else if (cpu->last_look != machine->look)
		cpu->dead_looks++;
	cpu->last_look = machine->look;
	for (unsigned int i = 0; i < machine->cpus; i++)
		all &= machine->cpu[i].dead_looks >= wanted;
	return all;
}

bool machine_is_dead(const struct machine *machine)
{
	for (unsigned int i = 0; i < machine->cpus; i++)
		if (!cpu_is_dead(&machine->cpu[i]))
			return false;
	return true;
}

/* A signal came: because the machine ended, or to look around. */
static bool cpu_interrupted(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	bool go_on;

	pthread_mutex_lock(&machine->lock);
	if (all_dead(cpu)) /* CPU 0 is the one that surely ran */
		end_set(machine, &(struct machine_result){ .end = MACHINE_HALTED });
	else if (deadline_passed)
		end_set(machine, &(struct machine_result){ .end = MACHINE_DEADLINE, .cpu = cpu->id });
	go_on = machine->result.end == MACHINE_RUNNING;
	pthread_mutex_unlock(&machine->lock);
	return go_on;
}

void cpu_run(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	struct kvm_regs regs;
	bool go_on = true;

	while (go_on) {
		int r = vcpu_run(&cpu->vcpu);

		if (r == 0 && !deadline_passed)
			go_on = cpu_exit(cpu);
		else if (r == 0 || r == -EINTR || r == -EAGAIN)
			go_on = cpu_interrupted(cpu);
		else
			go_on = false;
		if (r < 0 && r != -EINTR && r != -EAGAIN) {
			pthread_mutex_lock(&machine->lock);
			end_set(machine, &(struct machine_result){ .end = MACHINE_RUN_FAILED,
								   .cpu = cpu->id, .err = r });
			pthread_mutex_unlock(&machine->lock);
		}
	}
	if (machine->result.cpu == cpu->id && vcpu_regs_get(&cpu->vcpu, &regs) == 0)
		machine->result.rip = regs.rip;
}

/* ---- threads ---- */

static void kick(int signal)
{
	(void)signal; /* it only has to end KVM_RUN */
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;

	cpu_run(cpu);
	if (cpu->machine->ended)
		cpu->machine->ended(cpu->machine);
	return NULL;
}

int machine_threads_start(struct machine *machine, unsigned int first)
{
	const struct sigaction action = { .sa_handler = kick }; /* no SA_RESTART */
	sigset_t usr1;

	sigaction(SIGUSR1, &action, NULL);
	/* whoever started this process may have left it blocked; threads inherit this */
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	for (unsigned int i = first; i < machine->cpus; i++) {
		struct cpu *cpu = &machine->cpu[i];
		int err = pthread_create(&cpu->thread, NULL, cpu_thread, cpu);

		if (err)
			return fail(err, "pthread_create",
				    "cannot start a thread for CPU %u: %s", i, strerror(err));
		cpu->started = true;
	}
	return 0;
}

void machine_threads_kick(const struct machine *machine)
{
	for (unsigned int i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].started)
			pthread_kill(machine->cpu[i].thread, SIGUSR1);
}

void machine_threads_join(const struct machine *machine)
{
	machine_threads_kick(machine);
	for (unsigned int i = 0; i < machine->cpus; i++)
		if (machine->cpu[i].started)
			pthread_join(machine->cpu[i].thread, NULL);
}
