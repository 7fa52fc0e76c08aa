/* SPDX-License-Identifier: MIT */
/* Honest mistakes: what an L1 does wrong that is otherwise the real one, by -DBAD=BAD_... */
#ifndef BAD_H
#define BAD_H

enum bad {
	BAD_ENABLE,	/* VMXON where VMX is on; a reserved bit of EFER */
	BAD_CONTROL,	/* a control field that no CPU takes */
	BAD_HOST,	/* VMX: a host-state field likewise */
	BAD_STATE,	/* a state of L2's likewise */
	BAD_INTERCEPT,	/* SVM: L2's CPUID does not exit to L1 */
	BAD_REGION,	/* VMX: a VMCS of another revision */
	BAD_LEAVE,	/* VMX: VMXOFF once too often */
};

#endif
