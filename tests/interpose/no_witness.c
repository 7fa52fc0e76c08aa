// SPDX-License-Identifier: MIT
// LD_PRELOAD: a KVM as old kernels have it, without statistics and without nested state.
#include <dlfcn.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>

int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...);
	unsigned long argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, unsigned long);
	va_end(args);
	if (request == KVM_CHECK_EXTENSION && argument == KVM_CAP_NESTED_STATE)
		return 0;
	if (request == KVM_GET_STATS_FD) {
		errno = ENOTTY;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, argument);
}
