/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one feature's numbers to its activations, the input of its projection.
 *
 * linear       LeakyReLU(Linear(1, D)) of the present value: the released code.
 * multiscale   the paper's Algorithm 1: a scalar as above; a series (queue
 *              delay, length, drops, packet length) through Conv1d with kernels
 *              of 3, 5 and 7 steps side by side, D channels each, concatenated
 *              and then LeakyReLU.  Convolutions are causal: the newest tap is
 *              the present step, and steps before the window's first count as 0.
 *
 * Sizes: N rows (windows x steps), U units of a feature (D or 3 D).
 */
#ifndef POLICY_ENCODER_H
#define POLICY_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

/* X(name): as spelled in policy.json and on the command line */
#define POLICY_ENCODER_TABLE(X)                                                                    \
	X(linear)                                                                                  \
	X(multiscale)

enum policy_encoder {
#define POLICY_ENCODER_ENUM(name) POLICY_ENCODER_##name,
	POLICY_ENCODER_TABLE(POLICY_ENCODER_ENUM)
#undef POLICY_ENCODER_ENUM
		POLICY_ENCODERS
};

const char *policy_encoder_name(enum policy_encoder encoder);

/* By name, or -1. */
int policy_encoder_find(const char *name);

/* True for the features that Algorithm 1 convolves; all others are scalars to it. */
bool policy_encoder_is_series(const char *feature);

#define POLICY_ENCODER_TAPS 7  /* steps that the longest kernel sees, the present one included */
#define POLICY_ENCODER_BANKS 3 /* kernels of a series */

/* Steps that bank `bank` of a feature with `banks` banks sees: 1 for a scalar. */
int policy_encoder_taps(int banks, int bank);

/* A feature's units where they are not those of its kind: pruned, or found by search. */
struct policy_encoder_layout {
	int banks; /* 0: as the kind of encoder says */
	struct {
		int taps; /* 1 to POLICY_ENCODER_TAPS, rising from bank to bank */
		int64_t channels;
	} bank[POLICY_ENCODER_BANKS];
};

/* One group of units: weight (channels, taps), the present step's tap last; bias (channels). */
struct encoder_bank {
	int taps;
	int64_t channels;
	const float *weight, *bias;
	float *d_weight, *d_bias; /* gradients; only read by encoder_backward() */
};

/* What a pass knows of one feature. */
struct encoder_pass {
	int64_t rows, units; /* units of all banks */
	int banks;
	struct encoder_bank bank[POLICY_ENCODER_BANKS];
	const float *lagged; /* (rows, POLICY_ENCODER_TAPS), the present value last */
};

/*
 * lagged (batch x steps, POLICY_ENCODER_TAPS) of feature `feature` from states
 * (batch, steps, features); `past` (batch, POLICY_ENCODER_TAPS - 1, features) are the
 * steps just before, oldest first, NULL: none, which counts as 0.
 */
void encoder_gather(float *lagged, const float *states, const float *past, int64_t batch,
		    int64_t steps, int64_t features, int64_t feature);

/* activations (rows, units) */
void encoder_forward(const struct encoder_pass *pass, float *activations);

/* Adds to the gradients of the banks; d_activations (rows, units). */
void encoder_backward(const struct encoder_pass *pass, const float *activations,
		      const float *d_activations);

#endif
