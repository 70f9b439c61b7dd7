/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests that compare gradients of models with ReLU.
 */
#ifndef BACKBONE_TEST_KINKS_H
#define BACKBONE_TEST_KINKS_H

#include <string.h>

#include "backbone/internal.h"

/*
 * Across the kink of a ReLU a difference quotient shows neither slope, and
 * rounding turns a slope on or off; so the units are set well on or off, in
 * turn: their biases are ten times what the weights bring.
 */
static inline void test_kinks_avoid(struct backbone *backbone)
{
	for (size_t i = 0; i < backbone->weight_count; i++) {
		const struct backbone_param *param = &backbone->weights[i].param;

		for (int64_t j = 0; strstr(param->name, ".fc1.bias") && j < param->count; j++)
			param->value[j] = j % 2 ? 15 : -15;
	}
}

#endif
