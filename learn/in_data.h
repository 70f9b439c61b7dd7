/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The released code's evaluation: a walk through recorded rows.
 *
 * This is NOT a closed loop: no packet is sent, no queue answers.  The walk
 * goes to the next row; every `interval` steps the policy is shown the row it
 * stands on, and the walk jumps to that row of the recording which has the
 * action the policy asked for and the nearest packet length (the earliest of
 * equals).  What is then called delay and throughput are the recorded values of
 * the rows that were visited.  Since nearly all rows are enqueues, a policy that
 * always says enqueue gives nearly the same walk; it is walked beside every
 * policy so that this can be seen.
 *
 * It is here to reproduce published figures, and is labelled as what it is.
 */
#ifndef LEARN_IN_DATA_H
#define LEARN_IN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "experience/pool.h"
#include "policy/policy.h"

struct in_data_walk {
	size_t steps;
	uint32_t *row;        /* (steps): row visited; owned */
	double *qdelay_ms;    /* (steps): recorded there; owned */
	double *throughput;   /* (steps): packet length over delay in ms + 1, as released; owned */
	uint64_t asked[POOL_ACTIONS]; /* what the policy said */
	uint64_t missing;     /* answers that no row of the recording has: the next row is taken */
};

/*
 * Walks `steps` steps, asking every `interval` of them; `policy` NULL always says
 * enqueue.  The policy's most likely verdict counts.  With `forget` it is asked
 * as the released code asks: one step of context, at timestep 0.  The walk starts
 * again at the first row when it runs off the end.  ERR_INVALID when the pool
 * lacks current_queue_delay or packet_length, or has no row.
 */
int in_data_walk(struct in_data_walk *walk, const struct pool *pool, struct policy *policy,
		 bool forget, uint64_t interval, size_t steps, struct error *error);
void in_data_walk_free(struct in_data_walk *walk);

/* Steps at which two walks of equal length stood on the same row. */
size_t in_data_same(const struct in_data_walk *a, const struct in_data_walk *b);

#endif
