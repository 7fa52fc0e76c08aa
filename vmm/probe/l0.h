/* SPDX-License-Identifier: MIT */
/* The hypervisor that this host itself runs on. Means something only where CPUID says there is one. */
#ifndef L0_H
#define L0_H

#include "facts.h"
#include "result.h"

/* Its name for people: "KVM", "VMware" ... */
const char *l0_name(const struct host_facts *host);

/* Appends how to let it show VMX or SVM to this host. */
void l0_remedy(struct result *result, const struct facts *facts);

/* All that are known: NULL past the last one. */
const char *l0_name_at(size_t i);
void l0_remedy_at(struct result *result, size_t i);

#endif
