/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A closed loop, opened without being opened: any law with a small, known
 * disturbance on the signals that it gives, between the law and the senders.
 *
 * Where d(t), a sum of sines, is negative a signal is held back with
 * probability -d; where it is positive one more is given, to the next packet
 * that can carry it, with probability d.  So senders meet (1 + d) times the
 * signals that the law gave, whatever law or policy that is and however rare
 * they are.  With u the law's signals, e what senders met, and L the gain once
 * around the loop (e to u, with its sign turned), u = -L e and e = u + d u_0,
 * hence L = -U / E at every frequency of d, U and E being what u and e hold of
 * it: an external disturbance makes that free of bias from the loop's own noise
 * (Ljung, System Identification, 13.5).
 *
 * Counted are marks and drops by the law.  Drops for lack of room go around d.
 */
#ifndef SIM_PERTURBATION_H
#define SIM_PERTURBATION_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

#include "aqm/ops.h"
#include "base/rng.h"

#define PERTURBATION_MAX_TONES 24
#define PERTURBATION_ANY_QUEUE AQM_QUEUES

struct perturbation_tone {
	double hz, amplitude, phase; /* amplitude sin(2 pi hz (t - begin_s) + phase) */
};

struct perturbation_plan {
	struct perturbation_tone tones[PERTURBATION_MAX_TONES];
	size_t count;
	double begin_s, end_s; /* of counting, whole periods of every tone; d is always on */
	unsigned queue;	       /* whose signals: enum aqm_queue, or PERTURBATION_ANY_QUEUE */
	uint64_t seed;	       /* of what is held back and added */
};

/* What u and e hold of each tone, turned so that d itself would be real and positive. */
struct perturbation_sums {
	double complex law[PERTURBATION_MAX_TONES], met[PERTURBATION_MAX_TONES];
	double law_signals, met_signals;
};

/*
 * About `count` tones from low_hz to high_hz, evenly spread on a logarithmic scale, each of odd
 * whole periods between begin_s and end_s and all of the same amplitude, with phases drawn from the
 * seed; |d| reaches `depth`, in (0, 1).  Tones that fall together are one.
 */
void perturbation_plan_make(struct perturbation_plan *plan, double low_hz, double high_hz,
			    size_t count, double depth);

/* d at that time. */
double perturbation_at(const struct perturbation_plan *plan, double t_s);

/* The disturbance in operation; plain data. */
struct perturbation_state {
	struct perturbation_plan plan;
	struct perturbation_sums sums;
	struct rng rng;
	uint64_t owed; /* signals to be given to packets that come */
};

void perturbation_begin(struct perturbation_state *state, const struct perturbation_plan *plan);

/* What becomes of the law's verdict on a packet at this time. */
enum aqm_verdict perturbation_pass(struct perturbation_state *state, uint64_t now_ns, unsigned ecn,
				   enum aqm_verdict verdict);

/* A law with a disturbance behind it. */
struct perturbation;

/* ERR_NO_MEMORY, ERR_RANGE (parameters of the law take more room than there is). */
int perturbation_new(struct perturbation **perturbation, const struct perturbation_plan *plan,
		     const struct aqm_ops *law, const void *params, struct error *error);
void perturbation_free(struct perturbation *perturbation);

/* The law and its parameters, for a queue; both live as long as `perturbation`. */
const struct aqm_ops *perturbation_ops(const struct perturbation *perturbation);
const void *perturbation_params(const struct perturbation *perturbation);
const struct perturbation_sums *perturbation_sums(const struct perturbation *perturbation);

#endif
