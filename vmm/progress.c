// SPDX-License-Identifier: MIT
// Drawing the line of progress.
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND		1000000000ULL
#define REDRAW_NS	(SECOND / 10)
#define FIRST_NS	(SECOND / 2)	/* what is done sooner needs no line */

static uint64_t drawn_ns;	/* when, since the series began; 0 = not yet */

/* "1 h 02 min", "3 min 20 s", "12 s" */
static void span_text(char *text, size_t size, uint64_t ns)
{
	unsigned long long seconds = (ns + SECOND / 2) / SECOND;

	if (seconds >= 3600)
		snprintf(text, size, "%llu h %02llu min", seconds / 3600, seconds % 3600 / 60);
	else if (seconds >= 60)
		snprintf(text, size, "%llu min %02llu s", seconds / 60, seconds % 60);
	else
		snprintf(text, size, "%llu s", seconds);
}

/* By what is done so far; by the time alone where it is the time that ends it. 0 = nobody knows. */
static uint64_t estimate_ns(const struct series_progress *progress)
{
	uint64_t by_time = progress->ns_all > progress->ns ? progress->ns_all - progress->ns : 0;
	uint64_t by_runs = 0;

	if (progress->runs_all && progress->runs)
		by_runs = (uint64_t)((double)progress->ns / progress->runs *
				     (double)(progress->runs_all - progress->runs));
	return !by_time || (by_runs && by_runs < by_time) ? by_runs : by_time;
}

/* Cut to the terminal's width, as a line that wraps could not be taken away. */
static void line_draw(const char *line)
{
	struct winsize window;
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ?
			      window.ws_col - 1 :
			      79;

	fprintf(stderr, "\r%.*s\033[K", columns, line);
	fflush(stderr);
}

static void progress_draw(const struct series_progress *progress)
{
	char line[160], spent[32], left[48] = "", all[32] = "", failed[32] = "";
	uint64_t estimate = estimate_ns(progress);

	if (progress->ns < FIRST_NS || progress->ns - drawn_ns < REDRAW_NS)
		return;
	drawn_ns = progress->ns;
	span_text(spent, sizeof(spent), progress->ns);
	if (estimate) {
		snprintf(left, sizeof(left), ", about ");
		span_text(left + strlen(left), sizeof(left) - strlen(left), estimate);
		strcat(left, " left");
	}
	if (progress->runs_all)
		snprintf(all, sizeof(all), " of %llu", (unsigned long long)progress->runs_all);
	if (progress->failed)
		snprintf(failed, sizeof(failed), ", %u not working", progress->failed);
	snprintf(line, sizeof(line), "minivmm: %u%s run%s%s, %s%s", progress->runs, all,
		 progress->runs == 1 && !progress->runs_all ? "" : "s", failed, spent, left);
	line_draw(line);
}

progress_show *progress_begin(bool quiet)
{
	const char *term = getenv("TERM");

	drawn_ns = 0;
	return !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 ?
		       progress_draw :
		       NULL;
}

void progress_end(void)
{
	if (drawn_ns)
		line_draw("");
	drawn_ns = 0;
}
