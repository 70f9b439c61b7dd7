/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From records to experience: features, action, reward, episodes.
 *
 * The log shows a router *after* its decision: a drop or mark has already
 * cleared the accumulated probability, so the logged state gives the label
 * away.  `before` reconstructs what stood there when the decision was made:
 *
 * - accumulated_probability is what the same queue's previous record left
 *   behind: its logged value, or 0 when that packet really was dropped (logged
 *   drop without burst allowance), and 0 at the start of an episode;
 * - every other feature is not touched by the decision and stays as logged.
 */
#ifndef EXPERIENCE_COLLECT_H
#define EXPERIENCE_COLLECT_H

#include "aqm/ops.h"
#include "aqm/record.h"
#include "experience/pool.h"

enum collect_state { COLLECT_BEFORE, COLLECT_AS_LOGGED };

/* X(name, what it is) */
#define COLLECT_REWARD_TABLE(X)                                                                    \
	X(paper, "packet_length / (qdelay_ms + 1)")                                                \
	X(released, "packet_length / (qdelay_us + 1000), a thousandth of the paper's")             \
	X(qdelay, "minus the queue delay in ms")

enum collect_reward {
#define COLLECT_ENUM(name, text) COLLECT_##name,
	COLLECT_REWARD_TABLE(COLLECT_ENUM)
#undef COLLECT_ENUM
	COLLECT_REWARDS
};

const char *collect_reward_name(enum collect_reward reward);

/* Reward by name, or -1. */
int collect_reward_find(const char *name);

double collect_reward_of(enum collect_reward reward, const struct aqm_record *record);

struct collect_options {
	int features;              /* 7 or 8 */
	enum collect_state state;
	enum collect_reward reward;
	double gamma;
	double gap_s;              /* an episode ends where syslog time jumps by more */
	const struct aqm_ops *law; /* that wrote the log: adds POOL_LAW_COLUMN; NULL: not known */
	const void *law_params;    /* its parameters; must outlive the collector */
};

struct collector {
	struct collect_options options;
	struct pool *pool;
	int64_t accumulated[2];    /* left behind by each queue's last record */
	int64_t total_packets[2];
	int64_t last_s;
	bool started;
};

/* The defaults of `aqmllm pool`. */
void collect_defaults(struct collect_options *options);

/* Sets the pool's columns and provenance (but for its sources) and starts an episode. */
void collector_init(struct collector *collector, const struct collect_options *options,
		    struct pool *pool);

/* Adds a record; `syslog_s` -1 when its time is not known.  ERR_NO_MEMORY. */
int collector_add(struct collector *collector, const struct aqm_record *record, int64_t syslog_s);

/* End of input: the last row ends its episode. */
void collector_finish(struct collector *collector);

/*
 * The features of a record in the pool's order, as a policy sees them online:
 * `state` has room for `features` (7 or 8) values.
 */
void collect_features(const struct aqm_record *record, int features, double *state);

#endif
