// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * insmod aqmllm_vectors.ko [packets=N] [seed=S] prints a line a case to the kernel's log:
 *
 *     aqmllm_vectors: SUM CASE PACKETS
 *
 * as tests/vectors' program does.  The module does nothing else.
 */
#include <linux/module.h>

#include "kernel/linux/vectors.h"

static ulong packets = 100000;
module_param(packets, ulong, 0444);
MODULE_PARM_DESC(packets, "packets of each case");

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "seed of the packets");

static int __init aqmllm_vectors_init(void)
{
	u32 which;

	for (which = 0; which < VECTORS_END; which++) {
		u64 sum;
		const int status = aqmllm_vectors_run(which, packets, seed, false, &sum);

		if (status)
			return status;
		pr_info("aqmllm_vectors: %016llx %s %lu\n", sum, aqmllm_vectors_names[which],
			packets);
	}
	return 0;
}

static void __exit aqmllm_vectors_exit(void)
{
}

module_init(aqmllm_vectors_init);
module_exit(aqmllm_vectors_exit);
MODULE_DESCRIPTION("AQM-LLM: conformance vectors through the qdisc");
MODULE_LICENSE("Dual BSD/GPL");
