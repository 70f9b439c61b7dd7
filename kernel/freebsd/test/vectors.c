/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vectors [PACKETS [SEED]]: the cases of tests/vectors/ through the scheduler modules, and those of
 * one queue through the laws of dn_aqm_laws.c.
 *
 * Prints what tests/vectors/vectors.c prints; vectors.sh compares the sums.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/freebsd/test/bench.h"
#include "tests/vectors/single.h"

#define DEFAULT_PACKETS 1000000
#define DEFAULT_SEED 1

static const char *const cases[] = {
#define CASE_NAME(name, law, settings) #name,
	VECTORS_CASES(CASE_NAME) VECTORS_SINGLE_CASES(CASE_NAME)
#undef CASE_NAME
};

/* The module's law, and values as dnaqm sends them, -1 for the default, ended by -2. */
static const struct {
	const char *law;
	int64_t values[11];
} laws[] = {
	[VECTORS_pi2] = {"pi2", {-1, -1, -1, -1, -1, 10000, -2}},
	[VECTORS_pie] = {"pie_rfc", {-1, -1, -1, -1, -1, 500000, -2}},
	[VECTORS_codel] = {"codel_rfc", {-2}},
	[VECTORS_codel_drops] = {"codel_rfc", {2000, -1, 0, -2}},
	[VECTORS_red] = {"red_floyd", {-2}},
	[VECTORS_red_adaptive] = {"red_floyd", {-1, -1, 10000, -1, 1, -2}},
};

static void print(uint64_t sum, const char *name, uint64_t packets, const struct vectors *vectors)
{
	printf("%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sum, name,
	       packets, vectors->verdicts[AQM_PASS], vectors->verdicts[AQM_MARK],
	       vectors->verdicts[AQM_DROP]);
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_PACKETS;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : DEFAULT_SEED;
	int failed = bench_load(NULL) != 0;

	for (uint32_t which = 0; which < VECTORS_END; which++) {
		struct vectors vectors;
		const uint64_t sum =
			vectors_is_single(which)
				? bench_run_queue(laws[which].law, laws[which].values,
						  VECTORS_LIMIT_PKTS, packets, seed, &vectors)
				: bench_run_case(which, packets, seed, &vectors);

		print(sum, cases[which], packets, &vectors);
	}
	failed |= world_unload() != 0 || world_blocks() != 0 || world_packets() != 0;
	return failed;
}
