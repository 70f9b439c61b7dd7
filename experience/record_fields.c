/* SPDX-License-Identifier: BSD-2-Clause */
#include "experience/record_fields.h"

#include <string.h>

static const char *const names[AQM_RECORD_FIELDS] = {
#define FIELD_NAME(name) #name,
	AQM_RECORD_TABLE(FIELD_NAME)
#undef FIELD_NAME
};

int record_field(const char *name)
{
	for (int field = 0; field < AQM_RECORD_FIELDS; field++)
		if (strcmp(names[field], name) == 0)
			return field;
	return -1;
}

int64_t record_value(const struct aqm_record *record, int field)
{
	return (&record->queue_type)[field];
}

void record_of_row(struct aqm_record *record, const struct pool *pool, size_t row)
{
	memset(record, 0, sizeof(*record));
	for (size_t i = 0; i < pool->features; i++) {
		const int field = record_field(pool->columns[i].name);

		if (field >= 0)
			(&record->queue_type)[field] =
				(int64_t)pool->state[row * pool->features + i];
	}
}
