/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: opened, driven, closed; and packets brought to them.
 */
#include "sim/host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "sim/app.h"
#include "sim/scenario_network.h"
#include "sim/world.h"
#include "tcp/cc.h"

/* Flows that start together are spread over this, so that they do not march in step. */
#define START_SPREAD_S 0.1

/* Labels of the generators that a flow's own is split into. */
enum stream { STREAM_APP = 1, STREAM_CONNECTIONS };

/* The hosts at the two ends, in the packet's direction. */
static void address(struct packet *packet, const struct scenario_group *group)
{
	const uint32_t near = (uint32_t)group->source_host;
	const uint32_t far = (uint32_t)group->destination_host;

	packet->source_host = packet->to_server ? near : far;
	packet->destination_host = packet->to_server ? far : near;
}

/* Sends all that an endpoint has to send now. */
static void pump(struct connection *connection, struct endpoint *endpoint, struct sim_node *to)
{
	struct world *world = connection->host->world;
	const uint64_t now_ns = world->clock.now_ns;

	for (;;) {
		struct packet *packet = packet_new(&world->pool);

		if (packet == NULL) {
			world->clock.failed = true;
			return;
		}
		if (!endpoint->ops->emit(endpoint, packet, now_ns)) {
			packet_free_unused(&world->pool, packet);
			return;
		}
		world->emitted++;
		address(packet, connection->host->group);
		if (to != connection->host->entry)
			world_show(world, packet, SIM_TAP_RETURN, 0);
		node_forward(to, packet);
	}
}

/* Counts are added up; what an end is like now is that of the newest connection. */
static void add_stats(struct endpoint_stats *sum, const struct endpoint_stats *stats)
{
	sum->sent_pkts += stats->sent_pkts;
	sum->sent_bytes += stats->sent_bytes;
	sum->received_pkts += stats->received_pkts;
	sum->received_bytes += stats->received_bytes;
	sum->delivered_bytes += stats->delivered_bytes;
	sum->retransmits += stats->retransmits;
	sum->timeouts += stats->timeouts;
	sum->ce_received += stats->ce_received;
}

static void add_connection(const struct connection *connection, struct endpoint_stats *sent,
			   struct endpoint_stats *received)
{
	struct endpoint_stats stats;

	connection->sender->ops->stats(connection->sender, &stats);
	add_stats(sent, &stats);
	if (stats.srtt_ns) {
		sent->srtt_ns = stats.srtt_ns;
		sent->cwnd_bytes = stats.cwnd_bytes;
	}
	connection->receiver->ops->stats(connection->receiver, &stats);
	add_stats(received, &stats);
}

/* Its timer must not be in use any more. */
static void connection_destroy(struct connection *connection)
{
	if (connection->sender)
		connection->sender->ops->destroy(connection->sender);
	if (connection->receiver)
		connection->receiver->ops->destroy(connection->receiver);
	store_give(&connection->host->world->store, connection, sizeof(*connection));
}

static void connection_end(struct connection *connection)
{
	struct host *host = connection->host;
	struct connection **link = &host->connections;

	add_connection(connection, &host->sent, &host->received);
	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	memset(&host->world->switchboard.lines[connection->id], 0, sizeof(struct switchboard_line));
	node_forget(&connection->node);
	connection_destroy(connection);
}

/* When an end that something happened to wants to run. */
static void look_at(struct connection *connection, bool receiver)
{
	const struct endpoint *end = receiver ? connection->receiver : connection->sender;

	connection->end_due_ns[receiver] = end->ops->next_ns(end);
}

/* Waits for the next thing to happen; a closing connection for which there is none ends. */
static void settle_connection(struct connection *connection)
{
	uint64_t due_ns = connection->end_due_ns[0];

	if (connection->end_due_ns[1] < due_ns)
		due_ns = connection->end_due_ns[1];
	if (connection->write_ns < due_ns)
		due_ns = connection->write_ns;
	if (connection->closing && due_ns == TIME_NEVER_NS)
		connection_end(connection);
	else
		node_arm(&connection->node, due_ns);
}

/* Where a receiver's packets go: its flow's return delay, or the pipe like everything else. */
static struct sim_node *way_back(struct host *host)
{
	return host->world->shared_pipe ? host->world->entry : &host->back->node;
}

/* A packet has reached the end that it was sent to. */
static void connection_forward(struct sim_node *node, struct packet *packet)
{
	struct connection *connection = (struct connection *)node;
	struct world *world = connection->host->world;
	const bool to_server = packet->to_server;
	struct endpoint *endpoint = to_server ? connection->receiver : connection->sender;

	endpoint->ops->receive(endpoint, packet, world->clock.now_ns);
	packet_free(&world->pool, packet);
	pump(connection, endpoint, to_server ? way_back(connection->host)
							: connection->host->entry);
	look_at(connection, to_server);
	settle_connection(connection);
}

/* An end's timers; one that waits for later is not looked at, it may be far away in memory. */
static void run_end(struct connection *connection, bool receiver, uint64_t now_ns)
{
	struct endpoint *end = receiver ? connection->receiver : connection->sender;

	if (connection->end_due_ns[receiver] > now_ns)
		return;
	end->ops->run(end, now_ns);
	pump(connection, end, receiver ? way_back(connection->host) : connection->host->entry);
	look_at(connection, receiver);
}

static void connection_run(struct sim_node *node)
{
	struct connection *connection = (struct connection *)node;
	const uint64_t now_ns = connection->node.clock->now_ns;

	if (connection->write_ns <= now_ns) {
		connection->write_ns = TIME_NEVER_NS;
		connection->end_due_ns[0] = now_ns;
		connection->sender->ops->write(connection->sender, connection->write_bytes, now_ns);
	}
	run_end(connection, false, now_ns);
	run_end(connection, true, now_ns);
	settle_connection(connection);
}

static const struct sim_node_ops connection_ops = {
	.forward = connection_forward,
	.run = connection_run,
};

static void on_rtt(void *context, uint64_t now_ns, uint64_t rtt_ns)
{
	const struct connection *connection = context;
	struct world *world = connection->host->world;

	if (now_ns > world->warmup_ns)
		world->clock.failed |=
			sketch_add(&connection->host->result->rtt_ns, rtt_ns) != 0;
}

/* Something was under way since the connection's last progress: how long has it been? */
static void note_wait(const struct connection *connection, uint64_t now_ns)
{
	uint64_t *longest_ns = &connection->host->result->app->connections.longest_wait_ns;

	if (now_ns > connection->progress_ns && now_ns - connection->progress_ns > *longest_ns)
		*longest_ns = now_ns - connection->progress_ns;
}

static void on_delivered(void *context, uint64_t now_ns, uint64_t delivered_bytes)
{
	struct connection *connection = context;
	const struct app *app = connection->host->app;

	note_wait(connection, now_ns);
	connection->delivered_bytes = delivered_bytes;
	connection->progress_ns = now_ns;
	if (app->ops->on_delivered)
		app->ops->on_delivered(connection->host->app, connection, now_ns, delivered_bytes);
}

static void on_datagram(void *context, uint64_t now_ns, const struct datagram *datagram)
{
	const struct connection *connection = context;
	struct world *world = connection->host->world;
	struct sim_datagrams *result = &connection->host->result->app->datagrams;
	struct datagram_meter *meter = &connection->host->meter;
	const uint64_t delay_ns = datagram->delay_ns;

	if (now_ns <= world->warmup_ns || datagram->number <= meter->base)
		return;
	if (datagram->number > meter->highest)
		meter->highest = datagram->number;
	if (result->received++)
		meter->differences_ns += fabs((double)delay_ns - (double)meter->last_delay_ns);
	meter->last_delay_ns = delay_ns;
	world->clock.failed |= sketch_add(&result->delay_ns, delay_ns) != 0;
}

void switchboard_deliver(struct world *world, struct packet *packet)
{
	struct connection *connection = world->switchboard.lines[packet->flow].connection;

	world->delivered++;
	if (connection)
		node_forward(&connection->node, packet);
	else
		packet_free(&world->pool, packet);
}

static void fetch(const void *what, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += NET_CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)what + at);
}

void switchboard_expect(const struct world *world, const struct packet *packet,
			const struct packet *after)
{
	const struct switchboard_line *line = &world->switchboard.lines[packet->flow];

	if (after)
		__builtin_prefetch(&world->switchboard.lines[after->flow]);
	if (line->connection == NULL)
		return;
	fetch(line->connection, sizeof(*line->connection));
	fetch(line->ends[packet->to_server],
	      packet->to_server ? TCP_RECEIVER_NEAR_BYTES : TCP_SENDER_NEAR_BYTES);
	if (packet->flow < world->flows) {
		fetch(&world->hosts[packet->flow], NET_CACHE_LINE_BYTES);
		fetch(&world->result->flows[packet->flow].rtt_ns, sizeof(struct sketch));
	}
}

/* Room for number `id`. */
static int switchboard_reach(struct switchboard *switchboard, uint64_t id)
{
	uint64_t capacity = switchboard->capacity ? switchboard->capacity : 16;
	struct switchboard_line *lines;

	while (capacity <= id)
		capacity *= 2;
	if (capacity == switchboard->capacity)
		return 0;
	lines = store_move(switchboard->store, switchboard->lines,
			   switchboard->capacity * sizeof(*lines),
			   switchboard->capacity * sizeof(*lines), capacity * sizeof(*lines));
	if (lines == NULL)
		return ERR_NO_MEMORY;
	switchboard->lines = lines;
	switchboard->capacity = capacity;
	return 0;
}

static int build_endpoints(struct connection *connection, const struct endpoint_config *config)
{
	if (config->cc) {
		connection->sender = tcp_sender_new(config);
		connection->receiver = tcp_receiver_new(config);
	} else if (strcmp(connection->host->group->cc, "udp_prague") == 0) {
		connection->sender = udp_prague_sender_new(config);
		connection->receiver = udp_prague_receiver_new(config);
	} else {
		connection->sender = udp_sender_new(config);
		connection->receiver = udp_receiver_new(config);
	}
	return connection->sender && connection->receiver ? 0 : ERR_NO_MEMORY;
}

static uint64_t stop_ns_of(const struct host *host)
{
	const double stop_s = host->group->stop_s;

	return stop_s > 0 ? ns_from_seconds(stop_s) : host->world->end_ns;
}

/* When the flow starts; `random` is left where its connection's generator begins. */
static uint64_t draw_start_ns(const struct host *host, struct rng *random)
{
	return ns_from_seconds(host->group->start_s + rng_uniform(random) * START_SPREAD_S);
}

/* An application's connection has no times of its own, and a generator for each. */
static void fill_config(const struct host *host, struct endpoint_config *config)
{
	const struct scenario_group *group = host->group;
	struct rng random = host->random;

	*config = (struct endpoint_config){
		.mtu_bytes = NET_MTU_BYTES,
		.ecn = group->ecn,
		.cc = tcp_cc_find(group->cc),
		.options = group->options,
		.on_rtt = on_rtt,
		.on_delivered = host->app ? on_delivered : NULL,
		.on_datagram = host->result->app ? on_datagram : NULL,
	};
	if (group->frames_per_s > 0) {
		config->options.frame_interval_ns = ns_from_seconds(1 / group->frames_per_s);
		config->options.frame_budget_ns = group->frame_budget_ms > 0
							  ? ns_from_ms(group->frame_budget_ms)
							  : config->options.frame_interval_ns;
	}
	if (host->app) {
		config->from_application = true;
		config->stop_ns = TIME_NEVER_NS;
		config->random = rng_split(&host->random, STREAM_CONNECTIONS + host->opened);
	} else {
		config->rate_bps = (uint64_t)(group->rate_mbps * 1e6 + 0.5);
		config->start_ns = draw_start_ns(host, &random);
		config->stop_ns = stop_ns_of(host);
		config->random = random;
	}
}

static struct connection *connection_new(struct host *host, uint32_t id)
{
	struct store *store = &host->world->store;
	struct connection *connection = store_take(store, sizeof(*connection));
	struct endpoint_config config;

	if (connection == NULL)
		return NULL;
	node_init(&connection->node, &connection_ops, &host->world->clock, NULL);
	connection->host = host;
	connection->id = id;
	connection->write_ns = TIME_NEVER_NS;
	fill_config(host, &config);
	config.store = store;
	config.flow = id;
	config.context = connection;
	if (build_endpoints(connection, &config)) {
		connection_destroy(connection);
		return NULL;
	}
	return connection;
}

struct connection *host_connect(struct host *host)
{
	struct world *world = host->world;
	struct switchboard *switchboard = &world->switchboard;
	const uint64_t id = host->opened ? switchboard->next++ : host->flow;
	struct connection *connection = NULL;

	if (id <= UINT32_MAX && switchboard_reach(switchboard, id) == 0)
		connection = connection_new(host, (uint32_t)id);
	if (connection == NULL) {
		world->clock.failed = true;
		return NULL;
	}
	host->opened++;
	switchboard->lines[id] = (struct switchboard_line){
		connection, {connection->sender, connection->receiver}};
	connection->next = host->connections;
	host->connections = connection;
	look_at(connection, false);
	look_at(connection, true);
	settle_connection(connection);
	return connection;
}

/* More is asked for from `at_ns` on. */
static void ask(struct connection *connection, uint64_t bytes, uint64_t at_ns)
{
	if (connection->delivered_bytes == connection->asked_bytes)
		connection->progress_ns = at_ns;
	connection->asked_bytes += bytes;
}

void connection_write(struct connection *connection, uint64_t bytes)
{
	struct world *world = connection->host->world;

	ask(connection, bytes, world->clock.now_ns);
	connection->sender->ops->write(connection->sender, bytes, world->clock.now_ns);
	pump(connection, connection->sender, connection->host->entry);
	look_at(connection, false);
	settle_connection(connection);
}

void connection_write_at(struct connection *connection, uint64_t bytes, uint64_t at_ns)
{
	ask(connection, bytes, at_ns);
	connection->write_bytes = bytes;
	connection->write_ns = at_ns;
	settle_connection(connection);
}

/* It may be in the middle of something: it looks after itself when its turn comes. */
void connection_close(struct connection *connection)
{
	connection->closing = true;
	node_arm(&connection->node, connection->host->world->clock.now_ns);
}

/* A place for what the flow measures beside what every flow does. */
static int add_app_result(struct host *host)
{
	const struct app_ops *ops = host->group->app.ops;

	if (ops == NULL && tcp_cc_find(host->group->cc))
		return 0;
	host->result->app = calloc(1, sizeof(*host->result->app));
	if (host->result->app == NULL)
		return ERR_NO_MEMORY;
	host->result->app->report = ops ? ops->report : SIM_REPORT_DATAGRAMS;
	return 0;
}

/* The flow begins to live: with its one connection, or with an application that opens some. */
static int begin_flow(struct host *host)
{
	struct rng random = rng_split(&host->random, STREAM_APP);
	uint64_t start_ns;

	if (add_app_result(host))
		return ERR_NO_MEMORY;
	if (host->group->app.ops == NULL)
		return host_connect(host) ? 0 : ERR_NO_MEMORY;
	start_ns = draw_start_ns(host, &random);
	host->app = app_new(host, random, start_ns, stop_ns_of(host));
	return host->app ? 0 : ERR_NO_MEMORY;
}

int host_build(struct world *world, const struct scenario_group *group, uint64_t flow,
	       struct rng random, struct error *error)
{
	struct host *host = &world->hosts[flow];
	const double forward_ms = scenario_forward_ms(world->scenario, group);
	const double rtt_ms = group->rtt_ms > 0 ? group->rtt_ms : 2 * forward_ms;

	host->world = world;
	host->group = group;
	host->flow = flow;
	host->random = random;
	host->rtt_ns = ns_from_ms(rtt_ms);
	host->result = &world->result->flows[flow];
	host->result->id = flow;
	host->result->ecn = group->ecn;
	host->result->l4s = scenario_is_l4s(group);
	host->result->long_lived = scenario_is_long_lived(world->scenario, group);
	strcpy(host->result->cc, group->cc);
	strcpy(host->result->app_name, group->app.ops ? group->app.ops->name : "");
	host->entry = routes_entry(world, group);
	host->back = world_way_back(world, paths_back(world, group),
				    ns_from_ms(rtt_ms - forward_ms));
	if (begin_flow(host))
		return error_set(error, ERR_NO_MEMORY, "out of memory for a flow");
	return 0;
}

void host_free(struct host *host)
{
	app_free(host->app);
	while (host->connections) {
		struct connection *connection = host->connections;

		host->connections = connection->next;
		connection_destroy(connection);
	}
}

void host_stats(const struct host *host, struct endpoint_stats *sent,
		struct endpoint_stats *received)
{
	*sent = host->sent;
	*received = host->received;
	for (const struct connection *one = host->connections; one; one = one->next)
		add_connection(one, sent, received);
}

void host_end_warmup(struct host *host)
{
	struct endpoint_stats sent, received;

	host_stats(host, &sent, &received);
	host->retransmits_at_warmup = sent.retransmits;
	host->timeouts_at_warmup = sent.timeouts;
	host->delivered_at_warmup = received.delivered_bytes;
	host->marks_at_warmup = received.ce_received;
	host->meter.base = host->meter.highest = sent.sent_pkts;
}

static void finish_connections(const struct host *host, struct sim_connections *result)
{
	result->opened = host->opened;
	for (const struct connection *one = host->connections; one; one = one->next) {
		result->open++;
		if (tcp_cc_find(host->group->cc) && one->delivered_bytes < one->asked_bytes)
			note_wait(one, host->world->end_ns);
	}
}

static void finish_datagrams(const struct host *host, struct sim_datagrams *result)
{
	const struct datagram_meter *meter = &host->meter;
	const uint64_t expected = meter->highest - meter->base;

	result->lost = expected - result->received;
	if (result->received > 1)
		result->jitter_ns = meter->differences_ns / (double)(result->received - 1);
}

void host_finish(struct host *host)
{
	const struct sim_result *run = host->world->result;
	const double seconds = run->duration_s - run->warmup_s;
	struct sim_flow_result *result = host->result;
	struct endpoint_stats sent, received;

	host_stats(host, &sent, &received);
	result->goodput_mbps = (double)(received.delivered_bytes - host->delivered_at_warmup) * 8 /
			       seconds / 1e6;
	result->marks = received.ce_received - host->marks_at_warmup;
	result->retransmits = sent.retransmits - host->retransmits_at_warmup;
	result->timeouts = sent.timeouts - host->timeouts_at_warmup;
	if (host->app && host->app->ops->finish)
		host->app->ops->finish(host->app, host->world->end_ns);
	if (result->app == NULL)
		return;
	finish_connections(host, &result->app->connections);
	finish_datagrams(host, &result->app->datagrams);
}
