/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/step_response.h"

#include <math.h>

#include "report/statistics.h"

/* Samples before the first that begins a stretch of `hold` within the band; count: there is none.
 */
static size_t samples_outside(const double *values, size_t count, size_t hold,
			      const struct step_response *response)
{
	size_t within = 0;

	for (size_t i = 0; i < count; i++) {
		within = fabs(values[i] - response->final) > response->band ? 0 : within + 1;
		if (within == hold)
			return i + 1 - hold;
	}
	return count;
}

struct step_response step_response_of(const double *values, size_t count,
				      const struct step_response_options *options)
{
	const size_t tail = options->final_samples < count ? options->final_samples : count;
	struct step_response response = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	size_t outside;

	if (count == 0)
		return response;
	response.final = statistics_mean(values + count - tail, tail);
	response.band = fmax(options->band_share * fabs(response.final), options->band_least);
	response.peak = response.trough = values[0];
	for (size_t i = 0; i < count; i++) {
		response.peak = fmax(response.peak, values[i]);
		response.trough = fmin(response.trough, values[i]);
	}
	outside = samples_outside(values, count, options->hold_samples, &response);
	response.overshoot = fmax(0, response.peak - response.final);
	response.undershoot = fmax(0, response.final - response.trough);
	response.settling_s =
		outside == count ? INFINITY : (double)outside * options->sample_s;
	return response;
}
