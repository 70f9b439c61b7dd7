/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The law that a router runs: one of the table, a student of a file, or a law with a policy on top
 * that thinks in the background.
 */
#ifndef CLI_ROUTE_LAW_H
#define CLI_ROUTE_LAW_H

#include "cli/route.h"
#include "cli/student_law.h"

struct route_law {
	const struct aqm_ops *law;
	const void *params;                 /* of the law */
	void *own_params;                   /* owned: of the law below a policy */
	struct aqm_student_model models[2]; /* of a student: the one at work and the next one */
	int model;                          /* the one at work */
	bool is_student;
	struct student_watch watch;         /* of the law student */
	bool watched;
	struct policy *policy;              /* NULL: none */
	struct aqm_policy *wrapped;
	const char *path;                   /* of student or policy */
};

/* As the options say.  ERR_INVALID and others; nothing is left open on failure. */
int route_law_open(struct route_law *law, const struct route_options *options,
		   struct error *error);
void route_law_close(struct route_law *law);

/* What a policy or student decided so far; zero of other laws. */
struct aqm_policy_counts route_law_counts(const struct route_law *law);

/*
 * Reads student or policy again, which then goes on in `queue`, whose law this is.  1: a student
 * has taken over; 0: a policy is being read (route_law_reloaded()), or there is nothing to read.
 * Negative: it could not be read, the old one goes on.
 */
int route_law_reload(struct route_law *law, struct queue *queue, struct error *error);

/* As background_policy_reloaded(). */
int route_law_reloaded(struct route_law *law, struct error *error);

/* The first failure of a policy, 0: none. */
int route_law_failure(const struct route_law *law, struct error *error);

#endif
