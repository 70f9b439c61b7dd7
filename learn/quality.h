/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well a law does in closed loop, in few numbers.
 */
#ifndef LEARN_QUALITY_H
#define LEARN_QUALITY_H

#include "aqm/ops.h"
#include "base/error.h"
#include "sim/scenario.h"

/* X(name): in the order of columns; delays in ms */
#define QUALITY_TABLE(X)                                                                           \
	X(mean_ms)   /* queue delay of packets that left, both queues */                           \
	X(p99_ms)                                                                                  \
	X(l_p99_ms)                                                                                \
	X(c_p99_ms)                                                                                \
	X(utilisation) /* bytes sent over what the link could send */                              \
	X(goodput_mbps) /* in-order payload of all flows */

struct quality {
#define QUALITY_MEMBER(name) double name;
	QUALITY_TABLE(QUALITY_MEMBER)
#undef QUALITY_MEMBER
};

/* One run of a scenario under a law; `params` are copied; `stop` (may be NULL) as in sim/run.h. */
int quality_measure(const struct scenario *scenario, const struct aqm_ops *law, const void *params,
		    uint64_t seed, void *context, bool (*stop)(void *context, double done),
		    struct quality *quality, struct error *error);

/*
 * Over `count` networks: utilisation by its mean, delays and goodput by their geometric mean, since
 * networks differ in them by orders of magnitude (below 0.001 counts as that).
 */
struct quality quality_mean(const struct quality *all, size_t count);

/*
 * Mean over networks of ln(L p99) + ln(Classic p99) + 40 max(0, 0.995 - goodput share), each
 * relative to the reference's run (learn/objective.h, `hindsight`): below 0 is better.
 */
double quality_score(const struct quality *all, const struct quality *reference, size_t count);

#endif
