/*-------------------------------------------------------------------------
 *
 * infer.c
 *		The columns of a dataset from its first response.
 *
 * The response is read to its end, not sampled: a decimal in the last record
 * of an integer column must not break the very load it arrived with.  A
 * column gets the narrowest type that holds every value exactly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "source/format/iso8601.h"
#include "secret/redact.h"
#include "source/scan/infer.h"
#include "source/scan/parquet_records.h"
#include "source/scan/records.h"
#include "source/scan/typing.h"

/* what has been seen in one field, as bits */
typedef enum SeenBits
{
	SEEN_BOOLEAN = 1 << 0,
	SEEN_INTEGER = 1 << 1,		/* fits bigint */
	SEEN_LARGE = 1 << 2,		/* an integer which does not fit double precision */
	SEEN_HUGE = 1 << 3,			/* a number which neither of them holds exactly */
	SEEN_DECIMAL = 1 << 4,		/* fits double precision */
	SEEN_DATE = 1 << 5,
	SEEN_TIMESTAMP = 1 << 6,
	SEEN_TIMESTAMPTZ = 1 << 7,
	SEEN_TEXT = 1 << 8,			/* any other string */
	SEEN_NESTED = 1 << 9,
	SEEN_EMPTY = 1 << 10		/* a string of no length, which is null to most types */
} SeenBits;

#define MAX_FIELD_NAME 1024

#define SEEN_NUMBER (SEEN_INTEGER | SEEN_LARGE | SEEN_HUGE | SEEN_DECIMAL)

static SeenBits
look_at_string(const JsonValue *value)
{
	int64		ignored;

	if (value->length == 0)
		return SEEN_EMPTY;
	if (value->escaped)
		return SEEN_TEXT;
	switch (iso8601_parse(value->start, value->length, &ignored))
	{
		case ISO_DATE:
			return SEEN_DATE;
		case ISO_TIMESTAMP:
			return SEEN_TIMESTAMP;
		case ISO_TIMESTAMPTZ:
			return SEEN_TIMESTAMPTZ;
		default:
			return SEEN_TEXT;
	}
}

static SeenBits
look_at(const JsonValue *value)
{
	int64		integer;

	switch (value->kind)
	{
		case JSON_FALSE:
		case JSON_TRUE:
			return SEEN_BOOLEAN;
		case JSON_INTEGER:
			if (!json_value_integer(value, &integer))
				return SEEN_HUGE;
			return typing_fits_double(value) ? SEEN_INTEGER : SEEN_INTEGER | SEEN_LARGE;
		case JSON_DECIMAL:
			return typing_fits_double(value) ? SEEN_DECIMAL : SEEN_HUGE;
		case JSON_NOT_FINITE:
			return SEEN_DECIMAL;
		case JSON_STRING:
			return look_at_string(value);
		case JSON_OBJECT:
		case JSON_ARRAY:
			return SEEN_NESTED;
		default:
			return 0;
	}
}

static Oid
number_type(SeenBits seen)
{
	if (seen & SEEN_HUGE)
		return NUMERICOID;
	if (!(seen & SEEN_DECIMAL))
		return INT8OID;
	return seen & SEEN_LARGE ? NUMERICOID : FLOAT8OID;
}

static Oid
narrowest_type(SeenBits seen)
{
	if (seen == SEEN_EMPTY)
		return TEXTOID;
	seen &= ~SEEN_EMPTY;
	if (seen & SEEN_NESTED)
		return JSONBOID;
	if (seen & SEEN_NUMBER)
		return seen & ~SEEN_NUMBER ? TEXTOID : number_type(seen);
	switch ((int) seen)
	{
		case 0:
			return InvalidOid;
		case SEEN_BOOLEAN:
			return BOOLOID;
		case SEEN_DATE:
			return DATEOID;
		case SEEN_TIMESTAMP:
		case SEEN_DATE | SEEN_TIMESTAMP:
			return TIMESTAMPOID;
		case SEEN_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		default:
			return TEXTOID;		/* strings and mixtures */
	}
}

/* what a column of this type may hold */
static SeenBits
bits_of_type(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return SEEN_BOOLEAN;
		case INT8OID:
			return SEEN_INTEGER;
		case FLOAT8OID:
			return SEEN_DECIMAL;
		case NUMERICOID:
			return SEEN_HUGE;
		case DATEOID:
			return SEEN_DATE;
		case TIMESTAMPOID:
			return SEEN_TIMESTAMP;
		case TIMESTAMPTZOID:
			return SEEN_TIMESTAMPTZ;
		case TEXTOID:
			return SEEN_TEXT;
		case JSONBOID:
			return SEEN_NESTED;
		default:
			return 0;
	}
}

Oid
infer_wider_type(Oid present, const SourceColumn *column)
{
	SeenBits	bits = bits_of_type(present);

	/* a type that no response has given has been chosen by a person */
	return bits == 0 ? present : narrowest_type(bits | column->seen);
}

/* what values of a type that the source itself names are taken to have been */
static SeenBits
seen_of_type(Oid type)
{
	SeenBits	bits = bits_of_type(type);

	if (bits != 0)
		return bits;
	if (type == INT2OID || type == INT4OID)
		return SEEN_INTEGER;
	return type == FLOAT4OID ? SEEN_DECIMAL : SEEN_TEXT;
}

/*
 * The column of a field, which the documents before may have had.  NULL: the catalog cannot
 * keep the name, which holds a NUL or is too long, so that the field is no column.
 */
static SourceColumn *
find_or_add_column(const Dataset *dataset, const char *name, size_t length, List **columns)
{
	SourceColumn *column;

	if (strlen(name) != length || length > MAX_FIELD_NAME)
		return NULL;
	column = source_column_find(*columns, name);
	if (column != NULL)
		return column;
	column = palloc0(sizeof(SourceColumn));
	column->name = column->field = pstrdup(name);
	column->typmod = -1;
	*columns = lappend(*columns, column);
	/* a column's name is for everyone to read */
	if (redact_text(column->name) != column->name)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
				 errmsg("the response of dataset \"%s\" has a field whose name holds a secret of the request", dataset->name),
				 errhint("The source may have answered with an error: look at what it answers.")));
	return column;
}

static SourceColumn *
column_of_field(const Dataset *dataset, const RecordReader *reader, int field, List **columns)
{
	size_t		length;
	const char *name = record_reader_field_name(reader, field, &length);
	SourceColumn *column = find_or_add_column(dataset, name, length, columns);

	if (column != NULL && column->position == 0)
	{
		column->position = field + 1;
		column->unnamed = length == 0 || (reader->unnamed != NULL && reader->unnamed[field]);
	}
	return column;
}

/* Spreadsheets pad lines with fields that have neither a name nor a value. */
static bool
is_padding(const RecordReader *reader, int field, SeenBits seen)
{
	return reader->unnamed != NULL && reader->unnamed[field] && (seen & ~SEEN_EMPTY) == 0;
}

static int
integer_size(Oid type)
{
	return type == INT2OID ? 2 : type == INT4OID ? 4 : type == INT8OID ? 8 : 0;
}

/* Gives the column the narrowest type for what it holds already and values of this type. */
static void
widen_column(SourceColumn *column, Oid type, int32 typmod)
{
	bool		first = !OidIsValid(column->type);

	column->seen |= seen_of_type(type) | (type == INT8OID ? SEEN_LARGE : 0);
	if (first || column->type == type)
	{
		column->typmod = first || column->typmod == typmod ? typmod : -1;
		column->type = type;
		return;
	}
	column->typmod = -1;
	if (integer_size(column->type) > 0 && integer_size(type) > 0)
		column->type = integer_size(type) > integer_size(column->type) ? type : column->type;
	else
		column->type = narrowest_type(column->seen);
}

/* Parquet says of which types its columns are, so no record has to be read. */
static int64
add_parquet_columns(const Dataset *dataset, const RecordReader *reader, List **columns)
{
	for (int i = 0; i < reader->n_fields; i++)
	{
		SourceColumn *column = column_of_field(dataset, reader, i, columns);
		int32		typmod;
		Oid			type = parquet_records_type(reader, i, &typmod);

		if (column != NULL && OidIsValid(type))
			widen_column(column, type, typmod);
	}
	return reader->n_fields > 0;
}

static int64
add_record_columns(const Dataset *dataset, RecordReader *reader, List **columns)
{
	SeenBits   *seen = palloc0(sizeof(SeenBits) * (MaxHeapAttributeNumber + 1));

	while (record_reader_next(reader))
	{
		for (int i = 0; i < reader->n_fields; i++)
			seen[i] |= look_at(&reader->values[i]);
		if (reader->record % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < reader->n_fields && reader->record > 0; i++)
	{
		SourceColumn *column = is_padding(reader, i, seen[i]) ? NULL :
		column_of_field(dataset, reader, i, columns);

		if (column != NULL)
			column->seen |= seen[i];
	}
	pfree(seen);
	return reader->record;
}

/* what a text without a type of its own may be: a whole number as it is written, or a string */
static SeenBits
look_at_text(const char *text)
{
	JsonValue	value = {.start = text, .length = strlen(text), .kind = JSON_STRING};

	if (strcmp(text, "-0") != 0 && json_value_spelled_kind(text, value.length) == JSON_INTEGER)
		value.kind = JSON_INTEGER;
	return look_at(&value);
}

/* The columns whose values the documents have as a whole. */
static void
add_part_columns(const Dataset *dataset, const SpoolPart *part, List **columns)
{
	ListCell   *cell;

	foreach(cell, part->values)
	{
		const PartValue *value = lfirst(cell);
		SourceColumn *column = find_or_add_column(dataset, value->name, strlen(value->name), columns);

		if (OidIsValid(value->type))
		{
			column->type = value->type;
			column->seen = seen_of_type(value->type);
		}
		else if (value->text != NULL)
			column->seen |= look_at_text(value->text);
	}
}

/* Reads one document.  Returns its records; of Parquet, whether there is a column. */
static int64
add_columns(const Dataset *dataset, const RecordFormat *format, SpoolCursor *cursor,
			MemoryContext context, List **columns)
{
	RecordReader *reader = records_open(format, cursor, true, context);

	return format->parquet ? add_parquet_columns(dataset, reader, columns) :
		add_record_columns(dataset, reader, columns);
}

List *
infer_columns(const Dataset *dataset, Spool *spool, SourceRelation *relation)
{
	MemoryContext context;
	ErrorContextCallback line = {error_context_stack, records_part_callback, NULL};
	const SpoolPart *part;
	SpoolCursor cursor;
	RecordFormat format;
	List	   *columns = NIL;
	ListCell   *cell;

	if (spool == NULL)
		return NIL;
	context = AllocSetContextCreate(CurrentMemoryContext, "spice inference", ALLOCSET_DEFAULT_SIZES);
	records_format(dataset, &format);
	records_detect(&format, spool);
	for (int i = 0; spool_open_document(spool, i, context, &cursor, &part); i++)
	{
		int64		records;

		line.arg = (void *) part;
		error_context_stack = &line;
		records = add_columns(dataset, &format, &cursor, context, &columns);
		if (part != NULL && records > 0)
			add_part_columns(dataset, part, &columns);
		relation->records += records;
		if (part != NULL && part->check != NULL)
			part->check(part, cursor.spool);
		error_context_stack = line.previous;
		MemoryContextReset(context);
	}
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (!OidIsValid(column->type))
			column->type = narrowest_type(column->seen);
		if (!OidIsValid(column->type) && format.parquet)
			column->type = TEXTOID;
	}
	MemoryContextDelete(context);
	return columns;
}
