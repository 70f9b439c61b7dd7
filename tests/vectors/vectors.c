/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vectors [PACKETS [SEED [log]]]: every case through kernel/dual_host.h and through queue/ with the
 * laws' tables, as user space has them.  Prints a line a case, the sum in front of all, which
 * whoever else hosts the laws must come to:
 *
 *     SUM CASE PACKETS passes marks drops [LOG]
 *
 * LOG, where it is asked for, is the sum of queue/'s log lines.  Exit status 1 where the two
 * differ, where a case did not go through all that it should, or where no case filled a queue.
 * "wrong" in the place of "log" gives queue/ other random bits: then every case must differ.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/student_shipped.h"
#include "queue/queue.h"
#include "tests/vectors/bench.h"
#include "tests/vectors/log_sum.h"

#define DEFAULT_PACKETS 1000000
#define DEFAULT_SEED 1

static const struct {
	const char *name, *law, *settings;
} cases[] = {
#define CASE_ROW(name, law, settings) {#name, law, settings},
	VECTORS_CASES(CASE_ROW)
#undef CASE_ROW
};

/* What one host made of a case. */
struct outcome {
	uint64_t sum, log_sum, verdicts[3], overflows, updates;
};

static const struct aqm_student_model *model_of(uint32_t which, struct aqm_student_model *own)
{
	if (which == VECTORS_shipped)
		return aqm_student_shipped();
	memset(own, 0, sizeof(*own));
	vectors_model(which, own);
	return own;
}

static void bench_run(uint32_t which, uint64_t packets, uint64_t seed, struct outcome *outcome)
{
	static struct vectors_bench bench;
	static struct aqm_student_model model;
	struct dual_host_params params;

	vectors_params(which, &params);
	params.own.model = model_of(which, &model);
	vectors_bench_init(&bench, seed, &params);
	while (bench.vectors.arrivals < packets || bench.busy)
		vectors_bench_step(&bench);
	outcome->sum = vectors_close(&bench.vectors, dual_host_p_q32(&bench.host));
	outcome->overflows = bench.host.counts[0].overflows + bench.host.counts[1].overflows;
	outcome->updates = dual_host_is_student(&bench.host)
				   ? bench.host.law.student.stats.law.updates
				   : bench.host.law.pi2.stats.updates;
	memcpy(outcome->verdicts, bench.vectors.verdicts, sizeof(outcome->verdicts));
}

/* What the queue's sink has to do with. */
struct listener {
	struct vectors vectors;
	uint64_t log_sum;
};

static void logged(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	(void)now_ns;
	vectors_log_fold(&((struct listener *)context)->log_sum, record);
}

static void told(void *context, uint64_t now_ns, const struct packet *packet, enum aqm_queue queue,
		 enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	(void)now_ns;
	(void)sojourn_ns;
	vectors_told(&((struct listener *)context)->vectors, packet->random, queue, verdict);
}

/* A packet with the operation's facts; its random bits are the queue's to draw. */
static void put(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		const struct vectors_op *op)
{
	struct packet *packet = packet_new(pool);
	const enum aqm_queue into = aqm_dual_classify(op->ecn);
	const uint64_t marks = queue->counts[into].marks;

	packet->len_bytes = op->len_bytes;
	packet->ecn = op->ecn;
	if (queue_enqueue(queue, packet, op->at_ns))
		vectors_told(vectors, op->random, into,
			     queue->counts[into].marks != marks ? AQM_MARK : AQM_PASS);
}

/* All that is left leaves, so that every packet's log line is there. */
static void empty(struct queue *queue, struct packet_pool *pool, uint64_t now_ns)
{
	struct packet *packet;

	while ((packet = queue_dequeue(queue, now_ns)) != NULL)
		packet_free(pool, packet);
}

/* Packets that leave and drops are told by the sink. */
static void take(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		 const struct vectors_op *op)
{
	struct packet *packet = queue_dequeue(queue, op->at_ns);

	if (packet)
		packet_free(pool, packet);
	else
		vectors_told_empty(vectors);
}

/* `wrong`: the queue draws other bits, for the test of this test. */
static int queue_run_case(uint32_t which, uint64_t packets, uint64_t seed, bool wrong,
			  struct outcome *outcome, struct error *error)
{
	static struct aqm_student_model model;
	struct listener listener = {0};
	struct vectors *vectors = &listener.vectors;
	struct queue_config config = {
		.law = aqm_find(cases[which].law),
		.sink = {.context = &listener, .record = logged, .leave = told},
	};
	void *params = calloc(1, config.law->params_size);
	struct packet_pool pool;
	struct aqm_view view;
	struct queue *queue;

	aqm_params_default(config.law, params, error);
	if (aqm_params_set_all(config.law, params, cases[which].settings, error))
		return 1;
	if (strcmp(cases[which].law, "student") == 0)
		((struct aqm_student_params *)params)->model = model_of(which, &model);
	config.params = params;
	packet_pool_init(&pool);
	config.pool = &pool;
	vectors_packet_state(config.random.state, seed + wrong);
	queue = queue_new(&config, error);
	if (queue == NULL)
		return 1;
	vectors_init(vectors, seed);
	while (vectors->arrivals < packets) {
		struct vectors_op op;

		vectors_next(vectors, &op);
		if (op.kind == VECTORS_ARRIVAL)
			put(queue, config.pool, vectors, &op);
		else
			take(queue, config.pool, vectors, &op);
	}
	config.law->view(queue->params, queue->vars, &view);
	outcome->sum = vectors_close(vectors, view.p_base);
	empty(queue, &pool, vectors->turn_ns);
	outcome->log_sum = listener.log_sum;
	queue_destroy(queue);
	packet_pool_free(&pool);
	free(params);
	return 0;
}

/* Packets that pass, signals of both kinds, updates: else the case shows little. */
static bool is_rich(const struct outcome *outcome)
{
	return outcome->verdicts[AQM_PASS] && outcome->verdicts[AQM_MARK] &&
	       outcome->verdicts[AQM_DROP] && outcome->updates;
}

static void print_case(uint32_t which, uint64_t packets, const struct outcome *outcome)
{
	printf("%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, outcome->sum,
	       cases[which].name, packets, outcome->verdicts[AQM_PASS],
	       outcome->verdicts[AQM_MARK], outcome->verdicts[AQM_DROP]);
}

/* Adds to `overflows`. */
static int run_case(uint32_t which, uint64_t packets, uint64_t seed, bool log, bool wrong,
		    uint64_t *overflows)
{
	struct outcome plain = {0}, hosted = {0};
	struct error error = {0};
	char line[512];

	bench_run(which, packets, seed, &plain);
	if (queue_run_case(which, packets, seed, wrong, &hosted, &error)) {
		fprintf(stderr, "%s\n", error_format(&error, line, sizeof(line)));
		return 1;
	}
	*overflows += plain.overflows;
	print_case(which, packets, &plain);
	if (log)
		printf(" %016" PRIx64, hosted.log_sum);
	printf("\n");
	if (wrong ? plain.sum == hosted.sum : plain.sum != hosted.sum)
		printf("FAILED: %s: queue/ comes to %016" PRIx64 "\n", cases[which].name,
		       hosted.sum);
	else if (!is_rich(&plain))
		printf("FAILED: %s: too little happens\n", cases[which].name);
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_PACKETS;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : DEFAULT_SEED;
	const bool wrong = argc > 3 && strcmp(argv[3], "wrong") == 0;
	const bool log = argc > 3 && strcmp(argv[3], "log") == 0;
	uint64_t overflows = 0;
	int failed = 0;

	for (uint32_t which = 0; which < VECTORS_CASE_COUNT; which++)
		failed |= run_case(which, packets, seed, log, wrong, &overflows);
	/* A law may well keep its queue from filling; what a full one does is the host's. */
	if (overflows == 0)
		printf("FAILED: no queue was ever full\n");
	return failed || overflows == 0;
}
