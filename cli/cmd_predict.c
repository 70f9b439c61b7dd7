/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm predict: a policy's answers on recorded rows, beside rules that know
 * nothing.
 *
 * Every row is scored once.  By default it is the last step of its own window
 * (--stride 1), so it sees the fullest context there is: up to window - 1 rows
 * before it with the actions that were taken, never its own.  --stride N
 * scores the last N steps of windows N rows apart, N times faster, with
 * window - N + 1 to window steps of context.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/policy_options.h"
#include "learn/baselines.h"
#include "learn/predictor.h"
#include "policy/store.h"
#include "tensor/threads.h"

static struct {
	const char *policy, *output, *returns, *device, *precision;
	double held_out;
	uint64_t stride, interval, limit, threads;
} o = {.returns = "", .device = "cpu", .stride = 1, .interval = 1};

static const struct option predict_options[] = {
	{"policy", 'p', OPTION_TEXT, &o.policy, "DIR", "policy folder; required", 0, 0},
	{"held-out", 0, OPTION_DOUBLE, &o.held_out, "F",
	 "score only this share of rows, at the end; default 0: all rows", 0, 0.95},
	{"stride", 0, OPTION_U64, &o.stride, "N",
	 "score the last N steps of each window; default 1", 1, 4096},
	{"interval", 0, OPTION_U64, &o.interval, "N", "context is every Nth row before; default 1",
	 1, 1000000},
	{"limit", 0, OPTION_U64, &o.limit, "N", "score about N rows, evenly spread; default 0: all",
	 0, 0},
	{"returns", 0, OPTION_TEXT, &o.returns, "KIND",
	 "target: what a router shows; true: as they came true, which tells of the future; default "
	 "target, true for --compat policies",
	 0, 0},
	{"precision", 0, OPTION_TEXT, &o.precision, "P", PRECISION_DOC, 0, 0},
	{"device", 0, OPTION_TEXT, &o.device, "NAME", DEVICE_DOC, 0, 0},
	{"threads", 0, OPTION_U64, &o.threads, "N", "default 0: every core", 0, 4096},
	{"output", 'o', OPTION_TEXT, &o.output, "FILE.csv",
	 "also write row,action,enqueue,drop,mark with the probabilities", 0, 0},
	{0},
};

struct scoring {
	const struct command_common *common;
	struct pool pool;
	struct policy_config config;
	struct policy_net net;
	struct dataset dataset;
	struct metrics metrics;
	size_t first, scored;
	bool *is_scored;       /* (pool.rows) */
	int law_column;        /* of the pool; -1: none */
	double law_entropy;    /* sum over the rows scored, nats */
	double law_log_loss;   /* of the law's own probabilities, likewise */
	struct file_replace file; /* stream NULL: none */
};

/* Entropy of a choice between acting and not, nats. */
static double entropy(double p)
{
	return p > 0 && p < 1 ? -p * log(p) - (1 - p) * log1p(-p) : 0;
}

static void score_law(struct scoring *scoring, size_t row)
{
	const double p = scoring->pool.state[row * scoring->pool.features +
					     (size_t)scoring->law_column];
	const bool acted = scoring->dataset.labels[row] != POOL_ENQUEUE;

	scoring->law_entropy += entropy(p);
	scoring->law_log_loss -= acted ? log(p) : log1p(-p);
}

static void on_row(void *context, size_t row, const double probability[POOL_ACTIONS])
{
	struct scoring *scoring = context;
	const size_t total = scoring->pool.rows - scoring->first;
	char text[128];

	scoring->is_scored[row] = true;
	if (scoring->law_column >= 0)
		score_law(scoring, row);
	if (scoring->file.stream)
		fprintf(scoring->file.stream, "%zu,%d,%.9g,%.9g,%.9g\n", row,
			scoring->dataset.labels[row], probability[POOL_ENQUEUE],
			probability[POOL_DROP], probability[POOL_MARK]);
	if (++scoring->scored % 64 != 0)
		return;
	progress_text(text, sizeof(text), "predict", scoring->scored, total, 0, "");
	command_progress(scoring->common, text, false);
}

static int score(struct scoring *scoring, struct error *error)
{
	const bool by_name = strcmp(o.returns, "true") == 0;
	const struct predictor_options options = {
		.window = scoring->config.window,
		.stride = (int64_t)o.stride,
		.interval = (uint32_t)o.interval,
		.limit = o.limit,
		.true_returns = o.returns[0] ? by_name : scoring->config.compat,
	};
	int status;

	if (o.returns[0] && !by_name && strcmp(o.returns, "target") != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--returns", "target or true");
	scoring->is_scored = calloc(scoring->pool.rows, sizeof(*scoring->is_scored));
	if (!scoring->is_scored)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the rows");
	status = dataset_new(&scoring->dataset, &scoring->pool, 0, &scoring->config, error);
	if (!status && o.output)
		status = file_replace_open(&scoring->file, o.output, error);
	if (status)
		return status;
	if (scoring->file.stream)
		fputs("row,action,enqueue,drop,mark\n", scoring->file.stream);
	status = predictor_run(&scoring->net, &scoring->dataset, scoring->first, scoring->pool.rows,
			       &options, &scoring->metrics, on_row, scoring, error);
	command_progress(scoring->common, "", false);
	if (!o.output)
		return status;
	if (!status)
		status = file_replace_commit(&scoring->file, error);
	if (status)
		file_replace_abort(&scoring->file);
	return status;
}

static json_t *confusion_json(const struct metrics *metrics, enum metrics_part part)
{
	json_t *rows = json_array();

	for (int truth = 0; truth < POOL_ACTIONS; truth++) {
		json_t *row = json_array();

		for (int answer = 0; answer < POOL_ACTIONS; answer++)
			json_array_append_new(
				row,
				json_integer((json_int_t)metrics->confusion[part][truth][answer]));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* On the rows that the policy was scored on; false: the pool lacks a column. */
static bool score_baseline(const struct scoring *scoring, enum baseline baseline,
			   struct metrics *metrics)
{
	return baseline_score(baseline, &scoring->pool, scoring->first, scoring->pool.rows,
			      scoring->is_scored, metrics);
}

static json_t *baselines_json(const struct scoring *scoring)
{
	json_t *list = json_object();

	for (int b = 0; b < BASELINES; b++) {
		struct metrics metrics;
		struct metrics_summary s;
		const bool known = score_baseline(scoring, (enum baseline)b, &metrics);

		s = metrics_summarise(&metrics);
		json_object_set_new(list, baseline_name((enum baseline)b),
				    known ? json_pack("{s:f, s:f, s:f}", "accuracy", s.accuracy,
						      "balanced_accuracy", s.balanced_accuracy,
						      "macro_f1", s.macro_f1)
					  : json_null());
	}
	return list;
}

/* null where the pool does not tell, or a row contradicts it. */
static json_t *law_json(const struct scoring *scoring, double value)
{
	return scoring->law_column >= 0 && isfinite(value) ? json_real(value) : json_null();
}

static void print_json(const struct scoring *scoring)
{
	const struct metrics_summary s = metrics_summarise(&scoring->metrics);
	const double rows = (double)s.rows;
	json_t *root = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:{s:o, s:o, s:o}, "
				 "s:f}", "rows", (json_int_t)s.rows, "accuracy", s.accuracy,
				 "majority_rate", s.majority_rate, "balanced_accuracy",
				 s.balanced_accuracy, "macro_f1", s.macro_f1, "log_loss",
				 s.log_loss, "law_entropy",
				 law_json(scoring, scoring->law_entropy / rows), "law_log_loss",
				 law_json(scoring, scoring->law_log_loss / rows),
				 "baselines", baselines_json(scoring),
				 "confusion", "all", confusion_json(&scoring->metrics, METRICS_ALL),
				 "L", confusion_json(&scoring->metrics, METRICS_L), "C",
				 confusion_json(&scoring->metrics, METRICS_C), "ece", s.ece);

	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

static void print_confusion(const struct metrics *metrics, enum metrics_part part,
			    const char *title)
{
	static const char *const names[POOL_ACTIONS] = {"enqueue", "drop", "mark"};

	printf("\n%-24s %9s %9s %9s\n", title, names[0], names[1], names[2]);
	for (int truth = 0; truth < POOL_ACTIONS; truth++) {
		const uint64_t *row = metrics->confusion[part][truth];

		printf("  truth %-16s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", names[truth],
		       row[0], row[1], row[2]);
	}
}

static void print_line(const char *name, const struct metrics *metrics, const char *text)
{
	const struct metrics_summary s = metrics_summarise(metrics);

	printf("%-24s %9.4f %9.4f %9.4f%s%s\n", name, s.accuracy, s.balanced_accuracy, s.macro_f1,
	       *text ? "  " : "", text);
}

static bool is_better(const struct metrics *rule, const struct metrics *policy)
{
	const struct metrics_summary a = metrics_summarise(rule), b = metrics_summarise(policy);

	return a.accuracy > b.accuracy && a.balanced_accuracy > b.balanced_accuracy &&
	       a.macro_f1 > b.macro_f1;
}

/* A figure of the law, a sum over the rows, and how the policy's log loss stands to it. */
static void print_beside_law(const char *name, double sum, const struct metrics_summary *policy)
{
	const double law = sum / (double)policy->rows;

	if (!isfinite(law))
		printf("%s: none, a row contradicts them\n", name);
	else if (law > 0)
		printf("%s %.4f, the policy's log loss is %.3f of it\n", name, law,
		       policy->log_loss / law);
	else
		printf("%s %.4f\n", name, law);
}

static void print_text(const struct scoring *scoring)
{
	const struct metrics_summary s = metrics_summarise(&scoring->metrics);
	const char *beaten_by = NULL;

	printf("%" PRIu64 " rows, majority rate %.4f, log loss %.4f, calibration error %.4f\n",
	       s.rows, s.majority_rate, s.log_loss, s.ece);
	if (scoring->law_column >= 0) {
		print_beside_law("entropy of the law's own choices", scoring->law_entropy, &s);
		print_beside_law("log loss of its own probabilities", scoring->law_log_loss, &s);
	}
	printf("\n%-24s %9s %9s %9s\n", "", "accuracy", "balanced", "macro-F1");
	print_line("policy", &scoring->metrics, "");
	for (int b = 0; b < BASELINES; b++) {
		const enum baseline rule = (enum baseline)b;
		struct metrics metrics;

		if (!score_baseline(scoring, rule, &metrics))
			continue;
		print_line(baseline_name(rule), &metrics, baseline_text(rule));
		if (is_better(&metrics, &scoring->metrics))
			beaten_by = baseline_name(rule);
	}
	if (beaten_by)
		printf("%s is better than the policy in all three: on these rows it knows no more "
		       "than that.\n", beaten_by);
	print_confusion(&scoring->metrics, METRICS_ALL, "all");
	print_confusion(&scoring->metrics, METRICS_L, "L queue");
	print_confusion(&scoring->metrics, METRICS_C, "C queue");
}

static int predict(const struct command_common *common, const char **operands, size_t count,
		   struct error *error)
{
	const struct policy_manner manner = {.precision = o.precision};
	struct scoring scoring = {.common = common};
	int status;

	if (count != 1 || !o.policy)
		return error_set(error, ERR_INVALID,
				 "name a pool and a policy: aqmllm predict POOL --policy DIR");
	pool_init(&scoring.pool);
	if (o.threads)
		tensor_threads_set((int)o.threads);
	status = backbone_place_all(o.device, error);
	if (!status)
		status = pool_read(&scoring.pool, operands[0], error);
	if (!status)
		status = policy_store_open_as(&scoring.net, &scoring.config, o.policy, &manner,
					      error);
	scoring.law_column = pool_feature(&scoring.pool, POOL_LAW_COLUMN);
	if (!status && o.held_out > 0)
		scoring.first = pool_split_row(&scoring.pool, o.held_out);
	if (!status)
		status = score(&scoring, error);
	if (status && error->field[0] && error->field[0] != '-' && !error->file[0])
		snprintf(error->file, sizeof(error->file), "%.500s", operands[0]);
	if (!status && common->json)
		print_json(&scoring);
	else if (!status && !common->quiet)
		print_text(&scoring);
	dataset_free(&scoring.dataset);
	free(scoring.is_scored);
	if (scoring.net.backbone)
		policy_net_free(&scoring.net);
	pool_free(&scoring.pool);
	return status;
}

const struct command command_predict = {
	.name = "predict",
	.operands = "POOL --policy DIR",
	.summary = "score a policy on recorded rows, beside simple rules",
	.details =
		"Rules that know nothing of learning stand beside the policy, on the same rows: "
		"the most frequent action, the two comparisons that read the label back from a log "
		"as recorded, and the action of the row before. Where the pool tells the law's own "
		"probabilities (aqmllm pool --law), so do the entropy of its choices, which no "
		"policy can undercut in the long run, and the log loss of those very "
		"probabilities.\n\n"
		"Each row sees the rows before it with the actions that were taken.",
	.options = predict_options,
	.run = predict,
};
