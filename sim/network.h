/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a scenario says of its network beyond the bottleneck.
 *
 * Zeros say: nothing of the kind.  Percentages are 0 to 100.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Losses that come together: Gilbert's chain of a good and a bad state, stepped at every packet,
 * with Elliott's losses in both (Elliott, Bell System Technical Journal 42, 1963).
 */
struct loss_burst_plan {
	double enter_percent, leave_percent; /* good to bad, bad to good, per packet */
	double loss_percent;                 /* in the bad state */
	double good_loss_percent;
};

/* What a path does to packets that pass. */
struct impairments {
	double loss_percent;          /* each packet by itself */
	struct loss_burst_plan burst; /* none without enter_percent */
	double reorder_percent;       /* packets that take reorder_ms longer than others */
	double reorder_ms;
	double jitter_ms;             /* mean of an exponential delay on top */
	bool may_overtake;            /* jitter does not keep the order */
};

#endif
