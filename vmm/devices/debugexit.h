/* SPDX-License-Identifier: MIT */
/*
 * isa-debug-exit: what is written, by an access of any size, ends the machine (STOP_DEBUG_EXIT,
 * board.value). By convention the process then exits with (value << 1) | 1. Its ports are the
 * user's choice, so it attaches itself. Reads give 0.
 */
#ifndef DEBUGEXIT_H
#define DEBUGEXIT_H

#include "devices.h"

#define DEBUGEXIT_PORT	0xf4
#define DEBUGEXIT_SIZE	4

/* `size` ports from `port`. 0, or -EINVAL / -EEXIST with error_last(). */
int debugexit_attach(struct board *board, unsigned int port, unsigned int size);

#endif
