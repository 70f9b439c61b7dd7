/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk.  Rows are sorted by (action, length, row) once, so a jump is a
 * binary search.
 */
#include "learn/in_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experience/record_fields.h"

struct place {
	double length;
	uint32_t row;
};

/* Rows of each action by length, then by row. */
struct index {
	struct place *places[POOL_ACTIONS];
	size_t count[POOL_ACTIONS];
};

struct walker {
	const struct pool *pool;
	int delay, length; /* columns */
	struct index index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return left->row < right->row ? -1 : left->row > right->row;
}

static double value_at(const struct walker *walker, size_t row, int column)
{
	return walker->pool->state[row * walker->pool->features + (size_t)column];
}

static void index_free(struct index *index)
{
	for (int a = 0; a < POOL_ACTIONS; a++)
		free(index->places[a]);
}

static int index_rows(struct walker *walker, struct error *error)
{
	const struct pool *pool = walker->pool;
	struct index *index = &walker->index;

	for (int a = 0; a < POOL_ACTIONS; a++) {
		index->places[a] = malloc((pool->rows + 1) * sizeof(struct place));
		if (index->places[a] == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows",
					 pool->rows);
	}
	for (size_t row = 0; row < pool->rows; row++) {
		const int action = pool->action[row];

		index->places[action][index->count[action]++] = (struct place){
			value_at(walker, row, walker->length), (uint32_t)row};
	}
	for (int a = 0; a < POOL_ACTIONS; a++)
		qsort(index->places[a], index->count[a], sizeof(struct place), compare_places);
	return 0;
}

/* First place that is not below (length, 0). */
static size_t lower_bound(const struct place *places, size_t count, double length)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (places[middle].length < length)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The row of `action` nearest in length to `row`'s; `row` + 1 when there is none. */
static size_t jump(const struct walker *walker, size_t row, int action, uint64_t *missing)
{
	const struct place *places = walker->index.places[action];
	const size_t count = walker->index.count[action];
	const double length = value_at(walker, row, walker->length);
	size_t above, below;

	if (count == 0) {
		++*missing;
		return row + 1;
	}
	above = lower_bound(places, count, length);
	if (above == 0)
		return places[0].row;
	below = lower_bound(places, count, places[above - 1].length);
	if (above == count)
		return places[below].row;
	if (length - places[below].length < places[above].length - length)
		return places[below].row;
	if (length - places[below].length > places[above].length - length)
		return places[above].row;
	return places[below].row < places[above].row ? places[below].row : places[above].row;
}

/* The policy's most likely action at `row`. */
static int ask(const struct walker *walker, struct policy *policy, size_t row, int *action,
	       struct error *error)
{
	struct aqm_record record;
	double p[3];
	enum aqm_verdict verdict = AQM_PASS;
	int code;

	*action = POOL_ENQUEUE;
	if (policy == NULL)
		return 0;
	record_of_row(&record, walker->pool, row);
	code = policy->ops->observe(policy, &record, error);
	if (code == 0)
		code = policy->ops->decide(policy, 0, p, error);
	if (code)
		return code;
	if (p[AQM_DROP] > p[AQM_PASS] && p[AQM_DROP] >= p[AQM_MARK])
		verdict = AQM_DROP;
	else if (p[AQM_MARK] > p[AQM_PASS])
		verdict = AQM_MARK;
	policy->ops->acted(policy, verdict);
	*action = verdict == AQM_PASS ? POOL_ENQUEUE
		  : verdict == AQM_DROP ? POOL_DROP
					: POOL_MARK;
	return 0;
}

static int walk_on(struct in_data_walk *walk, struct walker *walker, struct policy *policy,
		   bool forget, uint64_t interval, struct error *error)
{
	size_t row = 0;

	for (size_t step = 0; step < walk->steps; step++) {
		const double delay_us = value_at(walker, row, walker->delay);
		int action, code;

		walk->row[step] = (uint32_t)row;
		walk->qdelay_ms[step] = delay_us / 1e3;
		walk->throughput[step] =
			value_at(walker, row, walker->length) / (delay_us / 1e3 + 1);
		if ((step + 1) % interval == 0) {
			if (policy && forget)
				policy->ops->reset(policy);
			code = ask(walker, policy, row, &action, error);
			if (code)
				return code;
			walk->asked[action]++;
			row = jump(walker, row, action, &walk->missing);
		} else {
			row++;
		}
		if (row >= walker->pool->rows)
			row = 0;
	}
	return 0;
}

int in_data_walk(struct in_data_walk *walk, const struct pool *pool, struct policy *policy,
		 bool forget, uint64_t interval, size_t steps, struct error *error)
{
	struct walker walker = {
		.pool = pool,
		.delay = pool_feature(pool, "current_queue_delay"),
		.length = pool_feature(pool, "packet_length"),
	};
	int code;

	memset(walk, 0, sizeof(*walk));
	if (pool->rows == 0 || walker.delay < 0 || walker.length < 0)
		return error_set(error, ERR_INVALID,
				 pool->rows ? "the walk needs the features current_queue_delay and "
					      "packet_length"
					    : "the pool has no rows");
	walk->steps = steps;
	walk->row = calloc(steps + 1, sizeof(*walk->row));
	walk->qdelay_ms = calloc(steps + 1, sizeof(*walk->qdelay_ms));
	walk->throughput = calloc(steps + 1, sizeof(*walk->throughput));
	if (!walk->row || !walk->qdelay_ms || !walk->throughput)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for %zu steps", steps);
	else
		code = index_rows(&walker, error);
	if (code == 0 && policy)
		policy->ops->reset(policy);
	if (code == 0)
		code = walk_on(walk, &walker, policy, forget, interval ? interval : 1, error);
	index_free(&walker.index);
	if (code)
		in_data_walk_free(walk);
	return code;
}

void in_data_walk_free(struct in_data_walk *walk)
{
	free(walk->row);
	free(walk->qdelay_ms);
	free(walk->throughput);
	memset(walk, 0, sizeof(*walk));
}

size_t in_data_same(const struct in_data_walk *a, const struct in_data_walk *b)
{
	size_t same = 0;

	for (size_t i = 0; i < a->steps && i < b->steps; i++)
		same += a->row[i] == b->row[i];
	return same;
}
