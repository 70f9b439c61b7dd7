/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thinning of acknowledgements, by connection.
 *
 * Held packets stand in a list in the order of their deadlines.  A newer acknowledgement takes the
 * place of its connection's held one; one that leaves early leaves an empty shell (cookie) there.
 */
#include <string.h>

#include "base/units.h"
#include "sim/ack_path.h"
#include "sim/world.h"

enum { HELD, SHELL };

static bool is_pure_ack(const struct packet *packet)
{
	return packet->protocol == NET_TCP && packet->tcp.payload_bytes == 0 &&
	       packet->tcp.sack_count == 0;
}

static void hold(struct thinning *thinning, struct connection *connection, struct packet *packet)
{
	connection->held_ack = packet;
	packet->cookie = HELD;
	packet->enqueued_ns = thinning->node.clock->now_ns + thinning->hold_ns;
	packet->next = NULL;
	if (thinning->first) {
		thinning->last->next = packet;
		thinning->last = packet;
		return;
	}
	thinning->first = thinning->last = packet;
	node_arm(&thinning->node, packet->enqueued_ns);
}

/* The newer one says all that the older one did. */
static void replace(struct packet *held, const struct packet *newer)
{
	struct packet *next = held->next;
	const uint64_t due_ns = held->enqueued_ns;

	*held = *newer;
	held->next = next;
	held->enqueued_ns = due_ns;
	held->cookie = HELD;
}

static void take_ack(struct thinning *thinning, struct connection *connection,
		     struct packet *packet)
{
	if (connection->held_ack == NULL) {
		connection->thinned_acks = 1;
		hold(thinning, connection, packet);
		return;
	}
	if (++connection->thinned_acks < thinning->keep_every) {
		replace(connection->held_ack, packet);
		thinning->thinned++;
		packet_free(&thinning->world->pool, packet);
		return;
	}
	connection->held_ack->cookie = SHELL;
	connection->held_ack = NULL;
	node_forward(thinning->node.next, packet);
}

static void thinning_forward(struct sim_node *node, struct packet *packet)
{
	struct thinning *thinning = (struct thinning *)node;
	struct connection *connection =
		thinning->world->switchboard.lines[packet->flow].connection;

	if (connection && is_pure_ack(packet))
		take_ack(thinning, connection, packet);
	else
		node_forward(node->next, packet);
}

static void let_go(struct thinning *thinning, struct packet *packet)
{
	struct connection *connection =
		thinning->world->switchboard.lines[packet->flow].connection;

	if (packet->cookie == SHELL) {
		thinning->thinned++;
		packet_free(&thinning->world->pool, packet);
		return;
	}
	if (connection)
		connection->held_ack = NULL;
	node_forward(thinning->node.next, packet);
}

static void thinning_run(struct sim_node *node)
{
	struct thinning *thinning = (struct thinning *)node;

	while (thinning->first && thinning->first->enqueued_ns <= node->clock->now_ns) {
		struct packet *packet = thinning->first;

		thinning->first = packet->next;
		packet->next = NULL;
		let_go(thinning, packet);
	}
	node_arm(node, thinning->first ? thinning->first->enqueued_ns : TIME_NEVER_NS);
}

static const struct sim_node_ops thinning_ops = {
	.forward = thinning_forward,
	.run = thinning_run,
};

void thinning_init(struct thinning *thinning, struct world *world, struct sim_node *next,
		   const struct ack_path_plan *plan)
{
	memset(thinning, 0, sizeof(*thinning));
	node_init(&thinning->node, &thinning_ops, &world->clock, next);
	thinning->world = world;
	thinning->keep_every = plan->keep_every;
	thinning->hold_ns = ns_from_ms(plan->hold_ms);
}

uint64_t thinning_held(const struct thinning *thinning)
{
	uint64_t held = 0;

	for (const struct packet *packet = thinning->first; packet; packet = packet->next)
		held++;
	return held;
}
