// SPDX-License-Identifier: MIT
// The deadline.
#include "deadline.h"

#include "error.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid	/* glibc before 2.38 has no name for it */
#endif

volatile bool deadline_passed;

static struct kvm_run *volatile watched;
static timer_t timer;
static bool armed;

static void time_is_up(int signal)
{
	(void)signal;
	deadline_passed = true;
	if (watched)
		watched->immediate_exit = 1;
}

int deadline_arm(unsigned int milliseconds)
{
	/* no SA_RESTART: calls that wait shall end */
	const struct sigaction action = { .sa_handler = time_is_up };
	sigset_t alarm;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	/* again every 100 ms, for a call that took the first signal and was started again */
	const struct itimerspec when = {
		.it_value = { milliseconds / 1000, milliseconds % 1000 * 1000000L },
		.it_interval = { 0, 100 * 1000000L },
	};

	deadline_passed = false;
	watched = NULL;
	if (milliseconds == 0)
		return 0;
	/* whoever started this process may have left it blocked */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (sigaction(SIGALRM, &action, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return fail(errno, "timer", "cannot set a timer: %s", strerror(errno));
	armed = true;
	if (timer_settime(timer, 0, &when, NULL) < 0)
		return fail(errno, "timer", "cannot set a timer: %s", strerror(errno));
	return 0;
}

void deadline_watch(struct kvm_run *run)
{
	watched = run;
	if (run && deadline_passed)
		run->immediate_exit = 1; /* it passed before there was a vCPU */
}

void deadline_disarm(void)
{
	if (armed)
		timer_delete(timer);
	armed = false;
	watched = NULL;
}
