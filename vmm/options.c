// SPDX-License-Identifier: MIT
// The table of options.
#include "options.h"

#include "error.h"
#include "features_report.h"
#include "near.h"
#include "option_values.h"
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- commands ---- */

static int command_set(struct options *options, enum command command, const char *argument)
{
	if (options->command != COMMAND_NONE && options->command != command)
		return fail(EINVAL, "options",
			    "only one of --nested-probe, --kernel, --explain, --list, "
			    "--help and --version at a time");
	options->command = command;
	options->argument = argument;
	return 0;
}

static int set_probe(struct options *options, const char *value)
{
	return command_set(options, COMMAND_PROBE, value);
}

static int set_kernel(struct options *options, const char *value)
{
	options->boot.kernel = value;
	return command_set(options, COMMAND_KERNEL, NULL);
}

static int set_explain(struct options *options, const char *value)
{
	return command_set(options, COMMAND_EXPLAIN, value);
}

static int set_list(struct options *options, const char *value)
{
	return command_set(options, COMMAND_LIST, value);
}

static int set_help(struct options *options, const char *value)
{
	if (value && strcmp(value, "all") != 0)
		return fail(EINVAL, "--help", "--help: '%s' is not 'all'%s", value,
			    value_hint(&values_help, value));
	return command_set(options, COMMAND_HELP, value);
}

static int set_version(struct options *options, const char *value)
{
	return command_set(options, COMMAND_VERSION, value);
}

/* ---- either ---- */

static int set_format(struct options *options, const char *value)
{
	options->format_name = value;
	return 0;
}

static int set_cpu(struct options *options, const char *value)
{
	return cpu_model_parse(&options->cpu, value);
}

static int count_read(unsigned int *number, const char *option, const char *value,
		      unsigned long most)
{
	unsigned long read;

	if (number_read(value, 1, most, &read) < 0)
		return fail(EINVAL, option, "%s: '%s' is not a number from 1 to %lu", option, value,
			    most);
	*number = (unsigned int)read;
	return 0;
}

static int set_repeat(struct options *options, const char *value)
{
	return count_read(&options->series.repeat, "--repeat", value, 1000000000);
}

/* Ten years are enough for anyone. */
static int set_duration(struct options *options, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds > 0 && seconds <= 315360000))
		return fail(EINVAL, "--duration",
			    "--duration: '%s' is not a number of seconds above 0", value);
	options->series.duration_ns = (uint64_t)(seconds * 1e9);
	return 0;
}

/* QEMU's users mean a printer port, and there is none. */
static int set_parallel(struct options *options, const char *value)
{
	if (strcmp(value, "none") == 0)
		return 0;
	options->parallel_given = true;
	return count_read(&options->series.parallel, "--parallel", value, SERIES_PARALLEL_MAX);
}

static int set_all_cpus(struct options *options, const char *value)
{
	(void)value;
	options->series.all_cpus = true;
	return 0;
}

/* Seconds, with a fraction; 0 = no deadline. A day at most. */
static int set_timeout(struct options *options, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0 && seconds <= 86400))
		return fail(EINVAL, "--timeout",
			    "--timeout: '%s' is not a number of seconds from 0 to 86400", value);
	options->timeout_given = true;
	options->timeout_ms = (unsigned int)(seconds * 1000);
	if (seconds > 0 && options->timeout_ms == 0)
		options->timeout_ms = 1;
	return 0;
}

/* ---- the probe ---- */

/* A feature that is required is tried. */
static int require_one(struct options *options, const char *name)
{
	if (!value_listed(&values_required, name))
		return fail(EINVAL, "--require",
			    "--require: unknown name '%s'%s (see --list required)", name,
			    value_hint(&values_required, name));
	for (size_t i = 0; i < options->requirements; i++)
		if (strcmp(options->required[i], name) == 0)
			return 0; /* a test case or a metric twice is none */
	if (options->requirements == RESULT_REQUIREMENTS)
		return fail(EINVAL, "--require", "--require: more than %d names",
			    RESULT_REQUIREMENTS);
	snprintf(options->required[options->requirements++], sizeof(options->required[0]), "%s",
		 name);
	for (size_t i = 0; i < feature_row_count; i++)
		options->features |= strcmp(name, feature_rows[i].name) == 0;
	return 0;
}

static int set_require(struct options *options, const char *value)
{
	char *copy = strdup(value), *rest = copy, *name;
	int r = 0;

	if (!copy)
		return fail(ENOMEM, "--require", "--require: out of memory");
	while (r == 0 && (name = strsep(&rest, ",")))
		r = require_one(options, name);
	free(copy);
	return r;
}

static int set_output(struct options *options, const char *value)
{
	struct report_file *output = &options->output[options->outputs];
	const char *colon = strchr(value, ':');
	char name[24];

	if (options->outputs == OUTPUTS_MAX)
		return fail(EINVAL, "--output", "--output: more than %d files", OUTPUTS_MAX);
	if (!colon || !colon[1])
		return fail(EINVAL, "--output", "--output: '%s' is not FORMAT:FILE", value);
	snprintf(name, sizeof(name), "%.*s", (int)(colon - value), value);
	output->format = report_format_find(name);
	output->path = colon + 1;
	if (!output->format)
		return fail(EINVAL, "--output",
			    "--output: unknown format '%s'%s (see --list formats)", name,
			    value_hint(&values_report_formats, name));
	for (size_t i = 0; i < options->outputs; i++)
		if (output_same(options->output[i].path, output->path))
			return fail(EINVAL, "--output", "--output: two reports into %.120s",
				    output->path);
	options->outputs++;
	return output_check(output->path);
}

static const struct exit_style *exit_style_find(const char *name)
{
	for (const struct exit_style *style = exit_styles; style->name; style++)
		if (strcmp(style->name, name) == 0)
			return style;
	return NULL;
}

static int set_exit_style(struct options *options, const char *value)
{
	const struct exit_style *style = exit_style_find(value);

	if (!style)
		return fail(EINVAL, "--exit-style",
			    "--exit-style: unknown style '%s'%s (see --list exit-styles)", value,
			    value_hint(&values_exit_styles, value));
	options->exit_style = style;
	return 0;
}

static int set_expiry(struct options *options, const char *value)
{
	return count_read(&options->expiry_s, "--expiry", value, 10UL * 366 * 86400);
}

static int set_probe_kernel(struct options *options, const char *value)
{
	options->probe_kernel = value;
	return 0;
}

static int set_features(struct options *options, const char *value)
{
	(void)value;
	options->features = true;
	return 0;
}

static int set_verbose(struct options *options, const char *value)
{
	(void)value;
	options->verbose = true;
	return 0;
}

static int set_quiet(struct options *options, const char *value)
{
	(void)value;
	options->quiet = true;
	return 0;
}

/* ---- the kernel and its machine ---- */

static int set_initrd(struct options *options, const char *value)
{
	if (options->boot.initrds == BOOT_MODULES)
		return fail(EINVAL, "--initrd", "--initrd: more than %d files", BOOT_MODULES);
	options->boot.initrd[options->boot.initrds++] = value;
	return 0;
}

static int set_append(struct options *options, const char *value)
{
	options->boot.append = value;
	return 0;
}

static int set_strict_io(struct options *options, const char *value)
{
	(void)value;
	options->boot.strict_io = true;
	return 0;
}

static int set_no_defaults(struct options *options, const char *value)
{
	(void)value;
	options->no_defaults = true;
	return 0;
}

static int set_serial(struct options *options, const char *value)
{
	options->serial_given = true;
	return value_serial(&options->boot, value);
}

static int set_device(struct options *options, const char *value)
{
	if (strcmp(value, "?") == 0 || strcmp(value, "help") == 0)
		return command_set(options, COMMAND_LIST, "devices");
	return value_device(&options->boot, value);
}

#define SET_BOOT(what)                                                    \
	static int set_##what(struct options *options, const char *value) \
	{                                                                 \
		return value_##what(&options->boot, value);               \
	}
SET_BOOT(smp)
SET_BOOT(memory)
SET_BOOT(machine)
SET_BOOT(nested)
SET_BOOT(accel)
SET_BOOT(overcommit)
SET_BOOT(global)

/* ---- the table ---- */

const struct option options_table[] = {
	{ OPTION_PROBE, "nested-probe", NULL,
	  "run a guest in a guest and report whether nesting works", set_probe, NULL },
	{ OPTION_PROBE, "probe-kernel", "FILE",
	  "boot this L1 kernel (a PVH ELF file) in place of the built-in one",
	  set_probe_kernel, NULL, &values_files },
	{ OPTION_PROBE, "repeat", "N",
	  "probe N times, in a fresh virtual machine each time\n"
	  "The first that fails is shown whole; the exit status is the worst",
	  set_repeat, NULL, NULL, true },
	{ OPTION_PROBE, "duration", "SECONDS",
	  "probe again and again for this long", set_duration, NULL },
	{ OPTION_PROBE, "all-cpus", NULL,
	  "probe on each CPU in turn, and name the odd one out", set_all_cpus, NULL, NULL, true },
	{ OPTION_PROBE, "features", NULL,
	  "try nesting's optional features too (see --list checks)", set_features, NULL, NULL,
	  true },
	{ OPTION_PROBE, "require", "LIST",
	  "fail unless these work: nested, state, a check, a feature\n"
	  "Separated by commas; --list required has the names. Features are then tried",
	  set_require, NULL, &values_required, true },
	{ OPTION_PROBE, "output", "NAME:FILE",
	  "write a report into a file, too (repeatable)\n"
	  "Written whole, then renamed: a reader sees the old file or the new one",
	  set_output, NULL, &values_outputs, true },
	{ OPTION_PROBE, "exit-style", "STYLE",
	  "whose exit statuses (see --list exit-styles)", set_exit_style, NULL,
	  &values_exit_styles, true },
	{ OPTION_PROBE, "expiry", "SECONDS",
	  "format nfd: how long its labels hold (86400)", set_expiry, NULL },
	{ OPTION_PROBE, "verbose", NULL,
	  "every step with its time and evidence", set_verbose, NULL },
	{ OPTION_PROBE, "quiet", NULL,
	  "no report, no progress: the exit status tells", set_quiet, NULL },

	{ OPTION_KERNEL, "kernel", "IMAGE",
	  "boot a kernel: Linux, Multiboot, PVH, ELF64, flat\n"
	  "The format is found out, or --format says it", set_kernel, NULL, &values_files },
	{ OPTION_KERNEL, "initrd", "FILE",
	  "an initrd or a Multiboot module (repeatable)\n"
	  "As QEMU has it, too: \"FILE WORDS,FILE WORDS\"", set_initrd, NULL, &values_files, true },
	{ OPTION_KERNEL, "append", "WORDS",
	  "the kernel's command line", set_append, NULL },
	{ OPTION_KERNEL, "m", "SIZE",
	  "memory, in MiB or with k, M, G or T (128)", set_memory, NULL, NULL, true },
	{ OPTION_KERNEL, "nested", "WHAT",
	  "VMX or SVM for the guest: on, off or auto, as KVM has it", set_nested, NULL,
	  &values_nested },
	{ OPTION_KERNEL, "serial", "WHERE",
	  "the serial port: stdio (the default), none, null, file:PATH", set_serial, NULL,
	  &values_serial },
	{ OPTION_KERNEL, "device", "NAME",
	  "add a device (see --list devices)\n"
	  "NAME,iobase=0xf4,iosize=4", set_device, NULL, &values_devices },
	{ OPTION_KERNEL, "machine", "TYPE",
	  "[pc|q35|microvm][,pit=on|off][,kernel-irqchip=on]\n"
	  "[,acpi=on|off][,accel=kvm]", set_machine, NULL, &values_machine },
	{ OPTION_KERNEL, "strict-io", NULL,
	  "name every access that no device answers", set_strict_io, NULL },

	{ OPTION_EITHER, "cpu", "MODEL",
	  "what the guest is shown: host[,+FEATURE|,-FEATURE]...\n"
	  "\"host,-svm\" hides SVM. The probe's \"host,+svm\" has L1 try it against\n"
	  "KVM's word, \"svm=force\" anyone's. See --list cpu-models, --list features",
	  set_cpu, NULL, &values_cpu, true },
	{ OPTION_EITHER, "format", "NAME",
	  "text, json, tap, junit, github, prometheus, nfd, npd ...\n"
	  "--kernel: which format IMAGE has: linux, multiboot, multiboot2, pvh,\n"
	  "elf64, flat@ADDRESS[,real|protected|long]", set_format, NULL, &values_all_formats,
	  true },
	{ OPTION_EITHER, "smp", "N",
	  "CPUs of the guest (1)\n"
	  "The probe runs an L2 on each at once; they interrupt each other",
	  set_smp, NULL, NULL, true },
	{ OPTION_EITHER, "parallel", "N",
	  "N probes side by side, each repeated as asked\n"
	  "--kernel: none, as QEMU's users say it", set_parallel, NULL },
	{ OPTION_EITHER, "timeout", "SECONDS",
	  "give up after this much time (probe: 5; 0 = never)", set_timeout, NULL, NULL, true },

	{ OPTION_ABOUT, "explain", "REASON",
	  "what a reason means, how it is told, how to mend it", set_explain, NULL,
	  &values_reasons, true },
	{ OPTION_ABOUT, "list", "WHAT",
	  "reasons, checks, required, formats, exit-styles ...\n"
	  "image-formats, cpu-models, features, devices, options, values, catalogue,\n"
	  "hypervisors", set_list, NULL, &values_lists, true },
	{ OPTION_ABOUT, "help", "[all]",
	  "all: every option, every detail, exit statuses", set_help, NULL, &values_help, true },
	{ OPTION_ABOUT, "version", NULL,
	  "version, commit, compiler and libc", set_version, NULL, NULL, true },

	{ OPTION_QEMU, "h", NULL,
	  "as --help", set_help, NULL },
	{ OPTION_QEMU, "M", "TYPE",
	  "as --machine", set_machine, NULL, &values_machine },
	{ OPTION_QEMU, "accel", "kvm",
	  "the only one", set_accel, NULL },
	{ OPTION_QEMU, "enable-kvm", NULL,
	  "always so", NULL, "" },
	{ OPTION_QEMU, "nodefaults", NULL,
	  "no serial port without --serial", set_no_defaults, NULL },
	{ OPTION_QEMU, "no-user-config", NULL,
	  "there is none", NULL, "" },
	{ OPTION_QEMU, "no-reboot", NULL,
	  "a reset always ends the run", NULL, "" },
	{ OPTION_QEMU, "overcommit", "SETTING",
	  "cpu-pm=on|off: whether HLT, MWAIT and PAUSE stay in the guest", set_overcommit, NULL },
	{ OPTION_QEMU, "global", "SETTING",
	  "kvm-pit.lost_tick_policy=discard or delay", set_global, NULL },
	{ OPTION_QEMU, "name", "NAME",
	  "means nothing here", NULL, "" },
	{ OPTION_QEMU, "display", "none",
	  "there is none", NULL, "none" },
	{ OPTION_QEMU, "nographic", NULL,
	  "always so", NULL, "" },
	{ OPTION_QEMU, "vga", "none",
	  "there is none", NULL, "none" },
	{ OPTION_QEMU, "monitor", "none",
	  "there is none", NULL, "none" },
	{ OPTION_QEMU, "net", "none",
	  "there is none", NULL, "none" },
	{ OPTION_QEMU, "nic", "none",
	  "there is none", NULL, "none" },
	{ OPTION_QEMU, "rtc", "base=utc",
	  "always so", NULL, "base=utc" },
	{ OPTION_GROUPS, NULL, NULL, NULL, NULL, NULL },
};

/* ---- parsing ---- */

/* The row for "--name", "-name" or "--name=value"; *value is the part behind '='. */
static const struct option *option_find(const char *word, const char **value)
{
	size_t length;

	word += strncmp(word, "--", 2) == 0 ? 2 : 1;
	length = strcspn(word, "=");
	*value = word[length] ? word + length + 1 : NULL;
	for (const struct option *option = options_table; option->name; option++)
		if (strlen(option->name) == length && strncmp(option->name, word, length) == 0)
			return option;
	return NULL;
}

/* `what` it is instead. */
static int option_unknown(const char *what, const char *word)
{
	struct near near = { .word = word + strspn(word, "-") };
	char dashed[NEAR_WORD];

	for (const struct option *option = options_table; option->name; option++)
		near_offer(&near, option->name);
	/* a name that lacks but its dashes is meant with them */
	if (near.best && word[0] != '-' && snprintf(dashed, sizeof(dashed), "--%s", near.best) > 0)
		near.best = dashed;
	return fail(EINVAL, "options", "%s '%s'%s (see --help)", what, word, near_hint(&near));
}

static int option_apply(struct options *options, const struct option *option, const char *value)
{
	if (option->set)
		return option->set(options, value);
	if (option->only[0] && strcmp(option->only, value) != 0)
		return fail(EINVAL, "options", "--%s: '%s' is not %s", option->name, value,
			    option->only);
	return 0;
}

/* The option at argv[*i], and its argument behind it, to which *i goes on. */
static int option_read(struct options *options, int argc, char *const *argv, int *i,
		       const struct option **read)
{
	const struct option *option;
	const char *value, *next = *i + 1 < argc ? argv[*i + 1] : NULL;

	if (argv[*i][0] != '-' || !argv[*i][1])
		return option_unknown("unexpected argument", argv[*i]);
	option = *read = option_find(argv[*i], &value);
	if (!option)
		return option_unknown("unknown option", argv[*i]);
	if (!option->argument && value)
		return fail(EINVAL, "options", "--%s takes no argument", option->name);
	if (option->argument && !value) {
		bool needed = option->argument[0] != '[';

		if (needed && !next)
			return fail(EINVAL, "options", "--%s needs an argument: %s", option->name,
				    option->argument);
		if (needed || (next && next[0] != '-')) {
			value = next;
			++*i;
		}
	}
	return option_apply(options, option, value);
}

/* An option for which the command has no use would be ignored: refuse it. `by` chose the command;
 * QEMU's users ask for "-device help" in the midst of others. */
static int groups_check(const struct options *options, const struct option *const *given,
			const struct option *by)
{
	static const char *const homes[OPTION_GROUPS] = {
		[OPTION_PROBE] = "--nested-probe",
		[OPTION_KERNEL] = "--kernel",
		[OPTION_EITHER] = "--nested-probe and --kernel",
		[OPTION_QEMU] = "--kernel",
	};
	const struct option *stray = NULL;

	if (options->command == COMMAND_PROBE)
		stray = given[OPTION_KERNEL] ? given[OPTION_KERNEL] : given[OPTION_QEMU];
	else if (options->command == COMMAND_KERNEL)
		stray = given[OPTION_PROBE];
	else
		for (int i = 0; !stray && by->group != OPTION_KERNEL && i < OPTION_GROUPS; i++)
			stray = homes[i] ? given[i] : NULL;
	if (!stray)
		return 0;
	return fail(EINVAL, "options", "%s%s goes with %s only", stray->name[1] ? "--" : "-",
		    stray->name, homes[stray->group]);
}

static int series_settle(struct options *options)
{
	struct series_options *series = &options->series;

	if (options->parallel_given && options->command != COMMAND_PROBE)
		return fail(EINVAL, "options", "--parallel N goes with --nested-probe only");
	if (series->all_cpus && series->parallel > 1)
		return fail(EINVAL, "options", "--all-cpus and --parallel do not go together");
	if (!series->parallel)
		series->parallel = 1;
	if (!series->repeat && !series->duration_ns)
		series->repeat = 1;
	return 0;
}

static int report_format_settle(struct options *options)
{
	const char *name = options->format_name ? options->format_name : "text";

	options->format = report_format_find(name);
	if (options->format)
		return 0;
	return fail(EINVAL, "--format", "--format: unknown format '%s'%s (see --list formats)",
		    name, value_hint(&values_report_formats, name));
}

static int kernel_settle(struct options *options)
{
	struct boot_options *boot = &options->boot;

	boot->cpu = options->cpu;
	boot->cpu.offered_only = true;
	boot->cpu.no_virt = boot->nested == BOOT_NESTED_OFF;
	boot->timeout_ms = options->timeout_given ? options->timeout_ms : 0;
	if (options->no_defaults && !options->serial_given)
		boot->serial = BOOT_SERIAL_NONE;
	return options->format_name ? value_image_format(boot, options->format_name) : 0;
}

/* Whatever else is wrong, wrong usage shall end in the style that was asked for. */
static const struct exit_style *exit_style_early(int argc, char *const *argv)
{
	const struct exit_style *style = NULL;
	const char *value;

	for (int i = 1; i < argc; i++) {
		const struct option *option = NULL;

		if (argv[i][0] == '-')
			option = option_find(argv[i], &value);
		if (!option || option->set != set_exit_style)
			continue;
		value = value ? value : argv[i + 1];
		style = value ? exit_style_find(value) : style;
	}
	return style ? style : exit_styles;
}

static int required_settle(const struct options *options)
{
	for (size_t i = 0; i < options->requirements; i++)
		if (strcmp(options->required[i], "smp") == 0 && options->boot.cpus < 2)
			return fail(EINVAL, "--require",
				    "--require smp needs CPUs to try it on: --smp 2, or more");
	return 0;
}

int options_parse(struct options *options, int argc, char *const *argv)
{
	const struct option *given[OPTION_GROUPS] = { NULL }, *by = NULL;
	int r = 0;

	*options = (struct options){
		.exit_style = exit_style_early(argc, argv),
		.timeout_ms = PROBE_TIMEOUT_MS,
		.boot = { .append = "", .cpus = 1, .memory_size = BOOT_MEMORY_DEFAULT,
			  .serial = BOOT_SERIAL_STDIO },
	};
	for (int i = 1; r == 0 && i < argc; i++) {
		enum command before = options->command;
		const struct option *option = NULL;

		r = option_read(options, argc, argv, &i, &option);
		if (r == 0 && options->command != before)
			by = option;
		else if (r == 0 && !given[option->group])
			given[option->group] = option;
	}
	if (r < 0)
		return r;
	if (options->command == COMMAND_NONE)
		return fail(EINVAL, "options",
			    "nothing to do; try --nested-probe, --kernel IMAGE, or --help");
	r = groups_check(options, given, by);
	if (r == 0)
		r = series_settle(options);
	if (r == 0)
		r = required_settle(options);
	if (r < 0)
		return r;
	if (options->command == COMMAND_PROBE && options->cpu.hyperv)
		return fail(EINVAL, "-cpu", "-cpu: hv-passthrough goes with --kernel only");
	return options->command == COMMAND_KERNEL ? kernel_settle(options) :
						    report_format_settle(options);
}
