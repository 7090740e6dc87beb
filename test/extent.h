/*-------------------------------------------------------------------------
 *
 * extent.h
 *		An extent of a column index in memory, each page by itself, so that a
 *		sanitizer sees what a reader takes from beside a page.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TEST_EXTENT_H
#define SPICE_TEST_EXTENT_H

#include <stdlib.h>
#include <string.h>

#include "column/column_decode.h"
#include "column/column_encode.h"

#define BLOCK_ROWS 200

typedef struct Extent
{
	char	   *header;
	size_t		header_length;
	uint32_t	pages;
	char	  **page;
} Extent;

/* what a ColumnGather has allocated */
typedef struct ExtentMemory
{
	void	  **pieces;
	int			count;
} ExtentMemory;

static inline void *
extent_allocate(void *context, void *old, size_t size)
{
	ExtentMemory *memory = context;
	int			i = 0;

	while (i < memory->count && memory->pieces[i] != old)
		i++;
	if (old == NULL || i == memory->count)
	{
		i = memory->count++;
		memory->pieces = realloc(memory->pieces, sizeof(void *) * memory->count);
		memory->pieces[i] = NULL;
	}
	if (size == 0)
	{
		free(memory->pieces[i]);
		memory->pieces[i] = NULL;
	}
	else
		memory->pieces[i] = realloc(memory->pieces[i], size);
	return memory->pieces[i];
}

static inline void
extent_release(ExtentMemory *memory)
{
	for (int i = 0; i < memory->count; i++)
		free(memory->pieces[i]);
	free(memory->pieces);
	memory->pieces = NULL;
	memory->count = 0;
}

static inline void
extent_add_area(Extent *extent, const ColumnArea *area)
{
	size_t		per_page = area->unit == 0 ? 1 : COLUMN_PAGE_BYTES / area->unit * area->unit;

	for (size_t start = 0; start < area->bytes; start += per_page)
	{
		size_t		part = area->bytes - start < per_page ? area->bytes - start : per_page;

		extent->page = realloc(extent->page, sizeof(char *) * (extent->pages + 1));
		extent->page[extent->pages] = calloc(1, COLUMN_PAGE_BYTES);
		memcpy(extent->page[extent->pages++], (const char *) area->data + start, part);
	}
}

/* of one column */
static inline Extent
extent_make(ColumnGather *gather, uint32_t rows)
{
	ColumnHeader head = {rows, (rows + BLOCK_ROWS - 1) / BLOCK_ROWS, 1, 0};
	ColumnArea	areas[COLUMN_AREAS];
	ColumnChunk chunk;
	ColumnBlock block = {0};
	Extent		extent = {0};
	char	   *end;

	column_encode(gather, &chunk, areas);
	chunk.value_page = extent.pages;
	extent_add_area(&extent, &areas[COLUMN_AREA_VALUES]);
	chunk.null_page = extent.pages;
	extent_add_area(&extent, &areas[COLUMN_AREA_NULLS]);
	chunk.offset_page = extent.pages;
	extent_add_area(&extent, &areas[COLUMN_AREA_OFFSETS]);
	chunk.byte_page = extent.pages;
	extent_add_area(&extent, &areas[COLUMN_AREA_BYTES]);

	extent.header_length = sizeof(head) + sizeof(chunk) + sizeof(ColumnBlock) * head.blocks;
	extent.header = malloc(extent.header_length);
	memcpy(extent.header, &head, sizeof(head));
	memcpy(extent.header + sizeof(head), &chunk, sizeof(chunk));
	end = extent.header + sizeof(head) + sizeof(chunk);
	for (uint32_t first = 0; first < rows; first += BLOCK_ROWS, end += sizeof(block))
	{
		block.rows = (uint16_t) (rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS);
		block.last_offset = block.rows;
		memcpy(end, &block, sizeof(block));
	}
	return extent;
}

static inline void
extent_free(Extent *extent)
{
	for (uint32_t i = 0; i < extent->pages; i++)
		free(extent->page[i]);
	free(extent->page);
	free(extent->header);
}

static inline const ColumnChunk *
extent_chunk(const Extent *extent)
{
	return (const ColumnChunk *) (extent->header + sizeof(ColumnHeader));
}

static inline bool
extent_is_sound(const Extent *extent)
{
	return column_decode_header(extent->header, extent->header_length, extent->pages, 1);
}

/* Bytes of an area that is read as one, as column_pages_copy() does; false: it ends before. */
static inline bool
extent_copy(const Extent *extent, uint32_t page, uint64_t offset, uint64_t length, char *to)
{
	for (; length > 0; length--, offset++)
	{
		uint64_t	at = page + offset / COLUMN_PAGE_BYTES;

		if (at >= extent->pages)
			return false;
		*to++ = extent->page[at][offset % COLUMN_PAGE_BYTES];
	}
	return true;
}

static inline bool
extent_is_null(const Extent *extent, uint32_t row)
{
	const ColumnChunk *chunk = extent_chunk(extent);
	bool		is_null;

	if (chunk->nulls == 0)
		return false;
	column_decode_nulls(extent->page[chunk->null_page + row / (COLUMN_PAGE_BYTES * 8)],
						row % (COLUMN_PAGE_BYTES * 8), 1, &is_null);
	return is_null;
}

static inline const char *
extent_page_of(const Extent *extent, uint32_t row, int *first)
{
	const ColumnChunk *chunk = extent_chunk(extent);
	int			per_page = column_rows_per_page(chunk);

	if (per_page == 0)
		return NULL;
	*first = (int) (row % per_page);
	return extent->page[chunk->value_page + row / per_page];
}

static inline int64_t
extent_integer(const Extent *extent, uint32_t row)
{
	int			first = 0;
	const char *page = extent_page_of(extent, row, &first);
	int64_t		value;

	column_decode_integers(extent_chunk(extent), page, first, 1, &value);
	return value;
}

static inline double
extent_float(const Extent *extent, uint32_t row)
{
	int			first = 0;
	const char *page = extent_page_of(extent, row, &first);
	double		value;

	column_decode_floats(extent_chunk(extent), page, first, 1, &value);
	return value;
}

/* The string between two offsets of an area; the caller frees it.  False: it is damaged. */
static inline bool
extent_string_at(const Extent *extent, uint32_t page, uint32_t number, char **bytes, ColumnBytes *value)
{
	const ColumnChunk *chunk = extent_chunk(extent);
	uint32_t	offsets[2];

	*bytes = NULL;
	if (!extent_copy(extent, page, (uint64_t) number * 4, sizeof(offsets), (char *) offsets) ||
		offsets[0] > offsets[1] || offsets[1] > chunk->bytes)
		return false;
	*bytes = malloc(offsets[1] - offsets[0] + 1);
	return extent_copy(extent, chunk->byte_page, offsets[0], offsets[1] - offsets[0], *bytes) &&
		column_decode_strings(offsets, 1, offsets[0], *bytes, offsets[1] - offsets[0], value);
}

static inline bool
extent_string(const Extent *extent, uint32_t row, char **bytes, ColumnBytes *value)
{
	const ColumnChunk *chunk = extent_chunk(extent);
	int			first = 0;
	const char *page;
	uint16_t	code;

	*bytes = NULL;
	if (chunk->encoding == COLUMN_BYTES)
		return extent_string_at(extent, chunk->value_page, row, bytes, value);
	page = extent_page_of(extent, row, &first);
	return column_decode_codes(chunk, page, first, 1, &code) &&
		extent_string_at(extent, chunk->offset_page, code, bytes, value);
}

#endif
