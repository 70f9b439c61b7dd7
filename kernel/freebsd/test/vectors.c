/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vectors [PACKETS [SEED]]: the cases of tests/vectors/ through the scheduler modules, and the same
 * packets through every law of dn_aqm_laws.c and through queue/ with that law's table.
 *
 * Prints what tests/vectors/vectors.c prints; vectors.sh compares the schedulers' sums with its,
 * the laws of one queue are compared here.  Exit status 1 where they differ.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/freebsd/test/bench.h"
#include "kernel/freebsd/test/bench_user.h"

#define DEFAULT_PACKETS 1000000
#define DEFAULT_SEED 1
#define SLOTS 1000

static const char *const cases[] = {
#define CASE_NAME(name, law, settings) #name,
	VECTORS_CASES(CASE_NAME)
#undef CASE_NAME
};

/* `values` as dnaqm sends them, -1 for the default, ended by -2. */
static const struct {
	const char *name, *module, *law, *settings;
	int64_t values[11];
} laws[] = {
	{"pi2", "pi2", "pi2", "limit_packets=1000:max_burst_ms=10",
	 {-1, -1, -1, -1, -1, 10000, -2}},
	{"pie", "pie_rfc", "pie", "limit_packets=1000:ecn_max_p=0.5",
	 {-1, -1, -1, -1, -1, 500000, -2}},
	{"codel", "codel_rfc", "codel", "limit_packets=1000", {-2}},
	{"codel-drops", "codel_rfc", "codel", "limit_packets=1000:ecn=0:target_ms=2",
	 {2000, -1, 0, -2}},
	{"red", "red_floyd", "red", "limit_packets=1000", {-2}},
	{"red-adaptive", "red_floyd", "red", "limit_packets=1000:adaptive=1:max_p=0.01",
	 {-1, -1, 10000, -1, 1, -2}},
};

static void print(uint64_t sum, const char *name, uint64_t packets, const struct vectors *vectors)
{
	printf("%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sum, name,
	       packets, vectors->verdicts[AQM_PASS], vectors->verdicts[AQM_MARK],
	       vectors->verdicts[AQM_DROP]);
}

/* Packets that pass and signals: else the law shows little. */
static int run_law(size_t which, uint64_t packets, uint64_t seed)
{
	const char *name = laws[which].name;
	struct vectors vectors;
	const uint64_t sum = bench_run_queue(laws[which].module, laws[which].values, SLOTS, packets,
					     seed, &vectors);
	const uint64_t expected = bench_user_run(laws[which].law, laws[which].settings, false,
						 packets, seed, NULL);
	const uint64_t *verdicts = vectors.verdicts;

	print(sum, name, packets, &vectors);
	if (sum != expected || sum == 0)
		printf("FAILED: %s: queue/ comes to %016" PRIx64 "\n", name, expected);
	else if (!verdicts[AQM_PASS] || !(verdicts[AQM_MARK] || laws[which].values[2] == 0) ||
		 !verdicts[AQM_DROP])
		printf("FAILED: %s: too little happens\n", name);
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_PACKETS;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : DEFAULT_SEED;
	int failed = bench_load(NULL) != 0;

	for (uint32_t which = 0; which < VECTORS_CASE_COUNT; which++) {
		struct vectors vectors;
		const uint64_t sum = bench_run_case(which, packets, seed, &vectors);

		print(sum, cases[which], packets, &vectors);
	}
	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++)
		failed |= run_law(i, packets, seed);
	failed |= world_unload() != 0 || world_blocks() != 0 || world_packets() != 0;
	return failed;
}
