/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which application a group of flows runs, and with what numbers (scenario key
 * `app`): `app: voice`, or `app: {name: voice, talk_s: 3}`.
 *
 * Every application has one table of parameters; reading, writing, checking
 * and help come from it.
 */
#ifndef SIM_APP_CHOICE_H
#define SIM_APP_CHOICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define APP_MAX_PARAMS 12
#define APP_MAX_LADDER 16

/* A number, a word or (one per application) a list of rising numbers. */
struct app_param {
	const char *name;
	double initial, min, max;
	bool whole;          /* takes whole numbers only */
	const char *words;   /* "poisson fixed": the value is a word's index; NULL: a number */
	const double *ladder; /* the list's initial numbers, ends with 0; NULL: no list */
	const char *doc;
};

struct app_ops;

struct app_choice {
	const struct app_ops *ops;      /* NULL: there is always data to send */
	double values[APP_MAX_PARAMS];  /* in the order of the application's table */
	double ladder[APP_MAX_LADDER];  /* of the parameter that is a list; unused ones are 0 */
};

/* Chooses an application by name, every parameter initial; false: there is none of this name. */
bool app_choose(struct app_choice *choice, const char *name);

/* Its parameter of this name and where in the table; NULL: none. */
const struct app_param *app_param_find(const struct app_choice *choice, const char *name,
				       unsigned *index);

/* The index of `word` among the words of a parameter; -1: not one of them. */
int app_word_find(const struct app_param *param, const char *word);

/* The choice as the value of the key `app`. */
void app_choice_write(FILE *out, const struct app_choice *choice);

/* Steps of the ladder. */
unsigned app_ladder_steps(const struct app_choice *choice);

#endif
