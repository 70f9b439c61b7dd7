/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adversaries in closed loop beside DualPI2 alone: queue delay and goodput per
 * network, and whether the guard keeps the policy's within the stated factors.
 *
 *   adversaries [SUITE[:NETWORKS[:SEED]] [SEEDS [NAME...]]]
 *
 * Every packet is put to the policy, over DualPI2 with its step's floor.  A name
 * `settings:KEY=VALUE:...` is a supervisor that asks for these settings
 * (tests/guard/supervised.h) as far as it has room.  `nudged` is no adversary but
 * DualPI2 with a target that is 0.1 % longer, over the same link and traffic: what it
 * is outside with is the networks' own unrest.
 *
 * From five seeds on a pair is surely outside where the 95 % interval of its ratio lies
 * beyond the factor as a whole.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "policy/adversary.h"
#include "report/bootstrap.h"
#include "sim/suite.h"
#include "tests/guard/arms.h"

#define MOST_DELAY 1.25
#define LEAST_GOODPUT 0.90
#define MOST_OVERRIDDEN 0.05 /* of the policy that is no adversary */
#define ARMS 32
#define MOST_SEEDS 100
#define SURE_SEEDS 5 /* intervals of fewer values are too narrow */

static const char *const names[] = {
#define ADVERSARY_NAME(name, how, pattern, doc) #name,
	ADVERSARY_TABLE(ADVERSARY_NAME)
#undef ADVERSARY_NAME
	ARM_SETTINGS "target=-4:step=-2:k=2:gain=3",
	ARM_SETTINGS "target=-4:step=-2:k=2:gain=3:period_ms=6000:on_ms=1000",
	ARM_SETTINGS "target=2:step=2:k=-3:gain=-3",
	ARM_SETTINGS "target=-4:gain=3:random=1",
};

struct sweep {
	const struct suite *suite;
	uint64_t suite_seed, networks, seeds;
	const char *file; /* instead of a suite: a scenario */
	const char *arms[ARMS]; /* NULL: the law alone */
	size_t arm_count;
	bool unguarded;
	struct arm_figures *figures; /* (networks, arms, seeds) */
};

static struct arm_figures *slot(const struct sweep *sweep, uint64_t network, size_t arm,
				uint64_t seed)
{
	return &sweep->figures[(network * sweep->arm_count + arm) * sweep->seeds + seed];
}

static int get_scenario(const struct sweep *sweep, uint64_t network, struct scenario *scenario)
{
	struct error error = {0};
	int code = 0;

	if (sweep->file)
		code = scenario_read(scenario, sweep->file, &error);
	else
		suite_sample(sweep->suite, sweep->suite_seed, network, scenario);
	if (code)
		fprintf(stderr, "%s\n", error.text);
	return code;
}

static int run_job(void *context, size_t index)
{
	const struct sweep *sweep = context;
	const uint64_t seed = index % sweep->seeds;
	const size_t arm = index / sweep->seeds % sweep->arm_count;
	const uint64_t network = index / sweep->seeds / sweep->arm_count;
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	int code = -1;

	if (scenario) {
		code = get_scenario(sweep, network, scenario);
	}
	if (code == 0) {
		code = arm_run(scenario, 1 + seed, sweep->arms[arm], sweep->unguarded,
			       slot(sweep, network, arm, seed));
		scenario_free(scenario);
	}
	free(scenario);
	return code;
}

/* An arm in a network beside the law alone. */
struct row {
	struct arm_figures mean;
	struct estimate delay, goodput; /* ratios of means over seeds */
	bool outside;
	bool surely; /* an interval lies beyond its bound as a whole */
};

static double delay_of(const struct arm_figures *figures)
{
	return figures->p99_ms[SIM_ALL];
}

static double goodput_of(const struct arm_figures *figures)
{
	return figures->goodput_mbps;
}

typedef double figure_of(const struct arm_figures *figures);

static struct estimate ratio_of(const struct sweep *sweep, uint64_t network, size_t arm,
				figure_of *figure)
{
	double one[MOST_SEEDS], beside[MOST_SEEDS];

	for (uint64_t s = 0; s < sweep->seeds; s++) {
		one[s] = figure(slot(sweep, network, arm, s));
		beside[s] = figure(slot(sweep, network, 0, s));
	}
	return bootstrap_ratio(one, beside, sweep->seeds, network);
}

static struct arm_figures mean_of(const struct sweep *sweep, uint64_t network, size_t arm)
{
	struct arm_figures mean = {0};

	for (uint64_t s = 0; s < sweep->seeds; s++) {
		const struct arm_figures *one = slot(sweep, network, arm, s);

		for (int q = 0; q < 3; q++)
			mean.p99_ms[q] += one->p99_ms[q] / (double)sweep->seeds;
		mean.goodput_mbps += one->goodput_mbps / (double)sweep->seeds;
		mean.share_c += one->share_c / (double)sweep->seeds;
		mean.asked += one->asked;
		mean.overridden += one->overridden;
	}
	return mean;
}

static struct row row_of(const struct sweep *sweep, uint64_t network, size_t arm)
{
	struct row row = {.mean = mean_of(sweep, network, arm),
			  .delay = ratio_of(sweep, network, arm, delay_of),
			  .goodput = ratio_of(sweep, network, arm, goodput_of)};

	row.outside = !(row.delay.value <= MOST_DELAY && row.goodput.value >= LEAST_GOODPUT);
	row.surely = row.outside && sweep->seeds >= SURE_SEEDS &&
		     (row.delay.low > MOST_DELAY || row.goodput.high < LEAST_GOODPUT);
	return row;
}

static double share_overridden(const struct arm_figures *figures)
{
	return figures->asked > 0 ? figures->overridden / figures->asked : 0;
}

static bool is_adversary(const struct sweep *sweep, size_t arm)
{
	return strcmp(sweep->arms[arm], ARM_NUDGED) != 0;
}

/* The policy that is no adversary is to be left alone besides. */
static bool is_good(const struct sweep *sweep, size_t arm, const struct row *row)
{
	return !row->outside && (strcmp(sweep->arms[arm], "gentle") != 0 ||
				 share_overridden(&row->mean) <= MOST_OVERRIDDEN);
}

static void tell_row(const struct sweep *sweep, size_t arm, const struct row *row,
		     const struct arm_figures *law)
{
	const struct arm_figures *f = &row->mean;

	printf("  %-22.60s p99 %7.2f ms %6.3f  C %6.3f  L %6.3f  goodput %8.3f %6.3f  C packets "
	       "%.2f  overridden %5.1f %%%s\n",
	       sweep->arms[arm], delay_of(f), row->delay.value,
	       f->p99_ms[AQM_QUEUE_C] / law->p99_ms[AQM_QUEUE_C],
	       f->p99_ms[AQM_QUEUE_L] / law->p99_ms[AQM_QUEUE_L], f->goodput_mbps,
	       row->goodput.value, f->share_c, 100 * share_overridden(f),
	       row->surely		 ? "  OUTSIDE, all of its interval"
	       : is_good(sweep, arm, row) ? ""
					 : "  OUTSIDE");
}

static int tell_networks(const struct sweep *sweep, const struct row *rows)
{
	for (uint64_t n = 0; n < sweep->networks; n++) {
		const struct row *row = &rows[n * sweep->arm_count];
		const struct arm_figures *law = &row[0].mean;
		struct scenario *scenario = calloc(1, sizeof(*scenario));

		if (scenario == NULL || get_scenario(sweep, n, scenario)) {
			free(scenario);
			return -1;
		}
		printf("%s: %.1f Mbit/s, %.0f ms; dualpi2: p99 %.2f ms (C %.2f, L %.2f), goodput "
		       "%.3f Mbit/s, C packets %.2f\n",
		       scenario->name, scenario->rate_mbps, 2 * scenario->delay_ms, delay_of(law),
		       law->p99_ms[AQM_QUEUE_C], law->p99_ms[AQM_QUEUE_L], law->goodput_mbps,
		       law->share_c);
		for (size_t a = 1; a < sweep->arm_count; a++)
			tell_row(sweep, a, &row[a], law);
		scenario_free(scenario);
		free(scenario);
	}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	const double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* An arm over all networks; the pairs that are not good. */
static unsigned tell_arm(const struct sweep *sweep, size_t arm, const struct row *rows,
			 double *delays)
{
	double least = INFINITY, sum = 0;
	unsigned bad = 0, late = 0, slow = 0, surely = 0;
	size_t count = 0;

	for (uint64_t n = 0; n < sweep->networks; n++) {
		const struct row *row = &rows[n * sweep->arm_count + arm];

		bad += !is_good(sweep, arm, row);
		late += !(row->delay.value <= MOST_DELAY);
		slow += !(row->goodput.value >= LEAST_GOODPUT);
		surely += row->surely;
		if (!isfinite(row->delay.value) || !isfinite(row->goodput.value))
			continue;
		delays[count++] = row->delay.value;
		sum += row->goodput.value;
		least = fmin(least, row->goodput.value);
	}
	qsort(delays, count, sizeof(*delays), ascending);
	printf("%-50.50s p99 median %.2f, most %.2f; goodput least %.3f, mean %.3f; outside %u "
	       "(p99 %u, goodput %u), surely %u",
	       sweep->arms[arm], statistics_quantile(delays, count, 0.5),
	       count ? delays[count - 1] : NAN, least, sum / (double)count, bad, late, slow,
	       surely);
	if (count < sweep->networks)
		printf("; %zu networks without figures", (size_t)sweep->networks - count);
	printf("\n");
	return bad;
}

/* Pairs of network and arm that are outside; -1: no memory, or no such network. */
static long tell(const struct sweep *sweep)
{
	struct row *rows = calloc(sweep->networks * sweep->arm_count, sizeof(*rows));
	double *delays = calloc(sweep->networks, sizeof(*delays));
	long outside = -1;

	if (rows && delays) {
		for (uint64_t i = 0; i < sweep->networks * sweep->arm_count; i++)
			rows[i] = row_of(sweep, i / sweep->arm_count, i % sweep->arm_count);
		outside = tell_networks(sweep, rows);
	}
	for (size_t a = 1; outside >= 0 && a < sweep->arm_count; a++) {
		const unsigned bad = tell_arm(sweep, a, rows, delays);

		outside += is_adversary(sweep, a) ? bad : 0;
	}
	free(delays);
	free(rows);
	return outside;
}

static void choose_suite(struct sweep *sweep, const char *text)
{
	char name[32] = "small";

	if (strchr(text, '/')) {
		sweep->file = text;
		sweep->networks = 1;
		return;
	}
	sscanf(text, "%31[a-z]:%lu:%lu", name, &sweep->networks, &sweep->suite_seed);
	sweep->suite = suite_find(name);
}

int main(int argc, char **argv)
{
	struct sweep sweep = {.suite_seed = 1, .seeds = 1, .arm_count = 1};
	size_t adversaries = 0;
	long outside;

	sweep.unguarded = getenv("UNGUARDED") != NULL;
	choose_suite(&sweep, argc > 1 ? argv[1] : "small");
	if (sweep.suite == NULL && sweep.file == NULL)
		return 2;
	if (sweep.suite && sweep.networks == 0)
		sweep.networks = sweep.suite->networks;
	if (argc > 2)
		sweep.seeds = strtoul(argv[2], NULL, 10);
	if (sweep.seeds < 1 || sweep.seeds > MOST_SEEDS) {
		fprintf(stderr, "adversaries: %s: give 1 to %d seeds\n", argv[2], MOST_SEEDS);
		return 2;
	}
	for (int i = 3; i < argc && sweep.arm_count < ARMS; i++)
		sweep.arms[sweep.arm_count++] = argv[i];
	for (size_t i = 0; argc <= 3 && i < sizeof(names) / sizeof(names[0]); i++)
		sweep.arms[sweep.arm_count++] = names[i];
	sweep.figures = calloc(sweep.networks * sweep.arm_count * sweep.seeds,
			       sizeof(*sweep.figures));
	if (sweep.figures == NULL ||
	    parallel_for(sweep.networks * sweep.arm_count * sweep.seeds, 0, run_job, &sweep))
		return 1;
	outside = tell(&sweep);
	for (size_t a = 1; a < sweep.arm_count; a++)
		adversaries += is_adversary(&sweep, a);
	if (outside >= 0)
		printf("%ld of %zu outside\n", outside, sweep.networks * adversaries);
	free(sweep.figures);
	return outside != 0;
}
