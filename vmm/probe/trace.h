/* SPDX-License-Identifier: MIT */
/*
 * What the kernel itself says of an entry into L2 that it refused: tracepoint
 * kvm:kvm_nested_vmenter_failed, in a trace instance of our own (Documentation/trace/ftrace.rst,
 * "Instances"), so that nobody else's tracing is touched. Root alone may do that, where tracefs is
 * mounted; elsewhere nothing happens.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <signal.h>
#include <stddef.h>

struct trace {
	char path[96];		/* of the instance */
	sigset_t signals;	/* as they were */
};

/* Makes the instance and turns the tracepoint on; false where that cannot be. Until trace_end(), the
 * signals that end a program from outside wait, for the instance must not stay behind. */
bool trace_begin(struct trace *trace);

/* The last message since then into `text`, "" = none; removes the instance. */
void trace_end(struct trace *trace, char *text, size_t size);

#endif
