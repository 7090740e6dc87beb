/*-------------------------------------------------------------------------
 *
 * column_records.h
 *		The records of a JSON response that has an array for each field.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_RECORDS_H
#define SPICE_COLUMN_RECORDS_H

#include "source/scan/record_reader.h"

/* The same as records_open(), for json_format: columns. */
extern RecordReader *column_records_open(const RecordFormat *format, SpoolCursor *cursor,
										 bool discover, MemoryContext context);

#endif
