/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/step_response.h"

#include <math.h>

#include "report/statistics.h"

struct step_response step_response_of(const double *values, size_t count,
				      const struct step_response_options *options)
{
	const size_t tail = options->final_samples < count ? options->final_samples : count;
	struct step_response response = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	size_t outside = 0; /* samples up to the last one outside the band */

	if (count == 0)
		return response;
	response.final = statistics_mean(values + count - tail, tail);
	response.band = fmax(options->band_share * fabs(response.final), options->band_least);
	response.peak = response.trough = values[0];
	for (size_t i = 0; i < count; i++) {
		response.peak = fmax(response.peak, values[i]);
		response.trough = fmin(response.trough, values[i]);
		if (fabs(values[i] - response.final) > response.band)
			outside = i + 1;
	}
	response.overshoot = fmax(0, response.peak - response.final);
	response.undershoot = fmax(0, response.final - response.trough);
	response.settling_s =
		outside + tail > count ? INFINITY : (double)outside * options->sample_s;
	return response;
}
