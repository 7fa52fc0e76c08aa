// SPDX-License-Identifier: MIT
// The file behind KVM_GET_STATS_FD: a header, descriptors of fixed size, data.
#include "stats.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_HERE	128	/* the kernel says 48 today */
#define DESCRIPTORS_MAX 1024

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

int stats_read(int fd, const char *name, uint64_t *value)
{
	struct kvm_stats_header header;
	struct {
		struct kvm_stats_desc head;
		char name[NAME_MAX_HERE];
	} row;

	if (!read_at(fd, &header, sizeof(header), 0) || header.name_size > NAME_MAX_HERE ||
	    header.num_desc > DESCRIPTORS_MAX)
		return 0;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		size_t size = sizeof(row.head) + header.name_size;

		if (!read_at(fd, &row, size, header.desc_offset + (uint64_t)i * size))
			return 0;
		row.name[header.name_size ? header.name_size - 1 : 0] = '\0';
		if (strcmp(row.name, name) == 0)
			return read_at(fd, value, sizeof(*value),
				       (uint64_t)header.data_offset + row.head.offset);
	}
	return 0;
}
