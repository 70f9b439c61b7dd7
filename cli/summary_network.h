/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run's network did beyond its bottleneck, as part of the summary.  Of what a scenario does
 * not have, nothing is told.
 */
#ifndef CLI_SUMMARY_NETWORK_H
#define CLI_SUMMARY_NETWORK_H

#include <jansson.h>
#include <stdio.h>

#include "sim/run.h"

/* Adds `network`, `hops` and `ack_path` to the summary's object. */
void summary_network_json(json_t *summary, const struct sim_result *result);

/* The same as tables. */
void summary_network_print(FILE *out, const struct sim_result *result);

#endif
