/*-------------------------------------------------------------------------
 *
 * csv_records.c
 *		The records of a CSV response as values by field.
 *
 * The header says which text of a line is for which field, so a source may
 * move its columns, add some, or leave some out; without a header they are
 * column_1, column_2 and so on.  A text has no type of its own: it is presented
 * as what the field's column can take, and made a Datum once, as a value of
 * JSON is.
 *
 * States and their successors:
 *
 *		opened	-> reading	(first call of next: the header is read, or without
 *							one the first record, which waits to be given out)
 *		reading	-> ended	(no line is left)
 *
 * A blank line is no record, but of a single column it is a null, for exporters
 * write nulls like that, unless only blank lines follow it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "catalog/dataset.h"
#include "compat.h"
#include "source/format/bytes.h"
#include "source/format/csv_reader.h"
#include "source/scan/csv_records.h"
#include "source/scan/record_input.h"

#define NO_HEADER_NAME	"column_%d"
#define LOOK_HINT		"Look at what the source answers."
#define QUOTES_HINT		"Look at the delimiter and the quotes in the response, and at those in params; csv_quote: \"\" says that quotes are text."
#define FIRST_HINT		"Look at the delimiter in the response and in params; csv_skip_lines passes over lines before the header, csv_comment over comments."

/* how the texts of a field are presented */
typedef enum CsvReading
{
	CSV_UNREAD,					/* the query does not use them */
	CSV_TEXT,
	CSV_NUMBER,					/* numbers as such, anything else as text */
	CSV_BOOLEAN,				/* true and false as such */
	CSV_JSON,					/* a document in itself */
	CSV_ANY						/* numbers, true and false: the type is to be found */
} CsvReading;

typedef struct CsvColumn
{
	char	   *name;
	int			position;		/* in a line, from 0; -1: the response does not have it */
	CsvReading	reading;
} CsvColumn;

typedef struct CsvRecords
{
	RecordReader reader;
	CsvReader  *csv;
	bool		discover;
	bool		reading;		/* the fields' positions are known */
	bool		waiting;		/* a line has been read, but not given out */
	int64		blank_lines;	/* before it, which are to be given out first */
	MemoryContext context;
	int			n_names;		/* fields that every line must have */
	char	  **names;
	bool	   *unnamed;		/* by name: it was made, for the header has none, or has it twice */
	CsvColumn  *columns;
	JsonValue  *values;
	int			n_unknown;		/* names that are no field */
	int		   *unknown;		/* where they are in a line */
	char		unknown_name[64];
} CsvRecords;

/* where the record stands that is being read, for an error's detail */
static char *
reading_place(const CsvRecords *records)
{
	if (!records->reading)
		return psprintf("line %lld", (long long) records->csv->line);
	return psprintf("record %lld, line %lld", (long long) records->reader.record + 1,
					(long long) records->csv->line);
}

pg_noreturn static void
refuse_response(const CsvRecords *records, int code, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(code),
			 errmsg("invalid response: %s", problem),
			 errdetail("Dataset \"%s\", %s.", records->reader.format->dataset, reading_place(records)),
			 hint != NULL ? errhint("%s", hint) : 0));
}

pg_noreturn static void
raise_reader_error(const CsvRecords *records)
{
	const JsonError *error = &records->csv->error;
	int			code = ERRCODE_INVALID_TEXT_REPRESENTATION;

	switch (error->code)
	{
		case JSON_ERROR_SYNTAX:
			refuse_response(records, code, error->message, QUOTES_HINT);
		case JSON_ERROR_ENCODING:
			refuse_response(records, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, error->message,
							"Write the encoding that the source uses as encoding in params, such as WINDOWS-1252.");
		case JSON_ERROR_LIMIT:
			refuse_response(records, ERRCODE_PROGRAM_LIMIT_EXCEEDED, error->message, RECORDS_LIMIT_HINT);
		case JSON_ERROR_MEMORY:
			code = ERRCODE_OUT_OF_MEMORY;
			break;
		default:
			break;
	}
	refuse_response(records, code, error->message, NULL);
}

static bool
is_null(const CsvField *field)
{
	return field->length == 0 && !field->quoted;
}

/* A line of delimiters only is how spreadsheets write an empty row. */
static bool
is_blank_line(const CsvRecords *records)
{
	const CsvReader *reader = records->csv;

	for (int i = 0; i < reader->n_fields; i++)
	{
		if (!is_null(&reader->fields[i]))
			return false;
	}
	return true;
}

/* the next line that is not blank, behind blank_lines that are */
static bool
read_line(CsvRecords *records)
{
	for (records->blank_lines = 0;; records->blank_lines++)
	{
		switch (csv_reader_next(records->csv))
		{
			case JSON_END:
				return false;
			case JSON_FAILED:
				raise_reader_error(records);
			case JSON_RECORD:
				break;
		}
		if (!is_blank_line(records))
			return true;
	}
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
looks_like_html(const char *name)
{
	name += strspn(name, " \t\r\n");
	return pg_strncasecmp(name, "<!doctype", 9) == 0 || pg_strncasecmp(name, "<html", 5) == 0;
}

/* A header that begins as an object does, or an array of objects, is no header. */
static bool
looks_like_json(const char *name)
{
	name += strspn(name, "[ \t\r\n");
	return name[0] == '{' && (name[1] == '\0' || name[1 + strspn(name + 1, " \t\r\n")] == '"');
}

static int
find_field(const CsvRecords *records, const char *name)
{
	for (int i = 0; i < records->reader.n_fields; i++)
	{
		if (strcmp(records->columns[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* A single name that holds what often separates fields is a header that was read with another delimiter. */
static void
check_delimiter(const CsvRecords *records)
{
	size_t		at;
	char		found;

	if (records->n_names != 1 || records->csv->fields[0].quoted)
		return;
	at = strcspn(records->names[0], ";\t|");
	found = records->names[0][at];
	if (found == '\0' || found == records->reader.format->delimiter || find_field(records, records->names[0]) >= 0)
		return;
	refuse_response(records, ERRCODE_INVALID_TEXT_REPRESENTATION,
					psprintf("the header is a single field with %s in its name",
							 found == '\t' ? "a tab" : psprintf("\"%c\"", found)),
					psprintf("Write csv_delimiter: \"%s\" in the dataset's params.",
							 found == '\t' ? "\\t" : psprintf("%c", found)));
}

/* Is it the name of another field?  Of those that were made the ones before count. */
static bool
is_name_taken(const CsvRecords *records, int field, const char *name)
{
	for (int i = 0; i < records->n_names; i++)
	{
		if (i != field && (i < field || !records->unnamed[i]) && strcmp(records->names[i], name) == 0)
			return true;
	}
	return false;
}

/* Exporters leave names empty, and repeat them: each field gets a name that no other has. */
static void
make_missing_names(CsvRecords *records)
{
	for (int i = 0; i < records->n_names; i++)
	{
		const char *name = records->names[i];

		records->unnamed[i] = name[0] == '\0';
		for (int j = 0; j < i && !records->unnamed[i]; j++)
			records->unnamed[i] = strcmp(records->names[j], name) == 0;
	}
	for (int i = 0; i < records->n_names; i++)
	{
		char	   *base = records->names[i];
		char	   *name;

		if (!records->unnamed[i])
			continue;
		if (base[0] == '\0')
			name = base = psprintf(NO_HEADER_NAME, i + 1);
		else
			name = psprintf("%s_2", base);
		for (int n = 2; is_name_taken(records, i, name); n++)
			name = psprintf("%s_%d", base, n);
		records->names[i] = MemoryContextStrdup(records->context, name);
	}
}

/* how many fields there are, and what they are called */
static void
read_names(CsvRecords *records)
{
	bool		header = records->reader.format->header;
	const CsvField *fields;

	if (!read_line(records))
	{
		/* without a header, nothing is what no records look like */
		if (header)
			refuse_response(records, ERRCODE_INVALID_TEXT_REPRESENTATION, "there is no header", LOOK_HINT);
		return;
	}
	records->blank_lines = 0;
	fields = records->csv->fields;
	records->n_names = records->csv->n_fields;
	records->names = MemoryContextAlloc(records->context, sizeof(char *) * records->n_names);
	for (int i = 0; i < records->n_names; i++)
	{
		char		name[sizeof(NO_HEADER_NAME) + 10];

		snprintf(name, sizeof(name), NO_HEADER_NAME, i + 1);
		records->names[i] = header ? MemoryContextAllocZero(records->context, fields[i].length + 1) :
			MemoryContextStrdup(records->context, name);
		if (header)
			memcpy(records->names[i], fields[i].start, fields[i].length);
	}
	if (looks_like_html(pnstrdup(fields[0].start, fields[0].length)))
		refuse_response(records, ERRCODE_INVALID_TEXT_REPRESENTATION, "it is an HTML page", LOOK_HINT);
	if (header && find_field(records, records->names[0]) < 0 && looks_like_json(records->names[0]))
		refuse_response(records, ERRCODE_INVALID_TEXT_REPRESENTATION, "it is JSON", "Write file_format: json in params.");
	records->unnamed = MemoryContextAllocZero(records->context, sizeof(bool) * records->n_names);
	if (header)
	{
		check_delimiter(records);
		make_missing_names(records);
	}
	records->waiting = !header;
}

static void
add_field(CsvRecords *records, const char *name, CsvReading reading)
{
	CsvColumn  *field = &records->columns[records->reader.n_fields++];

	field->name = MemoryContextStrdup(records->context, name);
	field->position = -1;
	field->reading = reading;
}

/* Is the position, from 1, one that names a field? */
static bool
is_position_name(const CsvRecords *records, int position)
{
	ListCell   *cell;

	if (!records->reader.format->header)
		return true;
	foreach(cell, records->reader.format->columns)
	{
		if (((DatasetColumn *) lfirst(cell))->position == position)
			return true;
	}
	return false;
}

/* Finds the fields that only their positions name. */
static void
place_by_position(CsvRecords *records)
{
	for (int i = 0; i < records->reader.n_fields; i++)
	{
		CsvColumn  *field = &records->columns[i];
		int			position;
		char		rest;

		if (field->position >= 0 || sscanf(field->name, NO_HEADER_NAME "%c", &position, &rest) != 1 ||
			position < 1 || !is_position_name(records, position))
			continue;
		if (position > records->n_names)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a response does not have all columns of dataset \"%s\"",
							records->reader.format->dataset),
					 errdetail("Line %lld has no field for column \"%s\".",
							   (long long) records->csv->line, field->name),
					 errhint("%s", LOOK_HINT)));
		field->position = position - 1;
		for (int j = 0; j < records->n_unknown; j++)
		{
			if (records->unknown[j] == field->position)
				records->unknown[j] = records->unknown[--records->n_unknown];
		}
	}
}

/* a page of another kind must not pass for rows of nulls */
static void
refuse_foreign_header(const CsvRecords *records)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("a response has none of the columns of dataset \"%s\"", records->reader.format->dataset),
			 errdetail_plural("Its header has %d field, \"%s\".",
							  "Its header has %d fields, the first of them \"%s\".",
							  records->n_names, records->n_names, excerpt(records->names[0])),
			 errhint("Look at what the source answers, and at the delimiter in params.")));
}

/* which field is where */
static void
place_fields(CsvRecords *records)
{
	records->unknown = MemoryContextAlloc(records->context, sizeof(int) * Max(records->n_names, 1));
	for (int i = 0; i < records->n_names; i++)
	{
		const char *name = records->names[i];
		int			field = find_field(records, name);

		if (field < 0 && records->discover)
		{
			field = records->reader.n_fields;
			add_field(records, name, CSV_ANY);
		}
		if (field >= 0)
			records->columns[field].position = i;
		else
			records->unknown[records->n_unknown++] = i;
	}
	if (records->n_names == 0)
		return;
	place_by_position(records);
	if (records->reader.format->header && records->n_unknown == records->n_names)
		refuse_foreign_header(records);
	/* a reader that discovers has the header's fields in their order */
	if (records->discover)
		records->reader.unnamed = records->unnamed;
}

/* ------- the records ------- */

/*
 * Rewrites a number with a decimal comma, and perhaps points between thousands, as JSON
 * writes it.  False: it is none, and stays as it is.
 */
static bool
undo_decimal_comma(char *text, size_t *length)
{
	const char *end = text + *length;
	const char *p = text + (*text == '-');
	const char *digits = p;
	char	   *out;

	p = bytes_skip_digits(p);
	if (p == digits || (p < end && *p == '.' && p - digits > 3))
		return false;
	while (p < end && *p == '.')
	{
		if (bytes_skip_digits(p + 1) != p + 4 || p + 4 > end)
			return false;
		p += 4;
	}
	if (p < end && (*p != ',' || bytes_skip_digits(p + 1) != end || p + 1 == end))
		return false;
	out = text;
	for (p = text; p < end; p++)
	{
		if (*p != '.')
			*out++ = *p == ',' ? '.' : *p;
	}
	*length = (size_t) (out - text);
	/* no digit may follow */
	if (out < end)
		*out = ' ';
	return true;
}

static JsonKind
kind_of_text(const CsvField *text, CsvReading reading)
{
	JsonKind	kind;
	bool		boolean;

	if (text->length == 0 && (!text->quoted || reading == CSV_JSON))
		return JSON_NULL;
	if (reading == CSV_TEXT)
		return JSON_STRING;
	if (reading == CSV_JSON)
		return JSON_OBJECT;
	kind = json_value_spelled_kind(text->start, text->length);
	boolean = kind == JSON_TRUE || kind == JSON_FALSE;
	return (reading == CSV_NUMBER && boolean) || (reading == CSV_BOOLEAN && !boolean) ? JSON_STRING : kind;
}

/* The same where a comma begins a fraction; what has a point there is no number. */
static JsonKind
kind_with_comma(const CsvField *text, JsonValue *value, CsvReading reading)
{
	CsvField	number = *text;
	JsonKind	kind;

	if ((reading == CSV_NUMBER || reading == CSV_ANY) && text->length > 0 &&
		undo_decimal_comma((char *) number.start, &number.length))
	{
		value->length = number.length;
		return kind_of_text(&number, reading);
	}
	kind = kind_of_text(text, reading);
	return kind == JSON_INTEGER || kind == JSON_DECIMAL ? JSON_STRING : kind;
}

static void
set_values(CsvRecords *records)
{
	static const CsvField nothing = {.start = "", .length = 0};

	for (int i = 0; i < records->reader.n_fields; i++)
	{
		const CsvColumn *column = &records->columns[i];
		JsonValue  *value = &records->values[i];
		const CsvField *text;

		if (column->position < 0 || column->reading == CSV_UNREAD)
			continue;
		text = records->blank_lines > 0 ? &nothing : &records->csv->fields[column->position];
		value->start = text->start;
		value->length = text->length;
		value->kind = record_format_is_null(records->reader.format, text->start, text->length) ? JSON_NULL :
			records->reader.format->decimal == ',' ? kind_with_comma(text, value, column->reading) :
			kind_of_text(text, column->reading);
	}
}

static void
count_unknown(CsvRecords *records)
{
	for (int i = 0; i < records->n_unknown; i++)
	{
		const char *name = records->names[records->unknown[i]];
		const CsvField *text = &records->csv->fields[records->unknown[i]];

		/* an empty text in padding is none */
		if (text->length == 0 && (!text->quoted || records->unnamed[records->unknown[i]]))
			continue;
		if (records->reader.unknown_total++ > 0)
			continue;
		memcpy(records->unknown_name, name,
			   pg_mbcliplen(name, (int) strlen(name), sizeof(records->unknown_name) - 1));
		records->reader.unknown_record = records->reader.record;
	}
}

static bool
csv_next(RecordReader *reader)
{
	CsvRecords *records = (CsvRecords *) reader;

	if (!records->reading)
	{
		read_names(records);
		place_fields(records);
		records->reading = true;
	}
	if (!records->waiting && !read_line(records))
		return false;
	if (records->n_names != 1)
		records->blank_lines = 0;
	records->waiting = records->blank_lines > 0;
	if (records->csv->n_fields != records->n_names)
		refuse_response(records, ERRCODE_INVALID_TEXT_REPRESENTATION,
						psprintf("a record's number of fields is %d instead of %d", records->csv->n_fields, records->n_names),
						reader->record == 0 && reader->format->header ? FIRST_HINT : QUOTES_HINT);
	set_values(records);
	reader->record++;
	if (!records->waiting)
		count_unknown(records);
	else
		records->blank_lines--;
	return true;
}

/* ------- opening ------- */

static CsvReading
reading_for(Oid type, char decimal)
{
	switch (type)
	{
		case NUMERICOID:
			return decimal == ',' ? CSV_NUMBER : CSV_TEXT;
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
	add_field((CsvRecords *) reader, name, reading_for(type, reader->format->decimal));
	return reader->n_fields - 1;
}

static const char *
csv_field_name(const RecordReader *reader, int field, size_t *length)
{
	const char *name = ((const CsvRecords *) reader)->columns[field].name;

	*length = strlen(name);
	return name;
}

static char *
csv_place(const RecordReader *reader, const JsonValue *value pg_attribute_unused())
{
	return psprintf("record %lld, line %lld", (long long) reader->record,
					(long long) ((const CsvRecords *) reader)->csv->line);
}

static void
free_reader(void *arg)
{
	csv_reader_free(arg);
}

RecordReader *
csv_records_open(const RecordFormat *format, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	static const RecordMethods methods = {
		.next = csv_next,
		.add_field = csv_add_field,
		.field_name = csv_field_name,
		.place = csv_place
	};
	MemoryContext old = MemoryContextSwitchTo(context);
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));
	CsvRecords *records = palloc0(sizeof(CsvRecords));
	CsvReaderOptions options = {
		.delimiter = format->delimiter,
		.quote = format->quote,
		.escape = format->escape,
		.max_fields = MaxHeapAttributeNumber,
		.read = record_input_read,
		.arg = record_input_open(format, cursor, context),
		.comment = format->comment,
		.trim = format->trim,
		.separator_line = true,
		.skip_lines = format->skip_lines
	};

	records->reader.methods = &methods;
	records->reader.unknown_name = records->unknown_name;
	records->context = context;
	records->discover = discover;
	records->columns = palloc0(sizeof(CsvColumn) * MaxHeapAttributeNumber);
	records->values = palloc0(sizeof(JsonValue) * MaxHeapAttributeNumber);
	records->reader.values = records->values;
	records->csv = csv_reader_create(&options);
	if (records->csv == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	callback->func = free_reader;
	callback->arg = records->csv;
	MemoryContextRegisterResetCallback(context, callback);
	MemoryContextSwitchTo(old);
	return &records->reader;
}
