// SPDX-License-Identifier: MIT
// The last look at a machine.
#include "dump.h"

#include "exit_words.h"
#include "x86.h"

#include <string.h>

static const char *or_none(const char *words)
{
	return words ? words : "minivmm has no words for that";
}

void dump_end(FILE *out, const struct machine *machine)
{
	const struct machine_result *result = &machine->result;
	const char *name = machine_exit_name(result->exit_reason);

	fprintf(out, "minivmm: CPU %u: ", result->cpu);
	switch (result->end) {
	case MACHINE_SHUTDOWN:
		fprintf(out, "triple fault");
		break;
	case MACHINE_HALTED:
		fprintf(out, "halted for good: every CPU waits with interrupts off");
		break;
	case MACHINE_FAIL_ENTRY:
		fprintf(out, "KVM could not enter the guest: 0x%llx, %s",
			(unsigned long long)result->hardware_reason,
			or_none(entry_failure_name(result->hardware_reason)));
		break;
	case MACHINE_INTERNAL_ERROR:
		fprintf(out, "KVM internal error, suberror %u: %s", result->suberror,
			or_none(internal_error_name(result->suberror)));
		break;
	case MACHINE_RUN_FAILED:
		fprintf(out, "KVM_RUN failed: %s", strerror(-result->err));
		break;
	case MACHINE_DEADLINE:
		fprintf(out, "time ran out");
		break;
	default:
		fprintf(out, "exit %s (%u), which minivmm does not handle", name ? name : "unknown",
			result->exit_reason);
	}
	fprintf(out, ", at RIP 0x%llx\n", (unsigned long long)result->rip);
}

static void registers(FILE *out, const struct kvm_regs *r)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "RAX", r->rax }, { "RBX", r->rbx }, { "RCX", r->rcx }, { "RDX", r->rdx },
		{ "RSI", r->rsi }, { "RDI", r->rdi }, { "RBP", r->rbp }, { "RSP", r->rsp },
		{ "R8 ", r->r8 },  { "R9 ", r->r9 },  { "R10", r->r10 }, { "R11", r->r11 },
		{ "R12", r->r12 }, { "R13", r->r13 }, { "R14", r->r14 }, { "R15", r->r15 },
		{ "RIP", r->rip }, { "RFL", r->rflags },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(out, "%s=%016llx%c", rows[i].name, (unsigned long long)rows[i].value,
			i % 4 == 3 || i + 1 == ARRAY_SIZE(rows) ? '\n' : ' ');
}

static void segments(FILE *out, const struct kvm_sregs *s)
{
	const struct {
		const char *name;
		const struct kvm_segment *segment;
	} rows[] = {
		{ "CS ", &s->cs }, { "DS ", &s->ds }, { "ES ", &s->es }, { "FS ", &s->fs },
		{ "GS ", &s->gs }, { "SS ", &s->ss }, { "TR ", &s->tr }, { "LDT", &s->ldt },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct kvm_segment *g = rows[i].segment;

		fprintf(out, "%s=%04x base=%016llx limit=%08x type=%x dpl=%u%s%s%s%s%s\n",
			rows[i].name, g->selector, (unsigned long long)g->base, g->limit, g->type,
			g->dpl, g->present ? " present" : "", g->s ? "" : " system",
			g->l ? " 64-bit" : g->db ? " 32-bit" : "", g->g ? " 4K" : "",
			g->unusable ? " unusable" : "");
	}
	fprintf(out, "GDT base=%016llx limit=%04x  IDT base=%016llx limit=%04x\n",
		(unsigned long long)s->gdt.base, s->gdt.limit, (unsigned long long)s->idt.base,
		s->idt.limit);
	fprintf(out, "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx EFER=%04llx\n",
		(unsigned long long)s->cr0, (unsigned long long)s->cr2, (unsigned long long)s->cr3,
		(unsigned long long)s->cr4, (unsigned long long)s->efer);
}

#define CODE_BYTES 16

static void code(FILE *out, const struct machine *machine, const struct cpu *cpu, uint64_t address)
{
	fprintf(out, "Code at RIP:");
	for (unsigned int i = 0; i < CODE_BYTES; i++) {
		const uint8_t *byte = NULL;
		gpa_t gpa;

		if (vcpu_translate(&cpu->vcpu, address + i, &gpa))
			byte = memory_at(&machine->memory, gpa, 1);
		fprintf(out, byte ? " %02x" : " ??", byte ? *byte : 0);
	}
	fprintf(out, "\n");
}

static void last_exits(FILE *out, const struct cpu *cpu)
{
	uint64_t first = cpu->exits > EXIT_LOG ? cpu->exits - EXIT_LOG : 0;

	fprintf(out, "Last exits of %llu:\n", (unsigned long long)cpu->exits);
	for (uint64_t i = first; i < cpu->exits; i++) {
		const struct exit_record *record = &cpu->log[i % EXIT_LOG];
		const char *name = machine_exit_name(record->reason);

		fprintf(out, "  %llu %s", (unsigned long long)i, name ? name : "unknown");
		if (record->size)
			fprintf(out, " %s 0x%llx, %u bytes", record->write ? "write" : "read",
				(unsigned long long)record->address, record->size);
		fprintf(out, "\n");
	}
}

/* APM vol. 2 "Processor Initialization State": CS and CR0 as nothing but a reset leaves them. */
static bool was_reset(const struct kvm_sregs *sregs)
{
	return sregs->cs.base == 0xffff0000 && sregs->cs.selector == 0xf000 &&
	       sregs->cr0 == 0x60000010;
}

/* What the numbers together usually mean. */
static const char *guess(const struct machine_result *result, const struct kvm_sregs *sregs)
{
	bool real = !(sregs->cr0 & CR0_PE);

	if (result->end == MACHINE_FAIL_ENTRY && result->hardware_reason == 0x80000021 && real)
		return "real-mode code on a CPU (or level below) without unrestricted guest";
	if (result->end == MACHINE_FAIL_ENTRY && result->hardware_reason == 7)
		return "the level below lacks a control that KVM uses; known: APIC virtualization in "
		       "emulated hosts (kvm_intel enable_apicv=0)";
	if (result->end == MACHINE_INTERNAL_ERROR &&
	    result->suberror == KVM_INTERNAL_ERROR_EMULATION && real)
		return "KVM emulates real mode here, and does not know this instruction";
	if (result->end == MACHINE_SHUTDOWN && was_reset(sregs))
		return "unknown: KVM's SVM resets the CPU at a triple fault, so these registers tell nothing";
	if (result->end == MACHINE_SHUTDOWN && sregs->idt.limit == 0)
		return "an exception or interrupt before there was an IDT";
	return NULL;
}

void dump_cpu(FILE *out, const struct machine *machine)
{
	const struct cpu *cpu = &machine->cpu[machine->result.cpu];
	const char *likely;
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (vcpu_regs_get(&cpu->vcpu, &regs) < 0 || vcpu_sregs_get(&cpu->vcpu, &sregs) < 0)
		return;
	registers(out, &regs);
	segments(out, &sregs);
	code(out, machine, cpu, sregs.cs.base + regs.rip);
	last_exits(out, cpu);
	likely = guess(&machine->result, &sregs);
	if (likely)
		fprintf(out, "Likely cause: %s\n", likely);
}
