// SPDX-License-Identifier: MIT
// L1's local APIC.
#include "lapic.h"

#include "cpu.h"

#define MSR_APIC_BASE		0x1b
#define APIC_BASE_ENABLE	(1U << 11)
#define APIC_BASE_X2APIC	(1U << 10)
#define MSR_X2APIC_ID		0x802
#define MSR_X2APIC_EOI		0x80b
#define MSR_X2APIC_SIVR		0x80f
#define MSR_X2APIC_ICR		0x830
#define MSR_X2APIC_LVT_TIMER	0x832
#define MSR_X2APIC_INIT_COUNT	0x838
#define MSR_X2APIC_DIV_CONF	0x83e
#define MSR_X2APIC_SELF_IPI	0x83f
#define SIVR_ENABLE		(1U << 8)
#define SPURIOUS_VECTOR		0x5f
#define DIVIDE_BY_1		0xb
#define ICR_NMI			(4U << 8)
#define ICR_INIT		(5U << 8)
#define ICR_STARTUP		(6U << 8)
#define ICR_ASSERT		(1U << 14)
#define ICR_DESTINATION_SHIFT	32

/* A constant by its name, in assembly. */
#define STRING_OF(words) #words
#define STRING(name) STRING_OF(name)

static volatile unsigned int timer_interrupts, nmis;

void lapic_on_timer(void);
asm(".globl lapic_on_timer\n"
    "lapic_on_timer:\n"
    "incl timer_interrupts(%rip)\n"
    "iretq\n");

void lapic_on_nmi(void);
asm(".globl lapic_on_nmi\n"
    "lapic_on_nmi:\n"
    "incl nmis(%rip)\n"
    "iretq\n");

/* Each CPU counts its own: its number is GS's base, cpu_number(). */
static volatile unsigned int calls[CPUS_MAX];
void lapic_on_call(void);
asm(".globl lapic_on_call\n"
    "lapic_on_call:\n"
    "push %rax\n"
    "push %rcx\n"
    "push %rdx\n"
    "mov $" STRING(MSR_GS_BASE) ", %ecx\n"
    "rdmsr\n"
    "incl calls(, %rax, 4)\n"
    "mov $" STRING(MSR_X2APIC_EOI) ", %ecx\n"
    "xor %eax, %eax\n"
    "xor %edx, %edx\n"
    "wrmsr\n"
    "pop %rdx\n"
    "pop %rcx\n"
    "pop %rax\n"
    "iretq\n");

bool lapic_on(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC))
		return false;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	wrmsr(MSR_X2APIC_SIVR, SIVR_ENABLE | SPURIOUS_VECTOR);
	wrmsr(MSR_X2APIC_DIV_CONF, DIVIDE_BY_1);
	wrmsr(MSR_X2APIC_LVT_TIMER, LAPIC_TIMER_VECTOR);
	trap_interrupt_set(LAPIC_TIMER_VECTOR, (const void *)(uintptr_t)lapic_on_timer);
	trap_interrupt_set(LAPIC_CALL_VECTOR, (const void *)(uintptr_t)lapic_on_call);
	return true;
}

void lapic_timer(uint32_t ticks)
{
	timer_interrupts = 0;
	wrmsr(MSR_X2APIC_INIT_COUNT, ticks);
}

unsigned int lapic_timer_take(void)
{
	asm volatile("sti\nnop\ncli" : : : "memory");
	if (timer_interrupts)
		wrmsr(MSR_X2APIC_EOI, 0);
	return timer_interrupts;
}

void lapic_interrupt_self(unsigned int vector)
{
	wrmsr(MSR_X2APIC_SELF_IPI, vector);
}

void lapic_nmi_expect(void)
{
	nmis = 0;
	trap_interrupt_set(VECTOR_NMI, (const void *)(uintptr_t)lapic_on_nmi);
}

unsigned int lapic_nmi_take(bool gone)
{
	/* its IRET ends the blocking of NMIs as well */
	if (gone)
		asm volatile("int $2" : : : "memory");
	return nmis;
}

void lapic_nmi_self(void)
{
	/* by its number: the shorthand "self" is for fixed interrupts alone */
	wrmsr(MSR_X2APIC_ICR, rdmsr(MSR_X2APIC_ID) << ICR_DESTINATION_SHIFT | ICR_NMI);
}

static void lapic_send(unsigned int number, uint32_t command)
{
	wrmsr(MSR_X2APIC_ICR, (uint64_t)number << ICR_DESTINATION_SHIFT | ICR_ASSERT | command);
}

void lapic_cpu_start(unsigned int number, unsigned int page)
{
	lapic_send(number, ICR_INIT);
	lapic_send(number, ICR_STARTUP | page);
}

void lapic_call(unsigned int number)
{
	lapic_send(number, LAPIC_CALL_VECTOR);
}

unsigned int lapic_calls_take(void)
{
	unsigned int number = cpu_number(), count;

	asm volatile("sti\nnop\ncli" : : : "memory");
	count = calls[number];
	calls[number] = 0;
	return count;
}
