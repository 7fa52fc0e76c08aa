/* SPDX-License-Identifier: MIT */
/*
 * CPU models: which CPUID a guest is shown. Starts from what KVM can show, then takes features
 * away or adds them by name ("host,-svm,+npt").
 */
#ifndef CPU_MODEL_H
#define CPU_MODEL_H

#include "kvm.h"

#include <stddef.h>

/* A CPUID bit under the name that QEMU gives it. */
struct cpu_feature {
	const char *name;
	uint32_t leaf, subleaf;
	enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX } reg;
	unsigned int bit;
};
extern const struct cpu_feature cpu_features[];		/* ends with a NULL name */
const struct cpu_feature *cpu_feature_find(const char *name);	/* NULL = unknown */

/* "-cpu" as the user wrote it, understood. */
#define CPU_MODEL_CHANGES 32
struct cpu_model {
	struct {
		const struct cpu_feature *feature;
		bool on;
	} change[CPU_MODEL_CHANGES];
	size_t changes;
};

/* Parses "host[,+feature|,-feature]...". -EINVAL with error_last() saying which word is wrong. */
int cpu_model_parse(struct cpu_model *model, const char *text);

/* What the model says of a feature: 1 asked for, -1 taken away, 0 left as KVM has it. */
int cpu_model_wants(const struct cpu_model *model, const char *feature);

/* Turns KVM's table into the guest's: applies the model, and gives the CPU APIC ID `apic_id`
 * (leaf 1 EBX[31:24], leaves 0xb and 0x1f EDX). */
void cpu_model_apply(const struct cpu_model *model, struct cpuid_table *table, uint32_t apic_id);

/* Whether a table shows a feature. */
bool cpuid_has(const struct cpuid_table *table, const char *feature);

#endif
