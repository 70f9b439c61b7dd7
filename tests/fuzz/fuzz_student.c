/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law: whatever the bytes, a student is either refused with a message, or it runs, whatever its
 * features are, without reading or computing beyond what there is (the sanitizers watch), and is
 * written again as the same bytes.
 *
 * Inputs are given a right size and checksum three times in four, or nothing would get further.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/student_bytes.h"
#include "policy/student_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define SIZE_AT 16
#define CHECKSUM_BYTES 8

/* Size and checksum as student_file.h says. */
static void make_right(uint8_t *data, size_t size)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (int i = 0; i < 4; i++)
		data[SIZE_AT + i] = (uint8_t)(size >> 8 * i);
	for (size_t i = 0; i < size - CHECKSUM_BYTES; i++)
		hash = (hash ^ data[i]) * UINT64_C(1099511628211);
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		data[size - CHECKSUM_BYTES + (size_t)i] = (uint8_t)(hash >> 8 * i);
}

/* One time in eight a right file takes the place of the input before it is changed. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static const char *const layers[] = {"", "8", "gru4,8", "tanh8,gru4", "transformer8:4",
					     "4,transformer5:16,3"};
	static struct aqm_student_model model;
	static unsigned char bytes[STUDENT_FILE_MAX];

	if (seed % 8 == 0 &&
	    student_model_shape(&model, (enum aqm_student_mode)(seed / 8 % 2),
				layers[seed / 16 % 6], NULL, 0, NULL) == 0) {
		const size_t right = student_file_build(&model, bytes);

		if (right <= max_size) {
			memcpy(data, bytes, right);
			size = right;
		}
	}
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 4 && size > SIZE_AT + 4 + CHECKSUM_BYTES)
		make_right(data, size);
	return size;
}

static void run(const struct aqm_student_model *model, int16_t feature)
{
	int16_t features[AQM_STUDENT_FEATURE_COUNT], out[AQM_STUDENT_OUTPUTS];
	struct aqm_student_state state = {0};

	for (int i = 0; i < AQM_STUDENT_FEATURE_COUNT; i++)
		features[i] = (int16_t)(i % 2 ? feature : -feature);
	for (int step = 0; step < 3; step++)
		aqm_student_run(model, &state, features, out);
}

/* The kernels' reader takes the same files and makes the same of them. */
static void read_as_kernels(const struct aqm_student_model *model, bool good, const uint8_t *data,
			    size_t size)
{
	static struct aqm_student_model own;

	memset(&own, 0, sizeof(own));
	if ((aqm_student_from_bytes(&own, data, size) == NULL) != good)
		abort();
	if (good && memcmp(&own, model, sizeof(own)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct aqm_student_model model;
	static unsigned char again[STUDENT_FILE_MAX];
	struct error error = {0};

	if (student_file_parse(&model, data, size, "fuzz", &error)) {
		if (!error.text[0])
			abort();
		read_as_kernels(&model, false, data, size);
		return 0;
	}
	read_as_kernels(&model, true, data, size);
	run(&model, INT16_MAX);
	run(&model, 1000);
	if (student_file_build(&model, again) != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
