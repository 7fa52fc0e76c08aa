/* SPDX-License-Identifier: MIT */
/*
 * Names and numbers as users type them. word_is() takes '_' and '.' for '-', and any case.
 *
 * "Did you mean ...?": the nearest of many names to a word that is none of them.
 *
 *	struct near near = { .word = "smv" };
 *	near_offer(&near, "svm"), near_offer(&near, "vmx");
 *	near_hint(&near) is "; did you mean 'svm'?"
 */
#ifndef NEAR_H
#define NEAR_H

#include <stdbool.h>

#define NEAR_WORD 40	/* longer words are near nothing */

struct near {
	const char *word;
	const char *best;	/* NULL = nothing near so far */
	unsigned int distance;
	char hint[24 + NEAR_WORD];
};

bool word_is(const char *word, const char *name);

/* 0 and *number (decimal, octal or 0x...), or -EINVAL where it is none from `min` to `max`. */
int number_read(const char *value, unsigned long min, unsigned long max, unsigned long *number);

void near_offer(struct near *near, const char *name);

/* For the end of a message: "" where nothing is near. Lives as long as `near`. */
const char *near_hint(struct near *near);

/* How far it is from `a` to `b`, letters read as word_is() does: a letter to insert, drop or change
 * counts NEAR_LETTER, two neighbours to swap a little less. -1 = longer than NEAR_WORD. */
#define NEAR_LETTER	3
#define NEAR_SWAP	2
int near_distance(const char *a, const char *b);

#endif
