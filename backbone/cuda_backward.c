/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backward of the decoder on a CUDA device: the steps of decoder_backward.c.
 * The own weights are frozen there; adapters get gradients.
 */
#include "backbone/cuda_decoder.h"

/* Gradients on the way, shared by all layers. */
struct backward_arrays {
	float *d;      /* (rows, H) residual stream */
	float *d_norm; /* (rows, H) output of a norm */
	float *d_act;  /* (rows, F) */
	float *d_mix;  /* (rows, heads x head_width) */
	float *d_qkv;  /* (rows, q | k | v) */
	void *d_out;   /* input of a product: gradient of what a group wrote */
	void *d_low;   /* (rows, rank) */
};

static void arrays_make(struct cuda_call *call, struct backward_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = cuda_call_attention_shape(call);
	const int64_t up = decoder_up_width(backbone, &backbone->decoder.widest);
	const int64_t width = backbone->shape.width;
	int64_t widest = width > up ? width : up;

	widest = shape.q_stride > widest ? shape.q_stride : widest;
	arrays->d = cuda_call_floats(call, width);
	arrays->d_norm = cuda_call_floats(call, width);
	arrays->d_act = cuda_call_floats(call, backbone->shape.ffn_width);
	arrays->d_mix = cuda_call_floats(call, shape.out_stride);
	arrays->d_qkv = cuda_call_floats(call, shape.q_stride);
	arrays->d_out = cuda_call_operand(call, widest);
	arrays->d_low = cuda_call_operand(call, backbone->adapter.rank);
	call->attention_scratch =
		cuda_arena_alloc(call->arena, cuda_attention_scratch_bytes(&shape, true));
}

/* The adapter's share of the gradient of its input, through the dropout mask. */
static void adapter_backward_input(const struct cuda_call *call, const struct cuda_adapter *adapter,
				   int64_t width, float *d_in, const void *d_low, uint64_t seed)
{
	struct cuda_decoder *decoder = call->decoder;
	const struct adapter *host = &call->backbone->adapter;
	const struct cuda_mark mark = cuda_arena_save(call->arena);
	struct cuda_gemm gemm = {.m = call->rows, .n = width, .k = host->rank, .alpha = 1,
				 .beta = 1, .type = decoder->type, .type_c = CUDA_F32, .a = d_low,
				 .a_stride = host->rank, .b = adapter->a, .b_stride = width,
				 .c = d_in, .c_stride = width};

	if (decoder->tape_dropped) {
		gemm.beta = 0;
		gemm.c = cuda_call_floats(call, width);
	}
	cuda_gemm_run(decoder->cuda, &gemm);
	if (decoder->tape_dropped)
		cuda_dropout_backward(decoder->cuda, d_in, gemm.c, call->rows * width,
				      host->dropout, seed);
	cuda_arena_restore(call->arena, mark);
}

/* d_out (rows, `stride` apart) is that of the projection alone; `in` is the projection's. */
static void adapter_backward(const struct cuda_call *call, const struct cuda_adapter *adapter,
			     const struct backbone_projection *p, float *d_in, const void *d_out,
			     int64_t stride, const void *in, void *d_low, const void *low,
			     uint64_t seed)
{
	struct cuda_decoder *decoder = call->decoder;
	const struct adapter *host = &call->backbone->adapter;
	const struct cuda_mark mark = cuda_arena_save(call->arena);
	const float scale = cuda_adapter_scale(call->backbone);
	const struct cuda_gemm to_low = {
		.m = call->rows, .n = host->rank, .k = p->out, .alpha = scale,
		.type = decoder->type, .type_c = decoder->type, .a = d_out, .a_stride = stride,
		.b = adapter->b, .b_stride = host->rank, .c = d_low, .c_stride = host->rank};
	const struct cuda_gemm d_b = {
		.transpose_a = true, .m = p->out, .n = host->rank, .k = call->rows, .alpha = scale,
		.type = decoder->type, .type_c = CUDA_F32, .a = d_out, .a_stride = stride,
		.b = low, .b_stride = host->rank, .c = adapter->d_b, .c_stride = host->rank};
	struct cuda_gemm d_a = {
		.transpose_a = true, .m = host->rank, .n = p->in, .k = call->rows, .alpha = 1,
		.type = decoder->type, .type_c = CUDA_F32, .a = d_low, .a_stride = host->rank,
		.b = in, .b_stride = p->in, .c = adapter->d_a, .c_stride = p->in};

	if (decoder->tape_dropped) {
		void *dropped = cuda_call_operand(call, p->in);

		cuda_dropout(decoder->cuda, dropped, in, decoder->type, call->rows * p->in,
			     host->dropout, seed);
		d_a.b = dropped;
	}
	cuda_gemm_run(decoder->cuda, &to_low);
	cuda_gemm_run(decoder->cuda, &d_b);
	cuda_gemm_run(decoder->cuda, &d_a);
	cuda_arena_restore(call->arena, mark);
	adapter_backward_input(call, adapter, p->in, d_in, d_low, seed);
}

/* d_in = d_out W^T over the whole group, then the adapters' shares. */
static void group_backward(const struct cuda_call *call, int64_t index, enum cuda_group group,
			   float *d_in, const struct backward_arrays *arrays, const void *in,
			   const struct cuda_arrays *kept)
{
	struct cuda_decoder *decoder = call->decoder;
	const struct cuda_layer *layer = &decoder->layers[index];
	const struct backbone_layer *host = &call->backbone->decoder.layers[index];
	const struct cuda_matrix *matrix = &layer->groups[group];
	const struct cuda_group_roles roles = cuda_group_roles[group];
	const char *d_out = arrays->d_out;
	const struct cuda_gemm gemm = {
		.m = call->rows, .n = matrix->in, .k = matrix->out, .alpha = 1,
		.type = decoder->type, .type_c = CUDA_F32, .a = d_out, .a_stride = matrix->out,
		.b = matrix->weight, .b_stride = matrix->in, .c = d_in, .c_stride = matrix->in};

	cuda_gemm_run(decoder->cuda, &gemm);
	for (int role = roles.first; role <= (int)roles.last; role++) {
		const struct backbone_projection *p = &host->projections[role];

		if (layer->adapters[role].a)
			adapter_backward(call, &layer->adapters[role], p, d_in, d_out, matrix->out,
					 in, arrays->d_low, kept->low[role], kept->seed[role]);
		if (p->weight)
			d_out += (size_t)p->out * cuda_type_bytes(decoder->type);
	}
}

/* The gradient of the residual stream as an input of products. */
static void residual_convert(const struct cuda_call *call, struct backward_arrays *arrays)
{
	const int64_t width = call->backbone->shape.width;

	cuda_convert(call->decoder->cuda, arrays->d_out, call->decoder->type, arrays->d, call->rows,
		     width, width);
}

static void norm_backward(const struct cuda_call *call, const struct cuda_norm *norm, float *d_in,
			  const float *d_out, const float *in, const float *stats)
{
	const struct backbone_call host = {.backbone = call->backbone, .rows = call->rows};
	const struct norm_shape shape = decoder_norm_shape(&host);

	cuda_norm_backward_input(call->decoder->cuda, d_in, d_out, in, stats, norm->weight,
				 norm->bias != NULL, &shape);
}

static void ffn_backward(const struct cuda_call *call, int64_t index,
			 const struct cuda_arrays *kept, struct backward_arrays *arrays)
{
	struct cuda_decoder *decoder = call->decoder;

	residual_convert(call, arrays);
	group_backward(call, index, GROUP_DOWN, arrays->d_act, arrays, kept->act, kept);
	cuda_activation_backward(decoder->cuda, cuda_decoder_activation(call->backbone),
				 arrays->d_out, decoder->type, arrays->d_act, kept->up, call->rows,
				 call->backbone->shape.ffn_width);
	group_backward(call, index, GROUP_UP, arrays->d_norm, arrays, kept->norm2, kept);
	norm_backward(call, &decoder->layers[index].ffn_norm, arrays->d, arrays->d_norm, kept->mid,
		      kept->stats2);
}

static void attention_part_backward(const struct cuda_call *call, int64_t index,
				    const struct cuda_arrays *kept, struct backward_arrays *arrays)
{
	struct cuda_decoder *decoder = call->decoder;
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = cuda_call_attention_shape(call);
	const struct backbone_call host = {.backbone = backbone, .batch = call->batch,
					   .tokens = call->tokens, .rows = call->rows};
	const struct backbone_layer *widest = &backbone->decoder.widest;
	const struct rope_shape q_rope = decoder_rope_shape(&host, widest, widest->heads);
	const struct rope_shape k_rope = decoder_rope_shape(&host, widest, widest->kv_heads);
	const int64_t k = decoder_q_width(backbone, widest);
	const int64_t v = k + decoder_kv_width(backbone, widest);
	float *d_qkv = arrays->d_qkv;

	residual_convert(call, arrays);
	group_backward(call, index, GROUP_OUT, arrays->d_mix, arrays, kept->mix, kept);
	cuda_attention_backward(decoder->cuda, d_qkv, d_qkv + k, d_qkv + v, arrays->d_mix,
				kept->qkv, kept->qkv + k, kept->qkv + v, kept->weights,
				call->attention_scratch, &shape);
	if (decoder->rope_table) {
		cuda_rope(decoder->cuda, d_qkv, decoder->rope_table, &q_rope, -1);
		cuda_rope(decoder->cuda, d_qkv + k, decoder->rope_table, &k_rope, -1);
	}
	cuda_convert(decoder->cuda, arrays->d_out, decoder->type, d_qkv, call->rows,
		     shape.q_stride, shape.q_stride);
	group_backward(call, index, GROUP_QKV, arrays->d_norm, arrays, kept->norm1, kept);
	norm_backward(call, &decoder->layers[index].attention_norm, arrays->d, arrays->d_norm,
		      kept->in, kept->stats1);
}

int cuda_decoder_backward(struct backbone_call *host, const struct backbone_tape *tape,
			  const float *d_hidden, float *d_embeds, struct error *error)
{
	struct cuda_decoder *decoder = (struct cuda_decoder *)host->backbone->device;
	struct cuda_call call = {.decoder = decoder, .backbone = host->backbone,
				 .arena = &decoder->scratch, .batch = host->batch,
				 .tokens = host->tokens, .rows = host->rows};
	const size_t bytes = (size_t)(host->rows * host->backbone->shape.width) * sizeof(float);
	const struct cuda_mark mark = cuda_arena_save(&decoder->scratch);
	struct backward_arrays arrays;

	if (((const struct cuda_tape *)tape)->serial != decoder->tape_serial)
		return error_set(error, ERR_INVALID, "this tape is gone: a device keeps the tape "
						     "of the last forward only");
	arrays_make(&call, &arrays);
	if (!cuda_failed(decoder->cuda)) {
		cuda_copy_in(decoder->cuda, arrays.d_norm, d_hidden, bytes);
		cuda_zero(decoder->cuda, arrays.d, bytes);
		norm_backward(&call, &decoder->final_norm, arrays.d, arrays.d_norm,
			      decoder->tape_final_in, decoder->tape_final_stats);
	}
	for (int64_t i = host->backbone->decoder.run_layers - 1;
	     i >= 0 && !cuda_failed(decoder->cuda); i--) {
		ffn_backward(&call, i, &decoder->tape[i], &arrays);
		attention_part_backward(&call, i, &decoder->tape[i], &arrays);
	}
	if (d_embeds)
		cuda_copy_out(decoder->cuda, d_embeds, arrays.d, bytes);
	cuda_arena_restore(&decoder->scratch, mark);
	return cuda_decoder_gradients(decoder, (struct backbone *)host->backbone, error);
}
