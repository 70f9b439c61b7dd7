/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects a run's loose ends: policy over law, records into log and caller,
 * packets into a capture.
 *
 * Sinks of the simulator cannot fail; the first failure is kept and reported
 * after the run.
 */
#include "cli/closed_loop.h"

#include <string.h>

#include "base/units.h"
#include "cli/capture.h"
#include "cli/student_law.h"
#include "experience/kernel_log.h"

struct taps {
	const struct closed_loop *loop;
	struct kernel_log_writer *log;
	struct capture capture;
	int failed;
	struct error failure;
};

static void tap_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct taps *taps = context;
	const struct closed_loop *loop = taps->loop;

	if (taps->failed)
		return;
	if (taps->log && kernel_log_write(taps->log, now_ns, record) != 0)
		taps->failed = error_errno(&taps->failure, loop->log, "writing");
	if (taps->failed == 0 && loop->record)
		taps->failed = loop->record(loop->context, now_ns, record, &taps->failure);
}

static void tap_packet(void *context, uint64_t now_ns, const struct packet *packet,
		       enum sim_tap tap, uint64_t sojourn_ns)
{
	struct taps *taps = context;

	if (!taps->failed &&
	    !capture_packet(&taps->capture, now_ns, packet, tap, sojourn_ns))
		taps->failed = error_errno(&taps->failure, taps->loop->pcap, "writing");
}

static bool tap_bin(void *context, const struct sim_moment *moment)
{
	const struct taps *taps = context;

	return taps->loop->bin(taps->loop->context, moment);
}

static bool tap_progress(void *context, double done)
{
	struct taps *taps = context;

	return taps->failed ||
	       (taps->loop->progress && taps->loop->progress(taps->loop->context, done));
}

static int open_files(struct taps *taps, struct error *error)
{
	const struct closed_loop *loop = taps->loop;
	int code = loop->log ? kernel_log_create(&taps->log, loop->log, error) : 0;

	if (code == 0 && loop->pcap)
		code = capture_open(&taps->capture, loop->pcap, loop->scenario, loop->law->name,
				    loop->seed, error);
	if (code && taps->log)
		kernel_log_close(taps->log, false, NULL);
	return code;
}

/* Keeps them unless `code` says that the run failed; returns the first failure. */
static int close_files(struct taps *taps, int code, struct error *error)
{
	int closed = 0;

	if (taps->log)
		closed = kernel_log_close(taps->log, code == 0, code ? NULL : error);
	code = code ? code : closed;
	if (taps->loop->pcap)
		closed = capture_close(&taps->capture, code == 0, code ? NULL : error);
	return code ? code : closed;
}

static int run_as_is(struct taps *taps, const struct aqm_ops *law, const void *params,
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
		.bin = loop->bin ? tap_bin : NULL,
		.packet = loop->pcap ? tap_packet : NULL,
		.progress = tap_progress,
	};
	int code = open_files(taps, error);

	if (code)
		return code;
	code = sim_run(loop->scenario, &options, result, error);
	if (taps->failed && taps->failure.code) {
		*error = taps->failure;
		code = taps->failed;
	}
	return close_files(taps, code, error);
}

/* With a disturbance behind the law, where there is to be one. */
static int run_tapped(struct taps *taps, const struct aqm_ops *law, const void *params,
		      struct sim_result *result, struct error *error)
{
	const struct closed_loop *loop = taps->loop;
	struct perturbation *disturbed = NULL;
	int code;

	if (loop->disturbance == NULL)
		return run_as_is(taps, law, params, result, error);
	code = perturbation_new(&disturbed, loop->disturbance, law, params, error);
	if (code == 0)
		code = run_as_is(taps, perturbation_ops(disturbed), perturbation_params(disturbed),
				 result, error);
	if (code == 0)
		*loop->disturbed = *perturbation_sums(disturbed);
	perturbation_free(disturbed);
	return code;
}

/* A law alone.  Of a student, too, what it decided is counted. */
static int run_law(struct taps *taps, struct sim_result *result, struct aqm_policy_counts *counts,
		   struct error *error)
{
	const struct closed_loop *loop = taps->loop;
	struct student_watch watch;
	int code;

	if (!student_watch_open(&watch, loop->law, loop->params))
		return run_tapped(taps, loop->law, loop->params, result, error);
	code = run_tapped(taps, loop->law, &watch.params, result, error);
	if (code == 0 && counts)
		*counts = student_watch_counts(&watch);
	return code;
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
		return run_law(&taps, result, counts, error);
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
