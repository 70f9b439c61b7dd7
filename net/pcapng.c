/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of a capture file (draft-ietf-opsawg-pcapng section 3.1): type and
 * length, content, options, the length again; everything in units of 4 bytes.
 */
#include "net/pcapng.h"

#include <string.h>

/* Fixed parts, data and three options of greatest length. */
#define BLOCK_MAX (64 + PCAPNG_SNAP_BYTES + 3 * (PCAPNG_TEXT_MAX + 8))

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_ENHANCED_PACKET = 6,
	BLOCK_SECTION = 0x0A0D0D0A,
};

enum option_code {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_IF_NAME = 2,
	OPTION_IF_DESCRIPTION = 3,
	OPTION_APPLICATION = 4, /* of a section */
	OPTION_IF_SPEED = 8,
	OPTION_IF_TSRESOL = 9,
};

#define BYTE_ORDER_MAGIC 0x1A2B3C4D
#define LINKTYPE_RAW 101 /* packets begin with an IP header */
#define NANOSECONDS 9    /* times count units of 10^-9 s */

struct block {
	uint8_t data[BLOCK_MAX];
	size_t size;
};

static void put16(struct block *block, uint32_t value)
{
	block->data[block->size++] = (uint8_t)value;
	block->data[block->size++] = (uint8_t)(value >> 8);
}

static void put32(struct block *block, uint32_t value)
{
	put16(block, value & 0xffff);
	put16(block, value >> 16);
}

static void put_padded(struct block *block, const void *data, size_t size)
{
	if (size > 0)
		memcpy(block->data + block->size, data, size);
	block->size += size;
	while (block->size % 4)
		block->data[block->size++] = 0;
}

static void put_option(struct block *block, enum option_code code, const void *data, size_t size)
{
	put16(block, code);
	put16(block, (uint32_t)size);
	put_padded(block, data, size);
}

/* Cut where it is too long, but never within a character. */
static void put_text(struct block *block, enum option_code code, const char *text)
{
	size_t size = strlen(text);

	if (size > PCAPNG_TEXT_MAX) {
		size = PCAPNG_TEXT_MAX;
		while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
	}
	put_option(block, code, text, size);
}

static void block_open(struct block *block, enum block_type type)
{
	block->size = 0;
	put32(block, type);
	put32(block, 0);
}

static void block_write(struct block *block, FILE *stream)
{
	const size_t size = block->size + 4;

	block->size = 4;
	put32(block, (uint32_t)size);
	block->size = size - 4;
	put32(block, (uint32_t)size);
	fwrite(block->data, 1, size, stream);
}

void pcapng_begin(FILE *stream, const char *application, const char *comment)
{
	struct block block;

	block_open(&block, BLOCK_SECTION);
	put32(&block, BYTE_ORDER_MAGIC);
	put16(&block, 1);
	put16(&block, 0);
	/* The section's length is not told: readers go block by block. */
	put32(&block, UINT32_MAX);
	put32(&block, UINT32_MAX);
	put_text(&block, OPTION_COMMENT, comment);
	put_text(&block, OPTION_APPLICATION, application);
	put_option(&block, OPTION_END, NULL, 0);
	block_write(&block, stream);
}

void pcapng_interface(FILE *stream, const char *name, const char *description,
		      uint64_t speed_bps)
{
	const uint8_t resolution = NANOSECONDS;
	struct block block;

	block_open(&block, BLOCK_INTERFACE);
	put16(&block, LINKTYPE_RAW);
	put16(&block, 0);
	put32(&block, PCAPNG_SNAP_BYTES);
	put_text(&block, OPTION_IF_NAME, name);
	put_text(&block, OPTION_IF_DESCRIPTION, description);
	if (speed_bps) {
		put16(&block, OPTION_IF_SPEED);
		put16(&block, 8);
		put32(&block, (uint32_t)speed_bps);
		put32(&block, (uint32_t)(speed_bps >> 32));
	}
	put_option(&block, OPTION_IF_TSRESOL, &resolution, 1);
	put_option(&block, OPTION_END, NULL, 0);
	block_write(&block, stream);
}

void pcapng_packet(FILE *stream, const struct pcapng_packet *packet)
{
	struct block block;

	block_open(&block, BLOCK_ENHANCED_PACKET);
	put32(&block, packet->interface);
	put32(&block, (uint32_t)(packet->time_ns >> 32));
	put32(&block, (uint32_t)packet->time_ns);
	put32(&block, packet->captured_bytes);
	put32(&block, packet->original_bytes);
	put_padded(&block, packet->data, packet->captured_bytes);
	if (packet->comment) {
		put_text(&block, OPTION_COMMENT, packet->comment);
		put_option(&block, OPTION_END, NULL, 0);
	}
	block_write(&block, stream);
}
