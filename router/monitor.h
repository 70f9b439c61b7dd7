/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a router did, bin by bin and in all, without pointers: a monitor can be copied and read
 * elsewhere.
 */
#ifndef ROUTER_MONITOR_H
#define ROUTER_MONITOR_H

#include "policy/aqm_policy.h"
#include "router/router.h"

#define MONITOR_BINS 600
#define MONITOR_FLOWS 32
#define MONITOR_NAME 64

/* One bin of the managed way. */
struct monitor_bin {
	double t_s;                     /* its end */
	double qdelay_ms[AQM_QUEUES];   /* mean sojourn of packets that left; NaN: none did */
	double backlog_bytes[AQM_QUEUES];
	double p_base, p_l, p_c;        /* of the law at the end of the bin, 0..1 */
	double rate_mbps;               /* that the link carried */
	double utilisation;             /* 0..1 of what it could; NaN: the link is not emulated */
	double goodput_mbps[MONITOR_FLOWS]; /* of monitor->flows, as they stood then */
	uint64_t marks[AQM_QUEUES], drops[AQM_QUEUES];
};

/* Since warm-up ended. */
struct monitor_queue {
	uint64_t packets, bytes;        /* that left */
	uint64_t marks, drops;
	uint64_t ect_drops;             /* those of `drops` that could have carried a mark */
	uint64_t backlog_pkts, backlog_bytes; /* now */
	struct histogram sojourn_ns;
};

struct monitor_way {
	struct monitor_queue queues[AQM_QUEUES];
	struct router_counts counts;
	double rate_mbps;               /* that the link carried */
	double utilisation;             /* NaN: the link is not emulated */
	uint64_t inside_pkts;           /* now: in the queue, on the link, behind it */
};

struct monitor_flow {
	struct flow_entry entry;
	double mean_mbps;               /* goodput since warm-up ended, or since it came */
};

struct monitor {
	char law[MONITOR_NAME], policy[MONITOR_NAME]; /* policy empty: none */
	double t_s, since_s;            /* now; when warm-up ended */
	struct monitor_way ways[ROUTER_WAYS];
	struct aqm_policy_counts verdicts;
	uint64_t reloads;               /* of the policy */
	struct monitor_bin bins[MONITOR_BINS]; /* a ring */
	uint64_t bin_count;
	/* The largest of the managed way; a flow keeps its place. */
	struct monitor_flow flows[MONITOR_FLOWS];
	uint32_t flow_count;
	uint64_t flows_known;
	/* What is subtracted: as it stood when warm-up ended, and at the last bin. */
	struct queue_counts base[ROUTER_WAYS][AQM_QUEUES], last[AQM_QUEUES];
	struct router_counts base_counts[ROUTER_WAYS];
	uint64_t base_bytes[ROUTER_WAYS], last_bytes;
	uint64_t last_sojourns[AQM_QUEUES];
	double last_sojourn_sum[AQM_QUEUES];
};

void monitor_init(struct monitor *monitor, const char *law, const char *policy);

/* Warm-up is over: statistics begin here. */
void monitor_begin(struct monitor *monitor, struct router *router, uint64_t now_ns);

/* A bin is over. */
void monitor_bin(struct monitor *monitor, struct router *router, uint64_t now_ns);

/* The bin `ago` bins before the last one; NULL: not held. */
const struct monitor_bin *monitor_bin_ago(const struct monitor *monitor, uint64_t ago);

#endif
