// SPDX-License-Identifier: MIT
// LD_PRELOAD: the real KVM, some of whose answers are another host's. Which ones, KVM_ANSWERS says:
//
//	CALL[/ARGUMENT][@WHEN]=ANSWER[:VALUE] ...	e.g. KVM_RUN@l2-entry=fail-entry:0x80000021
//
// WHEN is the number of the call (N, N-, N-M), the check that L1 has under way, or cpuN for the CPU
// that this process is on; without it, always. Each ANSWER is a row of answers[]. A rule that
// cannot be read ends the program, so that no test passes for want of a wrong answer.
#include "contract.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int ioctl(int fd, unsigned long request, ...);

/* ---- what can be named ---- */

struct word {
	const char *name;
	unsigned long value;
};

#define WORD(name) { #name, name }
#define OPEN 1UL /* open() of /dev/kvm, which is no ioctl */
static const struct word calls[] = {
	{ "open", OPEN },
	WORD(KVM_GET_API_VERSION), WORD(KVM_CHECK_EXTENSION), WORD(KVM_GET_SUPPORTED_CPUID),
	WORD(KVM_CREATE_VM), WORD(KVM_SET_USER_MEMORY_REGION), WORD(KVM_SET_TSS_ADDR),
	WORD(KVM_ENABLE_CAP), WORD(KVM_CREATE_VCPU), WORD(KVM_SET_CPUID2), WORD(KVM_SET_MSRS),
	WORD(KVM_GET_MSRS), WORD(KVM_SET_SREGS), WORD(KVM_SET_REGS), WORD(KVM_RUN),
	WORD(KVM_GET_NESTED_STATE), WORD(KVM_GET_STATS_FD), WORD(KVM_GET_VCPU_MMAP_SIZE),
};
static const struct word values[] = {
	WORD(EPERM), WORD(EINTR), WORD(EIO), WORD(EAGAIN), WORD(ENOMEM), WORD(EACCES), WORD(EFAULT),
	WORD(EMFILE), WORD(EBUSY), WORD(ENODEV), WORD(EINVAL), WORD(ENOTTY), WORD(ENOSYS),
	WORD(KVM_CAP_IRQCHIP), WORD(KVM_CAP_IMMEDIATE_EXIT), WORD(KVM_CAP_NESTED_STATE),
};

static const char *const checks[L1_CHECK_COUNT] = {
#define X(number, id, name, level, title) [number] = name,
	L1_CHECKS(X)
#undef X
};

/* ---- the real thing ---- */

static int (*real_ioctl)(int fd, unsigned long request, ...);
static uint8_t *memory;			/* slot 0: guest-physical 0 */
static uint64_t memory_size;
static struct kvm_run *run;		/* of the vCPU made last */
static unsigned int check;		/* that L1 has under way */

/* Follows what L1 tells: minivmm gets it all the same. */
static void message_see(void)
{
	struct l1_message message;
	uint32_t gpa;

	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT_CONTRACT ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		return;
	memcpy(&gpa, (uint8_t *)run + run->io.data_offset, sizeof(gpa));
	if (gpa > memory_size || memory_size - gpa < sizeof(message))
		return;
	memcpy(&message, memory + gpa, sizeof(message));
	check = message.kind == L1_BEGIN ? message.check : 0;
}

#define RUN_SIZE (2 * 4096) /* kvm_run, and the page of its port data */

static int call_real(int fd, unsigned long request, unsigned long argument)
{
	const struct kvm_userspace_memory_region *region = (const void *)argument;
	int r = real_ioctl(fd, request, argument);

	if (r < 0)
		return r;
	if (request == KVM_SET_USER_MEMORY_REGION && region->slot == 0) {
		memory = (uint8_t *)region->userspace_addr;
		memory_size = region->memory_size;
	} else if (request == KVM_CREATE_VCPU) {
		if (run)
			munmap(run, RUN_SIZE);
		run = mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0);
		check = 0;
	} else if (request == KVM_RUN) {
		message_see();
	}
	return r;
}

/* ---- the answers ---- */

struct call {
	int fd;
	unsigned long request, argument;
	const char *text;	/* behind the colon */
	unsigned long value;	/* of it */
};

static int answer_errno(const struct call *call)
{
	errno = (int)call->value;
	return -1;
}

static int answer_return(const struct call *call)
{
	return (int)call->value;
}

static int answer_fail_entry(const struct call *call)
{
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = call->value;
	return 0;
}

static int answer_internal_error(const struct call *call)
{
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = (uint32_t)call->value;
	return 0;
}

static int answer_exit(const struct call *call)
{
	run->exit_reason = (uint32_t)call->value;
	return 0;
}

/* A guest that never exits: only the deadline's immediate_exit ends it. */
static int answer_hang(const struct call *call)
{
	(void)call;
	while (!*(volatile uint8_t *)&run->immediate_exit)
		usleep(1000);
	errno = EINTR;
	return -1;
}

/* VMX or SVM in the table that KVM gives, or is given. */
static void cpuid_set(struct kvm_cpuid2 *table, const char *feature, bool shown)
{
	bool svm = strcmp(feature, "svm") == 0;
	uint32_t bit = svm ? 1U << 2 : 1U << 5;

	for (uint32_t i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &table->entries[i];

		if (entry->function == (svm ? 0x80000001 : 1))
			entry->ecx = shown ? entry->ecx | bit : entry->ecx & ~bit;
	}
}

static int answer_cpuid(const struct call *call, bool shown)
{
	struct kvm_cpuid2 *table = (struct kvm_cpuid2 *)call->argument;
	int r;

	if (call->request == KVM_SET_CPUID2)
		cpuid_set(table, call->text, shown);
	r = call_real(call->fd, call->request, call->argument);
	if (call->request == KVM_GET_SUPPORTED_CPUID && r == 0)
		cpuid_set(table, call->text, shown);
	return r;
}

static int answer_show(const struct call *call)
{
	return answer_cpuid(call, true);
}

static int answer_hide(const struct call *call)
{
	return answer_cpuid(call, false);
}

static const struct answer {
	const char *name;
	int (*give)(const struct call *call);
} answers[] = {
	{ "errno", answer_errno },		/* fails with this errno */
	{ "return", answer_return },		/* does nothing and returns this */
	{ "fail-entry", answer_fail_entry },	/* KVM_EXIT_FAIL_ENTRY with this hardware reason */
	{ "internal-error", answer_internal_error },	/* KVM_EXIT_INTERNAL_ERROR, this suberror */
	{ "exit", answer_exit },		/* this exit reason */
	{ "hang", answer_hang },		/* until the deadline */
	{ "show", answer_show },		/* svm or vmx in the CPUID table */
	{ "hide", answer_hide },
};

/* ---- the rules ---- */

static struct rule {
	unsigned long request, argument;
	bool any_argument;
	unsigned long first, last;	/* number of the call */
	unsigned int check;		/* L1_CHECK_NONE = any */
	int cpu;			/* -1 = any */
	const struct answer *answer;
	const char *text;
	unsigned long value;
	unsigned long calls;		/* that fitted so far */
} rules[16];
static size_t rule_count;

static _Noreturn void bad_rule(const char *what)
{
	dprintf(STDERR_FILENO, "kvm_answers: cannot read '%s'\n", what);
	_exit(96);
}

static unsigned long word_value(const struct word *words, size_t count, const char *name)
{
	unsigned long number;
	char *end;

	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].value;
	number = strtoul(name, &end, 0);
	if (words == calls || !*name || *end)
		bad_rule(name);
	return number;
}

static void when_read(struct rule *rule, const char *when)
{
	char *end;

	for (unsigned int i = 1; i < L1_CHECK_COUNT; i++)
		if (checks[i] && strcmp(checks[i], when) == 0)
			rule->check = i;
	if (rule->check)
		return;
	if (strncmp(when, "cpu", 3) == 0) {
		rule->cpu = atoi(when + 3);
		return;
	}
	rule->first = rule->last = strtoul(when, &end, 10);
	if (*end == '-')
		rule->last = end[1] ? strtoul(end + 1, &end, 10) : ~0UL;
	if (!rule->first)
		bad_rule(when);
}

static const struct answer *answer_find(const char *name)
{
	for (size_t i = 0; i < COUNT(answers); i++)
		if (strcmp(answers[i].name, name) == 0)
			return &answers[i];
	bad_rule(name);
}

/* Cuts `text` at `mark` and returns what is behind it, NULL where there is none. */
static char *cut(char *text, char mark)
{
	char *at = strchr(text, mark);

	if (at)
		*at++ = '\0';
	return at;
}

static void rule_read(struct rule *rule, char *text)
{
	char *answer = cut(text, '='), *when = cut(text, '@'), *argument = cut(text, '/'), *value;

	if (!answer)
		bad_rule(text);
	value = cut(answer, ':');
	*rule = (struct rule){
		.request = word_value(calls, COUNT(calls), text),
		.any_argument = !argument,
		.last = ~0UL,
		.cpu = -1,
		.answer = answer_find(answer),
		.text = value ? value : "",
	};
	if (argument)
		rule->argument = word_value(values, COUNT(values), argument);
	if (when)
		when_read(rule, when);
	if (value && rule->answer->give != answer_show && rule->answer->give != answer_hide)
		rule->value = word_value(values, COUNT(values), value);
}

__attribute__((constructor)) static void rules_read(void)
{
	const char *text = getenv("KVM_ANSWERS");
	char *copy = strdup(text ? text : ""), *word; /* stays: the rules point into it */

	*(void **)&real_ioctl = dlsym(RTLD_NEXT, "ioctl");
	while ((word = strsep(&copy, " "))) {
		if (!*word)
			continue;
		if (rule_count == COUNT(rules))
			bad_rule(word);
		rule_read(&rules[rule_count++], word);
	}
}

static const struct rule *rule_find(unsigned long request, unsigned long argument)
{
	for (struct rule *rule = rules; rule < rules + rule_count; rule++) {
		if (rule->request != request ||
		    (!rule->any_argument && rule->argument != argument) ||
		    (rule->check && rule->check != check) ||
		    (rule->cpu >= 0 && rule->cpu != sched_getcpu()))
			continue;
		rule->calls++;
		if (rule->calls >= rule->first && rule->calls <= rule->last)
			return rule;
	}
	return NULL;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct call call = { .fd = fd, .request = request };
	const struct rule *rule;
	va_list args;

	va_start(args, request);
	call.argument = va_arg(args, unsigned long);
	va_end(args);
	rule = rule_find(request, call.argument);
	if (!rule)
		return call_real(fd, request, call.argument);
	call.text = rule->text;
	call.value = rule->value;
	return rule->answer->give(&call);
}

int open(const char *path, int flags, ...)
{
	const struct rule *rule = strcmp(path, "/dev/kvm") == 0 ? rule_find(OPEN, 0) : NULL;
	int (*real)(const char *, int, ...);
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	*(void **)&real = dlsym(RTLD_NEXT, "open");
	if (!rule)
		return real(path, flags, mode);
	return rule->answer->give(&(struct call){ .value = rule->value });
}
