/*-------------------------------------------------------------------------
 *
 * parquet_text.h
 *		The values of a Parquet file as texts.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_TEXT_H
#define SPICE_PARQUET_TEXT_H

#include "source/format/parquet_column.h"

/* a text that grows; out of memory is an error of the file's */
typedef struct ParquetText
{
	ParquetFile *file;
	char	   *bytes;
	size_t		length;
	size_t		capacity;
} ParquetText;

extern void parquet_text_append(ParquetText *text, const char *bytes, size_t length);

/*
 * Appends a value that is not null as PostgreSQL's input functions read it: dates and
 * times in ISO 8601, bytes in hexadecimal behind "\x".
 */
extern void parquet_text_value(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value);

/* the same as JSON: a number, true, false, or a string; JSON in a column stays what it is */
extern void parquet_text_json(ParquetText *text, const ParquetNode *leaf, const ParquetValue *value);

/* a string with its quotes */
extern void parquet_text_string(ParquetText *text, const char *bytes, size_t length);

/*
 * A timestamp's or INT96's microseconds since 1970; what is below a microsecond is
 * rounded as PostgreSQL rounds a text of it.  False when out of range.
 */
extern bool parquet_microseconds(const ParquetNode *leaf, const ParquetValue *value, int64_t *result);

/* the number that 16 bits of an IEEE half stand for */
extern double parquet_half(const char *bytes);

#endif
