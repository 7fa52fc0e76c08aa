/* SPDX-License-Identifier: MIT */
/*
 * The deadline of a run. A POSIX timer signals the thread that armed it; the handler sets the
 * vCPU's immediate_exit, so that a KVM_RUN under way ends with EINTR, and so does the next one.
 * A guest that never exits, interrupts off, is stopped all the same; nothing polls. One at a time.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include "vcpu.h"

#include <stdbool.h>
#include <time.h>

/* Set once the time is up. */
extern volatile bool deadline_passed;

/* Arms for `milliseconds` from now (0 = never), in this thread. Negative errno with error_last(). */
int deadline_arm(unsigned int milliseconds);
/* The vCPU to stop, NULL = none (any more). */
void deadline_watch(struct kvm_run *run);
void deadline_disarm(void);

#endif
