// SPDX-License-Identifier: MIT
// CPU models: text, features, what a guest's CPUID becomes, and near names.
#include "unit.h"

#include "cpu_model.h"
#include "error.h"
#include "near.h"

#include <errno.h>

#define ONES 0xffffffff

/* What an Intel KVM could say, made up: every feature register full of ones, XSAVE with AVX, MPX,
 * AVX-512 and PKU, a shared L3 cache. */
static const struct cpuid_table full = {
	.head.nent = 26,
	.entry = {
		{ .function = 0, .eax = 0x1f, .ebx = 0x756e6547, .edx = 0x49656e69,
		  .ecx = 0x6c65746e },
		{ .function = 1, .eax = 0x000906ea, .ebx = 0x07100800, .ecx = ONES, .edx = ONES },
		{ .function = 4, .index = 0, .eax = 0xfc000121 },
		{ .function = 4, .index = 1, .eax = 0xfc03c163, .ebx = 0x03c0003f },
		{ .function = 6, .eax = 4 },
		{ .function = 7, .eax = 1, .ebx = ONES, .ecx = ONES, .edx = ONES },
		{ .function = 7, .index = 1, .eax = ONES, .edx = ONES },
		{ .function = 0xa, .eax = 0x07300402, .ebx = 0, .edx = 0x603 },
		{ .function = 0xb, .index = 0, .edx = 9 },
		{ .function = 0xd, .index = 0, .eax = 0x2ff, .ebx = 0xa88, .ecx = 0xa88 },
		{ .function = 0xd, .index = 1, .eax = 0xf },
		{ .function = 0xd, .index = 2, .eax = 0x100, .ebx = 0x240 },
		{ .function = 0xd, .index = 5, .eax = 0x40, .ebx = 0x440 },
		{ .function = 0xd, .index = 6, .eax = 0x200, .ebx = 0x480 },
		{ .function = 0xd, .index = 7, .eax = 0x400, .ebx = 0x680 },
		{ .function = 0xd, .index = 9, .eax = 0x8, .ebx = 0xa80 },
		{ .function = 0x1f, .index = 0, .edx = 9 },
		{ .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b, .ecx = 0x564b4d56,
		  .edx = 0x4d },
		{ .function = 0x40000001, .eax = ONES },
		{ .function = 0x80000000, .eax = 0x8000001f, .ebx = 0x756e6547, .edx = 0x49656e69,
		  .ecx = 0x6c65746e },
		{ .function = 0x80000001, .ecx = ONES, .edx = ONES },
		{ .function = 0x80000007, .edx = ONES },
		{ .function = 0x80000008, .eax = 0x00343934, .ebx = ONES, .ecx = 0x700f },
		{ .function = 0x8000000a, .eax = 1, .ebx = 8, .edx = ONES },
		{ .function = 0x8000001e, .eax = 9, .ebx = 0x101, .ecx = 0x303 },
		{ .function = 0x8000001f, .eax = ONES },
	},
};

static const struct kvm_cpuid_entry2 *entry_at(const struct cpuid_table *table, uint32_t leaf,
					       uint32_t subleaf)
{
	static const struct kvm_cpuid_entry2 none;

	for (uint32_t i = 0; i < table->head.nent; i++)
		if (table->entry[i].function == leaf && table->entry[i].index == subleaf)
			return &table->entry[i];
	return &none;
}

/* What a guest with -cpu `text` finds, of `kvm`. */
static struct cpuid_table guest_of(const struct cpuid_table *kvm, const char *text)
{
	struct cpuid_table table = *kvm;
	struct cpu_model model;

	EXPECT(cpu_model_parse(&model, text) == 0, "%s: %s", text, error_last()->text);
	model.offered_only = true;
	cpu_model_apply(&model, &table, 0);
	return table;
}

static void features_whole(void)
{
	for (const struct cpu_feature *row = cpu_features; row->name; row++) {
		EXPECT(row->bit < (row->reg == FEATURE_MSR ? 64 : 32), "%s", row->name);
		EXPECT(strcmp(cpu_feature_find(row->name)->name, row->name) == 0, "%s", row->name);
		for (const struct cpu_feature *other = row + 1; other->name; other++) {
			bool same = other->leaf == row->leaf && other->subleaf == row->subleaf &&
				    other->reg == row->reg;

			EXPECT(!same || other->bit > row->bit, "%s is not behind %s", other->name,
			       row->name);
			EXPECT(same || strcmp(other->name, row->name) != 0, "%s twice", row->name);
			/* the masks of models rely on it */
			EXPECT(!same || (other[-1].leaf == row->leaf && other[-1].reg == row->reg),
			       "%s is away from its register's others", other->name);
		}
	}
}

static void features_spelled(void)
{
	static const char *const rows[][2] = {
		{ "tsc_deadline", "tsc-deadline" }, { "nrip_save", "nrip-save" },
		{ "sse4_1", "sse4.1" },		    { "sse4-2", "sse4.2" },
		{ "SVM", "svm" },		    { "sse3", "pni" },
		{ "xd", "nx" },			    { "kvm_pv_eoi", "kvm-pv-eoi" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cpu_feature *feature = cpu_feature_find(rows[i][0]);

		EXPECT(feature && strcmp(feature->name, rows[i][1]) == 0, "%s", rows[i][0]);
	}
	EXPECT(!cpu_feature_find("warp") && !cpu_feature_find("") && !cpu_feature_find("svmx"),
	       "none");
}

/* Every word of a model is a feature, every parent a model before it. */
static void models_whole(void)
{
	for (const struct cpu_definition *row = cpu_definitions; row->name; row++) {
		const char *at = row->features ? row->features : "";

		EXPECT(cpu_definition_find(row->name) == row, "%s", row->name);
		EXPECT(!row->parent || (cpu_definition_find(row->parent) &&
					cpu_definition_find(row->parent) < row),
		       "%s: parent %s", row->name, row->parent);
		EXPECT(!row->level || strlen(row->vendor) == CPU_VENDOR_LENGTH, "%s", row->name);
		EXPECT(row->about && strlen(row->about) < 48, "%s", row->name);
		while (*at) {
			char word[40];
			size_t length = strcspn(at += *at == '-', " ");

			memcpy(word, at, length);
			word[length] = '\0';
			EXPECT(cpu_feature_find(word) &&
				       strcmp(cpu_feature_find(word)->name, word) == 0,
			       "%s: %s", row->name, word);
			at += length;
			at += strspn(at, " ");
		}
	}
}

static void text_bad(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "unknown model ''" },
		{ "hots", "unknown model 'hots'; did you mean 'host'?" },
		{ "Hasswell", "did you mean 'Haswell'?" },
		{ "host,", "unknown feature ''" },
		{ "host,+", "unknown feature ''" },
		{ "host,+smv", "unknown feature 'smv'; did you mean 'svm'?" },
		{ "host,svm=maybe", "svm takes on, off or force" },
		{ "host,vendor=Intel", "vendor takes 12 letters" },
		{ "host,phys-bits=31", "phys-bits takes a number from 32 to 52" },
		{ "host,phys-bits=-1", "phys-bits takes" },
		{ "host,phys-bits", "phys-bits takes" },
		{ "host,level=0x100", "level takes" },
		{ "host,hv_passthrough=some", "hv_passthrough takes on or off" },
		{ "host,hv-relaxed=on", "Hyper-V is shown as KVM has it (hv-passthrough)" },
	};
	static char many[1024] = "host";
	struct cpu_model model;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(cpu_model_parse(&model, rows[i].text) == -EINVAL, "%s", rows[i].text);
		EXPECT_HAS(error_last()->text, rows[i].says);
	}
	for (int i = 0; i <= CPU_MODEL_CHANGES; i++)
		strcat(many, ",-svm");
	EXPECT(cpu_model_parse(&model, many) == -EINVAL, "one too many");
}

static void text_wants(void)
{
	struct cpu_model model = { 0 };

	EXPECT(cpu_model_wants(&model, "svm") == 0, "all zero is host");
	EXPECT(cpu_model_parse(&model, "host,svm,vmx=off,+npt,-npt,nrip_save=force") == 0, "%s",
	       error_last()->text);
	EXPECT(cpu_model_wants(&model, "svm") == 1, "svm");
	EXPECT(cpu_model_wants(&model, "vmx") == -1, "vmx");
	EXPECT(cpu_model_wants(&model, "npt") == -1, "the last counts");
	EXPECT(cpu_model_wants(&model, "nrip-save") == 1, "nrip-save");
	model.no_virt = true;
	EXPECT(cpu_model_wants(&model, "svm") == -1, "--nested off");
}

static void host_is_kvms(void)
{
	struct cpuid_table guest = guest_of(&full, "host");

	EXPECT(entry_at(&guest, 7, 0)->ebx == ONES && entry_at(&guest, 1, 0)->ecx == ONES,
	       "features");
	EXPECT(entry_at(&guest, 0x40000000, 0)->ebx == 0x4b4d564b, "KVM's signature");
	EXPECT(entry_at(&guest, 0x80000008, 0)->eax == 0x00343934, "address bits");
	EXPECT(entry_at(&guest, 0xd, 0)->ecx == 0xa88 && entry_at(&guest, 0xa, 0)->eax, "the rest");
	guest = guest_of(&full, "host-model");
	EXPECT(!cpuid_has(&guest, "invtsc") && cpuid_has(&guest, "svm"), "host-model");
	EXPECT(entry_at(&guest, 0x80000007, 0)->edx == ~(1U << 8), "what has no name stays");
	guest = guest_of(&full, "max,migratable=on");
	EXPECT(!cpuid_has(&guest, "invtsc"), "migratable=on");
}

/* The probe's way: "+svm" stands against KVM's word; for a test kernel it is dropped, and named. */
static void features_asked(void)
{
	struct cpuid_table none = { .head.nent = 3,
				    .entry = { { .function = 0, .eax = 0xb },
					       { .function = 1, .ecx = 1U << 5, .ebx = 0x07000000 },
					       { .function = 0xb, .edx = 7 } } };
	struct cpuid_table guest = none;
	struct cpu_model model;
	char text[64];

	EXPECT(cpuid_has(&guest, "vmx") && !cpuid_has(&guest, "svm"), "as KVM gave it");
	EXPECT(cpu_model_parse(&model, "host,-vmx,+svm,+smep") == 0, "%s", error_last()->text);
	EXPECT(cpu_model_unmet(&model, NULL, &none, text, sizeof(text)) == 1, "%s", text);
	cpu_model_apply(&model, &guest, 2);
	EXPECT(!cpuid_has(&guest, "vmx") && cpuid_has(&guest, "svm"), "as the model wants it");
	EXPECT(!cpuid_has(&guest, "smep"), "which KVM has not got");
	EXPECT(guest.entry[1].ebx == 0x02000000, "APIC ID 0x%x", guest.entry[1].ebx);
	EXPECT(guest.entry[2].edx == 2, "x2APIC ID %u", guest.entry[2].edx);

	model.offered_only = true;
	EXPECT(cpu_model_unmet(&model, NULL, &none, text, sizeof(text)) == 2, "%s", text);
	EXPECT_STR(text, "svm, smep");
	guest = none;
	cpu_model_apply(&model, &guest, 0);
	EXPECT(!cpuid_has(&guest, "svm"), "QEMU's +svm");
	guest = guest_of(&none, "host,svm=force");
	EXPECT(cpuid_has(&guest, "svm"), "=force");
	guest = guest_of(&full, "host,-svm");
	EXPECT(entry_at(&guest, 0x8000000a, 0)->edx == 0, "no SVM, nothing to say of it");
	EXPECT(cpu_model_unmet(&model, NULL, &none, text, 4) == 2, "cut short");
	EXPECT_STR(text, "svm");
}

static void model_hides(void)
{
	struct cpuid_table guest = guest_of(&full, "qemu64");
	static const char *const hidden[] = { "vmx",  "svm",  "pcid",   "invpcid", "umip",   "avx",
					      "xsave", "smep", "rdtscp", "invtsc",  "nrip-save" };

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		EXPECT(!cpuid_has(&guest, hidden[i]), "qemu64 shows %s", hidden[i]);
	EXPECT(cpuid_has(&guest, "lm") && cpuid_has(&guest, "x2apic") && cpuid_has(&guest, "cx16"),
	       "has");
	EXPECT(cpuid_has(&guest, "kvmclock") && !cpuid_has(&guest, "kvm-pv-unhalt"), "KVM's");
	EXPECT(memcmp(&entry_at(&guest, 0, 0)->ebx, "Auth", 4) == 0, "AuthenticAMD");
	EXPECT(memcmp(&entry_at(&guest, 0x80000002, 0)->eax, "QEMU Virtual CPU", 16) == 0, "brand");
	EXPECT(entry_at(&guest, 0, 0)->eax == 13 && entry_at(&guest, 0x1f, 0)->edx == 0, "level");
	EXPECT(entry_at(&guest, 0x80000000, 0)->eax == 0x8000000a, "extended level");
	EXPECT(entry_at(&guest, 1, 0)->eax == 0x00060fb1, "0x%x", entry_at(&guest, 1, 0)->eax);
	EXPECT(entry_at(&guest, 0x80000001, 0)->edx & 1, "AMD repeats leaf 1");
	EXPECT((entry_at(&guest, 0x80000008, 0)->eax & 0xffff) == 0x3028, "40 and 48 bits");
	EXPECT(entry_at(&guest, 0xd, 0)->eax == 0 && entry_at(&guest, 0xa, 0)->eax == 0, "leaves");

	guest = guest_of(&full, "qemu64,-pcid,+invpcid");
	EXPECT(!cpuid_has(&guest, "pcid") && cpuid_has(&guest, "invpcid"), "each for itself");
	guest = guest_of(&full, "kvm64,+svm,+npt");
	EXPECT(entry_at(&guest, 0x80000000, 0)->eax == 0x8000000a, "raised for SVM's leaf");
	EXPECT(entry_at(&guest, 0x8000000a, 0)->edx == 1, "npt alone");
	guest = guest_of(&full, "Opteron_G1,+smep");
	EXPECT(entry_at(&guest, 0, 0)->eax == 7, "raised for SMEP's leaf");
}

static void model_inherits(void)
{
	struct cpuid_table guest =
		guest_of(&full, "IvyBridge,phys-bits=36,host-phys-bits=off,+vmx");

	EXPECT(cpuid_has(&guest, "vmx") && cpuid_has(&guest, "smep") && cpuid_has(&guest, "ssse3"),
	       "has");
	EXPECT(!cpuid_has(&guest, "avx2") && !cpuid_has(&guest, "svm"), "has not");
	EXPECT((entry_at(&guest, 0x80000008, 0)->eax & 0xff) == 36, "36 bits");
	EXPECT(entry_at(&guest, 0xd, 0)->eax == 7, "XSAVE: x87, SSE, AVX");
	EXPECT(entry_at(&guest, 0xd, 0)->ecx == 0x340, "0x%x", entry_at(&guest, 0xd, 0)->ecx);
	EXPECT(entry_at(&guest, 0xd, 9)->eax == 0, "no PKU");
	EXPECT((entry_at(&guest, 0x80000001, 0)->edx & 0x0183f3ff) == 0, "Intel repeats nothing");
	guest = guest_of(&full, "Skylake-Server,host-phys-bits");
	EXPECT(cpuid_has(&guest, "avx512f") && entry_at(&guest, 0xd, 0)->eax == 0x2e7,
	       "AVX-512 and PKU");
	EXPECT((entry_at(&guest, 0x80000008, 0)->eax & 0xff) == 0x34, "the host's");
	guest = guest_of(&full, "Conroe");
	EXPECT(!cpuid_has(&guest, "cx16") && cpuid_has(&guest, "lahf-lm"), "a parent's less one");
}

static void settings(void)
{
	struct cpuid_table guest =
		guest_of(&full, "max,vendor=AuthenticAMD,model-id=A CPU,family=25,"
				"model=1,stepping=2,level=7,pmu=off");

	EXPECT(memcmp(&entry_at(&guest, 0x80000000, 0)->ecx, "cAMD", 4) == 0, "vendor");
	EXPECT(memcmp(&entry_at(&guest, 0x80000002, 0)->eax, "A CPU", 6) == 0, "brand");
	EXPECT(entry_at(&guest, 1, 0)->eax == 0x00a00f12, "0x%x", entry_at(&guest, 1, 0)->eax);
	EXPECT(entry_at(&guest, 0x80000001, 0)->eax == 0x00a00f12, "AMD repeats it");
	EXPECT(entry_at(&guest, 0, 0)->eax == 7 && entry_at(&guest, 0xd, 0)->eax == 0, "level");
	guest = guest_of(&full, "host,kvm=off");
	EXPECT(entry_at(&guest, 0x40000000, 0)->ebx == 0, "no signature");
	guest = guest_of(&full, "host,-pku,-xsave,-kvmclock");
	EXPECT(entry_at(&guest, 0xd, 0)->eax == 0, "no XSAVE, no area");
	EXPECT((entry_at(&guest, 0x40000001, 0)->eax & 9) == 0, "both of kvmclock's bits");
}

static void topology(void)
{
	struct cpuid_table guest = guest_of(&full, "EPYC,+svm");

	for (unsigned int id = 0; id < 3; id++) {
		cpuid_place(&guest, id, 3);
		EXPECT(entry_at(&guest, 1, 0)->ebx == (id << 24 | 4 << 16 | 0x0800), "CPU %u", id);
		EXPECT(entry_at(&guest, 1, 0)->edx >> 28 & 1, "HTT");
		EXPECT(entry_at(&guest, 0x80000001, 0)->ecx & 2, "CmpLegacy");
		EXPECT(entry_at(&guest, 0x80000008, 0)->ecx == 0x2002, "3 cores, 2 bits");
		EXPECT(entry_at(&guest, 0x8000001e, 0)->eax == id, "extended APIC ID");
		EXPECT(entry_at(&guest, 0x8000001e, 0)->ebx == id, "core ID");
		EXPECT(entry_at(&guest, 4, 0)->eax == 0x0c000121, "L1: one's own");
		EXPECT(entry_at(&guest, 4, 1)->eax == 0x0c00c163, "L3: everyone's");
		EXPECT(entry_at(&guest, 0xb, 0)->ecx == 0x100 && entry_at(&guest, 0xb, 0)->ebx == 1,
		       "threads");
		EXPECT(entry_at(&guest, 0xb, 1)->eax == 2 && entry_at(&guest, 0xb, 1)->ebx == 3,
		       "cores");
		EXPECT(entry_at(&guest, 0xb, 1)->ecx == 0x201 &&
			       entry_at(&guest, 0xb, 1)->edx == id,
		       "x2APIC ID");
		EXPECT(entry_at(&guest, 0xb, 2)->ecx == 2, "the end");
	}
	guest = guest_of(&full, "host");
	EXPECT(entry_at(&guest, 1, 0)->ebx == 0x0800 && !(entry_at(&guest, 1, 0)->edx >> 28 & 1),
	       "one");
	cpuid_place(&guest, 40, 64);
	EXPECT(entry_at(&guest, 4, 1)->eax == 0xfc0fc163, "0x%x", entry_at(&guest, 4, 1)->eax);
	EXPECT(entry_at(&guest, 0x1f, 1)->ebx == 64 && entry_at(&guest, 0x1f, 1)->eax == 6, "0x1f");
	EXPECT(entry_at(&guest, 0x80000008, 0)->ecx == 0, "reserved on Intel");
}

/* Hyper-V stands first, KVM behind it, and what nobody here answers is not promised. */
static void hyperv_shown(void)
{
	static const struct cpuid_table hyperv = {
		.head.nent = 4,
		.entry = {
			{ .function = 0x40000000, .eax = 0x40000082, .ebx = 0x756e694c },
			{ .function = 0x40000001, .eax = 0x31237648 },
			{ .function = 0x40000003, .eax = ONES, .ebx = ONES, .edx = ONES },
			{ .function = 0x40000082, .eax = 2 },
		},
	};
	struct cpuid_table guest = guest_of(&full, "host,hv_passthrough");

	EXPECT(entry_at(&guest, 0x40000000, 0)->ebx == 0x4b4d564b, "not by cpu_model_apply()");
	cpuid_hyperv_add(&guest, &hyperv);
	EXPECT(entry_at(&guest, 0x40000000, 0)->eax == 0x40000003, "the highest leaf");
	EXPECT(entry_at(&guest, 0x40000001, 0)->eax == 0x31237648, "Hv#1");
	EXPECT(entry_at(&guest, 0x40000100, 0)->eax == 0x40000101, "KVM's highest");
	EXPECT(entry_at(&guest, 0x40000100, 0)->ebx == 0x4b4d564b, "KVM's signature");
	EXPECT(entry_at(&guest, 0x40000101, 0)->eax == ONES, "KVM's features");
	EXPECT(entry_at(&guest, 0x40000003, 0)->eax == ONES, "the MSRs are KVM's");
	EXPECT(entry_at(&guest, 0x40000003, 0)->ebx == (ONES & ~0x1030U), "no messages, events");
	EXPECT(entry_at(&guest, 0x40000003, 0)->edx == (ONES & ~0xc02U), "no crash reports");
	EXPECT(entry_at(&guest, 0x40000082, 0)->eax == 0, "no debugger");
	guest = guest_of(&full, "host,kvm=off,hv-passthrough");
	cpuid_hyperv_add(&guest, &hyperv);
	EXPECT(entry_at(&guest, 0x40000001, 0)->eax == 0x31237648 &&
		       !entry_at(&guest, 0x40000100, 0)->eax,
	       "without KVM");
}

/* A table without room, and one without anything: nothing is written beyond them. */
static void tables_odd(void)
{
	static struct cpuid_table table;
	static struct cpu_model model;

	EXPECT(cpu_model_parse(&model, "qemu64,+smep,svm=force,vendor=GenuineIntel") == 0, "parse");
	table.head.nent = 0;
	cpu_model_apply(&model, &table, 0);
	table.head.nent = KVM_CPUID_ENTRIES;
	for (uint32_t i = 0; i < KVM_CPUID_ENTRIES; i++)
		table.entry[i] = (struct kvm_cpuid_entry2){ .function = 0x20 + i, .eax = 1 };
	cpu_model_apply(&model, &table, 0);
	cpuid_place(&table, 3, 4);
	cpuid_hyperv_add(&table, &full);
	EXPECT(table.head.nent <= KVM_CPUID_ENTRIES, "%u", table.head.nent);
}

static void near_names(void)
{
	static const struct {
		const char *a, *b;
		int distance;
	} rows[] = {
		{ "svm", "svm", 0 },  { "smv", "svm", 2 },	  { "svn", "svm", 3 },
		{ "sv", "svm", 3 },   { "kitten", "sitting", 9 }, { "", "abc", 9 },
		{ "SVM", "svm", 0 },  { "sse4_1", "sse4.1", 0 },
	};
	struct near near = { .word = "fsgbase" }, none = { .word = "x" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(near_distance(rows[i].a, rows[i].b) == rows[i].distance, "%s, %s: %d",
		       rows[i].a, rows[i].b, near_distance(rows[i].a, rows[i].b));
	EXPECT(near_distance("0123456789012345678901234567890123456789+", "a") == -1, "too long");
	near_offer(&near, "smep");
	near_offer(&near, "fsgsbase");
	near_offer(&near, "fsrm");
	EXPECT_STR(near_hint(&near), "; did you mean 'fsgsbase'?");
	near_offer(&none, "y");
	EXPECT_STR(near_hint(&none), "");
}

const struct unit_test cpu_model_tests[] = {
	{ "cpu: features are whole", features_whole },
	{ "cpu: features in other spellings", features_spelled },
	{ "cpu: models are whole", models_whole },
	{ "cpu: bad text is named", text_bad },
	{ "cpu: what the text wants", text_wants },
	{ "cpu: host is what KVM has", host_is_kvms },
	{ "cpu: features that KVM has not got", features_asked },
	{ "cpu: a model hides", model_hides },
	{ "cpu: a model inherits", model_inherits },
	{ "cpu: settings", settings },
	{ "cpu: topology", topology },
	{ "cpu: Hyper-V", hyperv_shown },
	{ "cpu: odd tables", tables_odd },
	{ "near: names", near_names },
	{ 0 },
};
