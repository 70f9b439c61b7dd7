/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/decision_probe.h"

#include <stdlib.h>
#include <string.h>

#include "experience/record_fields.h"
#include "report/statistics.h"

#define UNCOUNTED 24 /* a window fills, caches warm */

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
	struct policy *policy;
	double *ms;
	size_t count = 0;
	int code = policy_open(&policy, directory, error);

	if (code)
		return code;
	rows = rows < pool->rows ? rows : pool->rows;
	ms = calloc(rows + 1, sizeof(*ms));
	code = ms ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");
	for (size_t row = 0; code == 0 && row < rows; row++) {
		struct aqm_record record;

		record_of_row(&record, pool, row);
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
