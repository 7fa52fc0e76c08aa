// SPDX-License-Identifier: MIT
// The small PC: from the command line to a running guest, and to an exit status.
#include "pc.h"

#include "acpi_tables.h"
#include "board.h"
#include "commands.h"
#include "console.h"
#include "dump.h"
#include "error.h"
#include "mptable.h"
#include "x86.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* How often vCPUs are asked whether they are halted for good. */
#define LOOK_MS 250

#define MSRS (CPU_MODEL_MSRS + 1)

struct pc {
	const struct boot_options *options;
	const struct boot_protocol *protocol;
	struct boot_request request;
	struct kvm kvm;
	struct cpuid_table cpuid;	/* KVM's */
	struct cpuid_table hyperv;	/* and as Hyper-V, where -cpu asks for that */
	bool shows_vmx;
	struct machine machine;
	struct devices devices;
	struct console console;
	enum machine_end asked;		/* by the main thread; counts where no CPU had an end of its own */
	volatile bool stopping;		/* nobody waits for a reader of our output any more */
	int ended;			/* eventfd: a vCPU's thread ended */
	int serial;			/* BOOT_SERIAL_FILE's, or -1 */
	struct sink serial_out;
	struct sink complaints;		/* stderr, for what a guest causes again and again */
	char *module_name[BOOT_MODULES];	/* where -initrd named several */
};

/* ---- before there is a machine: what is wrong here is the user's to mend ---- */

/* "FILE", or "FILE WORDS": the guest is told all of it, which is `name`. */
static int module_read(struct pc *pc, const char *file, const char *name)
{
	struct image *module = &pc->request.module[pc->request.modules];
	int r;

	if (pc->request.modules == BOOT_MODULES)
		return fail(EINVAL, "--initrd", "--initrd: more than %d files", BOOT_MODULES);
	r = image_read(module, file);
	if (r < 0)
		return r;
	module->name = name;
	pc->request.modules++;
	return 0;
}

/* QEMU's form for Multiboot modules, "FILE WORDS,FILE WORDS", where no file has just that name. */
static int modules_read(struct pc *pc, const char *value)
{
	const char *end;
	int r = 0;

	if (access(value, F_OK) == 0 || !value[strcspn(value, " ,")])
		return module_read(pc, value, value);
	for (; r == 0 && value; value = *end ? end + 1 : NULL) {
		char *name = strndup(value, strcspn(value, ","));
		char *file = name ? strndup(name, strcspn(name, " ")) : NULL;

		end = value + strcspn(value, ",");
		r = file ? module_read(pc, file, name) : fail(ENOMEM, "--initrd", "out of memory");
		if (r == 0)
			pc->module_name[pc->request.modules - 1] = name;
		else
			free(name);
		free(file);
	}
	return r;
}

static int images_read(struct pc *pc)
{
	const struct boot_options *options = pc->options;
	int r = image_read(&pc->request.kernel, options->kernel);

	for (size_t i = 0; r == 0 && i < options->initrds; i++)
		r = modules_read(pc, options->initrd[i]);
	if (r < 0)
		return r;
	pc->request.command_line = options->append;
	pc->request.flat_address = options->flat_address;
	pc->request.flat_mode = options->flat_mode;
	pc->protocol = options->format ? options->format :
					 boot_protocol_find(&pc->request.kernel, NULL);
	return pc->protocol ? pc->protocol->check(&pc->request) : -ENOEXEC;
}

static int serial_open(struct pc *pc)
{
	if (pc->options->serial != BOOT_SERIAL_FILE)
		return 0;
	/* not to wait for a FIFO's reader: that there is none is an error */
	pc->serial = open(pc->options->serial_path,
			  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
	if (pc->serial >= 0)
		return 0;
	return fail(errno, "-serial", "-serial: cannot write '%s': %s", pc->options->serial_path,
		    strerror(errno));
}

/* ---- the machine ---- */

static int kvm_ready(struct pc *pc)
{
	const struct kvm_need *unmet;
	int r = kvm_open(&pc->kvm, KVM_DEVICE);

	if (r < 0)
		return r;
	r = kvm_api_version(&pc->kvm);
	if (r != KVM_API_VERSION)
		return r < 0 ? r : fail(EPROTO, "KVM", "KVM_GET_API_VERSION is %d, not 12", r);
	unmet = kvm_unmet(&pc->kvm);
	if (unmet)
		return fail(ENOTSUP, "KVM", "this KVM lacks %s: %s", unmet->name, unmet->why);
	r = kvm_supported_cpuid(&pc->kvm, &pc->cpuid);
	return r == 0 && pc->options->cpu.hyperv ? kvm_hyperv_cpuid(&pc->kvm, &pc->hyperv) : r;
}

/* Says what -cpu asks for in vain, and holds --nested on to its word. */
static int cpu_decide(struct pc *pc)
{
	struct cpuid_table shown = pc->cpuid;
	char missing[256];

	if (cpu_model_unmet(&pc->options->cpu, &pc->kvm, &pc->cpuid, missing, sizeof(missing)))
		fprintf(stderr, "minivmm: warning: KVM does not offer, so the guest does not get: %s\n",
			missing);
	if (pc->options->cpu.hyperv && !pc->hyperv.head.nent)
		fprintf(stderr, "minivmm: warning: KVM does not offer Hyper-V to the guest\n");
	cpu_model_apply(&pc->options->cpu, &shown, 0);
	pc->shows_vmx = cpuid_has(&shown, "vmx");
	if (pc->options->nested == BOOT_NESTED_ON && !pc->shows_vmx && !cpuid_has(&shown, "svm"))
		return fail(ENOTSUP, "--nested",
			    "--nested on: the guest would see neither VMX nor SVM; minivmm "
			    "--nested-probe says why");
	return 0;
}

/* IA32_FEATURE_CONTROL as firmware leaves it, and what the CPU model makes of VMX. */
static size_t msrs_fill(const struct pc *pc, struct kvm_msr_entry msrs[MSRS])
{
	if (!pc->shows_vmx)
		return 0;
	msrs[0] = (struct kvm_msr_entry){ .index = MSR_IA32_FEATURE_CONTROL,
					  .data = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON };
	return 1 + cpu_model_msrs(&pc->options->cpu, &pc->kvm, msrs + 1);
}

static int machine_build(struct pc *pc)
{
	const struct boot_options *options = pc->options;
	struct kvm_msr_entry msrs[MSRS];
	const struct machine_config config = {
		.memory_size = options->memory_size,
		.cpus = options->cpus,
		.irqchip = IRQCHIP_PC,
		.pit = options->no_pit	    ? PIT_NONE :
		       options->pit_discard ? PIT_DROPS_TICKS :
					      PIT_CATCHES_UP,
		.cpu_pm = options->cpu_pm,
		.cpuid = &pc->cpuid,
		.model = &options->cpu,
		.hyperv = pc->hyperv.head.nent ? &pc->hyperv : NULL,
		.msrs = msrs,
		.msr_count = msrs_fill(pc, msrs),
	};
	uint32_t rejected;

	return machine_create(&pc->machine, &pc->kvm, &config, &rejected);
}

static int nobody_listens(void *sink, const void *bytes, size_t size)
{
	(void)sink, (void)bytes, (void)size;
	return 0;
}

/* Where COM1's bytes go. */
static struct output serial_output(struct pc *pc)
{
	switch (pc->options->serial) {
	case BOOT_SERIAL_STDIO:
		return (struct output){ sink_write, &pc->console.out };
	case BOOT_SERIAL_FILE:
		sink_init(&pc->serial_out, pc->serial, &pc->stopping);
		return (struct output){ sink_write, &pc->serial_out };
	default:
		return (struct output){ nobody_listens, NULL };
	}
}

static int devices_build(struct pc *pc)
{
	const struct boot_options *options = pc->options;
	static const uint64_t feature_control = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON;
	bool stdio = options->serial == BOOT_SERIAL_STDIO;
	const struct board_config config = {
		.output = serial_output(pc),
		.debugexit_port = options->debug_exit_port,
		.debugexit_size = options->debug_exit ? options->debug_exit_size : 0,
		.testdev = options->pc_testdev,
		.pit = !options->no_pit,
	};
	int r = board_attach_all(&pc->machine.board, &pc->devices, &config);

	if (r == 0 && pc->shows_vmx)
		r = fw_cfg_add(&pc->devices.fw_cfg, "etc/msr_feature_control", &feature_control,
			       sizeof(feature_control));
	if (r == 0 && stdio)
		r = console_init(&pc->console, STDIN_FILENO, STDOUT_FILENO, &pc->stopping);
	if (r == 0 && stdio)
		console_connect(&pc->console, &pc->devices.uart);
	return r;
}

/* A line on stderr that a guest can cause again and again, under the lock. */
static void strict_say(struct pc *pc, const char *format, ...)
{
	char line[160];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	sink_write(&pc->complaints, line, (size_t)size);
}

static int unclaimed_report(struct cpu *cpu, const struct exit_record *access)
{
	struct kvm_regs regs = { 0 };

	vcpu_regs_get(&cpu->vcpu, &regs);
	strict_say(cpu->machine->owner,
		   "minivmm: nothing answers at %s 0x%llx: %s of %u bytes by CPU %u, RIP 0x%llx\n",
		   access->reason == KVM_EXIT_IO ? "port" : "address",
		   (unsigned long long)access->address, access->write ? "write" : "read",
		   access->size, cpu->id, (unsigned long long)regs.rip);
	return 0;
}

static void service_report(void *pc, const struct bios_call *call)
{
	strict_say(pc, "minivmm: the BIOS has no service int 0x%02x with AX 0x%04x: called before "
		   "%04x:%04x\n", call->vector, call->a.x, call->cs, call->ip);
}

static int guest_load(struct pc *pc)
{
	struct machine *machine = &pc->machine;
	struct layout layout;
	struct start start;
	int r;

	layout_init(&layout);
	if (pc->options->strict_io) {
		machine->unclaimed = unclaimed_report;
		pc->devices.bios.unknown = service_report;
		pc->devices.bios.unknown_for = pc;
	}
	/* memory too small for the BIOS area has no tables, and no guest that looks for them */
	if (!pc->options->no_acpi)
		pc->request.rsdp = acpi_tables_write(&machine->memory, machine->cpus);
	mptable_write(&machine->memory, machine->cpus);
	r = pc->protocol->load(&pc->request, &machine->memory, &layout, &start);
	if (r < 0)
		return r;
	bios_install(&machine->memory, &start);
	return start_apply(&start, &machine->memory, &machine->cpu[0].vcpu);
}

/* ---- running it ---- */

static void end_tell_waiter(struct machine *machine)
{
	struct pc *pc = machine->owner;

	if (eventfd_write(pc->ended, 1) < 0)
		abort(); /* it has room for 2^64 - 2 of them */
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ends the machine from here. Whoever waits for a reader of our output, under the lock, gives up. */
static void pc_stop(struct pc *pc, enum machine_end end, enum stop stop)
{
	if (pc->asked == MACHINE_RUNNING)
		pc->asked = end;
	pc->stopping = true;
	pthread_mutex_lock(&pc->machine.lock);
	if (stop != STOP_NONE)
		board_stop(&pc->machine.board, stop, 0);
	pthread_mutex_unlock(&pc->machine.lock);
	machine_stop(&pc->machine, end);
}

/* Where the lock is taken, the UART feeds itself later, when the guest has made room. */
static void input_take(struct pc *pc, const struct pollfd *fds, nfds_t count)
{
	if (console_input(&pc->console, fds, count) < 0) {
		pc_stop(pc, MACHINE_STOPPED, STOP_USER);
	} else if (pthread_mutex_trylock(&pc->machine.lock) == 0) {
		console_feed(&pc->console);
		pthread_mutex_unlock(&pc->machine.lock);
	}
}

/* Waits for a vCPU's end, the deadline, input; looks after halted vCPUs now and then. */
static void machine_wait(struct pc *pc)
{
	int64_t start = now_ms(), look = start + LOOK_MS;
	unsigned int limit = pc->options->timeout_ms;
	bool stdio = pc->options->serial == BOOT_SERIAL_STDIO;
	struct pollfd fds[1 + CONSOLE_POLLFDS] = { { .fd = pc->ended, .events = POLLIN } };

	for (;;) {
		nfds_t count = stdio ? console_poll(&pc->console, fds + 1) : 0;
		int64_t now = now_ms();

		if (limit && now - start >= limit) {
			pc_stop(pc, MACHINE_DEADLINE, STOP_NONE);
			return;
		}
		if (now >= look) {
			pc->machine.look++;
			machine_threads_kick(&pc->machine);
			look = now + LOOK_MS;
			if (stdio)
				input_take(pc, fds + 1, 0);
		}
		if (limit && start + limit < look)
			poll(fds, 1 + count, (int)(start + limit - now));
		else
			poll(fds, 1 + count, (int)(look - now));
		if (fds[0].revents)
			return;
		if (count)
			input_take(pc, fds + 1, count);
	}
}

static void cpus_join(struct pc *pc)
{
	pc_stop(pc, MACHINE_STOPPED, STOP_NONE); /* the first end stays */
	machine_threads_join(&pc->machine);
}

/* ---- the end ---- */

static int stop_status(const struct machine *machine, FILE *out)
{
	const struct board *board = &machine->board;

	switch (board->stop) {
	case STOP_RESET:
		return STATUS_RESET;
	case STOP_DEBUG_EXIT:
		return (int)(board->value << 1 | 1) & 0xff;
	case STOP_POWER_OFF:
	case STOP_USER:
		return STATUS_POWER_OFF;
	case STOP_NONE:
		break;
	}
	fprintf(out, "minivmm: a device could not go on: %s\n", machine->result.text);
	return STATUS_FAILED;
}

static int status_of_end(struct pc *pc, FILE *out)
{
	struct machine *machine = &pc->machine;
	static const int statuses[] = {
		[MACHINE_HALTED] = STATUS_HALTED,
		[MACHINE_SHUTDOWN] = STATUS_TRIPLE_FAULT,
		[MACHINE_FAIL_ENTRY] = STATUS_KVM_ERROR,
		[MACHINE_INTERNAL_ERROR] = STATUS_KVM_ERROR,
		[MACHINE_UNKNOWN_EXIT] = STATUS_KVM_ERROR,
		[MACHINE_RUN_FAILED] = STATUS_KVM_ERROR,
		[MACHINE_DEADLINE] = STATUS_TIMED_OUT,
	};

	/* a console that gave up since we were stopping is no end of its own */
	if (machine->result.end == MACHINE_STOPPED && machine->board.stop == STOP_NONE)
		machine->result.end = pc->asked;
	if (machine->result.end == MACHINE_STOPPED)
		return stop_status(machine, out);
	dump_end(out, machine);
	dump_cpu(out, machine);
	return statuses[machine->result.end];
}

/* What there is to say goes to stderr as far as somebody reads it. */
static int end_tell(struct pc *pc)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int status = status_of_end(pc, out ? out : stderr);

	if (out && fclose(out) == 0)
		sink_write(&pc->complaints, text, size);
	free(text);
	return status;
}

static void pc_destroy(struct pc *pc)
{
	if (pc->options->serial == BOOT_SERIAL_STDIO)
		console_destroy(&pc->console);
	machine_destroy(&pc->machine);
	kvm_close(&pc->kvm);
	if (pc->serial >= 0)
		close(pc->serial);
	if (pc->ended >= 0)
		close(pc->ended);
	image_release(&pc->request.kernel);
	for (size_t i = 0; i < pc->request.modules; i++) {
		image_release(&pc->request.module[i]);
		free(pc->module_name[i]);
	}
}

static int pc_boot(struct pc *pc)
{
	int r = kvm_ready(pc);

	if (r >= 0)
		r = cpu_decide(pc);
	if (r >= 0)
		r = machine_build(pc);
	pc->machine.owner = pc;
	if (r >= 0)
		r = devices_build(pc);
	if (r >= 0)
		r = guest_load(pc);
	if (r < 0)
		return r;
	pc->ended = eventfd(0, EFD_CLOEXEC);
	if (pc->ended < 0)
		return fail(errno, "eventfd", "cannot create an eventfd: %s", strerror(errno));
	pc->machine.ended = end_tell_waiter;
	return machine_threads_start(&pc->machine, 0);
}

int pc_run(const struct boot_options *options)
{
	static struct pc pc; /* large: 64 vCPUs' logs */
	int status;

	pc = (struct pc){ .options = options, .kvm.fd = -1, .machine.vm.fd = -1, .ended = -1,
			  .serial = -1 };
	sink_init(&pc.complaints, STDERR_FILENO, &pc.stopping);
	if (images_read(&pc) < 0 || serial_open(&pc) < 0)
		return complain(STATUS_USAGE);
	if (pc_boot(&pc) < 0) {
		int err = error_last()->err;

		/* an image, or ports for a device, that cannot be */
		status = complain(err == ENOEXEC || err == EEXIST ? STATUS_USAGE : STATUS_FAILED);
		cpus_join(&pc);
	} else {
		machine_wait(&pc);
		cpus_join(&pc);
		console_restore();
		status = end_tell(&pc);
	}
	pc_destroy(&pc);
	return status;
}
