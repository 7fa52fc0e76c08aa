/* SPDX-License-Identifier: MIT */
/*
 * The VMM's end of the contract (guest/contract.h): a device on the port bus that takes L1's
 * messages, gives it the challenge, and questions KVM at the exits that come straight from L2.
 */
#ifndef L1_LINK_H
#define L1_LINK_H

#include "facts.h"
#include "machine.h"

struct l1_link {
	struct machine *machine;
	struct run_facts *run;
	uint64_t challenge[2];
	uint32_t resume_rounds;
	bool features;			/* the optional checks too */
	bool shows_vmx, shows_svm;	/* what L1's CPUID shows */
	bool has_state;			/* KVM_CAP_NESTED_STATE */
	unsigned int cpus;
	struct {
		uint32_t nonce;
		bool pending;		/* read, and not answered yet */
	} asked[MACHINE_CPUS];		/* at PORT_WITNESS, each vCPU */
	bool said_hello;
	uint64_t hello_ns;		/* CLOCK_MONOTONIC at L1_HELLO */
	uint64_t begin_ns;		/* ... at the last L1_BEGIN */
	bool begin_nested_run_known;	/* KVM's statistic at that time: */
	uint64_t begin_nested_run;
	unsigned int signatures;	/* since then: right answers at PORT_WITNESS, from L2 by KVM's word */
	uint64_t signers;		/* bit per vCPU that gave one */
	uint64_t check_ns[L1_CHECK_COUNT];
	/* L1's own words, as sent: may hold anything */
	char text[L1_CHECK_COUNT][sizeof(((struct l1_message *)0)->text)];
};

/* Attaches the link to the machine's bus and draws the challenge. The caller has filled in
 * resume_rounds, features, cpus, shows_vmx, shows_svm and has_state; `run` fills as messages come. */
int l1_link_attach(struct l1_link *link, struct machine *machine, struct run_facts *run);

/* After the run: reads the last witnesses and compares everything with what L1 claimed; what does
 * not agree goes into run->disagreement. */
void l1_link_verify(struct l1_link *link);

/* Where a check was under way when the run ended. */
void unfinished_text(char *text, size_t size, const struct run_facts *run);

uint64_t now_ns(void);

#endif
