/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/decision_probe.h"

#include <stdlib.h>
#include <string.h>

#include "report/statistics.h"

#define UNCOUNTED 24 /* a window fills, caches warm */

/* Offsets of the pool's columns in a record; columns that are none get -1. */
static void find_fields(const struct pool *pool, long offset[POOL_MAX_FEATURES])
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
#define FIELD(name) {#name, offsetof(struct aqm_record, name)},
		AQM_RECORD_TABLE(FIELD)
#undef FIELD
	};

	for (size_t i = 0; i < pool->features; i++) {
		offset[i] = -1;
		for (size_t f = 0; f < AQM_RECORD_FIELDS; f++)
			if (strcmp(fields[f].name, pool->columns[i].name) == 0)
				offset[i] = (long)fields[f].offset;
	}
}

static void fill_record(struct aqm_record *record, const struct pool *pool, size_t row,
			const long offset[POOL_MAX_FEATURES])
{
	memset(record, 0, sizeof(*record));
	for (size_t i = 0; i < pool->features; i++)
		if (offset[i] >= 0)
			*(int64_t *)((char *)record + offset[i]) =
				(int64_t)pool->state[row * pool->features + i];
}

static int probe_row(struct policy *policy, const struct aqm_record *record, int action, double *ms,
		     struct error *error)
{
	static const enum aqm_verdict verdict[] = {
		[POOL_ENQUEUE] = AQM_PASS, [POOL_DROP] = AQM_DROP, [POOL_MARK] = AQM_MARK};
	struct policy_cost before, after;
	double probability[3];
	int code = policy->ops->observe(policy, record, error);

	policy->ops->cost(policy, &before);
	if (code == 0)
		code = policy->ops->decide(policy, 0, probability, error);
	policy->ops->cost(policy, &after);
	policy->ops->acted(policy, verdict[action]);
	*ms = (double)(after.wall_ns - before.wall_ns) / 1e6;
	return code;
}

int decision_probe_run(struct decision_probe *probe, const char *directory, const struct pool *pool,
		       size_t rows, struct error *error)
{
	long offset[POOL_MAX_FEATURES];
	struct policy *policy;
	double *ms;
	size_t count = 0;
	int code = policy_open(&policy, directory, error);

	if (code)
		return code;
	rows = rows < pool->rows ? rows : pool->rows;
	ms = calloc(rows + 1, sizeof(*ms));
	code = ms ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");
	find_fields(pool, offset);
	for (size_t row = 0; code == 0 && row < rows; row++) {
		struct aqm_record record;

		fill_record(&record, pool, row, offset);
		code = probe_row(policy, &record, pool->action[row], &ms[count], error);
		count += row >= UNCOUNTED;
	}
	if (code == 0 && count == 0)
		code = error_set(error, ERR_INVALID, "needs a pool of more than %d rows",
				 UNCOUNTED);
	if (code == 0) {
		policy->ops->cost(policy, &probe->cost);
		probe->median_ms = statistics_box(ms, count).median; /* sorts */
		probe->p99_ms = statistics_quantile(ms, count, 0.99);
	}
	free(ms);
	policy_destroy(policy);
	return code;
}
