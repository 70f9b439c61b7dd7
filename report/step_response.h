/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a step does to a sampled quantity: where it ends, how far it overshoots,
 * when it stays.
 */
#ifndef REPORT_STEP_RESPONSE_H
#define REPORT_STEP_RESPONSE_H

#include <stddef.h>

struct step_response {
	double final;          /* mean of the last samples */
	double band;           /* half width that counts as settled */
	double peak, trough;   /* of all samples after the step */
	double overshoot;      /* peak - final, at least 0 */
	double undershoot;     /* final - trough, at least 0 */
	double settling_s;     /* until it stays within final +- band; INFINITY: it never does */
};

struct step_response_options {
	double sample_s;
	size_t final_samples;    /* at the end, whose mean is the final value; >= 1 */
	double band_share;       /* of the final value */
	double band_least;       /* the band is at least this */
	size_t hold_samples;     /* that have to lie within the band in a row; >= 1 */
};

/*
 * `values` (count) begin at the step.  What staying means is hold_samples: a noisy course leaves
 * every band again some day.  All NaN without samples.
 */
struct step_response step_response_of(const double *values, size_t count,
				      const struct step_response_options *options);

#endif
