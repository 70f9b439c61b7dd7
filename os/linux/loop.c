/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for packets, or for what the router has to do, whatever comes first.
 */
#include "os/linux/loop.h"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"

#define ROUTER_NICENESS (-11)
#define BACKGROUND_NICENESS 15
#define EXACT_SLACK_NS 1 /* timers fire when they are due, not up to 50 us later */

static uint64_t now_ns(void *context)
{
	static uint64_t start_ns;
	const uint64_t ns = clock_ns();

	(void)context;
	if (start_ns == 0)
		start_ns = ns;
	return ns - start_ns;
}

struct router_clock loop_clock(void)
{
	now_ns(NULL);
	return (struct router_clock){.now_ns = now_ns};
}

/* Linux counts niceness by threads. */
void loop_come_forward(void)
{
	setpriority(PRIO_PROCESS, 0, ROUTER_NICENESS);
}

void loop_stand_back(void)
{
	const struct sched_param none = {0};

	/* Who started the router under a real-time policy did not mean this thread. */
	sched_setscheduler(0, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, 0, BACKGROUND_NICENESS);
}

/* Until packets come, or a signal, or `due_ns`. */
static void wait_until(const struct router *router, uint64_t due_ns)
{
	struct pollfd ports[ROUTER_WAYS];
	const uint64_t now = now_ns(NULL), left = due_ns > now ? due_ns - now : 0;
	const struct timespec timeout = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};

	for (int i = 0; i < ROUTER_WAYS; i++)
		ports[i] = (struct pollfd){.fd = router->ports[i]->fd, .events = POLLIN};
	ppoll(ports, ROUTER_WAYS, &timeout, NULL);
}

int loop_run(const struct loop *loop, struct router *router, struct error *error)
{
	uint64_t tick_ns = now_ns(NULL);
	bool more = false;
	int code;

	prctl(PR_SET_TIMERSLACK, EXACT_SLACK_NS, 0, 0, 0);
	for (;;) {
		const uint64_t now = now_ns(NULL);

		if (now >= tick_ns) {
			if (loop->tick(loop->context, now))
				return 0;
			tick_ns = now + loop->tick_ns;
		}
		code = router_turn(router, &more, error);
		if (code)
			return code;
		if (!more) {
			const uint64_t next_ns = router_next_ns(router);

			wait_until(router, next_ns < tick_ns ? next_ns : tick_ns);
		}
	}
}
