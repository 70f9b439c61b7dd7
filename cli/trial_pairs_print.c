/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparisons as text.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/trial_pairs_tell.h"

#define WORSE_TOLD 10

const char *trial_pairs_cell(char *cell, const struct estimate *estimate)
{
	const int digits = fabs(estimate->value) < 100 ? 3 : 0;

	if (!isfinite(estimate->value))
		return strcpy(cell, "–");
	if (!isfinite(estimate->low))
		snprintf(cell, TRIAL_PAIRS_CELL, "%.*f", digits, estimate->value);
	else
		snprintf(cell, TRIAL_PAIRS_CELL, "%.*f [%.*f, %.*f]", digits, estimate->value,
			 digits, estimate->low, digits, estimate->high);
	return cell;
}

bool trial_pairing_is_candidate(const struct trial_pairs *pairs,
				const struct trial_pairing *pairing)
{
	const struct trial *trial = pairs->trial;
	size_t baselines = 0;

	for (size_t i = 0; i < pairs->count; i++)
		if (pairs->pairings[i].baseline >= baselines)
			baselines = pairs->pairings[i].baseline + 1;
	return trial->arms[pairing->arm].policy || pairing->arm == baselines;
}

void trial_pairs_worse_text(char *text, size_t size, const struct trial_pairs *pairs,
			    const struct trial_pairing *pairing, size_t network)
{
	size_t used = (size_t)snprintf(text, size, "%s", pairs->trial->scenarios[network].name);

	for (int pair = 0; pair < TRIAL_PAIRS && used < size; pair++) {
		const struct estimate estimate =
			trial_pairing_of(pairing, network, (enum trial_pair)pair);
		char cell[TRIAL_PAIRS_CELL];

		if (trial_pairing_is_worse(pairing, network, (enum trial_pair)pair))
			used += (size_t)snprintf(text + used, size - used, "  %s %s",
						 trial_pair_label((enum trial_pair)pair),
						 trial_pairs_cell(cell, &estimate));
	}
}

/* Letters, not bytes, count in a column. */
static void print_cell(const char *text, int width)
{
	int letters = 0;

	for (const char *c = text; *c; c++)
		letters += (*c & 0xc0) != 0x80;
	printf("%*s%s", letters < width ? width - letters : 1, "", text);
}

static void print_medians(const struct trial_pairs *pairs, size_t baseline)
{
	const int width = trial_longest_name(pairs->trial);

	printf("\nbeside %s: medians over networks from %d Mbit/s, paired by seed, 95 %% "
	       "intervals\n%-*s",
	       pairs->trial->arms[baseline].name, TRIAL_LOW_MBPS, width, "");
	for (int pair = 0; pair < TRIAL_PAIRS_TOLD; pair++)
		print_cell(trial_pair_label((enum trial_pair)pair), 25);
	print_cell("worse", 12);
	putchar('\n');
	for (size_t i = 0; i < pairs->count; i++) {
		const struct trial_pairing *pairing = &pairs->pairings[i];
		const struct estimate *worse = &pairing->claims[TRIAL_CLAIM_worse].estimate;
		char cell[TRIAL_PAIRS_CELL];

		if (pairing->baseline != baseline)
			continue;
		printf("%-*s", width, pairs->trial->arms[pairing->arm].name);
		for (int pair = 0; pair < TRIAL_PAIRS_TOLD; pair++)
			print_cell(trial_pairs_cell(cell, &pairing->groups[TRIAL_GROUP_all][pair]),
				   25);
		if (worse->count)
			snprintf(cell, sizeof(cell), "%.0f of %zu", worse->value, worse->count);
		print_cell(worse->count ? cell : "–", 12);
		putchar('\n');
	}
}

static void print_worse(const struct trial_pairs *pairs, const struct trial_pairing *pairing)
{
	size_t told = 0, all = 0;

	for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
		const bool low = trial_pairing_in_group(pairs, pairing, n, TRIAL_GROUP_low);
		char text[512];

		if (!trial_pairing_network_is_worse(pairing, n))
			continue;
		if (all++ >= WORSE_TOLD)
			continue;
		told++;
		trial_pairs_worse_text(text, sizeof(text), pairs, pairing, n);
		printf("  worse: %s%s\n", text, low ? "  (below 12 Mbit/s)" : "");
	}
	if (all > told)
		printf("  and %zu more, in networks.csv\n", all - told);
}

static void print_claims(const struct trial_pairs *pairs, const struct trial_pairing *pairing)
{
	const struct trial *trial = pairs->trial;

	printf("\n%s beside %s\n", trial->arms[pairing->arm].name,
	       trial->arms[pairing->baseline].name);
	for (int claim = 0; claim < TRIAL_CLAIMS; claim++) {
		const struct trial_claim_result *result = &pairing->claims[claim];
		char cell[TRIAL_PAIRS_CELL];

		if (claim == TRIAL_CLAIM_worse && result->estimate.count)
			snprintf(cell, sizeof(cell), "%.0f", result->estimate.value);
		else
			trial_pairs_cell(cell, &result->estimate);
		printf("  %-58s %-9s", trial_claim_text((enum trial_claim)claim),
		       trial_claim_asked((enum trial_claim)claim));
		print_cell(cell, 25);
		printf("  n = %-4zu %s\n", result->estimate.count,
		       trial_verdict_label(result->verdict));
	}
	print_worse(pairs, pairing);
}

void trial_pairs_print(const struct trial_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (i == 0 || pairs->pairings[i].baseline != pairs->pairings[i - 1].baseline)
			print_medians(pairs, pairs->pairings[i].baseline);
	for (size_t i = 0; i < pairs->count; i++)
		if (trial_pairing_is_candidate(pairs, &pairs->pairings[i]))
			print_claims(pairs, &pairs->pairings[i]);
	putchar('\n');
}
