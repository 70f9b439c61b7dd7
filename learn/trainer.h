/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Training a policy on a pool, epoch by epoch: resumable, deterministic.
 *
 * The folder receives, all replaced atomically: the best policy so far
 * (policy/store.h) and `checkpoint.safetensors`, the whole state of the run.
 * A run continued from its checkpoint ends in the same bits as one that was
 * never stopped.  Figures leave by callback.
 */
#ifndef LEARN_TRAINER_H
#define LEARN_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learn/augment.h"
#include "cluster/ranks.h"
#include "learn/dataset.h"
#include "learn/footprint.h"
#include "learn/learner.h"
#include "learn/predictor.h"
#include "policy/config.h"
#include "policy/net.h"

#define TRAINER_CHECKPOINT "checkpoint.safetensors"

/* X(name): figures of an epoch, in the order of the columns of metrics.csv */
#define TRAINER_EPOCH_TABLE(X)                                                                     \
	X(epoch)	  /* from 1 */                                                             \
	X(steps)	  /* optimizer steps so far */                                             \
	X(learning_rate)  /* of the last step */                                                   \
	X(gradient_norm)  /* before clipping, mean over the epoch's steps */                       \
	X(train_loss)	  /* the objective: weighted cross-entropy, dropout on */                  \
	X(train_log_loss) /* the following on the epoch's windows, while learning */               \
	X(train_accuracy)                                                                          \
	X(train_majority_rate)                                                                     \
	X(train_balanced_accuracy)                                                                 \
	X(train_macro_f1)                                                                          \
	X(held_out_log_loss) /* the following on held-out rows, after the epoch; NaN without */    \
	X(held_out_accuracy)                                                                       \
	X(held_out_majority_rate)                                                                  \
	X(held_out_balanced_accuracy)                                                              \
	X(held_out_macro_f1)                                                                       \
	X(held_out_ece)                                                                            \
	X(best)	   /* 1: the policy was kept */                                                    \
	X(seconds) /* wall time of the epoch */                                                    \
	X(train_reward) /* mean reward of the rows of the epoch's windows, as the pool has it */   \
	X(cpu_s)	/* processor time of the epoch, all threads and ranks */                   \
	X(cpu_share)	/* of what the cores this process may use had in that time; 0 to 1 */      \
	X(peak_mb)	/* most memory ever resident, 1e6 bytes; NaN where it cannot be read */    \
	X(joules)	/* the machine's, in the epoch; NaN where nothing counts them */

struct trainer_epoch {
#define TRAINER_EPOCH_MEMBER(name) double name;
	TRAINER_EPOCH_TABLE(TRAINER_EPOCH_MEMBER)
#undef TRAINER_EPOCH_MEMBER
};

/* How much an action weighs in the loss by its share of the training rows. */
#define TRAINER_WEIGHTS_TABLE(X)                                                                   \
	X(none)	    /* 1 */                                                                        \
	X(sqrt)	    /* in proportion to 1 / sqrt(share) */                                         \
	X(balanced) /* in proportion to 1 / share */

enum trainer_weights {
#define TRAINER_WEIGHTS_ENUM(name) TRAINER_WEIGHTS_##name,
	TRAINER_WEIGHTS_TABLE(TRAINER_WEIGHTS_ENUM)
#undef TRAINER_WEIGHTS_ENUM
		TRAINER_WEIGHTS
};

const char *trainer_weights_name(enum trainer_weights weights);

/* By name, or -1. */
int trainer_weights_find(const char *name);

struct trainer_options {
	struct learner_options learner; /* warm-up and length of the schedule are filled in */
	uint64_t epochs;
	double warmup_share; /* of all steps; used when learner.schedule.warmup_steps is 0 */
	int64_t batch;	     /* windows of a micro-batch */
	struct dataset_window_options windows;
	struct augment_options augment;
	size_t windows_per_epoch; /* at most; 0: all */
	double event_share;	  /* see dataset_windows_draw() */
	enum trainer_weights weights;
	bool unweight;	     /* the kept policy's probabilities are those of unweighted data */
	double true_returns; /* share of windows that show true returns, not the target */
	uint64_t seed;
	uint64_t patience;   /* epochs without a better held-out loss before stopping; 0: never */
	bool keep_last;	     /* keep the last epoch's policy, not the best */
	double checkpoint_s; /* also between epochs, this often */
	struct predictor_options held_out;
	struct ranks ranks; /* that train together (learn/spread.h); zero: one */
};

struct trainer_observer {
	void *context;
	/* After every micro-batch: windows done of this epoch, mean loss so far. */
	void (*progress)(void *context, uint64_t epoch, size_t done, size_t total, double loss);
	/* After every epoch: all epochs so far, the newest last.  A failure ends the run. */
	int (*epoch)(void *context, const struct trainer_epoch *history, size_t count,
		     struct error *error);
	/* True: stop after the next checkpoint.  May be NULL.  Over ranks, rank 0 alone calls the
	   last two and writes. */
	bool (*stop)(void *context);
};

struct trainer;

/*
 * Rows [0, cut) of `dataset` train, [cut, rows) are held out.  Nothing passed
 * is owned; all of it must outlive the trainer.  `directory` may be NULL:
 * nothing is saved.  `fingerprint` identifies the run in its checkpoint.
 */
int trainer_new(struct trainer **trainer, const struct trainer_options *options,
		struct policy_net *net, struct policy_config *config, const struct dataset *dataset,
		size_t cut, const char *directory, const char *fingerprint, struct error *error);
void trainer_free(struct trainer *trainer);

/* Continues from the folder's checkpoint.  ERR_NOT_FOUND when there is none. */
int trainer_resume(struct trainer *trainer, struct error *error);

/*
 * Runs to the end: all epochs, or the early stop.  ERR_INTERRUPTED after a
 * checkpoint when the observer asked to stop.
 */
int trainer_run(struct trainer *trainer, const struct trainer_observer *observer,
		struct error *error);

/* Epochs finished so far. */
size_t trainer_history(const struct trainer *trainer, const struct trainer_epoch **history);

/* Windows that an epoch can choose from, windows of one epoch, optimizer steps of the whole run. */
struct trainer_size {
	size_t windows, epoch_windows;
	uint64_t steps;
};
struct trainer_size trainer_size(const struct trainer *trainer);

/* What the run will need; before trainer_resume() and trainer_run(). */
int trainer_footprint(struct trainer *trainer, struct footprint *footprint, struct error *error);

#endif
