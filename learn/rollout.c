/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs are ordered by how long they may take, the longest first, so that cores
 * end together; ranks take every n-th of them.
 */
#include "learn/rollout.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "learn/spread.h"

struct batch_run {
	const struct rollout_batch *batch;
	const struct rollout_crew *crew;
	size_t per_network, jobs; /* of all ranks */
	size_t *order;		  /* (networks): the costliest first */
	struct objective_figures *all; /* (networks x per_network): the reference first, if any */
	pthread_mutex_t lock;	  /* of what follows */
	size_t done;
	bool stopped;
	int code;
	size_t failed_job;
	struct error failure;
};

/* What the scenario says of its own law does not hold for this one, even where both are one. */
static int open_law(const struct rollout_network *network, const struct rollout_law *law,
		    const struct aqm_ops **ops, void **params, struct error *error)
{
	const struct law_settings limit = {.limit_packets = network->scenario->limit_packets};
	int code;

	*ops = aqm_find(law->name);
	if (*ops == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, law->name, "is not a law");
	code = sim_law_params(network->scenario, *ops, &limit, params, error);
	if (code == 0)
		code = aqm_params_set_all(*ops, *params, law->settings, error);
	return code;
}

/* A student's model and whoever listens; where nobody does, its own counts are taken. */
static void seat(struct aqm_student_params *params, const struct rollout_student *student,
		 struct aqm_student_tap *counter)
{
	params->model = student->model;
	params->tap = student->tap ? student->tap : counter;
}

int rollout_run(const struct rollout_network *network, const struct rollout_law *law,
		const struct rollout_student *student, void *context,
		bool (*stop)(void *context, double done), struct objective_figures *figures,
		struct error *error)
{
	struct sim_options options = {.seed = network->seed, .context = context, .progress = stop};
	struct sim_result *result = malloc(sizeof(*result));
	struct aqm_student_stats stats = {0};
	struct aqm_student_tap counter = {.stats = &stats};
	void *params = NULL;
	int code = result ? open_law(network, law, &options.law, &params, error)
			  : error_set(error, ERR_NO_MEMORY, "out of memory for a run");

	options.params = params;
	if (code == 0 && student)
		seat(params, student, &counter);
	if (code == 0)
		code = sim_run(network->scenario, &options, result, error);
	if (code == 0) {
		objective_measure(result, figures);
		if (stats.packets > 0)
			figures->values[OBJECTIVE_overridden] =
				(double)stats.overridden / (double)stats.packets;
		sim_result_free(result);
	}
	free(params);
	free(result);
	return code;
}

/* What a run is expected to cost: bits through its bottleneck. */
static double cost_of(const struct rollout_network *network)
{
	return network->scenario->rate_mbps * network->scenario->duration_s;
}

static void order_networks(struct batch_run *run)
{
	const struct rollout_network *networks = run->batch->networks;

	for (size_t i = 0; i < run->batch->network_count; i++) {
		size_t at = i;

		while (at > 0 &&
		       cost_of(&networks[run->order[at - 1]]) < cost_of(&networks[i])) {
			run->order[at] = run->order[at - 1];
			at--;
		}
		run->order[at] = i;
	}
}

static bool is_stopped(void *context, double done)
{
	struct batch_run *run = context;
	bool stopped;

	(void)done;
	pthread_mutex_lock(&run->lock);
	if (run->crew->stop && run->crew->stop(run->crew->context))
		run->stopped = true;
	stopped = run->stopped || run->code;
	pthread_mutex_unlock(&run->lock);
	return stopped;
}

/* The first failure in order is the one to tell. */
static void note(struct batch_run *run, size_t job, int code, const struct error *error)
{
	const size_t ranks = (size_t)run->crew->ranks.count, rank = (size_t)run->crew->ranks.rank;
	const size_t own = (run->jobs + ranks - 1 - rank) / ranks;

	pthread_mutex_lock(&run->lock);
	if (code == 0) {
		run->done++;
		if (run->crew->done)
			run->crew->done(run->crew->context, run->done, own);
	} else if (code != ERR_INTERRUPTED && (run->code == 0 || job < run->failed_job)) {
		run->failed_job = job;
		run->code = code;
		run->failure = *error;
	}
	pthread_mutex_unlock(&run->lock);
}

/* Job number `index` of this rank. */
static int work(void *context, size_t index)
{
	struct batch_run *run = context;
	const struct rollout_batch *batch = run->batch;
	const size_t job = index * (size_t)run->crew->ranks.count + (size_t)run->crew->ranks.rank;
	const size_t network = run->order[job / run->per_network], place = job % run->per_network;
	const bool is_reference = batch->reference && place == 0;
	const struct rollout_student student = {
		.model = &batch->models[is_reference ? 0 : place - (batch->reference != NULL)]};
	struct error error = {0};
	int code;

	if (is_stopped(run, 0))
		return 0;
	code = rollout_run(&batch->networks[network],
			   is_reference ? batch->reference : batch->student,
			   is_reference ? NULL : &student, run, is_stopped,
			   &run->all[network * run->per_network + place], &error);
	note(run, job, code, &error);
	return 0;
}

static int run_own(struct batch_run *run, struct error *error)
{
	const size_t ranks = (size_t)run->crew->ranks.count, rank = (size_t)run->crew->ranks.rank;
	const size_t own = (run->jobs + ranks - 1 - rank) / ranks;
	const unsigned threads = run->crew->threads ? run->crew->threads
				 : ranks > 1	    ? 1
						    : parallel_cores();

	if (parallel_for(own, threads, work, run) != 0)
		return error_set(error, ERR_NO_MEMORY, "out of memory for threads");
	if (run->code && error)
		*error = run->failure;
	if (run->code)
		return run->code;
	return run->stopped ? error_set(error, ERR_INTERRUPTED, "interrupted") : 0;
}

/* Every rank receives what the others ran. */
static void exchange(struct batch_run *run)
{
	const size_t ranks = (size_t)run->crew->ranks.count, size = run->jobs * sizeof(*run->all);
	struct objective_figures *of_ranks;

	if (ranks == 1)
		return;
	of_ranks = malloc(ranks * size);
	if (of_ranks == NULL)
		abort(); /* others would wait for ever; mpirun ends them */
	ranks_gather(&run->crew->ranks, run->all, size, of_ranks);
	for (size_t job = 0; job < run->jobs; job++) {
		const size_t at = run->order[job / run->per_network] * run->per_network +
				  job % run->per_network;

		run->all[at] = of_ranks[job % ranks * run->jobs + at];
	}
	free(of_ranks);
}

static void hand_over(const struct batch_run *run, struct objective_figures *figures,
		      struct objective_figures *reference)
{
	const struct rollout_batch *batch = run->batch;
	const size_t first = batch->reference != NULL;

	for (size_t network = 0; network < batch->network_count; network++) {
		const struct objective_figures *row = &run->all[network * run->per_network];

		if (batch->reference)
			reference[network] = row[0];
		memcpy(&figures[network * batch->model_count], row + first,
		       batch->model_count * sizeof(*row));
	}
}

int rollout_batch_run(const struct rollout_batch *batch, const struct rollout_crew *crew,
		      struct objective_figures *figures, struct objective_figures *reference,
		      struct error *error)
{
	const struct spread spread = {.ranks = crew->ranks};
	struct batch_run run = {
		.batch = batch,
		.crew = crew,
		.per_network = batch->model_count + (batch->reference != NULL),
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int code = 0;

	run.jobs = run.per_network * batch->network_count;
	run.order = calloc(batch->network_count + 1, sizeof(*run.order));
	run.all = calloc(run.jobs + 1, sizeof(*run.all));
	if (run.order == NULL || run.all == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for rollouts");
	if (code == 0) {
		order_networks(&run);
		code = run_own(&run, error);
	}
	code = spread_agree(&spread, code, error);
	if (code == 0) {
		exchange(&run);
		hand_over(&run, figures, reference);
	}
	free(run.order);
	free(run.all);
	return code;
}
