/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow queues (queue/flow_queue.c) under their laws beside RFC 8290's two routines
 * and CAKE's: who sends, every verdict and drop, the credits, the list a queue is
 * on, and its law's state.
 *
 * Several flows may hash to one queue; which do is found by sending one packet of
 * each through a twin of the queue.  A queue under COBALT counts in rounds in the
 * oracle and may be parked in the core; few enough flows share a host here that
 * none is.
 */
#include "aqm/cobalt.h"
#include "aqm/codel.h"
#include "aqm/pie.h"
#include "aqm/ref/flow_queues.h"
#include "queue/flow_table.h"
#include "queue/queue.h"
#include "tests/oracles/rows.h"

#include <stdio.h>
#include <stdlib.h>

#define FLOWS 24      /* at most ORACLE_FLOW_QUEUES */
#define HOST_FLOWS 6  /* of one host: at most 8, or queues are parked */
#define MOST_HELD 200 /* packets */

/*
 * The oracle knows hosts by number, the core by a hash that two may share: in so large a table,
 * under none of these seeds of the hash do any of the few hosts here.
 */
#define HASH_SEEDS 64
#define CAKE_FLOWS 16384
#define ROOM (2 * (MOST_HELD + 2))

struct flow_row {
	uint64_t now_ns, gap_ns, grid_ns;
	unsigned arrivals_of_16, busy; /* of the flows, those that send now */
	uint64_t number, hash_seed;
	uint32_t flow[FLOWS], hosts[FLOWS][2];
	size_t queue_of[FLOWS];
	struct packet_pool pool;
	struct queue *queue;
	struct aqm_ops law;
	struct oracle_flows oracle;
	struct oracle_packet rooms[FLOWS][ROOM], theirs[ROOM];
	const struct aqm_pie_vars *pies[FLOWS]; /* of a queue that has had a packet */
	struct oracle_packet ours[ROOM]; /* what left in this step: number and fate */
	size_t ours_from[ROOM], left;
};

/* What the law was last asked at an arrival; one row runs at a time. */
static struct {
	const struct aqm_ops *law;
	void *vars;
	uint64_t random;
	enum aqm_verdict verdict;
} arrival;

static enum aqm_verdict on_enqueue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts, uint32_t *cookie)
{
	arrival.vars = vars;
	arrival.random = facts->random;
	arrival.verdict = arrival.law->on_enqueue(params, vars, stats, facts, cookie);
	return arrival.verdict;
}

static void on_leave(void *context, uint64_t now_ns, const struct packet *packet,
		     enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct flow_row *row = context;

	(void)now_ns;
	(void)queue;
	(void)sojourn_ns;
	row->ours[row->left] = (struct oracle_packet){.number = (unsigned)packet->tcp.seq,
						      .fate = (int)verdict};
	row->ours_from[row->left++] = row->queue_of[packet->hops];
}

static struct queue *make_queue(struct flow_row *row, const void *params, struct queue_sink sink)
{
	struct queue_config config = {
		.law = &row->law, .params = params, .pool = &row->pool, .sink = sink};

	rng_seed(&config.random, row->hash_seed);
	return queue_new(&config, NULL);
}

/* `hops` carries the flow's index here: nothing before a queue counts it. */
static struct packet *make_packet(struct flow_row *row, size_t flow, uint32_t len_bytes)
{
	struct packet *packet = packet_new(&row->pool);

	packet->flow = row->flow[flow];
	packet->hops = (uint8_t)flow;
	packet->source_host = row->hosts[flow][0];
	packet->destination_host = row->hosts[flow][1];
	packet->len_bytes = len_bytes;
	return packet;
}

/* Which flows share a queue: those whose packets meet the same state of the law. */
static void find_queues(struct flow_row *row, const void *params)
{
	struct queue *twin = make_queue(row, params, (struct queue_sink){0});
	const void *seen[FLOWS];

	row->oracle.count = 0;
	for (size_t i = 0; i < FLOWS; i++) {
		size_t queue = 0;

		queue_enqueue(twin, make_packet(row, i, 100), 0);
		while (queue < row->oracle.count && seen[queue] != arrival.vars)
			queue++;
		seen[queue] = arrival.vars;
		row->queue_of[i] = queue;
		if (queue == row->oracle.count)
			row->oracle.count++;
	}
	queue_destroy(twin);
}

static void flow_close(void *state)
{
	struct flow_row *row = state;

	queue_destroy(row->queue);
	packet_pool_free(&row->pool);
}

static void set(const struct flow_row *row, void *params, const char *name, const char *value)
{
	char text[80];

	snprintf(text, sizeof(text), "%s=%s", name, value);
	if (aqm_params_set(&row->law, params, text, NULL))
		abort();
}

static double set_number(const struct flow_row *row, void *params, const char *name, double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.9g", value);
	set(row, params, name, text);
	return value;
}

/* Whole microseconds, given in ms; returns ns. */
static double set_time(const struct flow_row *row, void *params, const char *name, uint64_t us)
{
	char text[40];

	snprintf(text, sizeof(text), "%llu.%03llu", (unsigned long long)us / 1000,
		 (unsigned long long)us % 1000);
	set(row, params, name, text);
	return 1000.0 * (double)us;
}

/* What all rows have: flows, hosts, room, a quantum of at least so many bytes. */
static void open_shape(struct flow_row *row, struct rng *rng, void *params, uint64_t least_quantum)
{
	struct oracle_flows *oracle = &row->oracle;
	uint64_t hosts[2];

	for (int end = 0; end < 2; end++)
		hosts[end] = draw_between(rng, (FLOWS + HOST_FLOWS - 1) / HOST_FLOWS, 8);
	row->hash_seed = rng_below(rng, HASH_SEEDS);
	for (uint64_t i = 0; i < FLOWS; i++) {
		row->flow[i] = (uint32_t)rng_u64(rng);
		row->hosts[i][0] = 1 + (uint32_t)(i % hosts[0]);
		row->hosts[i][1] = 1 + (uint32_t)(i * 5 % FLOWS % hosts[1]);
	}
	oracle->quantum = set_number(row, params, "quantum_bytes",
				     (double)draw_log(rng, least_quantum, 20000));
	oracle->limit_packets = set_number(row, params, "limit_packets",
					   (double)draw_between(rng, 20, MOST_HELD));
	oracle->limit_bytes = set_number(row, params, "limit_bytes",
					 (double)draw_between(rng, 30000, 1500 * MOST_HELD));
	oracle->drop_batch = 1;
}

/* Flows share queues of a small table at times. */
static void open_table(struct flow_row *row, struct rng *rng, void *params)
{
	set_number(row, params, "flows", (double)(rng_below(rng, 2) ? 16 : 1024));
	row->oracle.drop_batch =
		set_number(row, params, "drop_batch", (double)draw_log(rng, 1, MOST_HELD));
}

static void start(struct flow_row *row, const void *params, const struct oracle_flow_queue *fresh)
{
	find_queues(row, params);
	for (size_t i = 0; i < FLOWS; i++) {
		struct oracle_flow_queue *queue = &row->oracle.queues[row->queue_of[i]];

		*queue = *fresh;
		for (int end = 0; end < 2; end++)
			queue->hosts[end] = row->hosts[i][end];
		queue->packets.packets = row->rooms[row->queue_of[i]];
		queue->packets.capacity = ROOM;
	}
	row->queue = make_queue(row, params, (struct queue_sink){row, NULL, on_leave});
}

/* An empty row over a law; params are those of its table. */
static void *begin(struct flow_row *row, struct rng *rng, const char *name)
{
	void *params;

	if (row->queue)
		flow_close(row);
	*row = (struct flow_row){
		.gap_ns = 1000000,
		.arrivals_of_16 = 8,
		.busy = FLOWS,
		/* Coarse at times, so that "equal" happens in every comparison. */
		.grid_ns = rng_below(rng, 2) ? 1 : 1000000,
	};
	packet_pool_init(&row->pool);
	arrival.law = aqm_find(name);
	row->law = *arrival.law;
	row->law.on_enqueue = on_enqueue;
	params = malloc(row->law.params_size);
	if (params == NULL || aqm_params_default(&row->law, params, NULL))
		abort();
	return params;
}

static void open_codel(struct flow_row *row, struct rng *rng, bool acts)
{
	struct oracle_flow_queue fresh = {0};
	struct oracle_codel *codel = &fresh.law.codel;
	void *params = begin(row, rng, "fq_codel");
	const uint64_t interval_us = draw_log(rng, 10, 1000000);

	row->oracle.law = ORACLE_FLOW_CODEL;
	open_shape(row, rng, params, 256);
	open_table(row, rng, params);
	codel->interval_ns = set_time(row, params, "interval_ms", interval_us);
	codel->target_ns =
		set_time(row, params, "target_ms",
			 acts ? 10 + interval_us / draw_between(rng, 1, 64) : 4000000);
	codel->maxpacket_bytes =
		set_number(row, params, "mtu_bytes", (double)draw_log(rng, 0, 5000));
	codel->ecn = set_number(row, params, "ecn", (double)rng_below(rng, 2)) != 0;
	if (!acts) /* within 4 s nothing is above for an interval of 4 s */
		codel->interval_ns = set_time(row, params, "interval_ms", 4000000);
	start(row, params, &fresh);
	free(params);
}

static void drr_open(void *state, struct rng *rng)
{
	open_codel(state, rng, false);
}

static void fq_codel_open(void *state, struct rng *rng)
{
	open_codel(state, rng, true);
}

static void fq_pie_open(void *state, struct rng *rng)
{
	struct flow_row *row = state;
	struct oracle_flow_queue fresh = {0};
	struct oracle_pie *pie = &fresh.law.pie;
	void *params = begin(row, rng, "fq_pie");

	/* Queues are kept, so that where their states are is known: flow_queue_test compares. */
	row->law.at_rest = NULL;
	row->oracle.law = ORACLE_FLOW_PIE;
	open_shape(row, rng, params, 256);
	open_table(row, rng, params);
	pie->qdelay_ref = set_time(row, params, "target_ms", draw_log(rng, 10, 50000)) / 1e9;
	pie->t_update = set_time(row, params, "tupdate_ms", draw_log(rng, 3000, 50000));
	pie->max_burst = set_time(row, params, "max_burst_ms",
				  rng_below(rng, 2) ? 0 : draw_log(rng, 0, 100000));
	pie->burst_allowance = pie->max_burst;
	pie->alpha = set_number(row, params, "alpha", (double)draw_log(rng, 0, 1 << 9) / 8);
	pie->beta = set_number(row, params, "beta", (double)draw_log(rng, 0, 1 << 9) / 8);
	pie->mark_ecnth =
		set_number(row, params, "ecn_max_p", (double)draw_between(rng, 0, 8) / 8);
	start(row, params, &fresh);
	free(params);
}

static void cake_open(void *state, struct rng *rng)
{
	static const struct {
		const char *name;
		bool alike[2];
	} isolations[] = {
		{"flows", {false, false}},
		{"dual-srchost", {true, false}},
		{"dual-dsthost", {false, true}},
		{"triple-isolate", {true, true}},
	};
	struct flow_row *row = state;
	struct oracle_flow_queue fresh = {0};
	struct oracle_cobalt *cobalt = &fresh.law.cobalt;
	void *params = begin(row, rng, "cake");
	const uint64_t interval_us = draw_log(rng, 10, 1000000);
	const uint64_t isolation = rng_below(rng, 4);

	row->oracle.law = ORACLE_FLOW_COBALT;
	row->oracle.cake = true;
	for (int end = 0; end < 2; end++)
		row->oracle.alike[end] = isolations[isolation].alike[end];
	open_shape(row, rng, params, 1514);
	set(row, params, "isolation", isolations[isolation].name);
	set_number(row, params, "flows", CAKE_FLOWS);
	cobalt->interval_ns = set_time(row, params, "interval_ms", interval_us);
	cobalt->target_ns = set_time(row, params, "target_ms",
				     10 + interval_us / draw_between(rng, 1, 64));
	start(row, params, &fresh);
	free(params);
}

static void compare_codel(const struct aqm_codel_vars *core, const struct oracle_codel *codel,
			  struct oracle_score *score)
{
	oracle_compare(score, (double)core->first_above_ns, codel->first_above_time);
	oracle_equal(score, core->dropping, codel->dropping);
	/* A queue given up and made again forgets what no longer matters. */
	if (!core->dropping)
		return;
	oracle_equal(score, core->count, (uint64_t)codel->count);
	oracle_compare(score, (double)core->drop_next_ns, codel->drop_next);
}

static void compare_cobalt(const struct aqm_cobalt_vars *core, const struct oracle_cobalt *cobalt,
			   struct oracle_score *score)
{
	oracle_compare(score, (double)core->p_q32, cobalt->p_drop * ORACLE_Q32);
	oracle_equal(score, core->dropping, cobalt->dropping);
	oracle_equal(score, core->count, (uint64_t)cobalt->count);
	if (core->count > 0)
		oracle_compare(score, (double)core->drop_next_ns, cobalt->drop_next);
}

/* The queue whose law's state is at `vars`, which this step has touched. */
static void compare_queue(const struct flow_row *row, size_t at, const void *vars,
			  struct oracle_score *score)
{
	const struct oracle_flow_queue *oracle = &row->oracle.queues[at];
	const enum oracle_flow_list list = oracle_flows_list_of(&row->oracle, at);
	const struct flow_queue *queue =
		(const struct flow_queue *)((const char *)vars - offsetof(struct flow_queue, vars));

	oracle_equal(score, queue->drr.place == AQM_DRR_NEW, list == ORACLE_NEW);
	oracle_equal(score, queue->drr.place == AQM_DRR_OLD, list == ORACLE_OLD);
	oracle_compare(score, (double)queue->drr.deficit_bytes, oracle->credits);
	oracle_compare(score, (double)queue->backlog_bytes, oracle->packets.bytes);
	if (row->oracle.cake) {
		oracle_compare(score, queue->carry, oracle->remainder);
		oracle_equal(score, queue->bulk, oracle->bulk);
	}
	if (row->oracle.law == ORACLE_FLOW_CODEL)
		compare_codel(vars, &oracle->law.codel, score);
	else if (row->oracle.law == ORACLE_FLOW_COBALT)
		compare_cobalt(vars, &oracle->law.cobalt, score);
	else
		oracle_equal(score, ((const struct aqm_pie_vars *)vars)->accumulated_q32,
			     (uint64_t)(oracle->law.pie.accu_prob * ORACLE_Q32));
}

static void compare_left(const struct flow_row *row, size_t theirs, struct oracle_score *score)
{
	oracle_equal(score, row->left, theirs);
	for (size_t i = 0; i < row->left && i < theirs; i++) {
		oracle_equal(score, row->ours[i].number, row->theirs[i].number);
		oracle_verdict(score, row->ours[i].fate, row->theirs[i].fate);
	}
}

static void arrive(struct flow_row *row, struct rng *rng, struct oracle_score *score)
{
	const size_t flow = rng_below(rng, 1 + rng_below(rng, row->busy));
	const size_t at = row->queue_of[flow];
	struct packet *packet = make_packet(row, flow, (uint32_t)draw_between(rng, 40, 1500));
	struct oracle_packet theirs = {
		.number = (unsigned)row->number,
		.arrived_ns = (double)row->now_ns,
		.len_bytes = packet->len_bytes,
		.can_mark = rng_below(rng, 4) == 0,
	};
	size_t left;

	packet->tcp.seq = row->number++;
	packet->ecn = theirs.can_mark ? AQM_ECT0 : AQM_NOT_ECT;
	queue_enqueue(row->queue, packet, row->now_ns);
	theirs.draw = (double)(uint32_t)arrival.random / ORACLE_Q32;
	if (row->oracle.law == ORACLE_FLOW_PIE)
		row->pies[at] = arrival.vars;
	left = oracle_flows_arrive(&row->oracle, at, &theirs, (double)row->now_ns, row->ours_from,
				   row->theirs);
	oracle_verdict(score, (int)arrival.verdict, theirs.fate);
	compare_left(row, left, score);
	if (arrival.verdict != AQM_DROP)
		compare_queue(row, at, arrival.vars, score);
}

static void send(struct flow_row *row, struct oracle_score *score)
{
	size_t from = 0;
	struct packet *packet = queue_dequeue(row->queue, row->now_ns);
	const size_t left =
		oracle_flows_dequeue(&row->oracle, (double)row->now_ns, row->theirs, &from);

	compare_left(row, left, score);
	if (packet == NULL)
		return;
	oracle_equal(score, row->queue_of[packet->hops], from);
	compare_queue(row, from, row->queue->vars, score);
	packet_free(&row->pool, packet);
}

/* PIE's update of every queue; p goes on as the core has it, whose last unit is rounded. */
static void update(struct flow_row *row, uint64_t due_ns, struct oracle_score *score)
{
	for (size_t i = 0; i < row->oracle.count; i++) {
		const struct oracle_list *packets = &row->oracle.queues[i].packets;
		const double age_ns = (double)due_ns - packets->packets[packets->first].arrived_ns;

		oracle_pie_update(&row->oracle.queues[i].law.pie,
				  packets->first == packets->end ? 0 : age_ns / 1e9);
	}
	queue_run(row->queue, due_ns);
	for (size_t i = 0; i < row->oracle.count; i++) {
		struct oracle_pie *pie = &row->oracle.queues[i].law.pie;
		const struct aqm_pie_vars *core = row->pies[i];

		if (core == NULL)
			continue;
		oracle_compare(score, (double)core->p_q32, pie->drop_prob * ORACLE_Q32);
		if ((core->p_q32 == 0) == (pie->drop_prob == 0))
			oracle_equal(score, core->burst_allowance_ns,
				     (uint64_t)pie->burst_allowance);
		pie->drop_prob = (double)core->p_q32 / ORACLE_Q32;
		pie->burst_allowance = (double)core->burst_allowance_ns;
	}
}

static void flow_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct flow_row *row = state;

	if (rng_below(rng, 400) == 0) {
		row->gap_ns = UINT64_C(1) << rng_below(rng, 23);
		row->arrivals_of_16 = (unsigned)draw_between(rng, 4, 13);
		row->busy = (unsigned)draw_between(rng, 1, FLOWS);
	}
	row->now_ns += (1 + rng_below(rng, 2 * row->gap_ns)) / row->grid_ns * row->grid_ns;
	row->left = 0;
	while (queue_next_ns(row->queue) <= row->now_ns)
		update(row, queue_next_ns(row->queue), score);
	if (rng_below(rng, 16) < row->arrivals_of_16)
		arrive(row, rng, score);
	else
		send(row, score);
}

#define FLOW_ROW(law, what, units)                                                                 \
	const struct oracle_row oracle_##law = {                                                   \
		.name = #law,                                                                      \
		.compared = what,                                                                  \
		.allowed = units,                                                                  \
		.size = sizeof(struct flow_row),                                                   \
		.open = law##_open,                                                                \
		.step = flow_step,                                                                 \
		.close = flow_close,                                                               \
	}

FLOW_ROW(drr, "queues served, credits, lists, drops exactly; CoDel never acts", 0);
FLOW_ROW(fq_codel, "queues served, credits, CoDel's times and count, verdicts exactly", 0);
FLOW_ROW(fq_pie, "p (2^-32); queues served, credits, accumulated p, verdicts exactly", 1);
FLOW_ROW(cake, "queues served, credits, bulk flows, COBALT's state, verdicts exactly", 0);
