/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far an integer student is from its teacher, and from its own float twin.
 */
#ifndef LEARN_AGREEMENT_H
#define LEARN_AGREEMENT_H

#include "learn/visits.h"
#include "policy/student_model.h"

/* X(name): in the order of columns */
#define AGREEMENT_TABLE(X)                                                                         \
	X(rows)		    /* visited states that the teacher was asked about */                  \
	X(majority)	    /* share of the teacher's most frequent answer among them */           \
	X(agreement)	    /* share in which both find the same verdict most likely */            \
	X(balanced)	    /* mean over the teacher's answers of the share agreed on */           \
	X(kl)		    /* mean KL(teacher || student), nats */                                \
	X(error)	    /* mean of the largest difference from the teacher's probabilities */  \
	X(float_mean)	    /* the largest difference between float and integers, where the */     \
	X(float_p99)	    /* law's probability is above 0: mean, 99th percentile */

struct agreement {
#define AGREEMENT_MEMBER(name) double name;
	AGREEMENT_TABLE(AGREEMENT_MEMBER)
#undef AGREEMENT_MEMBER
};

/*
 * Over all segments of a part.  `theta` are the float twin's parameters, NULL for a tree, which has
 * none: its differences are 0.  ERR_NO_MEMORY.
 */
int agreement_measure(struct agreement *agreement, const struct aqm_student_model *model,
		      const float *theta, const struct visits *visits,
		      const struct visits_part *part, struct error *error);

#endif
