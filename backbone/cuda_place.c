/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Placing a decoder on a CUDA device: weights and adapters go there, adapter
 * gradients come back.
 */
#include "backbone/cuda_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/threads.h"

#define ADAPTER_ALIGN 64   /* floats between the beginnings of adapter arrays */
#define COPY_GRAIN 65536   /* floats below which a second thread does not pay */

const struct cuda_group_roles cuda_group_roles[GROUP_COUNT] = {
	[GROUP_QKV] = {ROLE_Q, ROLE_V},
	[GROUP_OUT] = {ROLE_OUT, ROLE_OUT},
	[GROUP_UP] = {ROLE_GATE, ROLE_UP},
	[GROUP_DOWN] = {ROLE_DOWN, ROLE_DOWN},
};

static float *floats_alloc(struct cuda_arena *arena, int64_t count)
{
	return cuda_arena_alloc(arena, (size_t)count * sizeof(float));
}

/* What making and copying weights needs besides the decoder. */
struct upload {
	struct cuda_decoder *decoder;
	const struct backbone *backbone;
	float *staging; /* device memory: the largest matrix as f32 */
	uint64_t seed;  /* of weights that the host does not have */
	struct error *error;
};

/* A weight as f32 on the device. */
static float *vector_upload(struct upload *upload, const struct backbone_weight *weight)
{
	const struct backbone_param *param = &weight->param;
	float *vector = floats_alloc(&upload->decoder->weights, param->count);

	if (vector)
		cuda_copy_in(upload->decoder->cuda, vector, param->value,
			     (size_t)param->count * sizeof(float));
	return vector;
}

/* Writes f32 values, laid out as the weight declares, (out, in) in the decoder's type to `to`. */
static void values_upload(struct upload *upload, char *to, const float *values,
			  const struct backbone_projection *p)
{
	struct cuda_decoder *decoder = upload->decoder;
	const int64_t count = p->in * p->out;
	const size_t bytes = (size_t)count * sizeof(float);

	if (decoder->type == CUDA_F32 && p->layout == LINEAR_OUT_IN) {
		cuda_copy_in(decoder->cuda, to, values, bytes);
		return;
	}
	cuda_copy_in(decoder->cuda, upload->staging, values, bytes);
	if (p->layout == LINEAR_OUT_IN)
		cuda_convert(decoder->cuda, to, decoder->type, upload->staging, 1, count, count);
	else
		cuda_transpose(decoder->cuda, to, decoder->type, upload->staging, p->in, p->out);
}

/* Writes the weight, in the type of the decoder, to `to`; what the host lacks is made there. */
static int matrix_upload(struct upload *upload, char *to, const struct backbone_projection *p)
{
	const struct backbone_weight *weight = p->weight;
	struct cuda_decoder *decoder = upload->decoder;
	const struct matrix *held = &weight->matrix;
	const int64_t count = weight->param.count;
	float *values;
	int code;

	if (upload->backbone->device_only) {
		cuda_random_normal(decoder->cuda, to, decoder->type, count,
				   upload->backbone->initializer_range, upload->seed++);
		return 0;
	}
	if (!held->data) {
		values_upload(upload, to, weight->param.value, p);
		return 0;
	}
	if (held->type == MATRIX_BF16 && decoder->type == CUDA_BF16 && !held->blocked &&
	    held->layout == LINEAR_OUT_IN) {
		cuda_copy_in(decoder->cuda, to, held->data, matrix_bytes(held));
		return 0;
	}
	values = malloc((size_t)count * sizeof(*values));
	if (!values)
		return error_set(upload->error, ERR_NO_MEMORY, "out of memory for %s",
				 weight->param.name);
	matrix_to_f32(values, weight->layout, held);
	values_upload(upload, to, values, p);
	code = cuda_finish(decoder->cuda, upload->error);
	free(values);
	return code;
}

/* The projections of a group, one after another in the outputs. */
static int group_upload(struct upload *upload, struct cuda_matrix *matrix,
			const struct backbone_layer *layer, enum cuda_group group)
{
	struct cuda_decoder *decoder = upload->decoder;
	const struct cuda_group_roles roles = cuda_group_roles[group];
	const size_t element = cuda_type_bytes(decoder->type);
	int64_t at = 0;
	bool biased = false;
	int code;

	for (int role = roles.first; role <= (int)roles.last; role++) {
		const struct backbone_projection *p = &layer->projections[role];

		if (!p->weight)
			continue;
		matrix->in = p->in;
		matrix->out += p->out;
		biased = biased || p->bias;
	}
	matrix->weight = cuda_arena_alloc(&decoder->weights,
					  (size_t)(matrix->in * matrix->out) * element);
	matrix->bias = biased ? floats_alloc(&decoder->weights, matrix->out) : NULL;
	if (matrix->bias)
		cuda_zero(decoder->cuda, matrix->bias, (size_t)matrix->out * sizeof(float));
	for (int role = roles.first; role <= (int)roles.last; role++) {
		const struct backbone_projection *p = &layer->projections[role];

		if (!p->weight)
			continue;
		code = matrix_upload(upload,
				     (char *)matrix->weight + (size_t)(at * p->in) * element, p);
		if (code)
			return code;
		if (p->bias && p->bias->param.value)
			cuda_copy_in(decoder->cuda, matrix->bias + at, p->bias->param.value,
				     (size_t)p->out * sizeof(float));
		at += p->out;
	}
	return 0;
}

static void norm_upload(struct upload *upload, struct cuda_norm *norm,
			const struct backbone_norm *from)
{
	norm->weight = vector_upload(upload, from->weight);
	norm->bias = from->bias ? vector_upload(upload, from->bias) : NULL;
}

static int layers_upload(struct upload *upload)
{
	const struct decoder *from = &upload->backbone->decoder;
	int code = 0;

	for (int64_t i = 0; i < from->run_layers && !code; i++) {
		struct cuda_layer *layer = &upload->decoder->layers[i];

		memset(layer, 0, sizeof(*layer));
		for (int group = 0; group < GROUP_COUNT && !code; group++)
			code = group_upload(upload, &layer->groups[group], &from->layers[i],
					    (enum cuda_group)group);
		norm_upload(upload, &layer->attention_norm, &from->layers[i].attention_norm);
		norm_upload(upload, &layer->ffn_norm, &from->layers[i].ffn_norm);
	}
	return code;
}

static int64_t largest_matrix(const struct backbone *backbone)
{
	int64_t largest = 0;

	for (size_t i = 0; i < backbone->weight_count; i++)
		if (backbone->weights[i].used && backbone->weights[i].param.count > largest)
			largest = backbone->weights[i].param.count;
	return largest;
}

static int weights_upload(struct cuda_decoder *decoder, const struct backbone *backbone,
			  struct error *error)
{
	const struct decoder *from = &backbone->decoder;
	struct upload upload = {.decoder = decoder, .backbone = backbone, .seed = 1,
				.error = error};
	const struct cuda_mark mark = cuda_arena_save(&decoder->scratch);
	int code;

	cuda_arena_restore(&decoder->weights, (struct cuda_mark){0});
	if (!backbone->device_only)
		upload.staging = floats_alloc(&decoder->scratch, largest_matrix(backbone));
	code = layers_upload(&upload);
	norm_upload(&upload, &decoder->final_norm, &from->final_norm);
	decoder->positions = NULL;
	if (from->positions && from->positions->used)
		decoder->positions = vector_upload(&upload, from->positions);
	if (decoder->positions)
		decoder->positions += from->position_offset * backbone->shape.width;
	decoder->rope_table = NULL;
	if (from->rope_table) {
		const int64_t count = backbone->shape.max_positions * from->head_width;

		decoder->rope_table = floats_alloc(&decoder->weights, count);
		if (decoder->rope_table)
			cuda_copy_in(decoder->cuda, decoder->rope_table, from->rope_table,
				     (size_t)count * sizeof(float));
	}
	cuda_arena_restore(&decoder->scratch, mark);
	return code ? code : cuda_finish(decoder->cuda, error);
}

/* Room for the adapters that take part, and where each layer finds its own. */
static void adapter_prepare(struct cuda_decoder *decoder, const struct backbone *backbone)
{
	const struct adapter *adapter = &backbone->adapter;
	const size_t element = cuda_type_bytes(decoder->type);
	size_t bytes;

	cuda_arena_restore(&decoder->adapter, (struct cuda_mark){0});
	cuda_host_free(decoder->cuda, decoder->adapter_staging);
	free(decoder->offsets);
	decoder->adapter_staging = NULL;
	decoder->offsets = calloc(adapter->used + 1, sizeof(*decoder->offsets));
	for (size_t i = 0; decoder->offsets && i < adapter->used; i++)
		decoder->offsets[i + 1] =
			decoder->offsets[i] +
			(adapter->params[i].count + ADAPTER_ALIGN - 1) / ADAPTER_ALIGN *
				ADAPTER_ALIGN;
	decoder->adapter_floats = decoder->offsets ? decoder->offsets[adapter->used] : 0;
	if (!decoder->adapter_floats)
		return;
	bytes = (size_t)decoder->adapter_floats * sizeof(float);
	decoder->adapter_values = cuda_arena_alloc(&decoder->adapter, bytes);
	decoder->adapter_gradients = cuda_arena_alloc(&decoder->adapter, bytes);
	decoder->adapter_operands = decoder->adapter_values;
	if (decoder->type != CUDA_F32)
		decoder->adapter_operands = cuda_arena_alloc(
			&decoder->adapter, (size_t)decoder->adapter_floats * element);
	decoder->adapter_staging = cuda_host_alloc(decoder->cuda, bytes);
	if (decoder->adapter_staging)
		memset(decoder->adapter_staging, 0, bytes);
}

static void adapter_place(struct cuda_decoder *decoder, const struct backbone *backbone)
{
	const struct backbone_param *first = backbone->adapter.params;
	const size_t element = cuda_type_bytes(decoder->type);

	for (int64_t i = 0; i < backbone->decoder.run_layers; i++)
		for (int role = 0; role < ROLE_COUNT; role++) {
			const struct backbone_projection *p =
				&backbone->decoder.layers[i].projections[role];
			struct cuda_adapter *to = &decoder->layers[i].adapters[role];
			const char *operands = decoder->adapter_operands;

			*to = (struct cuda_adapter){0};
			if (!p->lora_a || !operands || !decoder->adapter_gradients)
				continue;

			const int64_t a = decoder->offsets[p->lora_a - first];
			const int64_t b = decoder->offsets[p->lora_b - first];

			to->a = operands + (size_t)a * element;
			to->b = operands + (size_t)b * element;
			to->d_a = decoder->adapter_gradients + a;
			to->d_b = decoder->adapter_gradients + b;
		}
}

struct crossing {
	const struct cuda_decoder *decoder;
	const struct backbone_param *params;
	size_t count;
	bool in; /* values to staging; else staging added to gradients */
};

/* Elements [begin, end) of one adapter array. */
static void param_cross(const struct crossing *crossing, size_t index, int64_t begin, int64_t end)
{
	const struct backbone_param *param = &crossing->params[index];
	float *staging = crossing->decoder->adapter_staging + crossing->decoder->offsets[index];

	if (crossing->in) {
		memcpy(staging + begin, param->value + begin,
		       (size_t)(end - begin) * sizeof(float));
		return;
	}
	for (int64_t i = begin; i < end; i++)
		param->gradient[i] += staging[i];
}

static void params_cross(void *context, int worker, int64_t begin, int64_t end)
{
	const struct crossing *crossing = context;

	(void)worker;
	for (size_t i = 0; i < crossing->count; i++) {
		const int64_t start = crossing->decoder->offsets[i];
		const int64_t from = begin > start ? begin - start : 0;
		const int64_t to = end - start < crossing->params[i].count
					   ? end - start : crossing->params[i].count;

		if (from < to)
			param_cross(crossing, i, from, to);
	}
}

static void adapter_upload(struct cuda_decoder *decoder, const struct backbone *backbone)
{
	struct crossing crossing = {decoder, backbone->adapter.params, backbone->adapter.used,
				    true};
	struct cuda *cuda = decoder->cuda;

	if (!decoder->adapter_floats || cuda_failed(cuda))
		return;
	tensor_split(decoder->adapter_floats, COPY_GRAIN, params_cross, &crossing);
	cuda_copy_in(cuda, decoder->adapter_values, decoder->adapter_staging,
		     (size_t)decoder->adapter_floats * sizeof(float));
	if (decoder->type != CUDA_F32)
		cuda_convert(cuda, decoder->adapter_operands, decoder->type,
			     decoder->adapter_values, 1, decoder->adapter_floats,
			     decoder->adapter_floats);
}

int cuda_decoder_refresh(struct cuda_decoder *decoder, const struct backbone *backbone,
			 struct error *error)
{
	int code = 0;

	if (!decoder->weights_ready) {
		code = weights_upload(decoder, backbone, error);
		decoder->adapter_ready = false; /* the layers' table was made anew */
	}
	if (code)
		return code;
	decoder->weights_ready = true;
	if (!decoder->adapter_ready) {
		adapter_prepare(decoder, backbone);
		adapter_place(decoder, backbone);
		if (!decoder->offsets)
			return error_set(error, ERR_NO_MEMORY, "out of memory for adapters");
		if (cuda_failed(decoder->cuda))
			return cuda_finish(decoder->cuda, error);
		decoder->adapter_ready = true;
	}
	adapter_upload(decoder, backbone);
	return 0;
}

int cuda_decoder_gradients(struct cuda_decoder *decoder, struct backbone *backbone,
			   struct error *error)
{
	struct crossing crossing = {decoder, backbone->adapter.params, backbone->adapter.used,
				    false};
	int code;

	if (decoder->adapter_floats)
		cuda_copy_out(decoder->cuda, decoder->adapter_staging, decoder->adapter_gradients,
			      (size_t)decoder->adapter_floats * sizeof(float));
	code = cuda_finish(decoder->cuda, error);
	if (!code && decoder->adapter_floats)
		tensor_split(decoder->adapter_floats, COPY_GRAIN, params_cross, &crossing);
	return code;
}

static void decoder_changed(struct backbone_device *device, bool weights)
{
	struct cuda_decoder *decoder = (struct cuda_decoder *)device;

	decoder->adapter_ready = false;
	decoder->version++;
	if (weights)
		decoder->weights_ready = false;
}

static void decoder_close(struct backbone_device *device)
{
	struct cuda_decoder *decoder = (struct cuda_decoder *)device;

	cuda_arena_free(&decoder->weights);
	cuda_arena_free(&decoder->adapter);
	cuda_arena_free(&decoder->scratch);
	if (decoder->cuda)
		cuda_host_free(decoder->cuda, decoder->adapter_staging);
	cuda_close(decoder->cuda);
	free(decoder->offsets);
	free(decoder->layers);
	free(decoder->tape);
	free(decoder);
}

static size_t decoder_peak_bytes(const struct backbone_device *device)
{
	return cuda_peak_bytes(((const struct cuda_decoder *)device)->cuda);
}

static const char *decoder_name(const struct backbone_device *device)
{
	return cuda_name(((const struct cuda_decoder *)device)->cuda);
}

static const struct backbone_device methods = {
	.forward = cuda_decoder_forward,
	.backward = cuda_decoder_backward,
	.cache_new = cuda_cache_make,
	.cache_free = cuda_cache_drop,
	.extend = cuda_cache_extend,
	.changed = decoder_changed,
	.close = decoder_close,
	.peak_bytes = decoder_peak_bytes,
	.name = decoder_name,
};

static int decoder_check(const struct backbone *backbone, struct error *error)
{
	const struct decoder *decoder = &backbone->decoder;

	if (backbone->architecture->pass != &decoder_pass)
		return error_set(error, ERR_UNSUPPORTED,
				 "%s has no CUDA code; leave --device out to run on the CPU",
				 backbone->shape.architecture);
	if (decoder->norm_after || decoder->project_in.weight || decoder->project_out.weight ||
	    !decoder->final_norm.weight || decoder->activation == ACTIVATION_GELU_GATE)
		return error_set(error, ERR_UNSUPPORTED,
				 "this %s is wired in a way that has no CUDA code; leave --device "
				 "out to run on the CPU", backbone->shape.architecture);
	if (decoder->pruned)
		return error_set(error, ERR_UNSUPPORTED,
				 "layers of different sizes have no CUDA code; leave --device out "
				 "to run on the CPU");
	if (backbone->options.trainable)
		return error_set(error, ERR_UNSUPPORTED,
				 "training all weights has no CUDA code, training adapters does");
	return 0;
}

int backbone_place_cuda(struct backbone *backbone, bool bf16, struct error *error)
{
	const size_t layers = (size_t)backbone->decoder.run_layers;
	struct cuda_decoder *decoder;
	int code = decoder_check(backbone, error);

	if (code)
		return code;
	decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a device");
	decoder->device = methods;
	decoder->type = bf16 ? CUDA_BF16 : CUDA_F32;
	decoder->layers = calloc(layers, sizeof(*decoder->layers));
	decoder->tape = calloc(layers, sizeof(*decoder->tape));
	code = decoder->layers && decoder->tape
		       ? cuda_open(&decoder->cuda, error)
		       : error_set(error, ERR_NO_MEMORY, "out of memory for a device");
	cuda_arena_init(&decoder->weights, decoder->cuda);
	cuda_arena_init(&decoder->adapter, decoder->cuda);
	cuda_arena_init(&decoder->scratch, decoder->cuda);
	if (code)
		decoder_close(&decoder->device);
	else
		backbone->device = &decoder->device;
	return code;
}
