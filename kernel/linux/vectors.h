/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The conformance vectors (tests/vectors/) through the qdisc's own functions and real packets: in a
 * module of their own, and in the shim.
 */
#ifndef AQMLLM_VECTORS_H
#define AQMLLM_VECTORS_H

#include "tests/vectors/single.h"

extern const char *const aqmllm_vectors_names[VECTORS_END];

/*
 * Runs a case; `logged`: with a log, to be seen at its tracepoint.  0 with the sum, -ENOMEM, or
 * -EBADMSG where a header does not say what was done.  May sleep; takes the rtnl lock.
 * Laws of one queue, which no qdisc here has, decide on packets that are facts only.
 */
int aqmllm_vectors_run(u32 which, u64 packets, u64 seed, bool logged, u64 *sum);

#endif
