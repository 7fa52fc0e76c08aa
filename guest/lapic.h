/* SPDX-License-Identifier: MIT */
/* L1's local APIC, in x2APIC mode: by MSRs, as its page is not mapped (SDM vol. 3 "Extended XAPIC
 * (x2APIC)"). */
#ifndef LAPIC_H
#define LAPIC_H

#include "hv.h"

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_TIMER_VECTOR 0x51
#define LAPIC_CALL_VECTOR 0x53
#define LAPIC_NOTIFY_VECTOR 0x52	/* nobody handles it: it must not reach L1 */

/* False: this CPU has no x2APIC. */
bool lapic_on(void);

/* One interrupt LAPIC_TIMER_VECTOR, `ticks` of the bus from now (KVM: nanoseconds). 0 = none. */
void lapic_timer(uint32_t ticks);

/* Takes the interrupts that are pending, and returns how many came from the timer since it was set. */
unsigned int lapic_timer_take(void);

/* An interrupt or an NMI to this CPU itself. L2 may do so, too. */
void lapic_interrupt_self(unsigned int vector);
void lapic_nmi_self(void);

/* INIT and SIPI: CPU `number` starts in real mode in the page of that number, below 1 MiB. */
void lapic_cpu_start(unsigned int number, unsigned int page);
/* The interrupt LAPIC_CALL_VECTOR to CPU `number`. L2 may do so, too. */
void lapic_call(unsigned int number);
/* Takes the interrupts that are pending; how many calls this CPU has had since it was asked last. */
unsigned int lapic_calls_take(void);

/* NMIs from now on are counted. */
void lapic_nmi_expect(void);
/* Takes the NMI that ended L2; returns how many were taken. `gone`: the exit has consumed it (VMX),
 * and L1's handler is to be called by hand. */
unsigned int lapic_nmi_take(bool gone);

#endif
