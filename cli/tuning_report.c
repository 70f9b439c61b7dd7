/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gains are differences of rewards on seeds that tuning has not seen.
 */
#include "cli/tuning_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/figure.h"
#include "report/statistics.h"

#define NETWORKS_TOLD 24

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/*
 * Ranks j and n + 1 - j of n values hold the median between them in 95 % of
 * samples, whatever the distribution (normal approximation of the binomial).
 */
static void median_interval(struct tuning_spread *spread, const double *sorted)
{
	const double n = (double)spread->count;
	const double rank = floor((n - 1.959964 * sqrt(n)) / 2);

	spread->low = spread->high = NAN;
	if (spread->count < 8 || rank < 1)
		return;
	spread->low = sorted[(size_t)rank - 1];
	spread->high = sorted[spread->count - (size_t)rank];
}

struct tuning_spread tuning_spread_of(double *values, size_t count)
{
	struct tuning_spread spread = {.count = count, .mean = statistics_mean(values, count)};

	qsort(values, count, sizeof(*values), compare);
	for (size_t i = 0; i < count; i++)
		spread.above += values[i] > 0;
	spread.q1 = statistics_quantile(values, count, 0.25);
	spread.median = statistics_quantile(values, count, 0.5);
	spread.q3 = statistics_quantile(values, count, 0.75);
	median_interval(&spread, values);
	return spread;
}

/* What an arm gains over the law as it is, in a network; SIZE_MAX: the arm tuned for it. */
#define TUNED SIZE_MAX

static double gain(const struct tuning *tuning, size_t scenario, size_t arm)
{
	if (arm == TUNED)
		arm = tuning->best[scenario];
	return tuning_reward_compared(tuning, scenario, arm) -
	       tuning_reward_compared(tuning, scenario, tuning->law);
}

static int spread_of_arm(const struct tuning *tuning, size_t arm, bool from_tuned,
			 struct tuning_spread *spread, struct error *error)
{
	const size_t count = tuning->trial.scenario_count;
	double *values = calloc(count + 1, sizeof(*values));

	if (values == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	for (size_t s = 0; s < count; s++)
		values[s] = gain(tuning, s, arm) - (from_tuned ? gain(tuning, s, TUNED) : 0);
	*spread = tuning_spread_of(values, count);
	free(values);
	return 0;
}

/* Empty where there is no number. */
static void put_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, ",%.9g", value);
	else
		fputc(',', out);
}

static const enum objective_figure told[] = {OBJECTIVE_l_p99_ms, OBJECTIVE_c_p99_ms,
					     OBJECTIVE_goodput_mbps, OBJECTIVE_balance};

#define TOLD (sizeof(told) / sizeof(told[0]))

static void put_heading(FILE *out, const struct tuning *tuning)
{
	fputs("network,settings,reward_law,reward_tuned,gain,gain_on_tuning_seeds,gain_one", out);
	for (size_t i = 0; i < TOLD; i++)
		fprintf(out, ",%s_law,%s_tuned", objective_figure_name(told[i]),
			objective_figure_name(told[i]));
	for (size_t i = 0; i < tuning->beside_count; i++)
		fprintf(out, ",\"gain_%s\"", tuning->trial.arms[tuning->beside + i].name);
	fputc('\n', out);
}

static void put_network(FILE *out, const struct tuning *tuning, size_t s)
{
	const size_t best = tuning->best[s];

	fprintf(out, "%s,%s", tuning->trial.scenarios[s].name, tuning_settings_of(tuning, best));
	put_number(out, tuning_reward_compared(tuning, s, tuning->law));
	put_number(out, tuning_reward_compared(tuning, s, best));
	put_number(out, gain(tuning, s, TUNED));
	put_number(out, tuning_reward_tuned(tuning, s, best) -
				tuning_reward_tuned(tuning, s, tuning->law));
	put_number(out, gain(tuning, s, tuning->one));
	for (size_t i = 0; i < TOLD; i++) {
		put_number(out, tuning_figure(tuning, s, tuning->law, told[i]));
		put_number(out, tuning_figure(tuning, s, best, told[i]));
	}
	for (size_t i = 0; i < tuning->beside_count; i++)
		put_number(out, gain(tuning, s, tuning->beside + i));
	fputc('\n', out);
}

static void put_networks(FILE *out, const struct tuning *tuning)
{
	put_heading(out, tuning);
	for (size_t s = 0; s < tuning->trial.scenario_count; s++)
		put_network(out, tuning, s);
}

/* Rewards of all settings where they were tried. */
static void put_settings(FILE *out, const struct tuning *tuning)
{
	fputs("network,settings,reward\n", out);
	for (size_t s = 0; s < tuning->trial.scenario_count; s++) {
		fprintf(out, "%s,%s,%.9g\n", tuning->trial.scenarios[s].name,
			tuning_settings_of(tuning, tuning->law),
			tuning_reward_tuned(tuning, s, tuning->law));
		for (size_t arm = tuning->first_setting; arm < tuning->trial.arm_count; arm++)
			fprintf(out, "%s,%s,%.9g\n", tuning->trial.scenarios[s].name,
				tuning_settings_of(tuning, arm),
				tuning_reward_tuned(tuning, s, arm));
	}
}

static int write_table(const struct tuning *tuning, const char *folder, const char *name,
		       void (*put)(FILE *out, const struct tuning *tuning), struct error *error)
{
	struct file_replace file;
	char path[4200];
	int code = file_join(path, sizeof(path), folder, name, error);

	if (code == 0)
		code = file_replace_open(&file, path, error);
	if (code)
		return code;
	put(file.stream, tuning);
	code = file_replace_commit(&file, error);
	if (code)
		file_replace_abort(&file);
	return code;
}

/* Sorted gains over the share of networks, one curve an arm. */
static int add_curve(struct figure *figure, const struct tuning *tuning, size_t arm,
		     const char *name, double *room)
{
	const size_t count = tuning->trial.scenario_count;
	double *x = room, *y = room + count;

	for (size_t s = 0; s < count; s++)
		y[s] = gain(tuning, s, arm);
	qsort(y, count, sizeof(*y), compare);
	for (size_t s = 0; s < count; s++)
		x[s] = 100 * ((double)s + 0.5) / (double)count;
	figure->series[figure->series_count++] =
		(struct figure_series){.name = name, .x = x, .y = y, .count = count};
	return 0;
}

static int write_picture(const struct tuning *tuning, const char *folder, struct error *error)
{
	const size_t count = tuning->trial.scenario_count;
	const size_t curves = 2 + tuning->beside_count;
	double *room = calloc(2 * count * curves + 1, sizeof(*room));
	struct figure figure = {
		.kind = FIGURE_LINES,
		.title = "What hindsight gains over the law as it is",
		.x_label = "share of networks, %",
		.y_label = "gain of reward",
		.lines = {{"the law as it is", 0}},
		.line_count = 1,
	};
	char path[4200];
	int code = room ? file_join(path, sizeof(path), folder, "figures", error)
			: error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0)
		code = file_make_folders(path, error);
	if (code == 0) {
		add_curve(&figure, tuning, TUNED, "tuned for each network", room);
		add_curve(&figure, tuning, tuning->one, "one setting for all", room + 2 * count);
		for (size_t i = 0; i < tuning->beside_count && i + 2 < FIGURE_MAX_SERIES; i++)
			add_curve(&figure, tuning, tuning->beside + i,
				  tuning->trial.arms[tuning->beside + i].name,
				  room + 2 * count * (i + 2));
		code = figure_write(&figure, path, "gain", error);
	}
	free(room);
	return code;
}

int tuning_report_write(const struct tuning *tuning, const char *folder, bool *pictured,
			struct error *error)
{
	int code = write_table(tuning, folder, "networks.csv", put_networks, error);

	if (code == 0)
		code = write_table(tuning, folder, "settings.csv", put_settings, error);
	if (code == 0)
		code = write_picture(tuning, folder, error);
	*pictured = code == 0;
	return code == ERR_UNSUPPORTED ? 0 : code;
}

static void print_row(FILE *out, const char *name, const struct tuning_spread *spread)
{
	fprintf(out, "  %-34s %8.3f", name, spread->median);
	if (isfinite(spread->low))
		fprintf(out, "  [%7.3f %7.3f]", spread->low, spread->high);
	else
		fprintf(out, "  %17s", "");
	fprintf(out, " %8.3f %8.3f %8.3f   %zu of %zu\n", spread->q1, spread->q3, spread->mean,
		spread->above, spread->count);
}

static void json_row(FILE *out, const char *key, const char *settings,
		     const struct tuning_spread *spread)
{
	fprintf(out, "\"%s\": {", key);
	if (settings)
		fprintf(out, "\"settings\": \"%s\", ", settings);
	fprintf(out, "\"median\": %.9g, \"q1\": %.9g, \"q3\": %.9g, \"mean\": %.9g, ",
		spread->median, spread->q1, spread->q3, spread->mean);
	if (isfinite(spread->low))
		fprintf(out, "\"low\": %.9g, \"high\": %.9g, ", spread->low, spread->high);
	fprintf(out, "\"better\": %zu, \"networks\": %zu}", spread->above, spread->count);
}

static int print_beside(FILE *out, const struct tuning *tuning, bool json, struct error *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < tuning->beside_count; i++) {
		const size_t arm = tuning->beside + i;
		const char *name = tuning->trial.arms[arm].name;
		struct tuning_spread gains = {0}, beyond = {0};
		char label[96];

		code = spread_of_arm(tuning, arm, false, &gains, error);
		if (code == 0)
			code = spread_of_arm(tuning, arm, true, &beyond, error);
		if (code)
			return code;
		if (json) {
			fputs(", ", out);
			snprintf(label, sizeof(label), "gain_%s", name);
			json_row(out, label, NULL, &gains);
			fputs(", ", out);
			snprintf(label, sizeof(label), "beyond_tuned_%s", name);
			json_row(out, label, NULL, &beyond);
		} else {
			print_row(out, name, &gains);
			snprintf(label, sizeof(label), "%s beyond tuned", name);
			print_row(out, label, &beyond);
		}
	}
	return code;
}

static void print_networks(FILE *out, const struct tuning *tuning)
{
	const struct trial *trial = &tuning->trial;

	for (size_t s = 0; s < trial->scenario_count && trial->scenario_count <= NETWORKS_TOLD;
	     s++) {
		const char *settings = tuning_settings_of(tuning, tuning->best[s]);

		fprintf(out, "  %-34s %8.3f  %s\n", trial->scenarios[s].name,
			gain(tuning, s, TUNED), settings[0] ? settings : "as it is");
	}
}

static void print_heading(FILE *out, const struct tuning *tuning)
{
	fprintf(out,
		"%s: the best of %zu settings on %zu seed%s, compared on %zu other%s; gain of "
		"reward over the law as it is\n",
		tuning->trial.arms[tuning->law].name, tuning->settings + 1, tuning->tuning_seeds,
		tuning->tuning_seeds == 1 ? "" : "s", tuning->other_seeds,
		tuning->other_seeds == 1 ? "" : "s");
	print_networks(out, tuning);
	fprintf(out, "  %-34s %8s  %17s %8s %8s %8s   %s\n", "", "median", "95 % of the median",
		"q1", "q3", "mean", "better in");
}

int tuning_report_print(FILE *out, const struct tuning *tuning, bool json, struct error *error)
{
	const char *settings = tuning_settings_of(tuning, tuning->one);
	struct tuning_spread tuned = {0}, one = {0};
	int code = spread_of_arm(tuning, TUNED, false, &tuned, error);

	if (code == 0)
		code = spread_of_arm(tuning, tuning->one, false, &one, error);
	if (code)
		return code;
	if (json) {
		fprintf(out, "{\"law\": \"%s\", \"settings\": %zu, ",
			tuning->trial.arms[tuning->law].name, tuning->settings + 1);
		json_row(out, "gain", NULL, &tuned);
		fputs(", ", out);
		json_row(out, "gain_one", settings, &one);
	} else {
		print_heading(out, tuning);
		print_row(out, "tuned for each network", &tuned);
		print_row(out, "one setting for all", &one);
	}
	code = print_beside(out, tuning, json, error);
	if (json)
		fputs("}\n", out);
	else
		fprintf(out, "one setting for all: %s\n", settings[0] ? settings : "as it is");
	return code;
}
