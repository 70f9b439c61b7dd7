/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The header is made from models/student.aqms when the program is built.
 */
#include "aqm/student_shipped.h"

#include "aqm/student_net.h"
#include "student_model.h"

const struct aqm_student_model *aqm_student_shipped(void)
{
	return &student_model;
}
