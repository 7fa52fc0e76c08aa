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

/* What offers a feature to L1: a bit of CPUID or of a capability MSR. */
enum l1_need_kind {
	L1_NEED_NOTHING,	/* every CPU of that vendor has it */
	L1_NEED_OTHER_VENDOR,	/* no CPU of that vendor has it */
	L1_NEED_EAX,		/* CPUID, subleaf 0 */
	L1_NEED_EBX,
	L1_NEED_ECX,
	L1_NEED_EDX,
	L1_NEED_MSR,
};

struct l1_need {
	enum l1_need_kind kind;
	uint32_t where;		/* leaf or MSR */
	unsigned int bit;
};

#define ALWAYS			{ L1_NEED_NOTHING, 0, 0 }
#define NEVER			{ L1_NEED_OTHER_VENDOR, 0, 0 }
#define CPUID_BIT(reg, leaf, bit) { L1_NEED_##reg, (leaf), (bit) }
#define MSR_BIT(msr, bit)	{ L1_NEED_MSR, (msr), (bit) }
/* The high half of a VMX capability MSR says which controls may be 1. */
#define VMX_PIN(bit)		MSR_BIT(0x481, 32 + (bit))
#define VMX_PROC(bit)		MSR_BIT(0x482, 32 + (bit))
#define VMX_PROC2(bit)		MSR_BIT(0x48b, 32 + (bit))
#define VMX_EPT(bit)		MSR_BIT(0x48c, (bit))
#define SVM_EDX(bit)		CPUID_BIT(EDX, 0x8000000a, (bit))

/*
 * The optional checks: what a hypervisor in L1 may want beyond the core. Tried on request, between
 * the core checks and virt-off. Number, identifier, name, level, title, what offers it on VMX and
 * on SVM, what the check proves.
 */
#define L1_FEATURES(X)									\
	X(100, REAL_MODE, "real-mode", 2, "L2 in real mode",					\
	  VMX_PROC2(7), ALWAYS,									\
	  "16-bit code runs with CR0.PE clear and segments of real mode")			\
	X(101, LA57, "la57", 2, "5-level paging in L2",						\
	  CPUID_BIT(ECX, 7, 16), CPUID_BIT(ECX, 7, 16),						\
	  "L2 runs with CR4.LA57 on tables of five levels")					\
	X(110, NESTED_PROTECTION, "nested-protection", 2, "EPT/NPT: read-only, no-execute", \
	  ALWAYS, CPUID_BIT(EDX, 0x80000001, 20),						\
	  "a write and a fetch exit, a read does not")						\
	X(111, NESTED_EXECUTE_ONLY, "nested-execute-only", 2, "EPT: execute-only pages", \
	  VMX_EPT(0), NEVER,									\
	  "a fetch works, a read exits")							\
	X(112, NESTED_2M, "nested-2m", 2, "EPT/NPT: 2 MiB pages",				\
	  VMX_EPT(16), ALWAYS,									\
	  "what L2 writes in one is where L1 looks for it")					\
	X(113, NESTED_1G, "nested-1g", 2, "EPT/NPT: 1 GiB pages",				\
	  VMX_EPT(17), CPUID_BIT(EDX, 0x80000001, 26),						\
	  "what L2 writes in one is where L1 looks for it")					\
	X(114, NESTED_ACCESSED_DIRTY, "nested-accessed-dirty", 2, "EPT/NPT: accessed, dirty bits", \
	  VMX_EPT(21), ALWAYS,									\
	  "a read sets one in the entry of L1's table, a write both")				\
	X(115, NESTED_FLUSH, "nested-flush", 2, "INVEPT / TLB_CONTROL",				\
	  VMX_EPT(20), ALWAYS,									\
	  "behind it L2 sees another page at the same address")					\
	X(116, TLB_TAGS, "tlb-tags", 2, "VPID / ASID, INVVPID / INVLPGA",			\
	  VMX_PROC2(5), ALWAYS,									\
	  "two address spaces stay apart; behind it a new mapping is seen")			\
	X(117, PAGE_LOG, "page-modification-log", 2, "page-modification log (PML)",		\
	  VMX_PROC2(17), NEVER,									\
	  "the page that L2 writes to stands in L1's log")					\
	X(118, VM_FUNCTIONS, "vm-functions", 2, "VMFUNC: EPTP switching",			\
	  VMX_PROC2(13), NEVER,									\
	  "VMFUNC in L2 changes what it sees, without an exit")					\
	X(120, TSC_OFFSET, "tsc-offset", 2, "TSC offset",					\
	  VMX_PROC(3), ALWAYS,									\
	  "RDTSC in L2 lies between L1's two, moved by the offset")				\
	X(121, TSC_SCALING, "tsc-scaling", 2, "TSC scaling",					\
	  VMX_PROC2(25), SVM_EDX(4),								\
	  "RDTSC in L2 lies between L1's two, doubled")						\
	X(130, MSR_BITMAP, "msr-bitmap", 2, "MSR bitmap, over its ranges",			\
	  VMX_PROC(28), ALWAYS,									\
	  "marked reads and writes exit, the neighbours' do not")				\
	X(131, IO_BITMAP, "io-bitmap", 2, "I/O bitmap, over its range",				\
	  VMX_PROC(25), ALWAYS,									\
	  "marked ports exit, their neighbours do not")						\
	X(132, CR_INTERCEPTS, "cr-intercepts", 2, "writes to CR0 and CR4 exit",			\
	  ALWAYS, ALWAYS,									\
	  "both exit, and L2 does not see its value taken")					\
	X(133, CR8_INTERCEPT, "cr8-intercept", 2, "writes to CR8 exit",				\
	  VMX_PROC(19), ALWAYS,									\
	  "it exits")										\
	X(134, DR_INTERCEPT, "dr-intercept", 2, "writes to DR7 exit",				\
	  VMX_PROC(23), ALWAYS,									\
	  "it exits, and L2 does not see its value taken")					\
	X(135, RDTSC_INTERCEPT, "rdtsc-intercept", 2, "RDTSC exits",				\
	  VMX_PROC(12), ALWAYS,									\
	  "L2 reads the value that L1 gives it")						\
	X(136, HLT_INTERCEPT, "hlt-intercept", 2, "HLT exits",					\
	  VMX_PROC(7), ALWAYS,									\
	  "it exits, and L2 goes on")								\
	X(137, PAUSE_INTERCEPT, "pause-intercept", 2, "PAUSE exits",				\
	  VMX_PROC(30), ALWAYS,									\
	  "it exits, and L2 goes on")								\
	X(138, MONITOR_INTERCEPT, "monitor-intercept", 2, "MONITOR and MWAIT exit",		\
	  VMX_PROC(29), ALWAYS,									\
	  "both exit, and L2 goes on")								\
	X(139, PAUSE_FILTER, "pause-filter", 2, "many a PAUSE exits (filter, PLE)",		\
	  VMX_PROC2(10), SVM_EDX(10),								\
	  "a loop of PAUSEs exits, and not at the first")					\
	X(140, NRIP_SAVE, "nrip-save", 2, "next RIP saved at exits",				\
	  NEVER, SVM_EDX(3),									\
	  "it is behind an instruction with a prefix")						\
	X(141, CLEAN_BITS, "vmcb-clean-bits", 2, "VMCB clean bits",				\
	  NEVER, SVM_EDX(5),									\
	  "L2 goes on with all set; a change with its bit clear is taken")			\
	X(142, DECODE_ASSISTS, "decode-assists", 2, "decode assists",				\
	  NEVER, SVM_EDX(7),									\
	  "the exit of MOV to CR0 names the register")						\
	X(143, XSAVE_STATE, "xsave-state", 2, "x87, SSE, AVX state across L2",			\
	  CPUID_BIT(ECX, 1, 26), CPUID_BIT(ECX, 1, 26),						\
	  "L2 finds L1's registers, L1 finds L2's")						\
	X(144, SYSCALL_MSRS, "syscall-msrs", 2, "SYSCALL, SYSENTER MSRs across L2",		\
	  ALWAYS, ALWAYS,									\
	  "L2 keeps its own through exits, and its SYSCALL goes where they say")		\
	X(145, VIRTUAL_VMLOAD, "virtual-vmload", 2, "VMLOAD and VMSAVE virtual",		\
	  NEVER, SVM_EDX(15),									\
	  "VMSAVE in L2 writes through L1's NPT, without an exit")				\
	X(150, EXTERNAL_INTERRUPT, "external-interrupt", 2, "the timer ends L2, L1 takes it", \
	  VMX_PIN(0), ALWAYS,									\
	  "a timer's interrupt ends an L2 that spins, and L2 goes on")				\
	X(151, HLT_WAKEUP, "hlt-wakeup", 2, "HLT in L2, woken by the timer",			\
	  VMX_PIN(0), ALWAYS,									\
	  "the interrupt finds L2 behind its HLT, L1 injects one, L2 goes on")			\
	X(152, INTERRUPT_WINDOW, "interrupt-window", 2, "interrupt window",			\
	  VMX_PROC(2), ALWAYS,									\
	  "the exit comes when L2 sets IF, and an interrupt gets in")				\
	X(153, NMI_EXIT, "nmi-exit", 2, "an NMI ends L2",					\
	  VMX_PIN(3), ALWAYS,									\
	  "it exits to L1, and L2's handler does not see it")					\
	X(154, NMI_WINDOW, "nmi-window", 2, "NMI injected, NMI window",				\
	  VMX_PROC(22), ALWAYS,									\
	  "L2's handler runs, and at its IRET comes the exit")					\
	X(155, SMP, "smp", 2, "an L2 on every CPU at once, calling each other",			\
	  VMX_PIN(0), ALWAYS,									\
	  "a CPU's interrupt ends another's L2, L1 takes it there, L2 answers; for each")		\
	X(160, INJECT_ERROR_CODE, "inject-error-code", 2, "exception with error code injected", \
	  ALWAYS, ALWAYS,									\
	  "L2's handler sees vector and error code")						\
	X(161, REINJECTION, "reinjection", 2, "an event cut short is told, again injected", \
	  ALWAYS, ALWAYS,									\
	  "a page fault on L2's stack exits and names the interrupt; again injected, it gets in") \
	X(170, VIRTUAL_TPR, "virtual-tpr", 2, "virtual TPR (TPR shadow)",			\
	  VMX_PROC(21), ALWAYS,									\
	  "MOV to CR8 does not exit, L1 sees the value")					\
	X(171, VIRTUAL_INTERRUPT, "virtual-interrupt", 2, "virtual interrupt (V_IRQ)",		\
	  NEVER, ALWAYS,									\
	  "it gets in when L2 sets IF, without an exit")					\
	X(172, VIRTUAL_DELIVERY, "virtual-delivery", 2, "virtual-interrupt delivery (APICv)", \
	  VMX_PROC2(9), NEVER,									\
	  "an interrupt in RVI gets in when L2 sets IF, without an exit")			\
	X(173, POSTED_INTERRUPTS, "posted-interrupts", 2, "posted interrupts",			\
	  VMX_PIN(7), NEVER,									\
	  "a posted one gets in by its notification, without an exit")				\
	X(174, VIRTUAL_GIF, "virtual-gif", 2, "virtual GIF",					\
	  NEVER, SVM_EDX(16),									\
	  "CLGI and STGI in L2 move V_GIF, without an exit")					\
	X(180, PREEMPTION_TIMER, "preemption-timer", 2, "VMX preemption timer",			\
	  VMX_PIN(6), NEVER,									\
	  "it ends an L2 that spins, and L2 goes on")						\
	X(181, MONITOR_TRAP, "monitor-trap-flag", 2, "monitor trap flag",			\
	  VMX_PROC(27), NEVER,									\
	  "an exit after one instruction")							\
	X(182, SHADOW_VMCS, "shadow-vmcs", 2, "shadow VMCS",					\
	  VMX_PROC2(14), NEVER,									\
	  "VMREAD and VMWRITE in L2 use it, without an exit")					\
	X(190, BAD_CONTROL, "bad-control", 2, "entry refused: bad control",			\
	  ALWAYS, ALWAYS,									\
	  "VM-instruction error 7 or VMEXIT_INVALID; another L2 then runs")			\
	X(191, BAD_GUEST_STATE, "bad-guest-state", 2, "entry refused: bad guest state",		\
	  ALWAYS, ALWAYS,									\
	  "exit reason 33 or VMEXIT_INVALID; another L2 then runs")				\
	X(192, BAD_HOST_STATE, "bad-host-state", 2, "entry refused: bad host state",		\
	  ALWAYS, NEVER,									\
	  "VM-instruction error 8; another L2 then runs")

enum l1_check {
	L1_CHECK_NONE,
#define X(number, id, name, level, title) L1_CHECK_##id = (number),
	L1_CHECKS(X)
#undef X
	L1_CORE_COUNT,
#define X(number, id, name, level, title, vmx, svm, proves) L1_CHECK_##id = (number),
	L1_FEATURES(X)
#undef X
	L1_CHECK_COUNT
};

enum l1_kind {
	L1_HELLO = 1,	/* first message; the VMM writes `orders` */
	L1_BEGIN,	/* `check` begins */
	L1_END,		/* `check` ended with `status`; `value` and `text` say more */
	L1_TRAP,	/* L1 itself took an exception it cannot handle: it stops */
	L1_DONE,	/* the table is done; value[]: enum l1_done_value */
};

enum l1_status {
	L1_PASSED = 1,
	L1_FAILED,
	L1_NOT_OFFERED,		/* the CPU that L1 sees does not have it */
	L1_NOT_APPLICABLE,	/* the other vendor's step */
	L1_NOT_TRIED,		/* a feature that needs another one, which is not there */
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
	uint16_t features;	/* not 0: the optional checks too */
	uint16_t cpus;		/* above 1: SMP is checked on CPUs (and APIC IDs) 0 to cpus - 1 */
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
	L1_VALUE_ENTRIES,	/* optional checks: entries into L2 that it took */
	L1_VALUE_COUNT = 8
};

/* Indices into l1_message.value, for L1_DONE. */
enum l1_done_value {
	L1_DONE_ENTRIES,	/* into L2 */
	L1_DONE_EXIT_CYCLES,	/* with features: CPUID in L1, median; 0 = not measured */
	L1_DONE_ROUND_TRIP_CYCLES, /* CPUID in L2, to L1 and back, likewise */
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
