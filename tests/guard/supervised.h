/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A supervisor (aqm/student.h) that asks for the same settings whatever it sees,
 * always or by a pattern in time: what its room has to bear.
 */
#ifndef TESTS_GUARD_SUPERVISED_H
#define TESTS_GUARD_SUPERVISED_H

#include "aqm/student.h"
#include "base/error.h"
#include "base/rng.h"

struct supervised {
	struct aqm_student_model model; /* silent */
	struct aqm_student_tap tap;
	struct aqm_student_stats stats;
	int16_t asked[AQM_STUDENT_SETTING_COUNT]; /* 12 fraction bits */
	uint64_t period_ns, on_ns; /* asked for in the first on_ns of each period; 0: always */
	bool random;		   /* a new share of what is asked for at every update */
	struct rng rng;
};

/*
 * "NAME=LOG2:...": outputs by name, and period_ms, on_ms, random=1.  `params` of
 * the law `student` then run it; both outlive the queue.  ERR_INVALID.
 */
int supervised_set(struct supervised *supervised, struct aqm_student_params *params,
		   const char *settings, struct error *error);

#endif
