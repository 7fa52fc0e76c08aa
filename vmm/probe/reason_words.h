/* SPDX-License-Identifier: MIT */
/* For the files of the catalogue alone: how a row is written, and what several rules share. */
#ifndef REASON_WORDS_H
#define REASON_WORDS_H

#include "reasons.h"

/* A row: number, name, verdict, what it does; then symptom, cause, tell, alike. */
#define REASON(number_, name_, verdict_, applies_, summary_, remedy_)			\
	.number = (number_), .name = (name_), .verdict = VERDICT_##verdict_,		\
	.applies = (applies_), .summary = (summary_), .remedy = (remedy_)

/* The rows that tell why there is no device, or none to be opened: those that come first. */
extern const struct reason host_reasons[];
extern const size_t host_reason_count;

/* Writes result->summary. */
void summarise(struct result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

const char *dev_path(const struct facts *facts);
bool cpu_has_virt(const struct facts *facts);
bool cpu_is_svm(const struct facts *facts);
const char *virt_name(const struct facts *facts);	/* "SVM", "VMX" */
const char *module_name(const struct facts *facts);	/* that this CPU takes, loaded or not */
/* Another backend than the two that nest (kvm_pvm, say) serves /dev/kvm. */
bool module_is_foreign(const struct facts *facts);
bool param_is_on(const struct param *param);
bool param_is_off(const struct param *param);

/* Nobody can load a module, or mend a device node's owner, from inside a container. */
void say_on_the_host(struct result *result, const struct facts *facts);
/* How to set a parameter of the vendor module, for good and for now. */
void remedy_param(struct result *result, const struct facts *facts, const char *setting,
		  const char *file);

#endif
