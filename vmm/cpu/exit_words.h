/* SPDX-License-Identifier: MIT */
/* What the numbers of VMX and SVM mean, in words: for reports. NULL where the manuals name nothing. */
#ifndef EXIT_WORDS_H
#define EXIT_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Intel SDM vol. 3, "VM Instruction Error Numbers": 1 to 28. */
const char *vm_instruction_error(uint64_t number);

/* SDM vol. 3, appendix C "VMX Basic Exit Reasons". Bits above 15:0 are flags (bit 31: failed entry). */
const char *vmx_exit_name(uint64_t reason);
#define VMX_ENTRY_FAILED	(1U << 31)

/* AMD APM vol. 2, appendix C "SVM Intercept Exit Codes". */
const char *svm_exit_name(uint64_t code);
#define SVM_EXIT_INVALID	UINT32_MAX	/* VMEXIT_INVALID: KVM wrote the low half alone for years */

/* SDM vol. 3, "Exit Qualification", of the reasons where it says more than a number does; "" for the
 * others. Returns `text`. */
const char *vmx_qualification(char *text, size_t size, uint64_t reason, uint64_t qualification);

/* hardware_entry_failure_reason of KVM_EXIT_FAIL_ENTRY: a VM-instruction error, a VMX exit reason
 * with bit 31, or SVM's exit code. */
const char *entry_failure_name(uint64_t reason);

/* KVM_INTERNAL_ERROR_*: Documentation/virt/kvm/api.rst. */
const char *internal_error_name(uint32_t suberror);

#endif
