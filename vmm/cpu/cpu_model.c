// SPDX-License-Identifier: MIT
// The guest's CPUID.
#include "cpu_model.h"

#include "error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* SDM vol. 2 "CPUID"; APM vol. 3 appendix E. One row per feature that -cpu knows. */
const struct cpu_feature cpu_features[] = {
	{ "vmx", 1, 0, CPUID_ECX, 5 },
	{ "x2apic", 1, 0, CPUID_ECX, 21 },
	{ "tsc-deadline", 1, 0, CPUID_ECX, 24 },
	{ "hypervisor", 1, 0, CPUID_ECX, 31 },
	{ "svm", 0x80000001, 0, CPUID_ECX, 2 },
	{ "npt", 0x8000000a, 0, CPUID_EDX, 0 },
	{ "nrip-save", 0x8000000a, 0, CPUID_EDX, 3 },
	{ "vmcb-clean", 0x8000000a, 0, CPUID_EDX, 5 },
	{ "flushbyasid", 0x8000000a, 0, CPUID_EDX, 6 },
	{ NULL, 0, 0, 0, 0 },
};

const struct cpu_feature *cpu_feature_find(const char *name)
{
	for (const struct cpu_feature *feature = cpu_features; feature->name; feature++)
		if (strcmp(feature->name, name) == 0)
			return feature;
	return NULL;
}

static int change_parse(struct cpu_model *model, const char *word)
{
	const struct cpu_feature *feature;

	if (*word != '+' && *word != '-')
		return fail(EINVAL, "-cpu", "-cpu: '%s' must begin with + or -", word);
	feature = cpu_feature_find(word + 1);
	if (!feature)
		return fail(EINVAL, "-cpu", "-cpu: unknown feature '%s' (see --list features)",
			    word + 1);
	if (model->changes == CPU_MODEL_CHANGES)
		return fail(EINVAL, "-cpu", "-cpu: more than %d features", CPU_MODEL_CHANGES);
	model->change[model->changes].feature = feature;
	model->change[model->changes++].on = *word == '+';
	return 0;
}

int cpu_model_parse(struct cpu_model *model, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	int r = 0;

	*model = (struct cpu_model){ 0 };
	if (!copy)
		return fail(ENOMEM, "-cpu", "-cpu: out of memory");
	word = strsep(&rest, ",");
	if (strcmp(word, "host") != 0)
		r = fail(EINVAL, "-cpu", "-cpu: unknown model '%s' (known: host)", word);
	while (r == 0 && (word = strsep(&rest, ",")))
		r = change_parse(model, word);
	free(copy);
	return r;
}

int cpu_model_wants(const struct cpu_model *model, const char *feature)
{
	int wants = 0;

	for (size_t i = 0; i < model->changes; i++)
		if (strcmp(model->change[i].feature->name, feature) == 0)
			wants = model->change[i].on ? 1 : -1;
	return wants;
}

static struct kvm_cpuid_entry2 *entry_find(struct cpuid_table *table, uint32_t leaf,
					   uint32_t subleaf)
{
	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &table->entry[i];

		if (entry->function == leaf && entry->index == subleaf)
			return entry;
	}
	return NULL;
}

static uint32_t *register_of(struct kvm_cpuid_entry2 *entry, enum cpuid_register reg)
{
	uint32_t *const registers[] = {
		[CPUID_EAX] = &entry->eax,
		[CPUID_EBX] = &entry->ebx,
		[CPUID_ECX] = &entry->ecx,
		[CPUID_EDX] = &entry->edx,
	};

	return registers[reg];
}

static void feature_set(struct cpuid_table *table, const struct cpu_feature *feature, bool on)
{
	struct kvm_cpuid_entry2 *entry = entry_find(table, feature->leaf, feature->subleaf);

	if (!entry && on && table->head.nent < KVM_CPUID_ENTRIES) {
		entry = &table->entry[table->head.nent++];
		*entry = (struct kvm_cpuid_entry2){ .function = feature->leaf,
						    .index = feature->subleaf };
	}
	if (!entry)
		return;
	if (on)
		*register_of(entry, feature->reg) |= 1U << feature->bit;
	else
		*register_of(entry, feature->reg) &= ~(1U << feature->bit);
}

void cpu_model_apply(const struct cpu_model *model, struct cpuid_table *table, uint32_t apic_id)
{
	for (size_t i = 0; i < model->changes; i++)
		feature_set(table, model->change[i].feature, model->change[i].on);
	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &table->entry[i];

		if (entry->function == 1)
			entry->ebx = (entry->ebx & 0x00ffffff) | apic_id << 24;
		else if (entry->function == 0xb || entry->function == 0x1f)
			entry->edx = apic_id;
	}
}

bool cpuid_has(const struct cpuid_table *table, const char *name)
{
	const struct cpu_feature *feature = cpu_feature_find(name);

	for (uint32_t i = 0; feature && i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 entry = table->entry[i];

		if (entry.function == feature->leaf && entry.index == feature->subleaf)
			return *register_of(&entry, feature->reg) >> feature->bit & 1;
	}
	return false;
}
