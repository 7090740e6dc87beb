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

/* Decides what the manifest leaves to the response; before the first reader of the spool. */
extern void records_detect(RecordFormat *format, Spool *spool);

/* Do the spool's bytes lie in a file, as the readers want them? */
extern bool records_are_plain(const RecordFormat *format, Spool *spool);

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
