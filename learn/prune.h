/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structured pruning of a policy: attention heads, feed-forward units and
 * encoder channels that matter least go, and the network is smaller for it.
 *
 * What a unit is worth is its attribution, the first-order estimate of what
 * the loss would change by without it (Molchanov et al. 2019, Taylor FO):
 * the sum of activation x gradient over the unit, which is the sum of weight x
 * gradient over what reads it.  How much each layer may lose is not estimated
 * but measured: its least worthy units are silenced and the loss is taken.
 */
#ifndef LEARN_PRUNE_H
#define LEARN_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learn/calibration.h"
#include "policy/config.h"
#include "policy/net.h"
#include "tensor/linear.h"

/* X(name, what its units are) */
#define PRUNE_KIND_TABLE(X)                                                                        \
	X(heads, "attention heads")                                                                \
	X(ffn, "feed-forward units")                                                               \
	X(encoder, "encoder channels")

enum prune_kind {
#define PRUNE_KIND_ENUM(name, units) PRUNE_##name,
	PRUNE_KIND_TABLE(PRUNE_KIND_ENUM)
#undef PRUNE_KIND_ENUM
		PRUNE_KINDS
};

const char *prune_kind_name(enum prune_kind kind);

#define PRUNE_POINTS 4 /* shares of a part that are silenced to measure it */

/* Units that one matrix reads side by side: a layer's heads, a feature's channels... */
struct prune_part {
	enum prune_kind kind;
	int64_t index; /* of the layer, or of the feature */
	int64_t units, unit_inputs, unit_parameters;
	int64_t grain; /* units are taken out so many at a time */
	float *weight; /* of the reader */
	const float *gradient;
	int64_t in, out;
	enum linear_layout layout;
	double *score;             /* (units): mean |first-order change of the loss|, nats */
	double loss[PRUNE_POINTS]; /* change of the loss without prune_points[i] of the units */
	double rate;               /* share of the units that goes */
	bool *keep;                /* (units) */
};

/* 0.25, 0.5, 0.75, 0.9 */
extern const double prune_points[PRUNE_POINTS];

struct prune {
	struct policy_net *net; /* not owned: all of its weights have gradients */
	struct prune_part *part;
	size_t count;
	bool *all_keep;    /* of all parts */
	double *all_score;
};

/* ERR_UNSUPPORTED where the backbone has no parts that can be taken out (T5). */
int prune_new(struct prune *prune, struct policy_net *net, struct error *error);
void prune_free(struct prune *prune);

/* First-order change of the loss of the last backward pass when unit `unit` falls silent, nats. */
double prune_slope(const struct prune_part *part, int64_t unit);

/* Fills the scores: one backward pass for every window. */
int prune_attribute(struct prune *prune, const struct calibration *calibration,
		    struct error *error);

/*
 * Fills loss[] of every part: the least worthy units are silenced, the loss of
 * `windows` windows is measured, the weights come back.  `progress` may be NULL.
 */
int prune_measure(struct prune *prune, const struct calibration *calibration, int64_t windows,
		  void (*progress)(void *context, size_t done, size_t total), void *context,
		  struct error *error);

/*
 * Chooses rates so that parts of `kind` lose `share` of their parameters in
 * all: step by step from the part whose measured loss grows least for what goes.  No
 * part loses more than the last of prune_points, and one unit stays.  Sets
 * rate and keep.
 */
void prune_choose(struct prune *prune, enum prune_kind kind, double share);

/* Writes the smaller policy; it holds its backbone itself. */
int prune_save(const struct prune *prune, const struct policy_config *config,
	       const char *directory, struct error *error);

#endif
