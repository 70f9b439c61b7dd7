/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The float twin of aqm/student_attention.h, forward and backward.
 *
 * Keys and values of the last decisions stand by their lag, the newest first, `width` numbers each.
 */
#ifndef LEARN_STUDENT_ATTENTION_H
#define LEARN_STUDENT_ATTENTION_H

#include "aqm/student_net.h"

/* Also: the loss's derivatives by these numbers. */
struct student_attention_past {
	float key[AQM_STUDENT_RING];
	float value[AQM_STUDENT_RING];
};

/* What backward needs of one forward. */
struct student_attention_tape {
	struct student_attention_past past;  /* this decision's included */
	float share[AQM_STUDENT_WINDOW];     /* by lag */
	/* By how much, in shares, a power rises with its score; 0: it is cut. */
	float rise[AQM_STUDENT_WINDOW];
	int largest; /* the lag of the largest score */
};

/*
 * `said`: query, key, value and lags of a token, one behind the other.  The past moves by one
 * decision; `y` receives `width` numbers.
 */
void student_attention_forward(int width, int window, const float *said,
			       struct student_attention_past *past, float *y,
			       struct student_attention_tape *tape);

/*
 * d_y, and d_past by what the past became, turn into d_said, and d_past by what it was.  `said` as
 * in forward.
 */
void student_attention_backward(int width, int window, const float *said, const float *d_y,
				const struct student_attention_tape *tape,
				struct student_attention_past *d_past, float *d_said);

#endif
