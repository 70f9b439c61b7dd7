/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy in figures: how large, how right, how good in closed loop, how fast.
 */
#ifndef CLI_POLICY_FIGURES_H
#define CLI_POLICY_FIGURES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "experience/pool.h"
#include "sim/scenario.h"

/* X(name, heading, digits after the point, what it is) */
#define POLICY_FIGURE_TABLE(X)                                                                     \
	X(parameters, "parameters", 0, "that take part in a decision")                             \
	X(bytes, "bytes", 0, "that these are held in while it decides")                            \
	X(file_bytes, "file bytes", 0, "of its weight files")                                      \
	X(operations, "operations", 0,                                                             \
	  "multiplications with additions of a step with a full window, counted")                  \
	X(accuracy, "accuracy", 4, "on held-out rows")                                             \
	X(balanced_accuracy, "balanced", 4, "mean recall over the actions")                        \
	X(log_loss, "log loss", 4, "nats a held-out row")                                          \
	X(utilisation, "utilisation", 4, "in closed loop, mean over seeds")                        \
	X(qdelay_ms_mean, "delay ms", 2, "queue delay in closed loop")                             \
	X(qdelay_ms_p99, "p99 ms", 2, "likewise")                                                  \
	X(quality, "quality", 1,                                                                   \
	  "the paper's reward a second: bytes over (queue delay in ms + 1), packets that left")    \
	X(decision_ns, "ns", 0, "a decision, median, features and window included")                \
	X(decision_ns_p99, "p99 ns", 0, "likewise")

enum policy_figure {
#define POLICY_FIGURE_ENUM(name, heading, digits, doc) FIGURE_##name,
	POLICY_FIGURE_TABLE(POLICY_FIGURE_ENUM)
#undef POLICY_FIGURE_ENUM
		POLICY_FIGURES
};

struct policy_figures {
	double value[POLICY_FIGURES]; /* NaN: not measured */
};

const char *policy_figure_name(enum policy_figure figure);
const char *policy_figure_heading(enum policy_figure figure);
int policy_figure_digits(enum policy_figure figure);

/* How policies are measured. */
struct policy_measuring {
	const struct pool *pool;
	size_t first;             /* rows [first, pool->rows) are held out */
	size_t rows;              /* scored at most; 0: all */
	size_t timed;             /* decisions timed */
	const struct scenario *scenario; /* NULL: no closed loop */
	const char *law;          /* beneath the policy; NULL: the scenario's */
	uint64_t interval, seeds;
	void *context;
	bool (*progress)(void *context, const char *what, double done); /* true: stop */
};

/* Measures the policy in `directory`. */
int policy_figures_measure(struct policy_figures *figures, const char *directory,
			   const struct policy_measuring *measuring, struct error *error);

/* An object with a number, or null, for each figure; and back (missing ones are NaN). */
json_t *policy_figures_json(const struct policy_figures *figures);
void policy_figures_from_json(struct policy_figures *figures, const json_t *object);

#endif
