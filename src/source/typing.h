/*-------------------------------------------------------------------------
 *
 * typing.h
 *		JSON values to Datums of a column's type, and the types of a whole
 *		document.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TYPING_H
#define SPICE_TYPING_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "nodes/pg_list.h"

#include "compat.h"
#include "source/json_reader.h"
#include "source/spool.h"

/* how one column's values are made */
typedef struct ColumnTyper
{
	Oid			type;
	int32		typmod;
	const char *name;
	FmgrInfo	input;			/* the type's input function, for what has no short way */
	Oid			io_param;
} ColumnTyper;

/* where a value stands, for errors */
typedef struct ValuePlace
{
	const char *dataset;
	const JsonReader *reader;
	const char *column;
	const JsonValue *value;
} ValuePlace;

extern void typer_init(ColumnTyper *typer, Form_pg_attribute attribute);

/*
 * The value as a Datum in the current context.  Raises an error that names
 * dataset, record, byte, column and value when it does not fit; *isnull for
 * null and for an absent field.
 */
extern Datum typer_convert(ColumnTyper *typer, const JsonValue *value,
						   const ValuePlace *place, bool *isnull);

/* context line for errors which a type's own input function raises */
extern void value_place_callback(void *arg);

/* raises what the reader reports; offset and record in the detail */
pg_noreturn extern void json_reader_raise(const JsonReader *reader, const char *dataset);

/* a reader over a spool; freed with context */
extern JsonReader *open_json_reader(SpoolCursor *cursor, const char *format,
									const char *pointer, bool discover,
									MemoryContext context);

/* does double precision hold the number without losing a digit? */
extern bool json_fits_double(const JsonValue *value);

/* one column that a document has */
typedef struct InferredColumn
{
	char	   *name;
	Oid			type;
} InferredColumn;

/*
 * Reads the whole spool and tells its columns in the order in which they
 * first appear.  *records: how many records it has.
 */
extern List *infer_columns(Spool *spool, const char *dataset, const char *format,
						   const char *pointer, int64 *records);

#endif
