/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fairness between hosts on top of fairness between flows, as CAKE has it.
 *
 * Each host counts its bulk flows: those that came to use their deficit up.  A
 * flow's grant is divided by the larger of the counts of the hosts at its two
 * ends, of those that the isolation asks to treat alike; so hosts share the link
 * before their flows do.  What division leaves is carried to the next grant.
 *
 * When every host has many bulk flows, all grants are raised together, so that
 * the least loaded host's flows get a full quantum per round: shares stay, and a
 * packet does not take many rounds.
 *
 * Inside queue/ only.
 */
#ifndef QUEUE_FLOW_HOSTS_H
#define QUEUE_FLOW_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

struct flow_host {
	uint64_t tag; /* the host's hash */
	uint32_t bulk_flows;
};

/* Hosts at one end of the flows. */
struct flow_hosts {
	struct flow_host *hosts; /* (count); NULL: this end does not matter */
	uint32_t count, ways;
	uint32_t *with_load;     /* (count + 1): hosts by their bulk flows */
	uint32_t busy;           /* hosts with any */
	uint32_t least;          /* bulk flows of the least loaded of them; 0: none is busy */
};

/* `count` is a multiple of `ways`.  ERR_NO_MEMORY. */
int flow_hosts_init(struct flow_hosts *hosts, uint32_t count, uint32_t ways);
void flow_hosts_free(struct flow_hosts *hosts);

/*
 * The place of a host: its own, one that no bulk flow uses, or when its set is full one that it
 * shares with another host.  0 where this end does not matter.
 */
uint32_t flow_hosts_find(struct flow_hosts *hosts, uint64_t hash);

/* A flow of this host became bulk (+1) or stopped being it (-1). */
void flow_hosts_count(struct flow_hosts *hosts, uint32_t host, int change);

/* Bulk flows of a host; 0 where this end does not matter. */
static inline uint32_t flow_hosts_load(const struct flow_hosts *hosts, uint32_t host)
{
	return hosts->hosts ? hosts->hosts[host].bulk_flows : 0;
}

#endif
