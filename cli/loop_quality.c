/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/loop_quality.h"

#include "base/units.h"
#include "experience/collect.h"

struct loop_sum {
	const struct closed_loop *loop;
	double reward, from_ns;
};

static int add_record(void *context, uint64_t now_ns, const struct aqm_record *record,
		      struct error *error)
{
	struct loop_sum *sum = context;

	(void)error;
	if ((double)now_ns >= sum->from_ns && record->dequeue_action != AQM_LOGGED_DROP)
		sum->reward += collect_reward_of(COLLECT_paper, record);
	return 0;
}

static bool pass_progress(void *context, double done)
{
	const struct closed_loop *loop = ((const struct loop_sum *)context)->loop;

	return loop->progress && loop->progress(loop->context, done);
}

int loop_quality_run(const struct closed_loop *loop, struct sim_result *result, double *quality,
		     struct error *error)
{
	const struct scenario *scenario = loop->scenario;
	struct loop_sum sum = {.loop = loop, .from_ns = scenario->warmup_s * NS_PER_S};
	struct closed_loop summed = *loop;
	int status;

	summed.context = &sum;
	summed.record = add_record;
	summed.progress = pass_progress;
	status = closed_loop_run(&summed, result, NULL, error);
	*quality = sum.reward / (scenario->duration_s - scenario->warmup_s);
	return status;
}
