/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scaling of one number from a router's units to about [-1, 1].
 *
 * A queue's numbers span ten decades and pile up on single values; what
 * decides is often whether a number is exactly 0 or just beyond a threshold.
 * A scaling is monotone, fitted on training rows only, and stored with the
 * policy.
 */
#ifndef POLICY_SCALING_H
#define POLICY_SCALING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define SCALING_MAX_KNOTS 160

/* X(name): as spelled in policy.json and on the command line */
#define SCALING_TABLE(X)                                                                           \
	X(identity) /* x: the released code, and golden vectors */                                 \
	X(linear)   /* (x - offset) * factor: zero mean, unit deviation */                         \
	X(log)	    /* (sign(x) ln(1 + |x| / knee) - offset) * factor, likewise */                 \
	X(quantile) /* rank of x among the training rows, -1 to 1, linear between knots */

enum scaling_kind {
#define SCALING_ENUM(name) SCALING_##name,
	SCALING_TABLE(SCALING_ENUM)
#undef SCALING_ENUM
		SCALING_KINDS
};

/* Every kind but identity is clamped to [-SCALING_LIMIT, SCALING_LIMIT]. */
#define SCALING_LIMIT 8.0

struct scaling {
	enum scaling_kind kind;
	double offset, factor;	     /* linear, log */
	double knee;		     /* log: > 0 */
	int knots;		     /* quantile: >= 1 */
	double x[SCALING_MAX_KNOTS]; /* strictly increasing */
	double y[SCALING_MAX_KNOTS]; /* strictly increasing */
};

const char *scaling_kind_name(enum scaling_kind kind);

/* Kind by name, or -1. */
int scaling_kind_find(const char *name);

/*
 * Fits `kind` to `count` values `stride` doubles apart.  No values, or all the
 * same, give a scaling that maps that value to 0.  ERR_NO_MEMORY.
 */
int scaling_fit(struct scaling *scaling, enum scaling_kind kind, const double *values, size_t count,
		size_t stride, struct error *error);

/* Finite for every finite x. */
double scaling_apply(const struct scaling *scaling, double x);

#endif
