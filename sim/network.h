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

#define SCENARIO_PARAM_SIZE 96 /* of one parameter of a law, as text */
#define SCENARIO_MAX_HOPS 8
#define SCENARIO_MAX_DELAY_STEPS 256
#define SCENARIO_MAX_HOP_PARAMS 16
#define SCENARIO_PLACE_SIZE 32 /* of a hop's name */

/*
 * Losses that come together: Gilbert's chain of a good and a bad state, stepped at every packet,
 * with Elliott's losses in both (Elliott, Bell System Technical Journal 42, 1963).
 */
struct loss_burst_plan {
	double enter_percent, leave_percent; /* good to bad, bad to good, per packet */
	double loss_percent;                 /* in the bad state */
	double good_loss_percent;
};

/* Times in which nothing passes; what came in one leaves at its end, together. */
struct stall_plan {
	double every_ms; /* mean time between two, exponential; 0: none */
	double for_ms;
};

/* What a path does to packets that pass. */
struct impairments {
	double loss_percent;          /* each packet by itself */
	struct loss_burst_plan burst; /* none without enter_percent */
	double reorder_percent;       /* packets that take reorder_ms longer than others */
	double reorder_ms;
	double jitter_ms;             /* mean of an exponential delay on top */
	bool may_overtake;            /* jitter does not keep the order */
	struct stall_plan stall;
};

/* The way back that all flows share. */
struct ack_path_plan {
	bool given;
	double rate_mbps;       /* 0: no link of its own */
	uint64_t limit_packets; /* of the queue before this link */
	double loss_percent;
	uint64_t keep_every;    /* of so many pure acknowledgements in a row, one survives */
	double hold_ms;         /* and leaves so long after the first of them at the latest */
};

/* Kinds of links whose rate is made up: rate_model.h. */
enum rate_kind { RATE_NONE, RATE_LTE, RATE_WIFI, RATE_SATELLITE };

/* From `at_s` on the delay behind the bottleneck is another. */
struct delay_step {
	double at_s, delay_ms;
};

/* Another satellite, or cell, every so often. */
struct handover_plan {
	double every_s;             /* 0: never */
	double outage_ms;           /* for which the link stands still */
	double rate_spread_percent; /* around rate_mbps, uniform */
	double delay_spread_ms;     /* on top of delay_ms, uniform from 0 */
};

/* Packets sent in aggregates. */
struct aggregation_plan {
	uint64_t packets; /* at most, in one; 0: no aggregates */
	double txop_ms;   /* for which packets are taken into one */
	double gap_ms;    /* mean time of waiting for a turn, exponential */
};

/* A further bottleneck behind the first. */
struct hop_plan {
	char name[SCENARIO_PLACE_SIZE];
	double rate_mbps;
	double delay_ms; /* one way, after the queue */
	char aqm[32];
	char params[SCENARIO_MAX_HOP_PARAMS][SCENARIO_PARAM_SIZE];
	uint64_t param_count;
	uint64_t limit_packets; /* 0: the law's default */
	/* Of the file, for messages; 0: made in memory. */
	long line, param_lines[SCENARIO_MAX_HOP_PARAMS];
};

#endif
