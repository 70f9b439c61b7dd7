/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines: whatever comes in, in pieces of a size that the first byte
 * chooses, the counts add up and every record is one that could be written.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "experience/collect.h"
#include "experience/kernel_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *context, const struct aqm_record *record, int64_t syslog_s)
{
	return collector_add(context, record, syslog_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct collect_options options;
	struct collector collector;
	struct kernel_log_parser parser;
	const struct kernel_log_sink sink = {.context = &collector, .record = take};
	struct pool pool;
	const size_t step = size ? 1 + (size_t)data[0] * 7 : 1;

	collect_defaults(&options);
	pool_init(&pool);
	collector_init(&collector, &options, &pool);
	kernel_log_parser_init(&parser, &sink);
	for (size_t at = 1; at < size; at += step)
		kernel_log_feed(&parser, (const char *)data + at,
				size - at < step ? size - at : step, NULL);
	kernel_log_finish(&parser, NULL);
	collector_finish(&collector);
	if (parser.counts.records != pool.rows || parser.counts.short_records > pool.rows)
		abort();
	kernel_log_parser_free(&parser);
	pool_free(&pool);
	return 0;
}
