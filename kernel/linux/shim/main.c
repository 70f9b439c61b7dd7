// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * linux_shim [PACKETS [SEED]]: the vectors through the module's own qdisc.c and log.c, in user
 * space.  A line a case, as tests/vectors' program has them, and the sum of its log lines:
 *
 *     SUM CASE PACKETS [LOG]
 *
 * In the place of options.c, which is all netlink, there are defaults that the vectors replace.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kernel/linux/qdisc.h"
#include "kernel/linux/vectors.h"
#include "student_model.h"
#include "tests/vectors/log_sum.h"

#define DEFAULT_PACKETS 1000000

static uint64_t log_sum;

const struct aqm_student_model *aqmllm_shipped_model(void)
{
	return &student_model;
}

void shim_aqmllm_packet(const char *device, const struct aqm_record *record)
{
	(void)device;
	vectors_log_fold(&log_sum, record);
}

int aqmllm_init(struct Qdisc *sch, struct nlattr *options, struct netlink_ext_ack *extack)
{
	(void)sch;
	(void)options;
	(void)extack;
	return 0;
}

int aqmllm_change(struct Qdisc *sch, struct nlattr *options, struct netlink_ext_ack *extack)
{
	return aqmllm_init(sch, options, extack);
}

int aqmllm_dump(struct Qdisc *sch, struct sk_buff *skb)
{
	(void)sch;
	(void)skb;
	return 0;
}

void aqmllm_destroy(struct Qdisc *sch)
{
	struct aqmllm *q = qdisc_priv(sch);

	free(q->model);
	aqmllm_log_free(q->log);
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_PACKETS;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	for (uint32_t which = 0; which < VECTORS_END; which++) {
		u64 sum;
		int status;

		log_sum = 0;
		status = aqmllm_vectors_run(which, packets, seed, true, &sum);
		if (status || shim_skbs_held()) {
			printf("FAILED: %s: status %d, %u packets not freed\n",
			       aqmllm_vectors_names[which], status, shim_skbs_held());
			return 1;
		}
		printf("%016llx %s %" PRIu64, sum, aqmllm_vectors_names[which], packets);
		if (!vectors_is_single(which))
			printf(" %016" PRIx64, log_sum);
		printf("\n");
	}
	return 0;
}
