/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worst pattern against the guard, by search in closed loop:
 *
 *   search [SUITE[:NETWORKS[:SEED]] [TRIES [SEED]]]
 *
 * Patterns (policy/adversary.h) are drawn, then the worst one so far is changed
 * in one or two places; every other try is a new one.  How bad one is: the
 * largest, over networks, of what it lacks to the factors on delay and goodput.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/rng.h"
#include "sim/suite.h"
#include "tests/guard/arms.h"

#define MOST_DELAY 1.25
#define LEAST_GOODPUT 0.90
#define KEYS 9
#define MOST_NETWORKS 256
#define SEEDS 3 /* a network's figures are means: runs differ by chance */

static const char *const verdicts[] = {"pass", "mark", "drop"};

/* A pattern as indices into what each key may be. */
struct pattern {
	unsigned value[KEYS];
};

static const struct {
	const char *key;
	double values[8];
} numbers[] = {
	{"period_ms", {100, 300, 1000, 3000, 5000, 10000, 20000, 40000}},
	{"on_ms", {20, 50, 100, 300, 1000, 3000, 10000, 1e9}},
	{"low_ms", {0, 0, 0, 0.2, 1, 2, 5, 14}},
	{"high_ms", {1, 2, 5, 8, 14, 20, 50, 1e9}},
	{"share", {0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 1, 1}},
};

static const char *const verdict_keys[] = {"c", "l", "rest_c", "rest_l"};

static unsigned draw(struct rng *rng, unsigned key)
{
	return (unsigned)rng_below(rng, key < 5 ? 8 : 3);
}

static void spell(const struct pattern *pattern, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned k = 0; k < KEYS; k++) {
		if (k < 5)
			used += (size_t)snprintf(text + used, size - used, "%s%s=%g", k ? ":" : "",
						 numbers[k].key,
						 numbers[k].values[pattern->value[k]]);
		else
			used += (size_t)snprintf(text + used, size - used, ":%s=%s",
						 verdict_keys[k - 5],
						 verdicts[pattern->value[k]]);
	}
}

struct hunt {
	const struct suite *suite;
	uint64_t suite_seed, networks;
	const char *name; /* NULL: the law alone */
	struct arm_figures law[MOST_NETWORKS], arm[MOST_NETWORKS];
};

static int run_network(void *context, size_t network)
{
	struct hunt *hunt = context;
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct arm_figures mean = {0};
	int code = scenario ? 0 : -1;

	if (scenario)
		suite_sample(hunt->suite, hunt->suite_seed, network, scenario);
	for (uint64_t seed = 1; code == 0 && seed <= SEEDS; seed++) {
		struct arm_figures one = {0};

		code = arm_run(scenario, seed, hunt->name, false, &one);
		mean.p99_ms[SIM_ALL] += one.p99_ms[SIM_ALL] / SEEDS;
		mean.goodput_mbps += one.goodput_mbps / SEEDS;
	}
	*(hunt->name ? &hunt->arm[network] : &hunt->law[network]) = mean;
	if (scenario)
		scenario_free(scenario);
	free(scenario);
	return code;
}

/* Above 1 where a factor is broken; `at`: the network. */
static double badness(struct hunt *hunt, const char *name, size_t *at)
{
	double worst = 0;

	hunt->name = name;
	if (parallel_for(hunt->networks, 0, run_network, hunt))
		exit(1);
	for (size_t i = 0; name && i < hunt->networks; i++) {
		const struct arm_ratios ratios = arm_compare(&hunt->arm[i], &hunt->law[i]);
		const double bad = fmax(ratios.delay / MOST_DELAY, LEAST_GOODPUT / ratios.goodput);

		if (bad > worst) {
			worst = bad;
			*at = i;
		}
	}
	return worst;
}

static void search(struct hunt *hunt, uint64_t tries, struct rng *rng)
{
	struct pattern worst = {0};
	double most = 0;

	badness(hunt, NULL, NULL);
	for (uint64_t i = 0; i < tries; i++) {
		struct pattern pattern = worst;
		char name[256];
		size_t at = 0;
		double bad;

		for (unsigned k = 0; k < KEYS; k++)
			if (i % 2 == 0 || rng_below(rng, KEYS) < 2)
				pattern.value[k] = draw(rng, k);
		spell(&pattern, name, sizeof(name));
		bad = badness(hunt, name, &at);
		if (bad <= most)
			continue;
		most = bad;
		worst = pattern;
		printf("try %" PRIu64 ": %.3f in network %zu (p99 %.3f, goodput %.3f of DualPI2's) "
		       "adversary:%s\n",
		       i, bad, at, arm_compare(&hunt->arm[at], &hunt->law[at]).delay,
		       arm_compare(&hunt->arm[at], &hunt->law[at]).goodput, name);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static struct hunt hunt = {.suite_seed = 1};
	char name[32] = "small";
	struct rng rng;

	if (argc > 1)
		sscanf(argv[1], "%31[a-z]:%" SCNu64 ":%" SCNu64, name, &hunt.networks,
		       &hunt.suite_seed);
	hunt.suite = suite_find(name);
	if (hunt.suite == NULL)
		return 2;
	if (hunt.networks == 0 || hunt.networks > MOST_NETWORKS)
		hunt.networks = hunt.suite->networks;
	rng_seed(&rng, argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
	search(&hunt, argc > 2 ? strtoull(argv[2], NULL, 10) : 100, &rng);
	return 0;
}
