/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run's figures from the folder that `simulate -o` wrote.
 *
 * Long series are thinned: of each stretch of bins the least and the greatest
 * value stay, so that no spike is lost; rates and round trips of flows are
 * means over stretches.  Many flows are shown as the mean of those that have
 * the same congestion control.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/plot.h"
#include "report/statistics.h"
#include "report/table.h"

#define STRETCHES 1000    /* of a thinned series */
#define FLOW_POINTS 150   /* of a flow's series */
#define MAX_FLOW_LINES 10 /* more cannot be told apart */
#define CDF_POINTS 300
#define CDF_LEAST_MS 0.001 /* shorter delays stand here: the axis is logarithmic */

enum queue_word { WORD_C, WORD_L, WORD_ALL };
static const char *const queue_words[] = {"C", "L", "all", NULL};
static const char *const line_names[] = {"C queue", "L queue", "both"};

enum { QUEUE_T, QUEUE_NAME, QUEUE_DELAY, QUEUE_BACKLOG, QUEUE_P, QUEUE_COLUMNS };
enum { FLOW_T, FLOW_ID, FLOW_GOODPUT, FLOW_RTT, FLOW_COLUMNS };

struct run {
	struct plot *plot;
	struct table_column queue[QUEUE_COLUMNS], flow[FLOW_COLUMNS];
	size_t queue_rows, flow_rows;
	size_t flows;
	const char **controls; /* (flows): their congestion controls, "" when not known */
	size_t *lines;         /* (flows): the flow whose line each belongs to */
	double warmup_s;
	bool no_memory;
};

static double *numbers(struct run *run, size_t count)
{
	double *memory = arena_calloc(&run->plot->arena, count + 1, sizeof(*memory));

	run->no_memory |= memory == NULL;
	return memory;
}

/* Least and greatest of y[from..to), in the order in which they came, as points. */
static void keep_extremes(struct figure_series *series, double *x, double *y, size_t from,
			  size_t to)
{
	size_t low = from, high = from;

	for (size_t i = from; i < to; i++) {
		if (!(y[low] <= y[i]))
			low = i;
		if (!(y[high] >= y[i]))
			high = i;
	}
	for (int second = 0; second < 2; second++) {
		const size_t at = (low < high) != second ? low : high;

		if (second && low == high)
			break;
		x[series->count] = x[at];
		y[series->count++] = y[at];
	}
}

static void set_points(struct figure_series *series, double *x, double *y, size_t count)
{
	series->x = x;
	series->y = y;
	if (count <= 2 * STRETCHES) {
		series->count = count;
		return;
	}
	for (size_t s = 0; s < STRETCHES; s++)
		keep_extremes(series, x, y, s * count / STRETCHES, (s + 1) * count / STRETCHES);
}

/* A line of one queue's column over time; none when it never has a delay (single queues). */
static void add_queue_line(struct run *run, struct figure *figure, enum queue_word word, int column,
			   double scale)
{
	double *x = numbers(run, run->queue_rows), *y = numbers(run, run->queue_rows);
	size_t count = 0;
	bool used = false;

	if (x == NULL || y == NULL)
		return;
	for (size_t i = 0; i < run->queue_rows; i++) {
		if (run->queue[QUEUE_NAME].cells[i] != word)
			continue;
		used |= isfinite(run->queue[QUEUE_DELAY].cells[i]);
		x[count] = run->queue[QUEUE_T].cells[i];
		y[count++] = run->queue[column].cells[i] * scale;
	}
	if (used)
		set_points(plot_series(figure, line_names[word]), x, y, count);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void add_delay_cdf(struct run *run, struct figure *figure, enum queue_word word)
{
	double *all = numbers(run, run->queue_rows), *x = numbers(run, CDF_POINTS);
	double *y = numbers(run, CDF_POINTS);
	size_t count = 0;
	struct figure_series *series;

	if (all == NULL || x == NULL || y == NULL)
		return;
	for (size_t i = 0; i < run->queue_rows; i++) {
		const double delay = run->queue[QUEUE_DELAY].cells[i];

		if (run->queue[QUEUE_NAME].cells[i] == word && isfinite(delay) &&
		    run->queue[QUEUE_T].cells[i] > run->warmup_s)
			all[count++] = delay > CDF_LEAST_MS ? delay : CDF_LEAST_MS;
	}
	if (count == 0)
		return;
	qsort(all, count, sizeof(*all), ascending);
	for (size_t i = 0; i < CDF_POINTS; i++) {
		y[i] = (double)i / (CDF_POINTS - 1);
		x[i] = statistics_quantile(all, count, y[i]);
	}
	series = plot_series(figure, line_names[word]);
	series->x = x;
	series->y = y;
	series->count = CDF_POINTS;
}

static struct figure *add_lines(struct run *run, const char *name, const char *title,
				const char *y_label)
{
	struct figure *figure = plot_add(run->plot, name, true);

	if (figure == NULL) {
		run->no_memory = true;
		return NULL;
	}
	figure->title = title;
	figure->x_label = "time, s";
	figure->y_label = y_label;
	figure->from_zero = true;
	return figure;
}

static void draw_queues(struct run *run)
{
	struct figure *delay = add_lines(run, "qdelay", "Queue delay", "queue delay, ms");
	struct figure *cdf = add_lines(run, "qdelay_cdf", "Queue delay, distribution over bins",
				       "share of bins");
	struct figure *backlog = add_lines(run, "backlog", "Backlog", "backlog, kB");
	struct figure *p = add_lines(run, "probability", "Base probability of the law",
				      "base probability p'");

	if (run->no_memory)
		return;
	cdf->x_label = "queue delay, ms";
	cdf->log_x = true;
	cdf->y_high = 1;
	for (int word = WORD_L; word >= WORD_C; word--) {
		add_queue_line(run, delay, (enum queue_word)word, QUEUE_DELAY, 1);
		add_delay_cdf(run, cdf, (enum queue_word)word);
		add_queue_line(run, backlog, (enum queue_word)word, QUEUE_BACKLOG, 1e-3);
	}
	add_queue_line(run, p, WORD_ALL, QUEUE_P, 1);
}

/* A flow has its own line; of many, those with the same control share that of the first. */
static void choose_lines(struct run *run)
{
	size_t firsts[FIGURE_MAX_SERIES], count = 0;

	for (size_t f = 0; f < run->flows; f++) {
		size_t i = 0;

		run->lines[f] = f;
		if (run->flows <= MAX_FLOW_LINES)
			continue;
		while (i < count && strcmp(run->controls[firsts[i]], run->controls[f]) != 0)
			i++;
		if (i < count)
			run->lines[f] = firsts[i];
		else if (count < FIGURE_MAX_SERIES)
			firsts[count++] = f;
	}
}

static const char *line_name(struct run *run, size_t flow)
{
	char name[64];
	size_t alike = 0;

	for (size_t i = 0; i < run->flows; i++)
		alike += run->lines[i] == flow;
	if (run->flows <= MAX_FLOW_LINES)
		snprintf(name, sizeof(name), "%zu %s", flow, run->controls[flow]);
	else
		snprintf(name, sizeof(name), "%s, mean of %zu",
			 run->controls[flow][0] ? run->controls[flow] : "flows", alike);
	return arena_strdup(&run->plot->arena, name);
}

/* Means over stretches of time of the flows that share a line. */
static void add_flow_line(struct run *run, struct figure *figure, size_t line, int column)
{
	const double *t = run->flow[FLOW_T].cells;
	const double end_s = run->flow_rows ? t[run->flow_rows - 1] : 0;
	double *x = numbers(run, FLOW_POINTS), *y = numbers(run, FLOW_POINTS);
	double *weight = numbers(run, FLOW_POINTS);
	struct figure_series *series = NULL;

	if (x == NULL || y == NULL || weight == NULL || !(end_s > 0))
		return;
	for (size_t i = 0; i < run->flow_rows; i++) {
		const double share = t[i] / end_s, value = run->flow[column].cells[i];
		size_t at;

		if (run->lines[(size_t)run->flow[FLOW_ID].cells[i]] != line ||
		    !(share >= 0 && share <= 1))
			continue;
		at = (size_t)(share * FLOW_POINTS * (1 - 1e-9));
		/* A round trip of 0: no sample yet. */
		if (!isfinite(value) || (column == FLOW_RTT && value == 0))
			continue;
		y[at] += value;
		weight[at]++;
	}
	for (size_t i = 0; i < FLOW_POINTS; i++) {
		if (weight[i] == 0)
			continue;
		if (series == NULL)
			series = plot_series(figure, line_name(run, line));
		if (series == NULL)
			return;
		x[series->count] = ((double)i + 0.5) * end_s / FLOW_POINTS;
		y[series->count++] = y[i] / weight[i];
		series->x = x;
		series->y = y;
	}
}

static void draw_flows(struct run *run)
{
	struct figure *goodput = add_lines(run, "goodput", "Goodput of flows", "goodput, Mbit/s");
	struct figure *rtt = add_lines(run, "rtt", "Round trips of flows", "smoothed RTT, ms");

	choose_lines(run);
	for (size_t f = 0; !run->no_memory && f < run->flows; f++) {
		if (run->lines[f] != f || goodput->series_count == FIGURE_MAX_SERIES)
			continue;
		add_flow_line(run, goodput, f, FLOW_GOODPUT);
		add_flow_line(run, rtt, f, FLOW_RTT);
	}
}

/* Number of flows, and no control known yet. */
static int count_flows(struct run *run, const char *folder, struct error *error)
{
	for (size_t i = 0; i < run->flow_rows; i++) {
		const double id = run->flow[FLOW_ID].cells[i];

		if (!(id >= 0 && id < 1e6 && id == floor(id)))
			return error_at(error, ERR_INVALID, folder, 0, "flow",
					"%g in flows.csv is not a flow's number", id);
		if ((size_t)id >= run->flows)
			run->flows = (size_t)id + 1;
	}
	run->controls = arena_calloc(&run->plot->arena, run->flows + 1, sizeof(*run->controls));
	run->lines = arena_calloc(&run->plot->arena, run->flows + 1, sizeof(*run->lines));
	if (run->controls == NULL || run->lines == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for figures");
	for (size_t f = 0; f < run->flows; f++)
		run->controls[f] = "";
	return 0;
}

/* What the summary adds: names, and where the warm-up ends. */
static void read_summary(struct run *run, const char *folder)
{
	const char *scenario = "", *law = "", *control;
	json_int_t seed = 0;
	json_t *summary, *flow;
	size_t index;
	char path[4096], title[200];

	if (file_join(path, sizeof(path), folder, "summary.json", NULL))
		return;
	summary = json_load_file(path, 0, NULL);
	if (summary == NULL)
		return;
	json_unpack(summary, "{s?F}", "warmup_s", &run->warmup_s);
	if (json_unpack(summary, "{s:s, s:s, s:I}", "scenario", &scenario, "aqm", &law, "seed",
			&seed) == 0) {
		snprintf(title, sizeof(title), "%s through %s, seed %" PRId64, scenario, law,
			 (int64_t)seed);
		run->plot->title = arena_strdup(&run->plot->arena, title);
	}
	json_array_foreach(json_object_get(summary, "flows"), index, flow) {
		control = json_string_value(json_object_get(flow, "cc"));
		if (control && index < run->flows)
			run->controls[index] = arena_strdup(&run->plot->arena, control);
	}
	json_decref(summary);
}

static int read_tables(struct run *run, const char *folder, struct error *error)
{
	char path[4096];
	int code = file_join(path, sizeof(path), folder, "queue.csv", error);

	if (code == 0)
		code = table_read(path, run->queue, QUEUE_COLUMNS, &run->queue_rows, error);
	if (code == 0)
		code = file_join(path, sizeof(path), folder, "flows.csv", error);
	if (code == 0)
		code = table_read(path, run->flow, FLOW_COLUMNS, &run->flow_rows, error);
	return code;
}

static int tell_cut(const char *folder, const char *name, size_t rows, struct error *error)
{
	char path[4096];

	file_join(path, sizeof(path), folder, name, NULL);
	return error_at(error, ERR_INVALID, path, 1 + (long)rows, NULL,
			"is cut: lines are missing behind this one; run simulate -o again");
}

/* Both files end at the same time, with their last queue and flow. */
static int check_ends(const struct run *run, const char *folder, struct error *error)
{
	const size_t queues = run->queue_rows, flows = run->flow_rows;
	double queue_s, flow_s;

	if (queues == 0 || flows == 0)
		return 0;
	queue_s = run->queue[QUEUE_T].cells[queues - 1];
	flow_s = run->flow[FLOW_T].cells[flows - 1];
	if (run->queue[QUEUE_NAME].cells[queues - 1] != WORD_ALL || queue_s < flow_s)
		return tell_cut(folder, "queue.csv", queues, error);
	if (run->flow[FLOW_ID].cells[flows - 1] + 1 != (double)run->flows || flow_s < queue_s)
		return tell_cut(folder, "flows.csv", flows, error);
	return 0;
}

int plot_read_run(struct plot *plot, const char *folder, struct error *error)
{
	struct run run = {
		.plot = plot,
		.queue = {{.name = "t_s"}, {.name = "queue", .words = queue_words},
			  {.name = "qdelay_ms"}, {.name = "backlog_bytes"}, {.name = "p_base"}},
		.flow = {{.name = "t_s"}, {.name = "flow"}, {.name = "goodput_mbps"},
			 {.name = "rtt_ms"}},
	};
	int code = read_tables(&run, folder, error);

	plot->title = folder;
	if (code == 0)
		code = count_flows(&run, folder, error);
	if (code == 0)
		code = check_ends(&run, folder, error);
	if (code == 0) {
		read_summary(&run, folder);
		draw_queues(&run);
		draw_flows(&run);
		if (run.no_memory)
			code = error_set(error, ERR_NO_MEMORY, "out of memory for figures");
	}
	table_free(run.queue, QUEUE_COLUMNS);
	table_free(run.flow, FLOW_COLUMNS);
	return code;
}
