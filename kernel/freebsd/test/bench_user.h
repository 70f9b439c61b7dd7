/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vectors through queue/ with a law's table: what the modules are held against.
 */
#ifndef KERNEL_FREEBSD_TEST_BENCH_USER_H
#define KERNEL_FREEBSD_TEST_BENCH_USER_H

#include "queue/queue.h"
#include "tests/vectors/vectors.h"

/* Who is told of the log's records; or NULL. */
typedef void bench_on_record(void *context, uint64_t now_ns, const struct aqm_record *record);

/* The sum, closed with p' if `dual`, else with 0; 0: the law could not be set up. */
uint64_t bench_user_run(const char *law, const char *settings, bool dual, uint64_t packets,
			uint64_t seed, bench_on_record *on_record);

#endif
