/* SPDX-License-Identifier: BSD-2-Clause */
#include "backbone/layers.h"

#include "backbone/decoder.h"

int64_t backbone_layer_count(const struct backbone *backbone)
{
	return backbone->decoder.run_layers;
}

static int check(const struct backbone *backbone, int64_t layer, int64_t batch, int64_t tokens,
		 struct error *error)
{
	if (backbone->architecture->pass != &decoder_pass || backbone->device)
		return error_set(error, ERR_UNSUPPORTED,
				 "the layers of a %s %s are not taken apart",
				 backbone->shape.architecture,
				 backbone->device ? "on a device" : "with two stacks");
	if (layer < 0 || layer >= backbone->decoder.run_layers || batch < 1 || tokens < 1 ||
	    (backbone->shape.max_positions && tokens > backbone->shape.max_positions))
		return error_set(error, ERR_RANGE,
				 "no layer %lld, or no room for %lld sequences of %lld tokens",
				 (long long)layer, (long long)batch, (long long)tokens);
	return 0;
}

static struct backbone_call call_of(const struct backbone *backbone, struct arena *arena,
				    int64_t batch, int64_t tokens)
{
	return (struct backbone_call){.backbone = backbone,
				      .arena = arena,
				      .batch = batch,
				      .tokens = tokens,
				      .rows = batch * tokens};
}

/* Gives the arena back, and a failure its text. */
static int end(struct arena *arena, struct arena_mark mark, int code, struct error *error)
{
	arena_restore(arena, mark);
	return code ? error_set(error, code, "out of memory for a layer") : 0;
}

int backbone_layer_input(const struct backbone *backbone, struct arena *arena,
			 const float *embeds, int64_t batch, int64_t tokens, float *stream,
			 struct error *error)
{
	const struct backbone_call call = call_of(backbone, arena, batch, tokens);
	const struct arena_mark mark = arena_save(arena);
	const int code = check(backbone, 0, batch, tokens, error);

	return code ? code : end(arena, mark, decoder_input(&call, stream, embeds), error);
}

int backbone_layer_forward(const struct backbone *backbone, struct arena *arena, int64_t layer,
			   const float *in, int64_t batch, int64_t tokens, float *out,
			   struct error *error)
{
	struct backbone_call call = call_of(backbone, arena, batch, tokens);
	const struct arena_mark mark = arena_save(arena);
	const int code = check(backbone, layer, batch, tokens, error);

	return code ? code : end(arena, mark, decoder_layer_map(&call, layer, in, out), error);
}

int backbone_layer_backward(const struct backbone *backbone, struct arena *arena, int64_t layer,
			    const float *in, int64_t batch, int64_t tokens, const float *d_out,
			    float *d_in, struct error *error)
{
	struct backbone_call call = call_of(backbone, arena, batch, tokens);
	const struct arena_mark mark = arena_save(arena);
	const int code = check(backbone, layer, batch, tokens, error);

	return code ? code
		    : end(arena, mark, decoder_layer_pull(&call, layer, in, d_out, d_in), error);
}
