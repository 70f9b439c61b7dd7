/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts, their attribution, and how much each may lose.
 */
#include "learn/prune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/prune.h"
#include "tensor/matrix.h"

const double prune_points[PRUNE_POINTS] = {0.25, 0.5, 0.75, 0.9};

#define CHANNEL_GRAIN 8

const char *prune_kind_name(enum prune_kind kind)
{
	static const char *const names[PRUNE_KINDS] = {
#define PRUNE_KIND_NAME(name, units) [PRUNE_##name] = #name,
		PRUNE_KIND_TABLE(PRUNE_KIND_NAME)
#undef PRUNE_KIND_NAME
	};

	return names[kind];
}

/* Whole blocks of int4 where the width has them. */
static int64_t ffn_grain(int64_t units)
{
	return units % MATRIX_BLOCK == 0 && units > MATRIX_BLOCK ? MATRIX_BLOCK : 1;
}

static int backbone_collect(struct prune *prune, size_t count, struct error *error)
{
	struct backbone_part *parts = calloc(count, sizeof(*parts));

	if (!parts)
		return error_set(error, ERR_NO_MEMORY, "parts of a backbone");
	backbone_parts(prune->net->backbone, parts);
	for (size_t i = 0; i < count; i++)
		prune->part[prune->count++] = (struct prune_part){
			.kind = parts[i].kind == PART_HEADS ? PRUNE_heads : PRUNE_ffn,
			.index = parts[i].layer, .units = parts[i].units,
			.unit_inputs = parts[i].unit_inputs,
			.unit_parameters = parts[i].unit_parameters,
			.grain = parts[i].kind == PART_HEADS ? 1 : ffn_grain(parts[i].units),
			.weight = parts[i].weight, .gradient = parts[i].gradient,
			.in = parts[i].in, .out = parts[i].out, .layout = parts[i].layout};
	free(parts);
	return 0;
}

/* A feature's channels are read by its projection; `shared_last` leaves no feature its own. */
static void encoder_collect(struct prune *prune)
{
	struct policy_net *net = prune->net;

	for (int64_t i = 0; i < net->shape.features && !net->shape.shared_last; i++) {
		const int64_t units = policy_net_units(net, i);
		int64_t parameters = 0;

		for (int b = 0; b < policy_net_banks(net, i); b++)
			parameters += policy_net_channels(net, i, b) *
				      (policy_net_taps(net, i, b) + 1);
		prune->part[prune->count++] = (struct prune_part){
			.kind = PRUNE_encoder, .index = i, .units = units, .unit_inputs = 1,
			.unit_parameters = net->width + parameters / units,
			.grain = units > 4 * CHANNEL_GRAIN ? CHANNEL_GRAIN : 1,
			.weight = net->project[i].weight->value,
			.gradient = net->project[i].weight->gradient, .in = units,
			.out = net->width, .layout = LINEAR_OUT_IN};
	}
}

static int results_make(struct prune *prune, struct error *error)
{
	size_t units = 0;

	for (size_t i = 0; i < prune->count; i++)
		units += (size_t)prune->part[i].units;
	prune->all_keep = malloc(units * sizeof(*prune->all_keep));
	prune->all_score = calloc(units, sizeof(*prune->all_score));
	if (!prune->all_keep || !prune->all_score)
		return error_set(error, ERR_NO_MEMORY, "scores of %zu units", units);
	memset(prune->all_keep, true, units * sizeof(*prune->all_keep));
	units = 0;
	for (size_t i = 0; i < prune->count; i++) {
		prune->part[i].keep = prune->all_keep + units;
		prune->part[i].score = prune->all_score + units;
		units += (size_t)prune->part[i].units;
	}
	return 0;
}

int prune_new(struct prune *prune, struct policy_net *net, struct error *error)
{
	const size_t count = backbone_parts(net->backbone, NULL);
	int status;

	*prune = (struct prune){.net = net};
	if (!count)
		return error_set(error, ERR_UNSUPPORTED,
				 "%s has no heads or feed-forward units that can be taken out; "
				 "gpt2, opt and llama have",
				 backbone_shape(net->backbone)->architecture);
	prune->part = calloc(count + (size_t)net->shape.features, sizeof(*prune->part));
	if (!prune->part)
		return error_set(error, ERR_NO_MEMORY, "parts of a policy");
	status = backbone_collect(prune, count, error);
	if (!status)
		encoder_collect(prune);
	if (!status)
		status = results_make(prune, error);
	if (status)
		prune_free(prune);
	return status;
}

void prune_free(struct prune *prune)
{
	free(prune->part);
	free(prune->all_keep);
	free(prune->all_score);
	memset(prune, 0, sizeof(*prune));
}

/* Place of input `in` of output `out` in the reader's weight. */
static int64_t place_of(const struct prune_part *part, int64_t in, int64_t out)
{
	return part->layout == LINEAR_OUT_IN ? out * part->in + in : in * part->out + out;
}

double prune_slope(const struct prune_part *part, int64_t unit)
{
	double sum = 0;

	for (int64_t i = unit * part->unit_inputs; i < (unit + 1) * part->unit_inputs; i++)
		for (int64_t o = 0; o < part->out; o++) {
			const int64_t at = place_of(part, i, o);

			sum -= (double)part->weight[at] * part->gradient[at];
		}
	return sum;
}

int prune_attribute(struct prune *prune, const struct calibration *calibration,
		    struct error *error)
{
	int status = 0;

	for (int64_t w = 0; w < calibration->windows && !status; w++) {
		status = calibration_slope(calibration, prune->net, w, error);
		for (size_t i = 0; i < prune->count && !status; i++)
			for (int64_t u = 0; u < prune->part[i].units; u++)
				prune->part[i].score[u] +=
					fabs(prune_slope(&prune->part[i], u)) /
					(double)calibration->windows;
	}
	return status;
}

/* Units that go at a rate: whole grains, and one unit stays. */
static int64_t units_at(const struct prune_part *part, double rate)
{
	const int64_t grains = (part->units - 1) / part->grain;
	const int64_t wanted = (int64_t)(rate * (double)part->units / (double)part->grain + 0.5);

	return (wanted < grains ? wanted : grains) * part->grain;
}

/* Keeps all but the `gone` units of least score; of equals the first go. */
static void keep_best(struct prune_part *part, int64_t gone)
{
	memset(part->keep, true, (size_t)part->units * sizeof(*part->keep));
	for (; gone > 0; gone--) {
		int64_t least = -1;

		for (int64_t u = 0; u < part->units; u++)
			if (part->keep[u] &&
			    (least < 0 || part->score[u] < part->score[least]))
				least = u;
		part->keep[least] = false;
	}
}

static void silence(const struct prune_part *part)
{
	for (int64_t u = 0; u < part->units; u++)
		for (int64_t i = u * part->unit_inputs;
		     i < (u + 1) * part->unit_inputs && !part->keep[u]; i++)
			for (int64_t o = 0; o < part->out; o++)
				part->weight[place_of(part, i, o)] = 0;
}

/* loss[] of one part; its weights come back. */
static int part_measure(const struct prune *prune, struct prune_part *part, double whole,
			const struct calibration *calibration, int64_t windows,
			struct error *error)
{
	const size_t bytes = (size_t)(part->in * part->out) * sizeof(float);
	float *kept = malloc(bytes);
	int status = kept ? 0 : error_set(error, ERR_NO_MEMORY, "a copy of a weight");

	if (status)
		return status;
	memcpy(kept, part->weight, bytes);
	for (int p = 0; p < PRUNE_POINTS && !status; p++) {
		keep_best(part, units_at(part, prune_points[p]));
		silence(part);
		status = calibration_loss(calibration, prune->net, 0, windows, &part->loss[p],
					  error);
		part->loss[p] -= whole;
		memcpy(part->weight, kept, bytes);
	}
	keep_best(part, 0);
	free(kept);
	return status;
}

int prune_measure(struct prune *prune, const struct calibration *calibration, int64_t windows,
		  void (*progress)(void *context, size_t done, size_t total), void *context,
		  struct error *error)
{
	double whole;
	int status = calibration_loss(calibration, prune->net, 0, windows, &whole, error);

	for (size_t i = 0; i < prune->count && !status; i++) {
		status = part_measure(prune, &prune->part[i], whole, calibration, windows, error);
		if (progress)
			progress(context, i + 1, prune->count);
	}
	return status;
}

/* The measured loss at a rate: straight lines between the points, never falling. */
static double loss_at(const struct prune_part *part, double rate)
{
	double low_rate = 0, low = 0;

	for (int p = 0; p < PRUNE_POINTS; p++) {
		const double high = fmax(low, part->loss[p]);

		if (rate <= prune_points[p])
			return low + (high - low) * (rate - low_rate) /
					     (prune_points[p] - low_rate);
		low_rate = prune_points[p];
		low = high;
	}
	return low;
}

/* Loss that one more grain costs, for each parameter that goes; INFINITY: none can. */
static double price(const struct prune_part *part)
{
	const int64_t gone = units_at(part, part->rate);
	const double next = (double)(gone + part->grain) / (double)part->units;

	if (gone + part->grain >= part->units || next > prune_points[PRUNE_POINTS - 1])
		return INFINITY;
	return (loss_at(part, next) - loss_at(part, part->rate)) /
	       (double)(part->grain * part->unit_parameters);
}

void prune_choose(struct prune *prune, enum prune_kind kind, double share)
{
	double total = 0, gone = 0;

	for (size_t i = 0; i < prune->count; i++)
		if (prune->part[i].kind == kind) {
			prune->part[i].rate = 0;
			total += (double)(prune->part[i].units * prune->part[i].unit_parameters);
		}
	while (gone < share * total) {
		struct prune_part *cheapest = NULL;

		for (size_t i = 0; i < prune->count; i++) {
			struct prune_part *part = &prune->part[i];

			if (part->kind == kind && isfinite(price(part)) &&
			    (!cheapest || price(part) < price(cheapest)))
				cheapest = part;
		}
		if (!cheapest)
			break;
		cheapest->rate = (double)(units_at(cheapest, cheapest->rate) + cheapest->grain) /
				 (double)cheapest->units;
		gone += (double)(cheapest->grain * cheapest->unit_parameters);
	}
	for (size_t i = 0; i < prune->count; i++)
		if (prune->part[i].kind == kind)
			keep_best(&prune->part[i], units_at(&prune->part[i], prune->part[i].rate));
}
