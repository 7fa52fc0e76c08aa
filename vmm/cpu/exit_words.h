/* SPDX-License-Identifier: MIT */
/* What the numbers of VMX and SVM mean, in words, for reports. NULL: the manuals name nothing. */
#ifndef EXIT_WORDS_H
#define EXIT_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Intel SDM vol. 3, "VM Instruction Error Numbers": 1 to 28. */
const char *vm_instruction_error(uint64_t number);

/* SDM vol. 3, appendix C "VMX Basic Exit Reasons", in bits 15:0; bit 31 is a failed entry. */
const char *vmx_exit_name(uint64_t reason);
#define VMX_ENTRY_FAILED	(1U << 31)

/* AMD APM vol. 2, appendix C "SVM Intercept Exit Codes". */
const char *svm_exit_name(uint64_t code);
#define SVM_EXIT_INVALID	UINT32_MAX	/* -1: KVM wrote the low half alone for years */

/* SDM vol. 3, "Exit Qualification", where it says more than a number does; "" elsewhere. Returns `text`. */
const char *vmx_qualification(char *text, size_t size, uint64_t reason, uint64_t qualification);

/* hardware_entry_failure_reason of KVM_EXIT_FAIL_ENTRY: a VM-instruction error, a VMX exit reason
 * with bit 31, or SVM's exit code. */
const char *entry_failure_name(uint64_t reason);

/* KVM_INTERNAL_ERROR_*: Documentation/virt/kvm/api.rst. */
const char *internal_error_name(uint32_t suberror);

#endif
