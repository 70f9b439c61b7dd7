/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router's record by the names of its fields, which are those of a pool's columns.
 */
#ifndef EXPERIENCE_RECORD_FIELDS_H
#define EXPERIENCE_RECORD_FIELDS_H

#include "aqm/record.h"
#include "experience/pool.h"

/* Place of a field in AQM_RECORD_TABLE, or -1. */
int record_field(const char *name);

/* The value of a field that there is. */
int64_t record_value(const struct aqm_record *record, int field);

/* A row of a pool as a record: fields that the pool has not are 0. */
void record_of_row(struct aqm_record *record, const struct pool *pool, size_t row);

#endif
