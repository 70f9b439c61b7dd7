/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The law that a router runs: one of the table, or a student of a file.
 */
#ifndef CLI_ROUTE_LAW_H
#define CLI_ROUTE_LAW_H

#include "cli/route.h"
#include "cli/student_law.h"

struct route_law {
	const struct aqm_ops *law;
	const void *params;                 /* of the law */
	void *own_params;                   /* owned */
	struct aqm_student_model models[2]; /* of a student: the one at work and the next one */
	int model;                          /* the one at work */
	bool is_student;
	struct student_watch watch;         /* of a student */
	bool watched;
};

/* As the options say.  ERR_INVALID and others; nothing is left open on failure. */
int route_law_open(struct route_law *law, const struct route_options *options,
		   struct error *error);
void route_law_close(struct route_law *law);

/* What a policy or student decided so far; zero of other laws. */
struct aqm_policy_counts route_law_counts(const struct route_law *law);

#endif
