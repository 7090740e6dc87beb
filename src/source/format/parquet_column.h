/*-------------------------------------------------------------------------
 *
 * parquet_column.h
 *		Reads the pages of one column chunk, as levels and values.
 *
 * Includes no server header.  Errors leave by the file's escape.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_COLUMN_H
#define SPICE_PARQUET_COLUMN_H

#include "source/format/parquet_decode.h"
#include "source/format/parquet_file.h"

/*
 * One value of a leaf, by its physical type: integer for BOOLEAN, INT32 and INT64
 * (of an unsigned 64 bit number the same bits), number for FLOAT and DOUBLE, bytes and
 * length for the others.
 */
typedef struct ParquetValue
{
	union
	{
		int64_t		integer;
		double		number;
		const char *bytes;
	};
	uint32_t	length;
	bool		null;
} ParquetValue;

typedef struct ParquetColumn ParquetColumn;

extern ParquetColumn *parquet_column_create(ParquetFile *file, const ParquetNode *leaf);
extern void parquet_column_free(ParquetColumn *column);

/* begins with the column's chunk of a row group */
extern void parquet_column_begin(ParquetColumn *column, int group);

/*
 * The least and the greatest value of a leaf in a row group, of whole numbers and what is
 * stored as such; *nulls is how many nulls there are, -1: not known.  False: not known.
 */
extern bool parquet_column_bounds(const ParquetFile *file, const ParquetNode *leaf, int group,
								  ParquetValue *least, ParquetValue *greatest, int64_t *nulls);

/* the part of the file that is to be read from where the column is */
extern ByteRange parquet_column_range(const ParquetColumn *column);

/*
 * The next n entries at most; returns how many, 0 at the chunk's end.  The levels of each
 * entry go to definitions and repetitions, and the values of those that have one to values,
 * without gaps; *n_values is their number.  What values point to stays until
 * parquet_column_release().
 */
extern int	parquet_column_read(ParquetColumn *column, int n, uint32_t *definitions,
								uint32_t *repetitions, ParquetValue *values, int *n_values);

extern void parquet_column_release(ParquetColumn *column);

#endif
