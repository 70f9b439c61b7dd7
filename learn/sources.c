/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several pools become one by appending rows, columns in the first pool's order.
 */
#include "learn/sources.h"

#include <stdlib.h>
#include <string.h>

struct reading {
	const char *const *paths;
	struct pool *pools; /* (count) */
	size_t count;
	double held_out;
	unsigned mixed; /* enum sources_mixed */
};

static int check_alike(const struct reading *reading, size_t index, struct error *error)
{
	const struct pool *first = &reading->pools[0], *other = &reading->pools[index];
	const char *path = reading->paths[index];

	for (size_t i = 0; i < first->features; i++)
		if (pool_feature(other, first->columns[i].name) < 0)
			return error_at(error, ERR_INVALID, path, 0, first->columns[i].name,
					"%s has this feature and this pool does not; make both "
					"with the same --features",
					reading->paths[0]);
	for (size_t i = 0; i < other->features; i++)
		if (pool_feature(first, other->columns[i].name) < 0)
			return error_at(error, ERR_INVALID, path, 0, other->columns[i].name,
					"%s does not have this feature; make both with the same "
					"--features",
					reading->paths[0]);
	if (!(reading->mixed & SOURCES_MIXED_REWARD) &&
	    strcmp(first->meta.reward, other->meta.reward) != 0)
		return error_at(error, ERR_INVALID, path, 0, "reward",
				"is %s, and that of %s is %s; make both with the same --reward",
				other->meta.reward, reading->paths[0], first->meta.reward);
	if (strcmp(first->meta.state, other->meta.state) != 0)
		return error_at(error, ERR_INVALID, path, 0, "state",
				"is %s, and that of %s is %s; make both with the same --state",
				other->meta.state, reading->paths[0], first->meta.state);
	if (!(reading->mixed & SOURCES_MIXED_GAMMA) && first->meta.gamma != other->meta.gamma)
		return error_at(error, ERR_INVALID, path, 0, "gamma",
				"is %g, and that of %s is %g; make both with the same --gamma",
				other->meta.gamma, reading->paths[0], first->meta.gamma);
	return 0;
}

/* Rows [begin, end) of `from`; the last ends an episode. */
static int append(struct pool *to, const struct pool *from, size_t begin, size_t end,
		  struct error *error)
{
	double state[POOL_MAX_FEATURES];
	size_t column[POOL_MAX_FEATURES]; /* of `from` */

	for (size_t i = 0; i < to->features; i++)
		column[i] = (size_t)pool_feature(from, to->columns[i].name);
	for (size_t row = begin; row < end; row++) {
		for (size_t i = 0; i < to->features; i++)
			state[i] = from->state[row * from->features + column[i]];
		if (pool_append(to, state, from->action[row], from->reward[row],
				from->done[row] || row + 1 == end))
			return error_set(error, ERR_NO_MEMORY, "rows of several pools");
	}
	return 0;
}

static int join(struct sources *sources, const struct reading *reading, struct error *error)
{
	const struct pool *first = &reading->pools[0];
	struct pool *all = &sources->pool;
	int status = 0;

	all->features = first->features;
	memcpy(all->columns, first->columns, sizeof(all->columns));
	memcpy(all->meta.reward, first->meta.reward, sizeof(all->meta.reward));
	memcpy(all->meta.state, first->meta.state, sizeof(all->meta.state));
	all->meta.gamma = first->meta.gamma;
	for (size_t i = 0; !status && i < reading->count; i++) {
		const struct pool *pool = &reading->pools[i];

		status = check_alike(reading, i, error);
		if (!status)
			status = append(all, pool, 0, pool_split_row(pool, reading->held_out),
					error);
		sources->train_end[i] = all->rows;
	}
	sources->cut = all->rows;
	for (size_t i = 0; !status && i < reading->count; i++) {
		const struct pool *pool = &reading->pools[i];

		status = append(all, pool, pool_split_row(pool, reading->held_out), pool->rows,
				error);
		sources->held_out_end[i] = all->rows;
	}
	return status;
}

static int read_all(struct sources *sources, struct reading *reading, struct error *error)
{
	int status = 0;

	for (size_t i = 0; i < reading->count; i++)
		pool_init(&reading->pools[i]);
	for (size_t i = 0; !status && i < reading->count; i++)
		status = pool_read(&reading->pools[i], reading->paths[i], error);
	if (!status)
		status = join(sources, reading, error);
	for (size_t i = 0; i < reading->count; i++)
		pool_free(&reading->pools[i]);
	return status;
}

int sources_read(struct sources *sources, const char *const *paths, size_t count, double held_out,
		 struct error *error)
{
	return sources_read_mixed(sources, paths, count, held_out, 0, error);
}

int sources_read_mixed(struct sources *sources, const char *const *paths, size_t count,
		       double held_out, unsigned mixed, struct error *error)
{
	struct reading reading = {.paths = paths, .count = count, .held_out = held_out,
				  .mixed = mixed};
	int status;

	memset(sources, 0, sizeof(*sources));
	pool_init(&sources->pool);
	sources->count = count;
	if (count < 1 || count > SOURCES_MAX)
		return error_set(error, ERR_RANGE, "%zu pools; a policy is trained on 1 to %d",
				 count, SOURCES_MAX);
	if (count == 1) {
		status = pool_read(&sources->pool, paths[0], error);
		sources->cut = pool_split_row(&sources->pool, held_out);
		sources->train_end[0] = sources->cut;
		sources->held_out_end[0] = sources->pool.rows;
		return status;
	}
	reading.pools = calloc(count, sizeof(*reading.pools));
	if (!reading.pools)
		return error_set(error, ERR_NO_MEMORY, "%zu pools", count);
	status = read_all(sources, &reading, error);
	free(reading.pools);
	return status;
}

size_t sources_origin(const struct sources *sources, size_t row, size_t *own)
{
	const bool trains = row < sources->cut;
	const size_t *end = trains ? sources->train_end : sources->held_out_end;
	size_t pool = 0;

	while (row >= end[pool])
		pool++;
	*own = row - (pool ? end[pool - 1] : trains ? 0 : sources->cut);
	if (!trains) /* its rows to train on stand before */
		*own += sources->train_end[pool] - (pool ? sources->train_end[pool - 1] : 0);
	return pool;
}

void sources_free(struct sources *sources)
{
	pool_free(&sources->pool);
}
