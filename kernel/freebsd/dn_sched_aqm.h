/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What dummynet allocates for a scheduler and for its instances, on our account.
 */
#ifndef KERNEL_FREEBSD_DN_SCHED_AQM_H
#define KERNEL_FREEBSD_DN_SCHED_AQM_H

#include "kernel/freebsd/dual_queue.h"
#include "kernel/freebsd/settings.h"

/* What follows struct dn_schk. */
struct sched_config {
	struct dual_host_params params;
	int64_t values[SETTINGS_MOST];
	bool logs;
	bool counted;             /* in the module's references */
	u_int version;            /* goes up when it changes */
	struct dual_queue *kept;  /* of an instance that went */
	u_int kept_version;
};

/* What dummynet allocates as an instance; main_q has to follow _si. */
struct sched_instance {
	struct dn_sch_inst _si;
	struct dn_queue main_q; /* for its statistics */
	struct dual_queue *queue; /* NULL until the first packet */
	u_int version; /* of the configuration */
};

/* Gives the instance its pair of queues, as its first packet does; false: no memory. */
bool sched_instance_begin(struct sched_instance *instance);

#endif
