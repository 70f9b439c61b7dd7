/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real run kept as simulated ones are (cli/trial_outcome.h), so that the same report tells of it.
 */
#ifndef CLI_ROUTE_KEEP_H
#define CLI_ROUTE_KEEP_H

#include "cli/route_law.h"
#include "cli/trial_outcome.h"
#include "router/monitor.h"

/* The course of the managed way over time, in bins of TRIAL_BIN_S. */
struct route_keep {
	struct sim_bin *bins; /* (bin_count); owned */
	uint64_t bin_count, capacity;
	double begun_s; /* the bin that is being filled */
	uint64_t sojourns, bytes; /* when it began */
	double sojourn_sum_ns;
	int failed; /* ERR_NO_MEMORY: nothing is kept any more */
};

/*
 * Makes the folders of `path` and tries whether a file can be there, before a run of which nothing
 * would be left.
 */
int route_keep_check(const char *path, struct error *error);

/* Asked often: ends a bin that is over. */
void route_keep_look(struct route_keep *keep, const struct router *router, double now_s);

/* The router's statistics begin anew (monitor_begin()). */
void route_keep_begin(struct route_keep *keep);

/*
 * Writes the outcome of the run to `path`: figures behind the warm-up, of flows that sent ten
 * packets or more, with no round trips, which a router does not see.  ERR_NO_MEMORY, ERR_IO.
 */
int route_keep_write(const struct route_keep *keep, const char *path, const struct router *router,
		     const struct monitor *monitor, const struct route_law *law,
		     struct error *error);
void route_keep_free(struct route_keep *keep);

#endif
