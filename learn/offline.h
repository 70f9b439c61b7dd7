/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reinforcement from recorded pools: advantage-weighted regression (Peng et al. 2019, arXiv
 * 1910.00177), an off-policy actor-critic that runs nothing.
 *
 * A critic learns what the pool's states are worth, from lambda-returns of the recorded rewards
 * and its own opinion, in a few rounds; the first learns from the returns as they came true.  Then
 * an actor, a student that gives verdicts, imitates what was done, each row with the weight that
 * its advantage gives it: actions after which things went better than the critic expected count
 * more.  With a large beta all rows count alike, which is plain imitation.
 *
 * Nothing reaches across the end of an episode, and so of a pool: no return, and no segment of the
 * actor's.  The critic and the figures of returns have all rows; the actor, weights and the figures
 * of actions have those in whole segments.
 *
 * It can only shift weight between actions that were taken in like states.  Whatever a state does
 * not tell and that moved both action and return, a law's hidden state or the network's, passes for
 * the action's merit.  One thread; the same inputs give the same bits.
 */
#ifndef LEARN_OFFLINE_H
#define LEARN_OFFLINE_H

#include <stdbool.h>

#include "learn/pool_states.h"
#include "policy/student_model.h"

struct offline_options {
	double gamma;  /* of returns, in [0, 1) */
	double lambda; /* of those that the critic learns and advantages are measured by, [0, 1] */
	double beta;   /* standard deviations of advantage by which a weight grows e times; > 0 */
	double most;   /* bound of a weight before they are divided by their mean; >= 1 */
	uint64_t updates;	 /* of the actor */
	uint64_t critic_updates; /* of the critic, all rounds together */
	int critic_width;	 /* units of each of its two hidden layers */
	int64_t batch;		 /* segments an update of the actor; of the critic as many rows */
	double rate;		 /* highest learning rate of both */
	uint64_t seed;
};

/* X(name): figures of the rows held back, but for `rows` */
#define OFFLINE_REPORT_TABLE(X)                                                                    \
	X(rows)		     /* trained on */                                                      \
	X(held_out_rows)                                                                           \
	X(return_mean)	     /* of what was recorded, as it came true (lambda 1) */                \
	X(return_deviation)  /* standard deviation of that */                                      \
	X(explained)	     /* share of its variance that the critic explains */                  \
	X(advantage_deviation)                                                                     \
	X(effective)	     /* share of rows that the weights leave: (sum w)^2 / (n sum w^2) */   \
	X(bounded)	     /* share of rows whose weight is bounded */                           \
	X(logged_signals)    /* share of rows that were marked or dropped */                       \
	X(weighted_signals)  /* the same with the weights */                                       \
	X(student_signals)   /* mean probability with which the integer student would */           \
	X(majority)	     /* share of the most frequent action */                               \
	X(agreement)	     /* share of rows whose action the student finds most likely */        \
	X(balanced)	     /* mean over actions of that share */                                 \
	X(cross_entropy)     /* of the actions under the student, nats */

struct offline_report {
#define OFFLINE_MEMBER(name) double name;
	OFFLINE_REPORT_TABLE(OFFLINE_MEMBER)
#undef OFFLINE_MEMBER
};

struct offline_observer {
	void *context;
	/* While a stage goes on; true stops with ERR_INTERRUPTED.  May be NULL. */
	bool (*progress)(void *context, const char *stage, uint64_t done, uint64_t total);
};

/*
 * Trains on rows [0, cut) of `pool`; the others are held back.  `model` has the actor's shape
 * (mode verdict) and receives the integer student.  Rows are such as pool_states_odd() finds
 * nothing in, rewards finite.  ERR_RANGE: no whole segment on a side; ERR_FAILED: learning came to
 * no number.
 */
int offline_run(const struct offline_options *options, const struct pool *pool, size_t cut,
		const struct offline_observer *observer, struct aqm_student_model *model,
		struct offline_report *report, struct error *error);

#endif
