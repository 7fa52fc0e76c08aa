// SPDX-License-Identifier: MIT
// Names as users type them; edit distance with swapped neighbours (optimal string alignment).
#include "near.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int least(int a, int b, int c)
{
	int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static int folded(char c)
{
	return c == '_' || c == '.' ? '-' : tolower((unsigned char)c);
}

static bool same(char a, char b)
{
	return folded(a) == folded(b);
}

bool word_is(const char *word, const char *name)
{
	for (; *word && same(*word, *name); word++, name++)
		;
	return !*word && !*name;
}

int near_distance(const char *a, const char *b)
{
	/* d[i][j]: from the first i letters of a to the first j of b */
	int d[NEAR_WORD + 1][NEAR_WORD + 1];
	size_t rows = strlen(a), columns = strlen(b);

	if (rows > NEAR_WORD || columns > NEAR_WORD)
		return -1;
	for (size_t i = 0; i <= rows; i++) {
		for (size_t j = 0; j <= columns; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = (int)(i + j) * NEAR_LETTER;
				continue;
			}
			d[i][j] = least(d[i - 1][j] + NEAR_LETTER, d[i][j - 1] + NEAR_LETTER,
					d[i - 1][j - 1] +
						(same(a[i - 1], b[j - 1]) ? 0 : NEAR_LETTER));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				d[i][j] = least(d[i][j], d[i][j], d[i - 2][j - 2] + NEAR_SWAP);
		}
	}
	return d[rows][columns];
}

void near_offer(struct near *near, const char *name)
{
	int distance = near_distance(near->word, name);

	/* a slip in three letters, two in six ...: further away is another word */
	if (distance < 0 || (size_t)distance > strlen(near->word) / 3 * NEAR_LETTER)
		return;
	if (near->best && (unsigned int)distance >= near->distance)
		return;
	near->best = name;
	near->distance = (unsigned int)distance;
}

const char *near_hint(struct near *near)
{
	near->hint[0] = '\0';
	if (near->best)
		snprintf(near->hint, sizeof(near->hint), "; did you mean '%s'?", near->best);
	return near->hint;
}

int number_read(const char *value, unsigned long min, unsigned long max, unsigned long *number)
{
	char *end;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoul(value, &end, 0);
	return *end || errno || *number < min || *number > max ? -EINVAL : 0;
}
