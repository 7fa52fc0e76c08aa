/* SPDX-License-Identifier: MIT */
/* L1's local APIC, in x2APIC mode: by MSRs, as its page is not mapped (SDM vol. 3 "Extended XAPIC
 * (x2APIC)"). */
#ifndef LAPIC_H
#define LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_TIMER_VECTOR 0x51

/* False: this CPU has no x2APIC. */
bool lapic_on(void);

/* One interrupt LAPIC_TIMER_VECTOR, `ticks` of the bus from now (KVM: nanoseconds). 0 = none. */
void lapic_timer(uint32_t ticks);

/* Takes the interrupts that are pending, and returns how many came from the timer since it was set. */
unsigned int lapic_timer_take(void);

/* Sends this CPU an NMI. */
void lapic_nmi_self(void);

#endif
