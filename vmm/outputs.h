/* SPDX-License-Identifier: MIT */
/* Where reports go: standard output, and files that are written whole or not at all. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "result.h"

#define OUTPUTS_MAX 16

/* --output NAME:FILE */
struct report_file {
	const struct report_format *format;
	const char *path;
};

/* Whether `path` can be written later on, as far as can be told: asked before anything runs. 0,
 * or a negative errno with error_last(). */
int output_check(const char *path);

/* Whether both lead to one file, whatever they are called. */
bool output_same(const char *one, const char *other);

/*
 * Writes a report to `path`: under another name in the same folder, then renamed, so that a reader
 * sees the old file or the new one, and after a failure the old one is intact. A device or a pipe
 * is written as it is, and so is a file that the caller left open for writing (standard output,
 * say). 0, or a negative errno with error_last().
 */
int output_write(const struct report_file *output, const struct result *result,
		 const struct report_style *style);

/* What --format and --output github bring along: the step's summary and values, appended to the
 * files that the variables GITHUB_STEP_SUMMARY and GITHUB_OUTPUT name, where these are set.
 * Likewise. */
int outputs_append_github(const struct result *result, const struct report_style *style);

#endif
