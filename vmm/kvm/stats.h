/* SPDX-License-Identifier: MIT */
/* KVM's binary statistics: Documentation/virt/kvm/api.rst, "KVM_GET_STATS_FD". */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

/* Looks `name` up among the descriptors of a stats fd and reads its first value. 1 = found. */
int stats_read(int fd, const char *name, uint64_t *value);

#endif
