/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run is worth: a stated trade of queue delay per class, goodput, rate
 * balance, loss and delay variation, with weights that the user sets.
 *
 *     reward = - sum over terms of weight x term        (dimensionless)
 *
 * Terms compare a run with a reference, DualPI2's run of the same network and
 * seed, so that a network's own difficulty cancels and no network weighs more
 * than another.  OBJECTIVE_TERM_TABLE below is the formula; the help text
 * and the parser are made from it.
 */
#ifndef LEARN_OBJECTIVE_H
#define LEARN_OBJECTIVE_H

#include <stdbool.h>

#include "sim/run.h"

/*
 * X(figure, what it is): what terms read of a run, after warm-up.  NaN: there
 * was nothing to measure.
 */
#define OBJECTIVE_FIGURE_TABLE(X)                                                                  \
	X(l_mean_ms, "sojourn of L packets that left, ms")                                         \
	X(l_p50_ms, "")                                                                            \
	X(l_p99_ms, "")                                                                            \
	X(c_mean_ms, "sojourn of Classic packets that left, ms")                                   \
	X(c_p50_ms, "")                                                                            \
	X(c_p99_ms, "")                                                                            \
	X(goodput_mbps, "in-order payload of all flows, Mbit/s")                                   \
	X(utilisation, "bytes sent over what the link could send, 0..1")                           \
	X(balance, "|ln(mean goodput of an L4S flow / of a Classic flow)|, bulk flows")            \
	X(loss, "packets dropped over packets that arrived, 0..1")                                 \
	X(paper, "the paper's reward, 1500 bytes / (sojourn ms + 1), mean over packets that left") \
	X(overridden, "packets on which the guard overrode a student, over all packets, 0..1")

enum objective_figure {
#define OBJECTIVE_FIGURE_ENUM(name, doc) OBJECTIVE_##name,
	OBJECTIVE_FIGURE_TABLE(OBJECTIVE_FIGURE_ENUM)
#undef OBJECTIVE_FIGURE_ENUM
		OBJECTIVE_FIGURES
};

struct objective_figures {
	double values[OBJECTIVE_FIGURES];
};

/*
 * X(weight, formula as --help tells it): x is the run, r the reference.  A
 * term is 0 where the reference has nothing to measure, and
 * OBJECTIVE_STARVED where only the run has nothing: a class was starved.
 */
#define OBJECTIVE_TERM_TABLE(X)                                                                    \
	X(l_p99, "ln(L p99 / r's)")                                                                \
	X(c_p99, "ln(Classic p99 / r's)")                                                          \
	X(l_mean, "ln(L mean delay / r's)")                                                        \
	X(c_mean, "ln(Classic mean delay / r's)")                                                  \
	X(l_variation, "ln(L (p99 - p50) / r's)")                                                  \
	X(c_variation, "ln(Classic (p99 - p50) / r's)")                                            \
	X(l_worse, "max(0, ln(L p99 / r's) - ln(1 + margin))")                                     \
	X(c_worse, "max(0, ln(Classic p99 / r's) - ln(1 + margin))")                               \
	X(goodput, "max(0, floor - goodput / r's)")                                                \
	X(unused, "1 - goodput / r's; below 0 where the run carries more")                         \
	X(idle, "1 - utilisation")                                                                 \
	X(balance, "|ln(rate of an L4S flow / of a Classic flow)| - r's")                          \
	X(loss, "share of packets dropped - r's")                                                  \
	X(paper, "-ln(mean of the paper's reward / r's)")                                          \
	X(overridden, "share of packets on which the guard overrode the student")

enum objective_term {
#define OBJECTIVE_TERM_ENUM(name, doc) OBJECTIVE_TERM_##name,
	OBJECTIVE_TERM_TABLE(OBJECTIVE_TERM_ENUM)
#undef OBJECTIVE_TERM_ENUM
		OBJECTIVE_TERMS
};

#define OBJECTIVE_STARVED 7.0		/* about ln(1000) */
#define OBJECTIVE_DELAY_LEAST_MS 0.01	/* added to every delay in a ratio */

struct objective {
	double weights[OBJECTIVE_TERMS];
	double floor;  /* of goodput over the reference's, 0..2 */
	double margin; /* by which a delay may be worse, 0..10 */
	double clip;   /* a run's reward stays within [-clip, clip]; 0: as it is */
};

/* X(name, settings, what it is for).  `hindsight` is the score of laws tuned in hindsight. */
#define OBJECTIVE_PRESET_TABLE(X)                                                                  \
	X(hindsight, "l_p99=1,c_p99=1,goodput=40", "the tails of both classes at full goodput")    \
	X(balanced,                                                                                \
	  "l_p99=1,c_p99=1,l_worse=2,c_worse=2,goodput=40,floor=0.998,unused=5,balance=0.3,"       \
	  "loss=2,overridden=1,clip=4",                                                            \
	  "tails, goodput, equal rates and loss, and no network worse off")                        \
	X(delay, "l_mean=0.5,l_p99=0.5,c_mean=0.5,c_p99=0.5,l_variation=0.25,c_variation=0.25,"    \
		 "goodput=10",                                                                     \
	  "delay and its variation, at some cost of goodput")                                      \
	X(paper, "paper=1", "the paper's reward, packet length / (queue delay in ms + 1)")

/* Weights 0, floor 0.995, margin 0.02, no clip. */
void objective_init(struct objective *objective);

/*
 * Reads "NAME", "NAME,k=v,..." or "k=v,...": a preset, and then weights, floor,
 * margin or clip.  ERR_INVALID with the names there are; ERR_RANGE.
 */
int objective_parse(struct objective *objective, const char *text, struct error *error);

/* The same as text that objective_parse() reads back: "k=v,...", no zero weights. */
void objective_text(const struct objective *objective, char *text, size_t size);

/*
 * Figures of a finished run.  Where the law has one queue, L packets wait in it like all.
 * `overridden` is 0: what a guard did a result does not tell.
 */
void objective_measure(const struct sim_result *result, struct objective_figures *figures);

/* A term of a run.  Finite. */
double objective_term(const struct objective *objective, enum objective_term term,
		      const struct objective_figures *run,
		      const struct objective_figures *reference);

/* Higher is better; 0 is the reference itself (but for `idle`).  Finite. */
double objective_reward(const struct objective *objective, const struct objective_figures *run,
			const struct objective_figures *reference);

const char *objective_figure_name(enum objective_figure figure);

#endif
