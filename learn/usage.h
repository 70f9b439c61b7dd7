/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this process has used of the machine.
 */
#ifndef LEARN_USAGE_H
#define LEARN_USAGE_H

#include <stdint.h>

struct usage {
	double wall_s;	   /* of a clock that never goes back */
	double cpu_s;	   /* processor time of all threads since the start */
	int64_t peak_bytes; /* most memory ever resident (VmHWM); 0: this system does not say */
	int64_t now_bytes;  /* resident now (VmRSS); 0 likewise */
};

struct usage usage_now(void);

#endif
