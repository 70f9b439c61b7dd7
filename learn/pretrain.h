/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pre-training of the built-in backbone: a language model of router telemetry.
 *
 * The network is GPT-2; its text is what DualPI2, PIE and l4s-freebsd routers
 * log on simulated networks of many rates, round-trip times and traffic mixes
 * (learn/corpus.h), spelled as telemetry tokens (learn/telemetry.h).  It learns
 * to predict the next token: the next feature, and after the features of a step
 * the law's action.  The embedding table is tied to the output.
 *
 * A run is a function of its options: the same options and the same number of
 * threads give the same weights.  A checkpoint every `checkpoint_steps` makes
 * it resumable to the same bits.
 */
#ifndef LEARN_PRETRAIN_H
#define LEARN_PRETRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pretrain_options {
	const char *directory;     /* Hugging Face directory to write */
	uint64_t seed;
	int64_t width, layers, heads;
	int64_t window;            /* steps of a window */
	int64_t batch;             /* windows of an optimizer step */
	int64_t steps;             /* optimizer steps */
	int64_t networks;          /* sampled for training */
	int64_t held_out_networks; /* sampled apart, for the loss that is reported */
	double seconds;            /* simulated per network, after warm-up */
	double learning_rate;      /* highest of a warm-up and cosine schedule */
	double action_weight;      /* weight of action tokens in the loss; others weigh 1 */
	double event_share;        /* share of windows that hold a mark or drop */
	int64_t checkpoint_steps;
	bool resume;
};

/* Told after every step; a true return stops the run after a checkpoint. */
struct pretrain_progress {
	const char *stage;      /* "networks", "training" */
	int64_t done, total;
	double loss;            /* mean nats per token, training windows */
	double held_out_loss;   /* the same on held-out networks; NaN until measured */
	double held_out_action; /* mean nats per action token there */
};

struct pretrain_result {
	double loss, held_out_loss, held_out_action;
	double uniform_action; /* action loss of always predicting their frequencies there */
	int64_t parameters, tokens_seen, training_rows, held_out_rows;
};

void pretrain_defaults(struct pretrain_options *options);

/*
 * ERR_INTERRUPTED when `progress` asked to stop: run again with `resume`; without it ERR_INVALID
 * while the folder holds such a run's checkpoint.
 */
int pretrain_run(const struct pretrain_options *options,
		 bool (*progress)(void *context, const struct pretrain_progress *progress),
		 void *context, struct pretrain_result *result, struct error *error);

#endif
