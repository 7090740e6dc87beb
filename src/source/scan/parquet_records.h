/*-------------------------------------------------------------------------
 *
 * parquet_records.h
 *		The records of a Parquet file as values by field, and as tuples.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_RECORDS_H
#define SPICE_PARQUET_RECORDS_H

#include "access/htup.h"

#include "source/scan/bounds.h"
#include "source/scan/record_reader.h"
#include "source/scan/tuple_writer.h"

/*
 * Opens a reader at the cursor; with discover it adds every field of the file.  It is
 * freed with context.  The kind of a value says whether it is null, and no more.
 */
extern RecordReader *parquet_records_open(const RecordFormat *format, SpoolCursor *cursor,
										  bool discover, MemoryContext context);

/* the type of a field's values; InvalidOid: they are null, all of them */
extern Oid	parquet_records_type(const RecordReader *reader, int field, int32 *typmod);

/*
 * The current record as a tuple in the current context; place follows.  writer says
 * which field each column takes.
 */
extern HeapTuple parquet_records_tuple(RecordReader *reader, const TupleWriter *writer, ValuePlace *place);

/*
 * Before the first record: row groups in which no record can satisfy the bounds, of
 * ColumnBound *, are not read.
 */
extern void parquet_records_restrict(RecordReader *reader, const TupleWriter *writer, List *bounds,
									 ValuePlace *place);

#endif
