/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one decision of a policy costs, measured on recorded rows.
 */
#ifndef CLI_DECISION_PROBE_H
#define CLI_DECISION_PROBE_H

#include <stdint.h>

#include "base/error.h"
#include "experience/pool.h"
#include "policy/policy.h"

struct decision_probe {
	double median_ms, p99_ms; /* of one decision, its window full */
	struct policy_cost cost;
};

/*
 * Opens the policy in `directory` and puts up to `rows` rows of the pool to it
 * one after the other as a router would, a first few uncounted.
 */
int decision_probe_run(struct decision_probe *probe, const char *directory, const struct pool *pool,
		       size_t rows, struct error *error);

#endif
