/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choices of a flow that its control respects, by name (scenario key `options`).
 */
#ifndef SIM_SCENARIO_OPTIONS_H
#define SIM_SCENARIO_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "tcp/cc.h"

/* Sets the option of that name; false: there is none. */
bool scenario_option_set(struct tcp_options *options, const char *name);

/* True: an option is of other controls than `cc`; which one, and what there is, goes to `fault`. */
bool scenario_options_fault(const struct tcp_options *options, const char *cc, char *fault,
			    size_t size);

/* Names of all, for messages. */
const char *scenario_option_names(void);

/* As `, options: [...]`, or nothing. */
void scenario_options_write(FILE *out, const struct tcp_options *options);

#endif
