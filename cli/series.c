/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time series, a bin at a time.
 */
#include "cli/series.h"

#include <inttypes.h>
#include <math.h>

#include "cli/summary.h"

static int open_file(struct file_replace *file, const char *folder, const char *name,
		     const char *header, struct error *error)
{
	char path[4096];
	int code = file_join(path, sizeof(path), folder, name, error);

	if (code == 0)
		code = file_replace_open(file, path, error);
	if (code == 0)
		fprintf(file->stream, "%s\n", header);
	return code;
}

int series_open(struct series *series, const char *folder, struct error *error)
{
	int code;

	series->folder = folder;
	series->existed = file_existing_part(folder);
	code = file_make_folders(folder, error);
	if (code == 0)
		code = open_file(&series->queue, folder, "queue.csv",
				 "t_s,queue,qdelay_ms,backlog_bytes,p_base", error);
	if (code == 0) {
		code = open_file(&series->flows, folder, "flows.csv",
				 "t_s,flow,goodput_mbps,rtt_ms", error);
		if (code)
			file_replace_abort(&series->queue);
	}
	if (code)
		file_remove_empty_folders(folder, series->existed);
	return code;
}

void series_write(struct series *series, const struct sim_moment *moment)
{
	const struct sim_bin *bin = moment->bin;

	for (int i = 0; i < SIM_QUEUES; i++) {
		const int q = summary_queues[i].index;

		fprintf(series->queue.stream, "%.10g,%s,", moment->t_s, summary_queues[i].name);
		if (!isnan(bin->qdelay_ms[q]))
			fprintf(series->queue.stream, "%.6f", bin->qdelay_ms[q]);
		fprintf(series->queue.stream, ",%.0f,%.9f\n", bin->backlog_bytes[q], bin->p_base);
	}
	for (uint64_t f = 0; f < moment->flow_count; f++)
		fprintf(series->flows.stream, "%.10g,%" PRIu64 ",%.6f,%.6f\n", moment->t_s, f,
			moment->flows[f].goodput_mbps, moment->flows[f].rtt_ms);
}

int series_close(struct series *series, bool keep, struct error *error)
{
	int code = keep ? file_replace_commit(&series->queue, error) : 0;

	if (keep && code == 0)
		code = file_replace_commit(&series->flows, error);
	if (!keep || code) {
		file_replace_abort(&series->queue);
		file_replace_abort(&series->flows);
		file_remove_empty_folders(series->folder, series->existed);
	}
	return code;
}
