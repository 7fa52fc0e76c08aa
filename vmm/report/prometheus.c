// SPDX-License-Identifier: MIT
// The report for Prometheus: the text exposition format, for node_exporter's textfile collector,
// which refuses a file with timestamps (prometheus.io, "Exposition formats"; node_exporter,
// README).
#include "line.h"
#include "result.h"

/* Of a label's value. */
static const char *escape(uint32_t code)
{
	return code == '\\' ? "\\\\" : code == '"' ? "\\\"" : NULL;
}

static void write_head(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP minivmm_%s %s\n# TYPE minivmm_%s gauge\n", name, help, name);
}

static void write_label(FILE *out, char before, const char *name, const char *text)
{
	fprintf(out, "%c%s=\"", before, name);
	line_write(out, text, escape);
	putc('"', out);
}

static void write_number(FILE *out, const char *name, const char *help, uint64_t number)
{
	write_head(out, name, help);
	fprintf(out, "minivmm_%s %llu\n", name, (unsigned long long)number);
}

static const char *host_text(const struct result *result, const char *key)
{
	const struct fact *fact = fact_find(result->host, result->hosts, key);

	return fact && fact->kind == FACT_TEXT ? fact->text : "";
}

static void write_info(FILE *out, const struct result *result)
{
	static const struct {
		const char *label, *key;
	} labels[] = {
		{ "cpu", "cpu" },
		{ "kernel", "kernel" },
		{ "kvm_module", "kvm_module" },
		{ "level", "level" },
		{ "virtualization", "cpu_virtualization" },
	};

	write_head(out, "nested_info", "The verdict, its reason, and the machine: always 1.");
	fputs("minivmm_nested_info", out);
	write_label(out, '{', "verdict", verdict_name(result->verdict));
	write_label(out, ',', "reason", result->reason);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		write_label(out, ',', labels[i].label, host_text(result, labels[i].key));
	fputs("} 1\n", out);
}

static void write_steps(FILE *out, const struct result *result)
{
	write_head(out, "nested_step_passed", "Whether a step that was tried passed: 1 or 0.");
	for (size_t i = 0; i < result->steps; i++) {
		const struct step *step = &result->step[i];

		if (step->status != STEP_NOT_APPLICABLE && step->status != STEP_NOT_TRIED)
			fprintf(out, "minivmm_nested_step_passed{step=\"%s\",level=\"%d\"} %d\n",
				step->name, step->level, step->status == STEP_PASSED);
	}
}

static void write_features(FILE *out, const struct result *result)
{
	write_head(out, "nested_feature_works",
		   "Whether a feature of nesting works, of those that are offered: 1 or 0.");
	for (size_t i = 0; i < result->features; i++) {
		const struct feature *feature = &result->feature[i];

		if (feature->status == FEATURE_WORKS || feature->status == FEATURE_FAILS)
			fprintf(out, "minivmm_nested_feature_works{feature=\"%s\"} %d\n",
				feature->name, feature->status == FEATURE_WORKS);
	}
}

static void write_requirements(FILE *out, const struct result *result)
{
	write_head(out, "nested_required_met", "Whether what --require names is there: 1 or 0.");
	for (size_t i = 0; i < result->requirements; i++)
		fprintf(out, "minivmm_nested_required_met{name=\"%s\"} %d\n",
			result->required[i].name, result->required[i].met);
}

static void write_costs(FILE *out, const struct result *result)
{
	static const struct {
		const char *key, *name, *help;
	} rows[] = {
		{ "exit_cycles", "nested_exit_cycles", "TSC cycles of an exit from L1." },
		{ "round_trip_cycles", "nested_round_trip_cycles",
		  "TSC cycles from L2 to L1 and back." },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fact *fact =
			fact_find(result->evidence, result->evidences, rows[i].key);

		if (fact)
			write_number(out, rows[i].name, rows[i].help, (uint64_t)fact->number);
	}
}

static void write_series(FILE *out, const struct series *series)
{
	write_head(out, "series_runs", "Runs of the last series, by what came of them.");
	for (size_t i = 0; i < series->tallies; i++)
		fprintf(out, "minivmm_series_runs{reason=\"%s\",verdict=\"%s\"} %u\n",
			series->tally[i].reason, verdict_name(series->tally[i].verdict),
			series->tally[i].runs);
}

int report_prometheus(FILE *out, const struct result *result, const struct report_style *style)
{
	(void)style;
	write_number(out, "nested_ok", "Whether nested virtualization works: 1 or 0.",
		     verdict_nests(result->verdict));
	write_info(out, result);
	write_steps(out, result);
	if (result->features)
		write_features(out, result);
	if (result->requirements)
		write_requirements(out, result);
	write_costs(out, result);
	if (result->series)
		write_series(out, result->series);
	write_head(out, "probe_duration_seconds", "Wall time of the probe.");
	fprintf(out, "minivmm_probe_duration_seconds %llu.%09llu\n",
		(unsigned long long)(result->ns / 1000000000),
		(unsigned long long)(result->ns % 1000000000));
	write_number(out, "probe_last_run_timestamp_seconds", "When the probe ended, Unix time.",
		     (uint64_t)result->time);
	return report_end(out);
}
