/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model that the program carries: models/student.aqms as it was when it was built.
 */
#ifndef AQM_STUDENT_SHIPPED_H
#define AQM_STUDENT_SHIPPED_H

struct aqm_student_model;

const struct aqm_student_model *aqm_student_shipped(void);

#endif
