/* SPDX-License-Identifier: MIT */
/* The instructions that C has no words for, one line each. */
#ifndef CPU_H
#define CPU_H

#include "trap.h"
#include "x86.h"

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* As above, for an MSR that may not be there. False: it faulted, trap_last() says how. */
static inline bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0;

	trap_forget();
	asm volatile("1: rdmsr\n2:\n" FIXUP("1b", "2b")
		     : "+a"(low), "+d"(high) : "c"(msr) : "memory");
	*value = low | (uint64_t)high << 32;
	return !trap_last()->taken;
}

static inline bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	trap_forget();
	asm volatile("1: wrmsr\n2:\n" FIXUP("1b", "2b")
		     : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
	return !trap_last()->taken;
}

/* In order with what stands before and behind. */
static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("lfence\nrdtsc\nlfence" : "=a"(low), "=d"(high) : : "memory");
	return low | (uint64_t)high << 32;
}

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* Which CPU this is: its APIC ID. L1 has no other use for GS. */
static inline unsigned int cpu_number(void)
{
	return (unsigned int)rdmsr(MSR_GS_BASE);
}

#define CR_ACCESSORS(name)								\
	static inline uint64_t name##_read(void)					\
	{										\
		uint64_t value;								\
		asm volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");		\
		return value;								\
	}										\
	static inline void name##_write(uint64_t value)					\
	{										\
		asm volatile("mov %0, %%" #name : : "r"(value) : "memory");		\
	}
CR_ACCESSORS(cr0)
CR_ACCESSORS(cr3)
CR_ACCESSORS(cr4)

/* As cr4_write(), for bits that may be refused. */
static inline bool cr4_write_safe(uint64_t value)
{
	trap_forget();
	asm volatile("1: mov %0, %%cr4\n2:\n" FIXUP("1b", "2b") : : "r"(value) : "memory");
	return !trap_last()->taken;
}

static inline uint64_t cr2_read(void)
{
	uint64_t value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

struct descriptor_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void lidt(const struct descriptor_table *table)
{
	asm volatile("lidt %0" : : "m"(*table));
}

static inline void lgdt(const struct descriptor_table *table)
{
	asm volatile("lgdt %0" : : "m"(*table));
}

static inline void ltr(uint16_t selector)
{
	asm volatile("ltr %0" : : "r"(selector));
}

#endif
