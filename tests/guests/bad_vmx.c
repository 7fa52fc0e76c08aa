// SPDX-License-Identifier: MIT
// The Intel half of an L1 that makes the mistake BAD: vmx.c, but for what it does last.
#define vmx vmx_honest
#include "vmx.c"
#undef vmx

#include "bad.h"

static enum l1_status vmx_enable_bad(struct outcome *outcome)
{
	uint64_t region = (uint64_t)vmxon_region();
	enum l1_status status = vmx_enable(outcome);

	if (BAD != BAD_ENABLE || status != L1_PASSED)
		return status;
	return vmx_say(outcome, "VMXON", vmxon(&region));
}

static enum l1_status vmx_load_bad(struct outcome *outcome)
{
	uint64_t other = (uint64_t)io_bitmap; /* starts with 0, which is no revision */
	enum l1_status status = vmx_load(outcome);

	if (BAD != BAD_REGION || status != L1_PASSED)
		return status;
	return vmx_say(outcome, "VMPTRLD", vmptrld(&other));
}

static void vmx_run_bad(struct l2 *l2, struct l2_exit *exit)
{
	if (BAD == BAD_CONTROL) /* "VM-Execution Control Fields": at most 4 */
		vmwrite(VMCS_CR3_TARGET_COUNT, 5);
	if (BAD == BAD_HOST)
		vmwrite(VMCS_HOST_CR4, cr4_read() & ~(uint64_t)CR4_VMXE);
	if (BAD == BAD_STATE) /* "Checks on Guest Non-Register State" */
		vmwrite(VMCS_LINK_POINTER, 1);
	vmx_run(l2, exit);
}

static enum l1_status vmx_disable_bad(struct outcome *outcome)
{
	if (BAD == BAD_LEAVE)
		asm volatile("vmxoff" : : : "cc", "memory");
	return vmx_disable(outcome);
}

const struct hv vmx = {
	.vendor = L1_VENDOR_VMX,
	.hypercall = "VMCALL",
	.nested_leaf = EPT_MEMORY_TYPE_WB << EPT_LEAF_TYPE_SHIFT,
	.present = vmx_present,
	.allowed = vmx_allowed,
	.enable = vmx_enable_bad,
	.load = vmx_load_bad,
	.nested_paging_offered = vmx_nested_paging_offered,
	.configure = vmx_configure,
	.run = vmx_run_bad,
	.disable = vmx_disable_bad,
	.exit_name = vmx_exit_name,
};
