/* SPDX-License-Identifier: MIT */
/*
 * The values that options take, where they are words: one list for the parser's "did you mean", for
 * --list and for what completes them in a shell.
 */
#ifndef VALUE_LISTS_H
#define VALUE_LISTS_H

#include <stdbool.h>

/* Takes one value and a few words about it (may be empty). */
typedef void value_offer(void *to, const char *value, const char *about);

/* How a shell goes on behind a value of an option. */
enum value_shape {
	VALUE_ONE,	/* NAME */
	VALUE_COMMAS,	/* NAME,NAME,... */
	VALUE_FILE,	/* a file of any name */
	VALUE_OF_FILE,	/* NAME:FILE */
};

struct value_list {
	enum value_shape shape;
	void (*each)(value_offer *offer, void *to);	/* NULL for VALUE_FILE */
};

extern const struct value_list values_files, values_report_formats, values_image_formats,
	values_all_formats, values_outputs, values_reasons, values_lists, values_cpu,
	values_required, values_exit_styles, values_nested, values_devices, values_serial,
	values_machine, values_help;

/* Whether `word` is one of them. */
bool value_listed(const struct value_list *list, const char *word);

/* "", or "; did you mean 'NAME'?", which lives until the next call. */
const char *value_hint(const struct value_list *list, const char *word);

#endif
