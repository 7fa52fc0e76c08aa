/* SPDX-License-Identifier: MIT */
/* The state in which a boot protocol wants the first CPU. */
#ifndef START_H
#define START_H

#include "memory.h"
#include "vcpu.h"

enum start_mode {
	START_REAL,		/* 16-bit real mode; IP is how far `entry` lies behind CS */
	START_PROTECTED,	/* 32-bit, flat segments, no paging */
	START_LONG,		/* 64-bit, flat segments, the first 4 GiB identity-mapped */
};

struct start {
	enum start_mode mode;
	uint64_t entry;
	uint64_t rax, rbx, rsi, rsp;
	gpa_t tables;		/* START_LONG: START_TABLES_SIZE bytes, page-aligned, for page tables;
				 * START_PROTECTED, START_LONG: a GDT lies behind them */
	uint16_t code_selector, data_selector;	/* 0x10 and 0x18 for Linux, 8 and 16
							 * else; START_REAL: segments */
};

/* Page tables for 4 GiB in 2 MiB pages (6 pages), and a page for the GDT. */
#define START_TABLES_SIZE (7 * 4096)

/* Writes tables to guest memory and puts the vCPU into the state. Negative errno, error_last(). */
int start_apply(const struct start *start, const struct memory *memory, const struct vcpu *vcpu);

#endif
