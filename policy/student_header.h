/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student as a C header: constant data for hosts that read no files.
 */
#ifndef POLICY_STUDENT_HEADER_H
#define POLICY_STUDENT_HEADER_H

#include <stdio.h>

#include "aqm/student_net.h"

/*
 * Writes `static const struct aqm_student_model NAME = {...};` with its include guard.  `name` is
 * an identifier of C.
 */
void student_header_print(FILE *stream, const struct aqm_student_model *model, const char *name);

#endif
