/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * student_embed FILE.aqms NAME: prints the C header that the build compiles in.
 */
#include <stdio.h>

#include "policy/student_file.h"
#include "policy/student_header.h"

int main(int argc, char **argv)
{
	struct aqm_student_model model;
	struct error error = {0};
	char line[2048];

	if (argc != 3) {
		fputs("usage: student_embed FILE.aqms NAME\n", stderr);
		return 2;
	}
	if (student_file_read(&model, argv[1], &error)) {
		fprintf(stderr, "%s\n", error_format(&error, line, sizeof(line)));
		return 2;
	}
	student_header_print(stdout, &model, argv[2]);
	return fflush(stdout) ? 1 : 0;
}
