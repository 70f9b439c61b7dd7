/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ridge regression of an encoder's second layer onto the backbone's embeddings.
 *
 * For n sample values of a feature, the hidden layer gives rows f_j (U, and a
 * constant 1 for the bias), and the table gives targets t_j (H).  The smallest
 * weights with squared error and penalty r are P = T' (G + r I)^-1 F with the
 * n x n Gram matrix G = F F'; n is a few hundred, so this is instant.
 */
#include "policy/warm_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples of one bin: its middle and two values nearer its edges. */
#define SAMPLES_PER_BIN 3
#define MAX_SAMPLES (SAMPLES_PER_BIN * (VOCABULARY_MAX_EDGES + 1))
#define LEAK 0.01f
/* Scaled values closer than this are one. */
#define SAME 1e-6
/* Relative to the mean of the Gram matrix's diagonal. */
#define RIDGE 1e-5

/* The fit of one feature. */
struct fit {
	int samples, banks;
	int taps[POLICY_ENCODER_BANKS];
	const struct policy_net_linear *bank; /* (banks): the feature's encoder */
	int64_t inner, width;   /* U + 1, H */
	double *hidden;         /* (samples, U + 1) */
	double *gram;           /* (samples, samples), then its Cholesky factor */
	double *target;         /* (samples, H), then the solution */
};

static const float *row_of(const struct backbone_param *table, int32_t token)
{
	return table->value + token * table->shape[1];
}

/* Values of a bin, all of which spell its token. */
static int bin_samples(const struct vocabulary_field *field, int32_t bin, double *values)
{
	const double middle = vocabulary_representative(field, bin);
	const double low = bin > 0 ? field->edge[bin - 1] : middle;
	const double high = bin < field->edges ? field->edge[bin] : middle;

	values[0] = low + 0.15 * (middle - low);
	values[1] = middle;
	values[2] = high - 0.15 * (high - middle);
	return SAMPLES_PER_BIN;
}

/* Hidden layer of one value without a past: LeakyReLU(w s + b), and 1. */
static void hidden_row(const struct fit *fit, double scaled, double *row)
{
	for (int b = 0; b < fit->banks; b++) {
		const float *weight = fit->bank[b].weight->value;
		const float *bias = fit->bank[b].bias->value;
		const int taps = fit->taps[b];

		for (int64_t d = 0; d < fit->bank[b].bias->count; d++) {
			const double sum = weight[(d + 1) * taps - 1] * scaled + bias[d];

			*row++ = sum > 0 ? sum : LEAK * sum;
		}
	}
	*row = 1;
}

/* Nothing is known of pasts yet: taps before the present one start at 0. */
static void clear_past(const struct fit *fit)
{
	for (int b = 0; b < fit->banks; b++) {
		const struct backbone_param *weight = fit->bank[b].weight;
		const int taps = fit->taps[b];

		for (int64_t i = 0; i < weight->count; i++)
			if ((i + 1) % taps != 0)
				weight->value[i] = 0;
	}
}

static void add_sample(struct fit *fit, double scaled, const float *target)
{
	hidden_row(fit, scaled, fit->hidden + fit->samples * fit->inner);
	for (int64_t j = 0; j < fit->width; j++)
		fit->target[fit->samples * fit->width + j] = target[j];
	fit->samples++;
}

/*
 * Values beyond those that the scaling was fitted to are all the same to it: of such a run only
 * the value nearest to the fitted range counts.
 */
static void fill_fit(struct fit *fit, const struct vocabulary_field *field,
		     const struct scaling *scaling, const struct backbone_param *table)
{
	double lowest = 0, last = 0;

	fit->samples = 0;
	for (int32_t bin = 0; bin <= field->edges; bin++) {
		double values[SAMPLES_PER_BIN];
		const int count = bin_samples(field, bin, values);

		for (int i = 0; i < count; i++) {
			const double scaled = scaling_apply(scaling, values[i]);

			if (fit->samples == 0)
				lowest = scaled;
			else if (scaled - last < SAME && last - lowest < SAME)
				fit->samples--;
			else if (scaled - last < SAME)
				continue;
			last = scaled;
			add_sample(fit, scaled, row_of(table, field->first + bin));
		}
	}
}

static void fill_gram(struct fit *fit)
{
	const int n = fit->samples;
	double trace = 0;

	for (int i = 0; i < n; i++) {
		for (int j = 0; j <= i; j++) {
			const double *a = fit->hidden + i * fit->inner;
			const double *b = fit->hidden + j * fit->inner;
			double sum = 0;

			for (int64_t k = 0; k < fit->inner; k++)
				sum += a[k] * b[k];
			fit->gram[i * n + j] = sum;
		}
		trace += fit->gram[i * n + i];
	}
	for (int i = 0; i < n; i++)
		fit->gram[i * n + i] += RIDGE * trace / n;
}

/* In place L of gram = L L'; the ridge keeps every pivot positive. */
static void factor(struct fit *fit)
{
	const int n = fit->samples;
	double *g = fit->gram;

	for (int i = 0; i < n; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = g[i * n + j];

			for (int k = 0; k < j; k++)
				sum -= g[i * n + k] * g[j * n + k];
			g[i * n + j] = i == j ? sqrt(fmax(sum, 1e-300)) : sum / g[j * n + j];
		}
	}
}

/* target := (L L')^-1 target, column block by column block. */
static void solve(struct fit *fit)
{
	const int n = fit->samples;
	const int64_t width = fit->width;

	for (int i = 0; i < n; i++) {
		double *row = fit->target + i * width;

		for (int k = 0; k < i; k++)
			for (int64_t c = 0; c < width; c++)
				row[c] -= fit->gram[i * n + k] * fit->target[k * width + c];
		for (int64_t c = 0; c < width; c++)
			row[c] /= fit->gram[i * n + i];
	}
	for (int i = n - 1; i >= 0; i--) {
		double *row = fit->target + i * width;

		for (int k = i + 1; k < n; k++)
			for (int64_t c = 0; c < width; c++)
				row[c] -= fit->gram[k * n + i] * fit->target[k * width + c];
		for (int64_t c = 0; c < width; c++)
			row[c] /= fit->gram[i * n + i];
	}
}

/* P = solution' F into the projection: weight (H, D), bias (H). */
static void store(const struct fit *fit, const struct policy_net_linear *project)
{
	const int64_t inner = fit->inner;

	for (int64_t h = 0; h < fit->width; h++) {
		for (int64_t d = 0; d < inner; d++) {
			double sum = 0;

			for (int i = 0; i < fit->samples; i++)
				sum += fit->target[i * fit->width + h] * fit->hidden[i * inner + d];
			if (d + 1 < inner)
				project->weight->value[h * (inner - 1) + d] = (float)sum;
			else
				project->bias->value[h] = (float)sum;
		}
	}
}

static void fit_feature(struct policy_net *net, int64_t feature,
			const struct policy_feature *config, const struct vocabulary *vocabulary,
			const struct backbone_param *table, struct fit *fit)
{
	const struct vocabulary_field *field = vocabulary_find(vocabulary, config->name);

	if (field == NULL)
		return;
	fit->banks = policy_net_banks(net, feature);
	fit->bank = net->encoder[feature];
	for (int b = 0; b < fit->banks; b++)
		fit->taps[b] = policy_net_taps(net, feature, b);
	fit->inner = policy_net_units(net, feature) + 1;
	clear_past(fit);
	fill_fit(fit, field, &config->scaling, table);
	fill_gram(fit);
	factor(fit);
	solve(fit);
	store(fit, &net->project[feature]);
}

/* Least-squares line through the three actions' embeddings at (a + 1) / 3. */
static void fit_action(struct policy_net *net, const float *rows, int64_t width)
{
	for (int64_t h = 0; h < width; h++) {
		const double enqueue = rows[h], drop = rows[width + h], mark = rows[2 * width + h];
		const double slope = (mark - enqueue) / 2 * 3;

		net->action.weight->value[h] = (float)slope;
		net->action.bias->value[h] = (float)((enqueue + drop + mark) / 3 - slope * 2 / 3);
	}
}

/* Everything that is not an encoder. */
static void start_rest(struct policy_net *net, const struct vocabulary *vocabulary,
		       const struct backbone_param *table)
{
	const struct vocabulary_field *action = vocabulary_find(vocabulary, VOCABULARY_ACTION);
	const float *rows = row_of(table, action->first);
	const int64_t width = net->width;
	double squares = 0;

	for (int64_t i = 0; i < table->count; i++)
		squares += (double)table->value[i] * table->value[i];
	for (int64_t h = 0; h < width; h++) {
		net->norm.weight->value[h] = (float)sqrt(squares / (double)table->count);
		net->norm.bias->value[h] = 0;
		net->returns.weight->value[h] = 0;
		net->returns.bias->value[h] =
			row_of(table, vocabulary->return_unknown)[h];
	}
	fit_action(net, rows, width);
	memcpy(net->head.weight->value, rows, 3 * (size_t)width * sizeof(float));
	memset(net->head.bias->value, 0, 3 * sizeof(float));
	memset(net->timestep->value, 0, (size_t)net->timestep->count * sizeof(float));
}

int policy_warm_start(struct policy_net *net, const struct policy_config *config,
		      const struct vocabulary *vocabulary, struct error *error)
{
	const struct backbone_param *table = backbone_token_embedding(net->backbone);
	struct fit fit = {.width = net->width};
	int64_t most = 0;
	int code = 0;

	if (table == NULL || table->shape[0] < vocabulary->tokens ||
	    table->shape[1] != net->width)
		return error_at(error, ERR_INVALID, NULL, 0, VOCABULARY_FILE,
				"the backbone's embedding table does not fit its vocabulary; "
				"remove the file or use --cold-start");
	for (int64_t i = 0; i < net->shape.features; i++)
		most = policy_net_units(net, i) >= most ? policy_net_units(net, i) + 1 : most;
	fit.hidden = malloc(MAX_SAMPLES * (size_t)most * sizeof(double));
	fit.gram = malloc((size_t)MAX_SAMPLES * MAX_SAMPLES * sizeof(double));
	fit.target = malloc(MAX_SAMPLES * (size_t)fit.width * sizeof(double));
	if (fit.hidden == NULL || fit.gram == NULL || fit.target == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory");
	for (int64_t i = 0; code == 0 && i < net->shape.features; i++)
		fit_feature(net, i, &config->feature[i], vocabulary, table, &fit);
	if (code == 0)
		start_rest(net, vocabulary, table);
	free(fit.hidden);
	free(fit.gram);
	free(fit.target);
	return code;
}
