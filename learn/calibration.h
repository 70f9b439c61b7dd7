/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixed set of windows that a network is looked at with: what its loss is,
 * and how the loss moves.  Windows with a drop or mark are drawn more often
 * than they occur, for there a queue turns from idle to congested or back.
 */
#ifndef LEARN_CALIBRATION_H
#define LEARN_CALIBRATION_H

#include <stdint.h>

#include "learn/dataset.h"
#include "policy/net.h"

struct calibration {
	int64_t windows, steps;
	float *states, *returns, *actions; /* (windows, steps, F), (windows, steps) twice */
	int32_t *timesteps, *labels;       /* (windows, steps) */
	int64_t features;
};

/*
 * Draws `windows` windows of `steps` steps from rows [first, end) at the
 * target return; `event_share` of them hold an action other than enqueue.
 */
int calibration_new(struct calibration *calibration, const struct dataset *dataset, size_t first,
		    size_t end, int64_t steps, int64_t windows, double event_share, uint64_t seed,
		    struct error *error);
void calibration_free(struct calibration *calibration);

/* Mean cross-entropy over all steps of windows [first, end), nats. */
int calibration_loss(const struct calibration *calibration, const struct policy_net *net,
		     int64_t first, int64_t end, double *loss, struct error *error);

/* Sets the gradients of net->params to those of the mean over the steps of one window. */
int calibration_slope(const struct calibration *calibration, struct policy_net *net,
		      int64_t window, struct error *error);

#endif
