/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a router's log becomes experience, on one core.
 *
 * The log has 540,000 lines, a run of the paper's testbed.  The peer is what
 * one would write first: getline() and sscanf() of the 24 integers, nothing
 * else done with them.  Both read the same file from the page cache; the
 * median of the runs counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/test_folder.h"
#include "experience/collect.h"
#include "experience/kernel_log.h"

#define LINES 540000
#define RUNS 7
#define WANTED 1.5e6

/* Values of the size that real logs hold. */
static struct aqm_record make_record(struct rng *rng, int64_t i)
{
	return (struct aqm_record){
		.queue_type = (int64_t)rng_below(rng, 6) == 0,
		.qdelay_reference = 15000,
		.tupdate = 15000,
		.max_burst = 150000,
		.max_ecn_threshold = 819,
		.alpha = 1024,
		.beta = 10240,
		.flags = 19,
		.drop_probability = (int64_t)rng_below(rng, 400000000),
		.current_queue_delay = 10000 * (int64_t)rng_below(rng, 60),
		.previous_queue_delay = 10000 * (int64_t)rng_below(rng, 60),
		.accumulated_probability = (int64_t)rng_below(rng, 18000000000),
		.measurement_start_time = 100000000 + 1100 * i,
		.status_flags = 3,
		.total_packets = i,
		.total_bytes = 900 * i,
		.queue_length = (int64_t)rng_below(rng, 500),
		.length_in_bytes = (int64_t)rng_below(rng, 600000),
		.total_drops = i / 130,
		.packet_length = rng_below(rng, 3) ? 1500 : 52,
		.dequeue_action = rng_below(rng, 130) ? 1 : 2,
	};
}

static int write_log(const char *path)
{
	struct kernel_log_writer *writer;
	struct rng rng;
	int code = kernel_log_create(&writer, path, NULL);

	if (code)
		return code;
	rng_seed(&rng, 1);
	for (int64_t i = 0; i < LINES; i++) {
		const struct aqm_record record = make_record(&rng, i);

		kernel_log_write(writer, (uint64_t)i * 1100000, &record);
	}
	return kernel_log_close(writer, true, NULL);
}

static int take(void *context, const struct aqm_record *record, int64_t syslog_s)
{
	return collector_add(context, record, syslog_s);
}

/* As aqmllm pool does it, but for writing the pool; returns its rows. */
static size_t read_ours(const char *path)
{
	struct collect_options options;
	struct collector collector;
	struct kernel_log_parser parser;
	struct kernel_log_sink sink = {.context = &collector, .record = take};
	struct pool pool;
	size_t rows;

	collect_defaults(&options);
	pool_init(&pool);
	collector_init(&collector, &options, &pool);
	kernel_log_parser_init(&parser, &sink);
	kernel_log_read(&parser, path, NULL);
	kernel_log_finish(&parser, NULL);
	collector_finish(&collector);
	rows = pool.rows;
	kernel_log_parser_free(&parser);
	pool_free(&pool);
	return rows;
}

static size_t read_peer(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0, rows = 0;

	while (file && getline(&line, &size, file) > 0) {
		const char *start = strstr(line, "ecn_marking-start,");
		long long f[24];

		rows += start &&
			sscanf(start + 18,
			       "%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,"
			       "%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,end",
			       f, f + 1, f + 2, f + 3, f + 4, f + 5, f + 6, f + 7, f + 8, f + 9,
			       f + 10, f + 11, f + 12, f + 13, f + 14, f + 15, f + 16, f + 17,
			       f + 18, f + 19, f + 20, f + 21, f + 22, f + 23) == 24;
	}
	free(line);
	if (file)
		fclose(file);
	return rows;
}

static int ascending(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Median lines a second; 0 when rows were lost. */
static double measure(size_t (*read)(const char *path), const char *path)
{
	double seconds[RUNS];

	for (int i = 0; i < RUNS; i++) {
		const double start_s = clock_s();

		if (read(path) != LINES)
			return 0;
		seconds[i] = clock_s() - start_s;
	}
	qsort(seconds, RUNS, sizeof(seconds[0]), ascending);
	return LINES / seconds[RUNS / 2];
}

int main(void)
{
	char path[TEST_PATH_BYTES];
	double ours, peer;

	if (test_folder_make())
		return 1;
	if (write_log(test_path(path, "log"))) {
		fprintf(stderr, "pool_read: cannot write %s\n", path);
		test_folder_remove();
		return 1;
	}
	ours = measure(read_ours, path);
	peer = measure(read_peer, path);
	test_folder_remove();
	printf("log to pool, %d lines, one core: %.2f million lines/s (wanted 1.5: %s)\n", LINES,
	       ours / 1e6, ours >= WANTED ? "reached" : "MISSED");
	printf("peer, getline and sscanf alone:  %.2f million lines/s; ratio %.1f\n", peer / 1e6,
	       peer > 0 ? ours / peer : 0);
	return ours > 0 && peer > 0 ? 0 : 1;
}
