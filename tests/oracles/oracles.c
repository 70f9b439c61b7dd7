/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracles STEPS [LAW...]: one line a law; exit status 1 if any is off.  `wrong` is
 * a law that must be.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/oracles/rows.h"

#define STEPS_PER_OPEN 2048
#define SEED 9332

#define ROW_ADDRESS(law) &oracle_##law,
static const struct oracle_row *const rows[] = {ORACLE_ROWS(ROW_ADDRESS) NULL};

void oracle_compare(struct oracle_score *score, double core, double oracle)
{
	const double difference = fabs(core - oracle);

	if (!(difference <= score->largest))
		score->largest = difference;
}

void oracle_verdict(struct oracle_score *score, int core, int oracle)
{
	score->mismatches += core != oracle;
	score->signals += core != AQM_PASS;
}

void oracle_equal(struct oracle_score *score, uint64_t core, uint64_t oracle)
{
	score->mismatches += core != oracle;
}

static bool run_row(const struct oracle_row *row, unsigned long steps, struct rng rng)
{
	void *state = calloc(1, row->size);
	struct oracle_score score = {0};
	const clock_t start = clock();
	bool good;

	if (state == NULL)
		return false;
	for (unsigned long i = 0; i < steps; i++) {
		if (i % STEPS_PER_OPEN == 0)
			row->open(state, &rng);
		row->step(state, &rng, &score);
	}
	if (row->close)
		row->close(state);
	free(state);
	good = score.mismatches == 0 && score.largest <= row->allowed && score.signals > 0;
	printf("%-22s %10lu %10llu %12.3f %8.0f %11llu  %-6s %5.1f s  %s\n", row->name, steps,
	       (unsigned long long)score.signals, score.largest, row->allowed,
	       (unsigned long long)score.mismatches, good ? "good" : "FAILED",
	       (double)(clock() - start) / CLOCKS_PER_SEC, row->compared);
	fflush(stdout);
	return good;
}

static bool is_wanted(const char *name, char **names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return count == 0;
}

int main(int argc, char **argv)
{
	const unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	struct rng root;
	bool good = true;

	if (argc == 3 && steps && strcmp(argv[2], oracle_wrong.name) == 0) {
		rng_seed(&root, SEED);
		return run_row(&oracle_wrong, steps, root) ? 0 : 1;
	}
	if (steps == 0) {
		fputs("usage: oracles STEPS [LAW...]\n", stderr);
		return 2;
	}
	rng_seed(&root, SEED);
	printf("%-22s %10s %10s %12s %8s %11s\n", "law", "steps", "signals", "largest",
	       "allowed", "mismatches");
	for (unsigned i = 0; rows[i]; i++)
		if (is_wanted(rows[i]->name, argv + 2, argc - 2))
			good = run_row(rows[i], steps, rng_split(&root, i)) && good;
	return good ? 0 : 1;
}
