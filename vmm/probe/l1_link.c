// SPDX-License-Identifier: MIT
// Listening to L1, and not believing it.
#include "l1_link.h"

#include "error.h"
#include "x86.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* It is minivmm that failed, not the machine. */
static int self_failed(struct l1_link *link)
{
	link->run->end = RUN_SELF_FAILED;
	return fail(EIO, "getrandom", "the kernel gave no random numbers");
}

static void disagree(struct run_facts *run, const char *sentence)
{
	if (!run->disagreement[0])
		snprintf(run->disagreement, sizeof(run->disagreement), "%s", sentence);
}

/* A witness that is asked more than once stays NO once it said no. */
static void witness_add(enum tristate *witness, bool yes)
{
	if (*witness != NO)
		*witness = yes ? YES : NO;
}

/* Whose exit it is. */
static struct cpu *caller(const struct l1_link *link)
{
	struct machine *machine = link->machine;
	unsigned int id = 0;

	while (id + 1 < machine->cpus && &machine->cpu[id].vcpu != machine->board.caller)
		id++;
	return &machine->cpu[id];
}

/* An exit that only L2 should be able to cause: is the vCPU in guest mode, KVM? False if a witness
 * denies it. */
static bool witness_question(struct l1_link *link)
{
	struct vcpu *vcpu = &caller(link)->vcpu;
	struct kvm_nested_state state;
	uint64_t guest_mode = 1;
	bool in_l2 = true;

	if (link->has_state && vcpu_nested_state_get(vcpu, &state) == 0) {
		in_l2 = state.flags & KVM_STATE_NESTED_GUEST_MODE;
		witness_add(&link->run->witness_guest_mode, in_l2);
	}
	if (vcpu_stat_get(vcpu, "guest_mode", &guest_mode))
		witness_add(&link->run->stat_guest_mode, guest_mode != 0);
	return in_l2 && guest_mode;
}

static int witness_read(void *device, uint64_t port, void *data, unsigned int size)
{
	struct l1_link *link = device;
	unsigned int cpu = caller(link)->id;
	uint32_t nonce;

	if (port != PORT_WITNESS || size != sizeof(nonce))
		return 0;
	link->run->witness_reads++;
	witness_question(link);
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return self_failed(link);
	link->asked[cpu].nonce = nonce;
	link->asked[cpu].pending = true;
	memcpy(data, &nonce, size);
	return 0;
}

static int witness_write(void *device, uint64_t port, const void *data, unsigned int size)
{
	struct l1_link *link = device;
	unsigned int cpu = caller(link)->id;
	uint32_t answer;
	bool right;

	if (port != PORT_WITNESS || size != sizeof(answer))
		return 0;
	memcpy(&answer, data, sizeof(answer));
	/* one answer to each nonce, and a wrong one is not made good */
	right = link->asked[cpu].pending &&
		answer == challenge_answer32(link->challenge[0], link->challenge[1],
					     link->asked[cpu].nonce);
	link->run->witness_answer_right =
		(link->run->witness_writes == 0 || link->run->witness_answer_right) && right;
	link->asked[cpu].pending = false;
	link->run->witness_writes++;
	if (witness_question(link) && right) {
		link->signatures++;
		link->signers |= 1ULL << cpu;
	}
	return 0;
}

/* A write is enough: L2 begins with one. */
static int intercepted_write(void *device, uint64_t port, const void *data, unsigned int size)
{
	struct l1_link *link = device;

	(void)port, (void)data, (void)size;
	link->run->port_leaked = true;
	return 0;
}

static int message_refuse(struct l1_link *link)
{
	link->run->end = RUN_BAD_MESSAGE;
	return -ECANCELED;
}

/* Checks begin in this order: that of their numbers, but virt-off comes last. */
static unsigned int check_rank(unsigned int check)
{
	return check == L1_CHECK_VIRT_OFF ? L1_CHECK_COUNT : check;
}

static bool is_feature(unsigned int check)
{
	return check > L1_CORE_LAST;
}

/* ... and one at a time. */
static int message_begin(struct l1_link *link, const struct l1_message *message)
{
	if (link->run->in_check ||
	    check_rank(message->check) <= check_rank(link->run->last_check) ||
	    (is_feature(message->check) && !link->features &&
	     (message->check != L1_CHECK_SMP || link->cpus < 2)))
		return message_refuse(link);
	link->signatures = 0;
	link->signers = 0;
	link->begin_nested_run_known =
		is_feature(message->check) &&
		vcpu_stat_get(&link->machine->cpu[0].vcpu, "nested_run", &link->begin_nested_run);
	link->run->last_check = message->check;
	link->run->in_check = true;
	link->begin_ns = now_ns();
	return 0;
}

/* A feature that is said to work has had an L2 that signed, and KVM counted its entries. */
static void feature_verify(struct l1_link *link, const struct l1_message *message)
{
	uint64_t claimed = message->value[L1_VALUE_ENTRIES], now;
	char sentence[sizeof(link->run->disagreement)];

	if (link->signatures == 0) {
		snprintf(sentence, sizeof(sentence), "L1 says that feature %u works; no L2 of that check "
			 "came to the witness port", message->check);
	} else if (message->check == L1_CHECK_SMP && link->run->cpus_in_l2 != link->cpus) {
		snprintf(sentence, sizeof(sentence), "L1 says that it ran an L2 on %u CPUs; KVM saw %u of "
			 "them in guest mode", link->cpus, link->run->cpus_in_l2);
	} else if (link->begin_nested_run_known &&
		   vcpu_stat_get(&link->machine->cpu[0].vcpu, "nested_run", &now) &&
		   (claimed == 0 || now - link->begin_nested_run < claimed)) {
		snprintf(sentence, sizeof(sentence), "feature %u: L1 counts %llu entries into L2, KVM's "
			 "nested_run counts %llu", message->check, (unsigned long long)claimed,
			 (unsigned long long)(now - link->begin_nested_run));
	} else {
		return;
	}
	disagree(link->run, sentence);
	link->run->status[message->check] = L1_FAILED;
	snprintf(link->text[message->check], sizeof(link->text[0]), "%s", "L1 says that it works; KVM "
		 "has not seen L2 run");
}

/* The one that began ends. */
static int message_end(struct l1_link *link, const struct l1_message *message)
{
	struct run_facts *run = link->run;
	unsigned int check = message->check;

	if (!run->in_check || check != run->last_check ||
	    !l1_status_possible(check, message->status, run->vendor))
		return message_refuse(link);
	link->check_ns[check] = now_ns() - link->begin_ns;
	run->in_check = false;
	run->status[check] = message->status;
	memcpy(run->value[check], message->value, sizeof(message->value));
	memcpy(link->text[check], message->text, sizeof(message->text) - 1);
	if (check == L1_CHECK_L2_CHALLENGE && message->status == L1_PASSED) {
		uint64_t answer = challenge_answer(link->challenge[0], link->challenge[1]);

		run->answer_checked = true;
		run->answer_right = message->value[L1_VALUE_EXPECTED] == answer &&
				    message->value[L1_VALUE_GOT] == answer;
	}
	if (check == L1_CHECK_SMP)
		run->cpus_in_l2 = (unsigned int)__builtin_popcountll(link->signers);
	if (is_feature(check) && message->status == L1_PASSED)
		feature_verify(link, message);
	return 0;
}

static int message_trap(struct l1_link *link, const struct l1_message *message)
{
	link->run->end = RUN_TRAP;
	link->run->trap_vector = message->value[L1_VALUE_EXIT];
	link->run->trap_error = message->value[L1_VALUE_INFO1];
	link->run->trap_address = message->value[L1_VALUE_RIP];
	return -ECANCELED;
}

/* What it left out is for the rules to name. */
static int message_done(struct l1_link *link, const struct l1_message *message)
{
	link->run->entries = message->value[L1_DONE_ENTRIES];
	link->run->exit_cycles = message->value[L1_DONE_EXIT_CYCLES];
	link->run->round_trip_cycles = message->value[L1_DONE_ROUND_TRIP_CYCLES];
	link->run->end = RUN_DONE;
	return -ECANCELED;
}

/* `shared` lies where the guest wants it: at any address. */
static int message_hello(struct l1_link *link, uint8_t *shared)
{
	const struct l1_orders orders = {
		.challenge = { link->challenge[0], link->challenge[1] },
		.resume_rounds = link->resume_rounds,
		.features = link->features,
		.cpus = (uint16_t)link->cpus,
	};

	if (link->said_hello)
		return message_refuse(link);
	link->said_hello = true;
	link->hello_ns = now_ns();
	memcpy(shared + offsetof(struct l1_message, orders), &orders, sizeof(orders));
	return 0;
}

/* The vendor is settled by the first message that names one, and must be what KVM offers. */
static bool vendor_take(struct l1_link *link, unsigned int vendor)
{
	struct run_facts *run = link->run;

	if (run->vendor == L1_VENDOR_NONE &&
	    ((vendor == L1_VENDOR_VMX && link->shows_vmx) ||
	     (vendor == L1_VENDOR_SVM && link->shows_svm)))
		run->vendor = vendor;
	return vendor == run->vendor || vendor == L1_VENDOR_NONE;
}

static int message_take(struct l1_link *link, uint8_t *shared)
{
	struct l1_message message;

	/* read once: what is checked is what is used */
	memcpy(&message, shared, sizeof(message));
	if (message.magic != CONTRACT_MAGIC || message.version != CONTRACT_VERSION ||
	    message.check >= L1_CHECK_COUNT || !vendor_take(link, message.vendor) ||
	    (message.kind != L1_HELLO && !link->said_hello))
		return message_refuse(link);
	switch (message.kind) {
	case L1_HELLO:
		return message_hello(link, shared);
	case L1_BEGIN:
		return message_begin(link, &message);
	case L1_END:
		return message_end(link, &message);
	case L1_TRAP:
		return message_trap(link, &message);
	case L1_DONE:
		return message_done(link, &message);
	}
	return message_refuse(link);
}

static int contract_read(void *device, uint64_t port, void *data, unsigned int size)
{
	const uint32_t magic = CONTRACT_MAGIC;

	(void)device;
	if (port == PORT_CONTRACT && size == sizeof(magic))
		memcpy(data, &magic, sizeof(magic));
	return 0;
}

static int contract_write(void *device, uint64_t port, const void *data, unsigned int size)
{
	struct l1_link *link = device;
	uint8_t *shared;
	uint32_t gpa;

	if (port != PORT_CONTRACT || size != sizeof(gpa) || caller(link)->id != 0)
		return message_refuse(link);
	memcpy(&gpa, data, sizeof(gpa));
	shared = memory_at(&link->machine->memory, gpa, sizeof(struct l1_message));
	return shared ? message_take(link, shared) : message_refuse(link);
}

int l1_link_attach(struct l1_link *link, struct machine *machine, struct run_facts *run)
{
	const struct bus_range ranges[] = {
		{ "contract", PORT_CONTRACT, PORT_CONTRACT + 3, contract_read, contract_write, link },
		{ "witness", PORT_WITNESS, PORT_WITNESS + 3, witness_read, witness_write, link },
		{ "intercepted", PORT_INTERCEPTED, PORT_INTERCEPTED + 3, NULL, intercepted_write,
		  link },
	};

	link->machine = machine;
	link->run = run;
	run->witness_guest_mode = run->stat_guest_mode = run->in_l2 = UNKNOWN;
	run->virt_is_on = UNKNOWN;
	if (getrandom(link->challenge, sizeof(link->challenge), 0) != sizeof(link->challenge))
		return self_failed(link);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		int r = bus_attach(&machine->board.ports, &ranges[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static void verify_ports(struct run_facts *run)
{
	if (run->status[L1_CHECK_L2_PORT] != L1_PASSED)
		return;
	if (run->port_leaked)
		disagree(run, "a port access that L1 intercepts came to the VMM");
	else if (run->witness_reads == 0 || run->witness_writes == 0)
		disagree(run, "L1 says that L2 used the witness port; no access arrived");
	else if (run->witness_guest_mode == NO)
		disagree(run, "at the witness port KVM_GET_NESTED_STATE said: not in guest mode");
	else if (run->stat_guest_mode == NO)
		disagree(run, "at the witness port KVM's statistic guest_mode was 0");
	else if (!run->witness_answer_right)
		disagree(run, "the answer at the witness port is wrong");
}

static void verify_entries(struct run_facts *run, uint32_t resume_rounds)
{
	bool resumed = run->status[L1_CHECK_L2_RESUME] == L1_PASSED;
	char sentence[sizeof(run->disagreement)];

	if (run->end != RUN_DONE)
		return; /* L1 gives its count last */
	if (resumed && run->entries < resume_rounds)
		disagree(run, "L1 counts fewer entries into L2 than it says it resumed it");
	if (!run->nested_run_known || run->nested_run >= run->entries)
		return;
	snprintf(sentence, sizeof(sentence),
		 "L1 counts %llu entries into L2, KVM's nested_run counts %llu",
		 (unsigned long long)run->entries, (unsigned long long)run->nested_run);
	disagree(run, sentence);
}

/* How far L1 came, asked of KVM: EFER.SVME or a VMXON region, and the control block in use. */
static void state_look(struct run_facts *run, const struct vcpu *vcpu)
{
	struct kvm_nested_state state;
	struct kvm_sregs sregs;

	run->vmxon_pointer = run->control_block = UINT64_MAX;
	run->virt_is_on = UNKNOWN;
	if (vcpu_nested_state_get(vcpu, &state) < 0)
		return;
	run->in_l2 = state.flags & KVM_STATE_NESTED_GUEST_MODE ? YES : NO;
	if (state.format == KVM_STATE_NESTED_FORMAT_VMX) {
		run->vmxon_pointer = state.hdr.vmx.vmxon_pa;
		run->control_block = state.hdr.vmx.vmcs12_pa;
		run->virt_is_on = run->vmxon_pointer != UINT64_MAX ? YES : NO;
	} else if (vcpu_sregs_get(vcpu, &sregs) == 0) {
		run->virt_is_on = sregs.efer & EFER_SVME ? YES : NO;
		if (run->in_l2 == YES) /* KVM tells no other */
			run->control_block = state.hdr.svm.vmcb_pa;
	}
}

void l1_link_verify(struct l1_link *link)
{
	struct run_facts *run = link->run;
	struct vcpu *vcpu = &link->machine->cpu[0].vcpu;

	if (vcpu->fd < 0)
		return;
	run->nested_run_known = vcpu_stat_get(vcpu, "nested_run", &run->nested_run);
	if (link->has_state)
		state_look(run, vcpu);
	if (run->answer_checked && !run->answer_right)
		disagree(run, "L2's answer to the challenge is wrong");
	verify_ports(run);
	verify_entries(run, link->resume_rounds);
}

void unfinished_text(char *text, size_t size, const struct run_facts *run)
{
	snprintf(text, size, "under way when the run ended, at 0x%llx",
		 (unsigned long long)run->rip);
}
