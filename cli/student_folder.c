/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/student_folder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/student_file.h"

#define PATH_BYTES 4200

/* NULL: out of memory.  Takes `trained`. */
static char *policy_text(const struct aqm_student_model *model, json_t *trained)
{
	char checksum[24], shape[128], *text;
	json_t *json;

	snprintf(checksum, sizeof(checksum), "%016" PRIx64, student_file_checksum(model));
	json = json_pack("{s:s, s:s, s:s, s:s, s:o}", "kind", "student", "file", "student.aqms",
			 "checksum", checksum, "shape",
			 student_model_describe(model, shape, sizeof(shape)), "trained", trained);
	text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
	json_decref(json);
	return text;
}

int student_folder_write(const char *folder, const struct aqm_student_model *model, json_t *trained,
			 struct error *error)
{
	char path[PATH_BYTES], *text = policy_text(model, trained);
	int code = text ? file_join(path, sizeof(path), folder, "student.aqms", error)
			: error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0)
		code = student_file_write(model, path, error);
	if (code == 0)
		code = file_join(path, sizeof(path), folder, "policy.json", error);
	if (code == 0)
		code = file_write_all(path, text, strlen(text), error);
	free(text);
	return code;
}
