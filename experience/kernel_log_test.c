/* SPDX-License-Identifier: BSD-2-Clause */
/* The router's log: byte for byte out, and whatever real files hold in. */
#include "experience/kernel_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

#define MANY 5000

struct seen {
	struct aqm_record *records;
	int64_t *seconds;
	size_t count, capacity;
};

static int take(void *context, const struct aqm_record *record, int64_t syslog_s)
{
	struct seen *seen = context;

	if (seen->count == seen->capacity) {
		seen->capacity = seen->capacity ? 2 * seen->capacity : 64;
		seen->records = realloc(seen->records, seen->capacity * sizeof(*seen->records));
		seen->seconds = realloc(seen->seconds, seen->capacity * sizeof(*seen->seconds));
	}
	seen->records[seen->count] = *record;
	seen->seconds[seen->count++] = syslog_s;
	return 0;
}

static void forget(struct seen *seen)
{
	free(seen->records);
	free(seen->seconds);
	memset(seen, 0, sizeof(*seen));
}

/* Parses a text in pieces of `step` bytes. */
static struct kernel_log_counts parse(const char *text, size_t size, size_t step, struct seen *seen)
{
	const struct kernel_log_sink sink = {.context = seen, .record = take};
	struct kernel_log_parser parser;
	struct kernel_log_counts counts;

	kernel_log_parser_init(&parser, &sink);
	for (size_t at = 0; at < size; at += step)
		assert_int_equal(kernel_log_feed(&parser, text + at,
						 size - at < step ? size - at : step, NULL),
				 0);
	assert_int_equal(kernel_log_finish(&parser, NULL), 0);
	counts = parser.counts;
	kernel_log_parser_free(&parser);
	return counts;
}

static struct aqm_record random_record(struct rng *rng)
{
	struct aqm_record record;
	int64_t *fields = &record.queue_type;

	for (int i = 0; i < AQM_RECORD_FIELDS; i++)
		fields[i] = (int64_t)(rng_u64(rng) >> (16 + rng_below(rng, 48)));
	record.queue_type = (int64_t)rng_below(rng, 2);
	record.dequeue_action = 1 + (int64_t)rng_below(rng, 3);
	record.drop_probability &= 0x7fffffff;
	record.packet_length &= 0xffff;
	return record;
}

static void lines_are_those_of_the_kernel(void **state)
{
	static const char line[] =
		"Feb  3 04:05:06 router kernel: l4s_ecn_marking-start,1,15000,15000,150000,819,"
		"1024,10240,19,0,21474836,20000,10000,0,4000000,0,0,3,100,150000,20,30000,7,1500,"
		"2,end \n";
	const struct aqm_record record = {1, 15000,    15000,  150000, 819,   1024,    10240, 19,
					  0, 21474836, 20000,  10000,  0,     4000000, 0,     0,
					  3, 100,      150000, 20,     30000, 7,       1500,  2};
	char text[KERNEL_LOG_LINE_BYTES];
	const uint64_t second = (31 + 2) * 86400 + 4 * 3600 + 5 * 60 + 6;

	(void)state;
	assert_int_equal(kernel_log_format(text, &record, second), sizeof(line) - 1);
	assert_string_equal(text, line);
}

static void what_is_written_reads_back(void **state)
{
	char *text = malloc(MANY * KERNEL_LOG_LINE_BYTES);
	struct aqm_record *records = calloc(MANY, sizeof(*records));
	static const size_t steps[] = {1 << 20, 4096, 37};
	struct rng rng;
	size_t size = 0;

	(void)state;
	rng_seed(&rng, 5);
	for (size_t i = 0; i < MANY; i++) {
		records[i] = random_record(&rng);
		size += kernel_log_format(text + size, &records[i], i);
	}
	for (size_t s = 0; s < 3; s++) {
		struct seen seen = {0};
		const struct kernel_log_counts counts = parse(text, size, steps[s], &seen);

		assert_int_equal(counts.lines, MANY);
		assert_int_equal(counts.records, MANY);
		assert_int_equal(counts.first_damaged_line, 0);
		assert_memory_equal(seen.records, records, MANY * sizeof(*records));
		assert_int_equal(seen.seconds[100], 100);
		forget(&seen);
	}
	free(records);
	free(text);
}

#define INTS "0,15000,15000,150000,819,1024,10240,19,0,5,20000,10000,0,1,0,0,3,1,1500,2,3000,0"

static void variants_and_damage_are_told_apart(void **state)
{
	static const char text[] =
		/* intact, with 23 fields, with another prefix, behind other text */
		"Jan  1 00:00:00 r kernel: l4s_ecn_marking-start," INTS ",1500,1,end \n"
		"Jan  1 00:00:00 r kernel: l4s_ecn_marking-start," INTS ",1,end \n"
		"Jan  1 00:00:00 r kernel: dualpi2_ecn_marking-start," INTS ",52,3,end \n"
		"noise 145,ecn_marking-start," INTS ",52,2,end \n"
		/* cut, merged with an intact one, letters, repeated, something else */
		"Jan  1 00:00:00 r kernel: l4s_ecn_marking-start,0,15000,150\n"
		"Jan  1 00:00:00 r kernel: "
		"l4s_ecn_marking-start,0,15000,1l4s_ecn_marking-start," INTS ",1500,1,end \n"
		"Jan  1 00:00:00 r kernel: l4s_ecn_marking-start,0,x,15000,end \n"
		"Jan  1 00:00:01 r last message repeated 3 times\n"
		"Jan  1 00:00:01 r sshd: hello\n"
		"Jan  1 00:00:02 r kernel: l4s_ecn_marking-start," INTS ",1500,1,end";
	struct seen seen = {0};
	const struct kernel_log_counts counts = parse(text, sizeof(text) - 1, 50, &seen);

	(void)state;
	assert_int_equal(counts.lines, 10);
	assert_int_equal(counts.records, 6);
	assert_int_equal(counts.short_records, 1);
	assert_int_equal(counts.damaged[KERNEL_LOG_cut], 1);
	assert_int_equal(counts.damaged[KERNEL_LOG_merged], 1);
	assert_int_equal(counts.damaged[KERNEL_LOG_fields], 1);
	assert_int_equal(counts.damaged[KERNEL_LOG_repeated], 1);
	assert_int_equal(counts.first_damaged_line, 5);
	assert_int_equal(seen.records[1].packet_length, 0);
	assert_int_equal(seen.records[1].dequeue_action, 1);
	assert_int_equal(seen.records[2].packet_length, 52);
	forget(&seen);
}

/* One line in twenty loses its middle, its end, its newline or gains letters. */
static void five_per_cent_damage_loses_no_intact_record(void **state)
{
	char *text = malloc(MANY * KERNEL_LOG_LINE_BYTES), line[KERNEL_LOG_LINE_BYTES];
	struct aqm_record *intact = calloc(MANY, sizeof(*intact));
	struct seen seen = {0};
	struct kernel_log_counts counts;
	size_t size = 0, kept = 0, damaged = 0, found = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 11);
	for (size_t i = 0; i < MANY; i++) {
		const struct aqm_record record = random_record(&rng);
		size_t length = kernel_log_format(line, &record, i / 100);

		if (rng_below(&rng, 20) == 0) {
			const size_t at = 60 + rng_below(&rng, 40);

			damaged++;
			if (damaged % 3 == 0) {
				length = at; /* cut, and the next line merged into it */
			} else if (damaged % 3 == 1) {
				line[at] = '#';
			} else {
				memcpy(line + at, "\n", 1);
				length = at + 1;
			}
		} else {
			intact[kept++] = record;
		}
		memcpy(text + size, line, length);
		size += length;
	}
	counts = parse(text, size, 1 << 16, &seen);
	assert_true(damaged > MANY / 30);
	for (size_t i = 0; i < seen.count && found < kept; i++)
		found += memcmp(&seen.records[i], &intact[found], sizeof(*intact)) == 0;
	assert_int_equal(found, kept);
	assert_int_equal(counts.records, kept);
	forget(&seen);
	free(intact);
	free(text);
}

static void logs_go_through_files_of_every_kind(void **state)
{
	static const char *const names[] = {"klog_test.log", "klog_test.log.gz",
					    "klog_test.log.zst"};
	struct rng rng;

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		struct seen seen = {0};
		const struct kernel_log_sink sink = {.context = &seen, .record = take};
		struct kernel_log_writer *writer;
		struct kernel_log_parser parser;

		rng_seed(&rng, 17);
		assert_int_equal(kernel_log_create(&writer, names[n], NULL), 0);
		for (uint64_t i = 0; i < MANY; i++) {
			const struct aqm_record record = random_record(&rng);

			assert_int_equal(kernel_log_write(writer, i * 1000000, &record), 0);
		}
		assert_int_equal(kernel_log_close(writer, true, NULL), 0);
		kernel_log_parser_init(&parser, &sink);
		assert_int_equal(kernel_log_read(&parser, names[n], NULL), 0);
		assert_int_equal(kernel_log_finish(&parser, NULL), 0);
		assert_int_equal(parser.counts.records, MANY);
		kernel_log_parser_free(&parser);
		forget(&seen);
		remove(names[n]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_those_of_the_kernel),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(variants_and_damage_are_told_apart),
		cmocka_unit_test(five_per_cent_damage_loses_no_intact_record),
		cmocka_unit_test(logs_go_through_files_of_every_kind),
	};

	return cmocka_run_group_tests_name("kernel_log", tests, NULL, NULL);
}
