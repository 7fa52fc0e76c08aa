// SPDX-License-Identifier: MIT
// Start states of a vCPU.
#include "start.h"

#include "x86.h"

/* Flat 4 GiB segments; descriptor types of SDM vol. 3 "Code- and Data-Segment Descriptor Types". */
static const struct kvm_segment flat_code = {
	.limit = UINT32_MAX, .selector = SELECTOR_CODE, .type = 0xb /* execute/read, accessed */,
	.present = 1, .db = 1, .s = 1, .g = 1,
};
static const struct kvm_segment flat_data = {
	.limit = UINT32_MAX, .selector = SELECTOR_DATA, .type = 0x3 /* read/write, accessed */,
	.present = 1, .db = 1, .s = 1, .g = 1,
};
static const struct kvm_segment flat_tss = {
	.limit = 0x67, .selector = SELECTOR_TSS, .type = 0xb /* busy 32-bit TSS */, .present = 1,
};

int start_pvh(const struct vcpu *vcpu, uint32_t entry, uint32_t ebx)
{
	struct kvm_regs regs = { .rip = entry, .rbx = ebx, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;
	int r = vcpu_sregs_get(vcpu, &sregs);

	if (r < 0)
		return r;
	sregs.cs = flat_code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = flat_data;
	sregs.tr = flat_tss;
	sregs.gdt.limit = sregs.idt.limit = 0;
	sregs.cr0 = CR0_PE | CR0_ET; /* ET is hard-wired to one */
	sregs.cr4 = 0;
	sregs.efer = 0;
	r = vcpu_sregs_set(vcpu, &sregs);
	return r < 0 ? r : vcpu_regs_set(vcpu, &regs);
}
