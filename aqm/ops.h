/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A queue law as user space sees it: one const table per law.
 *
 * Type (`struct aqm_ops`), configuration (params) and instance (vars, stats)
 * are separate objects; sizes are declared and the host allocates.  Laws never
 * allocate.  Tables stand at the end of each `aqm/ops_*.c`; aqm_find() knows
 * them all by their fixed names.
 */
#ifndef AQM_OPS_H
#define AQM_OPS_H

#include "aqm/facts.h"
#include "aqm/record.h"
#include "base/error.h"

/* How a parameter's value is stored in `params`. */
enum aqm_param_kind {
	AQM_PARAM_U32,
	AQM_PARAM_U64,
	AQM_PARAM_BOOL,	    /* a bool, given as 0/1/true/false */
	AQM_PARAM_MS_AS_NS, /* given in ms (decimals allowed), stored as uint64_t ns */
	AQM_PARAM_Q32,	    /* given as a decimal number, stored as uint64_t Q32.32 */
	AQM_PARAM_GAIN_Q16, /* given as a decimal number, stored as a uint32_t with 16 fraction bits
			     */
	AQM_PARAM_FIX13, /* given as a decimal number, stored as a uint32_t with 13 fraction bits */
	AQM_PARAM_MS_AS_US, /* given in ms, stored as uint64_t us */
	AQM_PARAM_CHOICE,   /* one of `choices`, stored as its index in a uint32_t */
};

/* One row makes `--set`, `--help`, `aqmllm aqms` and the manual. */
struct aqm_param {
	const char *name;          /* with its unit: target_ms */
	enum aqm_param_kind kind;
	size_t offset;             /* in params */
	const char *default_text;
	double min, max;           /* inclusive, in the unit of the name */
	const char *choices;       /* "wrr/tsf", or NULL */
	const char *doc;           /* one line, with its source */
};

/* Probabilities a law would show: Q0.32. */
struct aqm_view {
	uint64_t p_base; /* p' of a coupled law; drop probability of a single one */
	uint64_t p_c;
	uint64_t p_l;
};

/*
 * What tells flow queues apart, and which hosts are treated alike before their flows are; names
 * and meanings are CAKE's (tc-cake).
 */
#define AQM_ISOLATION_CHOICES                                                                      \
	"flows/flowblind/srchost/dsthost/hosts/dual-srchost/dual-dsthost/triple-isolate"

enum aqm_isolation {
	AQM_ISOLATE_FLOWS,   /* a queue for each flow */
	AQM_ISOLATE_NOTHING, /* one queue */
	AQM_ISOLATE_SOURCES, /* a queue for each source host */
	AQM_ISOLATE_DESTINATIONS,
	AQM_ISOLATE_HOST_PAIRS,
	AQM_ISOLATE_FLOWS_IN_SOURCES, /* a queue for each flow, shares first between sources */
	AQM_ISOLATE_FLOWS_IN_DESTINATIONS,
	AQM_ISOLATE_TRIPLE, /* a queue for each flow, shares first between hosts at either end */
	AQM_ISOLATIONS,
};

/*
 * Flow queues (RFC 8290): packets are hashed over queues by their flow, each queue has an instance
 * of the law, and deficit round robin serves them.
 */
struct aqm_flow_shape {
	uint32_t flows;         /* queues to hash over; a multiple of `ways` */
	uint32_t ways;          /* a flow may take any of so many neighbours; 1: hash decides */
	uint32_t isolation;     /* enum aqm_isolation */
	uint32_t quantum_bytes; /* granted to a queue per round */
	uint32_t limit_pkts;    /* held by all of them together */
	uint64_t limit_bytes;   /* likewise */
	/*
	 * Beyond a limit packets are dropped from the head of the queue with the most bytes: until
	 * so many, or half of its bytes, are gone.
	 */
	uint32_t drop_batch_pkts;
	bool leave_at_once; /* an empty new queue does not go through the old ones first (DRR++) */
};

/* Of whoever wraps a law: the packet was decided on in the law's place. */
#define AQM_COOKIE_DECIDED (UINT32_C(1) << 31)

struct aqm_ops {
	const char *name;
	const char *summary;
	size_t params_size, vars_size, stats_size;
	const struct aqm_param *params; /* ends with a NULL name */
	bool dual;                      /* two queues L and C; false: everything is in C */
	bool late;                      /* on_dequeue() may mark or drop: records wait for it */
	bool limit_each;                /* limit_packets is per queue; false: both together */

	/* Told after a parameter was set by name, so that one can set others; optional. */
	void (*was_set)(void *params, const char *name);

	/*
	 * A law that stands in flow queues, one instance of it in each: how; optional, default: one
	 * queue or two.  init() is called once; every flow queue starts with a copy of those vars,
	 * shares the stats, and calls the law with the facts of its own packets (totals are those
	 * of all queues).  tick() is called for every flow queue when the vars of init() say so,
	 * and for those.
	 */
	struct aqm_flow_shape (*flow_shape)(const void *params);

	/*
	 * An empty flow queue in this state will behave as a new one, so it need not be kept;
	 * optional, default never.
	 */
	bool (*at_rest)(const void *params, const void *vars, uint64_t now_ns);

	/*
	 * A packet is dropped for lack of room: the one that arrives, or in flow queues one from
	 * this queue's head; optional.
	 */
	void (*on_overflow)(const void *params, void *vars, void *stats,
			    const struct aqm_facts *facts);

	/* Consistency across parameters; optional, default: always good. */
	int (*check)(const void *params, struct error *error);
	void (*init)(const void *params, void *vars, void *stats);

	/* Which queue a packet goes to; optional, default AQM_QUEUE_C. */
	enum aqm_queue (*classify)(const void *params, const struct aqm_facts *facts);

	/*
	 * Decision on arrival.  May leave bits in *cookie, which come back in facts->cookie; bit 31
	 * belongs to whoever wraps a law (AQM_COOKIE_DECIDED).
	 */
	enum aqm_verdict (*on_enqueue)(const void *params, void *vars, void *stats,
				       const struct aqm_facts *facts, uint32_t *cookie);

	/* Decision on departure; optional, default AQM_PASS. */
	enum aqm_verdict (*on_dequeue)(const void *params, void *vars, void *stats,
				       const struct aqm_facts *facts);

	/* Next periodic update; optional, default never.  The host calls tick() at that time. */
	uint64_t (*tick_due_ns)(const void *params, const void *vars);
	void (*tick)(const void *params, void *vars, void *stats, const struct aqm_facts *facts);

	/*
	 * Which queue to serve when at least one holds packets, from lengths and ages of their
	 * first packets.  Never one that is empty.  Required when `dual`.
	 */
	enum aqm_queue (*schedule)(const void *params, void *vars,
				   const struct aqm_head heads[AQM_QUEUES]);

	/* A packet of `len_bytes` left `queue` while the other one did (not) wait; optional. */
	void (*served)(const void *params, void *vars, enum aqm_queue queue, uint32_t len_bytes,
		       bool other_waits);

	/* Both queues ran empty; optional. */
	void (*idle)(const void *params, void *vars);

	/* A packet was to leave and there was none (facts: the time only); optional. */
	void (*on_empty)(const void *params, void *vars, void *stats,
			 const struct aqm_facts *facts);

	/*
	 * Fills the law's own fields of a log record from its present state.  `decided` says
	 * whether on_enqueue() has been called for this packet: false gives the state before the
	 * decision, which is all that a policy may see; true gives what the kernel logs.
	 */
	void (*record)(const void *params, const void *vars, const struct aqm_facts *facts,
		       bool decided, struct aqm_record *record);
	void (*view)(const void *params, const void *vars, struct aqm_view *view);

	/*
	 * The law's own probability of acting (marking or dropping, which of the two is no chance)
	 * on the packet whose record, as before the decision, this is: 0 or 1 where it leaves
	 * nothing to chance.  Optional: laws that decide at departure cannot tell at arrival.
	 */
	double (*act_probability)(const void *params, const struct aqm_record *before);
};

/* Every law, ends with NULL. */
extern const struct aqm_ops *const aqm_all[];

/* Law by its fixed name, or NULL. */
const struct aqm_ops *aqm_find(const char *name);

/* Value of a parameter in the unit of its name; ERR_NOT_FOUND. */
int aqm_params_get(const struct aqm_ops *ops, const void *params, const char *name, double *value);

/* Host fields of a record (lengths, totals) from the facts; the law's own are left alone. */
void aqm_record_host_fields(const struct aqm_facts *facts, struct aqm_record *record);

/* Writes every default into `params` (of ops->params_size bytes). */
int aqm_params_default(const struct aqm_ops *ops, void *params, struct error *error);

/* Applies one "name=value"; the error names the parameter, its range and the choices. */
int aqm_params_set(const struct aqm_ops *ops, void *params, const char *assignment,
		   struct error *error);

/* Several, in their order: "name=value:name=value"; NULL or "": none. */
int aqm_params_set_all(const struct aqm_ops *ops, void *params, const char *assignments,
		       struct error *error);

#endif
