/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nets of aqm/student_net.h and arrivals of aqm/student_arrival.h with vector instructions, where
 * there are any.  The results are those of portable C, bit for bit; of features that a model does
 * not read some are up to date in one way and not in another.
 *
 * For user space: kernels do not use these registers.
 */
#ifndef AQM_STUDENT_VECTOR_H
#define AQM_STUDENT_VECTOR_H

#include "aqm/platform.h"

struct aqm_student_model;
struct aqm_student_state;

/* As aqm_student_net_plain(). */
void aqm_student_net_vector(const struct aqm_student_model *model, struct aqm_student_state *state,
			    int16_t *x, int16_t *out);

/* As aqm_student_arrival_plain(). */
void aqm_student_arrival_vector(const struct aqm_student_model *model,
				struct aqm_student_state *state, const uint64_t *value,
				bool all, int16_t *feature, int16_t *input, int16_t *output);

/* X(name): ways to compute */
#define AQM_STUDENT_VECTORS(X) X(plain) X(avx2) X(avx512)

#define AQM_STUDENT_VECTOR_ENUM(name) AQM_STUDENT_VECTOR_##name,
enum aqm_student_vector { AQM_STUDENT_VECTORS(AQM_STUDENT_VECTOR_ENUM) AQM_STUDENT_VECTOR_COUNT };
#undef AQM_STUDENT_VECTOR_ENUM

/* The widest that this machine has, which is what is used. */
enum aqm_student_vector aqm_student_vector_best(void);

/* Uses another one, for tests and timings.  False: this machine does not have it. */
bool aqm_student_vector_use(enum aqm_student_vector vector);

#endif
