// SPDX-License-Identifier: MIT
// The report for people: the machine, the ladder, the verdict, its evidence, how to mend it.
#include "result.h"

#include "line.h"
#include "utf8.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH_DEFAULT	80
#define WIDTH_MIN	40
#define WIDTH_MAX	100	/* wider is hard to read: times get far from their steps */

#define INDENT	2	/* of all but headlines */
#define GUTTER	2	/* between the columns of a table */

/* Select Graphic Rendition parameters (ECMA-48, 8.3.117). Only the first eight colours, which
 * every terminal theme makes legible. */
#define BOLD	"1"
#define DIM	"2"

/* A line in the making. Text gets out through page_char() alone, where it is made safe. */
struct page {
	FILE *out;
	const struct report_style *style;
	int width;	/* columns to keep to */
	int at;		/* columns written on this line */
};

/* Where the columns of the ladder begin; 0 = there is no room for that column. */
struct ladder {
	int title;
	int name;
	int time;	/* where it ends: times are right-aligned */
};

static void page_style(struct page *page, const char *sgr)
{
	if (page->style->color)
		fprintf(page->out, "\033[%sm", sgr);
}

static void page_plain(struct page *page)
{
	page_style(page, "0");
}

static void page_newline(struct page *page)
{
	putc('\n', page->out);
	page->at = 0;
}

/* Goes on to `column`, on a new line when this one is there already. */
static void page_pad(struct page *page, int column)
{
	if (page->at > column)
		page_newline(page);
	fprintf(page->out, "%*s", column - page->at, "");
	page->at = column;
}

/* Steps over a code point and returns what is shown in its place. */
static uint32_t text_next(const struct page *page, const char **text)
{
	uint32_t code = line_next(text);

	return code == LINE_REPLACEMENT || (code >= 0x80 && !page->style->unicode) ? '?' : code;
}

static int text_columns(const struct page *page, const char *text)
{
	int columns = 0;

	while (*text)
		columns += utf8_columns(text_next(page, &text));
	return columns;
}

/* Columns up to the first space. */
static int word_columns(const struct page *page, const char *text)
{
	int columns = 0;

	while (*text) {
		uint32_t code = text_next(page, &text);

		if (code == ' ')
			break;
		columns += utf8_columns(code);
	}
	return columns;
}

static void page_char(struct page *page, const char **text)
{
	const char *start = *text;
	uint32_t code = text_next(page, text);

	if (code < 0x80)
		putc((int)code, page->out);
	else
		fwrite(start, 1, (size_t)(*text - start), page->out);
	page->at += utf8_columns(code);
}

/* Writes `text` as it is: for what is short, or must stay on one line. */
static void page_put(struct page *page, const char *text)
{
	while (*text)
		page_char(page, &text);
}

static void page_put_styled(struct page *page, const char *sgr, const char *text)
{
	page_style(page, sgr);
	page_put(page, text);
	page_plain(page);
}

static void write_heading(struct page *page, const char *text)
{
	page_newline(page);
	page_put_styled(page, BOLD, text);
	page_newline(page);
}

/* Writes one word and ends behind it; breaks it only if it is longer than a line. */
static void page_word(struct page *page, int indent, const char **text)
{
	for (int left = word_columns(page, *text); left > 0;) {
		const char *next = *text;
		int columns = utf8_columns(text_next(page, &next));

		if (page->at + columns > page->width) {
			page_newline(page);
			page_pad(page, indent);
		}
		page_char(page, text);
		left -= columns;
	}
}

/* Writes `text` from here on, wrapped at spaces; further lines begin at `indent`. */
static void page_wrap(struct page *page, int indent, const char *text)
{
	bool first = true;

	while (*text) {
		int columns = word_columns(page, text);

		if (columns == 0) {
			text_next(page, &text);
			continue;
		}
		if (!first && page->at + 1 + columns > page->width) {
			page_newline(page);
			page_pad(page, indent);
		} else if (!first) {
			page_put(page, " ");
		}
		page_word(page, indent, &text);
		first = false;
	}
}

/* "1,000" */
static void number_text(char *buffer, size_t size, int64_t number)
{
	char digits[24];
	size_t at = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, number);
	for (const char *d = digits; *d && at + 2 < size; d++) {
		size_t left = strlen(d);

		buffer[at++] = *d;
		if (*d != '-' && left > 1 && left % 3 == 1)
			buffer[at++] = ',';
	}
	buffer[at] = '\0';
}

/* "3.1 ms": two digits or more, and the unit that makes them few. */
static void time_text(const struct page *page, char *buffer, size_t size, uint64_t ns)
{
	const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
		{ 1000000000, "s" },
		{ 1000000, "ms" },
		{ 1000, page->style->unicode ? "µs" : "us" },
		{ 1, "ns" },
	}, *unit = units;

	while (unit->ns > 1 && ns < unit->ns)
		unit++;
	if (unit->ns > 1 && ns < 10 * unit->ns)
		snprintf(buffer, size, "%" PRIu64 ".%" PRIu64 " %s", ns / unit->ns,
			 ns % unit->ns / (unit->ns / 10), unit->name);
	else
		snprintf(buffer, size, "%" PRIu64 " %s", ns / unit->ns, unit->name);
}

static const char *page_dot(const struct page *page)
{
	return page->style->unicode ? " · " : ", ";
}

/* Facts */

static void fact_value(char *buffer, size_t size, const struct fact *fact)
{
	if (fact->kind == FACT_NUMBER)
		number_text(buffer, size, fact->number);
	else if (fact->kind == FACT_BOOL)
		snprintf(buffer, size, "%s", fact->number ? "yes" : "no");
	else if (fact->kind == FACT_UNKNOWN)
		snprintf(buffer, size, "unknown: %s", fact->text);
	else
		snprintf(buffer, size, "%s", fact->text);
}

/* Facts without a label are for programs. */
static bool fact_shown(const struct fact *fact, bool unknown)
{
	return fact->label && (fact->kind != FACT_UNKNOWN || unknown);
}

/* An aligned list; `unknown`: with what could not be learned. */
static void write_facts(struct page *page, const struct fact *list, size_t count, bool unknown)
{
	char value[sizeof(list->text) + 16];
	int label = 0;

	for (size_t i = 0; i < count; i++) {
		int columns = list[i].label ? text_columns(page, list[i].label) : 0;

		label = columns > label && columns <= page->width / 2 ? columns : label;
	}
	for (size_t i = 0; i < count; i++) {
		if (!fact_shown(&list[i], unknown))
			continue;
		page_pad(page, INDENT);
		page_style(page, DIM);
		page_wrap(page, INDENT, list[i].label);
		page_plain(page);
		page_pad(page, INDENT + label + GUTTER);
		fact_value(value, sizeof(value), &list[i]);
		page_style(page, list[i].kind == FACT_UNKNOWN ? DIM : "0");
		page_wrap(page, INDENT + label + GUTTER, value);
		page_plain(page);
		page_newline(page);
	}
}

/* The ladder */

static const struct mark {
	const char *unicode, *ascii, *sgr;
	bool detail;	/* shown even when not verbose */
} marks[] = {
	[STEP_PASSED] = { "✓", "[ ok ]", "32", false },
	[STEP_FAILED] = { "✗", "[FAIL]", "1;31", true },
	[STEP_LIMITED] = { "○", "[warn]", "33", true },
	[STEP_NOT_APPLICABLE] = { "–", "[ -- ]", DIM, false },
	[STEP_NOT_TRIED] = { "·", "[    ]", DIM, false },
	[STEP_UNFINISHED] = { "…", "[....]", "1;33", true },
};

static const char *mark_text(const struct page *page, enum step_status status)
{
	return page->style->unicode ? marks[status].unicode : marks[status].ascii;
}

static bool step_shown(const struct page *page, const struct step *step)
{
	return page->style->verbose ||
	       (step->status != STEP_NOT_TRIED && step->status != STEP_NOT_APPLICABLE);
}

/* Gives the columns what the shown steps need: titles first, then times, then names. */
static struct ladder ladder_fit(const struct page *page, const struct result *result)
{
	struct ladder ladder = { .title = page->style->unicode ? 6 : 10 };
	int title = 0, name = 0, time = page->style->verbose ? GUTTER + 6 : 0;

	for (size_t i = 0; i < result->steps; i++) {
		const struct step *step = &result->step[i];
		int columns = text_columns(page, step->title);

		if (!step_shown(page, step))
			continue;
		title = columns > title ? columns : title;
		columns = text_columns(page, step->name);
		name = columns > name ? columns : name;
	}
	title += ladder.title;
	if (title + GUTTER + name + time <= page->width) {
		ladder.name = title + GUTTER;
		title = ladder.name + name;
	}
	if (time && title + time <= page->width)
		ladder.time = title + time;
	return ladder;
}

static void write_detail(struct page *page, const struct ladder *ladder, const struct step *step)
{
	bool name = !ladder->name && page->style->verbose;

	if (!name && !*step->detail)
		return;
	page_pad(page, ladder->title);
	page_style(page, step->status == STEP_PASSED || !*step->detail ? DIM : "0");
	if (name) {
		page_put(page, step->name);
		page_put(page, *step->detail ? ": " : "");
	}
	page_wrap(page, ladder->title, step->detail);
	page_plain(page);
	page_newline(page);
}

static void write_step(struct page *page, const struct ladder *ladder, const struct step *step)
{
	const struct mark *mark = &marks[step->status];
	char time[48];

	page_pad(page, page->style->unicode ? 3 : 2);
	page_put_styled(page, mark->sgr, mark_text(page, step->status));
	page_pad(page, ladder->title);
	if (step->status != STEP_PASSED)
		page_style(page, mark->sgr);
	page_wrap(page, ladder->title, step->title);
	page_plain(page);
	if (ladder->name) {
		page_pad(page, ladder->name);
		page_put_styled(page, DIM, step->name);
	}
	if (ladder->time && step->timed) {
		time_text(page, time, sizeof(time), step->ns);
		page_pad(page, ladder->time - text_columns(page, time));
		page_put_styled(page, DIM, time);
	}
	page_newline(page);
	if (mark->detail || page->style->verbose)
		write_detail(page, ladder, step);
}

static void write_level(struct page *page, const struct ladder *ladder, int level, bool again)
{
	static const char *const titles[] = {
		"this machine's KVM",
		"guest of minivmm",
		"guest of that guest",
	};
	char name[16];

	snprintf(name, sizeof(name), "L%d", level);
	page_pad(page, INDENT);
	page_put_styled(page, BOLD, name);
	page_pad(page, ladder->title);
	page_put_styled(page, DIM, again ? "again" : titles[level]);
	page_newline(page);
}

static void write_not_tried(struct page *page, const struct ladder *ladder, int count)
{
	char text[64];

	snprintf(text, sizeof(text), "%d more step%s not tried", count, count == 1 ? "" : "s");
	page_pad(page, page->style->unicode ? 3 : 2);
	page_style(page, DIM);
	page_put(page, mark_text(page, STEP_NOT_TRIED));
	page_pad(page, ladder->title);
	page_put(page, text);
	page_plain(page);
	page_newline(page);
}

/* In the order in which things were tried: down to L2, and up again. A level that was never
 * reached keeps its heading, so that the whole ladder is always seen. */
static void write_ladder(struct page *page, const struct result *result)
{
	struct ladder ladder = ladder_fit(page, result);
	int level = -1, seen = -1, not_tried = 0;

	for (size_t i = 0; i < result->steps; i++) {
		const struct step *step = &result->step[i];
		bool shown = step_shown(page, step);

		not_tried += !shown && step->status == STEP_NOT_TRIED;
		if (step->level > seen || (shown && step->level != level)) {
			write_level(page, &ladder, step->level, step->level <= seen);
			level = step->level;
			seen = level > seen ? level : seen;
		}
		if (shown)
			write_step(page, &ladder, step);
	}
	if (not_tried)
		write_not_tried(page, &ladder, not_tried);
}

/* The map of features */

static const char *feature_word(enum feature_status status)
{
	static const char *const words[] = {
		[FEATURE_WORKS] = "works",
		[FEATURE_FAILS] = "fails",
		[FEATURE_NOT_OFFERED] = "not offered",
		[FEATURE_NOT_APPLICABLE] = "",
		[FEATURE_NOT_TRIED] = "not tried",
		[FEATURE_UNFINISHED] = "unfinished",
	};

	return words[status];
}

/* A feature looks like the step that ends so. */
static const struct mark *feature_mark(enum feature_status status)
{
	static const enum step_status steps[] = {
		[FEATURE_WORKS] = STEP_PASSED,
		[FEATURE_FAILS] = STEP_FAILED,
		[FEATURE_NOT_OFFERED] = STEP_NOT_APPLICABLE,
		[FEATURE_NOT_APPLICABLE] = STEP_NOT_APPLICABLE,
		[FEATURE_NOT_TRIED] = STEP_NOT_TRIED,
		[FEATURE_UNFINISHED] = STEP_UNFINISHED,
	};

	return &marks[steps[status]];
}

/* Name, word, and what there is to say of it. */
static void write_feature(struct page *page, int word, int text, const struct feature *feature)
{
	const struct mark *mark = feature_mark(feature->status);
	bool detail = page->style->verbose || feature->status != FEATURE_WORKS;

	page_pad(page, INDENT);
	page_put(page, feature->name);
	page_pad(page, word);
	page_put_styled(page, mark->sgr, feature_word(feature->status));
	page_pad(page, text);
	page_wrap(page, text, detail && *feature->detail ? feature->detail : feature->title);
	page_newline(page);
}

/* Every row of this vendor's; the other's are counted. */
static void write_features(struct page *page, const struct result *result)
{
	int name = 0, others = 0, word;
	char text[80];

	for (size_t i = 0; i < result->features; i++) {
		int columns = text_columns(page, result->feature[i].name);

		name = columns > name ? columns : name;
	}
	word = INDENT + name + GUTTER;
	write_heading(page, "Nested features:");
	for (size_t i = 0; i < result->features; i++) {
		if (result->feature[i].status == FEATURE_NOT_APPLICABLE)
			others++;
		else
			write_feature(page, word, word + 11 + GUTTER, &result->feature[i]);
	}
	if (!others)
		return;
	snprintf(text, sizeof(text), "and %d that CPUs of this vendor do not have", others);
	page_pad(page, INDENT);
	page_style(page, DIM);
	page_wrap(page, INDENT, text);
	page_plain(page);
	page_newline(page);
}

/* The verdict */

static void write_rule(struct page *page, int columns)
{
	page_style(page, DIM);
	while (columns-- > 0 && page->at < page->width)
		page_put(page, page->style->unicode ? "─" : "-");
	page_plain(page);
}

static void write_headline(struct page *page, enum verdict verdict)
{
	static const struct {
		const char *label, *sgr;
	} looks[] = {
		[VERDICT_WORKS] = { " WORKS ", "1;7;32" },
		[VERDICT_LIMITED] = { " LIMITED ", "1;7;33" },
		[VERDICT_BROKEN] = { " BROKEN ", "1;7;31" },
		[VERDICT_UNAVAILABLE] = { " UNAVAILABLE ", "1;7;36" },
		[VERDICT_TIMED_OUT] = { " TIMED OUT ", "1;7;35" },
		[VERDICT_FAILED] = { " MINIVMM FAILED ", "1;7;31" },
	};

	write_rule(page, INDENT);
	page_put_styled(page, looks[verdict].sgr, looks[verdict].label);
	write_rule(page, page->width);
	page_newline(page);
}

/* "reason ok · 20 of 21 steps passed · 0.4 s" */
static void write_tally(struct page *page, const struct result *result)
{
	char line[160], time[48];
	int passed = 0, all = 0;

	for (size_t i = 0; i < result->steps; i++) {
		passed += result->step[i].status == STEP_PASSED;
		all += result->step[i].status != STEP_NOT_APPLICABLE;
	}
	time_text(page, time, sizeof(time), result->ns);
	snprintf(line, sizeof(line), "reason %s%s%d of %d steps passed%s%s", result->reason,
		 page_dot(page), passed, all, page_dot(page), time);
	page_pad(page, INDENT + 1);
	page_style(page, DIM);
	page_wrap(page, INDENT + 1, line);
	page_plain(page);
	page_newline(page);
}

static void write_verdict(struct page *page, const struct result *result)
{
	write_headline(page, result->verdict);
	page_pad(page, INDENT + 1);
	page_style(page, BOLD);
	page_wrap(page, INDENT + 1, result->summary);
	page_plain(page);
	page_newline(page);
	write_tally(page, result);
}

/* What the caller insists on: the exit status is 1 where one of them is missing. */
static void write_required(struct page *page, const struct result *result)
{
	int column = 0;

	if (!result->requirements)
		return;
	for (size_t i = 0; i < result->requirements; i++) {
		int columns = text_columns(page, result->required[i].name);

		column = columns > column ? columns : column;
	}
	column += INDENT + GUTTER;
	write_heading(page, "Required:");
	for (size_t i = 0; i < result->requirements; i++) {
		const struct requirement *required = &result->required[i];
		const struct mark *mark = &marks[required->met ? STEP_PASSED : STEP_FAILED];

		page_pad(page, INDENT);
		page_put(page, required->name);
		page_pad(page, column);
		page_put_styled(page, mark->sgr, required->met ? "met" : "MISSING");
		if (!required->met) {
			page_pad(page, column + 7 + GUTTER);
			page_wrap(page, column + 7 + GUTTER, required->why);
		}
		page_newline(page);
	}
}

/* What a witness does not know is told too: it is missing from the proof. */
static void write_evidence(struct page *page, const struct result *result)
{
	if (!result->evidences)
		return;
	write_heading(page, "Evidence:");
	write_facts(page, result->evidence, result->evidences, true);
}

static void write_series_line(struct page *page, const char *label, const char *text)
{
	page_pad(page, INDENT);
	page_put_styled(page, DIM, label);
	page_pad(page, INDENT + 12);
	page_wrap(page, INDENT + 12, text);
	page_newline(page);
}

/* Which CPUs are not as most are. */
static void write_cpus(struct page *page, const struct series *series)
{
	char line[160];

	for (size_t i = 0; i < series->cpus && series->cpu[i].runs; i++) {
		const struct series_cpu *cpu = &series->cpu[i];

		if (!cpu->odd && !cpu->mixed && !page->style->verbose)
			continue;
		snprintf(line, sizeof(line), "%u: %s%s", cpu->cpu, cpu->reason,
			 cpu->mixed ? ", and others at times" : cpu->odd ? ", unlike most" : "");
		write_series_line(page, "CPU", line);
	}
}

static void write_series(struct page *page, const struct series *series)
{
	char line[200], least[48], mean[48], most[48];

	write_heading(page, "Series:");
	for (size_t i = 0; i < series->tallies; i++) {
		snprintf(line, sizeof(line), "%u of %u %s, reason %s", series->tally[i].runs,
			 series->runs, verdict_name(series->tally[i].verdict),
			 series->tally[i].reason);
		write_series_line(page, "Runs", line);
	}
	if (series->interrupted)
		write_series_line(page, "Ended", "by an interrupt, before all runs were done");
	time_text(page, least, sizeof(least), series->ns_min);
	time_text(page, mean, sizeof(mean), series->ns_sum / series->runs);
	time_text(page, most, sizeof(most), series->ns_max);
	snprintf(line, sizeof(line), "%s at least, %s on average, %s at most", least, mean, most);
	write_series_line(page, "Each took", line);
	write_cpus(page, series);
	snprintf(line, sizeof(line), "run %u, %s: its ladder and evidence are above",
		 series->kept_run, series->kept_reason);
	write_series_line(page, "Shown", line);
}

static void write_explain(struct page *page, const struct result *result)
{
	page_newline(page);
	page_style(page, DIM);
	page_put(page, "More: minivmm --explain ");
	page_put(page, result->reason);
	page_plain(page);
	page_newline(page);
}

static void write_remedy(struct page *page, const struct result *result)
{
	bool after_command = false;

	if (result->remedies)
		write_heading(page, "To mend it:");
	for (size_t i = 0; i < result->remedies; i++) {
		const struct remedy *remedy = &result->remedy[i];

		if (after_command && !remedy->command)
			page_newline(page);
		page_pad(page, remedy->command ? 2 * INDENT : INDENT);
		if (remedy->command)
			page_put_styled(page, "36", remedy->text); /* whole, to be pasted */
		else
			page_wrap(page, INDENT, remedy->text);
		page_newline(page);
		after_command = remedy->command;
	}
	if (result->reason_number)
		write_explain(page, result);
}

static int page_width(const struct report_style *style)
{
	int columns = style->columns > 0 ? style->columns : WIDTH_DEFAULT;

	return columns < WIDTH_MIN ? WIDTH_MIN : columns > WIDTH_MAX ? WIDTH_MAX : columns;
}

int report_text(FILE *out, const struct result *result, const struct report_style *style)
{
	struct page page = { .out = out, .style = style, .width = page_width(style) };

	page_style(&page, BOLD);
	page_wrap(&page, 0, "minivmm: does nested virtualization work here?");
	page_plain(&page);
	page_newline(&page);
	page_newline(&page);
	write_facts(&page, result->host, result->hosts, style->verbose);
	page_newline(&page);
	write_ladder(&page, result);
	if (result->features_asked)
		write_features(&page, result);
	page_newline(&page);
	write_verdict(&page, result);
	write_required(&page, result);
	write_evidence(&page, result);
	if (result->series)
		write_series(&page, result->series);
	write_remedy(&page, result);
	return report_end(out);
}
