// SPDX-License-Identifier: MIT
// Guest memory.
#include "memory.h"

#include "error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int memory_create(struct memory *memory, size_t size)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*memory = (struct memory){ 0 };
	if (host == MAP_FAILED) {
		int err = errno;

		return fail(err, "mmap", "cannot reserve %zu bytes of guest memory: %s", size,
			    strerror(err));
	}
	*memory = (struct memory){ .host = host, .size = size };
	return 0;
}

void memory_destroy(struct memory *memory)
{
	if (memory->host)
		munmap(memory->host, memory->size);
	*memory = (struct memory){ 0 };
}

void *memory_at(const struct memory *memory, gpa_t gpa, size_t size)
{
	if (gpa > memory->size || size > memory->size - gpa)
		return NULL;
	return memory->host + gpa;
}
