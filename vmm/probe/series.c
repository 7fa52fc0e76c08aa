// SPDX-License-Identifier: MIT
// A series of probes. One process does its runs itself, so that whatever a run leaves behind shows;
// several share memory with the one that waits for them, and nothing else.
#include "series.h"

#include "bits.h"
#include "error.h"
#include "l1_link.h"
#include "reasons.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What one process has done so far. */
struct work {
	struct series series;
	struct result kept;
	uint64_t kept_at;	/* CLOCK_MONOTONIC when it ended */
	bool kept_failed;
	bool done;
	uint32_t told_runs, told_failed;	/* for whoever watches, maybe another process */
};

static volatile sig_atomic_t stop;

static void stop_soon(int signal)
{
	(void)signal;
	stop = 1;
}

bool series_wanted(const struct series_options *options)
{
	return options->repeat > 1 || options->duration_ns || options->parallel > 1 ||
	       options->all_cpus;
}

/* From good to bad: the order of the exit status. */
static unsigned int verdict_rank(enum verdict verdict)
{
	static const unsigned int ranks[] = {
		[VERDICT_WORKS] = 0,	 [VERDICT_LIMITED] = 1, [VERDICT_UNAVAILABLE] = 2,
		[VERDICT_TIMED_OUT] = 3, [VERDICT_BROKEN] = 4,	[VERDICT_FAILED] = 5,
	};

	return ranks[verdict];
}

/* ---- counting ---- */

static void tally_add(struct series *series, const struct series_tally *add)
{
	struct series_tally *tally = series->tally;

	while (tally < series->tally + series->tallies && tally->number != add->number)
		tally++;
	if (tally == series->tally + SERIES_REASONS)
		return;
	if (tally == series->tally + series->tallies) {
		*tally = *add;
		series->tallies++;
	} else {
		tally->runs += add->runs;
	}
}

static void cpu_count(struct series_cpu *cpu, const struct result *result)
{
	cpu->mixed |= cpu->runs && cpu->reason != result->reason;
	if (!cpu->runs)
		cpu->reason = result->reason;
	cpu->runs++;
}

/* One that works but lacks what is required has failed, too. */
static bool run_failed(const struct result *result)
{
	return result_outcome(result) > OUTCOME_WARN;
}

static void kept_take(struct work *work, const struct result *result, uint64_t at, int cpu)
{
	bool failed = run_failed(result);

	if (work->series.runs > 1 && (work->kept_failed || !failed))
		return;
	work->kept = *result;
	work->kept_at = at;
	work->kept_failed = failed;
	work->series.kept_run = work->series.runs;
	work->series.kept_cpu = cpu;
}

static void run_count(struct work *work, const struct result *result, struct series_cpu *cpu)
{
	struct series *series = &work->series;
	const struct series_tally one = { result->reason, result->reason_number, result->verdict, 1 };

	series->runs++;
	series->ns_sum += result->ns;
	series->ns_min = series->runs == 1 || result->ns < series->ns_min ? result->ns : series->ns_min;
	series->ns_max = result->ns > series->ns_max ? result->ns : series->ns_max;
	tally_add(series, &one);
	__atomic_fetch_add(&work->told_runs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&work->told_failed, run_failed(result), __ATOMIC_RELAXED);
	if (cpu)
		cpu_count(cpu, result);
	kept_take(work, result, now_ns(), cpu ? (int)cpu->cpu : -1);
}

/* ---- running ---- */

static bool time_is_left(const struct series_options *options, uint64_t start, unsigned int round)
{
	if (stop || (options->repeat && round >= options->repeat))
		return false;
	return round == 0 || !options->duration_ns || now_ns() - start < options->duration_ns;
}

static int cpus_find(struct series *series, cpu_set_t *allowed)
{
	if (sched_getaffinity(0, sizeof(*allowed), allowed) < 0)
		return fail(errno, "sched_getaffinity", "cannot learn which CPUs are allowed: %s",
			    strerror(errno));
	for (unsigned int cpu = 0; cpu < SERIES_CPUS; cpu++)
		if (CPU_ISSET(cpu, allowed))
			series->cpu[series->cpus++].cpu = cpu;
	return 0;
}

static int cpu_pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return fail(errno, "sched_setaffinity", "cannot run on CPU %u: %s", cpu,
			    strerror(errno));
	return 0;
}

/* ---- telling how far it is ---- */

/* `works` are this process's, or those of `count` others, which go on meanwhile. */
static void progress_tell(const struct series_options *options, const struct work *works,
			  unsigned int count, uint64_t start)
{
	struct series_progress progress = {
		.ns = now_ns() - start,
		.ns_all = options->duration_ns,
	};

	if (!options->progress)
		return;
	for (unsigned int i = 0; i < count; i++) {
		size_t cpus = options->all_cpus ? works[i].series.cpus : 1;

		progress.runs += __atomic_load_n(&works[i].told_runs, __ATOMIC_RELAXED);
		progress.failed += __atomic_load_n(&works[i].told_failed, __ATOMIC_RELAXED);
		progress.runs_all += (uint64_t)options->repeat * cpus;
	}
	options->progress(&progress);
}

/* One round: a run, or one on each CPU. */
static int round_run(const struct probe_options *probe, const struct series_options *options,
		     struct work *work, uint64_t start)
{
	static struct result result;

	if (!work->series.cpus) {
		probe_run(probe, &result);
		run_count(work, &result, NULL);
		progress_tell(options, work, 1, start);
		return 0;
	}
	for (size_t i = 0; i < work->series.cpus && !stop; i++) {
		int r = cpu_pin(work->series.cpu[i].cpu);

		if (r < 0)
			return r;
		probe_run(probe, &result);
		run_count(work, &result, &work->series.cpu[i]);
		progress_tell(options, work, 1, start);
	}
	return 0;
}

static int work_run(const struct probe_options *probe, const struct series_options *options,
		    struct work *work)
{
	uint64_t start = now_ns();
	cpu_set_t allowed;
	int r = options->all_cpus ? cpus_find(&work->series, &allowed) : 0;

	progress_tell(options, work, 1, start);
	for (unsigned int round = 0; r == 0 && time_is_left(options, start, round); round++)
		r = round_run(probe, options, work, start);
	if (options->all_cpus && work->series.cpus)
		sched_setaffinity(0, sizeof(allowed), &allowed);
	work->done = r == 0;
	return r;
}

/* A process that came to no end of its own. */
static void work_died(const struct probe_options *probe, struct work *work)
{
	static struct result result;

	result = (struct result){
		.verdict = VERDICT_FAILED,
		.reason = "minivmm-failed",
		.reason_number = reason_find("minivmm-failed")->number,
		.summary = "A process of the series died.",
	};
	probe_require(probe, &result);
	run_count(work, &result, NULL);
}

static void work_merge(struct work *into, const struct work *from)
{
	struct series *series = &into->series;
	bool earlier = from->kept_at < into->kept_at;

	if (!from->series.runs)
		return;
	for (size_t i = 0; i < from->series.tallies; i++)
		tally_add(series, &from->series.tally[i]);
	if (!series->runs || from->series.ns_min < series->ns_min)
		series->ns_min = from->series.ns_min;
	if (from->series.ns_max > series->ns_max)
		series->ns_max = from->series.ns_max;
	if (!series->runs || (from->kept_failed != into->kept_failed ? from->kept_failed : earlier)) {
		into->kept = from->kept;
		into->kept_at = from->kept_at;
		into->kept_failed = from->kept_failed;
		series->kept_run = from->series.kept_run;
		series->kept_cpu = from->series.kept_cpu;
	}
	series->runs += from->series.runs;
	series->ns_sum += from->series.ns_sum;
}

/* A process of the series, which shall not outlive `parent`. */
static int process_run(const struct probe_options *probe, const struct series_options *options,
		       struct work *work, pid_t parent)
{
	struct series_options quiet = *options;

	quiet.progress = NULL; /* that is the parent's */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return -ESRCH; /* it died before it could matter */
	return work_run(probe, &quiet, work);
}

/* Until all have ended, whose statuses are then still to be had. */
static void processes_watch(const struct series_options *options, const struct work *works,
			    const pid_t *pids, uint64_t start)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	unsigned int ended = 0;

	while (options->progress && ended < options->parallel) {
		siginfo_t info = { 0 };

		progress_tell(options, works, options->parallel, start);
		while (ended < options->parallel &&
		       waitid(P_PID, (id_t)pids[ended], &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		       info.si_pid)
			ended++;
		if (ended < options->parallel)
			nanosleep(&moment, NULL);
	}
}

static int processes_run(const struct probe_options *probe, const struct series_options *options,
			 struct work *all, uint64_t start)
{
	size_t size = options->parallel * sizeof(struct work);
	struct work *works = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[SERIES_PARALLEL_MAX], parent = getpid();
	unsigned int started = 0;

	if (works == MAP_FAILED)
		return fail(errno, "mmap", "no memory for %u processes", options->parallel);
	fflush(NULL); /* what is buffered is this process's to write */
	while (started < options->parallel && (pids[started] = fork()) >= 0) {
		if (pids[started] == 0)
			_exit(process_run(probe, options, &works[started], parent) < 0);
		started++;
	}
	if (started == options->parallel)
		processes_watch(options, works, pids, start);
	for (unsigned int i = 0; i < started; i++) {
		if (started < options->parallel)
			kill(pids[i], SIGKILL); /* the report will be an error */
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
		if (!works[i].done)
			work_died(probe, &works[i]);
		work_merge(all, &works[i]);
	}
	munmap(works, size);
	return started == options->parallel ? 0 :
					      fail(EAGAIN, "fork", "cannot start process %u of %u",
						   started + 1, options->parallel);
}

/* ---- the verdict on all of it ---- */

/* The reason that most CPUs have; the others are odd. */
static void cpus_judge(struct series *series)
{
	size_t best = 0, most = 0;

	for (size_t i = 0; i < series->cpus; i++) {
		size_t same = 0;

		for (size_t j = 0; j < series->cpus; j++)
			same += series->cpu[j].reason == series->cpu[i].reason;
		if (same > most) {
			most = same;
			best = i;
		}
	}
	for (size_t i = 0; i < series->cpus; i++)
		series->cpu[i].odd = series->cpu[i].reason != series->cpu[best].reason;
}

static bool depends_on_cpu(const struct series *series)
{
	for (size_t i = 0; i < series->cpus; i++)
		if (series->cpu[i].mixed)
			return false;
	return series->cpus > 1;
}

static void differ_summary(struct result *result, const struct series *series, bool by_cpu)
{
	int used = snprintf(result->summary, sizeof(result->summary),
			    by_cpu ? "The result depends on the CPU:" : "Of %u runs:", series->runs);

	for (size_t i = 0; i < series->tallies && used < (int)sizeof(result->summary) - 1; i++)
		used += snprintf(result->summary + used, sizeof(result->summary) - (size_t)used,
				 "%s %s %u time%s", i ? "," : "", series->tally[i].reason,
				 series->tally[i].runs, series->tally[i].runs == 1 ? "" : "s");
	if (used < (int)sizeof(result->summary) - 1)
		strcat(result->summary, ".");
}

static void series_judge(struct series *series, struct result *result)
{
	bool by_cpu = depends_on_cpu(series);
	const struct reason *reason;

	series->kept_reason = result->reason;
	series->kept_verdict = result->verdict;
	result->series = series;
	cpus_judge(series);
	for (size_t i = 0; i < series->tallies; i++)
		if (verdict_rank(series->tally[i].verdict) > verdict_rank(result->verdict))
			result->verdict = series->tally[i].verdict;
	if (series->tallies < 2)
		return;
	reason = reason_find(by_cpu ? "cpus-disagree" : "flaky");
	result->reason = reason->name;
	result->reason_number = reason->number;
	differ_summary(result, series, by_cpu);
}

int series_run(const struct probe_options *probe, const struct series_options *options,
	       struct series *series, struct result *result)
{
	/* the first one ends the series after the run under way, the second one ends it now */
	const struct sigaction on_interrupt = { .sa_handler = stop_soon, .sa_flags = SA_RESETHAND };
	static struct work all;
	uint64_t start = now_ns();
	int r;

	sigaction(SIGINT, &on_interrupt, NULL);
	r = options->parallel > 1 ? processes_run(probe, options, &all, start) :
				    work_run(probe, options, &all);
	if (r < 0)
		return r;
	if (!all.series.runs)
		return fail(EINTR, "series", "interrupted before the first run");
	*series = all.series;
	series->parallel = options->parallel;
	series->ns = now_ns() - start;
	series->interrupted = stop;
	*result = all.kept;
	series_judge(series, result);
	result->time = time(NULL);
	return 0;
}
