/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding and encoding of stored numbers, block by block.
 */
#include "backbone/blocks.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/half.h"

static const struct {
	uint32_t type;
	struct block_format format;
} formats[] = {
	{0, {"F32", 1, 4, true}},         {1, {"F16", 1, 2, true}},
	{2, {"Q4_0", 32, 18, true}},      {3, {"Q4_1", 32, 20, true}},
	{6, {"Q5_0", 32, 22, true}},      {7, {"Q5_1", 32, 24, true}},
	{8, {"Q8_0", 32, 34, true}},      {9, {"Q8_1", 32, 36, false}},
	{10, {"Q2_K", 256, 84, false}},   {11, {"Q3_K", 256, 110, false}},
	{12, {"Q4_K", 256, 144, true}},   {13, {"Q5_K", 256, 176, true}},
	{14, {"Q6_K", 256, 210, true}},   {15, {"Q8_K", 256, 292, false}},
	{16, {"IQ2_XXS", 256, 66, false}}, {17, {"IQ2_XS", 256, 74, false}},
	{18, {"IQ3_XXS", 256, 98, false}}, {19, {"IQ1_S", 256, 50, false}},
	{20, {"IQ4_NL", 32, 18, false}},  {21, {"IQ3_S", 256, 110, false}},
	{22, {"IQ2_S", 256, 82, false}},  {23, {"IQ4_XS", 256, 136, false}},
	{24, {"I8", 1, 1, false}},        {25, {"I16", 1, 2, false}},
	{26, {"I32", 1, 4, false}},       {27, {"I64", 1, 8, false}},
	{28, {"F64", 1, 8, true}},        {29, {"IQ1_M", 256, 56, false}},
	{30, {"BF16", 1, 2, true}},       {34, {"TQ1_0", 256, 54, false}},
	{35, {"TQ2_0", 256, 66, false}},  {39, {"MXFP4", 32, 17, false}},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct block_format *block_format(uint32_t type)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (formats[i].type == type)
			return &formats[i].format;
	return NULL;
}

int block_type_named(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcasecmp(formats[i].format.name, name) == 0)
			return (int)formats[i].type;
	return -1;
}

static uint16_t u16_at(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static float f16_at(const uint8_t *from)
{
	return f16_to_f32(u16_at(from));
}

static void f16_put(uint8_t *out, float value)
{
	const uint16_t half = f16_from_f32(value);

	out[0] = (uint8_t)half;
	out[1] = (uint8_t)(half >> 8);
}

static void q8_0_decode(const uint8_t *from, float *out)
{
	const float d = f16_at(from);

	for (int j = 0; j < 32; j++)
		out[j] = d * (float)(int8_t)from[2 + j];
}

/* Q4_0, Q4_1, Q5_0, Q5_1: `fifth` the fifth bits of the 32 numbers, or NULL. */
static void nibbles_decode(const uint8_t *nibbles, const uint8_t *fifth, float d, float m,
			   float *out)
{
	uint32_t high = 0;

	if (fifth)
		high = (uint32_t)u16_at(fifth) | (uint32_t)u16_at(fifth + 2) << 16;
	for (int j = 0; j < 16; j++) {
		const uint32_t low = (nibbles[j] & 15u) | (high >> j & 1) << 4;
		const uint32_t up = (uint32_t)nibbles[j] >> 4 | (high >> (j + 16) & 1) << 4;

		out[j] = d * (float)low + m;
		out[j + 16] = d * (float)up + m;
	}
}

static void q4_0_decode(const uint8_t *from, float *out)
{
	const float d = f16_at(from);

	for (int j = 0; j < 16; j++) {
		out[j] = d * (float)((from[2 + j] & 15) - 8);
		out[j + 16] = d * (float)((from[2 + j] >> 4) - 8);
	}
}

static void q5_0_decode(const uint8_t *from, float *out)
{
	const float d = f16_at(from);

	nibbles_decode(from + 6, from + 2, d, -16 * d, out);
}

/* Scale and minimum of group j of 8: 6 bits each, the upper groups' top bits beside the lower. */
static void group_scales(const uint8_t *packed, int j, int *scale, int *minimum)
{
	if (j < 4) {
		*scale = packed[j] & 63;
		*minimum = packed[j + 4] & 63;
	} else {
		*scale = (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
		*minimum = packed[j + 4] >> 4 | packed[j] >> 6 << 4;
	}
}

/* Q4_K and Q5_K: `fifth` bit j of byte l belongs to number l of group j; NULL: four bits only. */
static void groups_decode(const uint8_t *from, const uint8_t *fifth, const uint8_t *nibbles,
			  float *out)
{
	const float d = f16_at(from), m = f16_at(from + 2);

	for (int j = 0; j < 8; j++) {
		const uint8_t *bytes = nibbles + j / 2 * 32;
		int scale, minimum;

		group_scales(from + 4, j, &scale, &minimum);
		for (int l = 0; l < 32; l++) {
			int q = j % 2 ? bytes[l] >> 4 : bytes[l] & 15;

			if (fifth)
				q += (fifth[l] >> j & 1) << 4;
			out[32 * j + l] = d * (float)scale * (float)q - m * (float)minimum;
		}
	}
}

static void q6_k_decode(const uint8_t *from, float *out)
{
	const uint8_t *scales = from + 192;
	const float d = f16_at(from + 208);

	for (int i = 0; i < 256; i++) {
		const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
		const int byte = from[64 * half + 32 * (quarter % 2) + l];
		const int low = quarter < 2 ? byte & 15 : byte >> 4;
		const int high = from[128 + 32 * half + l] >> 2 * quarter & 3;
		const int scale = (int8_t)scales[i / 16];

		out[i] = d * (float)scale * (float)((low | high << 4) - 32);
	}
}

static void one_block_decode(enum block_type type, const uint8_t *from, float *out)
{
	switch (type) {
	case BLOCK_Q8_0:
		q8_0_decode(from, out);
		break;
	case BLOCK_Q4_0:
		q4_0_decode(from, out);
		break;
	case BLOCK_Q4_1:
		nibbles_decode(from + 4, NULL, f16_at(from), f16_at(from + 2), out);
		break;
	case BLOCK_Q5_0:
		q5_0_decode(from, out);
		break;
	case BLOCK_Q5_1:
		nibbles_decode(from + 8, from + 4, f16_at(from), f16_at(from + 2), out);
		break;
	case BLOCK_Q4_K:
		groups_decode(from, NULL, from + 16, out);
		break;
	case BLOCK_Q5_K:
		groups_decode(from, from + 16, from + 48, out);
		break;
	case BLOCK_Q6_K:
		q6_k_decode(from, out);
		break;
	default:
		break;
	}
}

/* The plain types; false for the others. */
static bool plain_decode(enum block_type type, const uint8_t *from, int64_t count, float *out)
{
	double wide;

	switch (type) {
	case BLOCK_F32:
		memcpy(out, from, (size_t)count * sizeof(*out));
		return true;
	case BLOCK_F16:
		f16_all_to_f32(out, from, count);
		return true;
	case BLOCK_BF16:
		bf16_all_to_f32(out, from, count);
		return true;
	case BLOCK_F64:
		for (int64_t i = 0; i < count; i++) {
			memcpy(&wide, from + 8 * i, sizeof(wide));
			out[i] = (float)wide;
		}
		return true;
	default:
		return false;
	}
}

void block_decode(enum block_type type, const void *from, int64_t count, float *out)
{
	const struct block_format *format = block_format(type);
	const uint8_t *bytes = from;

	if (count < 1 || plain_decode(type, bytes, count, out))
		return;
	for (int64_t i = 0; i < count; i += format->numbers, bytes += format->bytes)
		one_block_decode(type, bytes, out + i);
}

/* d maps the largest magnitude to 127. */
static void q8_0_encode(const float *from, uint8_t *out)
{
	float most = 0;

	for (int j = 0; j < 32; j++)
		most = fmaxf(most, fabsf(from[j]));
	f16_put(out, most / 127);
	for (int j = 0; j < 32; j++)
		out[2 + j] = (uint8_t)(int8_t)roundf(most > 0 ? from[j] * (127 / most) : 0);
}

/* The nearest of q = 0..15 to x / d + 8. */
static uint8_t q4_0_nearest(float x, float inverse)
{
	const float q = floorf(x * inverse + 8.5f);

	return (uint8_t)(q < 0 ? 0 : q > 15 ? 15 : q);
}

/* d maps the number of largest magnitude, with its sign, to q = 0: it is then met exactly. */
static void q4_0_encode(const float *from, uint8_t *out)
{
	float most = 0, d;

	for (int j = 0; j < 32; j++)
		if (fabsf(from[j]) > fabsf(most))
			most = from[j];
	d = most / -8;
	f16_put(out, d);
	for (int j = 0; j < 16; j++) {
		const float inverse = most != 0 ? 1 / d : 0;

		out[2 + j] = (uint8_t)(q4_0_nearest(from[j], inverse) |
				       q4_0_nearest(from[j + 16], inverse) << 4);
	}
}

bool block_encodable(enum block_type type)
{
	return type == BLOCK_F32 || type == BLOCK_F16 || type == BLOCK_BF16 ||
	       type == BLOCK_Q8_0 || type == BLOCK_Q4_0;
}

void block_encode(enum block_type type, const float *from, int64_t count, void *out)
{
	uint16_t *halves = out;
	uint8_t *bytes = out;

	if (type == BLOCK_F32)
		memcpy(out, from, (size_t)count * sizeof(*from));
	for (int64_t i = 0; type == BLOCK_F16 && i < count; i++)
		halves[i] = f16_from_f32(from[i]);
	for (int64_t i = 0; type == BLOCK_BF16 && i < count; i++)
		halves[i] = bf16_from_f32(from[i]);
	for (int64_t i = 0; type == BLOCK_Q8_0 && i < count; i += 32, bytes += 34)
		q8_0_encode(from + i, bytes);
	for (int64_t i = 0; type == BLOCK_Q4_0 && i < count; i += 32, bytes += 18)
		q4_0_encode(from + i, bytes);
}
