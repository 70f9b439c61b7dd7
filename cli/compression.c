/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/compression.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "learn/qat.h"
#include "learn/sources.h"
#include "learn/trainer.h"
#include "policy/store.h"

#define RECORD_FILE "compress.json"

static const struct stage {
	const char *name, *from;
	enum matrix_type type;
	bool mixed;
} stages[COMPRESSION_STAGES] = {
#define COMPRESSION_STAGE_ROW(name, from, type, mixed) {#name, from, type, mixed},
	COMPRESSION_STAGE_TABLE(COMPRESSION_STAGE_ROW)
#undef COMPRESSION_STAGE_ROW
};

const char *compression_stage_name(enum compression_stage stage)
{
	return stages[stage].name;
}

int compression_stage_find(const char *name)
{
	for (int i = 0; i < COMPRESSION_STAGES; i++)
		if (strcmp(stages[i].name, name) == 0)
			return i;
	return -1;
}

static int stage_folder(const struct compression *c, const char *name, char *path,
			struct error *error)
{
	if (snprintf(path, PATH_MAX, "%s/stages/%s", c->options.folder, name) >= PATH_MAX)
		return error_at(error, ERR_RANGE, c->options.folder, 0, NULL, "name too long");
	return 0;
}

static void show(struct compression *c, double done)
{
	char text[160];

	command_progress(c->common,
			 progress_text(text, sizeof(text), c->doing, (uint64_t)(100 * done), 100,
				       clock_s() - c->started_s, ""),
			 false);
}

static void begin(struct compression *c, const char *doing)
{
	c->doing = doing;
	c->started_s = clock_s();
	show(c, 0);
}

static void on_part(void *context, size_t done, size_t total)
{
	show(context, (double)done / (double)total);
}

static void on_training(void *context, uint64_t epoch, size_t done, size_t total, double loss)
{
	struct compression *c = context;

	(void)loss;
	show(c, ((double)epoch - 1 + (double)done / (double)total) / (double)c->options.epochs);
}

static bool on_stop(void *context)
{
	(void)context;
	return command_interrupted();
}

static bool on_measuring(void *context, const char *what, double done)
{
	struct compression *c = context;

	(void)what;
	show(c, done);
	return command_interrupted();
}

/* ---- the record ---- */

static int record_path(const struct compression *c, char *path, struct error *error)
{
	return file_join(path, PATH_MAX, c->options.folder, RECORD_FILE, error);
}

static int record_write(const struct compression *c, struct error *error)
{
	char path[PATH_MAX];
	char *text = json_dumps(c->root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	int status = text ? record_path(c, path, error)
			  : error_set(error, ERR_NO_MEMORY, "a record");

	if (!status)
		status = file_write_all(path, text, strlen(text), error);
	free(text);
	return status;
}

/* Of trainings that another command began. */
static void checkpoints_forget(const struct compression *c)
{
	for (int i = 0; i < COMPRESSION_STAGES; i++) {
		char folder[PATH_MAX], path[PATH_MAX];

		if (!stage_folder(c, stages[i].name, folder, NULL) &&
		    !file_join(path, sizeof(path), folder, TRAINER_CHECKPOINT, NULL))
			unlink(path);
	}
}

/* The record of a former run of the same command, or an empty one. */
static int record_open(struct compression *c, struct error *error)
{
	char path[PATH_MAX];
	json_t *old, *figures;
	int status = record_path(c, path, error);

	if (status)
		return status;
	old = json_load_file(path, 0, NULL);
	if (!old || !json_is_string(json_object_get(old, "run")) ||
	    strcmp(json_string_value(json_object_get(old, "run")), c->fingerprint) != 0) {
		json_decref(old);
		checkpoints_forget(c);
		old = json_pack("{s:s, s:{}}", "run", c->fingerprint, "figures");
	}
	c->root = old;
	figures = json_object_get(old, "figures");
	for (int i = 0; i < COMPRESSION_STAGES; i++) {
		const json_t *row = json_object_get(figures, stages[i].name);

		c->done[i] = json_is_object(row);
		policy_figures_from_json(&c->figures[i], row);
	}
	return old ? 0 : error_set(error, ERR_NO_MEMORY, "a record");
}

/* ---- training ---- */

static struct trainer_options training(const struct compression *c,
				       const struct policy_config *config,
				       const struct learner_disguise *disguise,
				       const struct policy_net *teacher)
{
	return (struct trainer_options){
		.learner = {.adamw = adamw_defaults,
			    .schedule = {.peak_rate = c->options.rate, .decay = SCHEDULE_COSINE},
			    .accumulate = 1,
			    .clip = 1,
			    .disguise = disguise,
			    .teacher = teacher},
		.epochs = c->options.epochs,
		.warmup_share = 0.05,
		.batch = (int64_t)c->options.batch,
		.windows = {.steps = config->window, .stride = 2, .intervals = {1},
			    .interval_count = 1},
		.windows_per_epoch = c->options.windows,
		.event_share = 0.5,
		.weights = teacher ? TRAINER_WEIGHTS_none : TRAINER_WEIGHTS_sqrt,
		.unweight = !teacher,
		.true_returns = 0.5,
		.seed = c->options.seed,
		.checkpoint_s = 30,
		.held_out = {.window = config->window, .stride = 1 + config->window / 5,
			     .interval = 1, .limit = 2000},
	};
}

/* Trains what is in `net` and keeps the best epoch in `folder`; `loss`: its, held out. */
static int train_under(struct compression *c, const char *name, struct policy_net *net,
		       struct policy_config *config, const struct dataset *dataset,
		       const struct learner_disguise *disguise, const struct policy_net *teacher,
		       const char *folder, double *loss, struct error *error)
{
	const struct trainer_observer observer = {
		.context = c, .progress = on_training, .stop = on_stop};
	const struct trainer_options options = training(c, config, disguise, teacher);
	char fingerprint[4096], checkpoint[PATH_MAX];
	const struct trainer_epoch *history;
	struct trainer *trainer = NULL;
	struct error none = {0};
	int status;

	snprintf(fingerprint, sizeof(fingerprint), "%s %.3900s", name, c->fingerprint);
	status = trainer_new(&trainer, &options, net, config, dataset, c->sources->cut, folder,
			     fingerprint, error);
	if (!status && trainer_resume(trainer, &none) == 0)
		c->doing = "training, continued";
	if (!status)
		status = trainer_run(trainer, &observer, error);
	*loss = INFINITY;
	for (size_t i = 0; !status && i < trainer_history(trainer, &history); i++)
		*loss = fmin(*loss, history[i].held_out_log_loss);
	trainer_free(trainer);
	if (!status)
		status = file_join(checkpoint, sizeof(checkpoint), folder, TRAINER_CHECKPOINT,
				   error);
	if (!status)
		unlink(checkpoint);
	return status;
}

/* The whole policy teaches, unless the pool does. */
static int train(struct compression *c, const char *name, struct policy_net *net,
		 struct policy_config *config, const struct dataset *dataset,
		 const struct learner_disguise *disguise, const char *folder, double *loss,
		 struct error *error)
{
	struct policy_config whole;
	struct policy_net teacher;
	char path[PATH_MAX];
	int status;

	if (c->options.labels)
		return train_under(c, name, net, config, dataset, disguise, NULL, folder, loss,
				   error);
	status = stage_folder(c, stages[STAGE_whole].name, path, error);
	if (!status)
		status = policy_store_open(&teacher, &whole, path, error);
	if (status)
		return status;
	status = train_under(c, name, net, config, dataset, disguise, &teacher, folder, loss,
			     error);
	policy_net_free(&teacher);
	return status;
}

/* ---- pruning ---- */

static void record_parts(struct compression *c, const struct prune *prune)
{
	json_t *list = json_array();

	for (size_t i = 0; i < prune->count; i++) {
		const struct prune_part *part = &prune->part[i];
		json_t *losses = json_array();
		int64_t kept = 0;

		for (int64_t u = 0; u < part->units; u++)
			kept += part->keep[u];
		for (int p = 0; p < PRUNE_POINTS; p++)
			json_array_append_new(losses, json_real(part->loss[p]));
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:I, s:o}", "kind",
					prune_kind_name(part->kind), "index",
					(json_int_t)part->index, "units", (json_int_t)part->units,
					"kept", (json_int_t)kept, "loss_rise", losses));
	}
	json_object_set_new(c->root, "parts", list);
}

/* Attribution, sensitivity, rates; the smaller policy is in `folder`. */
static int prune_policy(struct compression *c, const struct stage *stage, struct policy_net *net,
			struct policy_config *config, const struct dataset *dataset,
			const char *folder, struct error *error)
{
	const struct compression_options *o = &c->options;
	struct calibration calibration = {0};
	struct prune prune = {0};
	int status = calibration_new(&calibration, dataset, 0, c->sources->cut, config->window,
				     (int64_t)o->calibration, o->event_share, o->seed, error);

	(void)stage;
	if (!status)
		status = prune_new(&prune, net, error);
	begin(c, "attribution");
	if (!status)
		status = prune_attribute(&prune, &calibration, error);
	begin(c, "sensitivity");
	if (!status)
		status = prune_measure(&prune, &calibration, (int64_t)o->measured, on_part, c,
				       error);
	for (int kind = 0; kind < PRUNE_KINDS && !status; kind++)
		prune_choose(&prune, (enum prune_kind)kind, o->share[kind]);
	if (!status)
		status = prune_save(&prune, config, folder, error);
	if (!status)
		record_parts(c, &prune);
	prune_free(&prune);
	calibration_free(&calibration);
	return status ? status : record_write(c, error);
}

static int recover(struct compression *c, const struct stage *stage, struct policy_net *net,
		   struct policy_config *config, const struct dataset *dataset, const char *folder,
		   struct error *error)
{
	double loss;

	begin(c, "recovery");
	return train(c, stage->name, net, config, dataset, NULL, folder, &loss, error);
}

/* ---- quantisation ---- */

static void record_types(struct compression *c, const char *name, const struct qat *qat)
{
	json_t *list = json_object(), *all = json_object_get(c->root, "storages");

	for (size_t i = 0; i < qat->count; i++)
		json_object_set_new(list, qat->matrix[i].name,
				    json_string(matrix_type_name(qat->matrix[i].type)));
	if (!all) {
		all = json_object();
		json_object_set_new(c->root, "storages", all);
	}
	json_object_set_new(all, name, list);
}

/* Held-out losses with rounding alone and after training with it. */
static void record_gain(struct compression *c, const char *name, double before, double after)
{
	json_t *all = json_object_get(c->root, "rounding");

	if (!all) {
		all = json_object();
		json_object_set_new(c->root, "rounding", all);
	}
	json_object_set_new(all, name, json_pack("{s:f, s:f}", "rounded", before, "trained",
						 after));
}

/* Which storage each projection gets: one for all, or by measured need. */
static int choose_types(struct compression *c, const struct stage *stage, struct qat *qat,
			const struct policy_config *config, const struct dataset *dataset,
			struct error *error)
{
	const struct compression_options *o = &c->options;
	struct calibration calibration;
	int status;

	if (!stage->mixed)
		return 0;
	status = calibration_new(&calibration, dataset, 0, c->sources->cut, config->window,
				 (int64_t)o->measured, o->event_share, o->seed, error);
	if (status)
		return status;
	begin(c, "precision");
	status = qat_measure(qat, &calibration, (int64_t)o->measured, error);
	if (!status)
		qat_choose(qat, stage->type, o->allowed);
	calibration_free(&calibration);
	return status;
}

/* Held-out loss of the rounded network as it is. */
static int rounded_loss(struct compression *c, struct qat *qat, const struct policy_config *config,
			const struct dataset *dataset, double *loss, struct error *error)
{
	const struct trainer_options options = training(c, config, NULL, NULL);
	struct metrics metrics = {0};
	int status;

	qat_apply(qat);
	status = predictor_run(qat->net, dataset, c->sources->cut, dataset->rows,
			       &options.held_out, &metrics, NULL, NULL, error);
	qat_undo(qat);
	*loss = metrics_summarise(&metrics).log_loss;
	return status;
}

/* The policy in `from`, which lies there as f32, is kept in `folder` as it is rounded. */
static int store(const struct qat *qat, const char *from, const char *folder, struct error *error)
{
	enum matrix_type *types = calloc(qat->count + 1, sizeof(*types));
	struct policy_config config;
	struct policy_net net;
	int status = types ? policy_store_open_to_train(&net, &config, from, error)
			   : error_set(error, ERR_NO_MEMORY, "list of storages");

	if (!status) {
		qat_types(qat, types);
		status = policy_store_save_stored(&net, &config, types, folder, error);
		policy_net_free(&net);
	}
	free(types);
	return status;
}

/* Training has to be better than rounding alone, or rounding alone it is. */
static int quantise(struct compression *c, const struct stage *stage, struct policy_net *net,
		    struct policy_config *config, const struct dataset *dataset,
		    const char *folder, struct error *error)
{
	char from[PATH_MAX];
	double before, after;
	struct qat qat;
	int status = qat_new(&qat, net, stage->type, error);

	if (status)
		return status;
	status = stage_folder(c, stage->from, from, error);
	if (!status)
		status = choose_types(c, stage, &qat, config, dataset, error);
	begin(c, stage->name);
	if (!status)
		status = rounded_loss(c, &qat, config, dataset, &before, error);
	if (!status)
		status = train(c, stage->name, net, config, dataset, &qat.disguise, folder, &after,
			       error);
	if (!status)
		status = store(&qat, after < before ? folder : from, folder, error);
	if (!status)
		record_gain(c, stage->name, before, after);
	if (!status)
		record_types(c, stage->name, &qat);
	qat_free(&qat);
	return status;
}

/* ---- stages ---- */

/* What a step does with a policy that is open to be trained. */
typedef int step(struct compression *c, const struct stage *stage, struct policy_net *net,
		 struct policy_config *config, const struct dataset *dataset, const char *folder,
		 struct error *error);

/* Opens the policy in `from` and takes the step, whose result goes to `folder`. */
static int step_from(struct compression *c, const struct stage *stage, step *take,
		     const char *from, const char *folder, struct error *error)
{
	struct policy_config config;
	struct policy_net net;
	struct dataset dataset;
	int status = policy_store_open_to_train(&net, &config, from, error);

	if (status)
		return status;
	status = dataset_new(&dataset, &c->sources->pool, c->sources->cut, &config, error);
	if (!status) {
		status = take(c, stage, &net, &config, &dataset, folder, error);
		dataset_free(&dataset);
	}
	policy_net_free(&net);
	return status;
}

/* Makes the smaller policy first, unless its training has begun, and goes on from there. */
static int prune_and_train(struct compression *c, const struct stage *stage, const char *from,
			   const char *folder, struct error *error)
{
	char checkpoint[PATH_MAX];
	int status = file_join(checkpoint, sizeof(checkpoint), folder, TRAINER_CHECKPOINT, error);

	if (!status && !file_exists(checkpoint))
		status = step_from(c, stage, prune_policy, from, folder, error);
	return status ? status : step_from(c, stage, recover, folder, folder, error);
}

static int make_stage(struct compression *c, enum compression_stage index, struct error *error)
{
	const struct stage *stage = &stages[index];
	char folder[PATH_MAX], from[PATH_MAX];
	int status = stage_folder(c, stage->name, folder, error);

	if (!status)
		status = stage_folder(c, stage->from, from, error);
	if (status)
		return status;
	if (index == STAGE_whole)
		return policy_store_fold(c->options.policy, folder, error);
	if (index == STAGE_pruned)
		return prune_and_train(c, stage, from, folder, error);
	return step_from(c, stage, quantise, from, folder, error);
}

static int measure_stage(struct compression *c, enum compression_stage index, struct error *error)
{
	char folder[PATH_MAX];
	int status = stage_folder(c, stages[index].name, folder, error);

	begin(c, "measuring");
	c->options.measuring.context = c;
	c->options.measuring.progress = on_measuring;
	if (!status)
		status = policy_figures_measure(&c->figures[index], folder, &c->options.measuring,
						error);
	if (!status)
		json_object_set_new(json_object_get(c->root, "figures"), stages[index].name,
				    policy_figures_json(&c->figures[index]));
	return status ? status : record_write(c, error);
}

int compression_run(struct compression *c, struct error *error)
{
	int status = file_make_folders(c->options.folder, error);

	if (!status)
		status = record_open(c, error);
	for (int i = 0; i < COMPRESSION_STAGES && !status; i++) {
		if (!c->options.wanted[i] || c->done[i])
			continue;
		status = make_stage(c, (enum compression_stage)i, error);
		if (!status)
			status = measure_stage(c, (enum compression_stage)i, error);
		c->done[i] = !status;
	}
	command_progress(c->common, "", false);
	return status;
}

void compression_free(struct compression *c)
{
	json_decref(c->root);
	free(c->fingerprint);
}

int compression_choose(const struct compression *c, double points, double percent)
{
	const struct policy_figures *whole = &c->figures[STAGE_whole];
	int best = -1;

	for (int i = 0; i < COMPRESSION_STAGES; i++) {
		const double *value = c->figures[i].value;

		if (!c->done[i] || i == STAGE_whole ||
		    value[FIGURE_balanced_accuracy] <
			    whole->value[FIGURE_balanced_accuracy] - points / 100 ||
		    value[FIGURE_log_loss] >
			    (1 + percent / 100) * whole->value[FIGURE_log_loss])
			continue;
		if (best < 0 || value[FIGURE_bytes] < c->figures[best].value[FIGURE_bytes])
			best = i;
	}
	return best;
}

int compression_publish(const struct compression *c, enum compression_stage stage,
			struct error *error)
{
	static const char *const files[] = {POLICY_BACKBONE_FOLDER "/config.json",
					    POLICY_BACKBONE_FOLDER "/model.safetensors",
					    POLICY_WEIGHTS_FILE, POLICY_FILE};
	char folder[PATH_MAX], path[PATH_MAX + 64];
	int status = stage_folder(c, stages[stage].name, folder, error);

	snprintf(path, sizeof(path), "%s/%s", c->options.folder, POLICY_BACKBONE_FOLDER);
	if (!status)
		status = file_make_folders(path, error);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !status; i++) {
		char *bytes;
		size_t size;

		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		status = file_read_all(path, &bytes, &size, error);
		if (status)
			return status;
		snprintf(path, sizeof(path), "%s/%s", c->options.folder, files[i]);
		status = file_write_all(path, bytes, size, error);
		free(bytes);
	}
	return status;
}
