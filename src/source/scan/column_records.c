/*-------------------------------------------------------------------------
 *
 * column_records.c
 *		The records of a JSON response that has an array for each field.
 *
 * {"time": [1, 2], "value": [3, 4]} has the records (1, 3) and (2, 4).  The first
 * pass over the document finds the arrays.  Each field then has a reader of its own,
 * which passes over what lies before its array, so that memory does not grow with
 * the response.
 *
 * States and their successors:
 *
 *		opened	-> reading	(first call of next: the document's keys are read)
 *		reading	-> ended	(the arrays end, all of them)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "source/scan/column_records.h"
#include "source/scan/json_records.h"
#include "source/scan/record_input.h"

typedef struct ColumnField
{
	char	   *name;
	JsonReader *json;			/* NULL: the document has no array of this name */
} ColumnField;

typedef struct ColumnRecords
{
	RecordReader reader;
	SpoolCursor start;
	MemoryContext context;
	bool		discover;
	bool		reading;
	int			last;			/* the field whose array was read last, for an error's place */
	ColumnField *fields;
	JsonValue  *values;
	char		unknown_name[64];
} ColumnRecords;

/* The reader of the document's keys, or of the array that a key has. */
static JsonReader *
open_reader(ColumnRecords *records, JsonRecordFormat format, const char *pointer, MemoryContext context)
{
	SpoolCursor *cursor = MemoryContextAlloc(context, sizeof(SpoolCursor));
	JsonReaderOptions options = {.format = format, .pointer = pointer, .read = record_input_read};

	*cursor = records->start;
	options.arg = record_input_open(records->reader.format, cursor, context);
	return json_records_create(records->reader.format, &options, context);
}

/* The JSON pointer of a key below json_pointer. */
static char *
pointer_of(const ColumnRecords *records, const char *name)
{
	const char *parent = records->reader.format->pointer;
	StringInfoData pointer;

	initStringInfo(&pointer);
	appendStringInfo(&pointer, "%s/", parent != NULL ? parent : "");
	for (; *name != '\0'; name++)
	{
		if (*name == '~' || *name == '/')
			appendStringInfo(&pointer, "~%d", *name == '/');
		else
			appendStringInfoChar(&pointer, *name);
	}
	return pointer.data;
}

static void
open_field(ColumnRecords *records, ColumnField *field)
{
	MemoryContext old = MemoryContextSwitchTo(records->context);

	field->json = open_reader(records, JSON_FORMAT_VALUES, pointer_of(records, field->name), records->context);
	if (json_reader_add_field(field->json, "value", strlen("value")) < 0)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	MemoryContextSwitchTo(old);
}

static int
add_field(RecordReader *reader, const char *name, Oid type pg_attribute_unused())
{
	ColumnRecords *records = (ColumnRecords *) reader;

	records->fields[reader->n_fields].name = MemoryContextStrdup(records->context, name);
	return reader->n_fields++;
}

static int
find_field(const ColumnRecords *records, const char *name)
{
	for (int i = 0; i < records->reader.n_fields; i++)
	{
		if (strcmp(records->fields[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* A key of the document, whose value has this kind. */
static void
note_key(ColumnRecords *records, const char *name, JsonKind kind)
{
	int			field = find_field(records, name);

	if (field < 0 && records->discover && kind == JSON_ARRAY)
	{
		if (records->reader.n_fields == MaxHeapAttributeNumber)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("invalid response: too many different keys"),
					 errdetail("Dataset \"%s\".", records->reader.format->dataset),
					 errhint("%s", RECORDS_LIMIT_HINT)));
		field = add_field(&records->reader, name, InvalidOid);
	}
	if (field >= 0 && kind == JSON_ARRAY && records->fields[field].json == NULL)
		open_field(records, &records->fields[field]);
	else if (field < 0 && kind != JSON_NULL && records->reader.unknown_total++ == 0)
	{
		records->reader.unknown_record = 1;
		memcpy(records->unknown_name, name,
			   pg_mbcliplen(name, (int) strlen(name), sizeof(records->unknown_name) - 1));
	}
}

static void
read_keys(ColumnRecords *records)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice keys", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	JsonReader *json = open_reader(records, JSON_FORMAT_COLUMNS, records->reader.format->pointer, context);
	JsonStatus	status;
	bool		any = false;

	(void) json_reader_add_field(json, "key", strlen("key"));
	(void) json_reader_add_field(json, "value", strlen("value"));
	while ((status = json_reader_next(json)) == JSON_RECORD)
	{
		char	   *name = palloc(json->values[0].length + 1);
		int64_t		length = json_value_unescape_name(&json->values[0], name);

		if (length < 0)
			continue;
		name[length] = '\0';
		note_key(records, name, json->values[1].kind);
	}
	if (status == JSON_FAILED && !(json->error.code == JSON_ERROR_ABSENT && records->reader.format->no_rows))
		json_records_raise(&json->error, records->reader.format->dataset);
	for (int i = 0; i < records->reader.n_fields; i++)
		any = any || records->fields[i].json != NULL;
	if (!any && records->reader.unknown_total > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a response has none of the columns of dataset \"%s\"", records->reader.format->dataset),
				 errdetail("It has field \"%s\".", records->unknown_name),
				 errhint("Set params.json_pointer to the object that has an array for each column.")));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

pg_noreturn static void
refuse_length(const ColumnRecords *records, int a, int b)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid response: the columns are not of the same length"),
			 errdetail("Dataset \"%s\": \"%s\" ends behind value %lld, and \"%s\" does not.",
					   records->reader.format->dataset, records->fields[a].name,
					   (long long) records->reader.record, records->fields[b].name),
			 errhint("Declare the columns that belong together, or take the response apart in refresh_sql with json_format: document.")));
}

/* Sets the values of the next record.  False: the arrays have ended. */
static bool
read_values(ColumnRecords *records)
{
	int			ended = -1;
	int			going = -1;

	for (int i = 0; i < records->reader.n_fields; i++)
	{
		ColumnField *field = &records->fields[i];
		JsonValue  *value = &records->values[i];
		JsonStatus	status;

		if (field->json == NULL)
			continue;
		records->last = i;
		status = json_reader_next(field->json);
		if (status == JSON_FAILED)
			json_records_raise(&field->json->error, records->reader.format->dataset);
		if (status == JSON_RECORD)
		{
			going = i;
			*value = field->json->values[0];
			if (value->kind == JSON_STRING && record_format_is_null(records->reader.format, value->start, value->length))
				value->kind = JSON_NULL;
		}
		else
			ended = i;
		if (ended >= 0 && going >= 0)
			refuse_length(records, ended, going);
	}
	return going >= 0;
}

static bool
column_next(RecordReader *reader)
{
	ColumnRecords *records = (ColumnRecords *) reader;

	if (!records->reading)
		read_keys(records);
	records->reading = true;
	if (!read_values(records))
		return false;
	reader->record++;
	return true;
}

static const char *
field_name(const RecordReader *reader, int field, size_t *length)
{
	const char *name = ((const ColumnRecords *) reader)->fields[field].name;

	*length = strlen(name);
	return name;
}

static char *
column_place(const RecordReader *reader, const JsonValue *value)
{
	const ColumnRecords *records = (const ColumnRecords *) reader;
	const JsonReader *json = records->fields[records->last].json;

	for (int i = 0; value != NULL && i < reader->n_fields; i++)
	{
		if (value == &records->values[i])
			json = records->fields[i].json;
	}
	return psprintf("record %lld, byte %lld", (long long) reader->record, (long long) json->offset);
}

RecordReader *
column_records_open(const RecordFormat *format, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	static const RecordMethods methods = {
		.next = column_next,
		.add_field = add_field,
		.field_name = field_name,
		.place = column_place
	};
	ColumnRecords *records = MemoryContextAllocZero(context, sizeof(ColumnRecords));

	records->reader.methods = &methods;
	records->reader.format = format;
	records->reader.unknown_name = records->unknown_name;
	records->start = *cursor;
	records->context = context;
	records->discover = discover;
	records->fields = MemoryContextAllocZero(context, sizeof(ColumnField) * MaxHeapAttributeNumber);
	records->values = MemoryContextAllocZero(context, sizeof(JsonValue) * MaxHeapAttributeNumber);
	records->reader.values = records->values;
	return &records->reader;
}
