/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hops, paths and the shared way back: JSON and tables.
 */
#include "cli/summary_network.h"

#include <inttypes.h>

#include "cli/summary.h"

static json_t *hop_json(const struct sim_hop_result *hop)
{
	json_t *queues = json_object();

	for (int i = 0; i < SIM_QUEUES; i++)
		json_object_set_new(queues, summary_queues[i].name,
				    summary_queue_json(&hop->queues[summary_queues[i].index]));
	return json_pack("{s:s, s:s, s:f, s:o}", "name", hop->name, "aqm", hop->aqm, "utilisation",
			 hop->utilisation, "queues", queues);
}

static json_t *ack_path_json(const struct sim_ack_path_result *path)
{
	json_t *object = json_pack("{s:I, s:I}", "thinned", (json_int_t)path->thinned, "lost",
				   (json_int_t)path->lost);

	if (path->link.name[0]) {
		json_object_set_new(object, "utilisation", json_real(path->link.utilisation));
		json_object_set_new(object, "queue",
				    summary_queue_json(&path->link.queues[SIM_ALL]));
	}
	return object;
}

void summary_network_json(json_t *summary, const struct sim_result *result)
{
	const struct sim_network_result *network = &result->network;

	if (network->told)
		json_object_set_new(summary, "network",
				    json_pack("{s:I, s:I, s:I}", "lost", (json_int_t)network->lost,
					      "reordered", (json_int_t)network->reordered,
					      "return_lost", (json_int_t)network->return_lost));
	if (result->ack_path)
		json_object_set_new(summary, "ack_path", ack_path_json(result->ack_path));
	if (result->hop_count == 0)
		return;
	json_object_set_new(summary, "hops", json_array());
	for (uint64_t i = 0; i < result->hop_count; i++)
		json_array_append_new(json_object_get(summary, "hops"), hop_json(&result->hops[i]));
}

static void print_hop(FILE *out, const struct sim_hop_result *hop)
{
	fprintf(out, "\nhop %s: %s, utilisation %.4f\n", hop->name, hop->aqm, hop->utilisation);
	for (int i = 0; i < SIM_QUEUES; i++)
		summary_print_queue(out, summary_queues[i].name,
				    &hop->queues[summary_queues[i].index]);
}

void summary_network_print(FILE *out, const struct sim_result *result)
{
	const struct sim_network_result *network = &result->network;

	for (uint64_t i = 0; i < result->hop_count; i++)
		print_hop(out, &result->hops[i]);
	if (network->told)
		fprintf(out,
			"\npaths: %" PRIu64 " packets lost and %" PRIu64
			" on the way back, %" PRIu64 " took a detour\n",
			network->lost, network->return_lost, network->reordered);
	if (result->ack_path == NULL)
		return;
	fprintf(out, "\nack path: %" PRIu64 " thinned out, %" PRIu64 " lost\n",
		result->ack_path->thinned, result->ack_path->lost);
	if (result->ack_path->link.name[0])
		summary_print_queue(out, "link", &result->ack_path->link.queues[SIM_ALL]);
}
