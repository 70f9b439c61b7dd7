/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every application by name; their timers and draws.
 */
#include "sim/app.h"

#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "sim/world.h"

extern const struct app_ops app_gaming, app_onoff, app_transfers, app_video, app_voice,
	app_web;

const struct app_ops *const app_all[] = {
	&app_onoff, &app_gaming, &app_voice, &app_transfers, &app_web, &app_video, NULL,
};

static void run_app(struct sim_node *node)
{
	struct app *app = (struct app *)node;

	app->ops->run(app, node->clock->now_ns);
}

static const struct sim_node_ops node_ops = {.run = run_app};

struct app *app_new(struct host *host, struct rng random, uint64_t start_ns, uint64_t stop_ns)
{
	const struct app_choice *choice = &host->group->app;
	struct app *app = calloc(1, choice->ops->size);

	if (app == NULL)
		return NULL;
	node_init(&app->node, &node_ops, &host->world->clock, NULL);
	app->ops = choice->ops;
	app->host = host;
	app->choice = choice;
	app->random = random;
	app->start_ns = start_ns;
	app->stop_ns = stop_ns;
	if (start_ns < stop_ns)
		app_wake(app, start_ns);
	return app;
}

void app_free(struct app *app)
{
	free(app);
}

void app_wake(struct app *app, uint64_t at_ns)
{
	node_arm(&app->node, at_ns);
}

/* NULL: `begun_ns` was before the end of warm-up. */
static struct sim_tasks *tasks_of(struct app *app, uint64_t begun_ns)
{
	const struct host *host = app->host;

	return begun_ns >= host->world->warmup_ns ? &host->result->app->tasks : NULL;
}

void app_task_begun(struct app *app, uint64_t now_ns)
{
	struct sim_tasks *tasks = tasks_of(app, now_ns);

	if (tasks)
		tasks->begun++;
}

void app_task_done(struct app *app, uint64_t begun_ns, uint64_t now_ns, uint64_t bytes)
{
	struct sim_tasks *tasks = tasks_of(app, begun_ns);

	if (tasks == NULL)
		return;
	tasks->done++;
	tasks->bytes += bytes;
	app->node.clock->failed |= sketch_add(&tasks->time_ns, now_ns - begun_ns) != 0;
}

void app_task_refused(struct app *app, uint64_t now_ns)
{
	struct sim_tasks *tasks = tasks_of(app, now_ns);

	if (tasks)
		tasks->refused++;
}

double app_draw_lognormal(struct rng *random, double mean, double cv)
{
	const double variance = log(1 + cv * cv);

	if (cv <= 0)
		return mean;
	return mean * exp(sqrt(variance) * rng_normal(random) - variance / 2);
}

double app_draw_pareto(struct rng *random, double mean, double shape)
{
	const double least = mean * (shape - 1) / shape;

	return least / pow(1 - rng_uniform(random), 1 / shape);
}

uint64_t app_draw_exponential_ns(struct rng *random, double mean_s)
{
	return ns_from_seconds(mean_s * rng_exponential(random));
}
