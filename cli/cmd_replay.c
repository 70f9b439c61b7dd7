/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm replay: a packet trace through a queue law, every verdict printed.
 *
 * There is no link and no clock but the trace's: packets leave when the trace
 * says deq.  Updates due at or before a row's time run first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/trace_file.h"
#include "queue/queue.h"

static struct {
	const char *aqm, *random;
	struct option_list settings;
} o = {.random = "seed:1"};

static const struct option replay_options[] = {
	{"aqm", 0, OPTION_TEXT, &o.aqm, "NAME", "queue law; required; aqmllm aqms lists them", 0,
	 0},
	{"set", 0, OPTION_LIST, &o.settings, "K=V", "parameter of the law; may be repeated", 0, 0},
	{"random", 0, OPTION_TEXT, &o.random, "HOW",
	 "seed:S draws packets' bits from a seed; never: a draw fires at probability 1 only; "
	 "always: at any above 0; default seed:1",
	 0, 0},
	{0},
};

struct replay {
	struct queue *queue;
	struct packet_pool pool;
	uint64_t t_ns;
	const char *op;
	uint64_t rows; /* printed for the present row of the trace */
};

static void print_probability(uint64_t p_q32)
{
	printf(",%.9f", (double)p_q32 / (double)AQM_Q32_ONE);
}

static void print_row(struct replay *replay, const char *verdict, enum aqm_queue queue,
		      uint64_t sojourn_ns)
{
	const struct aqm_ops *law = replay->queue->law;
	struct aqm_view view = {0};

	if (law->view)
		law->view(replay->queue->params, replay->queue->vars, &view);
	printf("%" PRIu64 ",%s,%s,%s,%" PRIu64, replay->t_ns, replay->op, verdict,
	       queue == AQM_QUEUE_L ? "L" : "C", sojourn_ns);
	print_probability(view.p_base);
	print_probability(view.p_c);
	if (law->dual)
		print_probability(view.p_l);
	else
		putchar(',');
	putchar('\n');
	replay->rows++;
}

static const char *verdict_name(enum aqm_verdict verdict)
{
	return verdict == AQM_PASS ? "pass" : verdict == AQM_MARK ? "mark" : "drop";
}

/* Every packet that leaves: by the link's will, or dropped. */
static void on_leave(void *context, uint64_t now_ns, const struct packet *packet,
		     enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct replay *replay = context;

	(void)now_ns;
	(void)packet;
	print_row(replay, verdict_name(verdict), queue, sojourn_ns);
}

static int replay_enqueue(struct replay *replay, const struct trace_row *row, struct error *error)
{
	struct packet *packet = packet_new(&replay->pool);
	const uint64_t marks = replay->queue->counts[0].marks + replay->queue->counts[1].marks;
	const uint64_t arrived_l = replay->queue->counts[AQM_QUEUE_L].arrived_pkts;

	if (packet == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	packet->len_bytes = row->len_bytes;
	packet->ecn = row->ecn;
	packet->flow = row->flow;
	packet->source_host = row->source_host;
	packet->destination_host = row->destination_host;
	if (queue_enqueue(replay->queue, packet, row->t_ns)) {
		const bool marked =
			replay->queue->counts[0].marks + replay->queue->counts[1].marks != marks;

		print_row(replay, marked ? "mark" : "pass",
			  replay->queue->counts[AQM_QUEUE_L].arrived_pkts != arrived_l
				  ? AQM_QUEUE_L
				  : AQM_QUEUE_C,
			  0);
	}
	return 0;
}

static void replay_dequeue(struct replay *replay, const struct trace_row *row)
{
	struct packet *packet = queue_dequeue(replay->queue, row->t_ns);

	if (packet)
		packet_free(&replay->pool, packet);
	else if (replay->rows == 0)
		print_row(replay, "empty", AQM_QUEUE_C, 0);
}

/* The older head of the two queues. */
static void replay_observe(struct replay *replay, const struct trace_row *row)
{
	const uint64_t l = queue_head_sojourn_ns(replay->queue, AQM_QUEUE_L, row->t_ns);
	const uint64_t c = queue_head_sojourn_ns(replay->queue, AQM_QUEUE_C, row->t_ns);

	print_row(replay, "empty", l > c ? AQM_QUEUE_L : AQM_QUEUE_C, l > c ? l : c);
}

static int replay_row(struct replay *replay, const struct trace_row *row, struct error *error)
{
	static const char *const names[] = {"enq", "deq", "obs"};
	int code = 0;

	replay->t_ns = row->t_ns;
	replay->op = names[row->op];
	replay->rows = 0;
	queue_run(replay->queue, row->t_ns);
	if (row->op == TRACE_ENQUEUE)
		code = replay_enqueue(replay, row, error);
	else if (row->op == TRACE_DEQUEUE)
		replay_dequeue(replay, row);
	else
		replay_observe(replay, row);
	return code;
}

/* Between two rows, the start included, of laws that update meanwhile: a hundred days. */
#define LONGEST_GAP_NS (UINT64_C(100) * 86400 * 1000000000)

static int check_gap(const struct replay *replay, const struct trace_file *trace,
		     const struct trace_row *row, struct error *error)
{
	if (replay->queue->law->tick == NULL || row->t_ns - replay->t_ns <= LONGEST_GAP_NS)
		return 0;
	return error_at(error, ERR_RANGE, trace->path, trace->line, "t_ns",
			"lies over 100 days after the row before (the first row: after 0, where "
			"updates begin); subtract the trace's first time from all");
}

static int parse_random(enum queue_draws *draws, struct rng *random, struct error *error)
{
	char *end;

	*draws = QUEUE_DRAWS_RANDOM;
	rng_seed(random, 1);
	if (strcmp(o.random, "never") == 0) {
		*draws = QUEUE_DRAWS_NEVER;
		return 0;
	}
	if (strcmp(o.random, "always") == 0) {
		*draws = QUEUE_DRAWS_ALWAYS;
		return 0;
	}
	if (strncmp(o.random, "seed:", 5) == 0 && o.random[5] >= '0' && o.random[5] <= '9') {
		rng_seed(random, strtoull(o.random + 5, &end, 10));
		if (*end == '\0')
			return 0;
	}
	return error_at(error, ERR_INVALID, NULL, 0, "--random",
			"%s is none of seed:NUMBER, never, always", o.random);
}

static int make_queue(struct replay *replay, struct error *error)
{
	const struct aqm_ops *law = o.aqm ? aqm_find(o.aqm) : NULL;
	struct queue_config config = {
		.law = law, .pool = &replay->pool, .sink = {.context = replay, .leave = on_leave}};
	void *params;
	int code;

	if (law == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--aqm",
				"%s is not a law; aqmllm aqms lists them",
				o.aqm ? o.aqm : "nothing");
	params = malloc(law->params_size + 1);
	if (params == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	config.params = params;
	code = aqm_params_default(law, params, error);
	for (size_t i = 0; code == 0 && i < o.settings.count; i++)
		code = aqm_params_set(law, params, o.settings.items[i], error);
	if (code == 0)
		code = parse_random(&config.draws, &config.random, error);
	if (code == 0) {
		replay->queue = queue_new(&config, error);
		code = replay->queue ? 0 : ERR_INVALID;
	}
	free(params);
	return code;
}

static int run_replay(const struct command_common *common, const char **operands, size_t count,
		      struct error *error)
{
	struct replay replay = {0};
	struct trace_file trace;
	struct trace_row row;
	int code, more = 0;

	(void)common;
	if (count != 1)
		return error_set(error, ERR_INVALID,
				 "name one trace: aqmllm replay TRACE.csv --aqm LAW");
	packet_pool_init(&replay.pool);
	code = make_queue(&replay, error);
	if (code == 0)
		code = trace_file_open(&trace, operands[0], error);
	if (code == 0) {
		puts("t_ns,op,verdict,queue,sojourn_ns,p_base,p_c,p_l");
		while (code == 0 && (more = trace_file_next(&trace, &row, error)) > 0) {
			code = check_gap(&replay, &trace, &row, error);
			if (code == 0)
				code = replay_row(&replay, &row, error);
		}
		code = code ? code : more;
		trace_file_close(&trace);
	}
	queue_destroy(replay.queue);
	packet_pool_free(&replay.pool);
	return code;
}

const struct command command_replay = {
	.name = "replay",
	.operands = "TRACE.csv --aqm LAW",
	.summary = "put a packet trace through a queue law and print every verdict",
	.details =
		"TRACE.csv (- for standard input) has the header t_ns,op,len_bytes,ecn,flow. op is "
		"enq, deq, or obs to look without touching; ecn is not, ect0, ect1 or ce; fields "
		"that an operation does not need may be empty.\n\n"
		"Each row prints t_ns,op,verdict,queue,sojourn_ns,p_base,p_c,p_l, probabilities "
		"after the operation; a dequeue that drops prints a row for every packet that "
		"leaves. An enqueue that keeps the packet says pass even where the law decides at "
		"dequeue; on an empty queue a dequeue says empty, as obs always does (sojourn_ns "
		"is then the age of the older head).\n\n"
		"Under a law of flow queues (fq_codel and its kin) the column flow chooses the "
		"queue, probabilities are those of the queue last touched, and an enqueue beyond "
		"the limit first prints a row for every packet that it pushes out. For laws that "
		"share between hosts (cake) the columns source_host and destination_host may be "
		"there too, numbers that are 0 unless said.",
	.options = replay_options,
	.run = run_replay,
};
