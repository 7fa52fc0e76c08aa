// SPDX-License-Identifier: MIT
// Values of options, in QEMU's notation. What minivmm has no counterpart for is refused, unless
// what is said of it ("usb=off") holds anyway.
#include "option_values.h"

#include "debugexit.h"
#include "error.h"
#include "near.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- small values: 0 or -EINVAL, without words ---- */

static int read_bool(const char *value, bool *is)
{
	*is = strcmp(value, "on") == 0;
	return *is || strcmp(value, "off") == 0 ? 0 : -EINVAL;
}

/* "128", "2G", "512k": MiB where no letter says otherwise. */
static int read_size(const char *value, uint64_t *size)
{
	static const char units[] = "kmgt";
	const char *unit;
	char *end;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	*size = strtoull(value, &end, 10);
	unit = *end ? strchr(units, *end | ' ') : strchr(units, 'm');
	if (errno || !unit || (*end && end[1]))
		return -EINVAL;
	return __builtin_mul_overflow(*size, BIT(10 * (unit - units + 1)), size) ? -EINVAL : 0;
}

/* The index of a word, -EINVAL where it is none of them. */
static int read_choice(const char *value, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(value, names[i]) == 0)
			return (int)i;
	return -EINVAL;
}

static int only(const char *value, const char *word)
{
	return strcmp(value, word) == 0 ? 0 : -EINVAL;
}

static int only_off(struct boot_options *boot, const char *value)
{
	(void)boot;
	return only(value, "off");
}

static int only_on(struct boot_options *boot, const char *value)
{
	(void)boot;
	return only(value, "on");
}

static int only_one(struct boot_options *boot, const char *value)
{
	(void)boot;
	return only(value, "1");
}

static int only_zero(struct boot_options *boot, const char *value)
{
	(void)boot;
	return only(value, "0");
}

/* ---- lists ---- */

static int key_unknown(const char *option, const struct option_key *keys, const char *name)
{
	struct near near = { .word = name };

	for (; keys->name; keys++)
		near_offer(&near, keys->name);
	return fail(EINVAL, option, "%s: unknown property '%s'%s", option, name, near_hint(&near));
}

static int pair_parse(struct boot_options *boot, const char *option, const struct option_key *keys,
		      const char *name, const char *value)
{
	const struct option_key *key = keys;

	while (key->name && !word_is(name, key->name))
		key++;
	if (!key->name)
		return key_unknown(option, keys, name);
	if (key->set(boot, value) == 0)
		return 0;
	return fail(EINVAL, option, "%s: %s takes %s, not '%s'%s", option, key->name, key->takes,
		    value, key->values ? value_hint(key->values, value) : "");
}

/* "key=value,key": a key without a value is on. With `bare`, the first value may go without its
 * key, which is then the first of `keys`. */
static int pairs_parse(struct boot_options *boot, const char *option, const struct option_key *keys,
		       const char *text, bool bare)
{
	char *copy = strdup(text), *rest = copy, *word;
	int r = 0;

	if (!copy)
		return fail(ENOMEM, option, "%s: out of memory", option);
	while (r == 0 && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!value && bare)
			r = pair_parse(boot, option, keys, keys->name, word);
		else
			r = pair_parse(boot, option, keys, word, value ? value : "on");
		bare = false;
	}
	free(copy);
	return r;
}

static int list_parse(struct boot_options *boot, const char *option, const struct option_key *keys,
		      const char *text)
{
	return pairs_parse(boot, option, keys, text, true);
}

/* ---- -smp, -m ---- */

/* All who speak of the number of CPUs must agree: one package, of cores with one thread. */
static int set_cpus(struct boot_options *boot, const char *value)
{
	unsigned long number;

	if (number_read(value, 1, ~0U, &number) < 0 || (boot->cpus && boot->cpus != number))
		return -EINVAL;
	boot->cpus = (unsigned int)number;
	return 0;
}

int value_smp(struct boot_options *boot, const char *value)
{
	static const struct option_key keys[] = {
		{ "cpus", "the number of CPUs", set_cpus },
		{ "cores", "the number of CPUs, all in one package", set_cpus },
		{ "maxcpus", "the number of CPUs: none is added later", set_cpus },
		{ "sockets", "1", only_one },
		{ "dies", "1", only_one },
		{ "clusters", "1", only_one },
		{ "threads", "1", only_one },
		{ NULL, NULL, NULL },
	};
	int r;

	boot->cpus = 0;
	r = list_parse(boot, "-smp", keys, value);
	if (r < 0)
		return r;
	if (!boot->cpus)
		boot->cpus = 1;
	/* kvm-unit-tests looks for "SMP CPUs" and takes the last word for the number */
	if (boot->cpus > BOOT_CPUS_MAX)
		return fail(EINVAL, "-smp", "-smp: %u is more than the most SMP CPUs (%u)",
			    boot->cpus, BOOT_CPUS_MAX);
	return 0;
}

static int set_memory_size(struct boot_options *boot, const char *value)
{
	uint64_t size;

	if (read_size(value, &size) < 0 || size < BOOT_MEMORY_MIN || size > BOOT_MEMORY_MAX)
		return -EINVAL;
	boot->memory_size = (size + 4095) & ~4095ULL;
	return 0;
}

int value_memory(struct boot_options *boot, const char *value)
{
	static const struct option_key keys[] = {
		{ "size", "1M to 1T, in MiB or with k, M, G or T", set_memory_size },
		{ "slots", "0: no memory is added later", only_zero },
		{ NULL, NULL, NULL },
	};

	return list_parse(boot, "-m", keys, value);
}

/* ---- -machine, -accel, -overcommit, -global ---- */

const char *const machine_words[] = {
	[BOOT_MACHINE_PC] = "pc",
	[BOOT_MACHINE_Q35] = "q35",
	[BOOT_MACHINE_MICROVM] = "microvm",
	NULL,
};

static int set_machine_type(struct boot_options *boot, const char *value)
{
	int choice = read_choice(value, machine_words, ARRAY_SIZE(machine_words) - 1);

	if (choice < 0)
		return choice;
	boot->machine = (enum boot_machine)choice;
	return 0;
}

static int set_accel(struct boot_options *boot, const char *value)
{
	(void)boot;
	return only(value, "kvm");
}

static int set_pit(struct boot_options *boot, const char *value)
{
	bool pit;
	int r = read_bool(value, &pit);

	boot->no_pit = !pit;
	return r;
}

static int set_acpi(struct boot_options *boot, const char *value)
{
	bool acpi;
	int r = read_bool(value, &acpi);

	boot->no_acpi = !acpi;
	return r;
}

int value_machine(struct boot_options *boot, const char *value)
{
	static const struct option_key keys[] = {
		{ "type", "pc, q35 or microvm", set_machine_type, &values_machine },
		{ "accel", "kvm", set_accel },
		{ "kernel-irqchip", "on", only_on },
		{ "pit", "on or off", set_pit },
		{ "acpi", "on or off", set_acpi },
		{ "vmport", "off: there is no VMware back door", only_off },
		{ "graphics", "off", only_off },
		{ "hpet", "off", only_off },
		{ "nvdimm", "off", only_off },
		{ "smm", "off", only_off },
		{ "usb", "off", only_off },
		{ NULL, NULL, NULL },
	};

	return list_parse(boot, "-machine", keys, value);
}

int value_accel(struct boot_options *boot, const char *value)
{
	static const struct option_key keys[] = {
		{ "accel", "kvm", set_accel },
		{ "kernel-irqchip", "on", only_on },
		{ NULL, NULL, NULL },
	};

	return list_parse(boot, "-accel", keys, value);
}

static int set_cpu_pm(struct boot_options *boot, const char *value)
{
	return read_bool(value, &boot->cpu_pm);
}

int value_overcommit(struct boot_options *boot, const char *value)
{
	static const struct option_key keys[] = {
		{ "cpu-pm", "on or off", set_cpu_pm },
		{ "mem-lock", "off", only_off },
		{ NULL, NULL, NULL },
	};

	return list_parse(boot, "-overcommit", keys, value);
}

static int set_lost_ticks(struct boot_options *boot, const char *value)
{
	boot->pit_discard = strcmp(value, "discard") == 0;
	return boot->pit_discard ? 0 : only(value, "delay");
}

int value_global(struct boot_options *boot, const char *value)
{
	static const struct option_key keys[] = {
		{ "kvm-pit.lost-tick-policy", "discard or delay", set_lost_ticks },
		{ NULL, NULL, NULL },
	};

	if (!strchr(value, '='))
		return fail(EINVAL, "-global", "-global: '%s' is not DRIVER.PROPERTY=VALUE", value);
	return list_parse(boot, "-global", keys, value);
}

/* ---- -serial, -device ---- */

int value_serial(struct boot_options *boot, const char *value)
{
	static const struct {
		const char *name;
		enum boot_serial serial;
	} names[] = {
		{ "stdio", BOOT_SERIAL_STDIO },
		{ "mon:stdio", BOOT_SERIAL_STDIO },
		{ "none", BOOT_SERIAL_NONE },
		{ "null", BOOT_SERIAL_NULL },
	};

	if (strncmp(value, "file:", 5) == 0 && value[5]) {
		boot->serial = BOOT_SERIAL_FILE;
		boot->serial_path = value + 5;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i].name) == 0) {
			boot->serial = names[i].serial;
			return 0;
		}
	}
	return fail(EINVAL, "-serial", "-serial: '%s' is none of stdio, none, null and file:PATH%s",
		    value, value_hint(&values_serial, value));
}

static void add_pc_testdev(struct boot_options *boot)
{
	boot->pc_testdev = true;
}

static void add_debug_exit(struct boot_options *boot)
{
	boot->debug_exit = true;
	boot->debug_exit_port = 0x501; /* QEMU's choice where nothing is said */
	boot->debug_exit_size = 2;
}

static int set_debug_exit_port(struct boot_options *boot, const char *value)
{
	unsigned long number;
	int r = number_read(value, 0, 0xffff, &number);

	if (r == 0)
		boot->debug_exit_port = (uint16_t)number;
	return r;
}

static int set_debug_exit_size(struct boot_options *boot, const char *value)
{
	unsigned long number;
	int r = number_read(value, 1, 4, &number);

	if (r == 0)
		boot->debug_exit_size = (uint16_t)number;
	return r;
}

static const struct option_key no_keys[] = { { NULL, NULL, NULL } };
static const struct option_key debug_exit_keys[] = {
	{ "iobase", "a port", set_debug_exit_port },
	{ "iosize", "a number of ports, from 1 to 4", set_debug_exit_size },
	{ NULL, NULL, NULL },
};

const struct device_option device_options[] = {
	{ "pc-testdev", "what kvm-unit-tests uses: echo port, IRQ lines, page flush, I/O memory",
	  add_pc_testdev, no_keys },
	{ "isa-debug-exit", "a write of V ends minivmm with status V * 2 + 1; iobase=, iosize=",
	  add_debug_exit, debug_exit_keys },
	{ NULL, NULL, NULL, NULL },
};

static int device_unknown(const char *name)
{
	return fail(EINVAL, "-device", "-device: unknown device '%s'%s (see --list devices)", name,
		    value_hint(&values_devices, name));
}

int value_device(struct boot_options *boot, const char *value)
{
	const struct device_option *device = device_options;
	char name[32];
	size_t length = strcspn(value, ",");

	if (length >= sizeof(name))
		return device_unknown(value);
	memcpy(name, value, length);
	name[length] = '\0';
	while (device->name && strcmp(device->name, name) != 0)
		device++;
	if (!device->name)
		return device_unknown(name);
	device->add(boot);
	return value[length] ?
		       pairs_parse(boot, "-device", device->keys, value + length + 1, false) :
		       0;
}

/* ---- --nested, --format ---- */

const char *const nested_words[] = {
	[BOOT_NESTED_AUTO] = "auto",
	[BOOT_NESTED_ON] = "on",
	[BOOT_NESTED_OFF] = "off",
	NULL,
};

int value_nested(struct boot_options *boot, const char *value)
{
	int choice = read_choice(value, nested_words, ARRAY_SIZE(nested_words) - 1);

	if (choice < 0)
		return fail(EINVAL, "--nested", "--nested: '%s' is none of on, off and auto%s",
			    value, value_hint(&values_nested, value));
	boot->nested = (enum boot_nested)choice;
	return 0;
}

static const struct boot_protocol *protocol_find(const char *name)
{
	for (const struct boot_protocol *const *at = boot_protocols; *at; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	fail(EINVAL, "--format", "--format: unknown image format '%s'%s (see --list image-formats)",
	     name, value_hint(&values_image_formats, name));
	return NULL;
}

static int flat_mode_parse(struct boot_options *boot, const char *value)
{
	static const char *const names[] = {
		[START_REAL] = "real",
		[START_PROTECTED] = "protected",
		[START_LONG] = "long",
	};
	int choice = read_choice(value, names, ARRAY_SIZE(names));

	if (choice < 0)
		return fail(EINVAL, "--format",
			    "--format: '%s' is none of real, protected and long", value);
	boot->flat_mode = (enum start_mode)choice;
	return 0;
}

/* "ADDRESS[,MODE]" */
static int flat_parse(struct boot_options *boot, const char *value)
{
	char *end;

	errno = 0;
	boot->flat_address = strtoull(value, &end, 0);
	if (*value < '0' || *value > '9' || errno || (*end && *end != ','))
		return fail(EINVAL, "--format", "--format: flat@%s does not begin with an address",
			    value);
	boot->flat_mode = START_REAL;
	return *end ? flat_mode_parse(boot, end + 1) : 0;
}

int value_image_format(struct boot_options *boot, const char *value)
{
	char name[24];
	size_t length = strcspn(value, "@");

	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	memcpy(name, value, length);
	name[length] = '\0';
	boot->format = protocol_find(name);
	if (!boot->format)
		return -EINVAL;
	if (boot->format == &boot_flat && value[length])
		return flat_parse(boot, value + length + 1);
	if (boot->format == &boot_flat)
		return fail(EINVAL, "--format",
			    "--format: a flat image needs flat@ADDRESS[,real|protected|long]");
	if (value[length])
		return fail(EINVAL, "--format",
			    "--format: %s images have their address in themselves", name);
	return 0;
}
