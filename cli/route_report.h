/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a router measured, as one JSON object, as tables for people, and as Prometheus reads it.
 */
#ifndef CLI_ROUTE_REPORT_H
#define CLI_ROUTE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "cli/route.h"
#include "cli/summary.h"

/* Queue `index` (enum aqm_queue, SIM_ALL) of the managed way, as a simulated run's. */
void route_queue_result(const struct monitor *monitor, int index, struct sim_queue_result *out);

/* The summary as one object (the caller owns it); NULL when out of memory. */
json_t *route_json(const struct route_options *options, const struct monitor *monitor);

/* Bins behind the first `after`, as far as they are held, and flows, for a page that draws them. */
json_t *route_series_json(const struct monitor *monitor, uint64_t after);

void route_print(FILE *out, const struct route_options *options, const struct monitor *monitor);

/* Text exposition format, version 0.0.4. */
void route_metrics(FILE *out, const struct monitor *monitor);

/* Names of a flow's ECN bits and of its protocol ("tcp", "udp", or its number in `room`). */
const char *route_ecn_name(unsigned ecn);
const char *route_protocol_name(unsigned protocol, char room[8]);

#endif
