/* SPDX-License-Identifier: MIT */
/* What a machine looked like when it died: for people, on stderr. */
#ifndef DUMP_H
#define DUMP_H

#include "machine.h"

#include <stdio.h>

/* One line: how the run ended, in words, with KVM's own numbers decoded. */
void dump_end(FILE *out, const struct machine *machine);

/* Registers, segments, control registers, the bytes at the instruction pointer and the last exits
 * of the vCPU that ended the run; a guess of the cause where there is one. After the run only. */
void dump_cpu(FILE *out, const struct machine *machine);

#endif
