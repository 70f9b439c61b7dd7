/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling networks and collecting what their routers log.
 *
 * The distribution: rate 2 to 100 Mbit/s and round trips 5 to 200 ms, both
 * log-uniform; 1 to 4 groups of 1 to 3 flows each (NewReno and CUBIC with or
 * without ECN, DCTCP, at times unresponsive UDP); one of five laws with a
 * target of 5 to 30 ms.  Rare verdicts are what a model has to learn, so every
 * network is loaded enough to have some.
 */
#include "learn/corpus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/units.h"
#include "experience/collect.h"
#include "sim/run.h"

#define WARMUP_S 2.0

/* Laws and the settings that make them differ; `target_ms` is added to each. */
static const struct {
	const char *aqm, *settings[3];
} laws[] = {
	{"dualpi2", {"profile=linux", "min_qlen_step=1", NULL}},
	{"dualpi2", {"profile=rfc9332", "drop_early=1", NULL}},
	{"pie", {NULL}},
	{"l4s-freebsd", {"hz=100", "shared_pipe=1", NULL}},
	{"l4s-freebsd", {"hz=1000", NULL}},
};

#define LAWS (sizeof(laws) / sizeof(laws[0]))

static double log_uniform(struct rng *rng, double low, double high)
{
	return low * exp(rng_uniform(rng) * log(high / low));
}

static void add_param(struct scenario *scenario, const char *text)
{
	snprintf(scenario->params[scenario->param_count++], sizeof(scenario->params[0]), "%s",
		 text);
}

static void sample_law(struct scenario *scenario, struct rng *rng)
{
	const uint64_t law = rng_below(rng, LAWS);
	char target[32];

	strcpy(scenario->aqm, laws[law].aqm);
	for (int i = 0; i < 3 && laws[law].settings[i]; i++)
		add_param(scenario, laws[law].settings[i]);
	snprintf(target, sizeof(target), "target_ms=%.1f", log_uniform(rng, 5, 30));
	add_param(scenario, target);
}

static void sample_group(const struct scenario *scenario, struct scenario_group *group,
			 struct rng *rng)
{
	static const char *const controls[] = {"cubic", "newreno", "dctcp", "udp"};
	const double draw = rng_uniform(rng);
	const int control = draw < 0.35 ? 0 : draw < 0.65 ? 1 : draw < 0.93 ? 2 : 3;

	*group = (struct scenario_group){.count = 1 + rng_below(rng, 3)};
	strcpy(group->cc, controls[control]);
	group->rtt_ms = 2 * scenario->delay_ms * (1 + rng_uniform(rng));
	group->ecn = scenario_default_ecn(group->cc);
	if (control < 2 && rng_uniform(rng) < 0.35)
		group->ecn = ENDPOINT_ECN_NONE;
	if (control == 3) {
		group->count = 1;
		group->rate_mbps = scenario->rate_mbps * (0.05 + 0.4 * rng_uniform(rng));
	}
}

/* A network of one UDP flow alone would never fill its queue: the first group is TCP. */
static void sample_network(const struct corpus_options *options, int64_t index,
			   struct scenario *scenario)
{
	struct rng root, rng;

	rng_seed(&root, options->seed);
	rng = rng_split(&root, (uint64_t)index);
	scenario_init(scenario);
	snprintf(scenario->name, sizeof(scenario->name), "network-%lld", (long long)index);
	scenario->warmup_s = WARMUP_S;
	scenario->duration_s = WARMUP_S + options->seconds;
	scenario->rate_mbps = log_uniform(&rng, 2, 100);
	scenario->delay_ms = log_uniform(&rng, 2.5, 100);
	sample_law(scenario, &rng);
	scenario->group_count = 1 + rng_below(&rng, 4);
	for (uint64_t i = 0; i < scenario->group_count; i++) {
		do
			sample_group(scenario, &scenario->groups[i], &rng);
		while (i == 0 && strcmp(scenario->groups[i].cc, "udp") == 0);
	}
}

void corpus_describe(const struct corpus_options *options, int64_t index, char *text, size_t size)
{
	struct scenario scenario;

	sample_network(options, index, &scenario);
	snprintf(text, size, "%s: %.1f Mbit/s, %.1f ms, %s, %llu flows", scenario.name,
		 scenario.rate_mbps, 2 * scenario.delay_ms, scenario.aqm,
		 (unsigned long long)scenario_flows(&scenario));
	scenario_free(&scenario);
}

/* One network's log on its way into a pool. */
struct listener {
	struct collector collector;
	uint64_t from_ns;
	size_t max_rows;
	int code;
};

static void take_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct listener *listener = context;

	if (now_ns < listener->from_ns || listener->code ||
	    listener->collector.pool->rows >= listener->max_rows)
		return;
	listener->code = collector_add(&listener->collector, record, -1);
}

int corpus_network_pool(struct pool *pool, const struct corpus_options *options, int64_t index,
			struct error *error)
{
	struct collect_options collect;
	struct listener listener = {.from_ns = ns_from_seconds(WARMUP_S),
				    .max_rows = (size_t)options->max_rows};
	struct sim_options run = {.seed = options->seed + (uint64_t)index,
				  .context = &listener,
				  .record = take_record};
	struct sim_result result;
	struct scenario scenario;
	int code;

	pool_init(pool);
	collect_defaults(&collect);
	collect.features = index % 2 ? 8 : 7;
	collect.gamma = options->gamma;
	collector_init(&listener.collector, &collect, pool);
	sample_network(options, index, &scenario);
	code = sim_run(&scenario, &run, &result, error);
	scenario_free(&scenario);
	if (code == 0) {
		sim_result_free(&result);
		collector_finish(&listener.collector);
		code = listener.code;
	}
	if (code)
		pool_free(pool);
	return code;
}

/* What the threads share; each job writes its own slots only. */
struct building {
	struct corpus *corpus;
	const struct corpus_options *options;
	const struct vocabulary *vocabulary;
	struct error *errors; /* (networks) */
};

static int build_network(void *context, size_t slot)
{
	const struct building *building = context;
	struct pool pool;
	int code = corpus_network_pool(&pool, building->options,
				       building->options->first + (int64_t)slot,
				       &building->errors[slot]);

	if (code)
		return code;
	code = telemetry_spell(&building->corpus->telemetry[slot], building->vocabulary, &pool,
			       building->options->gamma, &building->errors[slot]);
	pool_free(&pool);
	return code;
}

/* Networks simulated between two words about progress. */
#define ROUND 8

static int build_all(struct building *building,
		     void (*done)(void *context, int64_t networks), void *context)
{
	struct building part = *building;
	struct corpus corpus = *building->corpus;
	struct corpus_options options = *building->options;
	int code = 0;

	part.corpus = &corpus;
	part.options = &options;
	for (int64_t at = 0; code == 0 && at < building->options->networks; at += ROUND) {
		const int64_t left = building->options->networks - at;

		corpus.telemetry = building->corpus->telemetry + at;
		part.errors = building->errors + at;
		options.first = building->options->first + at;
		code = parallel_for((size_t)(left < ROUND ? left : ROUND), 0, build_network, &part);
		if (done)
			done(context, at + (left < ROUND ? left : ROUND));
	}
	return code;
}

int corpus_build(struct corpus *corpus, const struct corpus_options *options,
		 const struct vocabulary *vocabulary,
		 void (*done)(void *context, int64_t networks), void *context,
		 struct error *error)
{
	struct building building = {corpus, options, vocabulary, NULL};
	int code = 0;

	memset(corpus, 0, sizeof(*corpus));
	corpus->networks = options->networks;
	corpus->telemetry = calloc((size_t)options->networks, sizeof(*corpus->telemetry));
	building.errors = calloc((size_t)options->networks, sizeof(*building.errors));
	if (corpus->telemetry == NULL || building.errors == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for a corpus");
	if (code == 0)
		code = build_all(&building, done, context);
	for (int64_t i = 0; building.errors && i < options->networks; i++)
		if (error && building.errors[i].code && error->code == 0)
			*error = building.errors[i];
	free(building.errors);
	for (int64_t i = 0; code == 0 && i < corpus->networks; i++) {
		corpus->rows += corpus->telemetry[i].rows;
		for (int64_t row = 0; row < corpus->telemetry[i].rows; row++)
			corpus->events += corpus->telemetry[i].event[row];
	}
	if (code)
		corpus_free(corpus);
	return code;
}

void corpus_free(struct corpus *corpus)
{
	for (int64_t i = 0; corpus->telemetry && i < corpus->networks; i++)
		telemetry_free(&corpus->telemetry[i]);
	free(corpus->telemetry);
	memset(corpus, 0, sizeof(*corpus));
}
