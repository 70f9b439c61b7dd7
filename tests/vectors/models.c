/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vectors_models DIR: the students of the vectors as files, DIR/CASE.aqms, for tests that hand
 * models to a kernel.
 */
#include <stdio.h>
#include <string.h>

#include "policy/student_file.h"
#include "tests/vectors/cases.h"

static const char *const names[] = {
#define CASE_NAME(name, law, settings) #name,
	VECTORS_CASES(CASE_NAME)
#undef CASE_NAME
};

int main(int argc, char **argv)
{
	static struct aqm_student_model model;
	struct error error = {0};
	char path[4096], line[512];

	if (argc != 2) {
		fputs("usage: vectors_models DIR\n", stderr);
		return 2;
	}
	for (uint32_t which = VECTORS_supervise; which < VECTORS_CASE_COUNT; which++) {
		memset(&model, 0, sizeof(model));
		vectors_model(which, &model);
		snprintf(path, sizeof(path), "%s/%s.aqms", argv[1], names[which]);
		if (student_file_write(&model, path, &error)) {
			fprintf(stderr, "%s\n", error_format(&error, line, sizeof(line)));
			return 1;
		}
	}
	return 0;
}
