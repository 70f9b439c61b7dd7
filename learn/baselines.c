/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three rules that the published accuracy has to beat.
 *
 * The label of a pool made from the released kernel's log leaks: the line is
 * printed after the decision, when a random drop or mark has already reset
 * accumulated_probability to 0, and a forced one happens once it reaches 8.5.
 * Two comparisons read the label back:
 *
 *   accumulated >= 8.5, or accumulated = 0 while drop_probability > 0:
 *   mark if drop_probability < 0.1, else drop; otherwise enqueue
 *
 * with probabilities in units of 1 / (2^31 - 1).
 */
#include "learn/baselines.h"

#include <string.h>

#include "aqm/record.h"

#define PROBABILITY_ONE ((double)AQM_RECORD_PROBABILITY_ONE)
#define FORCED_AT (8.5 * PROBABILITY_ONE)
#define MARK_BELOW (0.1 * PROBABILITY_ONE)

const char *baseline_name(enum baseline baseline)
{
	static const char *const names[BASELINES] = {
#define BASELINE_NAME(name, text) [BASELINE_##name] = #name,
		BASELINE_TABLE(BASELINE_NAME)
#undef BASELINE_NAME
	};

	return names[baseline];
}

const char *baseline_text(enum baseline baseline)
{
	static const char *const texts[BASELINES] = {
#define BASELINE_TEXT(name, text) [BASELINE_##name] = text,
		BASELINE_TABLE(BASELINE_TEXT)
#undef BASELINE_TEXT
	};

	return texts[baseline];
}

enum metrics_part pool_row_part(const struct pool *pool, size_t row)
{
	const int column = pool_feature(pool, "queue_type");

	if (column < 0)
		return METRICS_ALL;
	return pool->state[row * pool->features + (size_t)column] != 0 ? METRICS_L : METRICS_C;
}

static int most_frequent(const struct pool *pool, size_t first, size_t end, const bool *wanted)
{
	size_t counts[POOL_ACTIONS] = {0};
	int best = 0;

	for (size_t row = first; row < end; row++)
		counts[pool->action[row]] += !wanted || wanted[row];
	for (int c = 1; c < POOL_ACTIONS; c++)
		if (counts[c] > counts[best])
			best = c;
	return best;
}

static int compare_twice(double accumulated, double drop_probability)
{
	const bool forced = accumulated >= FORCED_AT;
	const bool reset = accumulated == 0 && drop_probability > 0;

	if (!forced && !reset)
		return POOL_ENQUEUE;
	return drop_probability < MARK_BELOW ? POOL_MARK : POOL_DROP;
}

static int previous_action(const struct pool *pool, size_t row)
{
	return row == 0 || pool->done[row - 1] ? POOL_ENQUEUE : pool->action[row - 1];
}

bool baseline_score(enum baseline baseline, const struct pool *pool, size_t first, size_t end,
		    const bool *wanted, struct metrics *metrics)
{
	const int accumulated = pool_feature(pool, "accumulated_probability");
	const int probability = pool_feature(pool, "drop_probability");
	const int majority = first ? most_frequent(pool, 0, first, NULL)
				   : most_frequent(pool, first, end, wanted);

	memset(metrics, 0, sizeof(*metrics));
	if (baseline == BASELINE_two_comparisons && (accumulated < 0 || probability < 0))
		return false;
	for (size_t row = first; row < end; row++) {
		const double *state = pool->state + row * pool->features;
		double certain[POOL_ACTIONS] = {0};
		int answer = majority;

		if (wanted && !wanted[row])
			continue;
		if (baseline == BASELINE_two_comparisons)
			answer = compare_twice(state[accumulated], state[probability]);
		else if (baseline == BASELINE_copy_previous)
			answer = previous_action(pool, row);
		certain[answer] = 1;
		metrics_add(metrics, pool->action[row], certain, pool_row_part(pool, row));
	}
	return true;
}
