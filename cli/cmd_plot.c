/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm plot: pictures of a run or of results, in files or in the terminal.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/plot.h"
#include "cli/terminal.h"
#include "report/chart.h"

static const char *chosen_output, *chosen_figure, *chosen_scenario;

static int read_input(struct plot *plot, const char *input, struct error *error)
{
	char path[4096];

	if (!file_is_folder(input))
		return plot_read_results(plot, input, chosen_scenario, error);
	if (file_join(path, sizeof(path), input, "results.csv", NULL) == 0 && file_exists(path))
		return plot_read_results(plot, path, chosen_scenario, error);
	if (file_join(path, sizeof(path), input, "queue.csv", NULL) != 0 || !file_exists(path))
		return error_at(error, ERR_NOT_FOUND, input, 0, NULL,
				"holds neither queue.csv (simulate -o) nor results.csv "
				"(evaluate -o)");
	if (chosen_scenario)
		return error_at(error, ERR_INVALID, NULL, 0, "--scenario",
				"is for results of evaluate; this is a single run");
	return plot_read_run(plot, input, error);
}

/* The figures that the user means: one, or those of the overview. */
static int choose(const struct plot *plot, const char *name, struct figure *panels, size_t *count,
		  struct error *error)
{
	char names[400] = "overview";

	*count = 0;
	for (size_t i = 0; i < plot->overview_count; i++)
		if (name == NULL || strcmp(name, "overview") == 0)
			panels[(*count)++] = plot->figures[plot->overview[i]];
	for (size_t f = 0; f < plot->count; f++) {
		if (name && strcmp(plot->figures[f].name, name) == 0)
			panels[(*count)++] = plot->figures[f];
		snprintf(names + strlen(names), sizeof(names) - strlen(names), ", %s",
			 plot->figures[f].name);
	}
	if (*count == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--figure",
				"%s is none of: %s", name ? name : "overview", names);
	return 0;
}

static void print_charts(const struct plot *plot, const struct figure *panels, size_t count)
{
	const struct chart_style style = {
		.width = terminal_columns() - 20,
		.height = count > 1 ? 10 : 20,
		.unicode = terminal_is_unicode(),
		.colour = isatty(STDOUT_FILENO),
	};

	printf("%s\n", plot->title);
	for (size_t p = 0; p < count; p++) {
		putchar('\n');
		chart_put(stdout, &panels[p], &style);
	}
}

static void tell_file(const struct command_common *common, const char *folder, const char *name,
		      bool first)
{
	if (common->json)
		printf("%s\"%s%s%s\"", first ? "{\"figures\": [" : ", ", folder,
		       folder[0] ? "/" : "", name);
	else if (!common->quiet)
		printf("%s%s%s\n", folder, folder[0] ? "/" : "", name);
}

static int write_folder(const struct command_common *common, const struct plot *plot,
			struct error *error)
{
	int code = file_make_folders(chosen_output, error);
	bool first = true;

	for (size_t f = 0; code == 0 && f < plot->count; f++) {
		const struct figure *figure = &plot->figures[f];
		char name[128];

		if (chosen_figure && strcmp(chosen_figure, figure->name) != 0)
			continue;
		code = figure_write(figure, chosen_output, figure->name, error);
		snprintf(name, sizeof(name), "%s.svg", figure->name);
		if (code == 0)
			tell_file(common, chosen_output, name, first);
		first = false;
	}
	if (code == 0 && common->json)
		puts("]}");
	return code;
}

/* The names of what could be drawn. */
static void list_figures(const struct plot *plot)
{
	fputs("{\"figures\": [\"overview\"", stdout);
	for (size_t f = 0; f < plot->count; f++)
		printf(", \"%s\"", plot->figures[f].name);
	puts("]}");
}

static bool is_picture(const char *path)
{
	return file_has_suffix(path, ".svg") || file_has_suffix(path, ".png");
}

static int draw(const struct command_common *common, const struct plot *plot, struct error *error)
{
	struct figure panels[PLOT_OVERVIEW_MAX];
	size_t count;
	int code = choose(plot, chosen_figure, panels, &count, error);

	if (code)
		return code;
	if (chosen_output == NULL) {
		if (common->json)
			list_figures(plot);
		else
			print_charts(plot, panels, count);
		return 0;
	}
	if (!is_picture(chosen_output))
		return write_folder(common, plot, error);
	code = figure_save(panels, count, plot->title, chosen_output, error);
	if (code == 0) {
		tell_file(common, "", chosen_output, true);
		if (common->json)
			puts("]}");
	}
	return code;
}

static int run_plot(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	struct plot plot = {0};
	int code;

	if (count != 1)
		return error_set(error, ERR_INVALID,
				 "name one folder that simulate -o or evaluate -o wrote");
	arena_init(&plot.arena);
	code = read_input(&plot, operands[0], error);
	if (code == 0)
		code = draw(common, &plot, error);
	plot_free(&plot);
	return code;
}

static const struct option plot_options[] = {
	{"output", 'o', OPTION_TEXT, &chosen_output, "OUT",
	 "FILE.svg or FILE.png: one picture; anything else: a folder for every figure as SVG. The "
	 "numbers stand beside each as CSV. Without it: the terminal",
	 0, 0},
	{"figure", 0, OPTION_TEXT, &chosen_figure, "NAME",
	 "one figure instead of the overview. Of a run: qdelay, qdelay_cdf, backlog, probability, "
	 "goodput, rtt; of results: a METRIC's means with 95 % intervals, or METRIC-box",
	 0, 0},
	{"scenario", 0, OPTION_TEXT, &chosen_scenario, "NAME",
	 "of results: this scenario's alone (all of them together)", 0, 0},
	{0},
};

const struct command command_plot = {
	.name = "plot",
	.operands = "DIR|results.csv",
	.summary = "pictures of a run or of an evaluation, as files or in the terminal",
	.details = "DIR is what simulate -o or evaluate -o wrote. Pictures need gnuplot "
		   "(gnuplot-nox); the terminal does not.",
	.options = plot_options,
	.run = run_plot,
};
