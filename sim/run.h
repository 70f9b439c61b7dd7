/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One closed-loop run of a scenario.
 *
 * A run is a pure function of (scenario, law, seed): bit for bit the same on
 * every repetition, and independent of other runs, so many go in parallel.
 * Only `wall_s` is measured.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "aqm/ops.h"
#include "base/histogram.h"
#include "base/sketch.h"
#include "net/packet.h"
#include "sim/app_result.h"
#include "sim/scenario.h"

/* Queues of a result: enum aqm_queue, and both together. */
#define SIM_ALL AQM_QUEUES
#define SIM_QUEUES (AQM_QUEUES + 1)

struct sim_queue_result {
	uint64_t packets;           /* sent by the link after warm-up */
	uint64_t marks, drops;      /* after warm-up */
	uint64_t ect_drops;         /* those of `drops` that could have carried a mark */
	struct histogram qdelay_ns; /* sojourn of packets that left, after warm-up */
};

/* A packet left a queue, or was dropped there. */
static inline void sim_queue_result_add(struct sim_queue_result *result,
					const struct packet *packet, enum aqm_verdict verdict,
					uint64_t sojourn_ns)
{
	if (verdict == AQM_DROP) {
		result->drops++;
		result->ect_drops += packet->ecn != AQM_NOT_ECT;
		return;
	}
	result->packets++;
	histogram_add(&result->qdelay_ns, sojourn_ns);
}

struct sim_flow_result {
	uint64_t id;
	char cc[16];
	enum endpoint_ecn ecn;
	bool l4s;                   /* its data is ECT(1) */
	bool long_lived;            /* scenario_is_long_lived() */
	double goodput_mbps;        /* in-order payload after warm-up */
	uint64_t retransmits, timeouts;
	uint64_t marks;             /* packets that arrived with CE */
	struct sketch rtt_ns;       /* the senders' samples after warm-up */
	char app_name[16];          /* empty: no application */
	struct sim_app_result *app; /* owned; NULL: neither application nor datagrams */
};

/* What paths did to packets, after warm-up. */
struct sim_network_result {
	bool told;            /* there is something that could */
	uint64_t lost;        /* on the way to receivers */
	uint64_t reordered;   /* that took a detour, both ways */
	uint64_t return_lost; /* on the way back */
};

/* The same of a hop as of the bottleneck. */
struct sim_hop_result {
	char name[SCENARIO_PLACE_SIZE];
	char aqm[32];
	double utilisation;
	struct sim_queue_result queues[SIM_QUEUES];
};

/* What the shared way back did to packets, after warm-up. */
struct sim_ack_path_result {
	uint64_t thinned, lost;
	struct sim_hop_result link; /* no name: it has none */
};

/* One bin of the time series. */
struct sim_bin {
	double qdelay_ms[SIM_QUEUES];  /* mean sojourn of packets that left; NaN: none did */
	double backlog_bytes[SIM_QUEUES]; /* at the end of the bin */
	double p_base;                 /* of the law at the end of the bin, 0..1 */
	double utilisation;            /* 0..1 */
	uint64_t marks[SIM_QUEUES], drops[SIM_QUEUES]; /* in the bin */
};

/* The same of a flow. */
struct sim_flow_bin {
	double goodput_mbps;
	double rtt_ms;                 /* smoothed, at the end of the bin */
	double cwnd_bytes;             /* at the end of the bin */
};

/* What a run tells at the end of a bin. */
struct sim_moment {
	double t_s;
	const struct sim_bin *bin;
	const struct sim_flow_bin *flows; /* (flow_count) */
	uint64_t flow_count;
};

struct sim_result {
	char scenario[64];
	char aqm[32];
	uint64_t seed;
	double duration_s, warmup_s;
	double utilisation;
	uint64_t data_packets;         /* forwarded by the bottleneck in the whole run */
	uint64_t arrived_packets;      /* at its queue in the whole run, dropped ones included */
	double wall_s;                 /* of the run loop */
	struct sim_queue_result queues[SIM_QUEUES];
	/*
	 * Sojourn of what left after warm-up, by what the packet is, L4S or Classic, wherever it
	 * stood: where a law has two queues the same as `queues`, where it has one what each class
	 * met in it.
	 */
	struct histogram class_qdelay_ns[AQM_QUEUES];
	struct sim_flow_result *flows; /* (flow_count) */
	uint64_t flow_count;
	struct sim_network_result network;
	struct sim_hop_result *hops;   /* (hop_count) */
	uint64_t hop_count;
	struct sim_ack_path_result *ack_path; /* NULL: none in the scenario */
	struct sim_bin *bins;          /* (bin_count); none unless asked for and kept */
	uint64_t bin_count;
	double bin_s;
	double *flow_goodput_mbps;     /* (bin_count, flow_count) */
	double *flow_rtt_ms; /* (bin_count, flow_count): smoothed, at the end of the bin */
};

/* Where a run shows its packets. */
enum sim_tap {
	SIM_TAP_C = AQM_QUEUE_C, /* leaves the queue for the link, marked or not */
	SIM_TAP_L = AQM_QUEUE_L,
	SIM_TAP_DROPPED,         /* by the router */
	SIM_TAP_RETURN,          /* leaves a receiver on a way that avoids the queue */
	SIM_TAPS
};

struct sim_options {
	uint64_t seed;
	const struct aqm_ops *law;     /* NULL: the scenario's */
	const void *params;            /* of `law`; copied */
	double bin_s;                  /* width of time-series bins; 0: none */
	void *context;
	/* Optional: every log record, in the order of the router's log. */
	void (*record)(void *context, uint64_t now_ns, const struct aqm_record *record);
	/*
	 * Optional: the end of every bin.  Bins are told and not kept then, so that memory does not
	 * grow with the run.  A true return ends the run here, as if this were its duration; before
	 * the end of warm-up that is ERR_INTERRUPTED, as there is nothing to tell.
	 */
	bool (*bin)(void *context, const struct sim_moment *moment);
	/* Optional: every packet at every tap, in the order of time. */
	void (*packet)(void *context, uint64_t now_ns, const struct packet *packet,
		       enum sim_tap tap, uint64_t sojourn_ns);
	/* Optional: about 100 times a run; a true return stops it with ERR_INTERRUPTED. */
	bool (*progress)(void *context, double done);
};

/*
 * What a scenario says of a law's parameters: assignments, where in the file they stand, and a
 * limit (0: none said).
 */
struct law_settings {
	const char (*params)[SCENARIO_PARAM_SIZE];
	const long *lines;
	uint64_t count, limit_packets;
};

/* Parameters (law->params_size bytes, malloc'd, the caller frees): initial ones, then `settings`.
 */
int sim_law_params(const struct scenario *scenario, const struct aqm_ops *law,
		   const struct law_settings *settings, void **params, struct error *error);

/*
 * The law of a scenario and its parameters (law->params_size bytes, malloc'd,
 * the caller frees): scenario keys aqm, params and limit_packets.
 */
int sim_law(const struct scenario *scenario, const struct aqm_ops **law, void **params,
	    struct error *error);

/*
 * The same with law `name` (NULL: the scenario's own) in its place: the
 * scenario's `params` belong to its own law and stay with it, limit_packets
 * holds for any.  What the scenario's law says of the router itself (its
 * clock, one pipe for both ways) holds whichever law runs in it.
 */
int sim_law_named(const struct scenario *scenario, const char *name, const struct aqm_ops **law,
		  void **params, struct error *error);

/* ERR_FAILED when packets got lost in the accounting: sent = delivered + dropped + in flight. */
int sim_run(const struct scenario *scenario, const struct sim_options *options,
	    struct sim_result *result, struct error *error);
void sim_result_free(struct sim_result *result);

#endif
