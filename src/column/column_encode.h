/*-------------------------------------------------------------------------
 *
 * column_encode.h
 *		From the values of a row group's column to the areas of a chunk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_ENCODE_H
#define SPICE_COLUMN_ENCODE_H

#include <stddef.h>

#include "column/column_format.h"

/* how values of a type are kept */
typedef enum ColumnClass
{
	COLUMN_CLASS_INTEGER,		/* passed by value, but not a float */
	COLUMN_CLASS_FLOAT,
	COLUMN_CLASS_NUMERIC,		/* integers if all have the same number of decimal digits, else
								 * bytes */
	COLUMN_CLASS_BYTES
} ColumnClass;

/* as realloc(); does not return without memory */
typedef void *(*ColumnAllocate) (void *context, void *old, size_t size);

/* an area of a chunk: no unit crosses the end of a page */
typedef struct ColumnArea
{
	const void *data;
	size_t		bytes;
	int			unit;
} ColumnArea;

typedef enum ColumnAreaKind
{
	COLUMN_AREA_VALUES,
	COLUMN_AREA_NULLS,
	COLUMN_AREA_OFFSETS,
	COLUMN_AREA_BYTES,
	COLUMN_AREAS
} ColumnAreaKind;

typedef struct ColumnGather ColumnGather;

/* width: 4 or 8 bytes of a float */
extern ColumnGather *column_gather_make(ColumnClass class, int width, ColumnAllocate allocate, void *context);
extern void column_gather_start(ColumnGather *gather);
extern void column_gather_null(ColumnGather *gather);
extern void column_gather_integer(ColumnGather *gather, int64_t value);
extern void column_gather_float(ColumnGather *gather, double value);
extern void column_gather_bytes(ColumnGather *gather, const char *data, uint32_t length);

/* scale: decimal digits of the integer; -1: the value is none of 64 bits */
extern void column_gather_numeric(ColumnGather *gather, int64_t value, int scale, const char *data,
								  uint32_t length);

/* A value cannot be kept: the chunk will be absent. */
extern void column_gather_give_up(ColumnGather *gather);

/* The areas are the gather's until it starts again. */
extern void column_encode(ColumnGather *gather, ColumnChunk *chunk, ColumnArea areas[COLUMN_AREAS]);
extern uint32_t column_area_pages(const ColumnArea *area);

#endif
