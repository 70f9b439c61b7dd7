/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The float twin of a student's net: the same functions of aqm/student_net.h over
 * real numbers, forward and backward, for training.
 *
 * A net's shape is a `struct aqm_student_model` without weights
 * (student_model_shape()); its parameters are one flat vector theta: layer by layer the weights
 * [outputs x inputs], row after row, then the outputs' biases.
 */
#ifndef LEARN_STUDENT_FLOAT_H
#define LEARN_STUDENT_FLOAT_H

#include "base/rng.h"
#include "learn/student_attention.h"
#include "policy/student_model.h"

/* Numbers in theta. */
size_t student_float_count(const struct aqm_student_model *shape);

/* Where a layer's weights and biases begin in theta. */
size_t student_float_weights_at(const struct aqm_student_model *shape, int layer);
size_t student_float_biases_at(const struct aqm_student_model *shape, int layer);

/*
 * Weights uniform in +-sqrt(6 / inputs) (He et al. 2015; of cells, attention and residuals half of
 * that, of queries by 1 / sqrt(their width) besides, of lags none), biases 0; the last layer is 0,
 * so that a supervisor starts as DualPI2 and verdicts start even.
 */
void student_float_init(const struct aqm_student_model *shape, float *theta, struct rng *rng);

/* What cells and attention remember; zeroed at the start. */
struct student_float_state {
	float hidden[AQM_STUDENT_WIDTH];
	struct student_attention_past past;
};

/* What backward needs of one forward. */
struct student_float_tape {
	float in[AQM_STUDENT_LAYERS][AQM_STUDENT_INPUTS];
	float z[AQM_STUDENT_LAYERS][AQM_STUDENT_WIDTH];	  /* before the activation, cut */
	float out[AQM_STUDENT_LAYERS][AQM_STUDENT_WIDTH]; /* after it */
	float before[AQM_STUDENT_WIDTH];		  /* the cells' states at the start */
	struct student_attention_tape attention;
};

/* A net's inputs, as real numbers, from int16 features (all of them, by enum). */
void student_float_inputs(const struct aqm_student_model *shape, const int16_t *features,
			  float *input);

/* Outputs from inputs; moves the state.  `tape` may be NULL. */
void student_float_forward(const struct aqm_student_model *shape, const float *theta,
			   struct student_float_state *state, const float *input, float *output,
			   struct student_float_tape *tape);

/*
 * Adds to `gradient` (as theta) what d_output and d_state, the loss's derivatives by this step's
 * outputs and by the state it left behind, make of it; d_state becomes that by the state before.
 * Steps go backwards in time; before the last one d_state is zero.
 */
void student_float_backward(const struct aqm_student_model *shape, const float *theta,
			    const struct student_float_tape *tape, const float *d_output,
			    struct student_float_state *d_state, float *gradient);

/* Probabilities of enum aqm_verdict from the outputs of `verdict`: 2^output, normalised. */
void student_float_probabilities(const float *output, double probability[3]);

/* The same of an integer student's. */
void student_probabilities(const int16_t *output, double probability[3]);

/*
 * Back: what an integer student says of a verdict of this probability, 12 fraction bits.  Outputs
 * go from 2^-8 to 2^8; certainty is at the top, so that probabilities down to 2^-16 have room.
 */
int16_t student_output_of(double probability);

/* What an integer student says for a setting of so many octaves: 12 fraction bits, within +-8. */
int16_t student_setting_of(double octaves);

/*
 * The integers nearest to theta: of every row the largest power of two with which its weights
 * stay within +-127.  `model` may be `shape`.  ERR_RANGE: a number that is not finite.
 */
int student_float_quantise(const struct aqm_student_model *shape, const float *theta,
			   struct aqm_student_model *model, struct error *error);

/* What an integer net's numbers stand for. */
void student_float_from_model(const struct aqm_student_model *model, float *theta);

#endif
