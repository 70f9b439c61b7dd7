/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder with a student: student.aqms, and policy.json, which tells what it is and where it is
 * from.
 */
#ifndef CLI_STUDENT_FOLDER_H
#define CLI_STUDENT_FOLDER_H

#include <jansson.h>

#include "policy/student_model.h"

/*
 * The student first: policy.json, with its checksum, tells of one that is there.  `trained` is its
 * object of that name, and is released whatever is returned; NULL: ERR_NO_MEMORY.
 */
int student_folder_write(const char *folder, const struct aqm_student_model *model, json_t *trained,
			 struct error *error);

#endif
