/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a training run writes beside its policy: which run it is (train.json)
 * and how it went (metrics.csv, metrics.sqlite).
 */
#ifndef CLI_TRAIN_RECORD_H
#define CLI_TRAIN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backbone/backbone.h"
#include "base/error.h"
#include "base/rng.h"
#include "cli/options.h"
#include "learn/sources.h"
#include "learn/trainer.h"
#include "policy/config.h"

#define TRAIN_RECORD_FILE "train.json"
#define TRAIN_METRICS_FILE "metrics.csv"
#define TRAIN_DATABASE_FILE "metrics.sqlite"

struct train_record {
	const char *directory;
	char *pools[SOURCES_MAX]; /* absolute paths; owned */
	size_t pool_count;
	char *fingerprint; /* text of train.json: options, pools, their checksums */
	void *root;	   /* parsed train.json; owns texts that options point to */
};

/*
 * A new run with the options as they stand in their variables (all but
 * output, resume and checkpoint); nothing is written yet.
 */
int train_record_new(struct train_record *record, const char *directory,
		     const struct option *options, const char *const *pools, size_t count,
		     struct error *error);

/*
 * The run of `directory`: options get their recorded values.  `count` pools
 * may be 0; else they must be the run's.
 */
int train_record_read(struct train_record *record, const char *directory,
		      const struct option *options, const char *const *pools, size_t count,
		      struct error *error);
void train_record_free(struct train_record *record);

/* Makes the folder, removes a former run's checkpoint and writes train.json. */
int train_record_begin(const struct train_record *record, struct error *error);

bool train_record_has_checkpoint(const struct train_record *record);

/* Replaces metrics.csv and the table of metrics.sqlite. */
int train_record_metrics(const struct train_record *record, const struct trainer_epoch *history,
			 size_t count, struct error *error);

/* The result as one JSON object on standard output. */
int train_record_print(const struct train_record *record, const struct trainer_epoch *kept,
		       size_t epochs, int64_t parameters, int64_t trainable,
		       struct error *error);

/* "builtin" as it is, a folder as its absolute path, so that the policy finds it from anywhere. */
int train_record_reference(struct policy_backbone *backbone, const char *reference,
			   struct error *error);

/* Generator for use number `use` of a seed, apart from those of the trainer. */
struct rng train_record_rng(uint64_t seed, uint64_t use);

#endif
