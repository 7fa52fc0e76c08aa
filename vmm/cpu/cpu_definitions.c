// SPDX-License-Identifier: MIT
// The CPU models that -cpu knows: what each shows at most, of what KVM has. As QEMU (7.2, version 1
// of each) shows them under KVM: no VMX, SVM or MONITOR unless asked for.
#include "cpu_model.h"

#include "near.h"

#include <string.h>

#define INTEL "GenuineIntel"
#define AMD   "AuthenticAMD"

const struct cpu_definition cpu_definitions[] = {
	{ "host", .about = "all that this machine's KVM can show" },
	{ "max", .about = "the same as host" },
	{ "host-model", "host", "-invtsc", .about = "host, less what cannot move to another host" },

	{ "base", NULL,
	  "hypervisor x2apic kvmclock kvm-nopiodelay kvm-asyncpf kvm-steal-time kvm-pv-eoi "
	  "kvmclock-stable-bit",
	  "what a guest of KVM is always shown", AMD, 1, 0x80000008, 15, 6, 1 },
	{ "qemu64", "base",
	  "apic clflush cmov cx16 cx8 de fpu fxsr lahf-lm lm mca mce mmx msr mtrr nx pae "
	  "pat pge pni pse pse36 sep sse sse2 syscall tsc",
	  "QEMU Virtual CPU version 2.5+", AMD, 13, 0x8000000a, 15, 107, 1 },
	{ "kvm64", "qemu64", "-lahf-lm",
	  "Common KVM processor", INTEL, 13, 0x80000008, 15, 6, 1 },

	{ "Opteron_G1", "qemu64", "-cx16 -lahf-lm",
	  "AMD Opteron 240 (Gen 1 Class Opteron)", AMD, 5, 0x80000008, 15, 6, 1 },
	{ "Opteron_G2", "qemu64", "",
	  "AMD Opteron 22xx (Gen 2 Class Opteron)", AMD, 5, 0x8000000a, 15, 6, 1 },
	{ "Opteron_G3", "Opteron_G2", "abm misalignsse popcnt rdtscp sse4a",
	  "AMD Opteron 23xx (Gen 3 Class Opteron)", AMD, 5, 0x8000000a, 16, 2, 3 },
	{ "Opteron_G4", "Opteron_G3",
	  "3dnowprefetch aes avx fma4 npt nrip-save pclmulqdq pdpe1gb sse4.1 sse4.2 ssse3 "
	  "xop xsave",
	  "AMD Opteron 62xx class CPU", AMD, 13, 0x8000001a, 21, 1, 2 },
	{ "Opteron_G5", "Opteron_G4", "f16c fma tbm",
	  "AMD Opteron 63xx class CPU", AMD, 13, 0x8000001a, 21, 2, 0 },
	{ "EPYC", "Opteron_G5",
	  "adx arat avx2 bmi1 bmi2 clflushopt cr8legacy fxsr-opt fsgsbase mmxext movbe "
	  "osvw rdrand rdseed sha-ni smap smep topoext xgetbv1 xsavec xsaveopt -fma4 -tbm "
	  "-xop",
	  "AMD EPYC Processor", AMD, 13, 0x8000001e, 23, 1, 2 },
	{ "EPYC-Rome", "EPYC",
	  "amd-stibp clwb clzero ibpb perfctr-core rdpid umip wbnoinvd xsaveerptr xsaves",
	  "AMD EPYC-Rome Processor", AMD, 13, 0x8000001e, 23, 49, 0 },
	{ "EPYC-Milan", "EPYC-Rome", "amd-ssbd erms fsrm ibrs invpcid pcid pku svme-addr-chk",
	  "AMD EPYC-Milan Processor", AMD, 13, 0x8000001e, 25, 1, 1 },

	{ "Conroe", "qemu64", "ssse3 -cx16",
	  "Intel Celeron_4x0 (Conroe/Merom Class Core 2)", INTEL, 10, 0x80000008, 6, 15, 3 },
	{ "Penryn", "Conroe", "cx16 sse4.1",
	  "Intel Core 2 Duo P9xxx (Penryn Class Core 2)", INTEL, 10, 0x80000008, 6, 23, 3 },
	{ "Nehalem", "Penryn", "popcnt sse4.2",
	  "Intel Core i7 9xx (Nehalem Class Core i7)", INTEL, 11, 0x80000008, 6, 26, 3 },
	{ "Westmere", "Nehalem", "aes arat pclmulqdq",
	  "Westmere E56xx/L56xx/X56xx (Nehalem-C)", INTEL, 11, 0x80000008, 6, 44, 1 },
	{ "SandyBridge", "Westmere", "avx rdtscp tsc-deadline xsave xsaveopt",
	  "Intel Xeon E312xx (Sandy Bridge)", INTEL, 13, 0x80000008, 6, 42, 1 },
	{ "IvyBridge", "SandyBridge", "erms f16c fsgsbase rdrand smep",
	  "Intel Xeon E3-12xx v2 (Ivy Bridge)", INTEL, 13, 0x80000008, 6, 58, 9 },
	{ "Haswell", "IvyBridge", "abm avx2 bmi1 bmi2 fma hle invpcid movbe pcid rtm",
	  "Intel Core Processor (Haswell)", INTEL, 13, 0x80000008, 6, 60, 4 },
	{ "Broadwell", "Haswell", "3dnowprefetch adx rdseed smap",
	  "Intel Core Processor (Broadwell)", INTEL, 13, 0x80000008, 6, 61, 2 },
	{ "Skylake-Client", "Broadwell", "xgetbv1 xsavec",
	  "Intel Core Processor (Skylake)", INTEL, 13, 0x80000008, 6, 94, 3 },
	{ "Skylake-Server", "Skylake-Client",
	  "avx512bw avx512cd avx512dq avx512f avx512vl clflushopt clwb pdpe1gb pku",
	  "Intel Xeon Processor (Skylake)", INTEL, 13, 0x80000008, 6, 85, 4 },
	{ "Cascadelake-Server", "Skylake-Server", "avx512vnni spec-ctrl ssbd",
	  "Intel Xeon Processor (Cascadelake)", INTEL, 13, 0x80000008, 6, 85, 6 },
	{ "Icelake-Server", "Cascadelake-Server",
	  "avx512-vpopcntdq avx512bitalg avx512vbmi avx512vbmi2 gfni la57 umip vaes "
	  "vpclmulqdq wbnoinvd",
	  "Intel Xeon Processor (Icelake)", INTEL, 13, 0x80000008, 6, 134, 0 },
	{ .name = NULL },
};

const struct cpu_definition *cpu_definition_find(const char *name)
{
	for (const struct cpu_definition *at = cpu_definitions; at->name; at++)
		if (word_is(name, at->name))
			return at;
	return NULL;
}

/* 1 where `words` has "name", -1 for "-name", 0 where it has neither. */
static int words_say(const char *words, const char *name)
{
	size_t length = strlen(name);

	while (*words) {
		bool minus = *words == '-';
		size_t word = strcspn(words + minus, " ");

		if (word == length && strncmp(words + minus, name, length) == 0)
			return minus ? -1 : 1;
		words += minus + word;
		words += strspn(words, " ");
	}
	return 0;
}

bool cpu_definition_has(const struct cpu_definition *definition, const char *feature)
{
	int says = 0;

	while (definition && says == 0) {
		says = definition->features ? words_say(definition->features, feature) : 1;
		definition = definition->parent ? cpu_definition_find(definition->parent) : NULL;
	}
	return says > 0;
}
