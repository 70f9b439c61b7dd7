/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What figures of runs and of results have in common.
 */
#include "cli/plot.h"

#include <string.h>

struct figure *plot_add(struct plot *plot, const char *name, bool overview)
{
	struct figure *figure;

	if (plot->figures == NULL)
		plot->figures =
			arena_calloc(&plot->arena, PLOT_FIGURES_MAX, sizeof(*plot->figures));
	if (plot->figures == NULL || plot->count == PLOT_FIGURES_MAX)
		return NULL;
	if (overview && plot->overview_count < PLOT_OVERVIEW_MAX)
		plot->overview[plot->overview_count++] = plot->count;
	figure = &plot->figures[plot->count++];
	*figure = (struct figure){.name = name};
	return figure;
}

struct figure_series *plot_series(struct figure *figure, const char *name)
{
	struct figure_series *series;

	if (figure->series_count == FIGURE_MAX_SERIES)
		return NULL;
	series = &figure->series[figure->series_count++];
	series->name = name;
	return series;
}

void plot_free(struct plot *plot)
{
	arena_free(&plot->arena);
	memset(plot, 0, sizeof(*plot));
}
