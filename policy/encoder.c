/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both encoders are banks of units over the last few values of a feature; a
 * scalar is one bank that sees one value.
 */
#include "policy/encoder.h"

#include <string.h>

#define LEAK 0.01f

static const char *const names[POLICY_ENCODERS] = {
#define ENCODER_NAME(name) [POLICY_ENCODER_##name] = #name,
	POLICY_ENCODER_TABLE(ENCODER_NAME)
#undef ENCODER_NAME
};

const char *policy_encoder_name(enum policy_encoder encoder)
{
	return names[encoder];
}

int policy_encoder_find(const char *name)
{
	for (int i = 0; i < POLICY_ENCODERS; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

bool policy_encoder_is_series(const char *feature)
{
	static const char *const series[] = {"current_queue_delay", "length_in_bytes",
					     "packet_length", "total_drops"};

	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
		if (strcmp(feature, series[i]) == 0)
			return true;
	return false;
}

int policy_encoder_taps(int banks, int bank)
{
	return banks == 1 ? 1 : 3 + 2 * bank;
}

void encoder_gather(float *lagged, const float *states, const float *past, int64_t batch,
		    int64_t steps, int64_t features, int64_t feature)
{
	const int64_t before = POLICY_ENCODER_TAPS - 1;

	for (int64_t b = 0; b < batch; b++)
		for (int64_t t = 0; t < steps; t++)
			for (int64_t j = 0; j < POLICY_ENCODER_TAPS; j++) {
				const int64_t step = t + j - before;
				float value = 0;

				if (step >= 0)
					value = states[(b * steps + step) * features + feature];
				else if (past)
					value = past[(b * before + before + step) * features +
						     feature];
				*lagged++ = value;
			}
}

void encoder_forward(const struct encoder_pass *pass, float *activations)
{
	int64_t first = 0;

	for (int b = 0; b < pass->banks; first += pass->bank[b++].channels) {
		const struct encoder_bank *bank = &pass->bank[b];

		for (int64_t n = 0; n < pass->rows; n++) {
			const float *seen =
				pass->lagged + (n + 1) * POLICY_ENCODER_TAPS - bank->taps;
			float *out = activations + n * pass->units + first;

			for (int64_t d = 0; d < bank->channels; d++) {
				const float *weight = bank->weight + d * bank->taps;
				float x = bank->bias[d];

				for (int j = 0; j < bank->taps; j++)
					x += seen[j] * weight[j];
				out[d] = x > 0 ? x : LEAK * x;
			}
		}
	}
}

void encoder_backward(const struct encoder_pass *pass, const float *activations,
		      const float *d_activations)
{
	int64_t first = 0;

	for (int b = 0; b < pass->banks; first += pass->bank[b++].channels) {
		const struct encoder_bank *bank = &pass->bank[b];

		for (int64_t n = 0; n < pass->rows; n++) {
			const float *seen =
				pass->lagged + (n + 1) * POLICY_ENCODER_TAPS - bank->taps;
			const int64_t at = n * pass->units + first;

			for (int64_t d = 0; d < bank->channels; d++) {
				const float dy = d_activations[at + d];
				const float dx = activations[at + d] > 0 ? dy : LEAK * dy;

				for (int j = 0; j < bank->taps; j++)
					bank->d_weight[d * bank->taps + j] += dx * seen[j];
				bank->d_bias[d] += dx;
			}
		}
	}
}
