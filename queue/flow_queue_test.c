/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow queues: the fairness that deficit round robin promises, priority of sparse
 * flows, drops from the fattest queue, and every step of random traces against
 * a plain model of RFC 8290 section 4 in which CoDel never acts.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "queue/flow_table.h"
#include "queue/queue.h"

#define MODEL_FLOWS 40
#define MODEL_ROOM 512 /* packets of a flow */

/* A queue whose departures are kept: the numbers that leave, and how. */
struct bench {
	struct packet_pool pool;
	struct queue *queue;
	uint64_t out[MODEL_ROOM * MODEL_FLOWS], out_count; /* the test sets it back to 0 */
	enum aqm_verdict fate[MODEL_ROOM * MODEL_FLOWS];
	uint64_t records;
	int64_t logged_drops, logged_marks, last_total;
	uint64_t drops, marks, arrivals;
};

static void on_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct bench *bench = context;

	(void)now_ns;
	bench->records++;
	bench->logged_drops += record->dequeue_action == AQM_LOGGED_DROP;
	bench->logged_marks += record->dequeue_action == AQM_LOGGED_MARK;
	assert_true(record->total_packets >= bench->last_total);
	bench->last_total = record->total_packets;
}

static void on_leave(void *context, uint64_t now_ns, const struct packet *packet,
		     enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct bench *bench = context;

	(void)now_ns;
	(void)sojourn_ns;
	assert_int_equal(queue, AQM_QUEUE_C);
	bench->out[bench->out_count] = packet->tcp.seq;
	if (verdict == AQM_PASS && packet->ecn == AQM_CE)
		verdict = AQM_MARK; /* at arrival */
	bench->fate[bench->out_count++] = verdict;
	bench->drops += verdict == AQM_DROP;
	bench->marks += verdict == AQM_MARK;
}

static struct bench *open_bench(const struct aqm_ops *law, const char *const *settings)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct queue_config config = {.pool = &bench->pool, .law = law};
	void *params = malloc(law->params_size + 1);

	packet_pool_init(&bench->pool);
	assert_int_equal(aqm_params_default(law, params, NULL), 0);
	for (; *settings; settings++)
		assert_int_equal(aqm_params_set(law, params, *settings, NULL), 0);
	config.params = params;
	config.sink = (struct queue_sink){bench, on_record, on_leave};
	rng_seed(&config.random, 3);
	bench->queue = queue_new(&config, NULL);
	assert_non_null(bench->queue);
	free(params);
	return bench;
}

static void close_bench(struct bench *bench)
{
	queue_destroy(bench->queue);
	assert_int_equal(bench->pool.allocated, 0);
	packet_pool_free(&bench->pool);
	free(bench);
}

static bool put_between(struct bench *bench, uint32_t source, uint32_t destination, uint32_t flow,
			uint64_t number, uint32_t len_bytes, uint64_t now_ns)
{
	struct packet *packet = packet_new(&bench->pool);

	packet->source_host = source;
	packet->destination_host = destination;
	packet->flow = flow;
	packet->tcp.seq = number;
	packet->len_bytes = len_bytes;
	packet->ecn = number % 3 ? AQM_ECT0 : AQM_NOT_ECT;
	bench->arrivals++;
	return queue_enqueue(bench->queue, packet, now_ns);
}

static bool put(struct bench *bench, uint32_t flow, uint64_t number, uint32_t len_bytes,
		uint64_t now_ns)
{
	return put_between(bench, 0, 0, flow, number, len_bytes, now_ns);
}

/* Flow of the packet sent, or -1. */
static int get(struct bench *bench, uint64_t now_ns, uint32_t *len_bytes)
{
	struct packet *packet = queue_dequeue(bench->queue, now_ns);
	int flow = -1;

	if (packet) {
		flow = (int)packet->flow;
		*len_bytes = packet->len_bytes;
		packet_free(&bench->pool, packet);
	}
	return flow;
}

/* Nothing is lost: what came either left, was dropped, or is held. */
static void check_accounts(const struct bench *bench)
{
	const struct queue *queue = bench->queue;
	const struct queue_counts *counts = &queue->counts[AQM_QUEUE_C];

	assert_int_equal(counts->arrived_pkts, bench->arrivals);
	assert_int_equal(counts->drops, bench->drops);
	/* Those marked at arrival may still be held, or have been dropped. */
	assert_true(queue->law->late ? counts->marks == bench->marks
				     : counts->marks >= bench->marks);
	assert_int_equal(bench->arrivals,
			 counts->left_pkts + counts->drops + queue->backlog_pkts[AQM_QUEUE_C]);
	assert_int_equal(bench->pool.allocated, queue->backlog_pkts[AQM_QUEUE_C]);
}

static const char *const never_codel[] = {"target_ms=4000", "limit_packets=100000",
					  "flows=65536", NULL};

/* Served bytes of two flows that never run empty differ by less than a quantum and a packet. */
static void backlogged_flows_get_equal_bytes(void **state)
{
	static const char *const quanta[] = {"quantum_bytes=1514", "quantum_bytes=300",
					     "quantum_bytes=9000"};
	static const int64_t quantum_bytes[] = {1514, 300, 9000};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 60; i++) {
		const char *settings[] = {"target_ms=4000", quanta[i % 3], NULL};
		struct bench *bench = open_bench(aqm_find("fq_codel"), settings);
		const uint32_t size[2] = {40 + (uint32_t)rng_below(&rng, 1461),
					  40 + (uint32_t)rng_below(&rng, 1461)};
		int64_t sent[2] = {0, 0};

		for (int n = 0; n < 2000; n++)
			put(bench, n % 2, (uint64_t)n, size[n % 2], 0);
		for (;;) {
			uint32_t len_bytes = 0;
			const int flow = get(bench, 0, &len_bytes);

			sent[flow] += len_bytes;
			if (sent[flow] == (int64_t)1000 * size[flow])
				break;
			assert_true(llabs(sent[0] - sent[1]) < quantum_bytes[i % 3] + 1500);
		}
		close_bench(bench);
	}
}

static void a_sparse_flow_goes_first(void **state)
{
	struct bench *bench = open_bench(aqm_find("fq_codel"), never_codel);
	uint32_t len_bytes;
	int of_two = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		put(bench, 1, i, 1500, 0);
	for (uint64_t t = 1; t <= 30; t++) {
		assert_int_equal(get(bench, t * NS_PER_MS, &len_bytes), 1);
		if (t % 3)
			continue;
		put(bench, 2, 100 + t, 200, t * NS_PER_MS);
		assert_int_equal(get(bench, t * NS_PER_MS, &len_bytes), 2);
	}
	/* Beyond its quantum it is a flow like any other. */
	for (uint32_t i = 0; i < 40; i++)
		put(bench, 2, 200 + i, 1500, 31 * NS_PER_MS);
	for (int i = 0; i < 20; i++)
		of_two += get(bench, 31 * NS_PER_MS, &len_bytes) == 2;
	assert_in_range(of_two, 9, 11);
	close_bench(bench);
}

/* A queue that paused is not new again while it still is on its way through the old ones. */
static void pausing_does_not_make_a_flow_new(void **state)
{
	struct bench *bench = open_bench(aqm_find("fq_codel"), never_codel);
	uint32_t len_bytes;
	int of_three = 0;

	(void)state;
	for (uint32_t i = 0; i < 400; i++)
		put(bench, 1 + i % 2, i, 1500, 0);
	/* Flow 3 always has just one packet in the queue: about every third one may be its. */
	put(bench, 3, 999, 1500, 0);
	for (int i = 0; i < 300; i++) {
		const int flow = get(bench, 0, &len_bytes);

		if (flow == 3)
			put(bench, 3, 1000 + (uint64_t)i, 1500, 0);
		of_three += flow == 3;
	}
	assert_in_range(of_three, 95, 105);
	close_bench(bench);
}

/* The model: RFC 8290 section 4 as it reads, over arrays. */
struct model_flow {
	uint64_t numbers[MODEL_ROOM];
	uint32_t lengths[MODEL_ROOM];
	uint32_t first, count;
	int64_t bytes, deficit;
};

struct model {
	struct model_flow flows[MODEL_FLOWS];
	int news[MODEL_FLOWS], new_count, olds[MODEL_FLOWS], old_count;
	int64_t quantum;
	uint32_t held, limit;
};

static void take_out(int *list, int *count)
{
	memmove(list, list + 1, (size_t)--*count * sizeof(*list));
}

static bool is_listed(const struct model *model, int flow)
{
	for (int i = 0; i < model->new_count; i++)
		if (model->news[i] == flow)
			return true;
	for (int i = 0; i < model->old_count; i++)
		if (model->olds[i] == flow)
			return true;
	return false;
}

static void model_pop(struct model *model, int flow)
{
	struct model_flow *f = &model->flows[flow];

	f->bytes -= f->lengths[f->first % MODEL_ROOM];
	f->first++;
	f->count--;
	model->held--;
}

static void model_put(struct model *model, int flow, uint64_t number, uint32_t len_bytes)
{
	struct model_flow *f = &model->flows[flow];

	f->numbers[(f->first + f->count) % MODEL_ROOM] = number;
	f->lengths[(f->first + f->count) % MODEL_ROOM] = len_bytes;
	f->count++;
	f->bytes += len_bytes;
	model->held++;
	if (!is_listed(model, flow)) {
		f->deficit = model->quantum;
		model->news[model->new_count++] = flow;
	}
}

/* Flow that sends next, or -1. */
static int model_get(struct model *model)
{
	while (model->new_count + model->old_count > 0) {
		const bool is_new = model->new_count > 0;
		const int flow = is_new ? model->news[0] : model->olds[0];
		struct model_flow *f = &model->flows[flow];
		bool to_old = f->deficit <= 0;

		if (to_old) {
			f->deficit += model->quantum;
		} else if (f->count) {
			f->deficit -= f->lengths[f->first % MODEL_ROOM];
			return flow;
		} else {
			to_old = is_new;
		}
		if (is_new)
			take_out(model->news, &model->new_count);
		else
			take_out(model->olds, &model->old_count);
		if (to_old)
			model->olds[model->old_count++] = flow;
	}
	return -1;
}

/* Packets dropped at this arrival must come from heads of queues that were the fattest. */
static void model_drops(struct model *model, const struct bench *bench)
{
	for (uint64_t i = 0; i < bench->out_count; i++) {
		int fattest = -1;

		assert_int_equal(bench->fate[i], AQM_DROP);
		assert_true(model->held > model->limit);
		for (int f = 0; f < MODEL_FLOWS; f++) {
			const struct model_flow *flow = &model->flows[f];

			if (flow->count &&
			    flow->numbers[flow->first % MODEL_ROOM] == bench->out[i])
				fattest = f;
		}
		assert_true(fattest >= 0);
		for (int f = 0; f < MODEL_FLOWS; f++)
			assert_true(model->flows[f].bytes <= model->flows[fattest].bytes);
		model_pop(model, fattest);
	}
	assert_true(model->held <= model->limit);
}

static void random_step(struct model *model, struct bench *bench, struct rng *rng, uint64_t number,
			bool arrive)
{
	uint32_t len_bytes = 40 + (uint32_t)rng_below(rng, 1461);
	const int flow = (int)rng_below(rng, 1 + rng_below(rng, MODEL_FLOWS));

	bench->out_count = 0;
	if (arrive) {
		const bool kept = put(bench, (uint32_t)flow, number, len_bytes, number);

		model_put(model, flow, number, len_bytes);
		model_drops(model, bench);
		for (uint64_t i = 0; i < bench->out_count; i++)
			assert_true(bench->out[i] != number || !kept);
	} else {
		const int sends = model_get(model);
		const struct model_flow *f = &model->flows[sends < 0 ? 0 : sends];

		assert_int_equal(get(bench, number, &len_bytes), sends);
		if (sends < 0)
			return;
		assert_int_equal(bench->out_count, 1);
		assert_int_equal(bench->out[0], f->numbers[f->first % MODEL_ROOM]);
		model_pop(model, sends);
	}
}

static void every_step_is_that_of_the_model(void **state)
{
	static const char *const settings[] = {"target_ms=4000", "interval_ms=4000",
					       "limit_packets=200", "flows=1048576",
					       "drop_batch=1", NULL};
	struct model *model = calloc(1, sizeof(*model));
	struct bench *bench = open_bench(aqm_find("fq_codel"), settings);
	uint64_t arrive_of_16 = 8;
	struct rng rng;

	(void)state;
	model->quantum = 1514;
	model->limit = 200;
	rng_seed(&rng, 5);
	for (uint64_t i = 0; i < 300000; i++) {
		if (i % 1000 == 0)
			arrive_of_16 = 4 + rng_below(&rng, 9);
		random_step(model, bench, &rng, i, rng_below(&rng, 16) < arrive_of_16);
		check_accounts(bench);
	}
	assert_true(bench->drops > 1000);
	while (get(bench, 300000, &(uint32_t){0}) >= 0)
		bench->out_count = 0;
	assert_int_equal(bench->records, bench->arrivals);
	assert_int_equal(bench->logged_drops, bench->drops);
	free(model);
	close_bench(bench);
}

/* The batch: at most so many packets, and no more once half of the bytes are gone. */
static void a_batch_is_dropped_at_once(void **state)
{
	static const char *const settings[] = {"target_ms=4000", "limit_packets=100",
					       "drop_batch=64", NULL};
	static const char *const by_bytes[] = {"target_ms=4000", "limit_bytes=150000",
					       "drop_batch=10", NULL};
	struct bench *bench = open_bench(aqm_find("fq_codel"), settings);

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		put(bench, 1, i, 1500, 0);
	for (uint32_t i = 0; i < 80; i++)
		put(bench, 2, 20 + i, 1000, 0);
	assert_int_equal(bench->drops, 0);
	assert_true(put(bench, 1, 100, 1500, 0));
	assert_int_equal(bench->drops, 40);
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(bench->out[i], 20 + i);
	close_bench(bench);
	bench = open_bench(aqm_find("fq_codel"), by_bytes);
	for (uint32_t i = 0; i <= 100; i++)
		put(bench, 1, i, 1500, 0);
	assert_int_equal(bench->drops, 10);
	close_bench(bench);
}

/* A random trace through a law, whatever leaves summed up in a number. */
static uint64_t digest_of(const struct aqm_ops *law, const char *const *settings, uint64_t *signals)
{
	struct bench *bench = open_bench(law, settings);
	uint64_t now_ns = 0, digest = 0, arrive_of_16 = 8;
	struct rng rng;

	rng_seed(&rng, 11);
	for (uint64_t i = 0; i < 200000; i++) {
		if (i % 500 == 0)
			arrive_of_16 = 4 + rng_below(&rng, 9);
		now_ns += rng_below(&rng, i % 5000 == 0 ? 10 * NS_PER_S : NS_PER_MS);
		bench->out_count = 0;
		if (rng_below(&rng, 16) < arrive_of_16)
			put(bench, (uint32_t)rng_below(&rng, 30), i, 1500, now_ns);
		else
			get(bench, now_ns, &(uint32_t){0});
		for (uint64_t k = 0; k < bench->out_count; k++)
			digest = digest * 31 + bench->out[k] * 3 + bench->fate[k];
		check_accounts(bench);
	}
	*signals = bench->drops + bench->marks;
	close_bench(bench);
	return digest;
}

/*
 * That idle queues are given up at rest cannot be told from outside.  Not so COBALT's: it forgets
 * by visits, which come more often the fewer queues there are; cobalt_test looks at its rest.
 */
static void queues_given_up_leave_no_trace(void **state)
{
	static const char *const settings[] = {"limit_packets=400", NULL};

	(void)state;
	for (const struct aqm_ops *const *law = aqm_all; *law; law++) {
		struct aqm_ops hoarder = **law;
		uint64_t signals, signals_of_hoarder;

		if ((*law)->flow_shape == NULL || strcmp((*law)->name, "cake") == 0)
			continue;
		hoarder.at_rest = NULL;
		assert_int_equal(digest_of(*law, settings, &signals),
				 digest_of(&hoarder, settings, &signals_of_hoarder));
		assert_int_equal(signals, signals_of_hoarder);
		assert_true(signals > 1000);
	}
}

/* Flows of four host pairs, all backlogged. */
static const struct {
	uint32_t source, destination, flows;
} crowd[] = {{1, 1, 1}, {1, 2, 2}, {2, 3, 6}, {3, 3, 3}};

#define PAIRS (sizeof(crowd) / sizeof(crowd[0]))
#define CROWD_FLOWS 12

/* Shares of the four host pairs under an isolation, of 1 in all. */
static void share_between(const char *isolation, double shares[PAIRS])
{
	const char *settings[] = {"target_ms=4000", "limit_packets=100000", "limit_bytes=1e9",
				  isolation, NULL};
	struct bench *bench = open_bench(aqm_find("cake"), settings);
	uint32_t pair_of[CROWD_FLOWS], flow = 0, len_bytes = 0;
	double all = 0;
	struct rng rng;

	rng_seed(&rng, 8);
	for (uint32_t p = 0; p < PAIRS; p++) {
		for (uint32_t i = 0; i < crowd[p].flows; i++, flow++) {
			const uint32_t length = 200 + (uint32_t)rng_below(&rng, 1300);

			pair_of[flow] = p;
			for (uint32_t n = 0; n < 4000000 / length; n++)
				put_between(bench, crowd[p].source, crowd[p].destination, flow, n,
					    length, 0);
		}
		shares[p] = 0;
	}
	assert_int_equal(flow, CROWD_FLOWS);
	bench->out_count = 0;
	while (all < 3.9e6) {
		const int sends = get(bench, 0, &len_bytes);

		bench->out_count = 0;
		shares[pair_of[sends]] += len_bytes;
		all += len_bytes;
	}
	for (uint32_t p = 0; p < PAIRS; p++)
		shares[p] /= all;
	close_bench(bench);
}

static void hosts_share_before_their_flows(void **state)
{
	static const struct {
		const char *isolation;
		double shares[PAIRS];
	} cases[] = {
		{"isolation=flows", {1 / 12.0, 2 / 12.0, 6 / 12.0, 3 / 12.0}},
		{"isolation=hosts", {1 / 4.0, 1 / 4.0, 1 / 4.0, 1 / 4.0}},
		{"isolation=dual-srchost", {1 / 9.0, 2 / 9.0, 3 / 9.0, 3 / 9.0}},
		{"isolation=dual-dsthost", {1 / 3.0, 1 / 3.0, 6 / 27.0, 3 / 27.0}},
		/* Weights 1/3, 2/3 (source 1 has 3 flows); 6/9, 3/9 (destination 3 has 9). */
		{"isolation=triple-isolate", {1 / 6.0, 2 / 6.0, 2 / 6.0, 1 / 6.0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double shares[PAIRS];

		share_between(cases[i].isolation, shares);
		for (size_t p = 0; p < PAIRS; p++)
			if (fabs(shares[p] - cases[i].shares[p]) > 0.012)
				fail_msg("%s, pair %zu: %g, not %g", cases[i].isolation, p,
					 shares[p], cases[i].shares[p]);
	}
}

/* Against a flow that has its host for itself, hundreds of another host together get as much. */
static void a_crowd_of_flows_is_one_host(void **state)
{
	static const char *const settings[] = {"isolation=dual-srchost", "target_ms=4000",
					       "limit_packets=100000", "flows=4096", NULL};
	struct bench *bench = open_bench(aqm_find("cake"), settings);
	int64_t sent[1 + 300] = {0}, least = INT64_MAX, most = 0, by_host[2] = {0, 0};
	uint32_t len_bytes = 0;

	(void)state;
	for (uint32_t n = 0; n < 7000; n++)
		put_between(bench, 1, 0, 0, n, 1200, 0);
	for (uint32_t n = 0; n < 300 * 30; n++)
		put_between(bench, 2, 0, 1 + n % 300, n, 400 + n % 300 * 3, 0);
	for (int i = 0; i < 8000; i++) {
		const int flow = get(bench, 0, &len_bytes);

		bench->out_count = 0;
		sent[flow] += len_bytes;
		/* Not at the start: none of the crowd was bulk yet. */
		by_host[flow > 0] += i < 2000 ? 0 : len_bytes;
	}
	for (int flow = 1; flow <= 300; flow++) {
		least = sent[flow] < least ? sent[flow] : least;
		most = sent[flow] > most ? sent[flow] : most;
	}
	assert_true(llabs(by_host[0] - by_host[1]) < by_host[0] / 50);
	assert_true(most - least < 1514 + 1500);
	check_accounts(bench);
	close_bench(bench);
}

/* Eight places to choose from: flows share a queue far less often than where the hash decides. */
static void a_set_keeps_flows_apart(void **state)
{
	const uint64_t vars = 0;
	uint32_t sharing[2] = {0, 0};

	(void)state;
	for (int sets = 0; sets < 2; sets++) {
		const struct aqm_flow_shape shape = {.flows = 1024, .ways = sets ? 8 : 1};
		struct flow_table table;

		assert_int_equal(flow_table_init(&table, &shape, sizeof(vars), 7), 0);
		for (uint32_t flow = 0; flow < 400; flow++) {
			const struct packet packet = {.flow = flow};

			flow_table_find(&table, &packet, &vars, 0);
		}
		sharing[sets] = 400 - table.in_use;
		flow_table_free(&table);
	}
	assert_in_range(sharing[0], 40, 90);
	assert_in_range(sharing[1], 0, 4);
}

/* Counts of bulk flows by host, and the least of them, against a plain search. */
static void loads_are_counted(void **state)
{
	uint32_t loads[64] = {0};
	struct flow_hosts hosts;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	assert_int_equal(flow_hosts_init(&hosts, 64, 8), 0);
	for (int i = 0; i < 100000; i++) {
		const uint32_t host = (uint32_t)rng_below(&rng, 1 + rng_below(&rng, 64));
		const bool up = loads[host] == 0 || (loads[host] < 64 && rng_below(&rng, 2));
		uint32_t least = 0;

		loads[host] += up ? 1 : UINT32_MAX;
		flow_hosts_count(&hosts, host, up ? 1 : -1);
		for (int h = 0; h < 64; h++)
			if (loads[h] && (least == 0 || loads[h] < least))
				least = loads[h];
		assert_int_equal(flow_hosts_load(&hosts, host), loads[host]);
		assert_int_equal(hosts.least, least);
	}
	flow_hosts_free(&hosts);
}

static void a_table_holds_what_is_in_use(void **state)
{
	const uint64_t vars = 42;
	const struct aqm_flow_shape shape = {.flows = 1024, .ways = 1};
	struct packet packet = {.protocol = NET_TCP, .to_server = true};
	struct flow_table table;
	struct flow_queue *first, *again;

	(void)state;
	assert_int_equal(flow_table_init(&table, &shape, sizeof(vars), 7), 0);
	first = flow_table_find(&table, &packet, &vars, 0);
	assert_int_equal(*(uint64_t *)first->vars, 42);
	assert_ptr_equal(flow_table_find(&table, &packet, &vars, 0), first);
	*(uint64_t *)first->vars = 43;
	flow_table_release(&table, first);
	assert_int_equal(table.in_use, 0);
	again = flow_table_find(&table, &packet, &vars, 0);
	assert_int_equal(*(uint64_t *)again->vars, 42);
	packet.to_server = false;
	assert_ptr_not_equal(flow_table_find(&table, &packet, &vars, 0), again);
	for (packet.flow = 0; packet.flow < 100000; packet.flow++)
		assert_non_null(flow_table_find(&table, &packet, &vars, 0));
	assert_int_equal(table.in_use, 1024);
	flow_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backlogged_flows_get_equal_bytes),
		cmocka_unit_test(a_sparse_flow_goes_first),
		cmocka_unit_test(pausing_does_not_make_a_flow_new),
		cmocka_unit_test(every_step_is_that_of_the_model),
		cmocka_unit_test(a_batch_is_dropped_at_once),
		cmocka_unit_test(queues_given_up_leave_no_trace),
		cmocka_unit_test(hosts_share_before_their_flows),
		cmocka_unit_test(a_crowd_of_flows_is_one_host),
		cmocka_unit_test(a_set_keeps_flows_apart),
		cmocka_unit_test(loads_are_counted),
		cmocka_unit_test(a_table_holds_what_is_in_use),
	};

	return cmocka_run_group_tests_name("flow queues", tests, NULL, NULL);
}
