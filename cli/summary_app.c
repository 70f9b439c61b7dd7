/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Applications in the summary: one-way delays of datagrams, times of transfers
 * and pages, what a viewer saw.
 */
#include "cli/summary_app.h"

#include <inttypes.h>

const struct summary_quantile summary_quantiles[SUMMARY_QUANTILES] = {
	{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999},
};

json_t *summary_sketch_json(const struct sketch *sketch)
{
	json_t *object = json_object();

	json_object_set_new(object, "mean", json_real(sketch_mean(sketch) / 1e6));
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++)
		json_object_set_new(
			object, summary_quantiles[i].name,
			json_real(sketch_quantile(sketch, summary_quantiles[i].q) / 1e6));
	json_object_set_new(object, "max", json_real((double)sketch->max / 1e6));
	return object;
}

static json_t *datagrams_json(const struct sim_datagrams *datagrams)
{
	return json_pack("{s:I, s:I, s:f, s:o}", "received", (json_int_t)datagrams->received,
			 "lost", (json_int_t)datagrams->lost, "jitter_ms",
			 datagrams->jitter_ns / 1e6, "delay_ms",
			 summary_sketch_json(&datagrams->delay_ns));
}

static json_t *tasks_json(const struct sim_tasks *tasks)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "begun", (json_int_t)tasks->begun,
			 "completed", (json_int_t)tasks->done, "refused",
			 (json_int_t)tasks->refused, "bytes", (json_int_t)tasks->bytes, "time_ms",
			 summary_sketch_json(&tasks->time_ns));
}

static json_t *video_json(const struct sim_video *video)
{
	return json_pack("{s:I, s:f, s:I, s:f, s:I, s:f, s:f}", "segments",
			 (json_int_t)video->segments, "bitrate_mbps", video->bitrate_mbps,
			 "switches", (json_int_t)video->switches, "played_s", video->played_s,
			 "stalls", (json_int_t)video->stalls, "stall_s", video->stall_s,
			 "startup_s", video->startup_s);
}

static json_t *connections_json(const struct sim_connections *connections)
{
	return json_pack("{s:I, s:I, s:f}", "opened", (json_int_t)connections->opened, "open",
			 (json_int_t)connections->open, "longest_wait_ms",
			 (double)connections->longest_wait_ns / 1e6);
}

void summary_app_json(json_t *flow, const struct sim_app_result *app)
{
	if (app->report != SIM_REPORT_DATAGRAMS)
		json_object_set_new(flow, "connections", connections_json(&app->connections));
	switch (app->report) {
	case SIM_REPORT_DATAGRAMS:
		json_object_set_new(flow, "datagrams", datagrams_json(&app->datagrams));
		break;
	case SIM_REPORT_TRANSFERS:
		json_object_set_new(flow, "transfers", tasks_json(&app->tasks));
		break;
	case SIM_REPORT_PAGES:
		json_object_set_new(flow, "pages", tasks_json(&app->tasks));
		break;
	case SIM_REPORT_VIDEO:
		json_object_set_new(flow, "video", video_json(&app->video));
		break;
	}
}

/* What a flow is called in a table: its application, or its congestion control. */
static const char *name_of(const struct sim_flow_result *flow)
{
	return flow->app_name[0] ? flow->app_name : flow->cc;
}

static void print_datagrams(FILE *out, const struct sim_flow_result *flow)
{
	const struct sim_datagrams *datagrams = &flow->app->datagrams;

	fprintf(out, "%-5" PRIu64 " %-11s %9" PRIu64 " %9" PRIu64 " %14.2f %23.2f", flow->id,
		name_of(flow), datagrams->received, datagrams->lost, datagrams->jitter_ns / 1e6,
		sketch_mean(&datagrams->delay_ns) / 1e6);
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++)
		fprintf(out, " %8.2f",
			sketch_quantile(&datagrams->delay_ns, summary_quantiles[i].q) / 1e6);
	fputc('\n', out);
}

static void print_tasks(FILE *out, const struct sim_flow_result *flow)
{
	const struct sim_tasks *tasks = &flow->app->tasks;

	fprintf(out, "%-5" PRIu64 " %-11s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9.1f %18.1f",
		flow->id, name_of(flow), tasks->begun, tasks->done, tasks->refused,
		(double)tasks->bytes / 1e6, sketch_mean(&tasks->time_ns) / 1e6);
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++)
		fprintf(out, " %8.1f",
			sketch_quantile(&tasks->time_ns, summary_quantiles[i].q) / 1e6);
	fputc('\n', out);
}

static void print_video(FILE *out, const struct sim_flow_result *flow)
{
	const struct sim_video *video = &flow->app->video;

	fprintf(out,
		"%-5" PRIu64 " %-11s %9" PRIu64 " %15.3f %9" PRIu64 " %10.2f %7" PRIu64
		" %9.2f %11.2f\n",
		flow->id, name_of(flow), video->segments, video->bitrate_mbps, video->switches,
		video->played_s, video->stalls, video->stall_s, video->startup_s);
}

static const struct table {
	enum sim_app_report report;
	const char *head;
	bool quantiles; /* stand at the end of the head */
	void (*print)(FILE *out, const struct sim_flow_result *flow);
} tables[] = {
	{SIM_REPORT_DATAGRAMS,
	 "flow  datagrams    received      lost     jitter, ms   one-way delay, ms: mean", true,
	 print_datagrams},
	{SIM_REPORT_TRANSFERS,
	 "flow  transfers       begun      done   refused        MB     time, ms: mean", true,
	 print_tasks},
	{SIM_REPORT_PAGES,
	 "flow  pages           begun      done   refused        MB     time, ms: mean", true,
	 print_tasks},
	{SIM_REPORT_VIDEO,
	 "flow  video        segments  rate, Mbit/s   switches  played, s  stalls  stall, s"
	 "  startup, s",
	 false, print_video},
};

static void print_head(FILE *out, const struct table *table)
{
	fprintf(out, "\n%s", table->head);
	for (size_t i = 0; table->quantiles && i < SUMMARY_QUANTILES; i++)
		fprintf(out, " %8s", summary_quantiles[i].name);
	fputc('\n', out);
}

void summary_app_print(FILE *out, const struct sim_result *result)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		bool headed = false;

		for (uint64_t i = 0; i < result->flow_count; i++) {
			const struct sim_flow_result *flow = &result->flows[i];

			if (flow->app == NULL || flow->app->report != tables[t].report)
				continue;
			if (!headed)
				print_head(out, &tables[t]);
			headed = true;
			tables[t].print(out, flow);
		}
	}
}
