/* SPDX-License-Identifier: MIT */
/* From what the probe knows to what a report shows: the machine, and the run. */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "facts.h"
#include "result.h"

/* Appends the machine's facts to result->host. */
void host_report(struct result *result, const struct host_facts *host);

/* Appends the run's to result->evidence. `exits`: from KVM_RUN to this process. */
void evidence_report(struct result *result, const struct facts *facts, uint64_t exits);

#endif
