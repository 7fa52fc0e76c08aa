// SPDX-License-Identifier: MIT
// Features of address translation: what L1 can do with L2's nested page tables.
#include "feature.h"

#include "cpu.h"
#include "l2.h"
#include "nested_paging.h"

/* mov $FETCHED, %eax; ret */
#define FETCHED 0x6d766d
static const uint8_t code[] = { 0xb8, FETCHED & 0xff, FETCHED >> 8 & 0xff, FETCHED >> 16, 0, 0xc3 };

static void frame_fill(void)
{
	volatile uint8_t *frame = (volatile uint8_t *)nested_paging_frame();

	for (unsigned int i = 0; i < sizeof(code); i++)
		frame[i] = code[i];
}

/* Calls what is at `address`, reads it, writes behind it. result[]: what came of the first two. */
static void l2_touch(uint64_t address)
{
	l2_mailbox.result[0] = ((uint32_t(*)(void))address)();
	l2_mailbox.result[1] = *(volatile uint8_t *)address;
	*(volatile uint64_t *)(address + 8) = NESTED_MAGIC;
	l2_done();
}

static bool fault_is(struct outcome *outcome, uint64_t gpa, bool write, bool fetch)
{
	return equal(outcome, "faulting address", last.gpa, gpa) &&
	       equal(outcome, "cause (1 = write)", last.write, write) &&
	       equal(outcome, "cause (1 = fetch)", last.fetch, fetch);
}

/* What L2 found out by l2_touch(). */
static bool touched(struct outcome *outcome)
{
	return equal(outcome, "what the code returned", l2_mailbox.result[0], FETCHED) &&
	       equal(outcome, "what L2 read", l2_mailbox.result[1], code[0]) &&
	       equal(outcome, "what L2 wrote", nested_paging_frame()[1], NESTED_MAGIC);
}

static void window_permit(uint64_t bits)
{
	uint64_t gpa;

	nested_paging_window(1, bits | hv->nested_leaf, &gpa);
	hv->flush(&l2);
}

static enum l1_status nested_protection(struct outcome *outcome)
{
	if (hv->vendor == L1_VENDOR_SVM)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE); /* bit 63 is reserved without it */
	frame_fill();
	l2_reset(PROGRAM(l2_touch), NESTED_WINDOW);
	window_permit(NESTED_ALL ^ hv->nested_no_execute);
	if (!l2_start_to(outcome, L2_EXIT_PAGE_FAULT) ||
	    !fault_is(outcome, NESTED_WINDOW, false, true))
		return L1_FAILED;
	window_permit(NESTED_ALL & ~NESTED_WRITE);
	if (!l2_run_to(outcome, L2_EXIT_PAGE_FAULT) ||
	    !fault_is(outcome, NESTED_WINDOW + 8, true, false))
		return L1_FAILED;
	window_permit(NESTED_ALL);
	if (!l2_finish(outcome) || !touched(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "a fetch exits, a write exits, a read does not");
}

static enum l1_status nested_execute_only(struct outcome *outcome)
{
	frame_fill();
	l2_reset(PROGRAM(l2_touch), NESTED_WINDOW);
	window_permit(NESTED_EXECUTE);
	if (!l2_start_to(outcome, L2_EXIT_PAGE_FAULT) ||
	    !fault_is(outcome, NESTED_WINDOW, false, false) ||
	    !equal(outcome, "what the code returned", l2_mailbox.result[0], FETCHED))
		return L1_FAILED;
	window_permit(NESTED_ALL);
	if (!l2_finish(outcome) || !touched(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "a fetch works, a read exits");
}

static enum l1_status large_page(struct outcome *outcome, unsigned int level)
{
	uint64_t gpa;

	frame_fill();
	nested_paging_window(level, NESTED_ALL | hv->nested_leaf, &gpa);
	l2_reset(PROGRAM(l2_touch), gpa);
	if (!l2_start_and_finish(outcome) || !touched(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2's %x is L1's %x", gpa,
			   (uint64_t)nested_paging_frame());
}

static enum l1_status nested_2m(struct outcome *outcome)
{
	return large_page(outcome, 2);
}

static enum l1_status nested_1g(struct outcome *outcome)
{
	return large_page(outcome, 3);
}

static void l2_read_then_write(void)
{
	l2_mailbox.result[0] = *(volatile uint64_t *)NESTED_WINDOW;
	l2_hypercall(0);
	*(volatile uint64_t *)NESTED_WINDOW = NESTED_MAGIC;
	l2_done();
}

static enum l1_status nested_accessed_dirty(struct outcome *outcome)
{
	uint64_t gpa, both = hv->nested_accessed | hv->nested_dirty;
	volatile uint64_t *entry = nested_paging_window(1, NESTED_ALL | hv->nested_leaf, &gpa);

	l2_reset(PROGRAM(l2_read_then_write), 0);
	l2.nested_accessed_dirty = true;
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "A and D after a read", *entry & both, hv->nested_accessed))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome) || !equal(outcome, "A and D after a write", *entry & both, both))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "the entry became %x", *entry);
}

const struct feature features_memory[] = {
	{ L1_CHECK_NESTED_PROTECTION, true, nested_protection },
	{ L1_CHECK_NESTED_EXECUTE_ONLY, true, nested_execute_only },
	{ L1_CHECK_NESTED_2M, true, nested_2m },
	{ L1_CHECK_NESTED_1G, true, nested_1g },
	{ L1_CHECK_NESTED_ACCESSED_DIRTY, true, nested_accessed_dirty },
	{ 0 },
};
