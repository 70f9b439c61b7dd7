/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/pool_states.h"

#include <math.h>
#include <stdlib.h>

#include "experience/record_fields.h"
#include "policy/student_model.h"

#define VERDICTS 3
#define STATE_MAX 9007199254740992.0 /* 2^53: more is no integer of a log */

int pool_states_features(const struct pool *pool, uint8_t feature[POOL_STATES_FEATURES])
{
	int count = 0;

#define TELL(name, column)                                                                         \
	if (pool_feature(pool, #column) >= 0)                                                      \
		feature[count++] = AQM_STUDENT_FEATURE_##name;
	POOL_STATES_TABLE(TELL)
#undef TELL
	return count;
}

int pool_states_odd(const struct pool *pool, size_t row)
{
	static const char *const seen[] = {
#define NAME(name, column) #column,
		POOL_STATES_TABLE(NAME)
#undef NAME
	};
	const double *state = pool->state + row * pool->features;

	for (size_t i = 0; i < pool->features; i++)
		if (!(fabs(state[i]) < STATE_MAX))
			return (int)i;
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		const int column = pool_feature(pool, seen[i]);

		if (column >= 0 && state[column] < 0)
			return column;
	}
	return -1;
}

/* What of the facts the record tells. */
static void facts_of(struct aqm_facts *facts, const struct aqm_record *record)
{
	const enum aqm_queue queue = record->queue_type ? AQM_QUEUE_L : AQM_QUEUE_C;
	const bool fits = record->packet_length <= UINT32_MAX;

	*facts = (struct aqm_facts){
		.queue = queue,
		.len_bytes = fits ? (uint32_t)record->packet_length : UINT32_MAX,
	};
	facts->head_sojourn_ns[queue] = (uint64_t)record->current_queue_delay * 1000;
	facts->backlog_bytes[queue] = (uint64_t)record->length_in_bytes;
	facts->total_drops[queue] = (uint64_t)record->total_drops;
}

static void see(const struct aqm_record *record, int16_t *feature)
{
	const uint64_t p_q32 = record->drop_probability >= AQM_RECORD_PROBABILITY_ONE
				       ? AQM_Q32_ONE
				       : (uint64_t)record->drop_probability << 1;
	uint64_t value[AQM_STUDENT_VALUES] = {0};
	struct aqm_facts facts;

	facts_of(&facts, record);
	aqm_student_values_packet(&facts, p_q32, value);
	aqm_student_features_of(value, 0, AQM_STUDENT_FIRST_NOW, feature);
}

static enum aqm_verdict verdict_of(int32_t action)
{
	return action == POOL_DROP ? AQM_DROP : action == POOL_MARK ? AQM_MARK : AQM_PASS;
}

/* The rows that lie in whole segments, into `row`; returns how many. */
static size_t read_rows(size_t *row, const struct pool *pool, size_t first, size_t end)
{
	size_t count = 0, begin = first; /* of the episode's next segment */

	for (size_t at = first; at < end; at++) {
		if (at + 1 - begin == VISITS_SEGMENT)
			while (begin <= at)
				row[count++] = begin++;
		if (pool->done[at])
			begin = at + 1;
	}
	return count;
}

int pool_states_read(struct visits_part *part, size_t *row, const struct pool *pool, size_t first,
		     size_t end, struct error *error)
{
	const size_t rows = read_rows(row, pool, first, end);

	part->segments = part->room = part->most = (int64_t)(rows / VISITS_SEGMENT);
	part->seen = calloc(rows + 1, AQM_STUDENT_FEATURE_COUNT * sizeof(*part->seen));
	part->target = calloc(rows + 1, VERDICTS * sizeof(*part->target));
	part->law = calloc(rows + 1, sizeof(*part->law));
	if (!part->seen || !part->target || !part->law)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows", rows);
	for (size_t i = 0; i < rows; i++) {
		struct aqm_record record;

		record_of_row(&record, pool, row[i]);
		see(&record, part->seen + i * AQM_STUDENT_FEATURE_COUNT);
		part->target[i * VERDICTS + (size_t)verdict_of(pool->action[row[i]])] = 1;
		part->law[i] = (float)record.drop_probability / (float)AQM_RECORD_PROBABILITY_ONE;
	}
	return 0;
}
