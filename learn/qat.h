/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quantisation-aware training: the network computes with its projections
 * rounded to the storage that they will have, and the weights behind them
 * learn from the gradients of the rounded ones (straight through).
 *
 * Which projection may have how few bits is measured (mixed precision).
 */
#ifndef LEARN_QAT_H
#define LEARN_QAT_H

#include <stddef.h>
#include <stdint.h>

#include "learn/calibration.h"
#include "learn/learner.h"
#include "policy/net.h"
#include "tensor/matrix.h"

/* One projection of the backbone. */
struct qat_matrix {
	const char *name;
	enum matrix_type type; /* f32: it is left alone */
	int64_t in, out;
	enum linear_layout layout;
	float *value, *kept; /* (in x out): the network's, and room for what learns */
	double rise[MATRIX_TYPES]; /* of the loss with this one alone so stored, nats */
};

struct qat {
	struct policy_net *net; /* not owned; its backbone's weights are plain f32 */
	struct qat_matrix *matrix;
	size_t count;
	void *data;    /* room for the largest matrix in any storage */
	float *scales;
	struct learner_disguise disguise; /* of this qat, for a learner */
};

/* Every projection as `type`: f32, bf16, int8 or int4.  `qat` must stay where it is. */
int qat_new(struct qat *qat, struct policy_net *net, enum matrix_type type, struct error *error);
void qat_free(struct qat *qat);

/* Rounds the projections in place, and brings back what was there. */
void qat_apply(struct qat *qat);
void qat_undo(struct qat *qat);

/*
 * Fills rise[] for int4, int8 and bf16: one projection at a time is rounded, without
 * training, and the loss is taken on `windows` windows.
 */
int qat_measure(struct qat *qat, const struct calibration *calibration, int64_t windows,
		struct error *error);

/*
 * Types by need: all begin as `lowest` (int4 or int8), and the one whose step
 * up to the next wider storage saves most loss for each byte goes up (int4,
 * int8, bf16) until the rises that are left add up to no more than `allowed` nats.
 */
void qat_choose(struct qat *qat, enum matrix_type lowest, double allowed);

/* Types in the order of backbone_matrices(): (count), the caller's room. */
void qat_types(const struct qat *qat, enum matrix_type *types);

#endif
