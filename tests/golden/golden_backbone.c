/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden cases of backbones: every tensor of an architecture's io.safetensors.
 *
 * A name T<n>.[lora.][nopos.|stop<k>.|dec_inputs_same.]last_hidden_state, or
 * T<n>.[lora.]encoder_last_hidden_state, says what to do: feed
 * T<n>.inputs_embeds, with the adapter of lora/ or without, without positions,
 * stopping after layer k, feeding the decoder of T5 with them too, or only its
 * encoder.  Each expectation is met three times: by a plain forward, by a
 * forward that keeps a tape, and by a cache fed in uneven pieces; with an
 * adapter, once more after folding it into the weights.  T5 runs bidirectional,
 * as its reference does; there the cache's results for earlier pieces are not
 * those of the whole, and only the last piece is compared.
 */
#include "tests/golden/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/arena.h"
#include "base/file.h"

struct expectation {
	const struct safetensors_entry *entry;
	char inputs[80]; /* name in inputs.safetensors */
	bool lora;
	struct backbone_options options;
};

struct vectors {
	float *embeds, *want, *got;
	int64_t batch, tokens, width;
	int64_t first; /* token from which on `got` is compared */
};

/* The released code that stops early is the one that leaves GPT-2's positions out. */
static void stop_set(struct backbone_options *options, long layer)
{
	options->stop_layer = layer + 1;
	options->no_positions = true;
}

static int name_parse(struct expectation *expectation, const char *file, struct error *error)
{
	const char *rest = expectation->entry->name;
	size_t length = strcspn(rest, ".");

	snprintf(expectation->inputs, sizeof(expectation->inputs), "%.*s.inputs_embeds",
		 (int)length, rest);
	expectation->options.bidirectional = true;
	for (rest += length; *rest == '.'; rest += length) {
		long stop;

		rest++;
		length = strcspn(rest, ".");
		if (strcmp(rest, "last_hidden_state") == 0)
			return 0;
		if (strcmp(rest, "encoder_last_hidden_state") == 0) {
			expectation->options.decoder_input = DECODER_ABSENT;
			return 0;
		}
		if (strncmp(rest, "lora.", 5) == 0)
			expectation->lora = true;
		else if (strncmp(rest, "nopos.", 6) == 0)
			expectation->options.no_positions = true;
		else if (strncmp(rest, "dec_inputs_same.", 16) == 0)
			expectation->options.decoder_input = DECODER_READS_INPUTS;
		else if (sscanf(rest, "stop%ld.", &stop) == 1)
			stop_set(&expectation->options, stop);
		else
			break;
	}
	return error_at(error, ERR_INVALID, file, 0, expectation->entry->name,
			"is of a variant that this runner does not know");
}

static void vectors_free(struct vectors *vectors)
{
	free(vectors->embeds);
	free(vectors->want);
	free(vectors->got);
}

/* Models that embed words in half their width are fed from arrays of their own. */
static void inputs_choose(struct expectation *expectation, const struct safetensors *inputs)
{
	const struct safetensors_entry *whole = safetensors_find(inputs, expectation->inputs);
	char half[sizeof(expectation->inputs) + 8];

	snprintf(half, sizeof(half), "%s_half", expectation->inputs);
	if (whole && whole->count != expectation->entry->count && safetensors_find(inputs, half))
		memcpy(expectation->inputs, half, sizeof(expectation->inputs));
}

static int vectors_read(struct vectors *vectors, const struct safetensors *io,
			const struct expectation *expectation, const struct safetensors *inputs,
			struct error *error)
{
	const struct safetensors_entry *entry = expectation->entry;
	int64_t fed = 0, count = 0;
	int code = golden_floats(inputs, expectation->inputs, &vectors->embeds, &fed, error);

	if (!code)
		code = golden_floats(io, entry->name, &vectors->want, &count, error);
	if (code)
		return code;
	if (entry->dims != 3 || fed != count)
		return error_at(error, ERR_INVALID, io->path, 0, entry->name,
				"does not have the shape of %s", expectation->inputs);
	vectors->batch = entry->shape[0];
	vectors->tokens = entry->shape[1];
	vectors->width = entry->shape[2];
	vectors->got = malloc((size_t)count * sizeof(float) + 1);
	return vectors->got ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");
}

static void compare(struct golden_report *report, const struct vectors *vectors, const char *name,
		    const char *way, double tolerance)
{
	const int64_t skip = vectors->first * vectors->width;
	char what[128];

	snprintf(what, sizeof(what), "%s (%s)", name, way);
	golden_compare(report, what, vectors->got + skip, vectors->want + skip,
		       vectors->batch * vectors->tokens * vectors->width - skip, tolerance);
}

/* The same tokens through a cache, 1, 2, 3... at a time, the first sequence only. */
static int stream(const struct backbone *backbone, struct arena *arena, struct vectors *vectors,
		  struct error *error)
{
	struct backbone_cache *cache = NULL;
	int64_t done = 0, piece = 1;
	int code = backbone_cache_new(backbone, vectors->tokens, &cache, error);

	for (; !code && done < vectors->tokens; done += piece, piece++) {
		if (piece > vectors->tokens - done)
			piece = vectors->tokens - done;
		if (strcmp(backbone_shape(backbone)->architecture, "t5") == 0)
			vectors->first = done;
		code = backbone_extend(backbone, arena, cache,
				       vectors->embeds + done * vectors->width, piece,
				       vectors->got + done * vectors->width, error);
	}
	backbone_cache_free(cache);
	return code;
}

static int forward(const struct backbone *backbone, struct arena *arena, struct vectors *vectors,
		   struct backbone_tape **tape, struct error *error)
{
	return backbone_forward(backbone, arena, vectors->embeds, vectors->batch, vectors->tokens,
				vectors->got, tape, NULL, error);
}

static int ways_compare(struct golden_report *report, struct backbone *backbone,
			struct arena *arena, const struct expectation *expectation,
			struct vectors *vectors, struct error *error)
{
	const char *name = expectation->entry->name;
	const double tolerance = report->tolerance;
	struct backbone_tape *tape = NULL;
	int code = forward(backbone, arena, vectors, NULL, error);

	if (code)
		return code;
	compare(report, vectors, name, "forward", tolerance);
	code = forward(backbone, arena, vectors, &tape, error);
	if (code)
		return code;
	compare(report, vectors, name, "with tape", tolerance);
	if (vectors->batch == 1) {
		code = stream(backbone, arena, vectors, error);
		if (code)
			return code;
		compare(report, vectors, name, "cached", tolerance);
		vectors->first = 0;
	}
	if (!expectation->lora)
		return 0;
	code = backbone_lora_merge(backbone, error);
	if (!code)
		code = forward(backbone, arena, vectors, NULL, error);
	if (!code)
		compare(report, vectors, name, "merged", tolerance);
	return code;
}

static int expectation_run(struct golden_report *report, const char *subject,
			   const struct expectation *expectation, struct vectors *vectors,
			   struct error *error)
{
	struct backbone *backbone = NULL;
	struct arena arena;
	char path[4096];
	int code = golden_path(report, NULL, subject, path, sizeof(path), error);

	arena_init(&arena);
	if (!code)
		code = backbone_open(&backbone, path, &expectation->options, error);
	if (!code && expectation->lora) {
		code = golden_path(report, subject, "lora", path, sizeof(path), error);
		if (!code)
			code = backbone_lora_load(backbone, path, error);
	}
	if (!code && backbone_shape(backbone)->width != vectors->width)
		code = error_set(error, ERR_INVALID, "%s expects another width", subject);
	if (!code)
		code = ways_compare(report, backbone, &arena, expectation, vectors, error);
	backbone_close(backbone);
	arena_free(&arena);
	return code;
}

/* An architecture that is not supported is skipped before its variants are looked at. */
static int support_check(const struct golden_report *report, const char *subject,
			 struct error *error)
{
	struct backbone *backbone = NULL;
	char path[4096];
	int code = golden_path(report, NULL, subject, path, sizeof(path), error);

	if (!code && !file_is_folder(path))
		code = error_set(error, ERR_UNSUPPORTED, "no folder %s", path);
	if (!code)
		code = backbone_open(&backbone, path, NULL, error);
	backbone_close(backbone);
	return code;
}

int golden_backbone(struct golden_report *report, const char *subject, struct error *error)
{
	struct safetensors inputs = {0}, io = {0};
	char path[4096];
	int code = support_check(report, subject, error);

	if (!code)
		code = golden_path(report, NULL, "inputs.safetensors", path, sizeof(path), error);
	if (!code)
		code = safetensors_open(&inputs, path, error);
	if (code)
		return code;
	code = golden_path(report, subject, "io.safetensors", path, sizeof(path), error);
	if (!code)
		code = safetensors_open(&io, path, error);
	for (size_t i = 0; !code && i < io.count; i++) {
		struct expectation expectation = {.entry = &io.entries[i]};
		struct vectors vectors = {0};

		code = name_parse(&expectation, io.path, error);
		inputs_choose(&expectation, &inputs);
		if (!code)
			code = vectors_read(&vectors, &io, &expectation, &inputs, error);
		if (!code)
			code = expectation_run(report, subject, &expectation, &vectors, error);
		vectors_free(&vectors);
	}
	safetensors_close(&io);
	safetensors_close(&inputs);
	return code;
}
