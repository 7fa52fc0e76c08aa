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

/* A second frame, to put in the first one's place. */
static uint64_t other_frame[512] __attribute__((aligned(PAGE_SIZE)));
#define OTHER_MAGIC 0x6f74686572UL /* "other" */

static void l2_read_twice(uint64_t address)
{
	l2_mailbox.result[0] = *(volatile uint64_t *)address;
	l2_hypercall(0);
	l2_mailbox.result[1] = *(volatile uint64_t *)address;
	l2_done();
}

static void frames_fill(void)
{
	*nested_paging_frame() = NESTED_MAGIC;
	other_frame[0] = OTHER_MAGIC;
}

static enum l1_status nested_flush(struct outcome *outcome)
{
	uint64_t gpa, bits = NESTED_ALL | hv->nested_leaf;
	volatile uint64_t *entry = nested_paging_window(1, bits, &gpa);

	frames_fill();
	l2_reset(PROGRAM(l2_read_twice), NESTED_WINDOW);
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "what L2 read first", l2_mailbox.result[0], NESTED_MAGIC))
		return L1_FAILED;
	l2_step_over();
	*entry = (uint64_t)other_frame | bits;
	hv->flush(&l2);
	if (!l2_finish(outcome) ||
	    !equal(outcome, "what L2 read then", l2_mailbox.result[1], OTHER_MAGIC))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 saw the other page");
}

#define LEAF		(PTE_P | PTE_W)
static struct space {
	uint64_t pml5[512], pml4[512], pdpt[512], pd[512], pt[512];
} spaces[2] __attribute__((aligned(PAGE_SIZE)));

static void space_init(struct space *space, uint64_t entry)
{
	const uint64_t *l1_pdpt = (const uint64_t *)(*(const uint64_t *)cr3_read() & ~0xfffUL);

	space->pml5[0] = (uint64_t)space->pml4 | LEAF;
	space->pml4[0] = (uint64_t)space->pdpt | LEAF;
	space->pdpt[0] = l1_pdpt[0];
	space->pdpt[1] = l1_pdpt[1];
	space->pdpt[SPACE_PAGE >> 30] = (uint64_t)space->pd | LEAF;
	space->pd[0] = (uint64_t)space->pt | LEAF;
	space->pt[0] = entry;
}

uint64_t space_root(uint64_t entry)
{
	space_init(&spaces[0], entry);
	return (uint64_t)spaces[0].pml4;
}

void space_map(uint64_t entry)
{
	spaces[0].pt[0] = entry;
}

/* L2 in a space of its own under a tag of its own; what is cached under that tag stays. */
static bool space_enter(struct outcome *outcome, unsigned int space, bool kept, uint64_t expected)
{
	l2_reset(PROGRAM(l2_read_twice), SPACE_PAGE);
	l2.cr3 = (uint64_t)spaces[space].pml4;
	l2.tag = (uint16_t)(space + 1);
	l2.tag_kept = kept;
	return l2_start_to(outcome, L2_EXIT_HYPERCALL) &&
	       equal(outcome, "what L2 read", l2_mailbox.result[0], expected);
}

static enum l1_status tlb_tags(struct outcome *outcome)
{
	frames_fill();
	space_init(&spaces[0], (uint64_t)nested_paging_frame() | LEAF);
	space_init(&spaces[1], (uint64_t)other_frame | LEAF);
	if (!space_enter(outcome, 0, false, NESTED_MAGIC) ||
	    !space_enter(outcome, 1, false, OTHER_MAGIC) ||
	    !space_enter(outcome, 0, true, NESTED_MAGIC))
		return L1_FAILED;
	spaces[0].pt[0] = (uint64_t)other_frame | LEAF;
	hv->flush_page(&l2, SPACE_PAGE);
	l2_step_over();
	if (!l2_finish(outcome) ||
	    !equal(outcome, "what L2 read behind the flush", l2_mailbox.result[1], OTHER_MAGIC))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "tags 1 and 2, and a page flushed");
}

/* The tables of five levels are those of four and one above. */
static enum l1_status la57(struct outcome *outcome)
{
	frames_fill();
	space_init(&spaces[0], (uint64_t)nested_paging_frame() | LEAF);
	l2_reset(PROGRAM(l2_read_twice), SPACE_PAGE);
	l2.cr3 = (uint64_t)spaces[0].pml5;
	l2.cr4 = CR4_LA57;
	if (!l2_start_to(outcome, L2_EXIT_HYPERCALL) ||
	    !equal(outcome, "what L2 read", l2_mailbox.result[0], NESTED_MAGIC))
		return L1_FAILED;
	l2_step_over();
	if (!l2_finish(outcome))
		return L1_FAILED;
	return outcome_say(outcome, L1_PASSED, "L2 ran with CR4.LA57");
}

const struct feature features_memory[] = {
	{ L1_CHECK_LA57, false, la57 },
	{ L1_CHECK_NESTED_PROTECTION, true, nested_protection },
	{ L1_CHECK_NESTED_EXECUTE_ONLY, true, nested_execute_only },
	{ L1_CHECK_NESTED_2M, true, nested_2m },
	{ L1_CHECK_NESTED_1G, true, nested_1g },
	{ L1_CHECK_NESTED_ACCESSED_DIRTY, true, nested_accessed_dirty },
	{ L1_CHECK_NESTED_FLUSH, true, nested_flush },
	{ L1_CHECK_TLB_TAGS, false, tlb_tags },
	{ 0 },
};
