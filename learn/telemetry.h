/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telemetry as text: a pool's rows spelled in the vocabulary's tokens.
 *
 * Row i becomes F + 2 tokens in the order of a policy's sequence (the
 * paper's: return-to-go, features in the pool's order, action).
 */
#ifndef LEARN_TELEMETRY_H
#define LEARN_TELEMETRY_H

#include <stdint.h>

#include "experience/pool.h"
#include "policy/vocabulary.h"

struct telemetry {
	int32_t *tokens;   /* (rows, step_tokens) */
	int64_t rows;
	int32_t step_tokens; /* features + 2 */
	uint8_t *event;    /* (rows): 1 where the action is not enqueue */
};

/*
 * Spells a whole pool.  `gamma` discounts the return-to-go; a feature that the
 * vocabulary does not know is an error that names it.
 */
int telemetry_spell(struct telemetry *telemetry, const struct vocabulary *vocabulary,
		    const struct pool *pool, double gamma, struct error *error);
void telemetry_free(struct telemetry *telemetry);

#endif
