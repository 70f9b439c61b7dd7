/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fifo: no law at all; the queue drops when it is full.
 */
#include "aqm/ops.h"

struct fifo_params {
	uint32_t limit_pkts;
};

static const struct aqm_param params[] = {
	{"limit_packets", AQM_PARAM_U32, offsetof(struct fifo_params, limit_pkts), "10000", 1, 1e9,
	 NULL, "packets the queue has room for"},
	{0},
};

static void fifo_init(const void *p, void *vars, void *stats)
{
	(void)p;
	(void)vars;
	(void)stats;
}

static enum aqm_verdict fifo_on_enqueue(const void *p, void *vars, void *stats,
					const struct aqm_facts *facts, uint32_t *cookie)
{
	(void)p;
	(void)vars;
	(void)stats;
	(void)facts;
	*cookie = 0;
	return AQM_PASS;
}

static void fifo_record(const void *p, const void *vars, const struct aqm_facts *facts,
			bool decided, struct aqm_record *record)
{
	(void)p;
	(void)vars;
	(void)decided;
	record->current_queue_delay = (int64_t)(facts->head_sojourn_ns[AQM_QUEUE_C] / 1000);
}

static void fifo_view(const void *p, const void *vars, struct aqm_view *view)
{
	(void)p;
	(void)vars;
	*view = (struct aqm_view){0};
}

const struct aqm_ops aqm_fifo = {
	.name = "fifo",
	.summary = "first in, first out, tail drop",
	.params_size = sizeof(struct fifo_params),
	.params = params,
	.init = fifo_init,
	.on_enqueue = fifo_on_enqueue,
	.record = fifo_record,
	.view = fifo_view,
};
