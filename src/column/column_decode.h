/*-------------------------------------------------------------------------
 *
 * column_decode.h
 *		From the bytes of a chunk to values.  False: the bytes are damaged.
 *
 * The functions for values take the contents of one page, and rows by their
 * number within the page.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_DECODE_H
#define SPICE_COLUMN_DECODE_H

#include <stddef.h>

#include "column/column_format.h"

typedef struct ColumnBytes
{
	const char *data;
	uint32_t	length;
} ColumnBytes;

extern bool column_decode_header(const char *header, size_t length, uint32_t pages, uint32_t columns);
extern int	column_rows_per_page(const ColumnChunk *chunk);
extern void column_decode_nulls(const char *page, int row, int count, bool *nulls);
extern void column_decode_integers(const ColumnChunk *chunk, const char *page, int row, int count,
								   int64_t *values);
extern void column_decode_floats(const ColumnChunk *chunk, const char *page, int row, int count,
								 double *values);
extern bool column_decode_codes(const ColumnChunk *chunk, const char *page, int row, int count,
								uint16_t * codes);
extern bool column_decode_strings(const uint32_t *offsets, int count, uint32_t start, const char *bytes,
								  size_t length, ColumnBytes *values);

#endif
