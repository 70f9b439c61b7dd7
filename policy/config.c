/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.json, read as hostile and written in one order.
 *
 * Every number has a range.  A key that is missing is an error with its name:
 * a policy read with a guessed scaling would decide nonsense without a word.
 */
#include "policy/config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/student_file.h"

#define VERSION 1
#define STORED "stored" /* as a precision */
#define LARGEST 1e18

/* Where values are read from; after the first fault everything reads as 0. */
struct reader {
	const char *path;
	struct error *error;
	int status;
};

static void fault(struct reader *reader, const char *key, const char *what)
{
	if (!reader->status)
		reader->status =
			error_at(reader->error, ERR_INVALID, reader->path, 0, key, "%s", what);
}

static const json_t *read_object(struct reader *reader, const json_t *parent, const char *key)
{
	const json_t *value = json_object_get(parent, key);

	if (!json_is_object(value))
		fault(reader, key, "an object is missing");
	return value;
}

static double read_number(struct reader *reader, const json_t *parent, const char *key, double min,
			  double max)
{
	const json_t *value = json_object_get(parent, key);
	const double number = json_number_value(value);

	if (!json_is_number(value)) {
		fault(reader, key, "a number is missing");
		return 0;
	}
	if (!(number >= min && number <= max)) {
		fault(reader, key, "number out of range");
		return 0;
	}
	return number;
}

static bool read_flag(struct reader *reader, const json_t *parent, const char *key)
{
	const json_t *value = json_object_get(parent, key);

	if (!json_is_boolean(value))
		fault(reader, key, "true or false is missing");
	return json_is_true(value);
}

static void read_text(struct reader *reader, const json_t *parent, const char *key, char *out,
		      size_t size)
{
	const char *text = json_string_value(json_object_get(parent, key));

	out[0] = '\0';
	if (!text)
		fault(reader, key, "a string is missing");
	else if (strlen(text) >= size)
		fault(reader, key, "string too long");
	else
		strcpy(out, text);
}

/* 64 bits as 16 hexadecimal digits: JSON numbers are doubles to many readers. */
static uint64_t read_hex(struct reader *reader, const json_t *parent, const char *key)
{
	char text[20], *end;
	uint64_t value;

	read_text(reader, parent, key, text, sizeof(text));
	value = strtoull(text, &end, 16);
	if (*end)
		fault(reader, key, "hexadecimal digits expected");
	return value;
}

static void read_knots(struct reader *reader, const json_t *parent, struct scaling *scaling)
{
	const json_t *knots = json_object_get(parent, "knots");
	const size_t count = json_array_size(knots);

	if (count < 1 || count > SCALING_MAX_KNOTS) {
		fault(reader, "knots", "between 1 and 160 knots expected");
		return;
	}
	scaling->knots = (int)count;
	for (size_t i = 0; i < count; i++) {
		const json_t *knot = json_array_get(knots, i);

		scaling->x[i] = json_number_value(json_array_get(knot, 0));
		scaling->y[i] = json_number_value(json_array_get(knot, 1));
		if (fabs(scaling->x[i]) > LARGEST || fabs(scaling->y[i]) > LARGEST ||
		    (i &&
		     (scaling->x[i] <= scaling->x[i - 1] || scaling->y[i] <= scaling->y[i - 1])))
			fault(reader, "knots", "knots must rise in both coordinates");
	}
}

static void read_scaling(struct reader *reader, const json_t *parent, struct scaling *scaling)
{
	const json_t *object = read_object(reader, parent, "scaling");
	char name[16];
	int kind;

	memset(scaling, 0, sizeof(*scaling));
	read_text(reader, object, "kind", name, sizeof(name));
	kind = scaling_kind_find(name);
	if (kind < 0) {
		fault(reader, "kind", "scaling must be identity, linear, log or quantile");
		return;
	}
	scaling->kind = (enum scaling_kind)kind;
	if (kind == SCALING_quantile)
		read_knots(reader, object, scaling);
	if (kind == SCALING_linear || kind == SCALING_log) {
		scaling->offset = read_number(reader, object, "offset", -LARGEST, LARGEST);
		scaling->factor = read_number(reader, object, "factor", 0, LARGEST);
	}
	if (kind == SCALING_log)
		scaling->knee = read_number(reader, object, "knee", 1e-300, LARGEST);
}

static void read_features(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *list = json_object_get(root, "features");
	const size_t count = json_array_size(list);

	if (count < 1 || count > POOL_MAX_FEATURES) {
		fault(reader, "features", "between 1 and 32 features expected");
		return;
	}
	config->features = (int)count;
	for (size_t i = 0; i < count && !reader->status; i++) {
		struct policy_feature *feature = &config->feature[i];
		const json_t *item = json_array_get(list, i);

		read_text(reader, item, "name", feature->name, sizeof(feature->name));
		read_scaling(reader, item, &feature->scaling);
	}
}

/* "banks": a list for each feature of [taps, channels]; missing: as the kind says. */
static void read_layout(struct reader *reader, const json_t *object, struct policy_config *config)
{
	const json_t *list = json_object_get(object, "banks");

	if (list && (int)json_array_size(list) != config->features)
		fault(reader, "banks", "one list of [taps, channels] a feature expected");
	for (int i = 0; list && !reader->status && i < config->features; i++) {
		const json_t *banks = json_array_get(list, (size_t)i);
		const size_t count = json_array_size(banks);
		struct policy_encoder_layout *layout = &config->layout[i];

		if (count < 1 || count > POLICY_ENCODER_BANKS)
			fault(reader, "banks", "between 1 and 3 banks a feature expected");
		for (size_t b = 0; b < count && !reader->status; b++) {
			const json_t *bank = json_array_get(banks, b);
			const json_int_t taps = json_integer_value(json_array_get(bank, 0));
			const json_int_t channels = json_integer_value(json_array_get(bank, 1));

			if (taps < 1 || taps > POLICY_ENCODER_TAPS || channels < 1 ||
			    channels > 65536 || (b && taps <= layout->bank[b - 1].taps))
				fault(reader, "banks",
				      "taps from 1 to 7, rising, and channels from 1 to 65536 "
				      "expected");
			layout->bank[b].taps = (int)taps;
			layout->bank[b].channels = channels;
		}
		layout->banks = (int)count;
	}
}

static void read_encoder(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *object = read_object(reader, root, "encoder");
	char kind[16];
	int encoder;

	read_text(reader, object, "kind", kind, sizeof(kind));
	encoder = policy_encoder_find(kind);
	if (encoder < 0)
		fault(reader, "kind", "the encoder must be linear or multiscale");
	config->encoder = encoder < 0 ? POLICY_ENCODER_linear : (enum policy_encoder)encoder;
	config->feature_dim = (int64_t)read_number(reader, object, "feature_dim", 1, 65536);
	config->shared_last = read_flag(reader, object, "shared_last");
	/* Policies from before there was a residual do not have the key. */
	if (json_object_get(object, "residual"))
		config->residual = read_flag(reader, object, "residual");
	read_layout(reader, object, config);
}

static void read_sequence(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *timesteps = read_object(reader, root, "timesteps");
	char rule[16];

	config->timesteps = (int64_t)read_number(reader, timesteps, "rows", 1, 1 << 24);
	read_text(reader, timesteps, "rule", rule, sizeof(rule));
	config->timestep_rule =
		strcmp(rule, "clamp") == 0 ? POLICY_TIMESTEP_CLAMP : POLICY_TIMESTEP_MODULO;
	if (config->timestep_rule == POLICY_TIMESTEP_MODULO && strcmp(rule, "modulo") != 0)
		fault(reader, "rule", "modulo or clamp expected");
	config->window = (int64_t)read_number(reader, root, "window", 1, 65536);
	config->keep = (int64_t)read_number(reader, root, "keep", 0, (double)config->window - 1);
}

static void read_return(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *object = read_object(reader, root, "return");

	read_text(reader, object, "reward", config->reward, sizeof(config->reward));
	config->gamma = read_number(reader, object, "gamma", 0, 1);
	config->reward_offset = read_number(reader, object, "reward_offset", -LARGEST, LARGEST);
	config->reward_factor = read_number(reader, object, "reward_factor", -LARGEST, LARGEST);
	read_scaling(reader, object, &config->returns);
	config->target_return = read_number(reader, object, "target", -LARGEST, LARGEST);
}

static void read_backbone(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *object = read_object(reader, root, "backbone");
	struct policy_backbone *backbone = &config->backbone;
	char precision[16] = "f32";

	read_text(reader, object, "reference", backbone->reference, sizeof(backbone->reference));
	backbone->checksum = read_hex(reader, object, "checksum");
	backbone->random = read_flag(reader, object, "random");
	backbone->random_seed = read_hex(reader, object, "random_seed");
	backbone->no_positions = read_flag(reader, object, "no_positions");
	if (json_object_get(object, "full"))
		backbone->full = read_flag(reader, object, "full");
	if (json_object_get(object, "precision"))
		read_text(reader, object, "precision", precision, sizeof(precision));
	backbone->stored = strcmp(precision, STORED) == 0;
	if (!backbone->stored && !matrix_type_find(&backbone->precision, precision))
		fault(reader, "precision", "f32, bf16, f16, int8, int4 or stored expected");
}

/* Policies that give verdicts do not have the key. */
static void read_settings(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *rows = json_object_get(root, "settings");
	const size_t count = json_array_size(rows);

	if (!rows)
		return;
	if (count < 2 || count > POLICY_SETTINGS_ROWS) {
		fault(reader, "settings", "between 2 and 16 rows of settings expected");
		return;
	}
	config->settings.rows = (int)count;
	for (size_t i = 0; i < count; i++) {
		const char *row = json_string_value(json_array_get(rows, i));

		if (!row || !*row || strlen(row) >= POLICY_SETTING_BYTES)
			fault(reader, "settings", "rows are NAME=VALUE:NAME=VALUE");
		else
			strcpy(config->settings.row[i], row);
	}
}

static int read_root(struct reader *reader, const json_t *root, struct policy_config *config)
{
	const json_t *files;

	if (read_number(reader, root, "version", 0, LARGEST) != VERSION)
		fault(reader, "version", "this program reads version 1");
	read_features(reader, root, config);
	read_encoder(reader, root, config);
	read_sequence(reader, root, config);
	read_return(reader, root, config);
	read_backbone(reader, root, config);
	read_settings(reader, root, config);
	read_text(reader, root, "state", config->state, sizeof(config->state));
	config->compat = read_flag(reader, root, "compat");
	files = read_object(reader, root, "files");
	config->adapter_checksum = read_hex(reader, files, "adapter");
	config->weights_checksum = read_hex(reader, files, "policy");
	if (config->backbone.full)
		config->backbone_checksum = read_hex(reader, files, "backbone");
	return reader->status;
}

int policy_config_read(struct policy_config *config, const char *directory, struct error *error)
{
	char path[4096];
	struct reader reader = {.path = path, .error = error};
	json_error_t fault_at;
	char *text;
	size_t size;
	json_t *root;
	int status = student_file_refuse(directory, error);

	memset(config, 0, sizeof(*config));
	if (!status)
		status = file_join(path, sizeof(path), directory, POLICY_FILE, error);
	if (!status)
		status = file_read_all(path, &text, &size, error);
	if (status)
		return status;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault_at);
	free(text);
	if (!root)
		return error_at(error, ERR_INVALID, path, fault_at.line, NULL, "not JSON: %s",
				fault_at.text);
	status = read_root(&reader, root, config);
	json_decref(root);
	return status;
}

int policy_config_manner(struct policy_config *config, const struct policy_manner *manner,
			 struct error *error)
{
	static const char *const contexts[] = {
		[POLICY_CONTEXT_KEEP] = "keep", [POLICY_CONTEXT_EXACT] = "exact",
		[POLICY_CONTEXT_CACHED] = "cached",
	};
	bool found = !manner->context;

	for (int i = 0; !found && i < (int)(sizeof(contexts) / sizeof(contexts[0])); i++)
		if (strcmp(manner->context, contexts[i]) == 0) {
			config->context = (enum policy_context)i;
			found = true;
		}
	if (!found)
		return error_at(error, ERR_INVALID, NULL, 0, "--context",
				"%s is not exact, keep or cached", manner->context);
	if (!manner->precision)
		return 0;
	config->backbone.stored = strcmp(manner->precision, STORED) == 0;
	config->backbone.precision = MATRIX_F32;
	if (!config->backbone.stored &&
	    !matrix_type_find(&config->backbone.precision, manner->precision))
		return error_at(error, ERR_INVALID, NULL, 0, "--precision",
				"%s is not f32, bf16, f16, int8, int4 or stored",
				manner->precision);
	return 0;
}

static json_t *hex(uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "%016" PRIx64, value);
	return json_string(text);
}

static json_t *scaling_json(const struct scaling *scaling)
{
	json_t *object = json_pack("{s:s}", "kind", scaling_kind_name(scaling->kind));
	json_t *knots;

	if (scaling->kind == SCALING_linear || scaling->kind == SCALING_log) {
		json_object_set_new(object, "offset", json_real(scaling->offset));
		json_object_set_new(object, "factor", json_real(scaling->factor));
	}
	if (scaling->kind == SCALING_log)
		json_object_set_new(object, "knee", json_real(scaling->knee));
	if (scaling->kind != SCALING_quantile)
		return object;
	knots = json_array();
	for (int i = 0; i < scaling->knots; i++)
		json_array_append_new(knots, json_pack("[f,f]", scaling->x[i], scaling->y[i]));
	json_object_set_new(object, "knots", knots);
	return object;
}

static json_t *features_json(const struct policy_config *config)
{
	json_t *list = json_array();

	for (int i = 0; i < config->features; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "name", config->feature[i].name,
						      "scaling",
						      scaling_json(&config->feature[i].scaling)));
	return list;
}

static json_t *backbone_json(const struct policy_backbone *backbone)
{
	json_t *object = json_pack("{s:s, s:o, s:b, s:o, s:b}", "reference", backbone->reference,
				   "checksum", hex(backbone->checksum), "random", backbone->random,
				   "random_seed", hex(backbone->random_seed), "no_positions",
				   backbone->no_positions);

	if (backbone->full)
		json_object_set_new(object, "full", json_true());
	if (backbone->stored || backbone->precision != MATRIX_F32)
		json_object_set_new(
			object, "precision",
			json_string(backbone->stored ? STORED
						     : matrix_type_name(backbone->precision)));
	return object;
}

static json_t *files_json(const struct policy_config *c)
{
	json_t *object = json_pack("{s:o, s:o}", "adapter", hex(c->adapter_checksum), "policy",
				   hex(c->weights_checksum));

	if (c->backbone.full)
		json_object_set_new(object, "backbone", hex(c->backbone_checksum));
	return object;
}

static json_t *layout_json(const struct policy_config *config)
{
	json_t *list = json_array();

	for (int i = 0; i < config->features; i++) {
		const struct policy_encoder_layout *layout = &config->layout[i];
		json_t *banks = json_array();

		for (int b = 0; b < layout->banks; b++)
			json_array_append_new(banks,
					      json_pack("[i, I]", layout->bank[b].taps,
							(json_int_t)layout->bank[b].channels));
		json_array_append_new(list, banks);
	}
	return list;
}

static json_t *encoder_json(const struct policy_config *c)
{
	json_t *object = json_pack("{s:s, s:I, s:b, s:b}", "kind",
				   policy_encoder_name(c->encoder),
				   "feature_dim", (json_int_t)c->feature_dim, "shared_last",
				   c->shared_last, "residual", c->residual);

	if (c->layout[0].banks)
		json_object_set_new(object, "banks", layout_json(c));
	return object;
}

static json_t *config_json(const struct policy_config *c)
{
	const char *rule = c->timestep_rule == POLICY_TIMESTEP_CLAMP ? "clamp" : "modulo";

	return json_pack("{s:i, s:s, s:o, s:o, s:{s:I, s:s}, s:I, s:I,"
			 " s:{s:s, s:f, s:f, s:f, s:o, s:f}, s:s, s:b, s:o, s:o}",
			 "version", VERSION, "kind", "llm", "features", features_json(c), "encoder",
			 encoder_json(c), "timesteps", "rows", (json_int_t)c->timesteps, "rule",
			 rule, "window", (json_int_t)c->window, "keep", (json_int_t)c->keep,
			 "return", "reward", c->reward, "gamma", c->gamma, "reward_offset",
			 c->reward_offset, "reward_factor", c->reward_factor, "scaling",
			 scaling_json(&c->returns),
			 "target", c->target_return, "state", c->state, "compat", c->compat,
			 "backbone", backbone_json(&c->backbone), "files", files_json(c));
}

static json_t *settings_json(const struct policy_settings *settings)
{
	json_t *rows = json_array();

	for (int i = 0; i < settings->rows; i++)
		json_array_append_new(rows, json_string(settings->row[i]));
	return rows;
}

int policy_config_write(const struct policy_config *config, const char *directory,
			struct error *error)
{
	char path[4096];
	json_t *root = config_json(config);
	int status = file_join(path, sizeof(path), directory, POLICY_FILE, error);
	char *text;

	if (root && config->settings.rows)
		json_object_set_new(root, "settings", settings_json(&config->settings));
	text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
	json_decref(root);
	if (!text)
		status = error_at(error, ERR_INVALID, path, 0, NULL,
				  "a number or name of the policy cannot be written as JSON");
	if (!status)
		status = file_write_all(path, text, strlen(text), error);
	free(text);
	return status;
}

struct policy_net_shape policy_config_shape(const struct policy_config *config)
{
	struct policy_net_shape shape = {.features = config->features,
					 .feature_dim = config->feature_dim,
					 .timesteps = config->timesteps,
					 .shared_last = config->shared_last,
					 .encoder = config->encoder,
					 .residual = config->residual};

	memcpy(shape.layout, config->layout, sizeof(shape.layout));

	for (int i = 0; i < config->features; i++)
		if (policy_encoder_is_series(config->feature[i].name))
			shape.series |= (uint32_t)1 << i;
	return shape;
}

int32_t policy_config_timestep(const struct policy_config *config, uint64_t step)
{
	const uint64_t rows = (uint64_t)config->timesteps;

	if (config->timestep_rule == POLICY_TIMESTEP_MODULO)
		return (int32_t)(step % rows);
	return (int32_t)(step < rows ? step : rows - 1);
}
