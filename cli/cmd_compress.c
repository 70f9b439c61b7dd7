/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm compress: a smaller policy that decides alike, and what it cost.
 *
 * Every stage (cli/compression.h) is made, measured like the others and kept;
 * the folder itself becomes the policy of the smallest stage that lost no
 * more than --lose.
 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/compression.h"
#include "cli/library.h"
#include "cli/pareto.h"
#include "learn/sources.h"
#include "policy/reference.h"
#include "policy/store.h"
#include "tensor/threads.h"

#define STAGES_DEFAULT "int8,pruned,pruned_int8,pruned_mixed"

static struct {
	const char *policy, *pool, *output, *stages, *scenario, *aqm;
	double heads, ffn, encoder, event_share, rate, held_out, allowed, lose, lose_loss,
		duration_s;
	uint64_t calibration, measured, epochs, windows, batch, seed, limit, timed, interval,
		seeds, threads;
	bool labels;
} o = {
	.stages = STAGES_DEFAULT,
	.scenario = "paper",
	.heads = 0.4,
	.ffn = 0.55,
	.encoder = 0.7,
	.event_share = 0.8,
	.rate = 2e-4,
	.held_out = 0.2,
	.allowed = 0.002,
	.lose = 1,
	.lose_loss = 2,
	.duration_s = 10,
	.calibration = 128,
	.measured = 48,
	.epochs = 2,
	.windows = 500,
	.batch = 4,
	.seed = 1,
	.limit = 4000,
	.timed = 400,
	.interval = 1,
	.seeds = 2,
};

static const struct option compress_options[] = {
	{"policy", 'p', OPTION_TEXT, &o.policy, "DIR", "policy folder; required", 0, 0},
	{"pool", 0, OPTION_TEXT, &o.pool, "POOL", "experience to compress it on; required", 0, 0},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR",
	 "folder for the smaller policy, its stages and tables; required", 0, 0},
	{"stages", 0, OPTION_TEXT, &o.stages, "NAME,...",
	 "what is made: int8, int4, mixed (of the whole policy), pruned, pruned_int8, pruned_int4, "
	 "pruned_mixed; default " STAGES_DEFAULT, 0, 0},
	{"heads", 0, OPTION_DOUBLE, &o.heads, "F",
	 "share of the attention heads that goes; default 0.4", 0, 0.9},
	{"ffn", 0, OPTION_DOUBLE, &o.ffn, "F",
	 "share of the feed-forward units that goes; default 0.55", 0, 0.9},
	{"encoder", 0, OPTION_DOUBLE, &o.encoder, "F",
	 "share of the encoder's parameters that goes with its channels; default 0.7", 0, 0.9},
	{"calibration", 0, OPTION_U64, &o.calibration, "N",
	 "windows for attribution; default 128", 1, 100000},
	{"measured", 0, OPTION_U64, &o.measured, "N",
	 "windows on which a layer's sensitivity is measured; default 48", 1, 100000},
	{"event-share", 0, OPTION_DOUBLE, &o.event_share, "S",
	 "share of these windows with a drop or mark; -1 as they come; default 0.8", -1, 1},
	{"allowed", 0, OPTION_DOUBLE, &o.allowed, "NATS",
	 "loss that mixed precision may add before training; default 0.002", 0, 10},
	{"epochs", 'e', OPTION_U64, &o.epochs, "N",
	 "of training after each change; default 2", 1, 1000},
	{"windows-per-epoch", 0, OPTION_U64, &o.windows, "N", "default 500", 1, 1e9},
	{"batch", 0, OPTION_U64, &o.batch, "N", "windows of an optimizer step; default 4", 1, 4096},
	{"lr", 0, OPTION_DOUBLE, &o.rate, "R", "highest learning rate; default 2e-4", 0, 1},
	{"labels", 0, OPTION_FLAG, &o.labels, NULL,
	 "learn the pool's actions, as train does, instead of the whole policy's probabilities",
	 0, 0},
	{"held-out", 0, OPTION_DOUBLE, &o.held_out, "F",
	 "share of rows at the end that is measured on and never trained on; default 0.2", 0.01,
	 0.95},
	{"limit", 0, OPTION_U64, &o.limit, "N",
	 "held-out rows scored, evenly spread; default 4000, 0: all", 0, 0},
	{"lose", 0, OPTION_DOUBLE, &o.lose, "POINTS",
	 "balanced accuracy that the chosen stage may lose; default 1", 0, 100},
	{"lose-loss", 0, OPTION_DOUBLE, &o.lose_loss, "PERCENT",
	 "of log loss that it may gain; default 2", 0, 1e9},
	{"scenario", 0, OPTION_TEXT, &o.scenario, "NAME",
	 "closed loop that every stage runs in, unguarded: a scenario or none; default paper", 0,
	 0},
	{"duration", 0, OPTION_DOUBLE, &o.duration_s, "S",
	 "of the closed loop, warm-up included; default 10", 1, 1e6},
	{"aqm", 0, OPTION_TEXT, &o.aqm, "NAME", "law beneath the policy; default the scenario's",
	 0, 0},
	{"interval", 0, OPTION_U64, &o.interval, "N",
	 "every Nth packet is put to the policy; default 1", 1, 1e9},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "runs of the closed loop; default 2", 1, 1000},
	{"timed", 0, OPTION_U64, &o.timed, "N", "decisions timed; default 400", 32, 1e9},
	{"threads", 0, OPTION_U64, &o.threads, "N", "default 0: every core", 0, 4096},
	{"seed", 0, OPTION_U64, &o.seed, "N", "default 1", 0, 0},
	{0},
};

static int parse_stages(struct compression_options *options, struct error *error)
{
	char text[256], *rest = NULL;

	if (snprintf(text, sizeof(text), "%s", o.stages) >= (int)sizeof(text))
		return error_at(error, ERR_INVALID, NULL, 0, "--stages", "too long");
	options->wanted[STAGE_whole] = true;
	for (char *name = strtok_r(text, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		const int stage = compression_stage_find(name);

		if (stage < 0)
			return error_at(error, ERR_INVALID, NULL, 0, "--stages",
					"%s is not one of int8, int4, mixed, pruned, pruned_int8, "
					"pruned_int4, pruned_mixed", name);
		options->wanted[stage] = true;
		if (stage > STAGE_pruned)
			options->wanted[STAGE_pruned] = true;
	}
	return 0;
}

static int read_scenario(struct scenario *scenario, struct compression_options *options,
			 struct error *error)
{
	int status;

	if (strcmp(o.scenario, "none") == 0)
		return 0;
	status = library_read_for(scenario, o.scenario, o.duration_s, error);
	if (!status)
		options->measuring.scenario = scenario;
	return status;
}

static void fill_options(struct compression_options *options)
{
	options->policy = o.policy;
	options->folder = o.output;
	options->share[PRUNE_heads] = o.heads;
	options->share[PRUNE_ffn] = o.ffn;
	options->share[PRUNE_encoder] = o.encoder;
	options->calibration = o.calibration;
	options->measured = o.measured < o.calibration ? o.measured : o.calibration;
	options->event_share = o.event_share;
	options->allowed = o.allowed;
	options->epochs = o.epochs;
	options->windows = o.windows;
	options->batch = o.batch;
	options->seed = o.seed;
	options->rate = o.rate;
	options->labels = o.labels;
	options->held_out = o.held_out;
	options->measuring.rows = o.limit;
	options->measuring.timed = o.timed;
	options->measuring.law = o.aqm;
	options->measuring.interval = o.interval;
	options->measuring.seeds = o.seeds;
}

/* What the figures depend on, but for which stages are wanted. */
static int fingerprint(struct compression *c, struct error *error)
{
	uint64_t policy, pool, loop = 0;
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), o.policy, POLICY_FILE, error);

	if (!status)
		status = reference_file_checksum(&policy, path, error);
	if (!status)
		status = reference_file_checksum(&pool, o.pool, error);
	if (!status && strcmp(o.scenario, "none") != 0)
		status = library_checksum(&loop, o.scenario, error);
	if (status)
		return status;
	c->fingerprint = malloc(2048);
	if (!c->fingerprint)
		return error_set(error, ERR_NO_MEMORY, "a fingerprint");
	snprintf(c->fingerprint, 2048,
		 "policy %016" PRIx64 " pool %016" PRIx64 " heads %g ffn %g encoder %g calibration "
		 "%" PRIu64 " measured %" PRIu64 " event-share %g allowed %g epochs %" PRIu64
		 " windows %" PRIu64 " batch %" PRIu64 " lr %g held-out %g seed %" PRIu64
		 " limit %" PRIu64 " scenario %016" PRIx64 " duration %g aqm %.50s"
		 " interval %" PRIu64 " seeds %" PRIu64 " timed %" PRIu64 " labels %d",
		 policy, pool, o.heads, o.ffn, o.encoder, o.calibration, o.measured, o.event_share,
		 o.allowed, o.epochs, o.windows, o.batch, o.rate, o.held_out, o.seed, o.limit,
		 loop, o.duration_s, o.aqm ? o.aqm : "-", o.interval, o.seeds, o.timed,
		 o.labels);
	return 0;
}

/* ---- what came of it ---- */

struct results {
	struct pareto_column columns[POLICY_FIGURES];
	const char *names[COMPRESSION_STAGES];
	enum compression_stage stage[COMPRESSION_STAGES];
	double values[COMPRESSION_STAGES * POLICY_FIGURES];
	bool front[COMPRESSION_STAGES];
	struct pareto_table table;
};

static void collect(struct results *r, const struct compression *c)
{
	double bytes[COMPRESSION_STAGES], loss[COMPRESSION_STAGES];
	size_t rows = 0;

	for (int f = 0; f < POLICY_FIGURES; f++)
		r->columns[f] = (struct pareto_column){policy_figure_name((enum policy_figure)f),
						       policy_figure_heading((enum policy_figure)f),
						       policy_figure_digits((enum policy_figure)f)};
	for (int i = 0; i < COMPRESSION_STAGES; i++) {
		if (!c->done[i] || !c->options.wanted[i])
			continue;
		r->names[rows] = compression_stage_name((enum compression_stage)i);
		r->stage[rows] = (enum compression_stage)i;
		memcpy(r->values + rows * POLICY_FIGURES, c->figures[i].value,
		       sizeof(c->figures[i].value));
		bytes[rows] = c->figures[i].value[FIGURE_bytes];
		loss[rows++] = c->figures[i].value[FIGURE_log_loss];
	}
	pareto_front(r->front, bytes, loss, rows);
	r->table = (struct pareto_table){.what = "stage", .columns = r->columns,
					 .column_count = POLICY_FIGURES, .row_count = rows,
					 .names = r->names, .values = r->values,
					 .front = r->front};
}

/* Share of the units of a kind that went, weighed by what they hold; NaN: nothing was pruned. */
static double share_gone(const struct compression *c, const char *kind)
{
	const json_t *part;
	double units = 0, kept = 0;
	size_t i;

	json_array_foreach(json_object_get(c->root, "parts"), i, part) {
		if (strcmp(json_string_value(json_object_get(part, "kind")), kind) != 0)
			continue;
		units += json_number_value(json_object_get(part, "units"));
		kept += json_number_value(json_object_get(part, "kept"));
	}
	return units > 0 ? 1 - kept / units : NAN;
}

static double less(const struct compression *c, int stage, enum policy_figure figure)
{
	return 1 - c->figures[stage].value[figure] / c->figures[STAGE_whole].value[figure];
}

static double points(const struct compression *c, int stage)
{
	return 100 * (c->figures[stage].value[FIGURE_balanced_accuracy] -
		      c->figures[STAGE_whole].value[FIGURE_balanced_accuracy]);
}

static void print_stage(const struct compression *c, int stage)
{
	const double *value = c->figures[stage].value, *whole = c->figures[STAGE_whole].value;

	printf("%-13s parameters -%.1f %%, bytes -%.1f %%, operations -%.1f %%; accuracy %.2f %% "
	       "of the whole's, balanced %+.2f points, log loss %+.2f %%",
	       compression_stage_name((enum compression_stage)stage),
	       100 * less(c, stage, FIGURE_parameters), 100 * less(c, stage, FIGURE_bytes),
	       100 * less(c, stage, FIGURE_operations),
	       100 * value[FIGURE_accuracy] / whole[FIGURE_accuracy], points(c, stage),
	       -100 * less(c, stage, FIGURE_log_loss));
	if (!isnan(value[FIGURE_quality]))
		printf(", closed-loop quality %+.2f %%", -100 * less(c, stage, FIGURE_quality));
	printf(", %.2f times as fast\n",
	       whole[FIGURE_decision_ns] / value[FIGURE_decision_ns]);
}

static void print_layers(const struct compression *c)
{
	const json_t *part;
	size_t i;

	printf("\nwhat each part keeps, and what its least worthy units cost the loss (nats)\n"
	       "%-8s %5s %6s %6s %9s %9s %9s %9s\n", "kind", "index", "units", "kept", "-25 %",
	       "-50 %", "-75 %", "-90 %");
	json_array_foreach(json_object_get(c->root, "parts"), i, part) {
		const json_t *rise = json_object_get(part, "loss_rise");

		printf("%-8s %5lld %6lld %6lld",
		       json_string_value(json_object_get(part, "kind")),
		       json_integer_value(json_object_get(part, "index")),
		       json_integer_value(json_object_get(part, "units")),
		       json_integer_value(json_object_get(part, "kept")));
		for (size_t p = 0; p < PRUNE_POINTS; p++)
			printf(" %9.4f", json_number_value(json_array_get(rise, p)));
		putchar('\n');
	}
}

static void print_text(const struct compression *c, const struct results *r, int chosen)
{
	printf("held-out rows, closed loop, decisions (* none is smaller and better):\n\n");
	pareto_print(stdout, &r->table);
	if (json_object_get(c->root, "parts"))
		print_layers(c);
	printf("\n%-13s heads -40 %%, feed-forward -50 to -60 %%, memory -75 %%, parameters "
	       "-70 %% at 95 %% of performance\n", "the paper's");
	if (json_object_get(c->root, "parts"))
		printf("%-13s heads -%.0f %%, feed-forward -%.0f %%, encoder channels -%.0f %%\n",
		       "estimates;", 100 * share_gone(c, "heads"), 100 * share_gone(c, "ffn"),
		       100 * share_gone(c, "encoder"));
	for (size_t i = 1; i < r->table.row_count; i++)
		print_stage(c, r->stage[i]);
	if (chosen < 0)
		printf("\nno stage lost as little as --lose %g and --lose-loss %g allow: %s holds "
		       "tables only\n", o.lose, o.lose_loss, o.output);
	else
		printf("\n%s: the policy of stage %s\n", o.output,
		       compression_stage_name((enum compression_stage)chosen));
}

static void print_json(const struct compression *c, const struct results *r, int chosen)
{
	json_t *list = json_array(), *root;

	for (size_t i = 0; i < r->table.row_count; i++) {
		json_t *row = policy_figures_json(&c->figures[r->stage[i]]);

		json_object_set_new(row, "stage", json_string(r->names[i]));
		json_object_set_new(row, "front", json_boolean(r->front[i]));
		json_array_append_new(list, row);
	}
	root = json_pack("{s:o, s:O?, s:O?, s:O?, s:o, s:{s:f, s:f, s:f, s:f, s:f, s:f}}",
			 "stages", list, "parts", json_object_get(c->root, "parts"), "storages",
			 json_object_get(c->root, "storages"), "rounding",
			 json_object_get(c->root, "rounding"), "chosen",
			 chosen < 0 ? json_null()
				    : json_string(compression_stage_name(
					      (enum compression_stage)chosen)),
			 "paper", "heads", 0.4, "ffn_low", 0.5, "ffn_high", 0.6, "memory", 0.75,
			 "parameters", 0.7, "performance", 0.95);
	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

/* Tables and picture in the folder; without gnuplot the picture's numbers alone. */
static int write_tables(const struct results *r, struct error *error)
{
	static const struct pareto_axes axes[] = {
		{FIGURE_bytes, FIGURE_log_loss, "loss", "held-out log loss by size", "bytes",
		 "log loss, nats"},
		{FIGURE_decision_ns, FIGURE_log_loss, "time", "held-out log loss by time",
		 "decision, ns", "log loss, nats"},
	};
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), o.output, "pareto.csv", error);

	if (!status)
		status = pareto_write(path, &r->table, error);
	if (!status)
		status = file_join(path, sizeof(path), o.output, "pareto.svg", error);
	if (!status)
		status = pareto_draw(path, "Compressed policies", &r->table, axes, 2, error);
	return status == ERR_UNSUPPORTED ? 0 : status;
}

static int report(const struct compression *c, struct error *error)
{
	const int chosen = compression_choose(c, o.lose, o.lose_loss);
	struct results *r = calloc(1, sizeof(*r));
	int status = r ? 0 : error_set(error, ERR_NO_MEMORY, "tables");

	if (!status)
		collect(r, c);
	if (!status && chosen >= 0)
		status = compression_publish(c, (enum compression_stage)chosen, error);
	if (!status)
		status = write_tables(r, error);
	if (!status && c->common->json)
		print_json(c, r, chosen);
	else if (!status && !c->common->quiet)
		print_text(c, r, chosen);
	free(r);
	return status;
}

/* Everything that can be wrong before anything is written. */
static int check(struct error *error)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct policy_config config;
	int status;

	if (!o.policy || !o.pool || !o.output)
		return error_set(error, ERR_INVALID, "name a policy, a pool and a folder: aqmllm "
				 "compress --policy DIR --pool POOL -o DIR2");
	status = policy_config_read(&config, o.policy, error);
	if (status)
		return status;
	if (realpath(o.policy, from) && realpath(o.output, to) && strcmp(from, to) == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"is the folder of the policy itself; name another");
	return 0;
}

static int compress(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	struct compression c = {.common = common};
	struct sources sources = {0};
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	int status = count ? error_at(error, ERR_INVALID, NULL, 0, operands[0],
				      "compress takes no operands; see aqmllm compress --help")
			   : check(error);

	if (!status && !scenario)
		status = error_set(error, ERR_NO_MEMORY, "a scenario");
	if (o.threads)
		tensor_threads_set((int)o.threads);
	fill_options(&c.options);
	if (!status)
		status = parse_stages(&c.options, error);
	if (!status)
		status = sources_read(&sources, &o.pool, 1, o.held_out, error);
	c.sources = &sources;
	c.options.measuring.pool = &sources.pool;
	c.options.measuring.first = sources.cut;
	if (!status)
		status = read_scenario(scenario, &c.options, error);
	if (!status)
		status = fingerprint(&c, error);
	if (!status)
		status = compression_run(&c, error);
	if (!status)
		status = report(&c, error);
	compression_free(&c);
	if (c.options.measuring.scenario)
		scenario_free(scenario);
	free(scenario);
	sources_free(&sources);
	return command_goes_on(status, error, "the same command goes on");
}

const struct command command_compress = {
	.name = "compress",
	.operands = "--policy DIR --pool POOL -o DIR2",
	.summary = "prune and quantise a policy; what it loses and gains",
	.details =
		"Attention heads, feed-forward units and encoder channels are ranked by "
		"attribution (first-order Taylor: activation x gradient, on windows drawn around "
		"drops and marks); how many each layer gives is settled by what silencing them "
		"costs, measured; the rest is a smaller network, which is trained a little to "
		"recover: the whole policy's probabilities, or with --labels the pool's actions. "
		"Quantisation-aware training then rounds the weights of the projections to int8 or "
		"int4 while they learn; mixed keeps int8 or bf16 where int4 costs too much. "
		"Backbones gpt2, opt and llama; encoder and head stay f32.\n\n"
		"Every stage is measured on held-out rows, in closed loop without the guard, and "
		"against the clock; DIR2/stages holds the policies, pareto.csv and pareto.svg the "
		"figures, and DIR2 becomes the smallest that lost little enough (--lose, "
		"--lose-loss). Stopped with Ctrl-C, the same command goes on where it was.",
	.options = compress_options,
	.heeds_interrupt = true,
	.run = compress,
};
