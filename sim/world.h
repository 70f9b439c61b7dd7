/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network of one run, put together: hosts, queue, link, delays, probes.
 *
 *                       +---------------- bottleneck ---------------+
 *   sender --> [hosts] -+-> queue + link -> delay ---------> [hosts] --> receiver
 *                  ^                                             |
 *                  +----------- return delay of the flow <------+
 *
 * In the testbed's topology (`shared_pipe`) data and acknowledgements alike go
 * through one pipe twice: on the way into the router and on the way out.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/aggregate.h"
#include "sim/host.h"
#include "sim/node.h"
#include "sim/paths.h"
#include "sim/router.h"
#include "sim/routes.h"
#include "sim/run.h"
#include "sim/variation.h"

struct world {
	const struct scenario *scenario;
	const struct sim_options *options;
	struct sim_result *result;
	struct clock clock;
	struct packet_pool pool;
	struct store store;        /* where flows and connections lie */
	struct queue *queue;
	struct rate_plan rate;     /* of the bottleneck */
	struct bottleneck bottleneck;
	struct aggregate aggregate; /* in its place, where packets are sent in aggregates */
	struct variation variation;
	struct pipe pipe;
	struct processor processor;
	struct delay_line forward_delay;
	struct routes routes;      /* hops behind the delay */
	struct paths paths;        /* behind the hops, and on the way back */
	struct sim_node *entry;    /* where packets from hosts go */
	struct sim_node gate;      /* behind the delay: delivers, or sends into the pipe again */
	bool shared_pipe;
	bool two_queues;           /* L and C, by the law */
	struct delay_line ways_back[SCENARIO_MAX_GROUPS]; /* one per delay, in order of need */
	uint64_t way_back_count;
	struct host *hosts;        /* (flows) */
	uint64_t flows;
	struct switchboard switchboard;
	uint64_t warmup_ns, end_ns;
	uint64_t bytes_after_warmup; /* that the link sent */
	/* of the bin being filled */
	uint64_t bin_bytes, bin_pkts[SIM_QUEUES];
	double bin_delay_ns[SIM_QUEUES];
	uint64_t marks_before_bin[AQM_QUEUES], drops_before_bin[AQM_QUEUES];
	struct sim_flow_bin *flow_bins; /* (flows) */
	uint64_t bins;                  /* of the whole run */
	bool stopped;                   /* whoever is told of bins wants no more */
	uint64_t emitted, delivered; /* packets, for the accounting */
};

/* Builds everything into a zeroed world; on failure world_free() still is due. */
int world_build(struct world *world, const struct scenario *scenario,
		const struct sim_options *options, struct sim_result *result,
		struct error *error);
void world_free(struct world *world);

/* The return path of `delay_ns` to `next`; groups of flows have one of each. */
struct delay_line *world_way_back(struct world *world, struct sim_node *next, uint64_t delay_ns);

/* Shows a packet at a tap to whoever asked for packets. */
void world_show(const struct world *world, const struct packet *packet, enum sim_tap tap,
		uint64_t sojourn_ns);

/* Statistics begin: remembers what was counted before. */
void world_end_warmup(struct world *world);

/* Ends time-series bin `index`. */
void world_end_bin(struct world *world, uint64_t index);

/* ERR_FAILED unless every packet sent is accounted for. */
int world_check_accounting(const struct world *world, struct error *error);

/* Totals into the result, and the packets' accounting. */
int world_finish(struct world *world, struct error *error);

#endif
