/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a scenario that struct impairments and its kin hold: read, checked, written.
 */
#ifndef SIM_SCENARIO_NETWORK_H
#define SIM_SCENARIO_NETWORK_H

#include <stdio.h>

#include "sim/reader.h"
#include "sim/scenario.h"

/* Readers of keys: `object` is the scenario, or the group of flows. */
int scenario_read_impairments(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_group_impairments(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_return_impairments(struct reader *reader, void *object, yaml_node_t *node);

/* Keys of the top level; keys of a group, each after a comma. */
void scenario_write_network(FILE *out, const struct scenario *scenario);
void scenario_write_group_network(FILE *out, const struct scenario_group *group);

#endif
