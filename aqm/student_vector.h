/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layers of aqm/student_net.h with vector instructions, where there are any.
 * The results are those of aqm_student_dense_plain(), bit for bit.
 *
 * For user space: kernels do not use these registers.
 */
#ifndef AQM_STUDENT_VECTOR_H
#define AQM_STUDENT_VECTOR_H

#include "aqm/platform.h"

struct aqm_student_weights;
struct aqm_student_layer;

/* As aqm_student_dense_plain(). */
void aqm_student_dense_vector(const struct aqm_student_weights *net,
			      const struct aqm_student_layer *layer, const int16_t *x, int16_t *y);

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
