/* SPDX-License-Identifier: MIT */
/* The one door to KVM. Only the files of this folder include it. */
#ifndef IOCTL_H
#define IOCTL_H

#include "error.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

/*
 * ioctl() with a pointer to the struct whose size `cmd` carries in its number; a struct of another
 * size does not compile (a few numbers carry none). Gives the result, or a negative errno after recording it under cmd's name.
 */
#define KVM_IOCTL(fd, cmd, arg)								\
	__extension__({									\
		_Static_assert(_IOC_SIZE(cmd) == 0 || _IOC_SIZE(cmd) == sizeof(*(arg)),	\
			       #cmd " takes another struct");				\
		int r_ = ioctl((fd), (cmd), (arg));					\
		r_ < 0 ? kvm_fail(#cmd) : r_;						\
	})

/* The same for a command that takes a number or nothing. */
#define KVM_IOCTL_VALUE(fd, cmd, value)							\
	__extension__({									\
		int r_ = ioctl((fd), (cmd), (unsigned long)(value));			\
		r_ < 0 ? kvm_fail(#cmd) : r_;						\
	})

static inline int kvm_fail(const char *what)
{
	int err = errno;

	return fail(err, what, "%s failed: %s", what, strerror(err));
}

#endif
