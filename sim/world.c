/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building the network of a run and moving packets through it.
 */
#include "sim/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/* Labels of the run's random number generators; 4 is that of variation_random(). */
enum stream { STREAM_QUEUE = 1, STREAM_FLOWS, STREAM_PATHS, STREAM_AIR = 5 };

/* The other end of the bottleneck's delay. */
static void gate_forward(struct sim_node *node, struct packet *packet)
{
	struct world *world = (struct world *)((char *)node - offsetof(struct world, gate));

	if (world->shared_pipe && packet->hops < 2)
		node_forward(world->entry, packet);
	else
		switchboard_deliver(world, packet);
}

static void gate_expect(struct sim_node *node, const struct packet *packet,
			const struct packet *after)
{
	switchboard_expect((struct world *)((char *)node - offsetof(struct world, gate)), packet,
			   after);
}

static const struct sim_node_ops gate_ops = {.forward = gate_forward, .expect = gate_expect};

struct delay_line *world_way_back(struct world *world, struct sim_node *next, uint64_t delay_ns)
{
	struct delay_line *line = world->ways_back;

	for (uint64_t i = 0; i < world->way_back_count; i++, line++)
		if (line->delay_ns == delay_ns && line->node.next == next)
			return line;
	delay_line_init(line, &world->clock, next, delay_ns);
	world->way_back_count++;
	return line;
}

void world_show(const struct world *world, const struct packet *packet, enum sim_tap tap,
		uint64_t sojourn_ns)
{
	const struct sim_options *options = world->options;

	if (options->packet)
		options->packet(options->context, world->clock.now_ns, packet, tap, sojourn_ns);
}

/* The processor had no room for it. */
static void on_no_room(void *context, uint64_t now_ns, const struct packet *packet)
{
	(void)now_ns;
	world_show(context, packet, SIM_TAP_DROPPED, 0);
}

static void on_sent(void *context, uint64_t now_ns, const struct packet *packet)
{
	struct world *world = context;

	world->result->data_packets += packet->to_server;
	world->bin_bytes += packet->len_bytes;
	if (now_ns > world->warmup_ns)
		world->bytes_after_warmup += packet->len_bytes;
}

/*
 * A packet's class by its ECN field.  CE says nothing: then by its flow's, and of a connection that
 * is gone as RFC 9331 has routers take CE.
 */
static enum aqm_queue class_of(const struct world *world, const struct packet *packet)
{
	const struct switchboard *board = &world->switchboard;
	const struct connection *connection = NULL;

	if (packet->ecn != AQM_CE)
		return packet->ecn == AQM_ECT1 ? AQM_QUEUE_L : AQM_QUEUE_C;
	if (packet->flow < board->capacity)
		connection = board->lines[packet->flow].connection;
	return connection == NULL || connection->host->result->l4s ? AQM_QUEUE_L : AQM_QUEUE_C;
}

static void on_leave(void *context, uint64_t now_ns, const struct packet *packet,
		     enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct world *world = context;

	world_show(world, packet, verdict == AQM_DROP ? SIM_TAP_DROPPED : (enum sim_tap)queue,
		   sojourn_ns);
	if (verdict != AQM_DROP) {
		world->bin_delay_ns[queue] += (double)sojourn_ns;
		world->bin_pkts[queue]++;
		world->bin_delay_ns[SIM_ALL] += (double)sojourn_ns;
		world->bin_pkts[SIM_ALL]++;
	}
	if (now_ns <= world->warmup_ns)
		return;
	sim_queue_result_add(&world->result->queues[queue], packet, verdict, sojourn_ns);
	sim_queue_result_add(&world->result->queues[SIM_ALL], packet, verdict, sojourn_ns);
	if (!world->two_queues && verdict != AQM_DROP)
		histogram_add(&world->result->class_qdelay_ns[class_of(world, packet)], sojourn_ns);
}

static void on_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	const struct world *world = context;

	world->options->record(world->options->context, now_ns, record);
}

static int build_queue(struct world *world, const struct rng *root, struct error *error)
{
	const struct sim_options *options = world->options;
	struct queue_config config = {
		.law = options->law,
		.params = options->params,
		.pool = &world->pool,
		.random = rng_split(root, STREAM_QUEUE),
		.sink = {world, options->record ? on_record : NULL, on_leave},
	};
	void *own = NULL;
	int code = 0;

	if (config.law == NULL) {
		code = sim_law(world->scenario, &config.law, &own, error);
		config.params = own;
	}
	if (code == 0) {
		world->two_queues = config.law->dual;
		world->queue = queue_new(&config, error);
		code = world->queue ? 0 : ERR_INVALID;
	}
	if (code == 0 && error && world->queue == NULL && error->code)
		code = error->code;
	free(own);
	return code;
}

/* The key that asks for what a pipe does not do; NULL: there is none. */
static const char *unlike_a_pipe(const struct scenario *scenario)
{
	return scenario->step_count         ? "rate_steps"
	       : scenario->trace_count      ? "rate_trace"
	       : scenario->rate_kind        ? "rate_generated"
	       : scenario->delay_step_count ? "delay_steps"
	       : scenario->handover.every_s ? "handover"
	       : scenario->aggregation.packets ? "aggregation"
					       : NULL;
}

/* A pipe on the router's clock, if its law has one. */
static int build_pipe(struct world *world, double hz, struct error *error)
{
	const struct link_sink sink = {world, on_sent};
	const uint64_t rate_bps = (uint64_t)llround(world->scenario->rate_mbps * 1e6);
	const char *fault = unlike_a_pipe(world->scenario);

	if (fault)
		return error_at(error, ERR_UNSUPPORTED, world->scenario->path,
				scenario_line_of(world->scenario, fault), fault,
				"a router with a clock of its own (%s) has one constant rate and "
				"delay",
				world->queue->law->name);
	pipe_init(&world->pipe, &world->clock, &world->forward_delay, world->queue, rate_bps,
		  (uint64_t)(1e9 / hz), sink);
	world->forward_delay.grid_ns = world->pipe.tick_ns;
	world->entry = &world->pipe.node;
	return 0;
}

/* Where handling a packet costs time, everything waits for the processor. */
static void build_processor(struct world *world, bool serves_pipe)
{
	struct processor *processor = &world->processor;

	processor_init(processor, &world->clock, world->entry, &world->gate,
		       serves_pipe ? &world->pipe : NULL);
	processor->cost_ns = (uint64_t)llround(world->scenario->packet_cost_us * 1e3);
	processor->passes = world->shared_pipe ? 2 : 1;
	processor->room_packets = world->scenario->receive_packets;
	processor->pool = &world->pool;
	processor->no_room = (struct link_sink){world, on_no_room};
	if (serves_pipe) {
		world->pipe.processor = processor;
		world->forward_delay.node.next = &processor->node;
	}
	world->entry = &processor->node;
}

/*
 * What law parameters say of the router itself: ticks of its clock (0: fine), and one pipe for
 * both ways.  A law that knows of neither runs in the router of the scenario's own law.
 */
static int read_router(struct world *world, double *hz, struct error *error)
{
	const struct aqm_ops *law = world->queue->law;
	const void *params = world->queue->params;
	void *own = NULL;
	double shared = 0;
	int code = 0;

	*hz = 0;
	if (aqm_params_get(law, params, "hz", hz) != 0) {
		code = sim_law(world->scenario, &law, &own, error);
		params = own;
	}
	if (code == 0) {
		aqm_params_get(law, params, "hz", hz);
		aqm_params_get(law, params, "shared_pipe", &shared);
	}
	world->shared_pipe = shared != 0;
	free(own);
	return code;
}

/* A link that sends one packet after another, or aggregates of them. */
static int build_link(struct world *world, const struct rng *root, struct error *error)
{
	const struct scenario *scenario = world->scenario;
	const struct link_sink sink = {world, on_sent};
	struct sim_node *next = &world->forward_delay.node;
	const int code = variation_build(&world->variation, scenario,
					 variation_random(world->options->seed), &world->rate,
					 error);

	if (code)
		return code;
	variation_start(&world->variation, scenario, &world->clock, &world->forward_delay);
	if (scenario->aggregation.packets) {
		aggregate_init(&world->aggregate, &world->clock, next, world->queue, &world->rate,
			       &scenario->aggregation, rng_split(root, STREAM_AIR), sink);
		world->entry = &world->aggregate.node;
	} else {
		bottleneck_init(&world->bottleneck, &world->clock, next, world->queue,
				&world->rate, sink);
		world->entry = &world->bottleneck.node;
	}
	return 0;
}

static int build_router(struct world *world, const struct rng *root, struct error *error)
{
	const struct rng paths = rng_split(root, STREAM_PATHS);
	double hz = 0;
	int code = read_router(world, &hz, error);

	if (code)
		return code;
	node_init(&world->gate, &gate_ops, &world->clock, NULL);
	delay_line_init(&world->forward_delay, &world->clock, &world->gate,
			ns_from_ms(world->scenario->delay_ms));
	code = hz > 0 ? build_pipe(world, hz, error) : build_link(world, root, error);
	if (code == 0 && world->scenario->packet_cost_us > 0)
		build_processor(world, hz > 0);
	return code ? code : paths_build(world, &paths, error);
}

static int build_hosts(struct world *world, const struct rng *root, struct error *error)
{
	const struct scenario *scenario = world->scenario;
	const struct rng flows = rng_split(root, STREAM_FLOWS);
	uint64_t flow = 0;

	world->flows = scenario_flows(scenario);
	world->switchboard.next = world->flows;
	world->switchboard.store = &world->store;
	world->hosts = store_take(&world->store, world->flows * sizeof(*world->hosts));
	world->result->flows = calloc(world->flows, sizeof(*world->result->flows));
	world->result->flow_count = world->flows;
	if (world->hosts == NULL || world->result->flows == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %llu flows",
				 (unsigned long long)world->flows);
	for (uint64_t g = 0; g < scenario->group_count; g++) {
		for (uint64_t i = 0; i < scenario->groups[g].count; i++, flow++) {
			const int code = host_build(world, &scenario->groups[g], flow,
						    rng_split(&flows, flow), error);

			if (code)
				return code;
		}
	}
	return 0;
}

static struct rate_plan rate_plan_of(const struct scenario *scenario)
{
	return (struct rate_plan){
		.rate_mbps = scenario->rate_mbps,
		.steps = scenario->steps,
		.step_count = scenario->step_count,
		.trace_ms = scenario->trace_ms,
		.trace_count = scenario->trace_count,
	};
}

int world_build(struct world *world, const struct scenario *scenario,
		const struct sim_options *options, struct sim_result *result,
		struct error *error)
{
	struct rng root;
	int code;

	world->scenario = scenario;
	world->options = options;
	world->result = result;
	world->warmup_ns = ns_from_seconds(scenario->warmup_s);
	world->end_ns = ns_from_seconds(scenario->duration_s);
	heap_init(&world->clock.heap);
	packet_pool_init(&world->pool);
	store_init(&world->store);
	rng_seed(&root, options->seed);
	world->rate = rate_plan_of(scenario);
	code = build_queue(world, &root, error);
	if (code == 0)
		code = build_router(world, &root, error);
	if (code == 0)
		code = build_hosts(world, &root, error);
	return code;
}

void world_free(struct world *world)
{
	for (uint64_t i = 0; world->hosts && i < world->flows; i++)
		host_free(&world->hosts[i]);
	free(world->flow_bins);
	paths_free(world);
	variation_free(&world->variation);
	queue_destroy(world->queue);
	heap_free(&world->clock.heap);
	packet_pool_free(&world->pool);
	store_free(&world->store);
}
