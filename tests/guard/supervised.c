/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guard/supervised.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL 3
#define VARS_BYTES 256

struct state {
	_Alignas(16) unsigned char law[VARS_BYTES];
	struct aqm_guard_vars guard;
};

/* Lower times and higher gains give more signals. */
static bool gives_more(const struct aqm_ops *law, const void *usual, const char *name, double value)
{
	const bool time = strstr(name, "_ms") != NULL;
	double before = 0;

	aqm_params_get(law, usual, name, &before);
	return time ? value < before : value > before;
}

static int set_one(struct supervised_params *params, const void *usual, const char *setting,
		   struct error *error)
{
	const char *value = strchr(setting, '=');
	char name[32] = "";
	bool more;
	int code = 0;

	if (value == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, setting, "not NAME=VALUE");
	snprintf(name, sizeof(name), "%.*s", (int)(value - setting), setting);
	more = gives_more(params->law, usual, name, strtod(value + 1, NULL));
	for (int allowed = 1; code == 0 && allowed <= ALL; allowed++)
		if (allowed & (more ? 1 : 2))
			code = aqm_params_set(params->law, params->settings[allowed], setting,
					      error);
	return code;
}

int supervised_set(struct supervised_params *params, const struct aqm_ops *law, const void *usual,
		   const char *settings, struct error *error)
{
	char text[256], *rest = text, *setting;
	int code = 0;

	params->law = law;
	snprintf(text, sizeof(text), "%s", settings);
	for (int i = 0; i <= ALL; i++) {
		params->settings[i] = malloc(law->params_size + 1);
		if (params->settings[i] == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory");
		memcpy(params->settings[i], usual, law->params_size);
	}
	while (code == 0 && (setting = strsep(&rest, ":")))
		code = set_one(params, usual, setting, error);
	return code;
}

void supervised_free(struct supervised_params *params)
{
	for (int i = 0; i <= ALL; i++)
		free(params->settings[i]);
}

static const void *in_force(const struct supervised_params *own, const struct state *state)
{
	if (own->unguarded)
		return own->settings[ALL];
	return own->settings[aqm_guard_trusts(&state->guard) ? ALL : 0];
}

static void init(const void *params, void *vars, void *stats)
{
	const struct supervised_params *own = params;
	struct state *state = vars;

	own->law->init(own->settings[0], state->law, stats);
	aqm_guard_init(&state->guard);
}

static enum aqm_queue classify(const void *params, const struct aqm_facts *facts)
{
	const struct supervised_params *own = params;

	return own->law->classify(own->settings[0], facts);
}

static enum aqm_verdict on_enqueue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct supervised_params *own = params;
	struct state *state = vars;

	aqm_guard_arrived(&state->guard, facts);
	return own->law->on_enqueue(in_force(own, state), state->law, stats, facts, cookie);
}

static enum aqm_verdict on_dequeue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts)
{
	const struct supervised_params *own = params;
	struct state *state = vars;
	const void *settings;

	aqm_guard_departs(&own->guard, &state->guard, facts);
	settings = in_force(own, state);
	++*own->packets;
	*own->overridden += memcmp(settings, own->settings[ALL], own->law->params_size) != 0;
	return own->law->on_dequeue(settings, state->law, stats, facts);
}

static uint64_t tick_due_ns(const void *params, const void *vars)
{
	const struct supervised_params *own = params;

	return own->law->tick_due_ns(own->settings[0], ((const struct state *)vars)->law);
}

static void tick(const void *params, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct supervised_params *own = params;
	struct state *state = vars;

	own->law->tick(in_force(own, state), state->law, stats, facts);
}

static enum aqm_queue schedule(const void *params, void *vars,
			       const struct aqm_head heads[AQM_QUEUES])
{
	const struct supervised_params *own = params;

	return own->law->schedule(own->settings[0], ((struct state *)vars)->law, heads);
}

static void served(const void *params, void *vars, enum aqm_queue queue, uint32_t len_bytes,
		   bool other_waits)
{
	const struct supervised_params *own = params;

	own->law->served(own->settings[0], ((struct state *)vars)->law, queue, len_bytes,
			 other_waits);
}

static void idle(const void *params, void *vars)
{
	const struct supervised_params *own = params;

	own->law->idle(own->settings[0], ((struct state *)vars)->law);
}

static void on_empty(const void *params, void *vars, void *stats, const struct aqm_facts *facts)
{
	(void)params, (void)stats;
	aqm_guard_found_empty(&((struct state *)vars)->guard, facts->now_ns);
}

static void record(const void *params, const void *vars, const struct aqm_facts *facts,
		   bool decided, struct aqm_record *out)
{
	const struct supervised_params *own = params;

	own->law->record(own->settings[0], ((const struct state *)vars)->law, facts, decided, out);
}

static const struct aqm_param no_params[] = {{0}};

const struct aqm_ops supervised_law = {
	.name = "supervised",
	.summary = "DualPI2 under settings that the guard allows",
	.params_size = sizeof(struct supervised_params),
	.vars_size = sizeof(struct state),
	.stats_size = 256,
	.params = no_params,
	.dual = true,
	.late = true,
	.init = init,
	.classify = classify,
	.on_enqueue = on_enqueue,
	.on_dequeue = on_dequeue,
	.tick_due_ns = tick_due_ns,
	.tick = tick,
	.schedule = schedule,
	.served = served,
	.idle = idle,
	.on_empty = on_empty,
	.record = record,
};
