/*-------------------------------------------------------------------------
 *
 * csv.c
 *		The records of a CSV response, taken apart by the server's own COPY.
 *
 * COPY gives the fields of a line as texts, with quotes undone and NULL told
 * from "".  Which column a field is for is ours to say, because COPY wants
 * exactly a table's columns in exactly their order, and a source may move
 * them, add some, or leave some out: the header names them (column_1,
 * column_2 and so on name them without one).  Each text is then made a Datum
 * once, like a value of JSON.
 *
 * States and their successors:
 *
 *		opened	-> reading	(first call of next: the header is read, or without
 *							one the first record, which waits to be given out)
 *		reading	-> ended	(no line is left)
 *
 * COPY calls for bytes without saying for whom, and wants a relation that
 * raw fields are never compared with; it gets a catalog that is always there,
 * since the first time our foreign table is not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "commands/copyfrom_internal.h"
#include "commands/defrem.h"
#include "commands/progress.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "source/records.h"

#define NO_HEADER_NAME	"column_%d"

/* how the texts of a field are presented */
typedef enum CsvReading
{
	CSV_UNREAD,					/* nobody looks at them */
	CSV_TEXT,
	CSV_NUMBER,					/* numbers as such, anything else as text */
	CSV_BOOLEAN,				/* true and false as such */
	CSV_JSON,					/* a document in itself */
	CSV_ANY						/* numbers, true and false: the type is to be found */
} CsvReading;

typedef struct CsvField
{
	char	   *name;
	int			position;		/* in a line; -1: the response does not have it */
	CsvReading	reading;
} CsvField;

typedef struct CsvRecords
{
	RecordReader reader;
	SpoolCursor *cursor;
	bool		at_end;			/* COPY has been told that there are no more bytes */
	bool		discover;
	bool		reading;		/* the fields' positions are known */
	bool		waiting;		/* a line has been read, but not given out */
	MemoryContext context;
	CopyFromState copy;
	int64		line;			/* where the newest record begins, from 1 */
	char	  **texts;			/* of the line, NULL for null */
	int			n_texts;
	int			n_names;		/* fields that every line must have */
	char	  **names;
	CsvField   *fields;
	JsonValue  *values;
	int			n_unknown;		/* names that are no field */
	char		unknown_name[64];
	ErrorContextCallback context_line;
} CsvRecords;

/* whom COPY reads for at the moment */
static CsvRecords *being_read;

static int
read_bytes(void *buffer, int least pg_attribute_unused(), int most)
{
	int			n = (int) spool_read(being_read->cursor, buffer, (Size) most);

	being_read->at_end = n == 0;
	return n;
}

/* errors of COPY itself know nothing of records */
static void
reading_callback(void *arg)
{
	const CsvRecords *csv = arg;

	if (csv->reading)
		errcontext("dataset \"%s\", record %lld, line %lld", csv->reader.dataset->name,
				   (long long) csv->reader.record + 1, (long long) csv->line);
	else
		errcontext("dataset \"%s\", line %lld", csv->reader.dataset->name, (long long) csv->line);
}

pg_noreturn static void
refuse_response(const CsvRecords *csv, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("invalid response: %s", problem),
			 csv->reading ?
			 errdetail("Dataset \"%s\", record %lld, line %lld.", csv->reader.dataset->name,
					   (long long) csv->reader.record + 1, (long long) csv->line) :
			 errdetail("Dataset \"%s\", line %lld.", csv->reader.dataset->name, (long long) csv->line),
			 errhint("%s", hint)));
}

/*
 * Up to version 17 COPY takes a line that is only \. for the end, and would
 * leave the rest of the response out.
 */
static void
check_end(const CsvRecords *csv)
{
	if (!csv->at_end)
		refuse_response(csv, "a line holds nothing but \\.",
						"PostgreSQL takes it for the end of the data: have the source put quotes around it.");
}

/* the next line that is not blank; with one column, a blank line is a null */
static bool
read_line(CsvRecords *csv)
{
	bool		more;

	csv->context_line.previous = error_context_stack;
	error_context_stack = &csv->context_line;
	being_read = csv;
	do
	{
		csv->line = (int64) csv->copy->cur_lineno + 1;
		more = NextCopyFromRawFields(csv->copy, &csv->texts, &csv->n_texts);
	} while (more && csv->n_texts == 1 && csv->texts[0] == NULL && csv->n_names != 1);
	error_context_stack = csv->context_line.previous;
	if (!more)
		check_end(csv);
	return more;
}

/* ------- the header ------- */

/* a text as an error quotes it */
static char *
excerpt(const char *text)
{
	int			length = (int) strlen(text);
	int			cut = pg_mbcliplen(text, length, 63);

	return psprintf("%.*s%s", cut, text, cut < length ? "..." : "");
}

static bool
looks_like_html(const char *text)
{
	text += strspn(text, " \t\r\n");
	return pg_strncasecmp(text, "<!doctype", 9) == 0 || pg_strncasecmp(text, "<html", 5) == 0;
}

static void
check_header(const CsvRecords *csv)
{
	for (int i = 0; i < csv->n_names; i++)
	{
		if (csv->texts[i] == NULL || csv->texts[i][0] == '\0')
			refuse_response(csv, psprintf("field %d of the header has no name", i + 1),
							"Have the source name every field, or set csv_has_header or tsv_has_header to false.");
		for (int j = 0; j < i; j++)
		{
			if (strcmp(csv->texts[i], csv->texts[j]) == 0)
				refuse_response(csv, psprintf("fields %d and %d of the header have the same name \"%s\"",
											  j + 1, i + 1, excerpt(csv->texts[i])),
								"Have the source name every field once.");
		}
	}
}

/* how many fields there are, and what they are called */
static void
read_names(CsvRecords *csv)
{
	bool		header = csv->reader.dataset->csv_header;

	if (!read_line(csv))
	{
		/* without a header, nothing is what no records look like */
		if (header)
			refuse_response(csv, "there is no header", "Look at what the source answers.");
		return;
	}
	if (csv->texts[0] != NULL && looks_like_html(csv->texts[0]))
		refuse_response(csv, "it is an HTML page", "Look at what the source answers.");
	if (csv->n_texts > MaxHeapAttributeNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("invalid response: more than %d fields", MaxHeapAttributeNumber),
				 errdetail("Dataset \"%s\", line %lld.", csv->reader.dataset->name,
						   (long long) csv->line)));
	csv->n_names = csv->n_texts;
	csv->names = MemoryContextAlloc(csv->context, sizeof(char *) * csv->n_names);
	if (header)
		check_header(csv);
	for (int i = 0; i < csv->n_names; i++)
	{
		char		name[sizeof(NO_HEADER_NAME) + 10];

		snprintf(name, sizeof(name), NO_HEADER_NAME, i + 1);
		csv->names[i] = MemoryContextStrdup(csv->context, header ? csv->texts[i] : name);
	}
	csv->waiting = !header;
}

static void
add_field(CsvRecords *csv, const char *name, CsvReading reading)
{
	CsvField   *field = &csv->fields[csv->reader.n_fields++];

	field->name = MemoryContextStrdup(csv->context, name);
	field->position = -1;
	field->reading = reading;
}

static int
find_field(const CsvRecords *csv, const char *name)
{
	for (int i = 0; i < csv->reader.n_fields; i++)
	{
		if (strcmp(csv->fields[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* a field that only its position names, and that the line is too short for */
static void
check_positions(const CsvRecords *csv)
{
	for (int i = 0; i < csv->reader.n_fields; i++)
	{
		const CsvField *field = &csv->fields[i];
		int			position;

		if (field->position < 0 && sscanf(field->name, NO_HEADER_NAME, &position) == 1)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a response does not have all columns of dataset \"%s\"",
							csv->reader.dataset->name),
					 errdetail("Line %lld has %d fields, and there is a column \"%s\".",
							   (long long) csv->line, csv->n_names, field->name),
					 errhint("Look at what the source answers.")));
	}
}

/* a page of another kind must not pass for rows of nulls */
static void
refuse_foreign_header(const CsvRecords *csv)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("a response has none of the columns of dataset \"%s\"", csv->reader.dataset->name),
			 errdetail("Its header has %d fields, the first of them \"%s\".", csv->n_names,
					   excerpt(csv->names[0])),
			 errhint("Look at what the source answers, and at the delimiter in params.")));
}

/* which field is where */
static void
place_fields(CsvRecords *csv)
{
	csv->n_unknown = csv->n_names;
	for (int i = 0; i < csv->n_names; i++)
	{
		int			field = find_field(csv, csv->names[i]);

		if (field < 0 && csv->discover)
		{
			field = csv->reader.n_fields;
			add_field(csv, csv->names[i], CSV_ANY);
		}
		if (field >= 0)
		{
			csv->fields[field].position = i;
			csv->n_unknown--;
		}
		else if (csv->unknown_name[0] == '\0')
			memcpy(csv->unknown_name, csv->names[i],
				   pg_mbcliplen(csv->names[i], (int) strlen(csv->names[i]), sizeof(csv->unknown_name) - 1));
	}
	if (csv->n_names > 0 && csv->reader.dataset->csv_header && csv->n_unknown == csv->n_names)
		refuse_foreign_header(csv);
	if (csv->n_names > 0 && !csv->reader.dataset->csv_header)
		check_positions(csv);
}

/* ------- the records ------- */

/* is the text a number as JSON writes them?  Others, 007 for one, are texts. */
static JsonKind
kind_of_number(const char *p)
{
	JsonKind	kind = JSON_INTEGER;

	p += *p == '-';
	if (*p == '0')
		p++;
	else if (*p >= '1' && *p <= '9')
		p += strspn(p, "0123456789");
	else
		return JSON_STRING;
	if (*p == '.')
	{
		size_t		digits = strspn(++p, "0123456789");

		if (digits == 0)
			return JSON_STRING;
		p += digits;
		kind = JSON_DECIMAL;
	}
	if (*p == 'e' || *p == 'E')
	{
		size_t		digits;

		p++;
		p += *p == '+' || *p == '-';
		digits = strspn(p, "0123456789");
		if (digits == 0)
			return JSON_STRING;
		p += digits;
		kind = JSON_DECIMAL;
	}
	return *p == '\0' ? kind : JSON_STRING;
}

static JsonKind
kind_of_boolean(const char *text)
{
	if (pg_strcasecmp(text, "true") == 0)
		return JSON_TRUE;
	return pg_strcasecmp(text, "false") == 0 ? JSON_FALSE : JSON_STRING;
}

static JsonKind
kind_of_text(const char *text, CsvReading reading)
{
	JsonKind	kind;

	switch (reading)
	{
		case CSV_NUMBER:
			return kind_of_number(text);
		case CSV_BOOLEAN:
			/* as COPY writes them; other spellings are known to the type */
			if ((text[0] == 't' || text[0] == 'f') && text[1] == '\0')
				return text[0] == 't' ? JSON_TRUE : JSON_FALSE;
			return kind_of_boolean(text);
		case CSV_JSON:
			return JSON_OBJECT;
		case CSV_ANY:
			kind = kind_of_number(text);
			return kind != JSON_STRING ? kind : kind_of_boolean(text);
		default:
			return JSON_STRING;
	}
}

static void
set_values(CsvRecords *csv)
{
	for (int i = 0; i < csv->reader.n_fields; i++)
	{
		const CsvField *field = &csv->fields[i];
		JsonValue  *value = &csv->values[i];

		if (field->position < 0 || field->reading == CSV_UNREAD)
			continue;
		value->start = csv->texts[field->position];
		if (value->start == NULL)
		{
			value->kind = JSON_NULL;
			continue;
		}
		value->length = strlen(value->start);
		value->kind = kind_of_text(value->start, field->reading);
	}
}

static bool
csv_next(RecordReader *reader)
{
	CsvRecords *csv = (CsvRecords *) reader;

	if (!csv->reading)
	{
		read_names(csv);
		place_fields(csv);
		csv->reading = true;
	}
	if (!csv->waiting && !read_line(csv))
		return false;
	csv->waiting = false;
	if (csv->n_texts != csv->n_names)
		refuse_response(csv, psprintf("a record has %d fields where %d are due", csv->n_texts, csv->n_names),
						"Look at the delimiter and the quotes in the response, and at those in params.");
	set_values(csv);
	reader->record++;
	reader->unknown_total += csv->n_unknown;
	return true;
}

/* ------- opening ------- */

static CsvReading
reading_for(Oid type)
{
	switch (type)
	{
		case InvalidOid:
			return CSV_UNREAD;
		case INT8OID:
		case INT4OID:
		case INT2OID:
		case FLOAT8OID:
			return CSV_NUMBER;
		case BOOLOID:
			return CSV_BOOLEAN;
		case JSONBOID:
		case JSONOID:
			return CSV_JSON;
		default:
			return CSV_TEXT;
	}
}

static int
csv_add_field(RecordReader *reader, const char *name, Oid type)
{
	add_field((CsvRecords *) reader, name, reading_for(type));
	return reader->n_fields - 1;
}

static const char *
csv_field_name(const RecordReader *reader, int field, size_t *length)
{
	const char *name = ((const CsvRecords *) reader)->fields[field].name;

	*length = strlen(name);
	return name;
}

static char *
csv_place(const RecordReader *reader, const JsonValue *value pg_attribute_unused())
{
	return psprintf("record %lld, line %lld", (long long) reader->record,
					(long long) ((const CsvRecords *) reader)->line);
}

/* COPY does not know the mark with which some programs begin UTF-8 */
static void
skip_byte_order_mark(SpoolCursor *cursor)
{
	int64		start = cursor->offset;
	char		bytes[3];

	if (spool_read(cursor, bytes, sizeof(bytes)) != sizeof(bytes) ||
		memcmp(bytes, "\xEF\xBB\xBF", sizeof(bytes)) != 0)
		cursor->offset = start;
}

static DefElem *
text_option(const char *name, const char *value)
{
	return makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1);
}

static CopyFromState
begin_copy(const Dataset *dataset)
{
	Relation	relation = table_open(ForeignTableRelationId, AccessShareLock);
	List	   *options = list_make5(text_option("format", "csv"),
									 text_option("delimiter", dataset->csv_delimiter),
									 text_option("quote", dataset->csv_quote),
									 text_option("escape", dataset->csv_escape),
									 text_option("encoding", "UTF8"));
	CopyFromState copy;

	copy = BeginCopyFrom(NULL, relation, NULL, NULL, false, read_bytes, NIL, options);
	table_close(relation, AccessShareLock);
	return copy;
}

/* COPY's memory is its context's; what it told the world is left to undo */
static void
end_copy(void *arg pg_attribute_unused())
{
	pgstat_progress_end_command();
}

RecordReader *
csv_open(const Dataset *dataset, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	static const RecordMethods methods = {
		.next = csv_next,
		.add_field = csv_add_field,
		.field_name = csv_field_name,
		.place = csv_place
	};
	MemoryContext old = MemoryContextSwitchTo(context);
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	CsvRecords *csv = palloc0(sizeof(CsvRecords));

	skip_byte_order_mark(cursor);
	csv->reader.methods = &methods;
	csv->reader.unknown_name = csv->unknown_name;
	csv->context = context;
	csv->cursor = cursor;
	csv->discover = discover;
	csv->fields = palloc0(sizeof(CsvField) * MaxHeapAttributeNumber);
	csv->values = palloc0(sizeof(JsonValue) * MaxHeapAttributeNumber);
	csv->reader.values = csv->values;
	csv->context_line.callback = reading_callback;
	csv->context_line.arg = csv;
	csv->copy = begin_copy(dataset);
	callback->func = end_copy;
	MemoryContextRegisterResetCallback(context, callback);
	MemoryContextSwitchTo(old);
	return &csv->reader;
}
