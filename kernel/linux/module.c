// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The qdisc comes and goes with the module.
 */
#include <linux/module.h>
#include <net/pkt_sched.h>

#include "kernel/linux/qdisc.h"

static int __init aqmllm_module_init(void)
{
	return register_qdisc(&aqmllm_qdisc_ops);
}

static void __exit aqmllm_module_exit(void)
{
	unregister_qdisc(&aqmllm_qdisc_ops);
}

module_init(aqmllm_module_init);
module_exit(aqmllm_module_exit);
MODULE_ALIAS("sch_aqmllm");
MODULE_DESCRIPTION("AQM-LLM: DualPI2 and a learned student as a queueing discipline");
MODULE_LICENSE("Dual BSD/GPL");
