/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/pool_states.h"

#include <stdlib.h>

#include "experience/record_fields.h"
#include "policy/student_model.h"

#define VERDICTS 3

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

/* As aqm_student_sense_packet() reads a packet's facts. */
static void see(const struct aqm_record *record, int16_t *feature)
{
	const uint64_t p_q32 = record->drop_probability >= AQM_RECORD_PROBABILITY_ONE
				       ? AQM_Q32_ONE
				       : (uint64_t)record->drop_probability << 1;

	feature[AQM_STUDENT_FEATURE_is_l] = record->queue_type ? AQM_LOG2_ONE : 0;
	feature[AQM_STUDENT_FEATURE_packet_length] =
		aqm_student_log((uint64_t)record->packet_length);
	feature[AQM_STUDENT_FEATURE_qdelay_own] = aqm_student_log(
		aqm_student_delay((uint64_t)record->current_queue_delay * 1000));
	feature[AQM_STUDENT_FEATURE_backlog_own] =
		aqm_student_log((uint64_t)record->length_in_bytes);
	feature[AQM_STUDENT_FEATURE_p_own] = aqm_student_log(p_q32);
	feature[AQM_STUDENT_FEATURE_drops_own] = aqm_student_log((uint64_t)record->total_drops);
}

static enum aqm_verdict verdict_of(int32_t action)
{
	return action == POOL_DROP ? AQM_DROP : action == POOL_MARK ? AQM_MARK : AQM_PASS;
}

int pool_states_read(struct visits_part *part, const struct pool *pool, size_t first, size_t end,
		     struct error *error)
{
	const size_t rows = (end - first) / VISITS_SEGMENT * VISITS_SEGMENT;

	part->segments = part->room = part->most = (int64_t)(rows / VISITS_SEGMENT);
	part->seen = calloc(rows + 1, AQM_STUDENT_FEATURE_COUNT * sizeof(*part->seen));
	part->target = calloc(rows + 1, VERDICTS * sizeof(*part->target));
	part->law = calloc(rows + 1, sizeof(*part->law));
	if (!part->seen || !part->target || !part->law)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows", rows);
	for (size_t i = 0; i < rows; i++) {
		struct aqm_record record;

		record_of_row(&record, pool, first + i);
		see(&record, part->seen + i * AQM_STUDENT_FEATURE_COUNT);
		part->target[i * VERDICTS + (size_t)verdict_of(pool->action[first + i])] = 1;
		part->law[i] = (float)record.drop_probability / (float)AQM_RECORD_PROBABILITY_ONE;
	}
	return 0;
}
