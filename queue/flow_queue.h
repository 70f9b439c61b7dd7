/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow queues: packets are hashed over queues by their flow, every queue has an
 * instance of the law, deficit round robin serves them (RFC 8290).
 *
 * Inside queue/ only; queue_new() makes one for laws with a flow_shape().
 */
#ifndef QUEUE_FLOW_QUEUE_H
#define QUEUE_FLOW_QUEUE_H

#include "queue/queue.h"

struct queue *flow_queue_new(const struct queue_config *config, struct error *error);

#endif
