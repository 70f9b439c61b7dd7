/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks one by one, on all cores; then groups.
 */
#include "cli/trial_pairs.h"

#include <math.h>
#include <stdlib.h>

#include "base/parallel.h"

static const struct {
	const char *name, *label;
	enum trial_metric metric;
	bool ratio, more_is_worse;
	double least;
} quantities[] = {
#define TRIAL_PAIR_ROW(name, metric, ratio, worse, least, label)                                   \
	{#name, label, TRIAL_##metric, ratio, worse, least},
	TRIAL_PAIR_TABLE(TRIAL_PAIR_ROW)
#undef TRIAL_PAIR_ROW
};

const char *trial_pair_name(enum trial_pair pair)
{
	return quantities[pair].name;
}

const char *trial_pair_label(enum trial_pair pair)
{
	return quantities[pair].label;
}

struct estimate trial_pairing_of(const struct trial_pairing *pairing, size_t network,
				 enum trial_pair pair)
{
	return pairing->networks[network * TRIAL_PAIRS + pair];
}

bool trial_pairing_is_worse(const struct trial_pairing *pairing, size_t network,
			    enum trial_pair pair)
{
	const struct estimate estimate = trial_pairing_of(pairing, network, pair);

	if (pair != TRIAL_PAIR_classic_p99 && pair != TRIAL_PAIR_l4s_p99 &&
	    pair != TRIAL_PAIR_goodput)
		return false;
	if (estimate.count < TRIAL_WORSE_SEEDS)
		return false;
	return quantities[pair].more_is_worse ? estimate.low > 1 + TRIAL_WORSE
					      : estimate.high < 1 - TRIAL_WORSE;
}

bool trial_pairing_network_is_worse(const struct trial_pairing *pairing, size_t network)
{
	for (int pair = 0; pair < TRIAL_PAIRS; pair++)
		if (trial_pairing_is_worse(pairing, network, (enum trial_pair)pair))
			return true;
	return false;
}

/* Seeds for which both have a value, each as a logarithm of a ratio or a difference. */
static size_t gather(const struct trial *trial, const struct trial_pairing *pairing, size_t network,
		     enum trial_pair pair, double *values)
{
	const enum trial_metric metric = quantities[pair].metric;
	const double least = quantities[pair].least;
	size_t count = 0;

	for (size_t seed = 0; seed < trial->seeds; seed++) {
		const double a =
			trial_outcome_of(trial, network, pairing->arm, seed)->values[metric];
		const double b =
			trial_outcome_of(trial, network, pairing->baseline, seed)->values[metric];

		if (!isfinite(a) || !isfinite(b))
			continue;
		values[count++] =
			quantities[pair].ratio ? log(fmax(a, least) / fmax(b, least)) : a - b;
	}
	return count;
}

static struct estimate compare(const struct trial *trial, const struct trial_pairing *pairing,
			       size_t network, enum trial_pair pair, double *values)
{
	const size_t count = gather(trial, pairing, network, pair, values);
	struct estimate estimate =
		bootstrap_mean(values, count, network * TRIAL_PAIRS + (uint64_t)pair);

	if (quantities[pair].ratio) {
		estimate.value = exp(estimate.value);
		estimate.low = exp(estimate.low);
		estimate.high = exp(estimate.high);
	}
	return estimate;
}

/* Mean over seeds of what the baseline left unused. */
static double unused_of(const struct trial *trial, size_t network, size_t arm)
{
	double sum = 0;

	for (size_t seed = 0; seed < trial->seeds; seed++)
		sum += trial_outcome_of(trial, network, arm, seed)->values[TRIAL_unused_percent];
	return sum / (double)trial->seeds;
}

static int compare_network(void *context, size_t index)
{
	const struct trial_pairs *pairs = context;
	const struct trial *trial = pairs->trial;
	struct trial_pairing *pairing = &pairs->pairings[index / trial->scenario_count];
	const size_t network = index % trial->scenario_count;
	double *values = calloc(trial->seeds + 1, sizeof(*values));

	if (values == NULL)
		return ERR_NO_MEMORY;
	pairing->unused[network] = unused_of(trial, network, pairing->baseline);
	for (int pair = 0; pair < TRIAL_PAIRS; pair++)
		pairing->networks[network * TRIAL_PAIRS + (size_t)pair] =
			compare(trial, pairing, network, (enum trial_pair)pair, values);
	free(values);
	return 0;
}

static int summarise_group(void *context, size_t index)
{
	const struct trial_pairs *pairs = context;
	struct trial_pairing *pairing = &pairs->pairings[index / TRIAL_GROUPS];
	const enum trial_group group = (enum trial_group)(index % TRIAL_GROUPS);
	double *values = calloc(pairs->trial->scenario_count + 1, sizeof(*values));

	if (values == NULL)
		return ERR_NO_MEMORY;
	for (int pair = 0; pair < TRIAL_PAIRS; pair++) {
		size_t count = 0;

		for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
			const double value =
				trial_pairing_of(pairing, n, (enum trial_pair)pair).value;

			if (isfinite(value) && trial_pairing_in_group(pairs, pairing, n, group))
				values[count++] = value;
		}
		pairing->groups[group][pair] = bootstrap_median(
			values, count, (uint64_t)group * TRIAL_PAIRS + (uint64_t)pair);
	}
	free(values);
	return 0;
}

static int lay_out(struct trial_pairs *pairs, size_t baselines)
{
	const size_t scenarios = pairs->trial->scenario_count, arms = pairs->trial->arm_count;

	pairs->networks = calloc(scenarios + 1, sizeof(*pairs->networks));
	pairs->pairings = calloc(baselines * arms + 1, sizeof(*pairs->pairings));
	if (!pairs->networks || !pairs->pairings)
		return ERR_NO_MEMORY;
	for (size_t n = 0; n < scenarios; n++)
		trial_network_attributes(&pairs->trial->scenarios[n], pairs->networks[n]);
	for (size_t baseline = 0; baseline < baselines; baseline++)
		for (size_t arm = 0; arm < arms; arm++) {
			struct trial_pairing *pairing = &pairs->pairings[pairs->count];

			if (arm == baseline)
				continue;
			pairs->count++;
			pairing->arm = arm;
			pairing->baseline = baseline;
			pairing->networks =
				calloc(scenarios * TRIAL_PAIRS + 1, sizeof(*pairing->networks));
			pairing->unused = calloc(scenarios + 1, sizeof(*pairing->unused));
			if (!pairing->networks || !pairing->unused)
				return ERR_NO_MEMORY;
		}
	return 0;
}

int trial_pairs_make(struct trial_pairs *pairs, const struct trial *trial, size_t baselines,
		     unsigned threads, struct error *error)
{
	int code;

	*pairs = (struct trial_pairs){.trial = trial};
	code = lay_out(pairs, baselines);
	if (code == 0)
		code = parallel_for(pairs->count * trial->scenario_count, threads, compare_network,
				    pairs);
	if (code == 0)
		code = parallel_for(pairs->count * TRIAL_GROUPS, threads, summarise_group, pairs);
	for (size_t i = 0; code == 0 && i < pairs->count; i++)
		trial_claims_settle(pairs, &pairs->pairings[i]);
	if (code == 0)
		return 0;
	trial_pairs_free(pairs);
	return error_set(error, ERR_NO_MEMORY, "out of memory for the comparison");
}

void trial_pairs_free(struct trial_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->pairings[i].networks);
		free(pairs->pairings[i].unused);
	}
	free(pairs->pairings);
	free(pairs->networks);
	*pairs = (struct trial_pairs){0};
}
