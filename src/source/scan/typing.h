/*-------------------------------------------------------------------------
 *
 * typing.h
 *		A record's values to Datums of a column's type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TYPING_H
#define SPICE_TYPING_H

#include <float.h>
#include <math.h>

#include "access/tupdesc.h"
#include "fmgr.h"

#include "catalog/dataset.h"
#include "source/scan/record_reader.h"

typedef struct ColumnTyper ColumnTyper;
typedef struct ValuePlace ValuePlace;

/* how one column's values are made */
/* what an empty text is to a type */
typedef enum EmptyText
{
	EMPTY_UNKNOWN,				/* none has come yet */
	EMPTY_VALUE,
	EMPTY_NULL					/* the type has no empty value */
} EmptyText;

struct ColumnTyper
{
	/*
	 * A value that is there and not null as a Datum in the current context. Raises an error that
	 * names dataset, record, byte, column and value when it does not fit.
	 */
	Datum		(*convert) (ColumnTyper *typer, const JsonValue *value, const ValuePlace *place);
	Oid			type;
	int32		typmod;
	const char *name;
	bool		inferred;		/* the type, so that it takes what inference takes for it */
	EmptyText	empty;
	bool		is_time;		/* texts are those of dates and times */
	const char *format;			/* of its texts, as to_timestamp() takes it, or NULL */
	FmgrInfo	input;			/* the type's input function, for what has no short way */
	Oid			io_param;
};

/* where a value stands, for errors */
struct ValuePlace
{
	const char *dataset;
	const RecordReader *reader;
	const char *column;
	const JsonValue *value;
};

/* Is an empty text null to the type?  The first one decides, by the type's input function. */
extern bool typer_empty_is_null(ColumnTyper *typer);

/* declared: what the manifest says of the column, or NULL */
extern void typer_init(ColumnTyper *typer, Form_pg_attribute attribute, const DatasetColumn *declared);

/*
 * For a null, also of a field that is absent: there is nothing to make, but a
 * domain may refuse it.
 */
extern void typer_take_null(ColumnTyper *typer);

/* context line for errors which a type's own input function raises */
extern void value_place_callback(void *arg);

/*
 * Is it evident that double precision holds the number without losing a digit?
 * A number nearer to zero than DBL_MIN loses digits, and may become zero; it takes
 * at least six characters.
 */
static inline bool
typing_is_plain_double(const JsonValue *value, double number)
{
	return value->length <= DBL_DIG && (value->length < 6 || fabs(number) >= DBL_MIN);
}

/* Does double precision hold the number without losing a digit? */
extern bool typing_fits_double(const JsonValue *value);

#endif
