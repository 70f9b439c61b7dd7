/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the kinds of queues.
 */
#include "queue/host.h"

#include <stdlib.h>
#include <string.h>

#include "aqm/record_line.h"

int queue_host_open(struct queue_host *host, const struct queue_ops *ops,
		    const struct queue_config *config, struct error *error)
{
	const struct aqm_ops *law = config->law;
	struct queue *queue = &host->queue;

	queue->ops = ops;
	queue->law = law;
	host->pool = config->pool;
	host->draws = config->draws;
	host->random = config->random;
	host->sink = config->sink;
	if (law->check) {
		const int code = law->check(config->params, error);

		if (code)
			return code;
	}
	queue->params = malloc(law->params_size + 1);
	queue->vars = calloc(1, law->vars_size + 1);
	queue->stats = calloc(1, law->stats_size + 1);
	if (!queue->params || !queue->vars || !queue->stats)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a queue");
	memcpy(queue->params, config->params, law->params_size);
	law->init(queue->params, queue->vars, queue->stats);
	return 0;
}

void queue_host_close(struct queue_host *host)
{
	free(host->queue.params);
	free(host->queue.vars);
	free(host->queue.stats);
}

void queue_host_leave(struct queue_host *host, struct packet *packet, enum aqm_queue queue,
		      enum aqm_verdict verdict, uint64_t now_ns, uint64_t sojourn_ns)
{
	if (host->sink.leave)
		host->sink.leave(host->sink.context, now_ns, packet, queue, verdict, sojourn_ns);
	if (verdict == AQM_DROP)
		packet_free(host->pool, packet);
}

int64_t queue_logged_action(enum aqm_verdict verdict)
{
	return aqm_record_action(verdict);
}

void queue_host_record(const struct queue_host *host, const void *vars,
		       const struct aqm_facts *facts, bool decided, enum aqm_verdict verdict,
		       struct aqm_record *record)
{
	memset(record, 0, sizeof(*record));
	aqm_record_host_fields(facts, record);
	record->dequeue_action = queue_logged_action(verdict);
	host->queue.law->record(host->queue.params, vars, facts, decided, record);
}
