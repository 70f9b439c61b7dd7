/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/route_demo.h"

#include <stdio.h>
#include <string.h>

#define USUAL_FLOWS "cubic," TRAFFIC_PRAGUE

/* An address without its prefix. */
static void bare(char *out, size_t size, const char *address)
{
	snprintf(out, size, "%.*s", (int)strcspn(address, "/"), address);
}

static int split_flows(char *words, const char *four, const char *six,
		       struct traffic_flow flows[TRAFFIC_FLOWS_MAX], size_t *count,
		       struct error *error)
{
	char *word, *rest = words;

	*count = 0;
	while ((word = strsep(&rest, ","))) {
		if (*count == TRAFFIC_FLOWS_MAX || word[0] == '\0')
			return error_at(error, ERR_INVALID, NULL, 0, "--flows",
					"name 1 to %d flows, such as " USUAL_FLOWS,
					TRAFFIC_FLOWS_MAX);
		flows[(*count)++] = (struct traffic_flow){
			word, strcmp(word, TRAFFIC_PRAGUE) == 0 ? four : six};
	}
	return 0;
}

int route_demo_start(struct route_demo *demo, const struct route_options *options,
		     const int ends[ROUTER_WAYS], const char *four, const char *six,
		     struct error *error)
{
	struct traffic_flow flows[TRAFFIC_FLOWS_MAX];
	char to_four[64], to_six[64];
	size_t count;
	int code;

	bare(to_four, sizeof(to_four), four);
	bare(to_six, sizeof(to_six), six);
	snprintf(demo->words, sizeof(demo->words), "%s",
		 options->flows ? options->flows : USUAL_FLOWS);
	code = split_flows(demo->words, to_four, to_six, flows, &count, error);
	if (code)
		return code;
	for (int i = 0; i < ROUTER_WAYS; i++) {
		if (!traffic_use_ecn(ends[i]))
			fprintf(stderr, "aqmllm: the system does not let TCP use ECN here; "
					"what the law would mark it drops\n");
		if (!traffic_begin_as_reno(ends[i]))
			fprintf(stderr, "aqmllm: the system does not let sockets begin as Reno's "
					"here; they are paced if its default paces\n");
	}
	return traffic_start(&demo->traffic, ends[0], ends[1], flows, count, traffic_has_iperf(),
			     error);
}

void route_demo_stop(struct route_demo *demo)
{
	traffic_stop(&demo->traffic);
}
