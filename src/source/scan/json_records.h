/*-------------------------------------------------------------------------
 *
 * json_records.h
 *		The records of a JSON response as values by field.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_RECORDS_H
#define SPICE_JSON_RECORDS_H

#include "compat.h"
#include "source/scan/record_reader.h"

/* The same as records_open(), for a JSON response. */
extern RecordReader *json_records_open(const RecordFormat *format, SpoolCursor *cursor,
									   bool discover, MemoryContext context);

/* A JSON reader that is freed with context. */
extern JsonReader *json_records_create(const RecordFormat *format, const JsonReaderOptions *options,
									   MemoryContext context);

/* Raises what a JSON reader has failed with. */
pg_noreturn extern void json_records_raise(const JsonError *error, const char *dataset);

/*
 * Returns the JSON reader below this one, by which two processes can share a
 * spool; NULL when the records have another format.
 */
extern JsonReader *json_records_reader(const RecordReader *reader);

#endif
