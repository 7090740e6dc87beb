/*-------------------------------------------------------------------------
 *
 * parquet_decode.c
 *		Decoders of what a page holds: levels, numbers, lengths.
 *
 * Source: the Apache Parquet format, Encodings.md.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/parquet_decode.h"

#include <string.h>

static bool
read_varint(const uint8_t **position, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < 64; shift += 7)
	{
		uint8_t		byte;

		if (*position >= end)
			return false;
		byte = *(*position)++;
		*value |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* up to 64 bits at a bit position; bits past the end are zero */
static uint64_t
bits_at(const uint8_t *bytes, size_t size, uint64_t bit, int bits)
{
	size_t		byte = (size_t) (bit / 8);
	int			shift = (int) (bit % 8);
	uint64_t	low = 0;
	uint64_t	high = 0;

	if (byte + 8 <= size)
		memcpy(&low, bytes + byte, 8);
	else if (byte < size)
		memcpy(&low, bytes + byte, size - byte);
	low >>= shift;
	if (shift + bits > 64 && byte + 8 < size)
		high = (uint64_t) bytes[byte + 8] << (64 - shift);
	low |= high;
	return bits == 64 ? low : low & ((UINT64_C(1) << bits) - 1);
}

/* n values of bits each, packed from the lowest bit on, beginning at a bit of the bytes */
static void
unpack_bits(const uint8_t *bytes, size_t size, uint64_t bit, int bits, uint32_t *values, size_t n)
{
	uint64_t	mask = (UINT64_C(1) << bits) - 1;
	size_t		i = 0;

	for (; i < n && bit / 8 + 8 <= size; i++, bit += (uint64_t) bits)
	{
		uint64_t	word;

		memcpy(&word, bytes + bit / 8, 8);
		values[i] = (uint32_t) ((word >> (bit % 8)) & mask);
	}
	for (; i < n; i++, bit += (uint64_t) bits)
		values[i] = (uint32_t) bits_at(bytes, size, bit, bits);
}

/* ------- runs ------- */

void
hybrid_begin(HybridDecoder *decoder, const uint8_t *start, const uint8_t *end, int bits)
{
	memset(decoder, 0, sizeof(*decoder));
	decoder->position = start;
	decoder->end = end;
	decoder->bits = bits;
}

static bool
hybrid_next_run(HybridDecoder *decoder)
{
	uint64_t	head;
	size_t		width = (size_t) (decoder->bits + 7) / 8;
	uint64_t	size;

	if (!read_varint(&decoder->position, decoder->end, &head))
		return false;
	if ((head & 1) == 0)
	{
		if ((size_t) (decoder->end - decoder->position) < width)
			return false;
		decoder->run_value = 0;
		for (size_t i = 0; i < width; i++)
			decoder->run_value |= (uint32_t) decoder->position[i] << (8 * i);
		decoder->position += width;
		decoder->run_left = head >> 1;
		return true;
	}
	/* groups of eight; the last run of a page may be cut */
	if (head >> 1 > UINT32_MAX)
		return false;
	size = (head >> 1) * (uint64_t) decoder->bits;
	if (size > (uint64_t) (decoder->end - decoder->position))
		size = (uint64_t) (decoder->end - decoder->position);
	decoder->packed = decoder->position;
	decoder->packed_size = (size_t) size;
	decoder->packed_left = (head >> 1) * 8;
	if (decoder->bits > 0 && decoder->packed_left > size * 8 / (uint64_t) decoder->bits)
		decoder->packed_left = size * 8 / (uint64_t) decoder->bits;
	decoder->bit = 0;
	decoder->position += size;
	return true;
}

bool
hybrid_read(HybridDecoder *decoder, uint32_t *values, size_t n)
{
	while (n > 0)
	{
		size_t		some;

		if (decoder->run_left > 0)
		{
			some = decoder->run_left < n ? (size_t) decoder->run_left : n;
			for (size_t i = 0; i < some; i++)
				values[i] = decoder->run_value;
			decoder->run_left -= some;
		}
		else if (decoder->packed_left > 0)
		{
			some = decoder->packed_left < n ? (size_t) decoder->packed_left : n;
			unpack_bits(decoder->packed, decoder->packed_size, decoder->bit, decoder->bits, values, some);
			decoder->bit += (uint64_t) some * (uint64_t) decoder->bits;
			decoder->packed_left -= some;
		}
		else
		{
			if (!hybrid_next_run(decoder))
				return false;
			continue;
		}
		values += some;
		n -= some;
	}
	return true;
}

/* ------- deltas ------- */

static uint64_t
zigzag(uint64_t value)
{
	return (value >> 1) ^ (0 - (value & 1));
}

bool
delta_begin(DeltaDecoder *decoder, const uint8_t *start, const uint8_t *end)
{
	uint64_t	block;
	uint64_t	miniblocks;

	memset(decoder, 0, sizeof(*decoder));
	decoder->position = start;
	decoder->end = end;
	if (!read_varint(&decoder->position, end, &block) ||
		!read_varint(&decoder->position, end, &miniblocks) ||
		!read_varint(&decoder->position, end, &decoder->left) ||
		!read_varint(&decoder->position, end, &decoder->value))
		return false;
	decoder->value = zigzag(decoder->value);
	if (miniblocks == 0 || miniblocks > 4096 || block > 1024 * 1024 || block % miniblocks != 0 ||
		block / miniblocks % 8 != 0 || block == 0)
		return false;
	decoder->miniblocks = (uint32_t) miniblocks;
	decoder->miniblock_values = (uint32_t) (block / miniblocks);
	decoder->miniblock = decoder->miniblocks;
	decoder->first = true;
	return true;
}

/* the bytes of the current miniblock */
static size_t
miniblock_size(const DeltaDecoder *decoder)
{
	return (size_t) decoder->widths[decoder->miniblock] * decoder->miniblock_values / 8;
}

static bool
delta_next_miniblock(DeltaDecoder *decoder)
{
	if (decoder->widths != NULL && decoder->miniblock < decoder->miniblocks)
	{
		size_t		size = miniblock_size(decoder);

		/* the last miniblock may lack the bytes that no value needs */
		if (size > (size_t) (decoder->end - decoder->position))
			size = (size_t) (decoder->end - decoder->position);
		decoder->position += size;
		decoder->miniblock++;
	}
	if (decoder->miniblock >= decoder->miniblocks)
	{
		if (!read_varint(&decoder->position, decoder->end, &decoder->min_delta) ||
			(size_t) (decoder->end - decoder->position) < decoder->miniblocks)
			return false;
		decoder->min_delta = zigzag(decoder->min_delta);
		decoder->widths = decoder->position;
		decoder->position += decoder->miniblocks;
		decoder->miniblock = 0;
	}
	if (decoder->widths[decoder->miniblock] > 64)
		return false;
	decoder->miniblock_left = decoder->miniblock_values;
	decoder->bit = 0;
	return true;
}

/* whether the bytes of the current miniblock hold the values that are left of it */
static bool
miniblock_is_whole(const DeltaDecoder *decoder)
{
	uint64_t	needed = decoder->left < decoder->miniblock_left ? decoder->left : decoder->miniblock_left;
	uint64_t	bits = decoder->bit + needed * decoder->widths[decoder->miniblock];

	return (bits + 7) / 8 <= (uint64_t) (decoder->end - decoder->position);
}

bool
delta_read(DeltaDecoder *decoder, int64_t *values, size_t n)
{
	if (n > decoder->left)
		return false;
	while (n > 0)
	{
		size_t		some;
		size_t		size;
		int			width;

		if (decoder->first)
		{
			decoder->first = false;
			*values++ = (int64_t) decoder->value;
			decoder->left--;
			n--;
			continue;
		}
		if (decoder->miniblock_left == 0 && !delta_next_miniblock(decoder))
			return false;
		if (!miniblock_is_whole(decoder))
			return false;
		some = decoder->miniblock_left < n ? decoder->miniblock_left : n;
		width = decoder->widths[decoder->miniblock];
		size = (size_t) (decoder->end - decoder->position);
		for (size_t i = 0; i < some; i++)
		{
			decoder->value += decoder->min_delta +
				bits_at(decoder->position, size, decoder->bit, width);
			decoder->bit += (uint64_t) width;
			values[i] = (int64_t) decoder->value;
		}
		decoder->miniblock_left -= (uint32_t) some;
		decoder->left -= some;
		values += some;
		n -= some;
	}
	return true;
}

const uint8_t *
delta_end(DeltaDecoder decoder)
{
	int64_t		values[64];

	while (decoder.left > 0)
	{
		if (!delta_read(&decoder, values, decoder.left < 64 ? (size_t) decoder.left : 64))
			return NULL;
	}
	/* the rest of the miniblock; miniblocks that no value needs have no bytes */
	if (decoder.widths != NULL && decoder.miniblock < decoder.miniblocks)
	{
		size_t		size = miniblock_size(&decoder);

		if (size > (size_t) (decoder.end - decoder.position))
			return NULL;
		decoder.position += size;
	}
	return decoder.position;
}
