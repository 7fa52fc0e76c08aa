// SPDX-License-Identifier: MIT
// One walk over each table whose rows a user may name.
#include "value_lists.h"

#include "boot.h"
#include "commands.h"
#include "cpu_model.h"
#include "exit_style.h"
#include "features_report.h"
#include "near.h"
#include "option_values.h"
#include "probe.h"
#include "reasons.h"

#include <stdio.h>
#include <string.h>

static void each_report_format(value_offer *offer, void *to)
{
	for (const struct report_format *format = report_formats; format->name; format++)
		offer(to, format->name, format->about);
}

static void each_image_format(value_offer *offer, void *to)
{
	for (const struct boot_protocol *const *at = boot_protocols; *at; at++)
		offer(to, (*at)->name, (*at)->about);
}

/* --format is the report's and, with --kernel, the image's. */
static void each_format(value_offer *offer, void *to)
{
	each_report_format(offer, to);
	each_image_format(offer, to);
}

static void each_reason(value_offer *offer, void *to)
{
	const struct reason *reason;

	for (size_t i = 0; (reason = reason_at(i)); i++)
		offer(to, reason->name, reason->cause);
}

static void each_list(value_offer *offer, void *to)
{
	const char *name;

	for (size_t i = 0; (name = command_list_at(i)); i++)
		offer(to, name, "");
}

/* A name may stand for two bits. */
static bool cpu_feature_named_before(const struct cpu_feature *feature)
{
	for (const struct cpu_feature *other = cpu_features; other < feature; other++)
		if (strcmp(other->name, feature->name) == 0)
			return true;
	return false;
}

static void each_cpu(value_offer *offer, void *to)
{
	char word[48];

	for (const struct cpu_definition *at = cpu_definitions; at->name; at++)
		offer(to, at->name, at->about);
	for (const struct cpu_feature *feature = cpu_features; feature->name; feature++) {
		if (cpu_feature_named_before(feature))
			continue;
		snprintf(word, sizeof(word), "+%s", feature->name);
		offer(to, word, "");
		word[0] = '-';
		offer(to, word, "");
	}
}

static void each_required(value_offer *offer, void *to)
{
	const char *name, *title;

	offer(to, "nested", "the verdict is works or limited");
	offer(to, "state", "KVM saves a vCPU that is in L2 (KVM_GET_NESTED_STATE)");
	for (size_t i = 0; probe_step_at(i, &name, &title); i++)
		offer(to, name, title);
	for (size_t i = 0; i < feature_row_count; i++)
		offer(to, feature_rows[i].name, feature_rows[i].title);
}

static void each_exit_style(value_offer *offer, void *to)
{
	for (const struct exit_style *style = exit_styles; style->name; style++)
		offer(to, style->name, style->about);
}

static void each_device(value_offer *offer, void *to)
{
	for (const struct device_option *device = device_options; device->name; device++)
		offer(to, device->name, device->about);
}

static void each_word(const char *const *words, value_offer *offer, void *to)
{
	for (; *words; words++)
		offer(to, *words, "");
}

static const char *const serial_words[] = { "stdio", "none", "null", "file:", NULL };
static const char *const help_words[] = { "all", NULL };

#define WORDS(name)                                           \
	static void each_##name(value_offer *offer, void *to) \
	{                                                     \
		each_word(name##_words, offer, to);           \
	}
WORDS(nested)
WORDS(serial)
WORDS(machine)
WORDS(help)

const struct value_list values_files = { VALUE_FILE, NULL },
	values_report_formats = { VALUE_ONE, each_report_format },
	values_image_formats = { VALUE_ONE, each_image_format },
	values_all_formats = { VALUE_ONE, each_format },
	values_outputs = { VALUE_OF_FILE, each_report_format },
	values_reasons = { VALUE_ONE, each_reason },
	values_lists = { VALUE_ONE, each_list },
	values_cpu = { VALUE_COMMAS, each_cpu },
	values_required = { VALUE_COMMAS, each_required },
	values_exit_styles = { VALUE_ONE, each_exit_style },
	values_nested = { VALUE_ONE, each_nested },
	values_devices = { VALUE_ONE, each_device },
	values_serial = { VALUE_ONE, each_serial },
	values_machine = { VALUE_ONE, each_machine },
	values_help = { VALUE_ONE, each_help };

struct search {
	const char *word;
	bool found;
};

static void search_offer(void *to, const char *value, const char *about)
{
	struct search *search = to;

	(void)about;
	search->found |= strcmp(search->word, value) == 0;
}

bool value_listed(const struct value_list *list, const char *word)
{
	struct search search = { .word = word };

	list->each(search_offer, &search);
	return search.found;
}

static void hint_offer(void *to, const char *value, const char *about)
{
	(void)about;
	near_offer(to, value);
}

const char *value_hint(const struct value_list *list, const char *word)
{
	static struct near near;

	near = (struct near){ .word = word };
	list->each(hint_offer, &near);
	return near_hint(&near);
}
