/* SPDX-License-Identifier: MIT */
/*
 * The contract between minivmm and its L1 kernel. Both sides compile this file and nothing else
 * of each other's, so it needs only <stdint.h>.
 *
 * How they talk: L1 fills a struct l1_message and writes its guest-physical address to
 * PORT_CONTRACT (32-bit OUT). The VMM reads it, may answer in place, and lets L1 go on. A 32-bit
 * IN from the same port returns CONTRACT_MAGIC; any other VMM returns something else (all ones,
 * usually), and L1 then gives its account on the serial port instead.
 *
 * How L2 talks: PORT_WITNESS is never intercepted by L1, so an access to it leaves L2 straight
 * for the VMM, which asks KVM at that very exit whether the vCPU is in guest mode. IN returns a
 * fresh nonce, OUT takes challenge_answer32() of it. L1 cannot forge KVM's word.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stddef.h>
#include <stdint.h>

#define CONTRACT_MAGIC		0x314d564dU	/* "MVM1" */
#define CONTRACT_VERSION	1U

#define PORT_CONTRACT		0x6d70
#define PORT_WITNESS		0x6d74
#define PORT_INTERCEPTED	0x6d78		/* L1 intercepts it: the VMM must never see it */

/*
 * Everything L1 checks, in the order in which it is tried: number, identifier, name, level it
 * plays on, title. Numbers and names never change once released; a new check takes a new number.
 * 1 to L1_CORE_LAST are core checks: without them nesting does not work. (11 alone may be missing,
 * where the hardware below has no nested paging.)
 */
#define L1_CORE_LAST 99
#define L1_CHECKS(X)									\
	X( 1, CPU_SHOWS_VIRT,	"cpu-shows-virt",	1, "CPU shows VMX or SVM to L1")	\
	X( 2, VIRT_ALLOWED,	"virt-allowed",		1, "feature control / VM_CR allow it")	\
	X( 3, VIRT_ON,		"virt-on",		1, "VMXON, or EFER.SVME and host save area") \
	X( 4, VMCS_LOAD,	"vmcs-load",		1, "VMCLEAR and VMPTRLD")		\
	X( 5, L2_ENTRY,		"l2-entry",		2, "VMLAUNCH or VMRUN enters L2")	\
	X( 6, L2_CHALLENGE,	"l2-challenge",		2, "L2 answers the challenge and exits by hypercall") \
	X( 7, L2_RESUME,	"l2-resume",		2, "L2 resumed again and again, every register intact") \
	X( 8, L2_CPUID,		"l2-cpuid",		2, "CPUID in L2 exits to L1, which answers") \
	X( 9, L2_PORT,		"l2-port",		2, "I/O ports: one exits to L1, one straight to the VMM") \
	X(10, L2_MSR,		"l2-msr",		2, "MSR reads follow the bitmap")	\
	X(11, NESTED_PAGING,	"nested-paging",	2, "L2 under EPT or NPT that L1 built")	\
	X(12, L2_INTERRUPT,	"l2-interrupt",		2, "L1 injects an interrupt, L2's handler runs") \
	X(13, L2_EXCEPTION,	"l2-exception",		2, "exceptions: one exits to L1, one reaches L2") \
	X(14, L2_TRIPLE_FAULT,	"l2-triple-fault",	2, "a triple fault ends L2 alone")	\
	X(15, VIRT_OFF,		"virt-off",		1, "VMXOFF, or SVME cleared, and L1 goes on")

enum l1_check {
	L1_CHECK_NONE,
#define X(number, id, name, level, title) L1_CHECK_##id = (number),
	L1_CHECKS(X)
#undef X
	L1_CHECK_COUNT
};

enum l1_kind {
	L1_HELLO = 1,	/* first message; the VMM writes `orders` */
	L1_BEGIN,	/* `check` begins */
	L1_END,		/* `check` ended with `status`; `value` and `text` say more */
	L1_TRAP,	/* L1 itself took an exception it cannot handle: it stops */
	L1_DONE,	/* the table is done; value[0] = entries into L2 */
};

enum l1_status {
	L1_PASSED = 1,
	L1_FAILED,
	L1_NOT_OFFERED,		/* the CPU that L1 sees does not have it */
	L1_NOT_APPLICABLE,	/* the other vendor's step */
};

enum l1_vendor {
	L1_VENDOR_NONE,
	L1_VENDOR_VMX,
	L1_VENDOR_SVM,
};

/* What the VMM asks of L1. Written in place into the L1_HELLO message. */
struct l1_orders {
	uint64_t challenge[2];	/* random, fresh for each run */
	uint32_t resume_rounds;	/* check 7: how often L2 is resumed */
	uint32_t reserved;
};

/* Indices into l1_message.value, for L1_END and L1_TRAP. */
enum l1_value {
	L1_VALUE_EXIT,		/* the vendor's raw exit reason or code; the vector for L1_TRAP */
	L1_VALUE_INFO1,		/* exit qualification / EXITINFO1; the error code for L1_TRAP */
	L1_VALUE_INFO2,		/* guest-physical address / EXITINFO2; CR2 for L1_TRAP */
	L1_VALUE_RIP,		/* where L2 was; where L1 was for L1_TRAP */
	L1_VALUE_EXPECTED,
	L1_VALUE_GOT,
	L1_VALUE_INSTR_ERROR,	/* VM-instruction error, 0 = none */
	L1_VALUE_COUNT = 8
};

struct l1_message {
	uint32_t magic;
	uint32_t version;
	uint32_t kind;		/* enum l1_kind */
	uint32_t check;		/* enum l1_check */
	uint32_t status;	/* enum l1_status */
	uint32_t vendor;	/* enum l1_vendor */
	struct l1_orders orders;
	uint64_t value[L1_VALUE_COUNT];
	char text[128];		/* NUL-terminated, for people */
};

_Static_assert(sizeof(struct l1_orders) == 24, "l1_orders");
_Static_assert(offsetof(struct l1_message, orders) == 24, "l1_message.orders");
_Static_assert(offsetof(struct l1_message, value) == 48, "l1_message.value");
_Static_assert(offsetof(struct l1_message, text) == 112, "l1_message.text");
_Static_assert(sizeof(struct l1_message) == 240, "l1_message");

/* What L2 makes of the challenge: mixes a register's and a memory word's half (splitmix64). */
static inline uint64_t challenge_answer(uint64_t in_register, uint64_t in_memory)
{
	uint64_t z = in_register * 0x9e3779b97f4a7c15ULL + in_memory;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The same through PORT_WITNESS: both halves and the VMM's nonce. */
static inline uint32_t challenge_answer32(uint64_t in_register, uint64_t in_memory, uint32_t nonce)
{
	return (uint32_t)challenge_answer(in_register ^ nonce, in_memory);
}

#endif
