/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compression of a policy, stage by stage; what is done is kept and not done
 * again.
 *
 *     FOLDER/stages/NAME   the policy of each stage
 *     FOLDER/compress.json what was run, figures, rates of layers, storages
 *
 * Stages: `whole` is the policy as it came, its adapter folded in; the others
 * come from it or from `pruned`.
 */
#ifndef CLI_COMPRESSION_H
#define CLI_COMPRESSION_H

#include "cli/command.h"
#include "cli/policy_figures.h"
#include "learn/dataset.h"
#include "learn/prune.h"
#include "tensor/matrix.h"

/* X(name, from, storage, mixed) in the order they are made */
#define COMPRESSION_STAGE_TABLE(X)                                                                 \
	X(whole, "", MATRIX_F32, false)                                                            \
	X(int8, "whole", MATRIX_INT8, false)                                                       \
	X(int4, "whole", MATRIX_INT4, false)                                                       \
	X(mixed, "whole", MATRIX_INT4, true)                                                       \
	X(pruned, "whole", MATRIX_F32, false)                                                      \
	X(pruned_int8, "pruned", MATRIX_INT8, false)                                               \
	X(pruned_int4, "pruned", MATRIX_INT4, false)                                               \
	X(pruned_mixed, "pruned", MATRIX_INT4, true)

enum compression_stage {
#define COMPRESSION_STAGE_ENUM(name, from, type, mixed) STAGE_##name,
	COMPRESSION_STAGE_TABLE(COMPRESSION_STAGE_ENUM)
#undef COMPRESSION_STAGE_ENUM
		COMPRESSION_STAGES
};

const char *compression_stage_name(enum compression_stage stage);

/* By name, or -1. */
int compression_stage_find(const char *name);

struct compression_options {
	const char *policy, *folder;
	bool wanted[COMPRESSION_STAGES]; /* `whole` always; what one comes from too */
	double share[PRUNE_KINDS];       /* of the parameters of a kind that go */
	uint64_t calibration, measured;  /* windows of attribution, and of a measured rate */
	double event_share;              /* of them with a drop or mark */
	double allowed;                  /* nats that mixed precision may cost before training */
	uint64_t epochs, windows, batch, seed; /* of training after each change */
	double rate;
	bool labels; /* learn from the pool, not from the whole policy's probabilities */
	double held_out;
	struct policy_measuring measuring;
};

struct compression {
	const struct command_common *common;
	struct compression_options options;
	char *fingerprint; /* of options, policy and pool; owned */
	struct sources *sources;
	json_t *root;      /* compress.json; owned */
	struct policy_figures figures[COMPRESSION_STAGES];
	bool done[COMPRESSION_STAGES];
	double started_s;
	const char *doing; /* for the progress line */
};

/*
 * Runs what is wanted and not yet done.  `sources` holds the pool.
 * ERR_INTERRUPTED: the same command goes on.
 */
int compression_run(struct compression *compression, struct error *error);
void compression_free(struct compression *compression);

/*
 * The smallest stage that lost at most `points` points of balanced accuracy and
 * whose log loss is at most `percent` % above the whole's; -1: none.
 */
int compression_choose(const struct compression *compression, double points, double percent);

/* Copies the policy of a stage into the folder itself. */
int compression_publish(const struct compression *compression, enum compression_stage stage,
			struct error *error);

#endif
