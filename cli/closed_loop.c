/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects a run's loose ends: policy over law, records into log and caller.
 *
 * Sinks of the simulator cannot fail; the first failure is kept and reported
 * after the run.
 */
#include "cli/closed_loop.h"

#include <string.h>

#include "base/units.h"
#include "experience/kernel_log.h"

struct taps {
	const struct closed_loop *loop;
	struct kernel_log_writer *log;
	int failed;
	struct error failure;
};

static void tap_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct taps *taps = context;
	const struct closed_loop *loop = taps->loop;

	if (taps->failed)
		return;
	if (taps->log)
		taps->failed = kernel_log_write(taps->log, now_ns, record);
	if (taps->failed == 0 && loop->record)
		taps->failed = loop->record(loop->context, now_ns, record, &taps->failure);
}

static bool tap_progress(void *context, double done)
{
	struct taps *taps = context;

	return taps->failed ||
	       (taps->loop->progress && taps->loop->progress(taps->loop->context, done));
}

static int run_tapped(struct taps *taps, const struct aqm_ops *law, const void *params,
		      struct sim_result *result, struct error *error)
{
	const struct closed_loop *loop = taps->loop;
	const struct sim_options options = {
		.seed = loop->seed,
		.law = law,
		.params = params,
		.bin_s = loop->bin_s,
		.context = taps,
		.record = loop->log || loop->record ? tap_record : NULL,
		.progress = tap_progress,
	};
	int code = loop->log ? kernel_log_create(&taps->log, loop->log, error) : 0, closed = 0;

	if (code)
		return code;
	code = sim_run(loop->scenario, &options, result, error);
	if (taps->failed && taps->failure.code) {
		*error = taps->failure;
		code = taps->failed;
	}
	if (taps->log)
		closed = kernel_log_close(taps->log, code == 0, code ? NULL : error);
	return code ? code : closed;
}

int closed_loop_run(const struct closed_loop *loop, struct sim_result *result,
		    struct aqm_policy_counts *counts, struct error *error)
{
	const struct aqm_policy_config config = {
		.law = loop->law,
		.law_params = loop->params,
		.policy = loop->policy,
		.interval = loop->interval,
		.latency_ns = (uint64_t)(loop->latency_ms * 1e6 + 0.5),
		.choice = loop->choice,
		.guarded = !loop->unguarded,
	};
	struct taps taps = {.loop = loop};
	struct aqm_policy *wrapped = NULL;
	int code;

	if (counts)
		memset(counts, 0, sizeof(*counts));
	if (loop->policy == NULL)
		return run_tapped(&taps, loop->law, loop->params, result, error);
	code = aqm_policy_new(&wrapped, &config, error);
	if (code == 0)
		code = run_tapped(&taps, aqm_policy_ops(wrapped), aqm_policy_params(wrapped),
				  result, error);
	if (code == 0)
		code = aqm_policy_failure(wrapped, error);
	if (code == 0 && counts)
		*counts = aqm_policy_counts(wrapped);
	aqm_policy_free(wrapped);
	return code;
}
