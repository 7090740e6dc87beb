/*-------------------------------------------------------------------------
 *
 * column_decode.c
 *		From the bytes of a chunk to values.
 *
 * Checksums are the server's business.  A reader that trusts damaged bytes must
 * nevertheless not read outside of its pages, so all that leads to another place
 * is compared with what there is.
 *
 *-------------------------------------------------------------------------
 */
#include "column/column_decode.h"

#include <string.h>

static bool
area_is_inside(uint32_t first, uint64_t bytes, int unit, uint32_t pages)
{
	uint64_t	per_page = COLUMN_PAGE_BYTES / unit;
	uint64_t	needed = (bytes / unit + per_page - 1) / per_page;

	return first <= pages && needed <= pages - first;
}

static bool
chunk_is_sound(const ColumnChunk *chunk, uint32_t rows, uint32_t pages)
{
	int			width = chunk->width;
	bool		power = width == 1 || width == 2 || width == 4 || width == 8;

	if (chunk->nulls > rows)
		return false;
	if (chunk->nulls > 0 && !area_is_inside(chunk->null_page, (rows + 7) / 8, 1, pages))
		return false;
	switch (chunk->encoding)
	{
		case COLUMN_ABSENT:
			return true;
		case COLUMN_INTEGER:
			return width == 0 ||
				(power && area_is_inside(chunk->value_page, (uint64_t) rows * width, width, pages));
		case COLUMN_FLOAT:
			return (width == 4 || width == 8) &&
				area_is_inside(chunk->value_page, (uint64_t) rows * width, width, pages);
		case COLUMN_CODE:
			return (width == 1 || width == 2) && chunk->entries > 0 && chunk->entries <= UINT16_MAX &&
				area_is_inside(chunk->value_page, (uint64_t) rows * width, width, pages) &&
				area_is_inside(chunk->offset_page, ((uint64_t) chunk->entries + 1) * 4, 4, pages) &&
				area_is_inside(chunk->byte_page, chunk->bytes, 1, pages);
		case COLUMN_BYTES:
			return area_is_inside(chunk->value_page, ((uint64_t) rows + 1) * 4, 4, pages) &&
				area_is_inside(chunk->byte_page, chunk->bytes, 1, pages);
		default:
			return false;
	}
}

/* The header area of an extent of so many pages, in an index of so many columns. */
bool
column_decode_header(const char *header, size_t length, uint32_t pages, uint32_t columns)
{
	const ColumnHeader *head = (const ColumnHeader *) header;
	const ColumnChunk *chunks = (const ColumnChunk *) (header + sizeof(ColumnHeader));
	const ColumnBlock *blocks = (const ColumnBlock *) (chunks + columns);
	uint64_t	rows = 0;
	uint64_t	offsets = 0;

	if (length < sizeof(ColumnHeader) || head->columns != columns || head->blocks > COLUMN_GROUP_BLOCKS ||
		head->offsets > head->rows ||
		length < sizeof(ColumnHeader) + columns * sizeof(ColumnChunk) +
		head->blocks * sizeof(ColumnBlock) + (uint64_t) head->offsets * sizeof(uint16_t))
		return false;
	for (uint32_t i = 0; i < head->blocks; i++)
	{
		rows += blocks[i].rows;
		offsets += blocks[i].has_offsets ? blocks[i].rows : 0;
	}
	if (rows != head->rows || offsets != head->offsets)
		return false;
	for (uint32_t i = 0; i < columns; i++)
	{
		if (!chunk_is_sound(&chunks[i], head->rows, pages))
			return false;
	}
	return true;
}

/* of the area of values; 0: the values take no room */
int
column_rows_per_page(const ColumnChunk *chunk)
{
	if (chunk->encoding == COLUMN_BYTES)
		return COLUMN_PAGE_BYTES / 4;
	return chunk->width == 0 ? 0 : COLUMN_PAGE_BYTES / chunk->width;
}

void
column_decode_nulls(const char *page, int row, int count, bool *nulls)
{
	const uint8_t *bits = (const uint8_t *) page;

	for (int i = 0; i < count; i++)
		nulls[i] = bits[(row + i) / 8] >> ((row + i) % 8) & 1;
}

#define WIDEN(type) \
	do { \
		const type *from = (const type *) page + row; \
		if (factor == 1) \
			for (int i = 0; i < count; i++) \
				values[i] = (int64_t) (base + from[i]); \
		else \
			for (int i = 0; i < count; i++) \
				values[i] = (int64_t) (base + from[i] * factor); \
	} while (0)

void
column_decode_integers(const ColumnChunk *chunk, const char *page, int row, int count, int64_t *values)
{
	uint64_t	base = (uint64_t) chunk->base;
	uint64_t	factor = (uint64_t) chunk->factor;

	switch (chunk->width)
	{
		case 0:
			for (int i = 0; i < count; i++)
				values[i] = chunk->base;
			break;
		case 1:
			WIDEN(uint8_t);
			break;
		case 2:
			WIDEN(uint16_t);
			break;
		case 4:
			WIDEN(uint32_t);
			break;
		default:
			WIDEN(uint64_t);
			break;
	}
}

void
column_decode_floats(const ColumnChunk *chunk, const char *page, int row, int count, double *values)
{
	if (chunk->width == sizeof(float))
	{
		const float *from = (const float *) (const void *) page + row;

		for (int i = 0; i < count; i++)
			values[i] = from[i];
	}
	else
		memcpy(values, (const double *) (const void *) page + row, sizeof(double) * count);
}

bool
column_decode_codes(const ColumnChunk *chunk, const char *page, int row, int count, uint16_t * codes)
{
	uint16_t	greatest = 0;

	if (chunk->width == 1)
	{
		const uint8_t *from = (const uint8_t *) page + row;

		for (int i = 0; i < count; i++)
			codes[i] = from[i];
	}
	else
		memcpy(codes, (const uint16_t *) page + row, sizeof(uint16_t) * count);
	for (int i = 0; i < count; i++)
		greatest = codes[i] > greatest ? codes[i] : greatest;
	return greatest < chunk->entries;
}

/*
 * Strings from their offsets, one more than strings.  The bytes begin with the offset
 * start.
 */
bool
column_decode_strings(const uint32_t *offsets, int count, uint32_t start, const char *bytes,
					  size_t length, ColumnBytes *values)
{
	for (int i = 0; i < count; i++)
	{
		if (offsets[i] < start || offsets[i + 1] < offsets[i] || offsets[i + 1] - start > length)
			return false;
		values[i].data = bytes + (offsets[i] - start);
		values[i].length = offsets[i + 1] - offsets[i];
	}
	return true;
}
