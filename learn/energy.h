/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joules that the machine has spent, where it counts them: processor packages
 * (RAPL: Linux's powercap tree, usually readable by root alone) and NVIDIA
 * devices (NVML, loaded at run time if it is there).
 *
 * Counters are the machine's, not the process's: whatever else runs is in them.
 */
#ifndef LEARN_ENERGY_H
#define LEARN_ENERGY_H

#include <stdint.h>

#define ENERGY_COUNTERS_MAX 64
#define ENERGY_POWERCAP "/sys/class/powercap"

struct energy_counter {
	char path[256];	 /* of energy_uj; empty: an NVIDIA device */
	void *device;	 /* NVML's handle */
	uint64_t last;	 /* as read last: microjoules, or NVML's millijoules */
	uint64_t range;	 /* the counter starts again at 0 past this; 0: never */
};

struct energy {
	int count;
	struct energy_counter counters[ENERGY_COUNTERS_MAX];
	void *library;	/* NVML's; NULL: none */
	int (*read_device)(void *device, unsigned long long *millijoules);
	double joules;	/* since energy_open(), as of the last energy_sample() */
};

/* Finds what can be read under `powercap` (ENERGY_POWERCAP), and NVIDIA devices. */
void energy_open(struct energy *energy, const char *powercap);
void energy_close(struct energy *energy);

/*
 * Adds up what was spent since the last call and returns the total in joules;
 * NaN when nothing can be read.  Call it at least every few minutes: a counter
 * that ran round twice between two calls is missed.
 */
double energy_sample(struct energy *energy);

#endif
