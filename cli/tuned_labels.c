/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of a network stand together in settings.csv.
 */
#include "cli/tuned_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define HEADER "network,settings,reward"
#define TEMPERATURE 0.1 /* difference of reward that counts */

/* Parameters of a law that a student sets, by the same factor wherever it begins. */
static const struct {
	const char *param;
	enum aqm_student_setting setting;
} known[] = {
	{"target_ms", AQM_STUDENT_SETTING_target},
	{"step_ms", AQM_STUDENT_SETTING_step},
	{"k", AQM_STUDENT_SETTING_k},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* The rows of one network; weights are relative to the largest reward so far. */
struct sum {
	const struct scenario *scenario;
	double reward, weight, output[AQM_STUDENT_SETTING_COUNT];
};

struct reading {
	const char *path;
	const struct scenario *scenarios;
	size_t scenario_count;
	double initial[KNOWN]; /* of the student's law */
	struct sum sum;
	struct tuned_label *labels;
	size_t count;
};

static const struct scenario *find_scenario(const struct reading *reading, const char *name)
{
	for (size_t i = 0; i < reading->scenario_count; i++)
		if (strcmp(reading->scenarios[i].name, name) == 0)
			return &reading->scenarios[i];
	return NULL;
}

/* log2 of a setting's factor; 0 where it is not said. */
static double output_of(const struct reading *reading, const char *settings, size_t which)
{
	const size_t length = strlen(known[which].param);

	for (const char *at = settings; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL)
		if (strncmp(at, known[which].param, length) == 0 && at[length] == '=') {
			const double value = strtod(at + length + 1, NULL);

			return value > 0 ? log2(value / reading->initial[which]) : 0;
		}
	return 0;
}

static void end_network(struct reading *reading)
{
	struct sum *sum = &reading->sum;

	if (sum->scenario) {
		struct tuned_label *label = &reading->labels[reading->count++];

		label->scenario = sum->scenario;
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			label->output[i] = (float)(sum->output[i] / sum->weight);
	}
	*sum = (struct sum){.reward = -INFINITY};
}

static void add_row(struct reading *reading, const char *settings, double reward)
{
	struct sum *sum = &reading->sum;
	double weight;

	if (reward > sum->reward) {
		const double less = exp((sum->reward - reward) / TEMPERATURE);

		sum->weight *= less;
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			sum->output[i] *= less;
		sum->reward = reward;
	}
	weight = exp((reward - sum->reward) / TEMPERATURE);
	sum->weight += weight;
	for (size_t i = 0; i < KNOWN; i++)
		sum->output[known[i].setting] += weight * output_of(reading, settings, i);
}

static int read_line(struct reading *reading, char *line, long number, struct error *error)
{
	const char *name = strsep(&line, ","), *settings = strsep(&line, ",");
	char *end = line;
	const double reward = line ? strtod(line, &end) : NAN;

	if (settings == NULL || line == NULL || end == line || *end || !isfinite(reward))
		return error_at(error, ERR_INVALID, reading->path, number, NULL,
				"is no row of " HEADER);
	if (reading->sum.scenario == NULL || strcmp(reading->sum.scenario->name, name) != 0) {
		end_network(reading);
		reading->sum.scenario = find_scenario(reading, name);
	}
	if (reading->sum.scenario)
		add_row(reading, settings, reward);
	return 0;
}

static int read_lines(struct reading *reading, char *text, struct error *error)
{
	char *rest = text, *line = strsep(&rest, "\n");
	long number = 1;
	int code = strcmp(line, HEADER) == 0
			   ? 0
			   : error_at(error, ERR_INVALID, reading->path, 1, NULL,
				      "is no table of settings; aqmllm tune makes one");

	reading->sum = (struct sum){.reward = -INFINITY};
	while (code == 0 && (line = strsep(&rest, "\n")) && *line)
		code = read_line(reading, line, ++number, error);
	end_network(reading);
	if (code == 0 && reading->count == 0)
		code = error_at(error, ERR_INVALID, reading->path, 0, NULL,
				"has none of the networks to train on; tune the same suite");
	return code;
}

static int read_initial(struct reading *reading, struct error *error)
{
	const struct aqm_ops *law = aqm_find("student");
	void *params = malloc(law->params_size + 1);
	int code = params ? aqm_params_default(law, params, error)
			  : error_set(error, ERR_NO_MEMORY, "out of memory");

	for (size_t i = 0; code == 0 && i < KNOWN; i++)
		code = aqm_params_get(law, params, known[i].param, &reading->initial[i]);
	free(params);
	return code;
}

int tuned_labels_read(struct tuned_label **labels, size_t *label_count, const char *folder,
			  const struct scenario *scenarios, size_t count, struct error *error)
{
	char path[4200], *text = NULL;
	struct reading reading = {.path = path, .scenarios = scenarios, .scenario_count = count};
	size_t size, lines = 1;
	int code = file_join(path, sizeof(path), folder, "settings.csv", error);

	if (code == 0)
		code = file_read_all(path, &text, &size, error);
	if (code == 0)
		code = read_initial(&reading, error);
	if (code == 0) {
		for (size_t i = 0; i < size; i++)
			lines += text[i] == '\n';
		reading.labels = calloc(lines, sizeof(*reading.labels));
		code = reading.labels ? read_lines(&reading, text, error)
				      : error_set(error, ERR_NO_MEMORY, "out of memory");
	}
	free(text);
	if (code)
		free(reading.labels);
	*labels = code ? NULL : reading.labels;
	*label_count = reading.count;
	return code;
}
