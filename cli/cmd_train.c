/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm train: adapts a backbone to a pool of experience.
 *
 * The folder receives train.json (the run: options, pool and its checksum),
 * checkpoint.safetensors, the best policy, metrics.csv and metrics.sqlite.
 * --resume reads the run from train.json and goes on from the checkpoint.  A
 * new run in an old folder removes the checkpoint first, so that the two can
 * never be mixed.
 *
 * Options whose default depends on --compat are 0 (or negative) until
 * settle_options() has seen all of them.
 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/policy_options.h"
#include "cli/train_ranks.h"
#include "cli/train_record.h"
#include "learn/sources.h"
#include "learn/trainer.h"
#include "policy/reference.h"
#include "policy/store.h"
#include "policy/stream.h"
#include "policy/warm_start.h"
#include "tensor/threads.h"

#define RANK_UNSET UINT64_MAX
#define TARGETS_MAX 32

static struct {
	const char *output, *backbone, *class_weights, *scaling, *interval, *encoder, *targets,
		*adapter, *device, *precision, *settings;
	uint64_t epochs, batch, accumulate, window, keep, stride, windows_per_epoch, seed, patience,
		rank, warmup_steps, threads, ranks;
	double rate, alpha, dropout, held_out, clip, gamma, event_share, true_returns, decay,
		checkpoint_s;
	bool resume, compat, random_weights, cold_start, weighted, cosine, untrained;
	bool residual, even_sources, full, checkpoint_activations;
	struct augment_options augment;
} o = {
	.device = "cpu",
	.backbone = REFERENCE_BUILTIN,
	.class_weights = "",
	.scaling = "",
	.encoder = "",
	.targets = "",
	.settings = "",
	.adapter = "",
	.rank = RANK_UNSET,
	.interval = "1",
	.precision = "f32",
	.patience = UINT64_MAX,
	.held_out = 0.2,
	.alpha = 32,
	.dropout = 0.05,
	.clip = -1,
	.gamma = -1,
	.event_share = 0.5,
	.true_returns = -1,
	.decay = 1e-4,
	.checkpoint_s = 30,
	.windows_per_epoch = 1000,
	.seed = 1,
};

static const struct option train_options[] = {
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder for the policy; required", 0, 0},
	{"resume", 0, OPTION_FLAG, &o.resume, NULL,
	 "continue the run in the folder, to the same bits as if it had not stopped", 0, 0},
	{"backbone", 'b', OPTION_TEXT, &o.backbone, "DIR",
	 "Hugging Face folder, GGUF file, or builtin; default builtin", 0, 0},
	{"random-weights", 0, OPTION_FLAG, &o.random_weights, NULL,
	 "random weights (from the seed) in place of the backbone's, for comparison", 0, 0},
	{"cold-start", 0, OPTION_FLAG, &o.cold_start, NULL,
	 "start the encoder at random even where the backbone brings a vocabulary", 0, 0},
	{"rank", 'r', OPTION_U64, &o.rank, "N",
	 "rank of the adapter, 0 as --full; default min(128, width / 4), 128 with --compat", 0,
	 4096},
	{"lora-alpha", 0, OPTION_DOUBLE, &o.alpha, "A", "adapter scale is A / rank; default 32", 0,
	 1e6},
	{"alpha", 0, OPTION_DOUBLE, &o.alpha, "A", "the same", 0, 1e6},
	{"lora-dropout", 0, OPTION_DOUBLE, &o.dropout, "P",
	 "dropout before the adapter; default 0.05", 0, 0.9},
	{"dropout", 0, OPTION_DOUBLE, &o.dropout, "P", "the same", 0, 0.9},
	{"lora-targets", 0, OPTION_TEXT, &o.targets, "NAME,...",
	 "projections that are adapted, such as q_proj,v_proj; all: every linear layer; default "
	 "those of the released code for the architecture",
	 0, 0},
	{"adapter", 0, OPTION_TEXT, &o.adapter, "DIR",
	 "start from this PEFT adapter, with its rank, alpha, dropout and targets", 0, 0},
	{"full", 0, OPTION_FLAG, &o.full, NULL,
	 "no adapter: train the backbone's own weights; the policy then holds them", 0, 0},
	{"epochs", 'e', OPTION_U64, &o.epochs, "N", "at most; default 20, 80 with --compat", 1,
	 100000},
	{"lr", 0, OPTION_DOUBLE, &o.rate, "R",
	 "highest learning rate; default 1e-3, 1e-4 with --full or --compat", 0, 1},
	{"weight-decay", 0, OPTION_DOUBLE, &o.decay, "D", "default 1e-4", 0, 1},
	{"warmup", 0, OPTION_U64, &o.warmup_steps, "STEPS",
	 "optimizer steps; default 5 % of the run, 2000 with --compat", 0, 1e9},
	{"cosine", 0, OPTION_FLAG, &o.cosine, NULL,
	 "let the learning rate fall to a tenth along a cosine (always but with --compat)", 0, 0},
	{"batch", 0, OPTION_U64, &o.batch, "N",
	 "windows of a micro-batch; default 4, 1 with --compat", 0, 4096},
	{"accumulate", 0, OPTION_U64, &o.accumulate, "N",
	 "micro-batches of an optimizer step; default 1, 32 with --compat", 0, 65536},
	{"clip", 0, OPTION_DOUBLE, &o.clip, "NORM",
	 "largest gradient norm; default 1, with --compat 0.25 at every micro-batch", -1, 1e9},
	{"window", 'w', OPTION_U64, &o.window, "STEPS", "steps the policy sees; default 20", 0,
	 4096},
	{"keep", 0, OPTION_U64, &o.keep, "STEPS",
	 "steps kept when a full window slides at a router; default half of it", 0, 4095},
	{"stride", 0, OPTION_U64, &o.stride, "ROWS",
	 "rows between windows; default 2, the window with --compat", 0, 1e6},
	{"interval", 0, OPTION_TEXT, &o.interval, "N,...",
	 "steps of a window are every Nth row, for a policy asked every Nth packet; default 1", 0,
	 0},
	{"windows-per-epoch", 0, OPTION_U64, &o.windows_per_epoch, "N",
	 "at most; 0 all; default 1000", 0, 1e9},
	{"event-share", 0, OPTION_DOUBLE, &o.event_share, "S",
	 "when sampling: share of windows with a drop or mark, undone by weights; -1 as they come; "
	 "default 0.5",
	 -1, 1},
	{"class-weights", 0, OPTION_TEXT, &o.class_weights, "KIND",
	 "none, sqrt or balanced weights of rare actions; default sqrt, none with --compat", 0, 0},
	{"keep-weighted", 0, OPTION_FLAG, &o.weighted, NULL,
	 "do not take the class weights back out of the policy's probabilities", 0, 0},
	{"settings", 0, OPTION_TEXT, &o.settings, "TABLE",
	 "of a pool made by supervise: the policy moves the law between these rows of settings, "
	 "NAME=VALUE:.../..., and gives no verdicts",
	 0, 0},
	{"encoder", 0, OPTION_TEXT, &o.encoder, "KIND",
	 "linear: each value alone; multiscale: series through causal convolutions over 3, 5 and 7 "
	 "steps; default multiscale, linear with --compat",
	 0, 0},
	{"residual", 0, OPTION_FLAG, &o.residual, NULL,
	 "the head also reads the input embedding of its token", 0, 0},
	{"scaling", 0, OPTION_TEXT, &o.scaling, "KIND",
	 "features: identity, linear, log or quantile; default quantile, identity with --compat", 0,
	 0},
	{"gamma", 0, OPTION_DOUBLE, &o.gamma, "G",
	 "discount of returns; default the pool's or 0.95, 1 with --compat", -1, 1},
	{"true-returns", 0, OPTION_DOUBLE, &o.true_returns, "S",
	 "share of windows that show the return that came true, others the target; default 0.5, 1 "
	 "with --compat",
	 -1, 1},
	{"held-out", 0, OPTION_DOUBLE, &o.held_out, "F",
	 "share of rows at the end that is held out; default 0.2", 0, 0.95},
	{"even-sources", 0, OPTION_FLAG, &o.even_sources, NULL,
	 "with several pools: as many windows of each, however long they are", 0, 0},
	{"augment-offset", 0, OPTION_DOUBLE, &o.augment.offset, "S",
	 "shift each series of a window by a random offset of this deviation (1: half the range); "
	 "default 0",
	 0, 4},
	{"augment-noise", 0, OPTION_DOUBLE, &o.augment.noise, "S",
	 "noise of this deviation on every step of the series; default 0", 0, 4},
	{"augment-mask", 0, OPTION_DOUBLE, &o.augment.mask, "P",
	 "temporal dropout: hide a step's features with this probability; default 0", 0, 0.9},
	{"augment-queue", 0, OPTION_DOUBLE, &o.augment.queue, "S",
	 "make a window's queue delay and length larger or smaller by one random factor; deviation "
	 "of its logarithm; default 0",
	 0, 2},
	{"augment-shift", 0, OPTION_U64, &o.augment.shift, "ROWS",
	 "begin a window up to so many rows earlier or later; default 0", 0, 1e6},
	{"patience", 0, OPTION_U64, &o.patience, "EPOCHS",
	 "stop after so many without a better held-out loss; 0 never; default 6, 0 with --compat",
	 0, 0},
	{"untrained", 0, OPTION_FLAG, &o.untrained, NULL,
	 "write the policy as it is before the first step, for comparison", 0, 0},
	{"precision", 0, OPTION_TEXT, &o.precision, "TYPE",
	 "storage of the frozen weights: f32, bf16, f16, int8 or int4; what learns stays f32; "
	 "default f32",
	 0, 0},
	{"checkpoint-activations", 0, OPTION_FLAG, &o.checkpoint_activations, NULL,
	 "keep each layer's input only and run it again in backward: less memory, up to a third "
	 "more arithmetic, the same bits",
	 0, 0},
	{"seed", 0, OPTION_U64, &o.seed, "N", "default 1", 0, 0},
	{"ranks", 0, OPTION_U64, &o.ranks, "N",
	 "processes that share every micro-batch, as mpirun -n N started them; default as many as "
	 "there are; --resume wants the same number",
	 0, 4096},
	{"checkpoint", 0, OPTION_DOUBLE, &o.checkpoint_s, "SECONDS",
	 "between checkpoints within an epoch; default 30", 0, 1e9},
	{"device", 0, OPTION_TEXT, &o.device, "NAME", DEVICE_DOC, 0, 0},
	{"threads", 0, OPTION_U64, &o.threads, "N",
	 "default: every core; --resume keeps the number, which the last bits depend on", 0, 64},
	{"compat", 0, OPTION_FLAG, &o.compat, NULL, "reproduce the released code with its quirks",
	 0, 0},
	{0},
};

/* All that a run holds on to. */
struct run {
	const struct command_common *common;
	struct ranks ranks;
	struct train_record record;
	struct sources sources;
	struct policy_config config;
	struct policy_net net;
	struct dataset dataset;
	struct trainer *trainer;
	struct trainer_options options;
	double started_s; /* of this epoch or the run: for the progress bar */
	char adapter[PATH_MAX]; /* absolute, so that a resumed run finds it from anywhere */
};

static void settle_options(void)
{
	const bool compat = o.compat;

	o.threads = o.threads ? o.threads : (uint64_t)tensor_threads_get();
	o.epochs = o.epochs ? o.epochs : compat ? 80 : 20;
	o.full |= o.rank == 0;
	o.rank = o.rank == RANK_UNSET ? 0 : o.rank;
	o.rate = o.rate > 0 ? o.rate : compat || o.full ? 1e-4 : 1e-3;
	o.warmup_steps = o.warmup_steps ? o.warmup_steps : compat ? 2000 : 0;
	o.batch = o.batch ? o.batch : compat ? 1 : 4;
	o.accumulate = o.accumulate ? o.accumulate : compat ? 32 : 1;
	o.clip = o.clip >= 0 ? o.clip : compat ? 0.25 : 1;
	o.window = o.window ? o.window : 20;
	o.keep = o.keep ? o.keep : o.window / 2;
	o.stride = o.stride ? o.stride : compat ? o.window : 2;
	o.true_returns = o.true_returns >= 0 ? o.true_returns : compat ? 1 : 0.5;
	o.patience = o.patience != UINT64_MAX ? o.patience : compat ? 0 : 6;
	if (compat)
		o.windows_per_epoch = 0;
	if (!o.class_weights[0])
		o.class_weights = compat ? "none" : "sqrt";
	if (!o.encoder[0])
		o.encoder = compat ? "linear" : "multiscale";
	if (!o.scaling[0])
		o.scaling = compat ? "identity" : "quantile";
}

/* "1,10" into the list of intervals. */
static int parse_intervals(struct dataset_window_options *windows, struct error *error)
{
	const char *text = o.interval;

	while (windows->interval_count < DATASET_MAX_INTERVALS) {
		char *end;
		const long value = strtol(text, &end, 10);

		if (end == text || value < 1 || value > 1000000)
			break;
		windows->intervals[windows->interval_count++] = (uint32_t)value;
		if (*end == '\0')
			return 0;
		if (*end != ',')
			break;
		text = end + 1;
	}
	return error_at(error, ERR_INVALID, NULL, 0, "--interval",
			"give up to %d whole numbers from 1, such as 1,10", DATASET_MAX_INTERVALS);
}

static int fill_options(struct trainer_options *t, struct error *error)
{
	const int weights = trainer_weights_find(o.class_weights);

	if (weights < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--class-weights",
				"none, sqrt or balanced");
	if (o.full && (o.rank || o.targets[0] || o.adapter[0]))
		return error_at(error, ERR_INVALID, NULL, 0, "--full",
				"there is no adapter: leave --rank, --lora-targets and --adapter "
				"out");
	if (o.adapter[0] && (o.rank || o.targets[0]))
		return error_at(error, ERR_INVALID, NULL, 0, "--adapter",
				"brings its own rank and targets: leave --rank and --lora-targets "
				"out");
	if (o.compat && o.ranks > 1)
		return error_at(error, ERR_INVALID, NULL, 0, "--compat",
				"clips after every micro-batch, which needs all of it in one "
				"process: leave mpirun out");
	if (o.checkpoint_activations && strcmp(o.device, "cpu") != 0)
		return error_at(error, ERR_UNSUPPORTED, NULL, 0, "--checkpoint-activations",
				"is for the CPU; a device keeps all of them");
	if (o.keep >= o.window)
		return error_at(error, ERR_RANGE, NULL, 0, "--keep", "must be below --window");
	*t = (struct trainer_options){
		.learner =
			{
				.adamw = adamw_defaults,
				.schedule = {.peak_rate = o.rate,
					     .warmup_steps = o.warmup_steps,
					     .decay = o.compat && !o.cosine ? SCHEDULE_CONSTANT
									    : SCHEDULE_COSINE},
				.accumulate = o.accumulate,
				.clip = o.clip,
				.clip_each = o.compat,
			},
		.epochs = o.epochs,
		.warmup_share = 0.05,
		.batch = (int64_t)o.batch,
		.windows = {.steps = (int64_t)o.window,
			    .stride = (int64_t)o.stride,
			    .cross = o.compat},
		.augment = o.augment,
		.windows_per_epoch = o.windows_per_epoch,
		.event_share = o.event_share,
		.weights = (enum trainer_weights)weights,
		.unweight = !o.weighted,
		.true_returns = o.true_returns,
		.seed = o.seed,
		.patience = o.patience,
		.keep_last = o.compat,
		.checkpoint_s = o.checkpoint_s,
		.held_out = {.window = (int64_t)o.window,
			     .stride = 1 + (int64_t)o.window / 5,
			     .true_returns = o.compat,
			     .limit = 2000},
	};
	t->learner.adamw.weight_decay = o.decay;
	if (parse_intervals(&t->windows, error))
		return error->code;
	t->held_out.interval = t->windows.intervals[0];
	return 0;
}

/* A window that the backbone cannot take fails here, before anything is written. */
static int check_window(const struct run *run, struct error *error)
{
	struct policy_stream stream;
	const int status =
		policy_stream_new(&stream, &run->net, run->config.window, run->config.keep, error);

	if (!status)
		policy_stream_free(&stream);
	return status;
}

/* A backbone that was pre-trained on telemetry brings embeddings for the encoder to start at. */
static int warm_start(struct run *run, struct error *error)
{
	struct vocabulary vocabulary;
	struct error missing = {0};
	char directory[4096];
	int status;

	if (o.compat || o.random_weights || o.cold_start)
		return 0;
	status = reference_resolve(directory, sizeof(directory), run->config.backbone.reference,
				   NULL, error);
	if (status)
		return status;
	status = vocabulary_read(&vocabulary, directory, &missing);
	if (status == ERR_NOT_FOUND)
		return 0;
	if (status) {
		*error = missing;
		return status;
	}
	return policy_warm_start(&run->net, &run->config, &vocabulary, error);
}

/* "q_proj,v_proj" into a list that ends with NULL; `text` is cut up and holds the names. */
static int split_targets(char *text, const char *names[TARGETS_MAX], struct error *error)
{
	size_t count = 0;
	char *rest = NULL;

	for (char *name = strtok_r(text, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		if (count + 1 == TARGETS_MAX)
			return error_at(error, ERR_RANGE, NULL, 0, "--lora-targets",
					"at most %d names; all means every linear layer",
					TARGETS_MAX - 1);
		names[count++] = name;
	}
	names[count] = NULL;
	return 0;
}

/* A fresh adapter as the options say, one that is there already, or none. */
static int put_adapter(struct run *run, struct rng *rng, struct error *error)
{
	const int64_t width = run->net.width;
	const char *names[TARGETS_MAX] = {NULL};
	struct lora_options lora = {.alpha = o.alpha, .dropout = o.dropout};
	char *text;
	int code;

	if (o.full)
		return 0;
	if (o.adapter[0])
		return backbone_lora_load(run->net.backbone, o.adapter, error);
	text = strdup(o.targets);
	if (!text)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = split_targets(text, names, error);
	lora.targets = names[0] ? names : NULL;
	lora.rank = o.rank ? (int64_t)o.rank : o.compat ? 128 : width / 4 < 128 ? width / 4 : 128;
	if (!code)
		code = backbone_lora_new(run->net.backbone, &lora, rng, error);
	free(text);
	return code;
}

/* Configuration from options and pool, the network with a fresh adapter and head. */
static int make_policy(struct run *run, struct error *error)
{
	const int scaling = scaling_kind_find(o.scaling), encoder = policy_encoder_find(o.encoder);
	const struct dataset_fit fit = {.scaling = scaling, .gamma = o.gamma, .compat = o.compat};
	struct rng rng = train_record_rng(o.seed, 0);
	int status;

	if (scaling < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--scaling",
				"identity, linear, log or quantile");
	if (encoder < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--encoder", "linear or multiscale");
	if (!matrix_type_find(&run->config.backbone.precision, o.precision))
		return error_at(error, ERR_INVALID, NULL, 0, "--precision",
				"f32, bf16, f16, int8 or int4");
	if (o.full && run->config.backbone.precision != MATRIX_F32)
		return error_at(error, ERR_INVALID, NULL, 0, "--precision",
				"weights that learn are f32: leave --full or --precision out");
	run->config.encoder = (enum policy_encoder)encoder;
	run->config.residual = o.residual;
	status =
		dataset_fit_config(&run->config, &run->sources.pool, run->sources.cut, &fit, error);
	run->config.window = (int64_t)o.window;
	run->config.keep = (int64_t)o.keep;
	run->config.backbone.random = o.random_weights;
	run->config.backbone.random_seed = o.seed;
	run->config.backbone.no_positions = o.compat;
	run->config.backbone.full = o.full;
	if (!status && o.settings[0])
		status = policy_settings_parse(&run->config.settings, o.settings, error);
	if (!status)
		status = train_record_reference(&run->config.backbone, o.backbone, error);
	if (!status)
		status = policy_store_new(&run->net, &run->config, NULL, error);
	if (status)
		return status;
	policy_net_init(&run->net, &rng);
	status = warm_start(run, error);
	if (status)
		return status;
	if (!backbone_checkpoint_activations(run->net.backbone, o.checkpoint_activations))
		return error_at(error, ERR_UNSUPPORTED, NULL, 0, "--checkpoint-activations",
				"%s keeps all of them; leave it out",
				backbone_shape(run->net.backbone)->architecture);
	status = put_adapter(run, &rng, error);
	if (!status)
		status = policy_net_collect(&run->net, error);
	return status ? status : check_window(run, error);
}

static void on_progress(void *context, uint64_t epoch, size_t done, size_t total, double loss)
{
	struct run *run = context;
	char text[160], label[32], note[64];

	snprintf(label, sizeof(label), "epoch %" PRIu64 "/%" PRIu64, epoch, o.epochs);
	snprintf(note, sizeof(note), "loss %.4f", loss);
	progress_text(text, sizeof(text), label, done, total, clock_s() - run->started_s, note);
	command_progress(run->common, text, false);
}

static void print_epoch(const struct trainer_epoch *e)
{
	printf("epoch %3.0f  loss %.4f  train: accuracy %.4f balanced %.4f reward %.4g", e->epoch,
	       e->train_loss, e->train_accuracy, e->train_balanced_accuracy, e->train_reward);
	if (!isnan(e->held_out_log_loss))
		printf("  held out: loss %.4f accuracy %.4f (majority %.4f) balanced %.4f macro-F1 "
		       "%.4f",
		       e->held_out_log_loss, e->held_out_accuracy, e->held_out_majority_rate,
		       e->held_out_balanced_accuracy, e->held_out_macro_f1);
	printf("  %.1f s, %.0f %% of the cores, %.0f MB", e->seconds, 100 * e->cpu_share,
	       e->peak_mb);
	if (!isnan(e->joules))
		printf(", %.0f J", e->joules);
	printf("%s\n", e->best != 0 ? "  *" : "");
}

static int on_epoch(void *context, const struct trainer_epoch *history, size_t count,
		    struct error *error)
{
	struct run *run = context;
	const struct trainer_epoch *e = &history[count - 1];

	run->started_s = clock_s();
	command_progress(run->common, "", false);
	if (!run->common->quiet && !run->common->json)
		print_epoch(e);
	fflush(stdout);
	return train_record_metrics(&run->record, history, count, error);
}

static bool on_stop(void *context)
{
	(void)context;
	return command_interrupted();
}

static int64_t count_trainable(const struct policy_net *net)
{
	int64_t count = 0;

	for (size_t i = 0; i < net->count; i++)
		count += net->params[i].count;
	return count;
}

/* Of the backbone, frozen or not, and of everything around it. */
static int64_t count_parameters(const struct policy_net *net)
{
	int64_t count = backbone_shape(net->backbone)->parameters;

	for (size_t i = 0; i < net->count; i++)
		if (net->params[i].is_adapter || i >= net->count - net->own_count)
			count += net->params[i].count;
	return count;
}

/* Before the first step: what it will need. */
static int print_footprint(const struct run *run, struct error *error)
{
	struct footprint f;
	const int status = trainer_footprint(run->trainer, &f, error);

	if (!status && !run->common->quiet && !run->common->json)
		printf("needs about %.0f MB: weights and gradients %.0f, optimizer %.0f, "
		       "activations %.0f\n",
		       (double)f.peak / 1e6, (double)f.weights / 1e6, (double)f.optimizer / 1e6,
		       (double)f.activations / 1e6);
	fflush(stdout);
	return status;
}

static void print_size(const struct run *run)
{
	const struct trainer_size size = trainer_size(run->trainer);
	const struct backbone_shape *shape = backbone_shape(run->net.backbone);

	if (run->common->quiet || run->common->json)
		return;
	printf("%zu rows to train on, %zu held out; %zu windows, %zu an epoch; %" PRIu64
	       " optimizer steps\n",
	       run->sources.cut, run->sources.pool.rows - run->sources.cut, size.windows,
	       size.epoch_windows, size.steps);
	printf("backbone %s: %" PRId64 " parameters, %s; %" PRId64 " trainable\n",
	       shape->architecture, shape->parameters, o.full ? "trained too" : "frozen",
	       count_trainable(&run->net));
}

static int print_result(const struct run *run, struct error *error)
{
	const struct trainer_epoch *history, *kept = NULL;
	const size_t count = trainer_history(run->trainer, &history);

	for (size_t i = 0; i < count; i++)
		if (history[i].best != 0 || run->options.keep_last)
			kept = &history[i];
	if (!kept)
		return error_set(error, ERR_FAILED, "no epoch gave a usable policy");
	if (run->common->json)
		return train_record_print(&run->record, kept, count, count_parameters(&run->net),
					  count_trainable(&run->net), error);
	if (!run->common->quiet)
		printf("kept the policy of epoch %.0f: held-out accuracy %.4f (majority %.4f), "
		       "balanced %.4f, macro-F1 %.4f\n%s\n",
		       kept->epoch, kept->held_out_accuracy, kept->held_out_majority_rate,
		       kept->held_out_balanced_accuracy, kept->held_out_macro_f1,
		       run->record.directory);
	return 0;
}

static int run_training(struct run *run, bool resume, struct error *error)
{
	const struct trainer_observer observer = {
		.context = run, .progress = on_progress, .epoch = on_epoch, .stop = on_stop};
	int status = trainer_new(&run->trainer, &run->options, &run->net, &run->config,
				 &run->dataset, run->sources.cut, run->record.directory,
				 run->record.fingerprint, error);

	if (status)
		return status;
	print_size(run);
	status = print_footprint(run, error);
	if (!status && resume && train_record_has_checkpoint(&run->record))
		status = trainer_resume(run->trainer, error);
	if (status)
		return status;
	run->started_s = clock_s();
	status = trainer_run(run->trainer, &observer, error);
	return status ? status : print_result(run, error);
}

/* What the run is: from the command line, or from the folder to be resumed. */
static int make_record(struct run *run, const char **operands, size_t count, struct error *error)
{
	if (!o.output)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name the folder for the policy: -o DIR");
	if (o.resume)
		return train_record_read(&run->record, o.output, train_options, operands, count,
					 error);
	if (count < 1)
		return error_set(error, ERR_INVALID, "name a pool: aqmllm train POOL... -o DIR");
	o.ranks = o.ranks ? o.ranks : (uint64_t)run->ranks.count;
	settle_options();
	if (o.adapter[0] && !realpath(o.adapter, run->adapter))
		return error_errno(error, o.adapter, "open");
	o.adapter = o.adapter[0] ? run->adapter : "";
	return train_record_new(&run->record, o.output, train_options, operands, count, error);
}

/* Everything that can be wrong with options, pool and backbone, before anything is written. */
static int prepare(struct run *run, struct error *error)
{
	int status = train_ranks_check(&run->ranks, o.ranks, error);

	if (!status)
		status = fill_options(&run->options, error);
	run->options.ranks = run->ranks;
	if (!status)
		status = sources_read(&run->sources, (const char *const *)run->record.pools,
				      run->record.pool_count, o.held_out, error);
	if (status)
		return status;
	if (o.even_sources) {
		run->options.windows.stratum_end = run->sources.train_end;
		run->options.windows.strata = run->sources.count;
	}
	status = make_policy(run, error);
	if (!status)
		status = dataset_new(&run->dataset, &run->sources.pool, run->sources.cut,
				     &run->config, error);
	if (status && error->field[0] && error->field[0] != '-' && !error->file[0])
		snprintf(error->file, sizeof(error->file), "%.500s", run->record.pools[0]);
	return status;
}

/* All ranks together; rank 0 writes and speaks. */
static int train_on(struct run *run, const char **operands, size_t count, struct error *error)
{
	const bool resume = o.resume, leads = run->ranks.rank == 0;
	int status = make_record(run, operands, count, error);

	tensor_threads_set((int)o.threads);
	if (!status)
		status = backbone_place_all(o.device, error);
	if (!status)
		status = prepare(run, error);
	status = train_ranks_meet(&run->ranks, run->record.fingerprint, status, error);
	if (!status && !resume && leads)
		status = train_record_begin(&run->record, error);
	status = train_ranks_meet(&run->ranks, run->record.fingerprint, status, error);
	if (!status && o.untrained)
		status = leads ? policy_store_save(&run->net, &run->config, run->record.directory,
						   error)
			       : 0;
	else if (!status)
		status = run_training(run, resume, error);
	return status;
}

static int train(const struct command_common *common, const char **operands, size_t count,
		 struct error *error)
{
	struct command_common quiet = *common;
	struct run run = {.common = common};
	int status = ranks_open(&run.ranks, error);
	bool leads;

	if (status)
		return status;
	leads = run.ranks.rank == 0;
	quiet.quiet = true;
	quiet.json = false;
	if (!leads)
		run.common = &quiet;
	status = train_on(&run, operands, count, error);
	trainer_free(run.trainer);
	dataset_free(&run.dataset);
	if (run.net.backbone)
		policy_net_free(&run.net);
	sources_free(&run.sources);
	train_record_free(&run.record);
	ranks_close(&run.ranks);
	return leads ? command_goes_on(status, error, "continue with --resume -o DIR") : 0;
}

const struct command command_train = {
	.name = "train",
	.operands = "POOL... -o DIR | --resume -o DIR",
	.summary = "adapt a backbone to a pool of experience",
	.details =
		"A low-rank adapter, the encoder of the features and the decision head learn to "
		"predict each row's action from the rows before it; the backbone stays as it is. "
		"The last rows (--held-out) are never trained on; their loss decides which epoch "
		"is "
		"kept and when to stop.\n\n"
		"Ctrl-C stops after a checkpoint, and --resume continues; so it does after a crash "
		"or a kill. Figures of every epoch are in DIR/metrics.csv: losses, accuracy and "
		"its honest companions on the epoch's windows and on held-out rows, mean reward, "
		"wall and processor time, share of the cores, peak memory, and joules where the "
		"machine counts them (RAPL, usually root alone may read it, and NVML).\n\n"
		"mpirun -n N aqmllm train ... shares every micro-batch over N processes, on one "
		"machine or several with the same files; N gives its own bits every time.\n\n"
		"Accuracy means nothing beside the majority rate: a router enqueues 99 % of its "
		"packets. Read the balanced accuracy, and aqmllm predict for the baselines.",
	.options = train_options,
	.heeds_interrupt = true,
	.run = train,
};
