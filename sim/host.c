/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: opened, driven, closed; and packets brought to them.
 */
#include "sim/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "sim/world.h"
#include "tcp/cc.h"

/* Flows that start together are spread over this, so that they do not march in step. */
#define START_SPREAD_S 0.1

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
			packet_free(&world->pool, packet);
			return;
		}
		world->emitted++;
		node_forward(to, packet);
	}
}

static void arm_connection(struct connection *connection)
{
	const uint64_t sender_ns = connection->sender->ops->next_ns(connection->sender);
	const uint64_t receiver_ns = connection->receiver->ops->next_ns(connection->receiver);

	node_arm(&connection->node, sender_ns < receiver_ns ? sender_ns : receiver_ns);
}

/* Where a receiver's packets go: its flow's return delay, or the pipe like everything else. */
static struct sim_node *way_back(struct host *host)
{
	return host->world->shared_pipe ? host->world->entry : &host->back.node;
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
	pump(connection, endpoint, to_server ? way_back(connection->host) : world->entry);
	arm_connection(connection);
}

static void connection_run(struct sim_node *node)
{
	struct connection *connection = (struct connection *)node;
	struct host *host = connection->host;
	const uint64_t now_ns = host->world->clock.now_ns;

	connection->sender->ops->run(connection->sender, now_ns);
	connection->receiver->ops->run(connection->receiver, now_ns);
	pump(connection, connection->sender, host->world->entry);
	pump(connection, connection->receiver, way_back(host));
	arm_connection(connection);
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

void switchboard_deliver(struct world *world, struct packet *packet)
{
	struct connection *connection = world->switchboard.connections[packet->flow];

	world->delivered++;
	if (connection)
		node_forward(&connection->node, packet);
	else
		packet_free(&world->pool, packet);
}

/* Room for number `id`. */
static int switchboard_reach(struct switchboard *switchboard, uint64_t id)
{
	uint64_t capacity = switchboard->capacity ? switchboard->capacity : 16;
	struct connection **connections;

	while (capacity <= id)
		capacity *= 2;
	if (capacity == switchboard->capacity)
		return 0;
	connections = realloc(switchboard->connections, capacity * sizeof(*connections));
	if (connections == NULL)
		return ERR_NO_MEMORY;
	memset(connections + switchboard->capacity, 0,
	       (capacity - switchboard->capacity) * sizeof(*connections));
	switchboard->connections = connections;
	switchboard->capacity = capacity;
	return 0;
}

void switchboard_free(struct switchboard *switchboard)
{
	free(switchboard->connections);
	memset(switchboard, 0, sizeof(*switchboard));
}

static void connection_destroy(struct connection *connection)
{
	heap_disarm(&connection->node.clock->heap, &connection->node.timer);
	if (connection->sender)
		connection->sender->ops->destroy(connection->sender);
	if (connection->receiver)
		connection->receiver->ops->destroy(connection->receiver);
	free(connection);
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

static void fill_config(const struct host *host, struct endpoint_config *config)
{
	const struct scenario_group *group = host->group;
	struct rng random = host->random;
	const double spread_s = rng_uniform(&random) * START_SPREAD_S;

	*config = (struct endpoint_config){
		.mtu_bytes = NET_MTU_BYTES,
		.ecn = group->ecn,
		.cc = tcp_cc_find(group->cc),
		.rate_bps = (uint64_t)(group->rate_mbps * 1e6 + 0.5),
		.start_ns = ns_from_seconds(group->start_s + spread_s),
		.stop_ns = group->stop_s > 0 ? ns_from_seconds(group->stop_s)
					     : host->world->end_ns,
		.random = random,
		.on_rtt = on_rtt,
	};
}

static struct connection *connection_new(struct host *host, uint32_t id)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct endpoint_config config;

	if (connection == NULL)
		return NULL;
	node_init(&connection->node, &connection_ops, &host->world->clock, NULL);
	connection->host = host;
	connection->id = id;
	fill_config(host, &config);
	config.flow = id;
	config.context = connection;
	if (build_endpoints(connection, &config)) {
		connection_destroy(connection);
		return NULL;
	}
	return connection;
}

/* Opens connection number `id`. */
static int host_open(struct host *host, uint32_t id)
{
	struct switchboard *switchboard = &host->world->switchboard;
	struct connection *connection;

	if (switchboard_reach(switchboard, id))
		return ERR_NO_MEMORY;
	connection = connection_new(host, id);
	if (connection == NULL)
		return ERR_NO_MEMORY;
	switchboard->connections[id] = connection;
	connection->next = host->connections;
	host->connections = connection;
	arm_connection(connection);
	return 0;
}

int host_build(struct world *world, const struct scenario_group *group, uint64_t flow,
	       struct rng random, struct error *error)
{
	struct host *host = &world->hosts[flow];
	const double forward_ms = world->scenario->delay_ms;
	const double rtt_ms = group->rtt_ms > 0 ? group->rtt_ms : 2 * forward_ms;

	host->world = world;
	host->group = group;
	host->flow = flow;
	host->random = random;
	host->result = &world->result->flows[flow];
	host->result->id = flow;
	host->result->ecn = group->ecn;
	strcpy(host->result->cc, group->cc);
	delay_line_init(&host->back, &world->clock, &world->gate, ns_from_ms(rtt_ms - forward_ms));
	if (host_open(host, (uint32_t)flow))
		return error_set(error, ERR_NO_MEMORY, "out of memory for a flow");
	return 0;
}

void host_free(struct host *host)
{
	while (host->connections) {
		struct connection *connection = host->connections;

		host->connections = connection->next;
		connection_destroy(connection);
	}
}

void host_stats(const struct host *host, struct endpoint_stats *sent,
		struct endpoint_stats *received)
{
	const struct connection *connection = host->connections;

	if (sent)
		connection->sender->ops->stats(connection->sender, sent);
	if (received)
		connection->receiver->ops->stats(connection->receiver, received);
}
