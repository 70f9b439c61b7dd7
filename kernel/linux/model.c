// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The model that the module carries: models/student.aqms as it was when it was built.
 */
#include "kernel/linux/qdisc.h"

#include "student_model.inc"

const struct aqm_student_model *aqmllm_shipped_model(void)
{
	return &student_model;
}
