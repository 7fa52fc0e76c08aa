// SPDX-License-Identifier: MIT
// The report for Kubernetes: a feature file for node-feature-discovery's source "local"
// (node-feature-discovery, "Customization guide", Feature files).
#include "result.h"

#define PREFIX "feature.node.kubernetes.io/minivmm.nested"

/* A value that Kubernetes takes for a label: up to 63 of [A-Za-z0-9._-], with a letter or a
 * digit at either end (kubernetes.io, "Labels and Selectors"). Only words of minivmm's own come
 * here. */
static void write_value(FILE *out, const char *name, const char *value)
{
	fprintf(out, PREFIX "%s%s=%.63s\n", *name ? "." : "", name, value);
}

/* For rules alone: a node with sixty more labels would be hard to read. */
static void write_hidden(FILE *out, const char *name, const char *value)
{
	fputs("# +no-label\n", out);
	write_value(out, name, value);
}

static void write_expiry(FILE *out, int64_t seconds, unsigned int expiry_s)
{
	char text[UTC_TEXT];

	if (utc_text(text, seconds + (expiry_s ? expiry_s : REPORT_EXPIRY_S)))
		fprintf(out, "# +expiry-time=%s\n", text);
}

static void write_cost(FILE *out, const struct result *result, const char *key, const char *name)
{
	const struct fact *fact = fact_find(result->evidence, result->evidences, key);
	char number[24];

	if (!fact)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)fact->number);
	write_hidden(out, name, number);
}

int report_nfd(FILE *out, const struct result *result, const struct report_style *style)
{
	const struct fact *vendor = fact_find(result->host, result->hosts, "cpu_virtualization");

	fputs("# Written by minivmm --nested-probe --format nfd\n", out);
	write_expiry(out, result->time, style->expiry_s);
	write_value(out, "", verdict_nests(result->verdict) ? "true" : "false");
	write_value(out, "verdict", verdict_name(result->verdict));
	write_value(out, "reason", result->reason);
	if (vendor && vendor->kind == FACT_TEXT)
		write_value(out, "vendor", vendor->text);
	write_cost(out, result, "exit_cycles", "exit-cycles");
	write_cost(out, result, "round_trip_cycles", "round-trip-cycles");
	for (size_t i = 0; i < result->features; i++) {
		const struct feature *feature = &result->feature[i];
		char name[64];

		if (feature->status == FEATURE_NOT_APPLICABLE)
			continue;
		snprintf(name, sizeof(name), "feature.%s", feature->name);
		write_hidden(out, name, feature_status_name(feature->status));
	}
	return report_end(out);
}
