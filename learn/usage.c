/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks are POSIX's, memory is Linux's /proc/self/status.
 */
#include "learn/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static double processor_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void read_memory(struct usage *usage)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	int64_t kib;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmHWM: %" SCNd64, &kib) == 1)
			usage->peak_bytes = kib * 1024;
		if (sscanf(line, "VmRSS: %" SCNd64, &kib) == 1)
			usage->now_bytes = kib * 1024;
	}
	if (file)
		fclose(file);
}

struct usage usage_now(void)
{
	struct usage usage = {.wall_s = clock_s(), .cpu_s = processor_s()};

	read_memory(&usage);
	return usage;
}
