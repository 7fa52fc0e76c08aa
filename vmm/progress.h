/* SPDX-License-Identifier: MIT */
/* How far a series is: one line on the terminal behind stderr, gone when it is done. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "series.h"

/* What series_options.progress is to be: NULL where stderr is no terminal, or `quiet`. */
typedef void progress_show(const struct series_progress *progress);
progress_show *progress_begin(bool quiet);

/* Takes the line away again. */
void progress_end(void);

#endif
