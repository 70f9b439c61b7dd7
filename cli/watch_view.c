/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of a live view.
 */
#include "cli/watch_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/chart.h"

#define SMOOTHING_S 0.5
#define LABEL_COLUMNS 32 /* before a sparkline or a bar */
#define FIXED_ROWS 14    /* everything but flows */

int watch_view_init(struct watch_view *view, const struct scenario *scenario, const char *law,
		    uint64_t seed)
{
	uint64_t flow = 0;

	*view = (struct watch_view){
		.scenario = scenario,
		.law = law,
		.seed = seed,
		.flow_count = scenario_flows(scenario),
	};
	view->flows = calloc(view->flow_count + 1, sizeof(*view->flows));
	view->order = calloc(view->flow_count + 1, sizeof(*view->order));
	if (view->flows == NULL || view->order == NULL) {
		watch_view_free(view);
		return ERR_NO_MEMORY;
	}
	for (uint64_t g = 0; g < scenario->group_count; g++) {
		for (uint64_t i = 0; i < scenario->groups[g].count; i++, flow++) {
			view->order[flow] = flow;
			snprintf(view->flows[flow].name, sizeof(view->flows[flow].name),
				 "%5" PRIu64 "  %s", flow, scenario->groups[g].cc);
		}
	}
	return 0;
}

void watch_view_free(struct watch_view *view)
{
	free(view->flows);
	free(view->order);
	view->flows = NULL;
	view->order = NULL;
}

static void smooth(double *value, double now, double weight)
{
	*value += (now - *value) * weight;
}

static void add_flows(struct watch_view *view, const struct sim_moment *moment, double weight)
{
	view->goodput_mbps = 0;
	for (uint64_t f = 0; f < view->flow_count && f < moment->flow_count; f++) {
		struct watch_flow *flow = &view->flows[f];

		smooth(&flow->goodput_mbps, moment->flows[f].goodput_mbps, weight);
		flow->rtt_ms = moment->flows[f].rtt_ms;
		flow->cwnd_bytes = moment->flows[f].cwnd_bytes;
		view->goodput_mbps += flow->goodput_mbps;
	}
}

void watch_view_add(struct watch_view *view, const struct sim_moment *moment)
{
	const double width_s = moment->t_s - view->t_s;
	/* The first bin is all there is to know. */
	const double weight = view->bins ? 1 - exp(-width_s / SMOOTHING_S) : 1;
	const uint64_t at = view->bins++ % WATCH_HISTORY;

	view->t_s = moment->t_s;
	view->bin = *moment->bin;
	for (int q = 0; q < AQM_QUEUES; q++)
		view->delay_ms[q][at] = moment->bin->qdelay_ms[q];
	view->p_base[at] = moment->bin->p_base;
	smooth(&view->utilisation, moment->bin->utilisation, weight);
	for (int q = 0; q < SIM_QUEUES && width_s > 0; q++) {
		smooth(&view->marks_hz[q], (double)moment->bin->marks[q] / width_s, weight);
		smooth(&view->drops_hz[q], (double)moment->bin->drops[q] / width_s, weight);
	}
	add_flows(view, moment, weight);
}

static void put_colour(FILE *out, const struct watch_size *size, int colour)
{
	if (size->colour)
		fprintf(out, "\x1b[%dm", colour);
}

static void put_head(const struct watch_view *view, FILE *out, const struct watch_size *size)
{
	const double end_s = view->scenario->duration_s;
	char left[200], right[80], pace[32] = "as fast as it goes";

	if (view->pace > 0)
		snprintf(pace, sizeof(pace), "%gx real time", view->pace);
	snprintf(left, sizeof(left), "%s through %s, seed %" PRIu64, view->scenario->name,
		 view->law, view->seed);
	snprintf(right, sizeof(right), "%.1f of %g s, %s", view->t_s, end_s,
		 view->paused ? "paused" : pace);
	put_colour(out, size, 1);
	fprintf(out, "%-*.*s", size->columns - (int)strlen(right) - 1,
		size->columns - (int)strlen(right) - 2, left);
	put_colour(out, size, 0);
	fprintf(out, "%s\n", right);
	put_colour(out, size, 90);
	chart_put_bar(out, view->t_s / end_s, size->columns - 1, size->unicode);
	put_colour(out, size, 0);
	fputs("\n\n", out);
}

static void put_link(const struct watch_view *view, FILE *out, const struct watch_size *size)
{
	fprintf(out, "link     %5.1f %% %7.4g Mbit/s ", view->utilisation * 100,
		view->goodput_mbps);
	put_colour(out, size, 32);
	chart_put_bar(out, view->utilisation, size->columns - LABEL_COLUMNS - 1, size->unicode);
	put_colour(out, size, 0);
	fputc('\n', out);
}

/* The newest of a history, as many as there is room for, and their greatest. */
static size_t newest(const struct watch_view *view, const double *history, double *values,
		     int room, double *high)
{
	const uint64_t held = view->bins < WATCH_HISTORY ? view->bins : WATCH_HISTORY;
	const uint64_t count = held < (uint64_t)room ? held : (uint64_t)room;

	for (uint64_t i = 0; i < count; i++) {
		values[i] = history[(view->bins - count + i) % WATCH_HISTORY];
		if (values[i] > *high)
			*high = values[i];
	}
	return count;
}

/* 1, 2 or 5 times a power of ten: the least that is not below `value`. */
static double round_up(double value)
{
	const double power = pow(10, floor(log10(value)));

	return value <= power ? power : value <= 2 * power ? 2 * power
				      : value <= 5 * power ? 5 * power : 10 * power;
}

/* A history with its scale behind the label that has been put. */
static void put_history(const struct watch_view *view, FILE *out, const struct watch_size *size,
			const double *history, int colour)
{
	double values[WATCH_HISTORY], high = 0;
	const int room = size->columns - LABEL_COLUMNS - 9;
	const size_t count = newest(view, history, values, room > 0 ? room : 0, &high);

	high = high > 0 ? round_up(high) : 1;
	put_colour(out, size, colour);
	chart_put_spark(out, values, count, high, size->unicode);
	put_colour(out, size, 0);
	fprintf(out, "%*s <%.4g\n", room - (int)count, "", high);
}

static void put_delay(const struct watch_view *view, FILE *out, const struct watch_size *size,
		      const char *label, enum aqm_queue queue, int colour)
{
	fprintf(out, "%-15s", label);
	if (isnan(view->bin.qdelay_ms[queue]))
		fprintf(out, "%*s", LABEL_COLUMNS - 15, "");
	else
		fprintf(out, "%10.3f ms   ", view->bin.qdelay_ms[queue]);
	if (!isnan(view->bin.qdelay_ms[queue]))
		fprintf(out, "%*s", LABEL_COLUMNS - 15 - 16, "");
	put_history(view, out, size, view->delay_ms[queue], colour);
}

static void put_queues(const struct watch_view *view, FILE *out, const struct watch_size *size)
{
	put_delay(view, out, size, "queue delay  L", AQM_QUEUE_L, 34);
	put_delay(view, out, size, "             C", AQM_QUEUE_C, 31);
	fprintf(out, "%-15s%10.5f%*s", "probability p'", view->bin.p_base, LABEL_COLUMNS - 25, "");
	put_history(view, out, size, view->p_base, 33);
	fputc('\n', out);
	fputs("           backlog kB    marks/s    drops/s\n", out);
	for (int q = AQM_QUEUES - 1; q >= 0; q--)
		fprintf(out, "%14s %6.1f %10.1f %10.1f\n", q == AQM_QUEUE_L ? "L" : "C",
			view->bin.backlog_bytes[q] / 1e3, view->marks_hz[q], view->drops_hz[q]);
	fputc('\n', out);
}

static int by_goodput(const void *a, const void *b, void *context)
{
	const struct watch_flow *flows = context;
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	const double difference = flows[y].goodput_mbps - flows[x].goodput_mbps;

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	return (x > y) - (x < y);
}

/* The largest flows, largest first where not all fit. */
static void put_flows(const struct watch_view *view, FILE *out, const struct watch_size *size,
		      uint64_t room)
{
	const uint64_t shown = view->flow_count < room ? view->flow_count : room;
	const int bar = size->columns - 70 > 30 ? 30 : size->columns - 70;
	double high = 0;

	if (shown < view->flow_count)
		qsort_r(view->order, view->flow_count, sizeof(*view->order), by_goodput,
			view->flows);
	for (uint64_t f = 0; f < view->flow_count; f++)
		high = fmax(high, view->flows[f].goodput_mbps);
	fprintf(out, " flow  control       goodput Mbit/s    RTT ms   window kB\n");
	for (uint64_t i = 0; i < shown; i++) {
		const struct watch_flow *flow = &view->flows[view->order[i]];

		fprintf(out, "%-19.19s %16.3f %9.1f %11.1f  ", flow->name, flow->goodput_mbps,
			flow->rtt_ms, flow->cwnd_bytes / 1e3);
		put_colour(out, size, 36);
		if (bar > 4)
			chart_put_bar(out, high > 0 ? flow->goodput_mbps / high : 0, bar,
				      size->unicode);
		put_colour(out, size, 0);
		fputc('\n', out);
	}
}

void watch_view_draw(struct watch_view *view, FILE *out, const struct watch_size *size)
{
	const int room = size->rows - FIXED_ROWS;

	put_head(view, out, size);
	put_link(view, out, size);
	put_queues(view, out, size);
	put_flows(view, out, size, room > 1 ? (uint64_t)room : 1);
	put_colour(out, size, 90);
	fputs("q quit   space pause   + faster   - slower   f as fast as it goes", out);
	put_colour(out, size, 0);
	fputc('\n', out);
}
