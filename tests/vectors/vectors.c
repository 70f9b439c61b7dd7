/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vectors [PACKETS [SEED [log]]]: every case through kernel/dual_host.h or kernel/single_host.h and
 * through queue/ with the laws' tables, as user space has them.  Prints a line a case, the sum in
 * front of all, which whoever else hosts the laws must come to:
 *
 *     SUM CASE PACKETS passes marks drops [LOG]
 *
 * LOG, where it is asked for, is the sum of queue/'s log lines.  Exit status 1 where the two
 * differ, where a case did not go through all that it should, or where no case filled a queue;
 * 2 for an argument that is none, or too few packets for all of that to happen.
 * "wrong" in the place of "log" gives queue/ other random bits: then every case must differ.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/student_shipped.h"
#include "tests/vectors/bench.h"
#include "tests/vectors/log_sum.h"
#include "tests/vectors/single.h"
#include "tests/vectors/user.h"

#define DEFAULT_PACKETS 1000000
#define DEFAULT_SEED 1
/* A queue of VECTORS_LIMIT_PKTS must fill, and PIE signal behind its burst of 150 ms. */
#define LEAST_PACKETS 2000

static const struct {
	const char *name, *law, *settings;
} cases[] = {
#define CASE_ROW(name, law, settings) {#name, law, settings},
	VECTORS_CASES(CASE_ROW) VECTORS_SINGLE_CASES(CASE_ROW)
#undef CASE_ROW
};

/* What a host made of a case. */
struct outcome {
	uint64_t sum, verdicts[3], overflows;
};

static const struct aqm_student_model *model_of(uint32_t which, struct aqm_student_model *own)
{
	if (which == VECTORS_shipped)
		return aqm_student_shipped();
	memset(own, 0, sizeof(*own));
	vectors_model(which, own);
	return own;
}

static void dual_run(uint32_t which, uint64_t packets, uint64_t seed, struct outcome *outcome)
{
	static struct vectors_bench bench;
	static struct aqm_student_model model;
	struct dual_host_params params;

	vectors_params(which, &params);
	params.own.model = model_of(which, &model);
	vectors_bench_init(&bench, seed, &params);
	while (bench.vectors.arrivals < packets || bench.busy)
		vectors_bench_step(&bench);
	outcome->sum = vectors_close(&bench.vectors, dual_host_p_q32(&bench.host));
	outcome->overflows = bench.host.counts[0].overflows + bench.host.counts[1].overflows;
	memcpy(outcome->verdicts, bench.vectors.verdicts, sizeof(outcome->verdicts));
}

static void single_run(uint32_t which, uint64_t packets, uint64_t seed, struct outcome *outcome)
{
	static struct vectors_single bench;

	vectors_single_init(&bench, seed, which);
	while (bench.vectors.arrivals < packets || bench.busy)
		vectors_single_step(&bench);
	outcome->sum = vectors_close(&bench.vectors, 0);
	outcome->overflows = 0;
	memcpy(outcome->verdicts, bench.vectors.verdicts, sizeof(outcome->verdicts));
}

static void logged(void *context, const struct aqm_record *record)
{
	vectors_log_fold(context, record);
}

/* The sum of queue/, or 0 where it could not be set up. */
static uint64_t user_run(uint32_t which, uint64_t packets, uint64_t seed, bool wrong,
			 uint64_t *log_sum)
{
	static struct aqm_student_model model;
	struct error error = {0};
	const struct vectors_user user = {
		.law = cases[which].law,
		.settings = cases[which].settings,
		.model = strcmp(cases[which].law, "student") == 0 ? model_of(which, &model) : NULL,
		.single = vectors_is_single(which),
		.wrong = wrong,
		.emptied = true,
		.on_record = logged,
		.context = log_sum,
	};
	const uint64_t sum = vectors_user_run(&user, packets, seed, &error);
	char line[512];

	if (sum == 0)
		fprintf(stderr, "%s\n", error_format(&error, line, sizeof(line)));
	return sum;
}

/* Packets that pass, and signals of all kinds that the case has: else it shows little. */
static bool is_rich(uint32_t which, const struct outcome *outcome)
{
	return outcome->verdicts[AQM_PASS] && outcome->verdicts[AQM_DROP] &&
	       (outcome->verdicts[AQM_MARK] || which == VECTORS_codel_drops);
}

static void print_case(uint32_t which, uint64_t packets, const struct outcome *outcome)
{
	printf("%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, outcome->sum,
	       cases[which].name, packets, outcome->verdicts[AQM_PASS], outcome->verdicts[AQM_MARK],
	       outcome->verdicts[AQM_DROP]);
}

/* Adds to `overflows`. */
static int run_case(uint32_t which, uint64_t packets, uint64_t seed, bool log, bool wrong,
		    uint64_t *overflows)
{
	struct outcome plain = {0};
	uint64_t log_sum = 0, expected;

	if (vectors_is_single(which))
		single_run(which, packets, seed, &plain);
	else
		dual_run(which, packets, seed, &plain);
	expected = user_run(which, packets, seed, wrong, &log_sum);
	*overflows += plain.overflows;
	print_case(which, packets, &plain);
	if (log)
		printf(" %016" PRIx64, log_sum);
	printf("\n");
	if (expected == 0 || (wrong ? plain.sum == expected : plain.sum != expected))
		printf("FAILED: %s: queue/ comes to %016" PRIx64 "\n", cases[which].name, expected);
	else if (!is_rich(which, &plain))
		printf("FAILED: %s: too little happens\n", cases[which].name);
	else
		return 0;
	return 1;
}

/* False, with a line of what is wrong: not a number from `least` on. */
static bool read_number(const char *name, const char *text, uint64_t least, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && !*end && !errno && *number >= least)
		return true;
	fprintf(stderr, "vectors: %s: \"%s\": give a number, %" PRIu64 " or more%s\n", name, text,
		least, least ? ": with fewer not every case marks, drops and fills its queue" : "");
	return false;
}

int main(int argc, char **argv)
{
	uint64_t packets = DEFAULT_PACKETS, seed = DEFAULT_SEED, overflows = 0;
	const bool wrong = argc > 3 && strcmp(argv[3], "wrong") == 0;
	const bool log = argc > 3 && strcmp(argv[3], "log") == 0;
	int failed = 0;

	if (argc > 4 || (argc > 3 && !wrong && !log)) {
		fputs("usage: vectors [PACKETS [SEED [log | wrong]]]\n", stderr);
		return 2;
	}
	if ((argc > 1 && !read_number("PACKETS", argv[1], LEAST_PACKETS, &packets)) ||
	    (argc > 2 && !read_number("SEED", argv[2], 0, &seed)))
		return 2;
	for (uint32_t which = 0; which < VECTORS_END; which++)
		failed |= run_case(which, packets, seed, log, wrong, &overflows);
	/* A law may well keep its queue from filling; what a full one does is the host's. */
	if (overflows == 0)
		printf("FAILED: no queue was ever full\n");
	return failed || overflows == 0;
}
