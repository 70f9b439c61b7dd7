/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures out of what other commands wrote: a run's folder, or results of many runs.
 */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "base/arena.h"
#include "report/figure.h"

#define PLOT_OVERVIEW_MAX 6
#define PLOT_FIGURES_MAX 128

struct plot {
	struct arena arena;       /* everything below lives here */
	struct figure *figures;   /* (count), each with its name */
	size_t count;
	size_t overview[PLOT_OVERVIEW_MAX]; /* those that together show most */
	size_t overview_count;
	const char *title;        /* of the overview */
};

/* The next figure of `plot`, zeroed and named; NULL when there is no room or no memory. */
struct figure *plot_add(struct plot *plot, const char *name, bool overview);

/* A series more of `figure`, zeroed and named; NULL when it is full. */
struct figure_series *plot_series(struct figure *figure, const char *name);

/* From queue.csv, flows.csv and, where it is there, summary.json of `simulate -o FOLDER`. */
int plot_read_run(struct plot *plot, const char *folder, struct error *error);

/* From results.csv of `evaluate`; `scenario` NULL: all of them together. */
int plot_read_results(struct plot *plot, const char *path, const char *scenario,
		      struct error *error);

/* Both leave a plot to be freed in any case. */
void plot_free(struct plot *plot);

#endif
