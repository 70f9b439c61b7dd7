/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios as YAML that reads back to the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "sim/app.h"
#include "sim/scenario_network.h"
#include "sim/scenario_options.h"

/* The code point that begins at `at`, of valid UTF-8; `*length` in bytes. */
static uint32_t code_point(const unsigned char *at, int *length)
{
	const int more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
	uint32_t point = more ? *at & (0x3fU >> more) : *at;

	*length = 1;
	while (*length <= more && (at[*length] & 0xc0) == 0x80)
		point = point << 6 | (at[(*length)++] & 0x3fU);
	return point;
}

/* YAML passes on what is printable, but for line breaks of its own (U+0085, U+2028, U+2029). */
void scenario_put_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	int length;

	fputc('"', out);
	for (; *at; at += length) {
		const uint32_t point = code_point(at, &length);

		if (point == '"' || point == '\\')
			fprintf(out, "\\%c", (int)point);
		else if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
			 point == 0x2029 || point >= 0xd800)
			fprintf(out, "\\U%08" PRIx32, point);
		else
			fwrite(at, 1, (size_t)length, out);
	}
	fputc('"', out);
}

static const char *const ecn_names[] = {"none", "classic", "ect1", "accecn"};

static void write_bottleneck(FILE *out, const struct scenario *scenario)
{
	fputs("bottleneck:\n  name: ", out);
	scenario_put_text(out, scenario->place);
	fprintf(out, "\n  rate_mbps: %.17g\n", scenario->rate_mbps);
	if (scenario->step_count) {
		fputs("  rate_steps:\n", out);
		for (uint64_t i = 0; i < scenario->step_count; i++)
			fprintf(out, "    - {at_s: %.17g, rate_mbps: %.17g}\n",
				scenario->steps[i].at_s, scenario->steps[i].rate_mbps);
	}
	if (scenario->trace_count) {
		fputs("  rate_trace: ", out);
		scenario_put_text(out, scenario->trace_path);
		fputc('\n', out);
	}
	scenario_write_variation(out, scenario);
	fprintf(out, "  delay_ms: %.17g\n  aqm: ", scenario->delay_ms);
	scenario_put_text(out, scenario->aqm);
	fputc('\n', out);
	fprintf(out, "  packet_cost_us: %.17g\n  receive_packets: %" PRIu64 "\n",
		scenario->packet_cost_us, scenario->receive_packets);
	if (scenario->param_count) {
		fputs("  params:\n", out);
		for (uint64_t i = 0; i < scenario->param_count; i++) {
			fputs("    - ", out);
			scenario_put_text(out, scenario->params[i]);
			fputc('\n', out);
		}
	}
	if (scenario->limit_packets)
		fprintf(out, "  limit_packets: %" PRIu64 "\n", scenario->limit_packets);
}

static void write_group(FILE *out, const struct scenario_group *group, uint64_t number)
{
	fprintf(out, "  - {cc: %s, count: %" PRIu64 ", ecn: %s, start_s: %.17g", group->cc,
		group->count, ecn_names[group->ecn], group->start_s);
	if (group->rtt_ms != 0)
		fprintf(out, ", rtt_ms: %.17g", group->rtt_ms);
	if (group->stop_s != 0)
		fprintf(out, ", stop_s: %.17g", group->stop_s);
	if (group->rate_mbps != 0)
		fprintf(out, ", rate_mbps: %.17g", group->rate_mbps);
	if (group->frames_per_s != 0)
		fprintf(out, ", frames_per_s: %.17g", group->frames_per_s);
	if (group->frame_budget_ms != 0)
		fprintf(out, ", frame_budget_ms: %.17g", group->frame_budget_ms);
	scenario_options_write(out, &group->options);
	if (group->app.ops) {
		fputs(", app: ", out);
		app_choice_write(out, &group->app);
	}
	if (group->source_host != number)
		fprintf(out, ", source_host: %" PRIu64, group->source_host);
	if (group->destination_host != 0)
		fprintf(out, ", destination_host: %" PRIu64, group->destination_host);
	scenario_write_path(out, group);
	scenario_write_group_impairments(out, group);
	fputs("}\n", out);
}

void scenario_put(FILE *out, const struct scenario *scenario)
{
	fputs("name: ", out);
	scenario_put_text(out, scenario->name);
	fprintf(out, "\nduration_s: %.17g\nwarmup_s: %.17g\n", scenario->duration_s,
		scenario->warmup_s);
	write_bottleneck(out, scenario);
	scenario_write_impairments(out, scenario);
	scenario_write_hops(out, scenario);
	fputs("flows:\n", out);
	for (uint64_t i = 0; i < scenario->group_count; i++)
		write_group(out, &scenario->groups[i], i + 1);
}

int scenario_write(const struct scenario *scenario, const char *path, struct error *error)
{
	struct file_replace replace;
	const int code = file_replace_open(&replace, path, error);

	if (code)
		return code;
	scenario_put(replace.stream, scenario);
	return file_replace_commit(&replace, error);
}
