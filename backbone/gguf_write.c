/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of a GGUF file.
 */
#include "backbone/gguf_write.h"

#include <stdlib.h>
#include <string.h>

static void put_number(FILE *stream, uint64_t value, int width)
{
	for (int i = 0; i < width; i++)
		putc((int)(value >> 8 * i & 0xff), stream);
}

static void put_string(FILE *stream, const char *text, size_t length)
{
	put_number(stream, length, 8);
	fwrite(text, 1, length, stream);
}

static void put_key(struct gguf_head *head, const char *key, enum gguf_kind kind)
{
	put_string(head->values, key, strlen(key));
	put_number(head->values, kind, 4);
	head->value_count++;
}

int gguf_head_new(struct gguf_head *head, struct error *error)
{
	memset(head, 0, sizeof(*head));
	head->values = open_memstream(&head->value_bytes, &head->value_size);
	head->tensors = open_memstream(&head->tensor_bytes, &head->tensor_size);
	if (head->values && head->tensors)
		return 0;
	return error_set(error, ERR_NO_MEMORY, "out of memory for the head of a GGUF file");
}

void gguf_head_free(struct gguf_head *head)
{
	if (head->values)
		fclose(head->values);
	if (head->tensors)
		fclose(head->tensors);
	free(head->value_bytes);
	free(head->tensor_bytes);
	memset(head, 0, sizeof(*head));
}

void gguf_put_text(struct gguf_head *head, const char *key, const char *text)
{
	put_key(head, key, GGUF_STRING);
	put_string(head->values, text, strlen(text));
}

void gguf_put_u32(struct gguf_head *head, const char *key, uint32_t value)
{
	put_key(head, key, GGUF_U32);
	put_number(head->values, value, 4);
}

void gguf_put_f32(struct gguf_head *head, const char *key, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_key(head, key, GGUF_F32);
	put_number(head->values, bits, 4);
}

void gguf_put_array(struct gguf_head *head, const char *key, enum gguf_kind element,
		    uint64_t count)
{
	put_key(head, key, GGUF_ARRAY);
	put_number(head->values, element, 4);
	put_number(head->values, count, 8);
}

void gguf_add_text(struct gguf_head *head, const char *text, size_t length)
{
	put_string(head->values, text, length);
}

void gguf_add_i32(struct gguf_head *head, int32_t value)
{
	put_number(head->values, (uint32_t)value, 4);
}

void gguf_put_tensor(struct gguf_head *head, const char *name, enum block_type type, int dims,
		     const int64_t *shape)
{
	const struct block_format *format = block_format(type);
	uint64_t count = 1;

	put_string(head->tensors, name, strlen(name));
	put_number(head->tensors, (uint64_t)dims, 4);
	for (int i = dims - 1; i >= 0; i--) {
		put_number(head->tensors, (uint64_t)shape[i], 8);
		count *= (uint64_t)shape[i];
	}
	put_number(head->tensors, type, 4);
	put_number(head->tensors, head->data_bytes, 8);
	head->data_bytes += count / (uint64_t)format->numbers * format->bytes;
	head->data_bytes += (0 - head->data_bytes) % GGUF_WRITE_ALIGNMENT;
	head->tensor_count++;
}

int gguf_head_write(struct gguf_head *head, FILE *stream, const char *path, struct error *error)
{
	size_t size;

	if (fflush(head->values) || fflush(head->tensors))
		return error_set(error, ERR_NO_MEMORY, "out of memory for the head of %s", path);
	size = 24 + head->value_size + head->tensor_size;
	fwrite("GGUF", 1, 4, stream);
	put_number(stream, 3, 4);
	put_number(stream, head->tensor_count, 8);
	put_number(stream, head->value_count, 8);
	fwrite(head->value_bytes, 1, head->value_size, stream);
	fwrite(head->tensor_bytes, 1, head->tensor_size, stream);
	for (; size % GGUF_WRITE_ALIGNMENT; size++)
		putc(0, stream);
	return ferror(stream) ? error_errno(error, path, "writing") : 0;
}
