/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of an arm beside its baseline, and what is so.
 */
#include <math.h>
#include <stdlib.h>

#include "cli/trial_pairs.h"

static const struct {
	const char *name, *text, *asked;
	enum trial_group group;
	bool at_most;
	double bound;
} claims[] = {
#define TRIAL_CLAIM_ROW(name, group, at_most, bound, text)                                         \
	{#name, text, (at_most) ? "<= " #bound : ">= " #bound, TRIAL_GROUP_##group, at_most, bound},
	TRIAL_CLAIM_TABLE(TRIAL_CLAIM_ROW)
#undef TRIAL_CLAIM_ROW
};

static const char *const verdicts[] = {
#define TRIAL_VERDICT_ROW(name, label) label,
	TRIAL_VERDICT_TABLE(TRIAL_VERDICT_ROW)
#undef TRIAL_VERDICT_ROW
};

const char *trial_claim_name(enum trial_claim claim)
{
	return claims[claim].name;
}

const char *trial_claim_text(enum trial_claim claim)
{
	return claims[claim].text;
}

const char *trial_claim_asked(enum trial_claim claim)
{
	return claims[claim].asked;
}

const char *trial_verdict_label(enum trial_verdict verdict)
{
	return verdicts[verdict];
}

static bool in_group(const struct trial_pairs *pairs, const struct trial_pairing *pairing,
		     size_t network, enum trial_claim claim)
{
	return trial_pairing_in_group(pairs, pairing, network, claims[claim].group);
}

/* Goodput where there are Classic packets: what their delay was bought with. */
static struct estimate goodput_beside_classic(const struct trial_pairs *pairs,
					      const struct trial_pairing *pairing, double *values)
{
	size_t count = 0;

	for (size_t n = 0; n < pairs->trial->scenario_count; n++)
		if (in_group(pairs, pairing, n, TRIAL_CLAIM_goodput) &&
		    isfinite(trial_pairing_of(pairing, n, TRIAL_PAIR_classic_p99).value))
			values[count++] = trial_pairing_of(pairing, n, TRIAL_PAIR_goodput).value;
	return bootstrap_median(values, count, TRIAL_CLAIM_goodput);
}

/* Mean over the seeds for which both arms have a value; NaN: there is none. */
static double mean_of(const struct trial *trial, size_t network, size_t arm, size_t beside,
		      enum trial_metric metric)
{
	double sum = 0;
	size_t count = 0;

	for (size_t seed = 0; seed < trial->seeds; seed++) {
		const double one = trial_outcome_of(trial, network, arm, seed)->values[metric];
		const double other = trial_outcome_of(trial, network, beside, seed)->values[metric];

		if (!isfinite(one) || !isfinite(other))
			continue;
		sum += one;
		count++;
	}
	return count ? sum / (double)count : NAN;
}

/* Of means: a ratio by network has no bound where the baseline's shares are nearly equal. */
static struct estimate imbalance_ratio(const struct trial_pairs *pairs,
				       const struct trial_pairing *pairing, double *values)
{
	const struct trial *trial = pairs->trial;
	double *beside = values + trial->scenario_count;
	size_t count = 0;

	for (size_t n = 0; n < trial->scenario_count; n++) {
		const double one =
			mean_of(trial, n, pairing->arm, pairing->baseline, TRIAL_imbalance);

		if (!isfinite(one) || !in_group(pairs, pairing, n, TRIAL_CLAIM_imbalance))
			continue;
		values[count] = one;
		beside[count++] =
			mean_of(trial, n, pairing->baseline, pairing->arm, TRIAL_imbalance);
	}
	return bootstrap_ratio(values, beside, count, TRIAL_CLAIM_imbalance);
}

/* Of the arm alone; NaN where nobody is guarded. */
static struct estimate guarded_share(const struct trial_pairs *pairs,
				     const struct trial_pairing *pairing, double *values)
{
	const struct trial *trial = pairs->trial;
	size_t count = 0;

	for (size_t n = 0; n < trial->scenario_count; n++) {
		const double percent =
			mean_of(trial, n, pairing->arm, pairing->arm, TRIAL_guarded_percent);

		if (isfinite(percent) && in_group(pairs, pairing, n, TRIAL_CLAIM_guarded))
			values[count++] = percent;
	}
	return bootstrap_mean(values, count, TRIAL_CLAIM_guarded);
}

/* A count, which has no interval; of networks that had enough seeds. */
static struct estimate worse_count(const struct trial_pairs *pairs,
				   const struct trial_pairing *pairing)
{
	struct estimate estimate = {0, NAN, NAN, 0};

	for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
		if (!in_group(pairs, pairing, n, TRIAL_CLAIM_worse) ||
		    trial_pairing_of(pairing, n, TRIAL_PAIR_goodput).count < TRIAL_WORSE_SEEDS)
			continue;
		estimate.count++;
		estimate.value += trial_pairing_network_is_worse(pairing, n);
	}
	if (estimate.count == 0)
		estimate.value = NAN;
	return estimate;
}

static struct estimate estimate_of(const struct trial_pairs *pairs,
				   const struct trial_pairing *pairing, enum trial_claim claim,
				   double *values)
{
	const struct estimate *medians = pairing->groups[claims[claim].group];

	switch (claim) {
	case TRIAL_CLAIM_classic_p99:
		return medians[TRIAL_PAIR_classic_p99];
	case TRIAL_CLAIM_goodput:
		return goodput_beside_classic(pairs, pairing, values);
	case TRIAL_CLAIM_unused:
		return medians[TRIAL_PAIR_goodput];
	case TRIAL_CLAIM_l4s_varying:
	case TRIAL_CLAIM_l4s_steady:
		return medians[TRIAL_PAIR_l4s_p99];
	case TRIAL_CLAIM_imbalance:
		return imbalance_ratio(pairs, pairing, values);
	case TRIAL_CLAIM_guarded:
		return guarded_share(pairs, pairing, values);
	default:
		return worse_count(pairs, pairing);
	}
}

static enum trial_verdict judge(enum trial_claim claim, const struct estimate *estimate)
{
	const double bound = claims[claim].bound;
	const bool at_most = claims[claim].at_most;

	if (!isfinite(estimate->value))
		return TRIAL_VERDICT_unmeasured;
	if (at_most ? estimate->value > bound : estimate->value < bound)
		return TRIAL_VERDICT_missed;
	if (claim == TRIAL_CLAIM_worse)
		return TRIAL_VERDICT_met;
	return (at_most ? estimate->high <= bound : estimate->low >= bound) ? TRIAL_VERDICT_met
									    : TRIAL_VERDICT_open;
}

void trial_claims_settle(const struct trial_pairs *pairs, struct trial_pairing *pairing)
{
	double *values = calloc(2 * pairs->trial->scenario_count + 1, sizeof(*values));

	for (int claim = 0; claim < TRIAL_CLAIMS; claim++) {
		struct trial_claim_result *result = &pairing->claims[claim];

		result->estimate = (struct estimate){NAN, NAN, NAN, 0};
		if (values)
			result->estimate =
				estimate_of(pairs, pairing, (enum trial_claim)claim, values);
		result->verdict = judge((enum trial_claim)claim, &result->estimate);
	}
	free(values);
}
