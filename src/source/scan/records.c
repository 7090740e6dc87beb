/*-------------------------------------------------------------------------
 *
 * records.c
 *		Opens a reader of the records of a spool.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/scan/csv_records.h"
#include "source/scan/json_records.h"
#include "source/scan/records.h"

RecordReader *
records_open(const Dataset *dataset, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	RecordReader *reader;

	reader = dataset->csv_delimiter != NULL ? csv_records_open(dataset, cursor, discover, context) :
		json_records_open(dataset, cursor, discover, context);
	reader->dataset = dataset;
	return reader;
}
