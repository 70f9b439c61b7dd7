/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of a scenario beyond its bottleneck: read, checked, asked, written.
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
int scenario_read_ack_path(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_hops(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_rate_generated(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_delay_steps(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_handover(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_aggregation(struct reader *reader, void *object, yaml_node_t *node);
int scenario_read_path(struct reader *reader, void *object, yaml_node_t *node);

/* Names of hops are different, and paths cross what there is, in its order. */
int scenario_check_hops(const struct scenario *scenario, struct error *error);

/* Rate and delay are said once. */
int scenario_check_variation(const struct scenario *scenario, struct error *error);

/* Places that a group crosses: bit 0 is the bottleneck, bit i + 1 hop i. */
uint32_t scenario_places(const struct scenario *scenario, const struct scenario_group *group);

/* One way, over these places. */
double scenario_forward_ms(const struct scenario *scenario, const struct scenario_group *group);

/* A text in double quotes, whatever it holds. */
void scenario_put_text(FILE *out, const char *text);

/* Keys of the bottleneck. */
void scenario_write_variation(FILE *out, const struct scenario *scenario);

/* Keys of the top level, and those of a group, each after a comma. */
void scenario_write_impairments(FILE *out, const struct scenario *scenario);
void scenario_write_group_impairments(FILE *out, const struct scenario_group *group);
void scenario_write_hops(FILE *out, const struct scenario *scenario);
void scenario_write_path(FILE *out, const struct scenario_group *group);

#endif
