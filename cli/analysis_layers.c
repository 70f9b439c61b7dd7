/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jacobians of a policy's backbone at states from a pool, with its adapter and
 * without.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/analysis.h"
#include "cli/policy_label.h"
#include "cli/training_curve.h"
#include "learn/dataset.h"
#include "learn/layer_spectra.h"
#include "learn/sources.h"
#include "policy/store.h"

#define STEPS 200      /* of power iteration, and of Arnoldi's space, at most */
#define TOLERANCE 1e-4

/* A policy, laid bare. */
struct subject {
	const char *name;
	struct policy_config config;
	struct policy_net net;	 /* as trained */
	struct policy_net plain; /* the same backbone before it was */
	struct sources sources;
	struct dataset dataset;
	int64_t steps, tokens; /* of a window; its last action is left out */
	float *embeds;	       /* (states, tokens, width); owned */
	size_t states;
};

static void subject_free(struct subject *subject)
{
	policy_net_free(&subject->net);
	policy_net_free(&subject->plain);
	dataset_free(&subject->dataset);
	sources_free(&subject->sources);
	free(subject->embeds);
	free(subject);
}

static int open_nets(struct subject *subject, const char *folder, struct error *error)
{
	struct policy_config plain;
	int code = policy_store_open(&subject->net, &subject->config, folder, error);

	plain = subject->config;
	return code ? code : policy_store_new(&subject->plain, &plain, folder, error);
}

static int read_pool(struct subject *subject, const char *folder, const char *pool,
		     struct error *error)
{
	struct error gone = {0};
	int code;

	if (pool)
		code = sources_read(&subject->sources, &pool, 1, 0.2, error);
	else if (training_curve_sources(&subject->sources, folder, &gone))
		return error_at(error, ERR_NOT_FOUND, folder, 0, "--pool",
				"the pool that it was trained on is not where train.json says; "
				"name one: --pool FILE");
	else
		code = 0;
	return code ? code
		    : dataset_new(&subject->dataset, &subject->sources.pool, 0, &subject->config,
				  error);
}

/* The last row of a window of full length, the `index`-th of `states` spread over the pool. */
static size_t pick_row(const struct subject *subject, size_t index, uint64_t interval)
{
	const struct dataset *dataset = &subject->dataset;
	const size_t need = (size_t)(subject->steps - 1) * interval;
	size_t row = (2 * index + 1) * dataset->rows / (2 * subject->states);

	while (row < dataset->rows && row - dataset->episode[row] < need)
		row++;
	return row;
}

static int embed_state(struct subject *subject, size_t row, uint64_t interval, float *embeds,
		       struct error *error)
{
	const struct dataset *dataset = &subject->dataset;
	const int64_t steps = subject->steps;
	const size_t features = (size_t)dataset->features;
	const size_t width = (size_t)subject->net.width, slots = features + 2;
	float *memory = calloc((size_t)steps * (features + 2 + slots * width), sizeof(*memory));
	int32_t *timesteps = calloc((size_t)steps, sizeof(*timesteps));
	float *states = memory, *returns = states + (size_t)steps * features;
	float *actions = returns + steps, *all = actions + steps;
	const struct policy_batch batch = {1, steps, states, returns, actions, timesteps, NULL};
	struct arena arena;
	int code = memory && timesteps
			   ? 0
			   : error_set(error, ERR_NO_MEMORY, "out of memory for states");

	arena_init(&arena);
	for (int64_t s = 0; code == 0 && s < steps; s++) {
		const size_t at = row - (size_t)(steps - 1 - s) * interval;

		memcpy(states + (size_t)s * features, dataset->states + at * features,
		       features * sizeof(*states));
		returns[s] = dataset->target;
		actions[s] = policy_action_input(dataset->labels[at]);
		timesteps[s] = dataset_timestep(dataset, at, (uint32_t)interval);
	}
	if (code == 0)
		code = policy_net_embed(&subject->net, &arena, &batch, all, error);
	if (code == 0)
		memcpy(embeds, all, (size_t)subject->tokens * width * sizeof(*embeds));
	arena_free(&arena);
	free(memory);
	free(timesteps);
	return code;
}

static int embed_states(struct subject *subject, uint64_t interval, struct error *error)
{
	const size_t floats = (size_t)(subject->tokens * subject->net.width);
	int code = 0;

	subject->embeds = calloc(subject->states * floats, sizeof(*subject->embeds));
	if (subject->embeds == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for states");
	for (size_t i = 0; code == 0 && i < subject->states; i++) {
		const size_t row = pick_row(subject, i, interval);

		if (row >= subject->dataset.rows)
			return error_at(error, ERR_INVALID, NULL, 0, "--pool",
					"no episode holds a window of %lld steps at interval "
					"%" PRIu64 " from there on; take a longer pool, or a "
					"smaller --interval",
					(long long)subject->steps, interval);
		code = embed_state(subject, row, interval, subject->embeds + i * floats, error);
	}
	return code;
}

static int subject_open(struct subject *subject, const struct analysis_layers *what,
			size_t index, struct error *error)
{
	const char *folder = what->folders[index];
	int code = open_nets(subject, folder, error);

	subject->name = policy_label(what->folders, what->count, index);
	subject->states = what->states;
	if (code == 0)
		code = read_pool(subject, folder, what->pool, error);
	if (code)
		return code;
	subject->steps = subject->config.window;
	subject->tokens = subject->steps * (subject->config.features + 2) - 1;
	return embed_states(subject, what->interval, error);
}

/* Of one map over all states. */
struct summary {
	double singular_least, singular_most, radius_least, radius_most;
	double disagreement, change; /* the largest */
};

static struct summary summarise(const struct layer_spectrum *spectra, size_t states,
				int64_t stride)
{
	struct summary summary = {INFINITY, 0, INFINITY, 0, 0, 0};

	for (size_t i = 0; i < states; i++) {
		const struct layer_spectrum *one = &spectra[(int64_t)i * stride];

		summary.singular_least = fmin(summary.singular_least, one->singular.value);
		summary.singular_most = fmax(summary.singular_most, one->singular.value);
		summary.radius_least = fmin(summary.radius_least, one->radius.value);
		summary.radius_most = fmax(summary.radius_most, one->radius.value);
		summary.disagreement = fmax(summary.disagreement, one->singular.disagreement);
		summary.change = fmax(summary.change,
				      fmax(one->singular.change, one->radius.change));
	}
	return summary;
}

static const struct findings_column columns[] = {
	{"policy", "policy"},
	{"backbone", "backbone"},
	{"layer", "layer"},
	{"singular_least", "singular value, least"},
	{"singular_most", "most"},
	{"radius_least", "radius, least"},
	{"radius_most", "most"},
	{"disagreement", "J against J^T"},
	{"change", "last change"},
};

static void tell_row(struct findings *findings, const struct subject *subject, const char *which,
		     int64_t layer, int64_t layers, const struct summary *summary)
{
	char name[24] = "embeds to hidden";

	if (layer < layers)
		snprintf(name, sizeof(name), "%lld", (long long)layer);
	findings_row(findings, (const struct findings_cell[]){
				       {subject->name, 0},
				       {which, 0},
				       {name, 0},
				       {NULL, summary->singular_least},
				       {NULL, summary->singular_most},
				       {NULL, summary->radius_least},
				       {NULL, summary->radius_most},
				       {NULL, summary->disagreement},
				       {NULL, summary->change},
			       });
}

static void judge(struct findings *findings, const struct subject *subject, const char *which,
		  const struct summary *summaries, int64_t layers)
{
	int64_t above = 0, radius_above = 0;
	double most = 0, radius = 0;

	for (int64_t i = 0; i < layers; i++) {
		above += summaries[i].singular_least > 1;
		radius_above += summaries[i].radius_least > 1;
		most = fmax(most, summaries[i].singular_most);
		radius = fmax(radius, summaries[i].radius_most);
	}
	findings_verdict(findings,
			 "%s, %s: %lld of %lld layers have a singular value above 1 in each of the "
			 "%zu states (largest %.4g): the paper's condition that a layer's "
			 "Lipschitz constant is below 1 is %s on these states",
			 subject->name, which, (long long)above, (long long)layers,
			 subject->states, most, above ? "refuted" : "not refuted");
	findings_verdict(findings,
			 "%s, %s: the spectral radius of the decision token's block exceeds 1 in "
			 "every state in %lld layers (largest %.4g), and is %.4g to %.4g from "
			 "embeds to hidden states: a radius below 1 is %s",
			 subject->name, which, (long long)radius_above, radius,
			 summaries[layers].radius_least, summaries[layers].radius_most,
			 radius_above || summaries[layers].radius_least > 1 ? "refuted"
									    : "not refuted");
}

static int tell_backbone(struct findings *findings, const struct subject *subject,
			 struct backbone *backbone, const char *which,
			 const struct analysis_layers *what, struct error *error)
{
	const struct spectrum_options options = {STEPS, TOLERANCE, 1};
	const int64_t count = layer_spectra_count(backbone);
	const size_t floats = (size_t)(subject->tokens * subject->net.width);
	struct layer_spectrum *spectra =
		calloc(subject->states * (size_t)count, sizeof(*spectra));
	struct summary *summaries = calloc((size_t)count, sizeof(*summaries));
	int code = spectra && summaries
			   ? 0
			   : error_set(error, ERR_NO_MEMORY, "out of memory for Jacobians");

	for (size_t i = 0; code == 0 && i < subject->states; i++) {
		code = layer_spectra_measure(backbone, subject->embeds + i * floats,
					     subject->tokens, &options,
					     spectra + i * (size_t)count, error);
		if (code == 0 && what->progress && what->progress(what->context))
			code = error_set(error, ERR_INTERRUPTED, "interrupted");
	}
	for (int64_t layer = 0; code == 0 && layer < count; layer++) {
		summaries[layer] = summarise(spectra + layer, subject->states, count);
		tell_row(findings, subject, which, layer, count - 1, &summaries[layer]);
	}
	if (code == 0)
		judge(findings, subject, which, summaries, count - 1);
	free(spectra);
	free(summaries);
	return code;
}

static int tell_policy(struct findings *findings, const struct analysis_layers *what,
		       size_t index, struct error *error)
{
	struct subject *subject = calloc(1, sizeof(*subject));
	int code = subject ? subject_open(subject, what, index, error)
			   : error_set(error, ERR_NO_MEMORY, "out of memory for a policy");

	if (code == 0)
		code = tell_backbone(findings, subject, subject->net.backbone, "adapted", what,
				     error);
	if (code == 0)
		code = tell_backbone(findings, subject, subject->plain.backbone,
				     subject->config.backbone.full ? "before training"
								   : "without adapter",
				     what, error);
	/* What no network is made of the program's kind has no layers to look at. */
	if (code == ERR_UNSUPPORTED) {
		findings_verdict(findings, "%s: %s", what->folders[index], error->text);
		error_clear(error);
		code = 0;
	}
	if (subject)
		subject_free(subject);
	return code;
}

int analysis_layers(const struct analysis_layers *what, struct findings *findings,
		    struct error *error)
{
	int code = 0;

	findings_section(findings, "Layers of the backbone");
	findings_say(findings,
		     "Largest singular value of each layer's Jacobian, by power iteration on "
		     "J^T J over a whole window, and the spectral radius of what the decision "
		     "token's output owes to its own input, by Arnoldi's method, at %zu windows "
		     "spread over the pool, of every %" PRIu64 ". row. A singular value bounds "
		     "the layer's Lipschitz constant from below, and unfinished iterations only "
		     "underestimate it. Causal networks have block triangular Jacobians over "
		     "tokens, so a block's eigenvalues are eigenvalues of the whole. J v is a "
		     "central difference, J^T u the program's own backward; \"J against J^T\" is "
		     "what the two disagree by.",
		     what->states, what->interval);
	findings_table(findings, "layers", "Least and largest over the states", columns,
		       sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; code == 0 && i < what->count; i++)
		code = tell_policy(findings, what, i, error);
	if (code == 0)
		findings_table_end(findings);
	return code;
}
