/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of bulk flows per host, in a set-associative table.
 */
#include "queue/flow_hosts.h"

#include <stdlib.h>

#include "base/error.h"

int flow_hosts_init(struct flow_hosts *hosts, uint32_t count, uint32_t ways)
{
	*hosts = (struct flow_hosts){
		.hosts = calloc(count, sizeof(*hosts->hosts)),
		.count = count,
		.ways = ways,
		.with_load = calloc((size_t)count + 1, sizeof(*hosts->with_load)),
	};
	return hosts->hosts && hosts->with_load ? 0 : ERR_NO_MEMORY;
}

void flow_hosts_free(struct flow_hosts *hosts)
{
	free(hosts->hosts);
	free(hosts->with_load);
	*hosts = (struct flow_hosts){0};
}

uint32_t flow_hosts_find(struct flow_hosts *hosts, uint64_t hash)
{
	uint32_t first, set, chosen;

	if (hosts->hosts == NULL)
		return 0;
	first = (uint32_t)((hash >> 32) * hosts->count >> 32);
	set = first - first % hosts->ways;
	chosen = first;
	for (uint32_t i = 0; i < hosts->ways; i++) {
		const uint32_t at = set + (first + i) % hosts->ways;
		const struct flow_host *host = &hosts->hosts[at];

		if (host->tag == hash)
			return at;
		if (host->bulk_flows == 0 && hosts->hosts[chosen].bulk_flows > 0)
			chosen = at;
	}
	hosts->hosts[chosen].tag = hash;
	return chosen;
}

void flow_hosts_count(struct flow_hosts *hosts, uint32_t host, int change)
{
	uint32_t *bulk_flows;

	if (hosts->hosts == NULL)
		return;
	bulk_flows = &hosts->hosts[host].bulk_flows;
	if (*bulk_flows)
		hosts->with_load[*bulk_flows]--;
	else
		hosts->busy++;
	*bulk_flows += (uint32_t)change;
	if (*bulk_flows)
		hosts->with_load[*bulk_flows]++;
	else
		hosts->busy--;
	if (hosts->busy == 0)
		hosts->least = 0;
	else if (hosts->least == 0 || (*bulk_flows && *bulk_flows < hosts->least))
		hosts->least = *bulk_flows;
	while (hosts->busy && hosts->with_load[hosts->least] == 0)
		hosts->least++;
}
