/*-------------------------------------------------------------------------
 *
 * tuple_writer.h
 *		Records straight into heap tuples.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TUPLE_WRITER_H
#define SPICE_TUPLE_WRITER_H

#include "access/htup_details.h"
#include "access/tupdesc.h"

#include "source/scan/typing.h"

/* types whose plain values are written without a conversion */
typedef enum WriterShortcut
{
	WRITER_ANY,
	WRITER_TEXT,
	WRITER_INTEGER,				/* bigint */
	WRITER_DOUBLE
} WriterShortcut;

/* what writing a value takes, close together: every record asks for all of it */
typedef struct WriterColumn
{
	ColumnTyper *typer;			/* NULL: not wanted, so null */
	int			field;			/* which of the record's values it takes */
	int16		length;			/* of the type */
	char		alignment;
	bool		by_value;
	bool		packable;		/* may have a short header */
	WriterShortcut shortcut;
} WriterColumn;

typedef struct TupleWriter
{
	TupleDesc	desc;
	WriterColumn *columns;
	HeapTupleData tuple;		/* t_data: the memory that every tuple is written to */
	Size		capacity;
	Size		used;
	bool		nulls;			/* the tuple before had some */
} TupleWriter;

/* typers: by column; type InvalidOid: not wanted */
extern void tuple_writer_init(TupleWriter *writer, TupleDesc desc, ColumnTyper *typers,
							  MemoryContext context);

/*
 * The record that place's reader is at as a tuple, good until the next call.
 * *place follows.  What conversion leaves behind is in the current context.
 */
extern HeapTuple tuple_writer_write(TupleWriter *writer, ValuePlace *place);

#endif
