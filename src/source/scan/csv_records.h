/*-------------------------------------------------------------------------
 *
 * csv_records.h
 *		The records of a CSV response as values by field.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_CSV_RECORDS_H
#define SPICE_CSV_RECORDS_H

#include "source/scan/record_reader.h"

/* The same as records_open(), for CSV. */
extern RecordReader *csv_records_open(const RecordFormat *format, SpoolCursor *cursor,
									  bool discover, MemoryContext context);

#endif
