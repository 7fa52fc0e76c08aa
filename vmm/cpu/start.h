/* SPDX-License-Identifier: MIT */
/* The state in which a boot protocol wants the CPU. */
#ifndef START_H
#define START_H

#include "vcpu.h"

/*
 * 32-bit protected mode without paging, flat segments, interrupts off, as PVH enters a kernel
 * (Xen, docs/misc/pvh.pandoc): `entry` in EIP, `ebx` in EBX. Starts from the vCPU's own segment
 * state, so that what no protocol names (APIC base, LDT) stays as KVM made it.
 */
int start_pvh(const struct vcpu *vcpu, uint32_t entry, uint32_t ebx);

#endif
