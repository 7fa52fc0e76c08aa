// SPDX-License-Identifier: MIT
// The command line, CPU models and the port bus.
#include "unit.h"

#include "bus.h"
#include "error.h"
#include "options.h"

#include <errno.h>

#define ARGS_MAX 8

static int parse(struct options *options, const char *words)
{
	static char line[256];
	static char name[] = "minivmm";
	char *argv[ARGS_MAX + 1] = { name }, *rest = line;
	int argc = 1;

	strcpy(line, words);
	for (char *word; (word = strsep(&rest, " ")) && argc < ARGS_MAX;)
		argv[argc++] = word;
	return options_parse(options, argc, argv);
}

static void options_good(void)
{
	struct options options;

	EXPECT(parse(&options, "--nested-probe") == 0, "%s", error_last()->text);
	EXPECT(options.command == COMMAND_PROBE, "%d", options.command);
	EXPECT(options.timeout_ms == 5000, "%u", options.timeout_ms);
	EXPECT_STR(options.format->name, "text");

	EXPECT(parse(&options, "-nested-probe -cpu host,-svm --timeout=2.5 --format json") == 0, "%s",
	       error_last()->text);
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
		{ "--nested-prob", "unknown option '--nested-prob'" },
		{ "--nested-probe now", "unexpected argument 'now'" },
		{ "--nested-probe=1", "takes no argument" },
		{ "--format", "needs an argument: NAME" },
		{ "--nested-probe --format xml", "unknown format 'xml'" },
		{ "--nested-probe --timeout soon", "'soon' is not a number" },
		{ "--nested-probe --timeout -1", "'-1' is not a number" },
		{ "--nested-probe --timeout nan", "'nan' is not a number" },
		{ "--nested-probe --timeout 86401", "is not a number of seconds" },
		{ "--nested-probe -cpu max", "unknown model 'max'" },
		{ "--nested-probe -cpu host,svm", "must begin with + or -" },
		{ "--nested-probe -cpu host,+warp", "unknown feature 'warp'" },
		{ "--help --version", "only one of" },
		{ "--verbose", "nothing to do" },
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
		EXPECT(option->help && *option->help && option->set, "%s", option->name);
		for (const struct option *other = option + 1; other->name; other++)
			EXPECT(strcmp(option->name, other->name) != 0, "%s twice", option->name);
	}
}

static void cpu_model_changes_cpuid(void)
{
	struct cpuid_table table = { .head.nent = 3,
				     .entry = { { .function = 0, .eax = 0xb },
						{ .function = 1, .ecx = 1U << 5, .ebx = 0x07000000 },
						{ .function = 0xb, .edx = 7 } } };
	struct cpu_model model;

	EXPECT(cpuid_has(&table, "vmx") && !cpuid_has(&table, "svm"), "as KVM gave it");
	EXPECT(cpu_model_parse(&model, "host,-vmx,+svm") == 0, "%s", error_last()->text);
	cpu_model_apply(&model, &table, 2);
	EXPECT(!cpuid_has(&table, "vmx") && cpuid_has(&table, "svm"), "as the model wants it");
	EXPECT(table.entry[1].ebx == 0x02000000, "APIC ID 0x%x", table.entry[1].ebx);
	EXPECT(table.entry[2].edx == 2, "x2APIC ID %u", table.entry[2].edx);
}

static int answer(void *device, uint16_t port, void *data, unsigned int size)
{
	(void)device, (void)port;
	memset(data, 0x5a, size);
	return 0;
}

static void bus_ports(void)
{
	struct bus bus = { 0 };
	uint32_t value = 0;

	EXPECT(bus_attach(&bus, &(struct bus_range){ "a", 0x10, 0x13, answer, NULL, NULL }) == 0, "a");
	EXPECT(bus_attach(&bus, &(struct bus_range){ "b", 0x13, 0x14, answer, NULL, NULL }) == -EEXIST,
	       "an overlap was taken");
	EXPECT_HAS(error_last()->text, "overlap a");
	bus_read(&bus, 0x12, &value, 2);
	EXPECT(value == 0x5a5a, "0x%x", value);
	bus_read(&bus, 0x14, &value, 4);
	EXPECT(value == 0xffffffff, "unclaimed: 0x%x", value);
	EXPECT(bus_write(&bus, 0x10, &value, 4) == 0, "a write that nobody takes is ignored");
}

const struct unit_test options_tests[] = {
	{ "options: good lines", options_good },
	{ "options: wrong usage is named", options_bad },
	{ "options: the table is whole", options_table_whole },
	{ "cpu: a model changes CPUID", cpu_model_changes_cpuid },
	{ "bus: ports, overlaps, all ones", bus_ports },
	{ 0 },
};
