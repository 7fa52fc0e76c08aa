// SPDX-License-Identifier: MIT
// What the text of -cpu means.
#include "cpu_model.h"

#include "error.h"
#include "near.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int change_add(struct cpu_model *model, const struct cpu_feature *feature, bool on,
		      bool force)
{
	if (model->changes == CPU_MODEL_CHANGES)
		return fail(EINVAL, "-cpu", "-cpu: more than %d features", CPU_MODEL_CHANGES);
	model->change[model->changes].feature = feature;
	model->change[model->changes].on = on;
	model->change[model->changes++].force = force;
	return 0;
}

static bool is_on(const char *value)
{
	return strcmp(value, "on") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;
}

static bool is_off(const char *value)
{
	return strcmp(value, "off") == 0 || strcmp(value, "no") == 0 || strcmp(value, "false") == 0;
}

/* Settings: what is no CPUID bit. Each says -EINVAL when it cannot read its value. */

static int choice_read(enum cpu_choice *choice, const char *value)
{
	if (!is_on(value) && !is_off(value))
		return -EINVAL;
	*choice = is_on(value) ? CPU_ON : CPU_OFF;
	return 0;
}

static int text_read(char *to, size_t size, const char *value)
{
	size_t length = strlen(value);

	if (length >= size)
		return -EINVAL;
	memcpy(to, value, length + 1);
	return 0;
}

#define SETTING_CHOICE(field)                                              \
	static int set_##field(struct cpu_model *model, const char *value) \
	{                                                                  \
		return choice_read(&model->field, value);                  \
	}
SETTING_CHOICE(host_phys_bits)
SETTING_CHOICE(migratable)
SETTING_CHOICE(pmu)
SETTING_CHOICE(kvm)

/* `bias`: fields whose 0 means "not set" hold one more */
#define SETTING_NUMBER(field, type, least, most, bias)                     \
	static int set_##field(struct cpu_model *model, const char *value) \
	{                                                                  \
		unsigned long number;                                      \
		int r = number_read(value, least, most, &number);          \
									   \
		if (r == 0)                                                \
			model->field = (type)number + (bias);              \
		return r;                                                  \
	}
SETTING_NUMBER(phys_bits, unsigned int, 32, 52, 0)
SETTING_NUMBER(level, uint32_t, 1, 0xff, 0)
SETTING_NUMBER(xlevel, uint32_t, 0x80000001, 0x800000ff, 0)
SETTING_NUMBER(family, int, 0, 0xff + 0xf, 1)
SETTING_NUMBER(model_number, int, 0, 0xff, 1)
SETTING_NUMBER(stepping, int, 0, 0xf, 1)

static int set_vendor(struct cpu_model *model, const char *value)
{
	return strlen(value) == CPU_VENDOR_LENGTH ?
		       text_read(model->vendor, sizeof(model->vendor), value) :
		       -EINVAL;
}

static int set_brand(struct cpu_model *model, const char *value)
{
	return text_read(model->brand, sizeof(model->brand), value);
}

static int set_nothing(struct cpu_model *model, const char *value)
{
	enum cpu_choice choice;

	(void)model;
	return choice_read(&choice, value) < 0 || choice == CPU_OFF ? -EINVAL : 0;
}

static int set_hyperv(struct cpu_model *model, const char *value)
{
	enum cpu_choice choice = CPU_DEFAULT;
	int r = choice_read(&choice, value);

	model->hyperv = choice == CPU_ON;
	return r;
}

static const struct setting {
	const char *name;
	const char *takes;
	int (*set)(struct cpu_model *model, const char *value);
} settings[] = {
	{ "vendor", "12 letters, such as GenuineIntel", set_vendor },
	{ "model-id", "up to 48 letters", set_brand },
	{ "phys-bits", "a number from 32 to 52", set_phys_bits },
	{ "host-phys-bits", "on or off", set_host_phys_bits },
	{ "level", "a number from 1 to 0xff", set_level },
	{ "xlevel", "a number from 0x80000001 to 0x800000ff", set_xlevel },
	{ "family", "a number from 0 to 270", set_family },
	{ "model", "a number from 0 to 255", set_model_number },
	{ "stepping", "a number from 0 to 15", set_stepping },
	{ "migratable", "on or off", set_migratable },
	{ "pmu", "on or off", set_pmu },
	{ "kvm", "on or off", set_kvm },
	{ "hv-passthrough", "on or off", set_hyperv },
	{ "check", "on, which is always so", set_nothing },
	{ NULL, NULL, NULL },
};

static const struct setting *setting_find(const char *name)
{
	for (const struct setting *setting = settings; setting->name; setting++)
		if (word_is(name, setting->name))
			return setting;
	return NULL;
}

static int word_unknown(const char *name)
{
	struct near near = { .word = name };

	if (strncmp(name, "hv_", 3) == 0 || strncmp(name, "hv-", 3) == 0)
		return fail(EINVAL, "-cpu", "-cpu: '%s': Hyper-V is shown as KVM has it (hv-passthrough) or not at all",
			    name);
	for (const struct cpu_feature *feature = cpu_features; feature->name; feature++)
		near_offer(&near, feature->name);
	for (const struct setting *setting = settings; setting->name; setting++)
		near_offer(&near, setting->name);
	return fail(EINVAL, "-cpu", "-cpu: unknown feature '%s'%s (see --list features)", name,
		    near_hint(&near));
}

/* "name" or "name=value", from a word of the text; the value is on where there is none. */
static int assignment_parse(struct cpu_model *model, const char *name, const char *value)
{
	const struct setting *setting = setting_find(name);
	const struct cpu_feature *feature = cpu_feature_find(name);
	bool force = strcmp(value, "force") == 0;

	if (setting) {
		if (setting->set(model, value) == 0)
			return 0;
		return fail(EINVAL, "-cpu", "-cpu: %s takes %s, not '%s'", name, setting->takes,
			    value);
	}
	if (!feature)
		return word_unknown(name);
	if (!is_on(value) && !is_off(value) && !force)
		return fail(EINVAL, "-cpu", "-cpu: %s takes on, off or force, not '%s'", name,
			    value);
	return change_add(model, feature, !is_off(value), force);
}

static int word_parse(struct cpu_model *model, char *word)
{
	char *value;

	if (*word == '+')
		return assignment_parse(model, word + 1, "on");
	if (*word == '-')
		return assignment_parse(model, word + 1, "off");
	value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	return assignment_parse(model, word, value ? value : "on");
}

static int name_parse(struct cpu_model *model, const char *name)
{
	struct near near = { .word = name };

	model->definition = cpu_definition_find(name);
	if (model->definition)
		return 0;
	for (const struct cpu_definition *at = cpu_definitions; at->name; at++)
		near_offer(&near, at->name);
	return fail(EINVAL, "-cpu", "-cpu: unknown model '%s'%s (see --list cpu-models)", name,
		    near_hint(&near));
}

int cpu_model_parse(struct cpu_model *model, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	int r;

	*model = (struct cpu_model){ 0 };
	if (!copy)
		return fail(ENOMEM, "-cpu", "-cpu: out of memory");
	r = name_parse(model, strsep(&rest, ","));
	while (r == 0 && (word = strsep(&rest, ",")))
		r = word_parse(model, word);
	free(copy);
	return r;
}

int cpu_model_wants(const struct cpu_model *model, const char *feature)
{
	int wants = 0;

	if (model->no_virt && (strcmp(feature, "vmx") == 0 || strcmp(feature, "svm") == 0))
		return -1;
	for (size_t i = 0; i < model->changes; i++)
		if (strcmp(model->change[i].feature->name, feature) == 0)
			wants = model->change[i].on ? 1 : -1;
	return wants;
}
