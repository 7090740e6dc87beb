/*-------------------------------------------------------------------------
 *
 * tuple_writer.h
 *		Records straight into heap tuples.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TUPLE_WRITER_H
#define SPICE_TUPLE_WRITER_H

#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"

#include "source/typing.h"

typedef struct TupleWriter
{
	TupleDesc	desc;
	HeapTupleData tuple;		/* t_data: the memory that every tuple is written to */
	Size		capacity;
	Size		used;
	MemoryContext context;
} TupleWriter;

extern void tuple_writer_init(TupleWriter *writer, TupleDesc desc, MemoryContext context);

/*
 * The record that reader is at as a tuple, good until the next call.  By
 * column: typers says how its values are made (type InvalidOid: not wanted, so
 * null) and fields which of the record's values it takes.  *place follows.
 * What conversion leaves behind is in the current context.
 */
extern HeapTuple tuple_writer_write(TupleWriter *writer, ColumnTyper *typers,
									const int *fields, ValuePlace *place);

#endif
