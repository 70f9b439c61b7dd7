/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings of a law, spread evenly over declared ranges of its parameters.
 *
 * Point i of a design is a function of i alone, so more points add to fewer.
 * Coordinates are Roberts' additive recurrence R_d (M. Roberts, "The
 * Unreasonable Effectiveness of Quasirandom Sequences", 2018): the fraction of
 * 1/2 + i / phi^j, where phi is the root above 1 of x^(d+1) = x + 1.
 */
#ifndef LEARN_DESIGN_H
#define LEARN_DESIGN_H

#include <stdbool.h>

#include "aqm/ops.h"

#define DESIGN_MAX_AXES 8
#define DESIGN_SETTINGS_BYTES 256 /* room for the text of a point */

struct design_axis {
	const struct aqm_param *param;
	double low, high; /* within the parameter's range */
	bool by_ratio;	  /* spread over the logarithm: low > 0 and high >= 4 low */
	char choices[64]; /* "a/b" where words are varied; empty: numbers */
};

struct design {
	struct design_axis axes[DESIGN_MAX_AXES];
	unsigned axis_count;
};

/*
 * Reads "NAME=LOW..HIGH,NAME=WORD/WORD,..." of parameters of `law`.  Errors
 * name the parameter at fault.
 */
int design_parse(struct design *design, const struct aqm_ops *law, const char *text,
		 struct error *error);

/* The ranges where nobody says any: those of target_ms, step_ms and k that the law has; ERR_INVALID
 * when it has none of them. */
int design_usual(struct design *design, const struct aqm_ops *law, struct error *error);

/* Coordinate `axis` < axis_count of point `index`, in [0, 1). */
double design_coordinate(const struct design *design, unsigned axis, uint64_t index);

/* The value of an axis in point `index` as text: three digits, or a word. */
void design_value(const struct design *design, unsigned axis, uint64_t index, char *text,
		  size_t size);

/* The point as "NAME=VALUE:NAME=VALUE". */
void design_point(const struct design *design, uint64_t index, char text[DESIGN_SETTINGS_BYTES]);

#endif
