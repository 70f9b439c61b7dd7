/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward of the decoder on a CUDA device: the steps of decoder.c.
 *
 * A call behind a cache is a few hundred short launches, which would cost more
 * than their work; it is recorded once for each number of tokens and then
 * queued as one.  All it touches belongs to the cache, so that it stays there.
 */
#include "backbone/cuda_decoder.h"

#include <stdlib.h>
#include <string.h>

#define GRAPHS 8 /* numbers of tokens that a cache remembers a recording for */

struct recording {
	int64_t tokens;
	struct cuda_graph *graph;
};

struct backbone_device_cache {
	struct cuda_arena arena;
	uint64_t version; /* of the decoder when everything below was made */
	struct cuda_call call;
	struct cuda_arrays shared;
	int32_t *first;   /* place of the first new token */
	float *keys;      /* (run_layers, 2, max_tokens, kv_width): keys, then values */
	float *input;     /* pinned host memory: the place, then embeddings; later hidden states */
	struct recording recordings[GRAPHS];
	size_t next; /* to be replaced */
};

float *cuda_call_floats(const struct cuda_call *call, int64_t width)
{
	return cuda_arena_alloc(call->arena, (size_t)(call->rows * width) * sizeof(float));
}

void *cuda_call_operand(const struct cuda_call *call, int64_t width)
{
	return cuda_arena_alloc(call->arena, (size_t)(call->rows * width) *
						     cuda_type_bytes(call->decoder->type));
}

float cuda_adapter_scale(const struct backbone *backbone)
{
	return (float)(backbone->adapter.alpha / (double)backbone->adapter.rank);
}

enum cuda_activation cuda_decoder_activation(const struct backbone *backbone)
{
	static const enum cuda_activation activations[] = {
		[ACTIVATION_GELU_NEW] = CUDA_GELU_NEW,
		[ACTIVATION_RELU] = CUDA_RELU,
		[ACTIVATION_SILU_GATE] = CUDA_SILU_GATE,
	};

	return activations[backbone->decoder.activation];
}

static struct backbone_call host_call(const struct cuda_call *call)
{
	const struct backbone_call host = {.backbone = call->backbone, .batch = call->batch,
					   .tokens = call->tokens, .rows = call->rows};

	return host;
}

struct attention_shape cuda_call_attention_shape(const struct cuda_call *call)
{
	const struct backbone_call host = host_call(call);

	return decoder_attention_shape(&host, &call->backbone->decoder.widest);
}

static void norm_forward(const struct cuda_call *call, const struct cuda_norm *norm, void *out,
			 enum cuda_type type, float *stats, const float *in)
{
	const struct backbone_call host = host_call(call);
	const struct norm_shape shape = decoder_norm_shape(&host);

	cuda_norm_forward(call->decoder->cuda, out, type, stats, in, norm->weight, norm->bias,
			  norm->bias != NULL, &shape);
}

/* Adds the adapter of `role` to out, whose rows lie `stride` apart. */
static void adapter_forward(const struct cuda_call *call, const struct cuda_layer *layer,
			    enum projection_role role, const struct backbone_projection *p,
			    float *out, int64_t stride, const void *in, struct cuda_arrays *kept)
{
	struct cuda_decoder *decoder = call->decoder;
	const struct adapter *adapter = &call->backbone->adapter;
	const struct cuda_mark mark = cuda_arena_save(call->arena);
	void *low = kept->low[role] ? kept->low[role] : call->low;
	struct cuda_gemm down = {.transpose_b = true, .m = call->rows, .n = adapter->rank,
				 .k = p->in, .alpha = 1, .type = decoder->type,
				 .type_c = decoder->type, .a = in, .a_stride = p->in,
				 .b = layer->adapters[role].a, .b_stride = p->in, .c = low,
				 .c_stride = adapter->rank};
	const struct cuda_gemm up = {
		.transpose_b = true, .m = call->rows, .n = p->out, .k = adapter->rank,
		.alpha = cuda_adapter_scale(call->backbone), .beta = 1, .type = decoder->type,
		.type_c = CUDA_F32, .a = low, .a_stride = adapter->rank,
		.b = layer->adapters[role].b, .b_stride = adapter->rank, .c = out,
		.c_stride = stride};

	if (call->dropout_rng && adapter->dropout > 0) {
		void *dropped = cuda_call_operand(call, p->in);

		kept->seed[role] = rng_u64(call->dropout_rng);
		cuda_dropout(decoder->cuda, dropped, in, decoder->type, call->rows * p->in,
			     adapter->dropout, kept->seed[role]);
		down.a = dropped;
	}
	cuda_gemm_run(decoder->cuda, &down);
	cuda_gemm_run(decoder->cuda, &up);
	cuda_arena_restore(call->arena, mark);
}

/* out = residual + projections of the group; `residual` NULL: none. */
static void group_forward(const struct cuda_call *call, int64_t index, enum cuda_group group,
			  float *out, const void *in, const float *residual,
			  struct cuda_arrays *kept)
{
	struct cuda_decoder *decoder = call->decoder;
	const struct cuda_layer *layer = &decoder->layers[index];
	const struct backbone_layer *host = &call->backbone->decoder.layers[index];
	const struct cuda_matrix *matrix = &layer->groups[group];
	const struct cuda_group_roles roles = cuda_group_roles[group];
	const struct cuda_gemm gemm = {
		.transpose_b = true, .m = call->rows, .n = matrix->out, .k = matrix->in,
		.alpha = 1, .type = decoder->type, .type_c = CUDA_F32, .a = in,
		.a_stride = matrix->in, .b = matrix->weight, .b_stride = matrix->in, .c = out,
		.c_stride = matrix->out, .bias = matrix->bias, .residual = residual};

	cuda_gemm_run(decoder->cuda, &gemm);
	for (int role = roles.first; role <= (int)roles.last; role++) {
		const struct backbone_projection *p = &host->projections[role];

		if (layer->adapters[role].a)
			adapter_forward(call, layer, (enum projection_role)role, p, out,
					matrix->out, in, kept);
		if (p->weight)
			out += p->out;
	}
}

static void attention_forward_whole(const struct cuda_call *call, struct cuda_arrays *arrays)
{
	const struct backbone_call host = host_call(call);
	const struct backbone *backbone = call->backbone;
	const struct backbone_layer *widest = &backbone->decoder.widest;
	const struct rope_shape q_rope = decoder_rope_shape(&host, widest, widest->heads);
	const struct rope_shape k_rope = decoder_rope_shape(&host, widest, widest->kv_heads);
	const struct attention_shape shape = decoder_attention_shape(&host, widest);
	struct cuda *cuda = call->decoder->cuda;
	float *k = arrays->qkv + decoder_q_width(backbone, widest);

	if (call->decoder->rope_table) {
		cuda_rope(cuda, arrays->qkv, call->decoder->rope_table, &q_rope, 1);
		cuda_rope(cuda, k, call->decoder->rope_table, &k_rope, 1);
	}
	cuda_attention_forward(cuda, call->mix, arrays->weights, arrays->qkv, k,
			       k + decoder_kv_width(backbone, widest), call->attention_scratch,
			       &shape);
	cuda_convert(cuda, arrays->mix, call->decoder->type, call->mix, call->rows,
		     shape.out_stride, shape.out_stride);
}

static void attention_forward_cached(const struct cuda_call *call, int64_t index,
				     struct cuda_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const int64_t width = decoder_kv_width(backbone, &backbone->decoder.widest);
	const int64_t plane = call->step.max_tokens * width;
	struct cuda_cache_step step = call->step;

	step.qkv = arrays->qkv;
	step.table = call->decoder->rope_table;
	step.keys += 2 * index * plane;
	step.values = step.keys + plane;
	cuda_cache_append(call->decoder->cuda, &step);
	cuda_cache_attention(call->decoder->cuda, arrays->mix, call->decoder->type, &step);
}

static void layer_forward(const struct cuda_call *call, int64_t index, struct cuda_arrays *arrays)
{
	const struct cuda_decoder *decoder = call->decoder;
	const struct cuda_layer *layer = &decoder->layers[index];

	norm_forward(call, &layer->attention_norm, arrays->norm1, decoder->type, arrays->stats1,
		     arrays->in);
	group_forward(call, index, GROUP_QKV, arrays->qkv, arrays->norm1, NULL, arrays);
	if (call->step.first)
		attention_forward_cached(call, index, arrays);
	else
		attention_forward_whole(call, arrays);
	group_forward(call, index, GROUP_OUT, arrays->mid, arrays->mix, arrays->in, arrays);
	norm_forward(call, &layer->ffn_norm, arrays->norm2, decoder->type, arrays->stats2,
		     arrays->mid);
	group_forward(call, index, GROUP_UP, arrays->up, arrays->norm2, NULL, arrays);
	cuda_activation_forward(decoder->cuda, cuda_decoder_activation(call->backbone),
				arrays->act, decoder->type, arrays->up, call->rows,
				call->backbone->shape.ffn_width);
	group_forward(call, index, GROUP_DOWN, arrays->out, arrays->act, arrays->mid, arrays);
}

/* Arrays that all layers share; with `tape`, those that each has of its own are left out. */
static void arrays_share(struct cuda_call *call, struct cuda_arrays *arrays, bool tape)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = cuda_call_attention_shape(call);
	float *x = cuda_call_floats(call, backbone->shape.width);

	*arrays = (struct cuda_arrays){
		.in = x, .mid = x, .out = x,
		.qkv = cuda_call_floats(call, shape.q_stride),
		.up = cuda_call_floats(call, decoder_up_width(backbone, &backbone->decoder.widest)),
		.norm1 = cuda_call_operand(call, backbone->shape.width),
		.mix = cuda_call_operand(call, shape.out_stride),
		.act = cuda_call_operand(call, backbone->shape.ffn_width),
	};
	arrays->norm2 = arrays->norm1;
	call->hidden = cuda_call_floats(call, backbone->shape.width);
	call->low = cuda_call_operand(call, backbone->adapter.rank);
	if (call->step.first)
		return;
	if (!tape)
		arrays->weights = cuda_arena_alloc(
			call->arena, (size_t)attention_weights_floats(&shape) * sizeof(float));
	call->mix = cuda_call_floats(call, shape.out_stride);
	call->attention_scratch =
		cuda_arena_alloc(call->arena, cuda_attention_scratch_bytes(&shape, false));
}

static bool group_adapts(const struct cuda_layer *layer, enum cuda_group group)
{
	const struct cuda_group_roles roles = cuda_group_roles[group];

	for (int role = roles.first; role <= (int)roles.last; role++)
		if (layer->adapters[role].a)
			return true;
	return false;
}

/* What backward of this layer reads becomes its own; the rest stays shared. */
static void arrays_own(const struct cuda_call *call, const struct cuda_layer *layer,
		       struct cuda_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = cuda_call_attention_shape(call);

	arrays->mid = cuda_call_floats(call, backbone->shape.width);
	arrays->out = cuda_call_floats(call, backbone->shape.width);
	arrays->stats1 = cuda_call_floats(call, 2);
	arrays->stats2 = cuda_call_floats(call, 2);
	arrays->qkv = cuda_call_floats(call, shape.q_stride);
	arrays->up = cuda_call_floats(call, decoder_up_width(backbone, &backbone->decoder.widest));
	arrays->weights = cuda_arena_alloc(
		call->arena, (size_t)attention_weights_floats(&shape) * sizeof(float));
	if (group_adapts(layer, GROUP_QKV))
		arrays->norm1 = cuda_call_operand(call, backbone->shape.width);
	if (group_adapts(layer, GROUP_OUT))
		arrays->mix = cuda_call_operand(call, shape.out_stride);
	if (group_adapts(layer, GROUP_UP))
		arrays->norm2 = cuda_call_operand(call, backbone->shape.width);
	if (group_adapts(layer, GROUP_DOWN))
		arrays->act = cuda_call_operand(call, backbone->shape.ffn_width);
	for (int role = 0; role < ROLE_COUNT; role++)
		if (layer->adapters[role].a)
			arrays->low[role] = cuda_call_operand(call, backbone->adapter.rank);
}

/* Forward of the layers from shared->in on; with `tape`, each keeps its arrays there. */
static float *layers_forward(const struct cuda_call *call, const struct cuda_arrays *shared,
			     struct cuda_arrays *tape)
{
	float *x = shared->in;

	for (int64_t i = 0; i < call->backbone->decoder.run_layers; i++) {
		struct cuda_arrays arrays = *shared;

		if (tape)
			arrays_own(call, &call->decoder->layers[i], &arrays);
		arrays.in = x;
		if (cuda_failed(call->decoder->cuda))
			return NULL;
		layer_forward(call, i, &arrays);
		x = arrays.out;
		if (tape)
			tape[i] = arrays;
	}
	return x;
}

static void input_forward(const struct cuda_call *call, float *x)
{
	if (call->decoder->positions)
		cuda_positions_add(call->decoder->cuda, x, call->decoder->positions,
				   call->step.first, call->rows, call->tokens,
				   call->backbone->shape.width);
}

/* The tape in the host's arena names the one on the device. */
static struct backbone_tape *tape_make(struct cuda_decoder *decoder, struct backbone_call *call)
{
	struct cuda_tape *tape = arena_calloc(call->arena, 1, sizeof(*tape));

	if (!tape)
		return NULL;
	tape->call.batch = call->batch;
	tape->call.tokens = call->tokens;
	tape->serial = ++decoder->tape_serial;
	return &tape->call;
}

int cuda_decoder_forward(struct backbone_call *host, const float *embeds, float *hidden,
			 struct backbone_tape **out, struct error *error)
{
	struct cuda_decoder *decoder = (struct cuda_decoder *)host->backbone->device;
	struct cuda_call call = {.decoder = decoder, .backbone = host->backbone,
				 .arena = &decoder->scratch, .batch = host->batch,
				 .tokens = host->tokens, .rows = host->rows,
				 .dropout_rng = host->dropout_rng};
	const size_t bytes = (size_t)(host->rows * host->backbone->shape.width) * sizeof(float);
	struct backbone_tape *tape = out ? tape_make(decoder, host) : NULL;
	struct cuda_arrays shared;
	float *last, *stats;
	int code;

	if (out && !tape)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a tape");
	cuda_arena_restore(&decoder->scratch, (struct cuda_mark){0});
	decoder->tape_serial += !out; /* scratch is taken again: an older tape is gone */
	code = cuda_decoder_refresh(decoder, host->backbone, error);
	if (code)
		return code;
	arrays_share(&call, &shared, out != NULL);
	stats = out ? cuda_call_floats(&call, 2) : NULL;
	if (cuda_failed(decoder->cuda))
		return cuda_finish(decoder->cuda, error);
	cuda_copy_in(decoder->cuda, shared.in, embeds, bytes);
	input_forward(&call, shared.in);
	last = layers_forward(&call, &shared, out ? decoder->tape : NULL);
	if (!last)
		return cuda_finish(decoder->cuda, error);
	norm_forward(&call, &decoder->final_norm, call.hidden, CUDA_F32, stats, last);
	cuda_copy_out(decoder->cuda, hidden, call.hidden, bytes);
	code = cuda_finish(decoder->cuda, error);
	if (!code && out) {
		decoder->tape_final_in = last;
		decoder->tape_final_stats = stats;
		decoder->tape_dropped = host->dropout_rng && host->backbone->adapter.dropout > 0;
		*out = tape;
	}
	return code;
}

static void recordings_drop(struct backbone_device_cache *cache)
{
	for (size_t i = 0; i < GRAPHS; i++) {
		cuda_graph_free(cache->recordings[i].graph);
		cache->recordings[i] = (struct recording){0};
	}
}

/* Everything a step touches, for as many tokens as the cache holds. */
static int cache_prepare(struct backbone_device_cache *own, const struct backbone *backbone,
			 int64_t max_tokens, struct error *error)
{
	struct cuda_decoder *decoder = (struct cuda_decoder *)backbone->device;
	const int64_t kv_width = decoder_kv_width(backbone, &backbone->decoder.widest);

	recordings_drop(own);
	cuda_arena_restore(&own->arena, (struct cuda_mark){0});
	own->first = cuda_arena_alloc(&own->arena, sizeof(*own->first));
	own->keys = cuda_arena_alloc(&own->arena,
				     (size_t)(2 * backbone->decoder.run_layers * max_tokens *
					      kv_width) * sizeof(float));
	own->call = (struct cuda_call){
		.decoder = decoder, .backbone = backbone, .arena = &own->arena, .batch = 1,
		.tokens = max_tokens, .rows = max_tokens,
		.step = {.max_tokens = max_tokens, .heads = backbone->shape.heads,
			 .kv_heads = backbone->shape.kv_heads,
			 .width = backbone->decoder.head_width, .first = own->first,
			 .keys = own->keys}};
	own->call.step.scale = cuda_call_attention_shape(&own->call).scale;
	arrays_share(&own->call, &own->shared, false);
	own->version = decoder->version;
	if (cuda_failed(decoder->cuda))
		return cuda_finish(decoder->cuda, error);
	return 0;
}

int cuda_cache_make(const struct backbone *backbone, struct backbone_cache *cache,
		    struct error *error)
{
	struct cuda_decoder *decoder = (struct cuda_decoder *)backbone->device;
	struct backbone_device_cache *own = calloc(1, sizeof(*own));
	int code;

	if (!own)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a cache");
	cache->device = own;
	cuda_arena_init(&own->arena, decoder->cuda);
	own->input = cuda_host_alloc(decoder->cuda,
				     (size_t)(cache->max_tokens * backbone->shape.width) *
					     sizeof(float) + sizeof(*own->first));
	code = cuda_decoder_refresh(decoder, backbone, error);
	return code ? code : cache_prepare(own, backbone, cache->max_tokens, error);
}

void cuda_cache_drop(struct backbone_cache *cache)
{
	struct backbone_device_cache *own = cache->device;

	if (!own)
		return;
	recordings_drop(own);
	cuda_host_free(own->arena.cuda, own->input);
	cuda_arena_free(&own->arena);
	free(own);
}

static void step_queue(struct backbone_device_cache *own)
{
	struct cuda_decoder *decoder = own->call.decoder;
	const float *last;

	input_forward(&own->call, own->shared.in);
	last = layers_forward(&own->call, &own->shared, NULL);
	if (last)
		norm_forward(&own->call, &decoder->final_norm, own->call.hidden, CUDA_F32, NULL,
			     last);
}

/* The recording for this number of tokens, made now if there is none. */
static const struct cuda_graph *recording_find(struct backbone_device_cache *own)
{
	struct cuda *cuda = own->call.decoder->cuda;
	struct recording *slot;

	for (size_t i = 0; i < GRAPHS; i++)
		if (own->recordings[i].graph && own->recordings[i].tokens == own->call.tokens)
			return own->recordings[i].graph;
	slot = &own->recordings[own->next++ % GRAPHS];
	cuda_graph_free(slot->graph);
	cuda_graph_begin(cuda);
	step_queue(own);
	slot->graph = cuda_graph_end(cuda);
	slot->tokens = own->call.tokens;
	return slot->graph;
}

int cuda_cache_extend(struct backbone_call *host, const float *embeds, float *hidden,
		      struct error *error)
{
	struct backbone_device_cache *own = host->cache->device;
	struct cuda_decoder *decoder = (struct cuda_decoder *)host->backbone->device;
	const size_t bytes = (size_t)(host->tokens * host->backbone->shape.width) * sizeof(float);
	const int32_t first = (int32_t)host->cache->tokens;
	const struct cuda_graph *graph;
	int code = 0;

	if (first == 0 || own->version != decoder->version)
		code = cuda_decoder_refresh(decoder, host->backbone, error);
	if (!code && own->version != decoder->version)
		code = cache_prepare(own, host->backbone, host->cache->max_tokens, error);
	if (code)
		return code;
	own->call.tokens = own->call.rows = own->call.step.tokens = host->tokens;
	graph = recording_find(own);
	memcpy(own->input, embeds, bytes);
	memcpy((char *)own->input + bytes, &first, sizeof(first));
	cuda_copy_in(decoder->cuda, own->shared.in, own->input, bytes);
	cuda_copy_in(decoder->cuda, own->first, (char *)own->input + bytes, sizeof(first));
	if (graph)
		cuda_graph_run(decoder->cuda, graph);
	cuda_copy_out(decoder->cuda, own->input, own->call.hidden, bytes);
	code = cuda_finish(decoder->cuda, error);
	if (!code)
		memcpy(hidden, own->input, bytes);
	return code;
}
