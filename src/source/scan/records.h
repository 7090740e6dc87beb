/*-------------------------------------------------------------------------
 *
 * records.h
 *		Opens a reader of the records of a spool.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECORDS_H
#define SPICE_RECORDS_H

#include "source/scan/record_reader.h"

/*
 * A reader from the cursor, freed with context.  discover: fields are added as
 * they are met.  Errors in the response are raised and say where.
 */
extern RecordReader *records_open(const Dataset *dataset, SpoolCursor *cursor,
								  bool discover, MemoryContext context);

#endif
