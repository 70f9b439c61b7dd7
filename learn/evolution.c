/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perturbations from split generators, ranks, and a step of AdamW.
 */
#include "learn/evolution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static struct backbone_param param_of(const struct evolution *evolution)
{
	return (struct backbone_param){
		.name = "theta",
		.value = evolution->theta,
		.gradient = evolution->gradient,
		.dims = 1,
		.shape = {(int64_t)evolution->count},
		.count = (int64_t)evolution->count,
	};
}

int evolution_open(struct evolution *evolution, const struct evolution_options *options,
		   const float *theta, size_t count, struct error *error)
{
	const struct adamw_options adam = {
		.weight_decay = options->decay,
		.beta1 = options->beta1,
		.beta2 = options->beta2,
		.epsilon = 1e-8,
	};
	struct backbone_param param;
	int code;

	*evolution = (struct evolution){.options = *options, .count = count};
	evolution->theta = calloc(count + 1, sizeof(*evolution->theta));
	evolution->gradient = calloc(count + 1, sizeof(*evolution->gradient));
	evolution->ascent = calloc(count + 1, sizeof(*evolution->ascent));
	evolution->ranks = calloc(2 * options->pairs, sizeof(*evolution->ranks));
	param = param_of(evolution);
	code = evolution->theta && evolution->gradient && evolution->ascent && evolution->ranks
		       ? adamw_init(&evolution->adam, &adam, &param, 1, error)
		       : error_set(error, ERR_NO_MEMORY, "out of memory for %zu parameters", count);
	if (code) {
		evolution_free(evolution);
		return code;
	}
	memcpy(evolution->theta, theta, count * sizeof(*theta));
	return 0;
}

void evolution_free(struct evolution *evolution)
{
	adamw_free(&evolution->adam);
	free(evolution->theta);
	free(evolution->gradient);
	free(evolution->ascent);
	free(evolution->ranks);
	memset(evolution, 0, sizeof(*evolution));
}

size_t evolution_candidates(const struct evolution *evolution)
{
	return 2 * evolution->options.pairs;
}

/* The generator of a pair's noise in the present generation. */
static struct rng noise_of(const struct evolution *evolution, size_t pair)
{
	struct rng root, generation;

	rng_seed(&root, evolution->options.seed);
	generation = rng_split(&root, evolution->generation);
	return rng_split(&generation, pair);
}

void evolution_candidate(const struct evolution *evolution, size_t index, float *theta)
{
	const double sigma = index % 2 ? -evolution->options.sigma : evolution->options.sigma;
	struct rng noise = noise_of(evolution, index / 2);

	for (size_t i = 0; i < evolution->count; i++)
		theta[i] = (float)(evolution->theta[i] + sigma * rng_normal(&noise));
}

void evolution_ranks(const double *fitness, size_t count, double *ranks)
{
	for (size_t i = 0; i < count; i++) {
		double below = 0, equal = 0;

		for (size_t j = 0; j < count; j++) {
			const bool worst_i = isnan(fitness[i]), worst_j = isnan(fitness[j]);

			equal += fitness[i] == fitness[j] || (worst_i && worst_j);
			below += fitness[i] > fitness[j] || (worst_j && !worst_i);
		}
		ranks[i] = (below + (equal - 1) / 2) / ((double)count - 1) - 0.5;
	}
}

/* Ascent of a pair: its noise times how much better its first candidate fared. */
static void add_pair(struct evolution *evolution, size_t pair, double weight)
{
	struct rng noise = noise_of(evolution, pair);

	for (size_t i = 0; i < evolution->count; i++)
		evolution->ascent[i] += weight * rng_normal(&noise);
}

double evolution_step(struct evolution *evolution, const double *fitness)
{
	const size_t pairs = evolution->options.pairs;
	const struct backbone_param param = param_of(evolution);
	double *ranks = evolution->ranks, *ascent = evolution->ascent, norm = 0;

	memset(ascent, 0, evolution->count * sizeof(*ascent));
	evolution_ranks(fitness, 2 * pairs, ranks);
	for (size_t pair = 0; pair < pairs; pair++)
		add_pair(evolution, pair, ranks[2 * pair] - ranks[2 * pair + 1]);
	for (size_t i = 0; i < evolution->count; i++) {
		ascent[i] /= 2 * (double)pairs * evolution->options.sigma;
		evolution->gradient[i] = (float)-ascent[i];
		norm += ascent[i] * ascent[i];
	}
	adamw_step(&evolution->adam, &param, 1, evolution->options.rate, 1);
	evolution->generation++;
	return sqrt(norm);
}

void evolution_fields(struct evolution *evolution, struct checkpoint_field *fields)
{
	const int64_t count = (int64_t)evolution->count;

	fields[0] = (struct checkpoint_field){"theta", SAFETENSORS_F32, count, evolution->theta};
	fields[1] = (struct checkpoint_field){"moment1", SAFETENSORS_F32, count,
					      evolution->adam.moment1};
	fields[2] = (struct checkpoint_field){"moment2", SAFETENSORS_F32, count,
					      evolution->adam.moment2};
	fields[3] = (struct checkpoint_field){"generation", SAFETENSORS_I64, 1,
					      &evolution->generation};
}

void evolution_resumed(struct evolution *evolution)
{
	evolution->adam.steps = evolution->generation;
}
