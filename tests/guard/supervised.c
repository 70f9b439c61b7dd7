/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guard/supervised.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ask(void *context, const struct aqm_facts *facts, const int16_t *features,
		int16_t *outputs)
{
	struct supervised *self = context;

	(void)features;
	if (self->period_ns && facts->now_ns % self->period_ns >= self->on_ns)
		return;
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		outputs[i] = (int16_t)(self->random ? self->asked[i] *
							      (int)rng_below(&self->rng, 257) / 256
						    : self->asked[i]);
}

static int set_one(struct supervised *supervised, const char *name, double value,
		   struct error *error)
{
	static const char *const names[] = {
#define SETTING_NAME(name, low, high, text) #name,
		AQM_STUDENT_SETTINGS(SETTING_NAME)
#undef SETTING_NAME
	};

	if (strcmp(name, "period_ms") == 0) {
		supervised->period_ns = (uint64_t)(value * 1e6);
		return 0;
	}
	if (strcmp(name, "on_ms") == 0) {
		supervised->on_ns = (uint64_t)(value * 1e6);
		return 0;
	}
	if (strcmp(name, "random") == 0) {
		supervised->random = value != 0;
		return 0;
	}
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		if (strcmp(name, names[i]) == 0 && fabs(value) < 8) {
			supervised->asked[i] = (int16_t)lround(value * AQM_STUDENT_ONE);
			return 0;
		}
	return error_at(error, ERR_INVALID, NULL, 0, name,
			"not an output of a supervisor with a log2 below 8");
}

int supervised_set(struct supervised *supervised, struct aqm_student_params *params,
		   const char *settings, struct error *error)
{
	char text[256], *rest = text, *setting;
	int code = 0;

	*supervised = (struct supervised){
		.model = {.mode = AQM_STUDENT_supervise,
			  .inputs = 1,
			  .outputs = AQM_STUDENT_SETTING_COUNT,
			  .layers = 1,
			  .layer = {{.inputs = 1, .outputs = AQM_STUDENT_SETTING_COUNT}}},
		.tap = {.context = supervised, .decided = ask, .stats = &supervised->stats},
	};
	rng_seed(&supervised->rng, 1);
	snprintf(text, sizeof(text), "%s", settings);
	while (code == 0 && (setting = strsep(&rest, ":"))) {
		char *value = strchr(setting, '=');

		if (value == NULL)
			return error_at(error, ERR_INVALID, NULL, 0, setting, "not NAME=VALUE");
		*value = '\0';
		code = set_one(supervised, setting, strtod(value + 1, NULL), error);
	}
	params->model = &supervised->model;
	params->tap = &supervised->tap;
	return code;
}
