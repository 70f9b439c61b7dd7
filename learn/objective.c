/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weights by name, and the terms they weigh.
 *
 * Figures come from a run's histograms and counters; nothing is recorded for
 * them.
 */
#include "learn/objective.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES 1500
#define RATE_LEAST_MBPS 1e-3 /* of a flow in a ratio of rates */
#define TEXT_BYTES 512

static const char *const figure_names[] = {
#define OBJECTIVE_FIGURE_ROW(name, doc) #name,
	OBJECTIVE_FIGURE_TABLE(OBJECTIVE_FIGURE_ROW)
#undef OBJECTIVE_FIGURE_ROW
};

static const char *const term_names[] = {
#define OBJECTIVE_TERM_ROW(name, doc) #name,
	OBJECTIVE_TERM_TABLE(OBJECTIVE_TERM_ROW)
#undef OBJECTIVE_TERM_ROW
};

static const struct {
	const char *name, *settings;
} presets[] = {
#define OBJECTIVE_PRESET_ROW(name, settings, doc) {#name, settings},
	OBJECTIVE_PRESET_TABLE(OBJECTIVE_PRESET_ROW)
#undef OBJECTIVE_PRESET_ROW
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *objective_figure_name(enum objective_figure figure)
{
	return figure_names[figure];
}

void objective_init(struct objective *objective)
{
	*objective = (struct objective){.floor = 0.995, .margin = 0.02};
}

/* Where the value of a name stands; NULL: no such name. */
static double *find_value(struct objective *objective, const char *name)
{
	for (size_t i = 0; i < COUNT(term_names); i++)
		if (strcmp(name, term_names[i]) == 0)
			return &objective->weights[i];
	return strcmp(name, "floor") == 0    ? &objective->floor
	       : strcmp(name, "margin") == 0 ? &objective->margin
	       : strcmp(name, "clip") == 0   ? &objective->clip
					     : NULL;
}

static int unknown_name(const char *name, struct error *error)
{
	char known[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < COUNT(presets); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s, ",
					 presets[i].name);
	for (size_t i = 0; i < COUNT(term_names); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s=, ",
					 term_names[i]);
	return error_at(error, ERR_INVALID, NULL, 0, name,
			"is no part of a reward; there are %sfloor=, margin= and clip=", known);
}

static int read_setting(struct objective *objective, char *setting, struct error *error)
{
	char *equals = strchr(setting, '='), *end;
	double *value, number;

	if (equals == NULL)
		return unknown_name(setting, error);
	*equals = '\0';
	value = find_value(objective, setting);
	if (value == NULL)
		return unknown_name(setting, error);
	number = strtod(equals + 1, &end);
	if (end == equals + 1 || *end || !(number >= 0 && number <= 1e6))
		return error_at(error, ERR_RANGE, NULL, 0, setting,
				"'%s' is not a number from 0 to 1000000", equals + 1);
	*value = number;
	return 0;
}

static int read_settings(struct objective *objective, const char *text, struct error *error)
{
	char copy[TEXT_BYTES], *rest = copy, *setting;
	int code = 0;

	if (strlen(text) >= sizeof(copy))
		return error_set(error, ERR_RANGE, "a reward's text is at most %zu characters",
				 sizeof(copy) - 1);
	strcpy(copy, text);
	while (code == 0 && (setting = strsep(&rest, ",")))
		code = read_setting(objective, setting, error);
	return code;
}

int objective_parse(struct objective *objective, const char *text, struct error *error)
{
	const size_t length = strcspn(text, ",");

	objective_init(objective);
	for (size_t i = 0; i < COUNT(presets); i++) {
		int code;

		if (strlen(presets[i].name) != length ||
		    strncmp(text, presets[i].name, length) != 0)
			continue;
		code = read_settings(objective, presets[i].settings, error);
		if (code || text[length] == '\0')
			return code;
		return read_settings(objective, text + length + 1, error);
	}
	return read_settings(objective, text, error);
}

void objective_text(const struct objective *objective, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < COUNT(term_names) && used < size; i++)
		if (objective->weights[i] > 0)
			used += (size_t)snprintf(text + used, size - used, "%s=%.9g,",
						 term_names[i], objective->weights[i]);
	if (used < size)
		snprintf(text + used, size - used, "floor=%.9g,margin=%.9g,clip=%.9g",
			 objective->floor, objective->margin, objective->clip);
}

static double paper_reward(double sojourn_ns)
{
	return PACKET_BYTES / (sojourn_ns / 1e6 + 1);
}

static void measure_class(const struct histogram *qdelay_ns, double *mean, double *p50, double *p99)
{
	if (qdelay_ns->count == 0)
		return;
	*mean = histogram_mean(qdelay_ns) / 1e6;
	*p50 = histogram_quantile(qdelay_ns, 0.5) / 1e6;
	*p99 = histogram_quantile(qdelay_ns, 0.99) / 1e6;
}

static bool is_bulk(const struct sim_flow_result *flow)
{
	return flow->app_name[0] == '\0' && strcmp(flow->cc, "udp") != 0;
}

/* Goodput of all flows, and the balance of classes. */
static void measure_flows(const struct sim_result *result, double *values)
{
	double rate[2] = {0, 0}, count[2] = {0, 0}, sum = 0;

	for (uint64_t i = 0; i < result->flow_count; i++) {
		const struct sim_flow_result *flow = &result->flows[i];

		sum += flow->goodput_mbps;
		if (!is_bulk(flow))
			continue;
		rate[flow->l4s] += flow->goodput_mbps;
		count[flow->l4s]++;
	}
	values[OBJECTIVE_goodput_mbps] = sum;
	if (count[0] > 0 && count[1] > 0)
		values[OBJECTIVE_balance] = fabs(log((rate[1] / count[1] + RATE_LEAST_MBPS) /
						     (rate[0] / count[0] + RATE_LEAST_MBPS)));
}

void objective_measure(const struct sim_result *result, struct objective_figures *figures)
{
	const struct sim_queue_result *all = &result->queues[SIM_ALL];
	const struct histogram *qdelay_ns = result->class_qdelay_ns;
	const double arrived = (double)(all->packets + all->drops);
	double *values = figures->values;

	for (int i = 0; i < OBJECTIVE_FIGURES; i++)
		values[i] = NAN;
	measure_class(&qdelay_ns[AQM_QUEUE_L], &values[OBJECTIVE_l_mean_ms],
		      &values[OBJECTIVE_l_p50_ms], &values[OBJECTIVE_l_p99_ms]);
	measure_class(&qdelay_ns[AQM_QUEUE_C], &values[OBJECTIVE_c_mean_ms],
		      &values[OBJECTIVE_c_p50_ms], &values[OBJECTIVE_c_p99_ms]);
	measure_flows(result, values);
	values[OBJECTIVE_utilisation] = result->utilisation;
	values[OBJECTIVE_overridden] = 0;
	if (arrived > 0)
		values[OBJECTIVE_loss] = (double)all->drops / arrived;
	if (all->packets > 0)
		values[OBJECTIVE_paper] = histogram_mean_of(&all->qdelay_ns, paper_reward);
}

/* Of a run and its reference: NaN where a figure is missing. */
struct pair {
	double run, reference;
};

static struct pair pair_of(enum objective_figure figure, const struct objective_figures *run,
			   const struct objective_figures *reference)
{
	return (struct pair){run->values[figure], reference->values[figure]};
}

static double log_ratio(struct pair delay_ms)
{
	return log((delay_ms.run + OBJECTIVE_DELAY_LEAST_MS) /
		   (delay_ms.reference + OBJECTIVE_DELAY_LEAST_MS));
}

static double worse(const struct objective *objective, struct pair delay_ms)
{
	const double ratio = log_ratio(delay_ms), margin = log1p(objective->margin);

	return ratio <= margin ? 0 : ratio - margin;
}

static double log_ratio_of_spread(struct pair p99, struct pair p50)
{
	return log_ratio((struct pair){p99.run - p50.run, p99.reference - p50.reference});
}

static double share(struct pair goodput)
{
	return goodput.reference > 0 ? goodput.run / goodput.reference : NAN;
}

static double raw_term(const struct objective *objective, enum objective_term term,
		       const struct objective_figures *run,
		       const struct objective_figures *reference)
{
#define FIGURE(name) pair_of(OBJECTIVE_##name, run, reference)
	switch (term) {
	case OBJECTIVE_TERM_l_p99:
		return log_ratio(FIGURE(l_p99_ms));
	case OBJECTIVE_TERM_c_p99:
		return log_ratio(FIGURE(c_p99_ms));
	case OBJECTIVE_TERM_l_mean:
		return log_ratio(FIGURE(l_mean_ms));
	case OBJECTIVE_TERM_c_mean:
		return log_ratio(FIGURE(c_mean_ms));
	case OBJECTIVE_TERM_l_variation:
		return log_ratio_of_spread(FIGURE(l_p99_ms), FIGURE(l_p50_ms));
	case OBJECTIVE_TERM_c_variation:
		return log_ratio_of_spread(FIGURE(c_p99_ms), FIGURE(c_p50_ms));
	case OBJECTIVE_TERM_l_worse:
		return worse(objective, FIGURE(l_p99_ms));
	case OBJECTIVE_TERM_c_worse:
		return worse(objective, FIGURE(c_p99_ms));
	case OBJECTIVE_TERM_goodput:
		return fmax(0, objective->floor - share(FIGURE(goodput_mbps)));
	case OBJECTIVE_TERM_unused:
		return 1 - share(FIGURE(goodput_mbps));
	case OBJECTIVE_TERM_idle:
		return 1 - run->values[OBJECTIVE_utilisation];
	case OBJECTIVE_TERM_balance:
		return FIGURE(balance).run - FIGURE(balance).reference;
	case OBJECTIVE_TERM_loss:
		return FIGURE(loss).run - FIGURE(loss).reference;
	case OBJECTIVE_TERM_paper:
		return -log(FIGURE(paper).run / FIGURE(paper).reference);
	case OBJECTIVE_TERM_overridden:
		return run->values[OBJECTIVE_overridden];
	default:
		return 0;
	}
#undef FIGURE
}

/* Whether the reference has what the term compares with. */
static bool is_told(const struct objective *objective, enum objective_term term,
		    const struct objective_figures *reference)
{
	return isfinite(raw_term(objective, term, reference, reference));
}

double objective_term(const struct objective *objective, enum objective_term term,
		      const struct objective_figures *run,
		      const struct objective_figures *reference)
{
	const double value = raw_term(objective, term, run, reference);

	if (!is_told(objective, term, reference))
		return 0;
	return isfinite(value) ? value : OBJECTIVE_STARVED;
}

double objective_reward(const struct objective *objective, const struct objective_figures *run,
			const struct objective_figures *reference)
{
	double reward = 0;

	for (int i = 0; i < OBJECTIVE_TERMS; i++)
		if (objective->weights[i] > 0)
			reward -= objective->weights[i] *
				  objective_term(objective, (enum objective_term)i, run,
						 reference);
	if (objective->clip > 0)
		reward = fmax(-objective->clip, fmin(objective->clip, reward));
	return reward;
}
