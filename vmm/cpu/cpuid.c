// SPDX-License-Identifier: MIT
// KVM's CPUID table becomes a guest's: the model's features, then the topology.
#include "cpu_model.h"

#include <stdio.h>
#include <string.h>

/* AMD repeats these bits of leaf 1 EDX in 0x80000001 EDX; Intel has them reserved there. */
#define AMD_ALIASES 0x0183f3ffU
/* QEMU's, for models that are no host's: "phys-bits" */
#define MODEL_PHYS_BITS 40U

static struct kvm_cpuid_entry2 *entry_find(struct cpuid_table *table, uint32_t leaf,
					   uint32_t subleaf)
{
	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &table->entry[i];

		if (entry->function == leaf && entry->index == subleaf)
			return entry;
	}
	return NULL;
}

/* The same, added where there is none; NULL = the table is full. */
static struct kvm_cpuid_entry2 *entry_make(struct cpuid_table *table, uint32_t leaf,
					   uint32_t subleaf)
{
	struct kvm_cpuid_entry2 *entry = entry_find(table, leaf, subleaf);

	if (!entry && table->head.nent < KVM_CPUID_ENTRIES) {
		entry = &table->entry[table->head.nent++];
		*entry = (struct kvm_cpuid_entry2){ .function = leaf, .index = subleaf };
	}
	return entry;
}

/* All of a leaf reads as zero. */
static void leaf_clear(struct cpuid_table *table, uint32_t leaf)
{
	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &table->entry[i];

		if (entry->function == leaf)
			entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
	}
}

static uint32_t *register_of(struct kvm_cpuid_entry2 *entry, enum cpuid_register reg)
{
	uint32_t *const registers[] = {
		[CPUID_EAX] = &entry->eax,
		[CPUID_EBX] = &entry->ebx,
		[CPUID_ECX] = &entry->ecx,
		[CPUID_EDX] = &entry->edx,
	};

	return registers[reg];
}

/* One row. */
static bool bit_shown(const struct cpuid_table *table, const struct cpu_feature *feature)
{
	for (uint32_t i = 0; feature->reg != FEATURE_MSR && i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 entry = table->entry[i];

		if (entry.function == feature->leaf && entry.index == feature->subleaf)
			return *register_of(&entry, feature->reg) >> feature->bit & 1;
	}
	return false;
}

static void bit_set(struct cpuid_table *table, const struct cpu_feature *feature, bool on)
{
	struct kvm_cpuid_entry2 *entry = on ? entry_make(table, feature->leaf, feature->subleaf) :
					      entry_find(table, feature->leaf, feature->subleaf);

	if (!entry)
		return;
	if (on)
		*register_of(entry, feature->reg) |= 1U << feature->bit;
	else
		*register_of(entry, feature->reg) &= ~(1U << feature->bit);
}

/* All rows of the name. */
static void feature_set(struct cpuid_table *table, const char *name, bool on)
{
	for (const struct cpu_feature *row = cpu_features; row->name; row++)
		if (row->reg != FEATURE_MSR && strcmp(row->name, name) == 0)
			bit_set(table, row, on);
}

bool cpuid_has(const struct cpuid_table *table, const char *name)
{
	const struct cpu_feature *feature = cpu_feature_find(name);

	return feature && bit_shown(table, feature);
}

/* ---- what was asked for ---- */

/* What KVM_GET_SUPPORTED_CPUID leaves to us. It kept TSC_DEADLINE out for long (api.rst), although
 * it goes with every in-kernel local APIC; and who is not told of a hypervisor does not look for
 * its leaves: a Linux without kvmclock may not know its TSC's rate. */
static void emulated_offer(struct cpuid_table *table)
{
	if (cpuid_has(table, "apic"))
		feature_set(table, "tsc-deadline", true);
	feature_set(table, "hypervisor", true);
}

static bool is_virt(const struct cpu_feature *feature)
{
	return strcmp(feature->name, "vmx") == 0 || strcmp(feature->name, "svm") == 0;
}

/* Whether change `i` is made; `offered` says whether KVM has the feature. */
static bool change_stands(const struct cpu_model *model, size_t i, bool offered)
{
	const struct cpu_feature *feature = model->change[i].feature;

	return !model->change[i].on || offered || model->change[i].force ||
	       (is_virt(feature) && !model->offered_only);
}

static bool msr_offers(const struct kvm *kvm, const struct cpu_feature *feature)
{
	uint64_t value;

	return kvm_feature_msr(kvm, feature->leaf, &value) && (value >> feature->bit & 1);
}

size_t cpu_model_unmet(const struct cpu_model *model, const struct kvm *kvm,
		       const struct cpuid_table *table, char *text, size_t size)
{
	struct cpuid_table all = *table;
	size_t unmet = 0, used = 0;

	if (size)
		*text = '\0';
	emulated_offer(&all);
	for (size_t i = 0; i < model->changes; i++) {
		const struct cpu_feature *feature = model->change[i].feature;
		bool offered = feature->reg != FEATURE_MSR ? bit_shown(&all, feature) :
							     !kvm || msr_offers(kvm, feature);

		if (change_stands(model, i, offered) || cpu_model_wants(model, feature->name) < 0)
			continue;
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 unmet ? ", " : "", feature->name);
		unmet++;
	}
	return unmet;
}

static void changes_apply(const struct cpu_model *model, const struct cpuid_table *offered,
			  struct cpuid_table *table)
{
	for (size_t i = 0; i < model->changes; i++) {
		const struct cpu_feature *feature = model->change[i].feature;

		if (change_stands(model, i, bit_shown(offered, feature)))
			feature_set(table, feature->name, model->change[i].on);
	}
	if (model->no_virt) {
		feature_set(table, "vmx", false);
		feature_set(table, "svm", false);
	}
}

/* vmx-* features: MSRs that share one row's leaf are one entry. */
static struct kvm_msr_entry *msr_entry(struct kvm_msr_entry *msrs, size_t *count, uint32_t index,
				       const struct kvm *kvm)
{
	uint64_t value;

	for (size_t i = 0; i < *count; i++)
		if (msrs[i].index == index)
			return &msrs[i];
	if (*count == CPU_MODEL_MSRS || !kvm_feature_msr(kvm, index, &value))
		return NULL;
	msrs[*count] = (struct kvm_msr_entry){ .index = index, .data = value };
	return &msrs[(*count)++];
}

size_t cpu_model_msrs(const struct cpu_model *model, const struct kvm *kvm,
		      struct kvm_msr_entry msrs[CPU_MODEL_MSRS])
{
	size_t count = 0;

	for (size_t i = 0; i < model->changes; i++) {
		const struct cpu_feature *feature = model->change[i].feature;
		struct kvm_msr_entry *entry;

		/* KVM takes away, it does not add: what it offers is on already */
		if (feature->reg != FEATURE_MSR || cpu_model_wants(model, feature->name) > 0)
			continue;
		entry = msr_entry(msrs, &count, feature->leaf, kvm);
		if (entry)
			entry->data &= ~BIT(feature->bit);
	}
	return count;
}

/* ---- the model ---- */

/* Of each register that holds features, what the model has. Bits that no row names are the host's
 * alone. */
static void definition_mask(const struct cpu_definition *definition, bool is_host,
			    struct cpuid_table *table)
{
	const struct cpu_feature *row = cpu_features;

	while (row->name && row->reg != FEATURE_MSR) {
		const struct cpu_feature first = *row;
		struct kvm_cpuid_entry2 *entry = entry_find(table, first.leaf, first.subleaf);
		uint32_t named = 0, has = 0;

		for (; row->name && row->leaf == first.leaf && row->subleaf == first.subleaf &&
		       row->reg == first.reg;
		     row++) {
			named |= 1U << row->bit;
			has |= (uint32_t)cpu_definition_has(definition, row->name) << row->bit;
		}
		if (entry)
			*register_of(entry, first.reg) &= is_host ? has | ~named : has;
	}
}

static void vendor_set(struct cpuid_table *table, const char *vendor)
{
	static const uint32_t leaves[] = { 0, 0x80000000 };

	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct kvm_cpuid_entry2 *entry = entry_find(table, leaves[i], 0);

		if (!entry)
			continue;
		memcpy(&entry->ebx, vendor, 4);
		memcpy(&entry->edx, vendor + 4, 4);
		memcpy(&entry->ecx, vendor + 8, 4);
	}
}

/* AMD's, or Hygon's, which is the same. */
static bool vendor_is_amd(struct cpuid_table *table)
{
	const struct kvm_cpuid_entry2 *entry = entry_find(table, 0, 0);

	return entry &&
	       (memcmp(&entry->ebx, "Auth", 4) == 0 || memcmp(&entry->ebx, "Hygo", 4) == 0);
}

static void aliases_apply(struct cpuid_table *table)
{
	const struct kvm_cpuid_entry2 *basic = entry_find(table, 1, 0);
	struct kvm_cpuid_entry2 *extended = entry_find(table, 0x80000001, 0);

	if (!basic || !extended)
		return;
	extended->edx &= ~AMD_ALIASES;
	if (vendor_is_amd(table))
		extended->edx |= basic->edx & AMD_ALIASES;
}

static void brand_set(struct cpuid_table *table, const char *brand)
{
	char text[48] = { 0 };

	memcpy(text, brand, strnlen(brand, sizeof(text)));
	for (uint32_t i = 0; i < 3; i++) {
		struct kvm_cpuid_entry2 *entry = entry_make(table, 0x80000002 + i, 0);

		if (entry)
			memcpy(&entry->eax, text + 16 * (size_t)i, 16);
	}
	_Static_assert(offsetof(struct kvm_cpuid_entry2, edx) -
				       offsetof(struct kvm_cpuid_entry2, eax) == 12,
		       "four registers in a row");
}

/* Leaf 1 EAX: SDM vol. 2, "CPUID", figure "Version Information". */
static void signature_set(struct cpuid_table *table, const struct cpu_model *model,
			  const struct cpu_definition *definition)
{
	struct kvm_cpuid_entry2 *basic = entry_find(table, 1, 0);
	struct kvm_cpuid_entry2 *extended = entry_find(table, 0x80000001, 0);
	uint32_t family, number, stepping;

	if (!basic)
		return;
	family = basic->eax >> 8 & 0xf;
	number = (basic->eax >> 4 & 0xf) | (basic->eax >> 12 & 0xf0);
	stepping = basic->eax & 0xf;
	if (family == 0xf)
		family += basic->eax >> 20 & 0xff;
	if (definition->level) {
		family = definition->family;
		number = definition->model;
		stepping = definition->stepping;
	}
	family = model->family ? (uint32_t)model->family - 1 : family;
	number = model->model_number ? (uint32_t)model->model_number - 1 : number;
	stepping = model->stepping ? (uint32_t)model->stepping - 1 : stepping;
	basic->eax = stepping | (number & 0xf) << 4 | (number >> 4) << 16 |
		     (family > 0xf ? 0xf00 | (family - 0xf) << 20 : family << 8);
	if (extended)
		extended->eax = vendor_is_amd(table) ? basic->eax : 0;
}

/* How many physical and linear address bits: leaf 0x80000008 EAX. */
static void address_bits_set(struct cpuid_table *table, const struct cpu_model *model, bool is_host)
{
	struct kvm_cpuid_entry2 *entry = entry_find(table, 0x80000008, 0);
	uint32_t kvms, bits, guest;

	if (!entry)
		return;
	kvms = bits = entry->eax & 0xff;
	guest = entry->eax >> 16 & 0xff;	/* what nested paging can map, 0 = the same */
	if (model->host_phys_bits != CPU_ON && model->phys_bits)
		bits = model->phys_bits;
	else if (model->host_phys_bits != CPU_ON && !is_host && kvms > MODEL_PHYS_BITS)
		bits = MODEL_PHYS_BITS;
	entry->eax = (entry->eax & 0xff000000) | (guest <= bits ? guest : 0) << 16 |
		     (entry->eax & 0xff00) | bits;
	if (!cpuid_has(table, "la57") && (entry->eax >> 8 & 0xff) > 48)
		entry->eax = (entry->eax & ~0xff00U) | 48 << 8;
}

/* ---- what follows from the features ---- */

/* Leaves that describe a feature, and are empty without it. */
static const struct {
	const char *feature;
	uint32_t leaf;
} leaf_owners[] = {
	{ "sgx", 0x12 },	 { "intel-pt", 0x14 },	    { "arch-lbr", 0x1c },
	{ "amx-tile", 0x1d },	 { "amx-tile", 0x1e },	    { "xsave", 0xd },
	{ "svm", 0x8000000a },	 { "topoext", 0x8000001d }, { "topoext", 0x8000001e },
};

/* The parts of the XSAVE area that go with a feature: SDM vol. 1, "XSAVE-supported features". */
static const struct {
	uint64_t parts;
	const char *feature;
} xsave_owners[] = {
	{ BIT(2), "avx" },
	{ BIT(3) | BIT(4), "mpx" },
	{ BIT(5) | BIT(6) | BIT(7), "avx512f" },
	{ BIT(9), "pku" },
	{ BIT(17) | BIT(18), "amx-tile" },
};

static void xsave_trim(struct cpuid_table *table)
{
	struct kvm_cpuid_entry2 *area = entry_find(table, 0xd, 0);
	uint64_t parts, kept;
	uint32_t size = 512 + 64;	/* the legacy region and the header */

	if (!area)
		return;
	parts = kept = area->eax | (uint64_t)area->edx << 32;
	for (size_t i = 0; i < ARRAY_SIZE(xsave_owners); i++)
		if (!cpuid_has(table, xsave_owners[i].feature))
			kept &= ~xsave_owners[i].parts;
	if (kept == parts)
		return;
	for (uint32_t part = 2; part < 63; part++) {
		struct kvm_cpuid_entry2 *entry = entry_find(table, 0xd, part);

		if (!entry || !(parts & BIT(part)))
			continue;
		if (!(kept & BIT(part)))
			entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
		else if (entry->eax + entry->ebx > size)
			size = entry->eax + entry->ebx;
	}
	area->eax = (uint32_t)kept;
	area->edx = (uint32_t)(kept >> 32);
	area->ecx = size;	/* EBX, the size for XCR0, is KVM's to keep up to date */
}

static bool chosen(enum cpu_choice choice, bool by_default)
{
	return choice == CPU_DEFAULT ? by_default : choice == CPU_ON;
}

static void leaves_trim(struct cpuid_table *table, const struct cpu_model *model, bool is_host)
{
	if (!chosen(model->pmu, is_host)) {
		leaf_clear(table, 0xa);
		feature_set(table, "pdcm", false);
	}
	for (size_t i = 0; i < ARRAY_SIZE(leaf_owners); i++)
		if (!cpuid_has(table, leaf_owners[i].feature))
			leaf_clear(table, leaf_owners[i].leaf);
	xsave_trim(table);
}

/* The highest leaf of its range that a change put something into. */
static uint32_t level_needed(const struct cpu_model *model, const struct cpuid_table *table,
			     uint32_t range)
{
	uint32_t needed = 0;

	for (size_t i = 0; i < model->changes; i++) {
		const struct cpu_feature *feature = model->change[i].feature;

		if (feature->reg != FEATURE_MSR && (feature->leaf & 0xf0000000) == range &&
		    feature->leaf > needed && bit_shown(table, feature))
			needed = feature->leaf;
	}
	/* SVM is described in a leaf of its own */
	if (range == 0x80000000 && needed < 0x8000000a && cpuid_has(table, "svm"))
		needed = 0x8000000a;
	return needed;
}

/* Says the highest leaf of a range, and takes away what lies above it. */
static void level_set(struct cpuid_table *table, uint32_t range, uint32_t asked, uint32_t models,
		      uint32_t needed)
{
	struct kvm_cpuid_entry2 *entry = entry_find(table, range, 0);
	uint32_t level, kept = 0;

	if (!entry)
		return;
	level = asked ? asked : models ? models : entry->eax;
	if (!asked && needed > level)
		level = needed;
	entry->eax = level;
	for (uint32_t i = 0; i < table->head.nent; i++) {
		uint32_t leaf = table->entry[i].function;

		if ((leaf & 0xf0000000) != range || leaf <= level)
			table->entry[kept++] = table->entry[i];
	}
	table->head.nent = kept;
}

static void range_remove(struct cpuid_table *table, uint32_t range)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->head.nent; i++)
		if ((table->entry[i].function & 0xf0000000) != range)
			table->entry[kept++] = table->entry[i];
	table->head.nent = kept;
}

void cpu_model_apply(const struct cpu_model *model, struct cpuid_table *table, uint32_t apic_id)
{
	const struct cpu_definition *definition = model->definition ? model->definition :
								      &cpu_definitions[0];
	bool is_host = !definition->level;
	const char *vendor = model->vendor[0] ? model->vendor : definition->vendor;
	const char *brand = model->brand[0] ? model->brand : is_host ? NULL : definition->about;
	struct cpuid_table offered;

	emulated_offer(table);
	offered = *table;
	definition_mask(definition, is_host, table);
	feature_set(table, "hypervisor", true); /* no model has it, every guest does */
	if (model->migratable == CPU_ON)
		feature_set(table, "invtsc", false);
	if (vendor)
		vendor_set(table, vendor);
	if (brand)
		brand_set(table, brand);
	if (!is_host || model->family || model->model_number || model->stepping)
		signature_set(table, model, definition);
	changes_apply(model, &offered, table);
	aliases_apply(table);
	address_bits_set(table, model, is_host);
	leaves_trim(table, model, is_host);
	level_set(table, 0, model->level, definition->level, level_needed(model, table, 0));
	level_set(table, 0x80000000, model->xlevel, definition->xlevel,
		  level_needed(model, table, 0x80000000));
	if (!chosen(model->kvm, true))
		range_remove(table, 0x40000000);
	cpuid_place(table, apic_id, 1);
}

/* ---- Hyper-V ---- */

/* TLFS, "Feature Identification": what KVM would leave to this process, which does not do it. */
#define HYPERV_FEATURES		0x40000003
#define HYPERV_POST_MESSAGES	BIT(4)	/* EBX */
#define HYPERV_SIGNAL_EVENTS	BIT(5)
#define HYPERV_DEBUGGING	BIT(12)
#define HYPERV_GUEST_DEBUGGING	BIT(1)	/* EDX */
#define HYPERV_CRASH_MSRS	BIT(10)
#define HYPERV_DEBUG_MSRS	BIT(11)
#define HYPERV_DEBUGGER		0x40000080	/* its leaves, the last */

#define HYPERVISOR_LEAVES	0x40000000U
#define HYPERVISOR_NEXT		0x100U	/* where a second one may show itself */

void cpuid_hyperv_add(struct cpuid_table *table, const struct cpuid_table *hyperv)
{
	uint32_t highest = HYPERVISOR_LEAVES;

	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &table->entry[i];

		if (entry->function == HYPERVISOR_LEAVES && entry->eax)
			entry->eax += HYPERVISOR_NEXT;
		if (entry->function >> 8 == HYPERVISOR_LEAVES >> 8)
			entry->function += HYPERVISOR_NEXT;
	}
	for (uint32_t i = 0; i < hyperv->head.nent; i++) {
		const struct kvm_cpuid_entry2 *from = &hyperv->entry[i];
		struct kvm_cpuid_entry2 *entry;

		if (from->function >= HYPERV_DEBUGGER)
			continue;
		entry = entry_make(table, from->function, from->index);
		if (!entry)
			return;
		*entry = *from;
		if (entry->function > highest)
			highest = entry->function;
		if (entry->function == HYPERV_FEATURES) {
			entry->ebx &= (uint32_t)~(HYPERV_POST_MESSAGES | HYPERV_SIGNAL_EVENTS |
						  HYPERV_DEBUGGING);
			entry->edx &= (uint32_t)~(HYPERV_GUEST_DEBUGGING | HYPERV_CRASH_MSRS |
						  HYPERV_DEBUG_MSRS);
		}
	}
	if (entry_find(table, HYPERVISOR_LEAVES, 0))
		entry_find(table, HYPERVISOR_LEAVES, 0)->eax = highest;
}

/* ---- topology ---- */

/* How many bits of an APIC ID number the cores of a package. */
static uint32_t core_bits(unsigned int cpus)
{
	uint32_t bits = 0;

	while (1U << bits < cpus)
		bits++;
	return bits;
}

/* Leaves 0xb and 0x1f: threads of a core, cores of the package, the end. SDM vol. 3, "Hierarchical
 * mapping of CPU topology". */
static void place_levels(struct cpuid_table *table, uint32_t leaf, uint32_t apic_id,
			 unsigned int cpus)
{
	const struct {
		uint32_t shift, cpus, type;
	} levels[] = { { 0, 1, 1 }, { core_bits(cpus), cpus, 2 }, { 0, 0, 0 } };

	if (!entry_find(table, leaf, 0))
		return;
	for (uint32_t i = 0; i < ARRAY_SIZE(levels); i++) {
		struct kvm_cpuid_entry2 *entry = entry_make(table, leaf, i);

		if (!entry)
			return;
		entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		entry->eax = levels[i].shift;
		entry->ebx = levels[i].cpus;
		entry->ecx = levels[i].type << 8 | i;
		entry->edx = apic_id;
	}
}

/* Who shares a cache: Intel's leaf 4 and AMD's 0x8000001d have it in the same bits. */
static void place_cache(struct kvm_cpuid_entry2 *entry, unsigned int cpus)
{
	uint32_t ids = (1U << core_bits(cpus)) - 1;
	uint32_t level = entry->eax >> 5 & 7;

	if ((entry->eax & 0x1f) == 0)
		return;		/* the end of the list */
	entry->eax = (entry->eax & 0x3fff) | (level >= 3 ? ids & 0xfff : 0) << 14;
	if (entry->function == 4)
		entry->eax |= (ids < 63 ? ids : 63) << 26;
}

static void place_entry(struct kvm_cpuid_entry2 *entry, uint32_t apic_id, unsigned int cpus,
			bool amd, bool topoext)
{
	uint32_t many = cpus > 1, count = 1U << core_bits(cpus);

	switch (entry->function) {
	case 1:	/* HTT: EBX[23:16] holds how many APIC IDs the package takes */
		entry->ebx = (entry->ebx & 0xffff) | apic_id << 24 |
			     (many ? (count < 255 ? count : 255) << 16 : 0);
		entry->edx = (entry->edx & ~(1U << 28)) | many << 28;
		break;
	case 4:
	case 0x8000001d:
		place_cache(entry, cpus);
		break;
	case 0x80000001: /* CmpLegacy: the count in leaf 1 is of cores */
		entry->ecx = (entry->ecx & ~2U) | (amd ? many << 1 : 0);
		break;
	case 0x80000008:
		entry->ecx = amd ? core_bits(cpus) << 12 | (cpus - 1) : 0;
		break;
	case 0x8000001e: /* one thread a core, one node */
		entry->eax = topoext ? apic_id : 0;
		entry->ebx = topoext ? apic_id & 0xff : 0;
		entry->ecx = entry->edx = 0;
		break;
	}
}

void cpuid_place(struct cpuid_table *table, uint32_t apic_id, unsigned int cpus)
{
	bool amd = vendor_is_amd(table), topoext = cpuid_has(table, "topoext");

	for (uint32_t i = 0; i < table->head.nent; i++)
		place_entry(&table->entry[i], apic_id, cpus, amd, topoext);
	place_levels(table, 0xb, apic_id, cpus);
	place_levels(table, 0x1f, apic_id, cpus);
}
