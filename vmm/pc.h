/* SPDX-License-Identifier: MIT */
/* --kernel: a small PC that boots somebody's kernel. */
#ifndef PC_H
#define PC_H

#include "boot_options.h"

/*
 * Exit statuses: an odd one is the guest's own, by isa-debug-exit's rule (value << 1) | 1; an even
 * one is minivmm's.
 */
#define STATUS_POWER_OFF	0
#define STATUS_RESET		32
#define STATUS_TRIPLE_FAULT	34
#define STATUS_KVM_ERROR	36	/* internal error, failed entry, an exit nobody handles */
#define STATUS_HALTED		38
#define STATUS_TIMED_OUT	124

/* Boots, runs until the guest or the deadline ends it, and returns the exit status. stdout carries
 * the guest's console and nothing else; what went wrong goes to stderr. */
int pc_run(const struct boot_options *options);

#endif
