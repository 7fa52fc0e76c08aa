// SPDX-License-Identifier: MIT
// Start states of a vCPU.
#include "start.h"

#include "error.h"
#include "x86.h"

#include <errno.h>

/* Flat 4 GiB segments; descriptor types of SDM vol. 3 "Code- and Data-Segment Descriptor Types". */
static const struct kvm_segment flat_code = {
	.limit = UINT32_MAX, .type = 0xb /* execute/read, accessed */, .present = 1, .db = 1, .s = 1,
	.g = 1,
};
static const struct kvm_segment flat_code64 = {
	.limit = UINT32_MAX, .type = 0xb, .present = 1, .l = 1, .s = 1, .g = 1,
};
static const struct kvm_segment flat_data = {
	.limit = UINT32_MAX, .type = 0x3 /* read/write, accessed */, .present = 1, .db = 1, .s = 1,
	.g = 1,
};
static const struct kvm_segment flat_tss = {
	.limit = 0x67, .type = 0xb /* busy TSS */, .present = 1,
};

#define GDT_ENTRIES 8
#define PDPT_ENTRIES 4	/* 4 GiB */

/* A descriptor as it lies in a GDT (SDM vol. 3 "Segment Descriptors"), base 0. */
static uint64_t descriptor(const struct kvm_segment *segment)
{
	return 0xffff | (uint64_t)(segment->type | segment->s << 4 | segment->present << 7) << 40 |
	       (uint64_t)(0xf | segment->l << 5 | segment->db << 6 | segment->g << 7) << 48;
}

/* The GDT that the selectors speak of: Linux demands it, and a guest may reload a segment. */
static void gdt_write(const struct start *start, uint64_t *gdt, const struct kvm_segment *code,
		      struct kvm_sregs *sregs)
{
	gdt[start->code_selector / 8 % GDT_ENTRIES] = descriptor(code);
	gdt[start->data_selector / 8 % GDT_ENTRIES] = descriptor(&flat_data);
	sregs->gdt.base = start->tables + START_TABLES_SIZE - 4096;
	sregs->gdt.limit = GDT_ENTRIES * 8 - 1;
}

static void paging_write(uint64_t *table, gpa_t gpa)
{
	uint64_t *pdpt = table + 512, *pd = table + 1024;

	table[0] = (gpa + 4096) | PTE_P | PTE_W;
	for (uint64_t i = 0; i < PDPT_ENTRIES; i++)
		pdpt[i] = (gpa + 4096 * (2 + i)) | PTE_P | PTE_W;
	for (uint64_t i = 0; i < PDPT_ENTRIES * 512; i++)
		pd[i] = i << 21 | PTE_P | PTE_W | PTE_PS;
}

static void segments_set(const struct start *start, const struct kvm_segment *code,
			 struct kvm_sregs *sregs)
{
	struct kvm_segment data = flat_data;

	data.selector = start->data_selector;
	sregs->cs = *code;
	sregs->cs.selector = start->code_selector;
	sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
	sregs->tr = flat_tss;
	sregs->idt.limit = sregs->gdt.limit = 0;
	sregs->cr0 = CR0_PE | CR0_ET; /* ET is hard-wired to one */
	sregs->cr4 = 0;
	sregs->efer = 0;
}

static void real_set(const struct start *start, struct kvm_sregs *sregs)
{
	struct kvm_segment *const data[] = { &sregs->ds, &sregs->es, &sregs->ss, &sregs->fs,
					     &sregs->gs };

	sregs->cs.selector = start->code_selector;
	sregs->cs.base = start->code_selector * 16U;
	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		data[i]->selector = start->data_selector;
		data[i]->base = start->data_selector * 16U;
	}
}

int start_apply(const struct start *start, const struct memory *memory, const struct vcpu *vcpu)
{
	const struct kvm_segment *code = start->mode == START_LONG ? &flat_code64 : &flat_code;
	uint64_t *tables = memory_at(memory, start->tables, START_TABLES_SIZE);
	struct kvm_regs regs = { .rip = start->entry, .rax = start->rax, .rbx = start->rbx,
				 .rsi = start->rsi, .rsp = start->rsp, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;
	int r = vcpu_sregs_get(vcpu, &sregs);

	if (r < 0)
		return r;
	if (start->mode == START_LONG && (!start->tables || !tables))
		return fail(EINVAL, "start", "no guest memory for page tables");
	if (start->mode == START_REAL) {
		real_set(start, &sregs);
		regs.rip -= sregs.cs.base;
	} else {
		segments_set(start, code, &sregs);
		if (start->tables && tables)
			gdt_write(start, tables + START_TABLES_SIZE / 8 - 512, code, &sregs);
	}
	if (start->mode == START_LONG) {
		paging_write(tables, start->tables);
		sregs.cr3 = start->tables;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
		sregs.cr0 |= CR0_PG;
	}
	r = vcpu_sregs_set(vcpu, &sregs);
	return r < 0 ? r : vcpu_regs_set(vcpu, &regs);
}
