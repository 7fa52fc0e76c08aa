/* SPDX-License-Identifier: MIT */
/*
 * CPU models: which CPUID a guest is shown. A model starts from what KVM can show ("host"), or from
 * that cut down to what some CPU had ("qemu64", "Haswell"); then features are taken away or added
 * by name ("host,-svm,+npt"). Names and text are QEMU's.
 */
#ifndef CPU_MODEL_H
#define CPU_MODEL_H

#include "kvm.h"

#include <stddef.h>

/* A CPUID bit, or a bit of a VMX capability MSR (the vmx-* features), under QEMU's name. */
struct cpu_feature {
	const char *name;
	uint32_t leaf, subleaf;		/* leaf = the MSR's index for FEATURE_MSR */
	enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX, FEATURE_MSR } reg;
	unsigned int bit;
};
extern const struct cpu_feature cpu_features[];		/* ends with a NULL name */

/* As word_is() reads names; some have an alias, too. NULL = unknown. A name may have several rows
 * (kvmclock): the first is returned. */
const struct cpu_feature *cpu_feature_find(const char *name);

/* A named model: one row. */
struct cpu_definition {
	const char *name;
	const char *parent;	/* the model whose features it takes over, NULL = none */
	const char *features;	/* "name" and "-name" on top of those; NULL = all that KVM has */
	const char *about;	/* CPUID's brand string too */
	const char *vendor;	/* 12 letters */
	uint32_t level,
		xlevel; /* highest leaves: 0x0... and 0x8000....; 0 = this model is the host's
				 * CPU: KVM's vendor, brand, levels and so on stay */
	uint16_t family, model, stepping;
};
extern const struct cpu_definition cpu_definitions[]; /* ends with a NULL name; the first is host */
const struct cpu_definition *cpu_definition_find(const char *name);	/* NULL = unknown */
/* Whether a model has a feature (its own features, then its parents'). */
bool cpu_definition_has(const struct cpu_definition *definition, const char *feature);

/* "-cpu" as the user wrote it, understood. All zero is "host". */
#define CPU_MODEL_CHANGES 64
#define CPU_VENDOR_LENGTH 12
struct cpu_model {
	const struct cpu_definition *definition;	/* NULL = "host" */
	struct {
		const struct cpu_feature *feature;
		bool on;
		bool force;	/* "=force": shown although KVM does not offer it */
	} change[CPU_MODEL_CHANGES];
	size_t changes;
	/* 0 or "" = as the model, or KVM, has it */
	char vendor[CPU_VENDOR_LENGTH + 1];
	char brand[48 + 1];
	uint32_t level, xlevel;
	int family, model_number, stepping;	/* plus one */
	unsigned int phys_bits;
	enum cpu_choice { CPU_DEFAULT, CPU_ON, CPU_OFF } host_phys_bits, migratable, pmu, kvm;
	/* What +vmx and +svm mean where KVM does not offer them. False: shown all the same, which
	 * is the probe's way to have L1 try; true: dropped like any other feature, as QEMU does. */
	bool offered_only;
	bool hyperv;		/* hv-passthrough: cpuid_hyperv_add() is wanted */
	bool no_virt;		/* --nested off: no VMX and no SVM, whatever the text says */
};

/* Parses "MODEL[,+feature|,-feature|,feature=on|off|force|,setting=value]...". -EINVAL with
 * error_last() saying which word is wrong, and what may have been meant. */
int cpu_model_parse(struct cpu_model *model, const char *text);

/* What the text says of a feature: 1 asked for, -1 taken away, 0 left as the model has it. */
int cpu_model_wants(const struct cpu_model *model, const char *feature);

/* The features that were asked for by name but that KVM cannot show, and that are therefore left
 * out: "a, b" in `text`; returns how many. `table` is KVM's, before cpu_model_apply(); with `kvm`
 * NULL, vmx-* features are not looked at. For one line of warning. */
size_t cpu_model_unmet(const struct cpu_model *model, const struct kvm *kvm,
		       const struct cpuid_table *table, char *text, size_t size);

/* Turns KVM's table into that of a guest with one CPU whose APIC ID is `apic_id`. */
void cpu_model_apply(const struct cpu_model *model, struct cpuid_table *table, uint32_t apic_id);

/* Has the guest see Hyper-V, of which `hyperv` holds KVM's leaves; KVM's own move on by 0x100, where
 * a guest looks next. After cpu_model_apply(). What minivmm has no part of is left out: messages and
 * events between guest and host, the debugger, crash reports. */
void cpuid_hyperv_add(struct cpuid_table *table, const struct cpuid_table *hyperv);

/* The topology, after cpu_model_apply() and for each vCPU: `cpus` cores in one package with dense
 * APIC IDs, one thread each. Leaves 1, 4, 0xb, 0x1f, 0x80000001, 0x80000008, 0x8000001d and
 * 0x8000001e; may be called again on the same table. */
void cpuid_place(struct cpuid_table *table, uint32_t apic_id, unsigned int cpus);

/* The VMX capability MSRs that vmx-* features change, as KVM_SET_MSRS is to set them once CPUID
 * shows VMX. Returns how many (at most CPU_MODEL_MSRS); none where KVM has no such MSRs. */
#define CPU_MODEL_MSRS 8
size_t cpu_model_msrs(const struct cpu_model *model, const struct kvm *kvm,
		      struct kvm_msr_entry msrs[CPU_MODEL_MSRS]);

/* Whether a table shows a feature. */
bool cpuid_has(const struct cpuid_table *table, const char *feature);

#endif
