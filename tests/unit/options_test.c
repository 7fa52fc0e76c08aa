// SPDX-License-Identifier: MIT
// The command line and the port bus.
#include "unit.h"

#include "bus.h"
#include "error.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>

#define ARGS_MAX 48

/* A line as a shell reads it: words between spaces, or in single quotes. */
static int parse(struct options *options, const char *words)
{
	static char line[1024];
	static char name[] = "minivmm";
	char *argv[ARGS_MAX + 1] = { name }, *at = line;
	int argc = 1;

	strcpy(line, words);
	while (*at && argc < ARGS_MAX) {
		char end = *at == '\'' ? '\'' : ' ';

		at += end == '\'';
		argv[argc++] = at;
		at += strcspn(at, end == ' ' ? " " : "'");
		if (*at)
			*at++ = '\0';
		at += strspn(at, " ");
	}
	return options_parse(options, argc, argv);
}

static void options_good(void)
{
	struct options options;

	EXPECT(parse(&options, "--nested-probe") == 0, "%s", error_last()->text);
	EXPECT(options.command == COMMAND_PROBE, "%d", options.command);
	EXPECT(options.timeout_ms == 5000, "%u", options.timeout_ms);
	EXPECT_STR(options.format->name, "text");

	EXPECT(parse(&options, "-nested-probe -cpu host,-svm --timeout=2.5 --format json") == 0,
	       "%s", error_last()->text);
	EXPECT(options.timeout_ms == 2500, "%u", options.timeout_ms);
	EXPECT_STR(options.format->name, "json");
	EXPECT(cpu_model_wants(&options.cpu, "svm") == -1, "svm");
	EXPECT(cpu_model_wants(&options.cpu, "vmx") == 0, "vmx");
}

static void options_bad(void)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{ "--nested-prob", "unknown option '--nested-prob'; did you mean 'nested-probe'?" },
		{ "--nested-probe now", "unexpected argument 'now'" },
		{ "--nested-probe=1", "takes no argument" },
		{ "--format", "needs an argument: NAME" },
		{ "--nested-probe --format xml", "unknown format 'xml'" },
		{ "--nested-probe --timeout soon", "'soon' is not a number" },
		{ "--nested-probe --timeout -1", "'-1' is not a number" },
		{ "--nested-probe --timeout nan", "'nan' is not a number" },
		{ "--nested-probe --timeout 86401", "is not a number of seconds" },
		{ "--nested-probe -cpu maxx", "unknown model 'maxx'; did you mean 'max'?" },
		{ "--nested-probe -cpu host,+warp", "unknown feature 'warp' (see" },
		{ "--nested-probe -cpu host,+smv", "unknown feature 'smv'; did you mean 'svm'?" },
		{ "--nested-probe -m 64", "-m goes with --kernel only" },
		{ "--nested-probe --smp 0", "-smp: cpus takes" },
		{ "--nested-probe --smp 65", "65 is more than the most SMP CPUs (64)" },
		{ "--nested-probe -no-reboot", "--no-reboot goes with --kernel only" },
		{ "--nested-probe --format jsn", "unknown format 'jsn'; did you mean 'json'?" },
		{ "--kernel k --verbose", "--verbose goes with --nested-probe only" },
		{ "--kernel k --nested-probe", "only one of" },
		{ "-kernal k", "unknown option '-kernal'; did you mean 'kernel'?" },
		{ "-kernel", "needs an argument: IMAGE" },
		{ "--help --version", "only one of" },
		{ "--verbose", "nothing to do" },
		{ "--help now", "'now' is not 'all'" },
		{ "-", "unexpected argument '-'" },
		{ "--", "unknown option '--'" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;

		EXPECT(parse(&options, rows[i].line) == -EINVAL, "%s", rows[i].line);
		EXPECT_HAS(error_last()->text, rows[i].words);
	}
}

/* Every row has a help text, and its name occurs once. */
static void options_table_whole(void)
{
	for (const struct option *option = options_table; option->name; option++) {
		EXPECT(option->help && *option->help, "%s has no help", option->name);
		EXPECT(!option->set == !!option->only, "%s: one of set and only", option->name);
		EXPECT(option->group < OPTION_GROUPS, "%s", option->name);
		for (const struct option *other = option + 1; other->name; other++)
			EXPECT(strcmp(option->name, other->name) != 0, "%s twice", option->name);
	}
}

static void kernel_defaults(void)
{
	struct options options;
	const struct boot_options *boot = &options.boot;

	EXPECT(parse(&options, "--kernel vmlinux") == 0, "%s", error_last()->text);
	EXPECT(options.command == COMMAND_KERNEL, "%d", options.command);
	EXPECT_STR(boot->kernel, "vmlinux");
	EXPECT_STR(boot->append, "");
	EXPECT(boot->cpus == 1 && boot->memory_size == 128 << 20, "one CPU, 128 MiB");
	EXPECT(boot->timeout_ms == 0, "no deadline: %u", boot->timeout_ms);
	EXPECT(boot->serial == BOOT_SERIAL_STDIO, "%d", boot->serial);
	EXPECT(boot->machine == BOOT_MACHINE_PC, "a PC");
	EXPECT(!boot->format && !boot->no_pit && !boot->debug_exit && !boot->pc_testdev, "no more");
	EXPECT(boot->cpu.offered_only && !boot->cpu.no_virt, "QEMU's +vmx");
}

static void kernel_full(void)
{
	struct options options;
	const struct boot_options *boot = &options.boot;

	EXPECT(parse(&options,
		     "-kernel k -initrd a -initrd b -append 'x y=z,w' -smp "
		     "cpus=4,sockets=1,cores=4 "
		     "-m size=1G,slots=0 --cpu qemu64,+svm --nested off --serial file:out.txt "
		     "-device pc-testdev -device isa-debug-exit,iobase=0x501,iosize=0x2 "
		     "--strict-io "
		     "-M microvm,accel=kvm,pit=off,kernel_irqchip=on --timeout 1.5 "
		     "--format flat@0x7c00,long") == 0,
	       "%s", error_last()->text);
	EXPECT(boot->initrds == 2, "%zu", boot->initrds);
	EXPECT_STR(boot->initrd[1], "b");
	EXPECT_STR(boot->append, "x y=z,w");
	EXPECT(boot->cpus == 4 && boot->memory_size == 1 << 30, "%u CPUs", boot->cpus);
	EXPECT(cpu_model_wants(&boot->cpu, "svm") == -1, "--nested off beats +svm");
	EXPECT(boot->nested == BOOT_NESTED_OFF && boot->cpu.no_virt, "off");
	EXPECT(boot->serial == BOOT_SERIAL_FILE, "%d", boot->serial);
	EXPECT_STR(boot->serial_path, "out.txt");
	EXPECT(boot->pc_testdev && boot->debug_exit, "devices");
	EXPECT(boot->debug_exit_port == 0x501 && boot->debug_exit_size == 2, "ports");
	EXPECT(boot->strict_io && boot->no_pit && boot->timeout_ms == 1500, "%u", boot->timeout_ms);
	EXPECT(boot->machine == BOOT_MACHINE_MICROVM, "%d", boot->machine);
	EXPECT(boot->format == &boot_flat && boot->flat_address == 0x7c00, "flat");
	EXPECT(boot->flat_mode == START_LONG, "%d", boot->flat_mode);
}

static void kernel_values(void)
{
	static const struct {
		const char *words;
		uint64_t memory;
		unsigned int cpus;
	} rows[] = {
		{ "-m 4g", 4ULL << 30, 1 },	     { "-m 2048", 2048ULL << 20, 1 },
		{ "-m 1T", 1ULL << 40, 1 },	     { "-m 1025k", 1028ULL << 10, 1 },
		{ "-m 64M -smp 2", 64ULL << 20, 2 }, { "-smp 3,maxcpus=3", 128ULL << 20, 3 },
		{ "-smp cores=2", 128ULL << 20, 2 }, { "-smp threads=1", 128ULL << 20, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;
		char line[64] = "-kernel k ";

		strcat(line, rows[i].words);
		EXPECT(parse(&options, line) == 0, "%s: %s", line, error_last()->text);
		EXPECT(options.boot.memory_size == rows[i].memory, "%s", line);
		EXPECT(options.boot.cpus == rows[i].cpus, "%s: %u", line, options.boot.cpus);
	}
}

static void kernel_bad(void)
{
	static const struct {
		const char *words, *says;
	} rows[] = {
		{ "-m 0", "-m: size takes" },
		{ "-m 12q", "-m: size takes" },
		{ "-m -1", "-m: size takes" },
		{ "-m 99999999999999999999", "-m: size takes" },
		{ "-m 99999999999T", "-m: size takes" },
		{ "-m 1G,maxmem=2G", "-m: unknown property 'maxmem'" },
		{ "-smp 0", "-smp: cpus takes" },
		{ "-smp 4294967297", "-smp: cpus takes" },
		{ "-smp 1000", "1000 is more than the most SMP CPUs (" },
		{ "-smp 4,cores=2", "-smp: cores takes the number of CPUs" },
		{ "-smp 4,threads=2", "-smp: threads takes 1" },
		{ "-serial pty", "-serial: 'pty' is none of" },
		{ "-serial file:", "-serial: 'file:' is none of" },
		{ "-device edu", "-device: unknown device 'edu' (see --list devices)" },
		{ "-device pci-testdev",
		  "unknown device 'pci-testdev'; did you mean 'pc-testdev'?" },
		{ "-device hyperv-testdev", "unknown device 'hyperv-testdev'" },
		{ "-device pc-testdev,x=1", "-device: unknown property 'x'" },
		{ "-device isa-debug-exit,iobase=0x10000", "iobase takes a port" },
		{ "-device isa-debug-exit,iosize=0", "iosize takes" },
		{ "-machine isapc", "-machine: type takes pc, q35 or microvm" },
		{ "-machine vmport=on", "-machine: vmport takes off" },
		{ "-machine accel=tcg", "-machine: accel takes kvm" },
		{ "-machine kernel_irqchip=split", "-machine: kernel-irqchip takes on" },
		{ "-machine pti=off", "unknown property 'pti'; did you mean 'pit'?" },
		{ "-accel tcg", "-accel: accel takes kvm" },
		{ "-display gtk", "--display: 'gtk' is not none" },
		{ "-global kvm-pit.lost_tick_policy=slew", "takes discard or delay" },
		{ "-global isa-fdc.x=y", "unknown property 'isa-fdc.x'" },
		{ "-global x", "is not DRIVER.PROPERTY=VALUE" },
		{ "-overcommit cpu-pm=maybe", "-overcommit: cpu-pm takes on or off" },
		{ "-rtc base=localtime", "'base=localtime' is not base=utc" },
		{ "--nested maybe", "'maybe' is none of on, off and auto" },
		{ "--format flat", "needs flat@ADDRESS" },
		{ "--format flat@x", "does not begin with an address" },
		{ "--format flat@0x1000,virtual", "'virtual' is none of real" },
		{ "--format linux@0x1000", "have their address in themselves" },
		{ "--format multibot",
		  "unknown image format 'multibot'; did you mean 'multiboot'?" },
		{ "--format json", "unknown image format 'json'" },
		{ "-cpu host,hv_relaxed", "Hyper-V is shown as KVM has it" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;
		char line[96] = "-kernel k ";

		strcat(line, rows[i].words);
		EXPECT(parse(&options, line) == -EINVAL, "%s", line);
		EXPECT_HAS(error_last()->text, rows[i].says);
	}
}

/* What kvm-unit-tests' x86/run puts before, and its runner behind, what a test asks for. */
#define KUT_LINE                                                                             \
	"--no-reboot -nodefaults -global kvm-pit.lost_tick_policy=discard -device pc-testdev " \
	"-device isa-debug-exit,iobase=0xf4,iosize=0x4 -display none -serial stdio "          \
	"-machine accel=kvm -kernel x86/x.flat -smp 1 %s -initrd /tmp/tmp.ZmFoo"

/* Each row is a test's test_args and qemu_params in x86/unittests.cfg; `refused` where minivmm has
 * not got what it asks for, and the runner is to say so and skip it. */
static void kvm_unit_tests_lines(void)
{
	static const struct {
		const char *words, *refused;
	} rows[] = {
		{ "-smp 2 -cpu qemu64,+x2apic,+tsc-deadline", NULL },
		{ "-smp 2 -cpu qemu64,-x2apic,+tsc-deadline", NULL },
		{ "-smp 4 -cpu qemu64,+x2apic", NULL },
		{ "-smp 2", NULL },
		{ "-smp 3", NULL },
		{ "-append 'cpuid'", NULL },
		{ "-append 'vmcall'", NULL },
		{ "-append 'mov_from_cr8'", NULL },
		{ "-append 'mov_to_cr8'", NULL },
		{ "-append 'inl_from_pmtimer'", NULL },
		{ "-smp 2 -append 'ipi' -machine pit=off", NULL },
		{ "-smp 2 -append 'ipi_halt'", NULL },
		{ "-append 'ple_round_robin'", NULL },
		{ "-append 'tscdeadline' -cpu qemu64,+x2apic,+tsc-deadline", NULL },
		{ "-append 'tscdeadline_immed' -cpu qemu64,+x2apic,+tsc-deadline", NULL },
		{ "-smp 2 -append 'toggle_cr0_wp'", NULL },
		{ "-smp 2 -append 'toggle_cr4_pge'", NULL },
		{ "-cpu max,host-phys-bits", NULL },
		{ "-append 'force_emulation' -cpu max,host-phys-bits", NULL },
		{ "-cpu IvyBridge,phys-bits=36,host-phys-bits=off", NULL },
		{ "-cpu max", NULL },
		{ "-cpu host -m 2048", NULL },
		{ "-cpu max,vendor=GenuineIntel", NULL },
		{ "-cpu qemu64,vendor=GenuineIntel", NULL },
		{ "-cpu host,migratable=no", NULL },
		{ "-machine vmport=on -cpu max", "vmport takes off" },
		{ "-cpu Opteron_G1,vendor=AuthenticAMD", NULL },
		{ "-smp 2 -append '-pause_filter_test "
		  "-svm_unsupported_instruction_intercept_test' -cpu max,+svm -m 4g",
		  NULL },
		{ "-append 'svm_unsupported_instruction_intercept_test' -cpu "
		  "max,+svm,-rdtscp,-xsave,-invpcid,-skinit",
		  NULL },
		{ "-smp 2 -append '-pause_filter_test "
		  "-svm_unsupported_instruction_intercept_test' -cpu max,+svm,-npt -m 4g",
		  NULL },
		{ "-append 'pause_filter_test' -cpu max,+svm -overcommit cpu-pm=on -m 4g",
		  NULL },
		{ "-smp 2 -cpu max,+svm -m 4g", NULL },
		{ "-smp 2 -append '10000000 1760000000'", NULL },
		{ "-cpu qemu64,+pcid,+invpcid", NULL },
		{ "-cpu qemu64,-pcid,-invpcid", NULL },
		{ "-cpu qemu64,-pcid,+invpcid", NULL },
		{ "-cpu qemu64,+umip", NULL },
		{ "-append '-exit_monitor_from_l2_test -ept_access* -vmx_smp* "
		  "-vmx_vmcs_shadow_test -atomic_switch_overflow_msrs_test "
		  "-vmx_init_signal_test -vmx_apic_passthrough_tpr_threshold_test "
		  "-apic_reg_virt_test -virt_x2apic_mode_test -vmx_pf_exception_test "
		  "-vmx_pf_exception_forced_emulation_test -vmx_pf_no_vpid_test "
		  "-vmx_pf_invvpid_test -vmx_pf_vpid_test -vmx_basic_vid_test "
		  "-vmx_eoi_virt_test -vmx_posted_interrupts_test' -cpu max,+vmx",
		  NULL },
		{ "-append 'ept_access*' -cpu max,host-phys-bits,+vmx,-vmx-mbec -m 2560",
		  NULL },
		{ "-append 'ept_access*' -cpu Skylake-Server,host-phys-bits,+vmx,+vmx-mbec -m "
		  "2560",
		  NULL },
		{ "-smp 2 -append 'vmx_eoi_bitmap_ioapic_scan_test' -cpu max,+vmx -m 2048",
		  NULL },
		{ "-append 'vmx_hlt_with_rvi_test' -cpu max,+vmx", NULL },
		{ "-append 'apic_reg_virt_test virt_x2apic_mode_test vmx_basic_vid_test "
		  "vmx_eoi_virt_test' -cpu max,+vmx",
		  NULL },
		{ "-smp 2 -append 'vmx_posted_interrupts_test' -cpu max,+vmx", NULL },
		{ "-smp 2 -append 'vmx_apic_passthrough_thread_test' -cpu max,+vmx -m 2048",
		  NULL },
		{ "-smp 2 -append 'vmx_init_signal_test' -cpu max,+vmx -m 2048", NULL },
		{ "-smp 2 -append 'vmx_sipi_signal_test' -cpu max,+vmx -m 2048", NULL },
		{ "-append 'vmx_apic_passthrough_tpr_threshold_test' -cpu max,+vmx -m 2048",
		  NULL },
		{ "-append 'vmx_vmcs_shadow_test' -cpu max,+vmx", NULL },
		{ "-append 'vmx_pf_exception_test' -cpu max,+vmx", NULL },
		{ "-append 'vmx_pf_exception_forced_emulation_test' -cpu max,+vmx,-pku",
		  NULL },
		{ "-append 'vmx_pf_vpid_test' -cpu max,+vmx,-pku", NULL },
		{ "-append 'vmx_pf_invvpid_test' -cpu max,+vmx,-pku", NULL },
		{ "-append 'vmx_pf_no_vpid_test' -cpu max,+vmx,-pku", NULL },
		{ "-append 'vmx_pf_exception_test' -cpu "
		  "IvyBridge,phys-bits=36,host-phys-bits=off,+vmx",
		  NULL },
		{ "-smp 2 -cpu host,hv_passthrough -device hyperv-testdev",
		  "unknown device 'hyperv-testdev'" },
		{ "-smp 2 -cpu host,hv_passthrough", NULL },
		{ "-smp 2 -append 'direct' -cpu host,hv_passthrough", NULL },
		{ "-smp 4 -M q35,kernel-irqchip=split -device intel-iommu,intremap=on,eim=off "
		  "-device edu",
		  "-machine: kernel-irqchip takes on" },
		{ "-smp 2 -enable-kvm -m 2048 -cpu host", NULL },
		{ "-enable-kvm -cpu max", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;
		char line[1024];
		int r;

		snprintf(line, sizeof(line), KUT_LINE, rows[i].words);
		r = parse(&options, line);
		if (rows[i].refused) {
			EXPECT(r == -EINVAL, "%s", line);
			EXPECT_HAS(error_last()->text, rows[i].refused);
			continue;
		}
		EXPECT(r == 0, "%s: %s", line, error_last()->text);
		EXPECT(options.boot.pit_discard && options.boot.pc_testdev, "%s", line);
		EXPECT(options.boot.debug_exit_port == 0xf4 && options.boot.debug_exit_size == 4,
		       "%s", line);
		EXPECT(options.boot.serial == BOOT_SERIAL_STDIO && options.boot.initrds == 1, "%s",
		       line);
	}
}

static int answer(void *device, uint64_t port, void *data, unsigned int size)
{
	(void)device, (void)port;
	memset(data, 0x5a, size);
	return 0;
}

static void bus_ports(void)
{
	struct bus bus = { 0 };
	uint32_t value = 0;

	EXPECT(bus_attach(&bus, &(struct bus_range){ "a", 0x10, 0x13, answer, NULL, NULL }) == 0,
	       "a");
	EXPECT(bus_attach(&bus, &(struct bus_range){ "b", 0x13, 0x14, answer, NULL, NULL }) ==
		       -EEXIST,
	       "an overlap was taken");
	EXPECT_HAS(error_last()->text, "overlaps a");
	bus_read(&bus, 0x12, &value, 2);
	EXPECT(value == 0x5a5a, "0x%x", value);
	bus_read(&bus, 0x14, &value, 4);
	EXPECT(value == 0xffffffff, "unclaimed: 0x%x", value);
	EXPECT(bus_write(&bus, 0x10, &value, 4) == BUS_UNCLAIMED, "a write that its owner ignores");
}

const struct unit_test options_tests[] = {
	{ "options: good lines", options_good },
	{ "options: wrong usage is named", options_bad },
	{ "options: the table is whole", options_table_whole },
	{ "options: --kernel's defaults", kernel_defaults },
	{ "options: --kernel with all its own", kernel_full },
	{ "options: --kernel's sizes and counts", kernel_values },
	{ "options: --kernel's wrong values are named", kernel_bad },
	{ "options: kvm-unit-tests' lines", kvm_unit_tests_lines },
	{ "bus: ports, overlaps, all ones", bus_ports },
	{ 0 },
};
