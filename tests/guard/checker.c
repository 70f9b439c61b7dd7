/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guard/checker.h"

#include <math.h>

/* The theorem's own figures, not those that the guard was compiled with. */
#define REST_ALLOWED (1 / 32.0)
#define IDLE_NS 134217728.0
#define UNFED_NS 1073741824.0
#define HOLD_NS UINT64_C(1073741824)
#define DOUBLINGS 5
#define FORGIVENESS 4
#define SETTLED_NS UINT64_C(2147483648)
#define MEMORY_NS 17179869184.0
#define FIRST_NS 134217728.0
#define LONGEST_NS UINT64_C(1073741824)
#define SHARE_ERROR 0.01 /* the guard rounds each of many steps */

static void claim(struct checker *checker, enum checker_claim which, bool holds)
{
	checker->violations[which] += !holds;
}

static double positive(double x)
{
	return x > 0 ? x : 0;
}

static void average(double *share, bool now, double ns, double memory_ns)
{
	*share += ((now ? 1 : 0) - *share) * fmin(ns / memory_ns, 1);
}

/* The guard measures where the law alone has decided for a while. */
static void measure(struct checker *checker, double ns)
{
	const uint64_t hold_ns = HOLD_NS << checker->closed_in_a_row;

	if (checker->phase_ns < hold_ns / 2 ||
	    (checker->closed_in_a_row > 0 && checker->phase_ns < SETTLED_NS))
		return;
	average(&checker->idle_share, checker->idle, ns, MEMORY_NS);
	average(&checker->classic_share, checker->classic, ns,
		ldexp(FIRST_NS, (int)checker->doublings));
	checker->measured_ns += ns;
	checker->doublings += ldexp(FIRST_NS, (int)checker->doublings) < MEMORY_NS &&
			      checker->measured_ns >= ldexp(FIRST_NS, (int)checker->doublings);
}

/*
 * The worst stretches of time, after `ns` more in this phase.  The guard rounds shares down to 16
 * bits and times down to ns: so much less may it ask for.
 */
static void stretch(struct checker *checker, const struct aqm_guard_vars *guard, double ns)
{
	const double share = ldexp((double)guard->idle_share_q32, -32);
	const double allowed = share + (1 - share) * REST_ALLOWED;
	const double asked = ldexp((double)guard->classic_share_q32, -33) - ldexp(1, -17);

	checker->idle_ns = positive(checker->idle_ns + (checker->idle ? ns : 0) - allowed * ns);
	checker->classic_ns =
		positive(checker->classic_ns + asked * ns - 1 - (checker->classic ? ns : 0));
}

static bool near(int64_t share_q32, double share)
{
	return share_q32 >= 0 && share_q32 <= (int64_t)AQM_Q32_ONE &&
	       fabs(ldexp((double)share_q32, -32) - share) < SHARE_ERROR;
}

void checker_time(struct checker *checker, const struct aqm_guard_vars *before, uint64_t now_ns)
{
	uint64_t ns = checker->begun ? now_ns - checker->then_ns : 0;

	if (ns > LONGEST_NS)
		ns = LONGEST_NS;
	claim(checker, CHECKER_share,
	      near(before->idle_share_q32, checker->idle_share) &&
		      near(before->classic_share_q32, checker->classic_share));
	checker->begun = true;
	checker->then_ns = now_ns;
	checker->phase_ns += ns;
	if (before->open)
		stretch(checker, before, (double)ns);
	else
		measure(checker, (double)ns);
}

static void opened(struct checker *checker)
{
	claim(checker, CHECKER_hold,
	      checker->phase_ns >= HOLD_NS << checker->closed_in_a_row);
	checker->openings++;
	checker->phase_ns = 0;
	checker->idle_ns = checker->classic_ns = 0;
}

/* Phases as they are seen from outside. */
static void watch(struct checker *checker, const struct aqm_guard_vars *after)
{
	if (after->open && checker->open) {
		claim(checker, CHECKER_idle, checker->idle_ns <= IDLE_NS);
		claim(checker, CHECKER_classic, checker->classic_ns <= UNFED_NS);
		if (checker->closed_in_a_row > 0 &&
		    checker->phase_ns >= FORGIVENESS * HOLD_NS << checker->closed_in_a_row) {
			checker->closed_in_a_row--;
			checker->phase_ns = 0;
		}
	} else if (after->open) {
		opened(checker);
	} else if (checker->open) {
		checker->closings++;
		checker->closed_in_a_row += checker->closed_in_a_row < DOUBLINGS;
		checker->phase_ns = 0;
	}
	checker->open = after->open;
}

void checker_arrived(struct checker *checker, const struct aqm_guard_vars *after, unsigned queue)
{
	const int64_t earned = queue == AQM_QUEUE_C ? 1 : 8;

	watch(checker, after);
	checker->extra_16ths[queue] -= earned;
	if (checker->extra_16ths[queue] < 0)
		checker->extra_16ths[queue] = 0;
}

void checker_departed(struct checker *checker, const struct aqm_guard_params *params,
		      const struct aqm_guard_vars *after, const struct aqm_facts *facts)
{
	const unsigned queue = facts->queue;

	watch(checker, after);
	checker->idle = false;
	checker->classic = queue == AQM_QUEUE_C;
	if (facts->sojourn_ns <= params->aim_ns[queue] && checker->omitted_64ths[queue] > 0)
		checker->omitted_64ths[queue]--;
}

void checker_found_empty(struct checker *checker, const struct aqm_guard_vars *after)
{
	watch(checker, after);
	checker->idle = true;
	checker->classic = false;
}

void checker_judged(struct checker *checker, const struct aqm_guard_params *params,
		    const struct aqm_guard_vars *before, const struct aqm_facts *facts,
		    enum aqm_verdict law, enum aqm_verdict wanted, bool overload,
		    enum aqm_verdict verdict)
{
	const unsigned queue = facts->queue;
	const uint64_t waited_ns = facts->sojourn_ns > facts->head_sojourn_ns[queue]
					   ? facts->sojourn_ns
					   : facts->head_sojourn_ns[queue];

	claim(checker, CHECKER_verdict, verdict == law || verdict == wanted);
	claim(checker, CHECKER_overload, !overload || verdict == law);
	if (verdict > law) {
		claim(checker, CHECKER_closed, before->open);
		claim(checker, CHECKER_waited,
		      waited_ns > params->aim_ns[queue] / 8 ||
			      (queue == AQM_QUEUE_L && facts->head_sojourn_ns[AQM_QUEUE_C] >
							       params->aim_ns[AQM_QUEUE_C] / 8));
		checker->extra_16ths[queue] += 16;
		claim(checker, CHECKER_extra, checker->extra_16ths[queue] <= 4 * 16);
	}
	if (verdict < law) {
		claim(checker, CHECKER_waited, waited_ns <= params->aim_ns[queue]);
		checker->omitted_64ths[queue] += 64;
		claim(checker, CHECKER_omitted, checker->omitted_64ths[queue] <= 2 * 64);
	}
}

void checker_repaid(struct checker *checker, unsigned queue)
{
	checker->extra_16ths[queue] -= 16;
	if (checker->extra_16ths[queue] < 0)
		checker->extra_16ths[queue] = 0;
}

uint64_t checker_total(const struct checker *checker)
{
	uint64_t total = 0;

	for (int i = 0; i < CHECKER_CLAIM_COUNT; i++)
		total += checker->violations[i];
	return total;
}

const char *checker_claim_text(enum checker_claim which)
{
	static const char *const texts[] = {
#define CHECKER_TEXT(name, text) text,
		CHECKER_CLAIMS(CHECKER_TEXT)
#undef CHECKER_TEXT
	};

	return texts[which];
}
