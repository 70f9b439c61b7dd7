/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics of a three-class decision.
 *
 * Balanced accuracy averages recall over the classes present in the truth;
 * F1 of a class is 2 TP / (2 TP + FP + FN), and macro-F1 averages it over the
 * classes present in truth or prediction (an invented class costs, an absent
 * one does not).  Calibration error is Guo et al. 2017, eq. 3: the mean gap of
 * confidence and accuracy over equal bins, weighted by their rows.
 */
#include "learn/metrics.h"

#include <math.h>

#define SMALLEST_PROBABILITY 1e-15

static int most_likely(const double probability[POOL_ACTIONS])
{
	int best = 0;

	for (int c = 1; c < POOL_ACTIONS; c++)
		if (probability[c] > probability[best])
			best = c;
	return best;
}

void metrics_add(struct metrics *metrics, int truth, const double probability[POOL_ACTIONS],
		 enum metrics_part queue)
{
	const int predicted = most_likely(probability);
	const double confidence = probability[predicted];
	int bin = (int)(confidence * METRICS_BINS);

	if (bin >= METRICS_BINS)
		bin = METRICS_BINS - 1;
	metrics->confusion[METRICS_ALL][truth][predicted]++;
	if (queue != METRICS_ALL)
		metrics->confusion[queue][truth][predicted]++;
	metrics->nll_sum -= log(fmax(probability[truth], SMALLEST_PROBABILITY));
	metrics->bins[bin].count++;
	metrics->bins[bin].correct += predicted == truth;
	metrics->bins[bin].confidence_sum += confidence;
}

struct class_counts {
	uint64_t truth, predicted, hit;
};

static struct class_counts count_class(const uint64_t confusion[POOL_ACTIONS][POOL_ACTIONS], int c)
{
	struct class_counts counts = {.hit = confusion[c][c]};

	for (int other = 0; other < POOL_ACTIONS; other++) {
		counts.truth += confusion[c][other];
		counts.predicted += confusion[other][c];
	}
	return counts;
}

static double calibration_error(const struct metrics *metrics, uint64_t rows)
{
	double gap = 0;

	for (int b = 0; b < METRICS_BINS; b++)
		gap += fabs(metrics->bins[b].confidence_sum - (double)metrics->bins[b].correct);
	return gap / (double)rows;
}

struct metrics_summary metrics_summarise(const struct metrics *metrics)
{
	struct metrics_summary s = {0};
	uint64_t hits = 0, most = 0;
	double recall_sum = 0, f1_sum = 0;
	int occurring = 0, seen = 0;

	for (int c = 0; c < POOL_ACTIONS; c++) {
		const struct class_counts n = count_class(metrics->confusion[METRICS_ALL], c);

		s.rows += n.truth;
		hits += n.hit;
		most = n.truth > most ? n.truth : most;
		if (n.truth) {
			recall_sum += (double)n.hit / (double)n.truth;
			occurring++;
		}
		if (n.truth + n.predicted) {
			f1_sum += 2.0 * (double)n.hit / (double)(n.truth + n.predicted);
			seen++;
		}
	}
	if (s.rows == 0)
		return s;
	s.accuracy = (double)hits / (double)s.rows;
	s.majority_rate = (double)most / (double)s.rows;
	s.balanced_accuracy = recall_sum / occurring;
	s.macro_f1 = f1_sum / seen;
	s.log_loss = metrics->nll_sum / (double)s.rows;
	s.ece = calibration_error(metrics, s.rows);
	return s;
}
