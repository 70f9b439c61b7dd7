/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spelling pools: every value becomes the token of its bin.
 */
#include "learn/telemetry.h"

#include <stdlib.h>
#include <string.h>

/*
 * Fields of the pool's columns in order, NULL where the column is no feature, and how many are
 * features; fails on one without tokens.
 */
static int find_fields(const struct vocabulary *vocabulary, const struct pool *pool,
		       const struct vocabulary_field **fields, int32_t *features,
		       struct error *error)
{
	*features = 0;
	for (size_t i = 0; i < pool->features; i++) {
		fields[i] = NULL;
		if (strcmp(pool->columns[i].name, POOL_LAW_COLUMN) == 0)
			continue;
		++*features;
		fields[i] = vocabulary_find(vocabulary, pool->columns[i].name);
		if (fields[i] == NULL)
			return error_at(error, ERR_INVALID, NULL, 0, pool->columns[i].name,
					"the backbone's vocabulary has no such feature; make the "
					"pool with --features 7 or 8");
	}
	return 0;
}

/* Returns-to-go are accumulated from the last row back, anew in each episode. */
static void spell_rows(struct telemetry *telemetry, const struct vocabulary *vocabulary,
		       const struct pool *pool, const struct vocabulary_field **fields,
		       double gamma)
{
	const struct vocabulary_field *return_field =
		vocabulary_find(vocabulary, VOCABULARY_RETURN);
	const struct vocabulary_field *action = vocabulary_find(vocabulary, VOCABULARY_ACTION);
	double return_to_go = 0;

	for (size_t row = pool->rows; row-- > 0;) {
		int32_t *tokens = telemetry->tokens + row * (size_t)telemetry->step_tokens;

		return_to_go = pool->reward[row] + (pool->done[row] ? 0 : gamma * return_to_go);
		tokens[0] = return_field ? vocabulary_token(return_field, return_to_go)
					 : vocabulary->return_unknown;
		for (size_t i = 0; i < pool->features; i++)
			if (fields[i])
				*++tokens = vocabulary_token(
					fields[i], pool->state[row * pool->features + i]);
		*++tokens = vocabulary_token(action, pool->action[row]);
		telemetry->event[row] = pool->action[row] != POOL_ENQUEUE;
	}
}

int telemetry_spell(struct telemetry *telemetry, const struct vocabulary *vocabulary,
		    const struct pool *pool, double gamma, struct error *error)
{
	const struct vocabulary_field *fields[POOL_MAX_FEATURES];
	int32_t features;
	int code;

	memset(telemetry, 0, sizeof(*telemetry));
	code = find_fields(vocabulary, pool, fields, &features, error);
	if (code)
		return code;
	telemetry->rows = (int64_t)pool->rows;
	telemetry->step_tokens = features + 2;
	telemetry->tokens = malloc((pool->rows * (size_t)telemetry->step_tokens + 1) *
				   sizeof(*telemetry->tokens));
	telemetry->event = malloc(pool->rows + 1);
	if (telemetry->tokens == NULL || telemetry->event == NULL) {
		telemetry_free(telemetry);
		return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows of telemetry",
				 pool->rows);
	}
	spell_rows(telemetry, vocabulary, pool, fields, gamma);
	return 0;
}

void telemetry_free(struct telemetry *telemetry)
{
	free(telemetry->tokens);
	free(telemetry->event);
	memset(telemetry, 0, sizeof(*telemetry));
}
