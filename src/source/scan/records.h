/*-------------------------------------------------------------------------
 *
 * records.h
 *		Opens a reader of the records of a spool.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECORDS_H
#define SPICE_RECORDS_H

#include "catalog/dataset.h"
#include "source/scan/record_reader.h"

/* Sets *format to what the dataset says; its texts are the dataset's. */
extern void records_format(const Dataset *dataset, RecordFormat *format);

/* Does the same from a dataset's definition alone. */
extern void records_read_format(const char *definition, RecordFormat *format);

/*
 * Opens a reader at the cursor.  It is freed with context, and *format has to live
 * as long.  discover: the reader adds fields as it meets them.  Errors in the
 * response are raised and say where.
 */
extern RecordReader *records_open(const RecordFormat *format, SpoolCursor *cursor,
								  bool discover, MemoryContext context);

/* Context line for errors in one of several documents; arg: its SpoolPart *, or NULL. */
extern void records_part_callback(void *arg);

#endif
