/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The space of policies: small backbones under encoders whose features differ.
 *
 * A policy is trained whole, from random weights, on the same windows as all
 * others, and kept as a policy directory.  With every kernel of one step the
 * encoder is the released code's (linear), with 3, 5 and 7 side by side the
 * paper's Algorithm 1 (multiscale); between them lie asymmetric ones.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/search_design.h"
#include "learn/trainer.h"
#include "policy/store.h"

enum {
	GENE_architecture,
	GENE_layers,
	GENE_width,
	GENE_head,
	GENE_ffn,
	GENE_window,
	GENE_features
};

static const int widths[] = {16, 32, 48, 64, 96, 128}, heads[] = {8, 16}, ffns[] = {1, 2, 4};
static const int windows[] = {5, 10, 20}, channels[] = {2, 4, 8, 16, 32, 64};

/* Kernels of a feature, in steps; 0: none. */
static const int kernels[][POLICY_ENCODER_BANKS] = {{1}, {3}, {5}, {7}, {3, 7}, {3, 5, 7}};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define KERNELS_SCALAR 0
#define KERNELS_ALL 5

struct space {
	struct search_training training;
	struct policy_config config; /* fitted to the pool */
	struct search_gene genes[GENE_features + 2 * POOL_MAX_FEATURES];
	struct search_design first[2];
};

static int channels_of(const struct search_design *design, int feature)
{
	return channels[design->gene[GENE_features + 2 * feature]];
}

static const int *kernels_of(const struct search_design *design, int feature)
{
	return kernels[design->gene[GENE_features + 2 * feature + 1]];
}

/* "gpt2 2x64/16 ffn128 w20 enc 8:1 16:3+7 ..." */
static void describe(void *context, const struct search_design *design,
		     char text[SEARCH_TEXT_BYTES])
{
	const struct space *space = context;
	const int width = widths[design->gene[GENE_width]];
	size_t used = (size_t)snprintf(
		text, SEARCH_TEXT_BYTES, "%s %dx%d/%d ffn%d w%d enc",
		design->gene[GENE_architecture] ? "llama" : "gpt2", design->gene[GENE_layers] + 1,
		width, heads[design->gene[GENE_head]], width * ffns[design->gene[GENE_ffn]],
		windows[design->gene[GENE_window]]);

	for (int f = 0; f < space->config.features && used < SEARCH_TEXT_BYTES - 16; f++) {
		const int *kernel = kernels_of(design, f);

		used += (size_t)snprintf(text + used, SEARCH_TEXT_BYTES - used, " %d:%d",
					 channels_of(design, f), kernel[0]);
		for (int b = 1; b < POLICY_ENCODER_BANKS && kernel[b]; b++)
			used += (size_t)snprintf(text + used, SEARCH_TEXT_BYTES - used, "+%d",
						 kernel[b]);
	}
}

static struct policy_config config_of(const struct space *space,
				      const struct search_design *design)
{
	struct policy_config config = space->config;

	config.window = windows[design->gene[GENE_window]];
	config.keep = config.window / 2;
	config.encoder = POLICY_ENCODER_multiscale;
	config.backbone.full = true;
	for (int f = 0; f < config.features; f++) {
		struct policy_encoder_layout *layout = &config.layout[f];
		const int *kernel = kernels_of(design, f);

		*layout = (struct policy_encoder_layout){0};
		for (; layout->banks < POLICY_ENCODER_BANKS && kernel[layout->banks];
		     layout->banks++) {
			layout->bank[layout->banks].taps = kernel[layout->banks];
			layout->bank[layout->banks].channels = channels_of(design, f);
		}
	}
	return config;
}

/* The config.json of the design's backbone, in the folder where the policy will keep it. */
static int backbone_describe(const struct search_design *design,
			     const struct policy_config *config, const char *folder,
			     struct error *error)
{
	const long long width = widths[design->gene[GENE_width]];
	const long long positions = config->window * (config->features + 2);
	const long long count = width / heads[design->gene[GENE_head]];
	char text[512], path[PATH_MAX];
	int status = file_make_folders(folder, error);

	if (design->gene[GENE_architecture])
		snprintf(text, sizeof(text),
			 "{\"model_type\": \"llama\", \"num_hidden_layers\": %d, \"hidden_size\": "
			 "%lld, \"num_attention_heads\": %lld, \"intermediate_size\": %lld, "
			 "\"vocab_size\": 1, \"max_position_embeddings\": %lld}\n",
			 design->gene[GENE_layers] + 1, width, count,
			 width * ffns[design->gene[GENE_ffn]], positions);
	else
		snprintf(text, sizeof(text),
			 "{\"model_type\": \"gpt2\", \"n_layer\": %d, \"n_embd\": %lld, "
			 "\"n_head\": %lld, \"n_inner\": %lld, \"vocab_size\": 1, "
			 "\"n_positions\": %lld}\n",
			 design->gene[GENE_layers] + 1, width, count,
			 width * ffns[design->gene[GENE_ffn]], positions);
	if (!status)
		status = file_join(path, sizeof(path), folder, "config.json", error);
	return status ? status : file_write_all(path, text, strlen(text), error);
}

static struct trainer_options training_of(const struct space *space, int64_t window)
{
	const struct search_training *t = &space->training;

	return (struct trainer_options){
		.learner = {.adamw = adamw_defaults,
			    .schedule = {.peak_rate = t->rate, .decay = SCHEDULE_COSINE},
			    .accumulate = 1,
			    .clip = 1},
		.epochs = t->epochs,
		.warmup_share = 0.1,
		.batch = (int64_t)t->batch,
		.windows = {.steps = window, .stride = 2, .intervals = {1}, .interval_count = 1},
		.windows_per_epoch = t->windows,
		.event_share = 0.5,
		.weights = TRAINER_WEIGHTS_none,
		.true_returns = 0.5,
		.seed = t->seed,
		.checkpoint_s = 1e9,
		.held_out = {.window = window, .stride = 1 + window / 5, .interval = 1,
			     .limit = t->limit},
	};
}

static int train(const struct space *space, struct policy_net *net, struct policy_config *config,
		 const char *folder, struct error *error)
{
	const struct sources *sources = space->training.sources;
	const struct trainer_options options = training_of(space, config->window);
	const struct trainer_observer observer = {.stop = space->training.stop};
	char checkpoint[PATH_MAX];
	struct trainer *trainer = NULL;
	struct dataset dataset;
	int status = dataset_new(&dataset, &sources->pool, sources->cut, config, error);

	if (status)
		return status;
	status = trainer_new(&trainer, &options, net, config, &dataset, sources->cut, folder,
			     "search", error);
	if (!status)
		status = trainer_run(trainer, &observer, error);
	trainer_free(trainer);
	dataset_free(&dataset);
	if (!file_join(checkpoint, sizeof(checkpoint), folder, TRAINER_CHECKPOINT, NULL))
		remove(checkpoint);
	return status;
}

/* The policy of a design, trained, in `folder`. */
static int build(const struct space *space, const struct search_design *design,
		 const char *folder, struct error *error)
{
	const struct backbone_options options = {.trainable = true};
	struct policy_config config = config_of(space, design);
	const struct policy_net_shape shape = policy_config_shape(&config);
	struct backbone *backbone;
	struct policy_net net;
	char path[PATH_MAX];
	struct rng rng;
	int status = file_join(path, sizeof(path), folder, POLICY_BACKBONE_FOLDER, error);

	rng_seed(&rng, space->training.seed);
	if (!status)
		status = backbone_describe(design, &config, path, error);
	if (!status)
		status = backbone_random(&backbone, path, &options, &rng, error);
	if (!status)
		status = policy_net_new(&net, &shape, backbone, error);
	if (status)
		return status;
	policy_net_init(&net, &rng);
	status = train(space, &net, &config, folder, error);
	policy_net_free(&net);
	return status;
}

static int make(void *context, const struct search_design *design, const char *folder,
		double figures[SEARCH_FIGURES], struct error *error)
{
	static const enum policy_figure from[SEARCH_FIGURES] = {
		[SEARCH_loss] = FIGURE_log_loss,
		[SEARCH_operations] = FIGURE_operations,
		[SEARCH_decision_ns] = FIGURE_decision_ns,
		[SEARCH_parameters] = FIGURE_parameters,
		[SEARCH_bytes] = FIGURE_bytes,
		[SEARCH_accuracy] = FIGURE_accuracy,
		[SEARCH_balanced_accuracy] = FIGURE_balanced_accuracy,
		[SEARCH_quality] = FIGURE_quality,
	};
	const struct space *space = context;
	const struct search_training *t = &space->training;
	const struct policy_measuring measuring = {.pool = &t->sources->pool,
						   .first = t->sources->cut,
						   .rows = t->limit,
						   .timed = t->timed, .scenario = t->loop,
						   .interval = t->interval, .seeds = t->seeds};
	struct policy_figures measured;
	int status = build(space, design, folder, error);

	if (!status)
		status = policy_figures_measure(&measured, folder, &measuring, error);
	for (int f = 0; f < SEARCH_FIGURES && !status; f++)
		figures[f] = measured.value[from[f]];
	return status;
}

static void space_close(void *context)
{
	free(context);
}

static void genes_fill(struct space *space)
{
	const struct search_gene rest[] = {
		[GENE_architecture] = {"architecture", 2},
		[GENE_layers] = {"layers", 4},
		[GENE_width] = {"width", COUNT(widths)},
		[GENE_head] = {"head", COUNT(heads)},
		[GENE_ffn] = {"ffn", COUNT(ffns)},
		[GENE_window] = {"window", COUNT(windows)}};

	memcpy(space->genes, rest, sizeof(rest));
	for (int f = 0; f < space->config.features; f++) {
		space->genes[GENE_features + 2 * f] =
			(struct search_gene){"channels", COUNT(channels)};
		space->genes[GENE_features + 2 * f + 1] =
			(struct search_gene){"kernels", COUNT(kernels)};
	}
}

/* Both named encoders, of 32 channels, under gpt2 of 2 layers of 64. */
static void first_fill(struct space *space)
{
	for (int i = 0; i < 2; i++) {
		struct search_design *design = &space->first[i];

		design->gene[GENE_layers] = 1;
		design->gene[GENE_width] = 3;
		design->gene[GENE_head] = 1;
		design->gene[GENE_ffn] = 2;
		design->gene[GENE_window] = 2;
		for (int f = 0; f < space->config.features; f++) {
			const bool series = policy_encoder_is_series(space->config.feature[f].name);

			design->gene[GENE_features + 2 * f] = 4;
			design->gene[GENE_features + 2 * f + 1] =
				i && series ? KERNELS_ALL : KERNELS_SCALAR;
		}
	}
}

int search_policies(struct search_designs *designs, const struct search_training *training,
		    struct error *error)
{
	const struct dataset_fit fit = {.scaling = -1, .gamma = -1};
	struct space *space = calloc(1, sizeof(*space));
	int status;

	if (!space)
		return error_set(error, ERR_NO_MEMORY, "a space of policies");
	space->training = *training;
	strcpy(space->config.backbone.reference, "search");
	status = dataset_fit_config(&space->config, &training->sources->pool,
				    training->sources->cut, &fit, error);
	if (status) {
		free(space);
		return status;
	}
	genes_fill(space);
	first_fill(space);
	*designs = (struct search_designs){.context = space, .genes = space->genes,
					   .count = GENE_features + 2 * space->config.features,
					   .first = space->first, .first_count = 2,
					   .describe = describe, .make = make,
					   .close = space_close};
	return 0;
}
