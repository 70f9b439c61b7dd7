/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scenario: one network and its traffic, as a YAML file says it.
 *
 * Keys carry their units.  A key that is not known, a value of the wrong type
 * or out of range is an error with its line.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdint.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/error.h"
#include "net/capacity.h"
#include "sim/app_choice.h"
#include "sim/network.h"
#include "tcp/endpoint.h"

#define SCENARIO_MAX_GROUPS 64
#define SCENARIO_MAX_PARAMS 32
#define SCENARIO_MAX_STEPS 256
#define SCENARIO_MAX_FLOWS 100000
#define SCENARIO_MAX_LINES 32

/* Where a key stands in the file, for messages about several keys at once. */
struct scenario_line {
	const char *key;
	long line;
};

/* `count` flows alike. */
struct scenario_group {
	char cc[16];       /* newreno, cubic, dctcp, prague, bbr, udp, udp_prague */
	uint64_t count;
	double rtt_ms; /* base round trip, the bottleneck's delay included; 0: twice that delay */
	double start_s, stop_s; /* stop_s 0: the end */
	double rate_mbps;  /* udp without an application */
	enum endpoint_ecn ecn;
	struct tcp_options options; /* those of scenario_options.h */
	double frames_per_s, frame_budget_ms; /* udp_prague; 0: a stream, the whole interval */
	struct app_choice app;
	/* Numbers of the hosts at its two ends, for laws that treat hosts alike. */
	uint64_t source_host, destination_host;
	char path[SCENARIO_MAX_HOPS + 1][SCENARIO_PLACE_SIZE]; /* names of places it crosses */
	uint64_t path_count;        /* 0: all */
	struct impairments impairments;        /* of data, behind those of all */
	struct impairments return_impairments; /* of acknowledgements, behind their delay */
};

struct scenario {
	char name[64];
	char path[4096];            /* where it was read; empty when made in memory */
	unsigned char content[DIGEST_BYTES]; /* digest of the text and of every file it names */
	double duration_s, warmup_s;
	double rate_mbps;           /* of the bottleneck, until the first step */
	struct rate_step steps[SCENARIO_MAX_STEPS];
	uint64_t step_count;
	uint64_t *trace_ms;         /* Mahimahi: when 1500 bytes may leave; owned; NULL: none */
	uint64_t trace_count;
	char trace_path[4096];      /* where it was read */
	enum rate_kind rate_kind;   /* generated in the run, from its seed */
	double rate_mean_mbps;
	struct handover_plan handover;
	struct aggregation_plan aggregation;
	struct delay_step delay_steps[SCENARIO_MAX_DELAY_STEPS];
	uint64_t delay_step_count;
	double delay_ms;            /* one way, after the queue */
	double packet_cost_us;      /* the router's processor per packet it queues; 0: none */
	uint64_t receive_packets;   /* that may wait for this processor */
	struct impairments impairments; /* of all data, behind the delay */
	struct ack_path_plan ack_path;
	char place[SCENARIO_PLACE_SIZE]; /* the bottleneck's name in paths */
	struct hop_plan hops[SCENARIO_MAX_HOPS]; /* behind the bottleneck, in this order */
	uint64_t hop_count;
	char aqm[32];
	char params[SCENARIO_MAX_PARAMS][SCENARIO_PARAM_SIZE];
	uint64_t param_count;
	uint64_t limit_packets;     /* 0: the law's default */
	struct scenario_group groups[SCENARIO_MAX_GROUPS];
	long group_lines[SCENARIO_MAX_GROUPS]; /* of the file, for messages; 0: made in memory */
	uint64_t group_count;
	struct scenario_line lines[SCENARIO_MAX_LINES]; /* keys of the top and the bottleneck */
	uint64_t line_count;
	long param_lines[SCENARIO_MAX_PARAMS];
};

/* Defaults of every key; no flows. */
void scenario_init(struct scenario *scenario);
void scenario_free(struct scenario *scenario);

/* Reads and checks a file.  The error names file, line and key. */
int scenario_read(struct scenario *scenario, const char *path, struct error *error);

/* The same from memory (`path` for messages); used by tests and fuzzing. */
int scenario_parse(struct scenario *scenario, const char *text, size_t size, const char *path,
		   struct error *error);

/* Writes a scenario as YAML that reads back to the same: to a stream, or to a file. */
void scenario_put(FILE *out, const struct scenario *scenario);
int scenario_write(const struct scenario *scenario, const char *path, struct error *error);

/* Consistency across keys (also of scenarios made in memory). */
int scenario_check(const struct scenario *scenario, struct error *error);

/* The default ECN use of a congestion control. */
enum endpoint_ecn scenario_default_ecn(const char *cc);

/* Data of these flows is ECT(1): a router of two queues has it in L. */
bool scenario_is_l4s(const struct scenario_group *group);

/*
 * These flows want all they can get and give way to signals (a congestion control, no application),
 * from the end of warm-up at the latest until the end of the run: what two of them get of one link
 * can be compared.
 */
bool scenario_is_long_lived(const struct scenario *scenario, const struct scenario_group *group);

/* Why a group's application and congestion control do not go together; NULL: they do. */
const char *scenario_app_fault(const struct scenario_group *group);

/* The line of a key of the top level or the bottleneck; 0: it is not in a file. */
long scenario_line_of(const struct scenario *scenario, const char *key);

/* Flows in all groups. */
uint64_t scenario_flows(const struct scenario *scenario);

#endif
