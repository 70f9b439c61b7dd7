/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Teacher to student on the states that the student visits (DAgger: Ross, Gordon
 * and Bagnell 2011).
 *
 * A round runs every network in closed loop, asks the teacher about what was
 * visited (learn/teacher.h), adds that to all earlier visits, fits the float
 * twin, makes integers of it and measures them.  In the first round the law
 * acts, for there is no student yet; after that the student does, in integers
 * and under its guard, as it will at a router.
 *
 * A teacher that gives verdicts has students that do, one that moves settings has
 * students that supervise (aqm/student.h).  Those say log2 of the law's settings
 * (`supervise`, not `share`): a teacher names settings, whatever room the guard
 * has at the moment, and the guard cuts them; a share of no room would be no
 * answer at all.  In their first round a walk over the table's rows acts.
 *
 * The last networks are held out: what is visited there is only scored, and
 * there the laws are compared in closed loop.  With one network it is trained
 * on under some seeds and held out under others.
 *
 * The folder receives student.aqms, rounds.csv, quality.csv and the state of the
 * computation after every round, so that an interrupted one goes on from there
 * and ends in the same bytes.  Threads do not change them.
 */
#ifndef LEARN_DAGGER_H
#define LEARN_DAGGER_H

#include <stdbool.h>

#include "learn/agreement.h"
#include "learn/quality.h"
#include "learn/settings_error.h"
#include "learn/student_fit.h"
#include "policy/settings.h"
#include "sim/scenario.h"

#define DAGGER_ROUNDS_MAX 64
#define DAGGER_STUDENT_FILE "student.aqms"

/* X(name, what the targets are) */
#define DAGGER_TEACHER_TABLE(X)                                                                    \
	X(policy, "an adapted backbone's probabilities")                                           \
	X(law, "the law's own probabilities at arrival; not of settings")                          \
	X(none, "what was done: verdicts that the law drew, recorded and imitated; of settings "   \
		"the row that was best in hindsight")

enum dagger_teacher {
#define DAGGER_TEACHER_ENUM(name, text) DAGGER_TEACHER_##name,
	DAGGER_TEACHER_TABLE(DAGGER_TEACHER_ENUM)
#undef DAGGER_TEACHER_ENUM
	DAGGER_TEACHERS
};

/* By name, or -1. */
int dagger_teacher_find(const char *name);

struct dagger_options {
	enum dagger_teacher teacher;
	const char *policy;  /* folder of the teacher; NULL: none */
	struct policy_settings settings; /* the teacher's table; no rows: students give verdicts */
	const char *layers;  /* of a net, as dagger_shape() reads them; NULL: a tree */
	int leaves;	     /* of a tree */
	struct distill_loss loss;
	uint64_t rounds;     /* 1 to DAGGER_ROUNDS_MAX */
	uint64_t interval;   /* packets between questions to the teacher */
	double latency_ms;   /* that its decisions take where it is measured in closed loop */
	uint64_t updates;    /* of the fit, each round */
	int64_t batch;	     /* segments */
	double rate;
	int64_t visits;	     /* states kept to train on, at most */
	int64_t stretches, stretch_steps; /* kept of a run; learn/visit_rollout.h */
	double held_out;     /* share of the networks, in (0, 1) */
	uint64_t seed;
	unsigned threads;    /* 0: one a core */
	const struct scenario *scenarios;
	size_t count;
	const char *directory;
	const char *fingerprint; /* of options and inputs */
	bool resume;
};

/* X(name): in rounds.csv before the figures of agreement or settings, and of quality */
#define DAGGER_ROUND_TABLE(X)                                                                      \
	X(round)	     /* from 1 */                                                          \
	X(visits)	     /* states trained on */                                               \
	X(held_out_visits)                                                                         \
	X(train_loss)	     /* T^2 KL, or octaves^2, at the end of the fit; NaN for a tree */     \
	X(train_correlation) /* likewise; 0 with plain distillation */

struct dagger_round {
#define DAGGER_ROUND_MEMBER(name) double name;
	DAGGER_ROUND_TABLE(DAGGER_ROUND_MEMBER)
#undef DAGGER_ROUND_MEMBER
	struct agreement agreement;	/* of students that give verdicts */
	struct settings_error settings; /* of those that supervise */
	struct quality quality; /* of the student over the networks held out */
	double score;		/* likewise, relative to the law: quality_score() */
};

struct dagger_report {
	struct quality law;	/* DualPI2 with a step floor of one packet */
	struct quality teacher; /* on top of it; all 0 without a policy */
	double teacher_score;
	struct dagger_round rounds[DAGGER_ROUNDS_MAX];
	size_t count;
	struct aqm_student_model student; /* of the last round */
};

struct dagger_observer {
	void *context;
	/* While a stage of a round goes on. */
	void (*progress)(void *context, const char *stage, uint64_t round, uint64_t done,
			 uint64_t total);
	/* After every round. */
	void (*round)(void *context, const struct dagger_report *report);
	bool (*stop)(void *context); /* asked often */
};

/*
 * The student's shape: what it says, and what it sees.  One that supervises does not see its own
 * last outputs: they are nearly what it should say next, so that it would learn to repeat itself.
 */
int dagger_shape(struct aqm_student_model *model, bool supervises, const char *layers,
		 struct error *error);

/*
 * `report` is large: allocate it.  ERR_INTERRUPTED when told to stop; ERR_INVALID where the folder
 * holds a run that is not to be resumed.
 */
int dagger_run(const struct dagger_options *options, const struct dagger_observer *observer,
	       struct dagger_report *report, struct error *error);

#endif
