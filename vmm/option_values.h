/* SPDX-License-Identifier: MIT */
/*
 * What stands behind an option: "a=b,c=d" lists, sizes, devices, image formats. Each function
 * returns 0, or -EINVAL with error_last().
 */
#ifndef OPTION_VALUES_H
#define OPTION_VALUES_H

#include "boot_options.h"
#include "value_lists.h"

int value_smp(struct boot_options *boot, const char *value);	/* "N", "cpus=N,..." */
int value_memory(struct boot_options *boot, const char *value);	/* "128", "2G", "size=4g" */
int value_machine(struct boot_options *boot, const char *value);
int value_accel(struct boot_options *boot, const char *value);
int value_overcommit(struct boot_options *boot, const char *value);
int value_global(struct boot_options *boot, const char *value);
int value_serial(struct boot_options *boot, const char *value);
int value_device(struct boot_options *boot, const char *value);
int value_nested(struct boot_options *boot, const char *value);

/* "NAME", "flat@ADDRESS[,real|protected|long]" */
int value_image_format(struct boot_options *boot, const char *value);

/* What --machine and --nested take; each ends with a NULL. */
extern const char *const machine_words[], *const nested_words[];

/* One of a list's keys. */
struct option_key {
	const char *name;
	const char *takes;	/* for the error: "on or off" */
	/* 0, or -EINVAL where that is not so */
	int (*set)(struct boot_options *boot, const char *value);
	const struct value_list *values;	/* what it takes, where these are words; NULL = no hint */
};

/* What -device knows: one row per device. */
struct device_option {
	const char *name;
	const char *about;
	void (*add)(struct boot_options *boot);
	const struct option_key *keys;
};
extern const struct device_option device_options[];	/* ends with a NULL name */

#endif
