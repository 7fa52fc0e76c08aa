// SPDX-License-Identifier: MIT
// What runs in L2.
#include "l2.h"

#include "contract.h"
#include "cpu.h"

volatile struct l2_mailbox l2_mailbox;
struct idt_gate l2_idt[L2_IDT_SIZE];
uint8_t l2_stack[L2_STACK_SIZE] __attribute__((aligned(16)));

/* L2's handlers: count, and step over the two bytes of a `div` by a register. */
void l2_on_interrupt(void);
void l2_on_divide_error(void);
void l2_on_nmi(void);
void l2_on_protection(void);
asm(".globl l2_on_interrupt, l2_on_divide_error, l2_on_nmi, l2_on_protection\n"
    "l2_on_nmi:\n"
    "incq l2_nmis(%rip)\n"
    "iretq\n"
    "l2_on_protection:\n"
    "incq l2_protections(%rip)\n"
    "popq l2_error(%rip)\n"
    "iretq\n"
    "l2_on_interrupt:\n"
    "incq l2_interrupts(%rip)\n"
    "iretq\n"
    "l2_on_divide_error:\n"
    "incq l2_divide_errors(%rip)\n"
    "addq $2, (%rsp)\n"
    "iretq\n");
volatile uint64_t l2_interrupts, l2_divide_errors, l2_nmis, l2_protections, l2_error;

void l2_idt_init(void)
{
	trap_gate_set(&l2_idt[VECTOR_DE], (const void *)(uintptr_t)l2_on_divide_error);
	trap_gate_set(&l2_idt[VECTOR_NMI], (const void *)(uintptr_t)l2_on_nmi);
	trap_gate_set(&l2_idt[VECTOR_GP], (const void *)(uintptr_t)l2_on_protection);
	trap_gate_set(&l2_idt[L2_INTERRUPT_VECTOR], (const void *)(uintptr_t)l2_on_interrupt);
}

void l2_hypercall(uint64_t rax)
{
	if (l2_mailbox.vmmcall)
		asm volatile("vmmcall" : "+a"(rax) : : "memory");
	else
		asm volatile("vmcall" : "+a"(rax) : : "memory");
}

static void hypercall_for_ever(uint64_t rax)
{
	for (;;)
		l2_hypercall(rax);
}

void l2_sign(void)
{
	uint32_t nonce = inl(PORT_WITNESS);

	outl(PORT_WITNESS, challenge_answer32(l2_mailbox.key, l2_mailbox.challenge, nonce));
}

_Noreturn void l2_done(void)
{
	l2_sign();
	for (;;)
		l2_hypercall(0);
}

void l2_idle(void)
{
	hypercall_for_ever(0);
}

void l2_challenge(uint64_t in_register)
{
	uint64_t answer = challenge_answer(in_register, l2_mailbox.challenge);

	l2_mailbox.answer = answer;
	hypercall_for_ever(answer);
}

/* RSP too: L2 has no stack while this runs, and takes no interrupt. */
#define INVERT(name)									\
	asm(".globl " #name "\n" #name ": .irp reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, "	\
	    "r8, r9, r10, r11, r12, r13, r14, r15\n notq %\\reg\n .endr\n")
INVERT(l2_invert_vmcall);
asm("vmcall\n jmp l2_invert_vmcall\n");
INVERT(l2_invert_vmmcall);
asm("vmmcall\n jmp l2_invert_vmmcall\n");

void l2_cpuid(uint64_t leaf)
{
	struct cpuid r = cpuid((uint32_t)leaf, 0);

	l2_mailbox.result[0] = r.eax;
	l2_mailbox.result[1] = r.ebx;
	l2_mailbox.result[2] = r.ecx;
	l2_mailbox.result[3] = r.edx;
	hypercall_for_ever(0);
}

void l2_port(uint64_t in_register)
{
	uint32_t nonce;

	outl(PORT_INTERCEPTED, (uint32_t)in_register);
	l2_mailbox.result[0] = inl(PORT_INTERCEPTED);
	nonce = inl(PORT_WITNESS);
	outl(PORT_WITNESS, challenge_answer32(in_register, l2_mailbox.challenge, nonce));
	hypercall_for_ever(0);
}

void l2_msr(uint64_t intercepted)
{
	l2_mailbox.result[0] = rdmsr((uint32_t)intercepted);
	l2_mailbox.result[1] = rdmsr(MSR_KERNEL_GS_BASE);
	hypercall_for_ever(0);
}

void l2_window(void)
{
	volatile uint64_t *window = (volatile uint64_t *)NESTED_WINDOW;

	*window = NESTED_MAGIC;
	l2_mailbox.result[0] = *window;
	hypercall_for_ever(0);
}

void l2_exceptions(void)
{
	asm volatile("ud2");
	asm volatile("xor %%ecx, %%ecx\ndiv %%ecx" : : : "rax", "rcx", "rdx", "cc");
	hypercall_for_ever(0);
}

void l2_undefined(void)
{
	asm volatile("ud2");
	hypercall_for_ever(0);
}
