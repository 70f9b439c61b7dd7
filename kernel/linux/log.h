/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel log of a qdisc: one record for each packet that arrived, 24 integers, in the order of
 * arrival in its queue, through the tracepoint aqmllm:aqmllm_packet.
 *
 * The action is known when the packet leaves, so records wait as long as packets do, one of each
 * packet, in a ring for each queue.  A packet dropped on arrival waits behind those before it, if
 * there is room; if not, its record comes early.
 */
#ifndef AQMLLM_LOG_H
#define AQMLLM_LOG_H

#include "kernel/dual_host.h"

#define AQMLLM_LOG_MOST 65536 /* packets that a log has room for */

struct aqmllm_log;

/* With room for `limit_pkts` packets in each queue, or NULL; may sleep. */
struct aqmllm_log *aqmllm_log_new(u32 limit_pkts, const char *device);
void aqmllm_log_free(struct aqmllm_log *log);

/* For so many packets in each queue?  NULL has none. */
bool aqmllm_log_has_room(const struct aqmllm_log *log, u32 limit_pkts);

/* All packets are gone: what waits is forgotten. */
void aqmllm_log_clear(struct aqmllm_log *log);

/* After dual_host_arrive(), with the heads from before it. */
void aqmllm_log_arrival(struct aqmllm_log *log, const struct dual_host *host,
			const struct dual_host_heads *heads, const struct dual_host_packet *packet,
			enum aqm_verdict verdict);

/* The first packet of `queue` left. */
void aqmllm_log_departure(struct aqmllm_log *log, unsigned int queue, enum aqm_verdict verdict);

#endif
