/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden cases of GGUF files: the model of an architecture's folder, written
 * as a GGUF file of each type and opened again, against the hidden states of
 * the reference.  F32 must also give the very numbers that the folder gives.
 *
 * The other bounds are on the root mean square of the difference over that of
 * the reference.  `rounding` is what one weight of a normal distribution loses
 * relative to its deviation: a step s loses s / sqrt(12), and steps are 2^-10
 * (F16) and 2^-7 (BF16) of a power of two near the weight, and 1/127 (Q8_0)
 * and 1/8 (Q4_0) of the largest of 32, about 2.2 deviations.  A bound is DEPTH
 * times that: some fourteen products one after the other, added in squares,
 * and half as much again.
 */
#include "tests/golden/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "backbone/export.h"
#include "base/arena.h"
#include "base/test_folder.h"

#define INPUTS "T37.inputs_embeds"
#define WANTED "T37.last_hidden_state"
#define DEPTH 6

static const struct {
	enum block_type type;
	double rounding;
} rows[] = {
	{BLOCK_F32, 1e-6}, {BLOCK_F16, 2.1e-4}, {BLOCK_BF16, 1.7e-3}, {BLOCK_Q8_0, 5e-3},
	{BLOCK_Q4_0, 0.08},
};

struct subject {
	char folder[4096], file[4096];
	float *embeds, *want, *first, *got;
	int64_t tokens, count;
};

static int subject_read(struct subject *s, const struct golden_report *report, const char *name,
			struct error *error)
{
	struct safetensors inputs = {0}, io = {0};
	const struct safetensors_entry *entry;
	char path[4096];
	int64_t fed = 0;
	int code = golden_path(report, NULL, "inputs.safetensors", path, sizeof(path), error);

	if (!code)
		code = safetensors_open(&inputs, path, error);
	if (!code)
		code = golden_floats(&inputs, INPUTS, &s->embeds, &fed, error);
	safetensors_close(&inputs);
	if (!code)
		code = golden_path(report, name, "io.safetensors", path, sizeof(path), error);
	if (!code)
		code = safetensors_open(&io, path, error);
	if (!code)
		code = golden_floats(&io, WANTED, &s->want, &s->count, error);
	entry = code ? NULL : safetensors_find(&io, WANTED);
	if (!code && (entry->dims != 3 || entry->shape[0] != 1 || fed != s->count))
		code = error_at(error, ERR_INVALID, path, 0, WANTED, "does not have the shape of "
				INPUTS);
	s->tokens = code ? 0 : entry->shape[1];
	safetensors_close(&io);
	s->first = malloc((size_t)s->count * sizeof(float) + 1);
	s->got = malloc((size_t)s->count * sizeof(float) + 1);
	return code || (s->first && s->got) ? code
					    : error_set(error, ERR_NO_MEMORY, "out of memory");
}

static int hidden(const struct subject *s, const char *path, float *out, struct error *error)
{
	struct backbone *backbone = NULL;
	struct arena arena;
	int code = backbone_open(&backbone, path, NULL, error);

	arena_init(&arena);
	if (!code)
		code = backbone_forward(backbone, &arena, s->embeds, 1, s->tokens, out, NULL, NULL,
					error);
	arena_free(&arena);
	backbone_close(backbone);
	return code;
}

static double relative_difference(const struct subject *s)
{
	double difference = 0, size = 0;

	for (int64_t i = 0; i < s->count; i++) {
		const double d = (double)s->got[i] - (double)s->want[i];

		difference += d * d;
		size += (double)s->want[i] * (double)s->want[i];
	}
	return sqrt(difference / size);
}

static int types_compare(struct golden_report *report, struct subject *s, struct error *error)
{
	const double tolerance = report->tolerance;
	int code = hidden(s, s->folder, s->first, error);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !code; i++) {
		const char *name = block_format(rows[i].type)->name;
		char what[64];

		code = backbone_export(s->folder, s->file, rows[i].type, error);
		if (!code)
			code = hidden(s, s->file, s->got, error);
		if (code)
			break;
		snprintf(what, sizeof(what), "%s, root mean square, relative", name);
		golden_note(report, what, relative_difference(s), DEPTH * rows[i].rounding);
		if (rows[i].type != BLOCK_F32)
			continue;
		golden_compare(report, "F32 against the reference", s->got, s->want, s->count,
			       tolerance);
		if (memcmp(s->got, s->first, (size_t)s->count * sizeof(float)) != 0)
			golden_note(report, "F32 is not what the folder gives", INFINITY, 1);
	}
	return code;
}

int golden_gguf(struct golden_report *report, const char *subject, struct error *error)
{
	struct subject s = {0};
	int code = golden_path(report, NULL, subject, s.folder, sizeof(s.folder), error);

	if (!code && test_folder_make())
		code = error_errno(error, test_folder, "making a folder");
	if (code)
		return code;
	test_path(s.file, "model.gguf");
	code = subject_read(&s, report, subject, error);
	if (!code)
		code = types_compare(report, &s, error);
	test_folder_remove();
	free(s.embeds);
	free(s.want);
	free(s.first);
	free(s.got);
	return code;
}
