/*-------------------------------------------------------------------------
 *
 * json_records.c
 *		The records of a JSON response as values by field.
 *
 * The JSON reader knows nothing of a server.  Here it gets its bytes from a
 * spool, its memory goes with a memory context, and its failures become errors.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/memutils.h"

#include "source/format/json_scan.h"
#include "source/scan/json_records.h"
#include "source/scan/record_input.h"

typedef struct JsonRecords
{
	RecordReader reader;
	JsonReader *json;
} JsonRecords;

static void
free_reader(void *arg)
{
	json_reader_free(arg);
}

/* Does the message show that a NaN or Infinity stands where a value should? */
static bool
names_not_finite(const char *message)
{
	const char *found = strstr(message, "found: ");

	if (found == NULL)
		return false;
	found += strlen("found: ");
	found += *found == '-';
	return strncmp(found, "NaN", 3) == 0 || strncmp(found, "Infinity", 8) == 0;
}

void
json_records_raise(const JsonError *error, const char *dataset)
{
	int			code = ERRCODE_INVALID_TEXT_REPRESENTATION;

	if (error->code == JSON_ERROR_ENCODING)
		code = ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
	else if (error->code == JSON_ERROR_LIMIT)
		code = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	else if (error->code == JSON_ERROR_MEMORY)
		code = ERRCODE_OUT_OF_MEMORY;
	ereport(ERROR,
			(errcode(code),
			 errmsg("invalid response: %s", error->message),
			 errdetail("Dataset \"%s\", record %lld, byte %lld.", dataset,
					   (long long) error->record, (long long) error->offset),
			 names_not_finite(error->message) ?
			 errhint("JSON has no such number. Set params.json_nan to null or float; within objects and arrays it stays an error.") :
			 error->code == JSON_ERROR_ENCODING ?
			 errhint("Write the encoding that the source uses as encoding in params, such as ISO-8859-1.") :
			 error->code == JSON_ERROR_SYNTAX && error->offset == 0 && strncmp(error->message, "expected a value", 16) == 0 ?
			 errhint("It is no JSON. If the source sends CSV, write file_format: csv in params, else look at what it answers.") :
			 error->code == JSON_ERROR_LIMIT ? errhint("%s", RECORDS_LIMIT_HINT) :
			 error->code == JSON_ERROR_SHAPE ?
			 errhint("Set params.json_pointer to the array of records in the response, or params.file_format.") :
			 error->code == JSON_ERROR_ABSENT ?
			 errhint("Set params.json_pointer to the array of records in the response, or params.json_empty to no_rows if the source leaves it out when there are none.") : 0));
	pg_unreachable();
}

static void
set_nulls(const RecordFormat *format, JsonReader *json)
{
	for (int i = 0; i < json->n_fields; i++)
	{
		JsonValue  *value = &json->values[i];

		if (value->kind == JSON_STRING && record_format_is_null(format, value->start, value->length))
			value->kind = JSON_NULL;
	}
}

/*
 * The one field of a document that is an object, not pointed to and not declared,
 * whose value is an array of objects: most services wrap their records like that.
 * -1: there is none, or several.
 */
static int
find_wrapper(const RecordFormat *format, const JsonReader *json)
{
	int			wrapper = -1;

	if (format->pointer != NULL || format->columns != NIL || !json_reader_at_single_object(json))
		return -1;
	for (int i = 0; i < json->n_fields; i++)
	{
		const JsonValue *value = &json->values[i];

		if (value->kind != JSON_ARRAY || *json_skip_space(value->start + 1) != '{')
			continue;
		if (wrapper >= 0)
			return -1;
		wrapper = i;
	}
	return wrapper;
}

static bool
json_next(RecordReader *reader)
{
	JsonReader *json = ((JsonRecords *) reader)->json;
	JsonStatus	status = json_reader_next(json);

	if (status == JSON_FAILED && json->error.code == JSON_ERROR_ABSENT && reader->format->no_rows)
		return false;
	if (status == JSON_FAILED)
		json_records_raise(&json->error, reader->format->dataset);
	if (status == JSON_RECORD && reader->format->null_values != NULL)
		set_nulls(reader->format, json);
	if (status == JSON_RECORD && json->record == 1)
		reader->wrapper = find_wrapper(reader->format, json);
	reader->values = json->values;
	reader->n_fields = json->n_fields;
	reader->record = json->record;
	reader->foreign = json->n_known == 0 && json->n_unknown > 0;
	reader->unknown_total = json->unknown_total;
	reader->unknown_record = json->unknown_record;
	return status == JSON_RECORD;
}

static int
json_add_field(RecordReader *reader, const char *name, Oid type pg_attribute_unused())
{
	int			field = json_reader_add_field(((JsonRecords *) reader)->json, name, strlen(name));

	if (field < 0)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return field;
}

static const char *
json_field_name(const RecordReader *reader, int field, size_t *length)
{
	return json_reader_field_name(((const JsonRecords *) reader)->json, field, length);
}

static char *
json_place(const RecordReader *reader, const JsonValue *value)
{
	const JsonReader *json = ((const JsonRecords *) reader)->json;

	if (value == NULL)
		return psprintf("record %lld at byte %lld", (long long) json->record,
						(long long) json->offset);
	return psprintf("record %lld, byte %lld", (long long) json->record,
					(long long) json_reader_value_offset(json, value));
}

JsonReader *
json_records_create(const RecordFormat *format, const JsonReaderOptions *options, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	JsonReader *json = json_reader_create(options);

	if (json == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	json_reader_count_not_finite(json, format->not_finite);
	callback->func = free_reader;
	callback->arg = json;
	MemoryContextRegisterResetCallback(context, callback);
	return json;
}

JsonReader *
json_records_reader(const RecordReader *reader)
{
	JsonReader *json = reader->methods->next == json_next ? ((const JsonRecords *) reader)->json : NULL;

	return json != NULL && json_reader_has_objects(json) ? json : NULL;
}

RecordReader *
json_records_open(const RecordFormat *format, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	static const RecordMethods methods = {
		.next = json_next,
		.add_field = json_add_field,
		.field_name = json_field_name,
		.place = json_place
	};
	JsonRecords *records = MemoryContextAllocZero(context, sizeof(JsonRecords));
	JsonReaderOptions options = {0};

	options.format = format->json;
	options.pointer = format->pointer;
	options.discover = discover;
	options.max_fields = MaxHeapAttributeNumber;
	options.read = record_input_read;
	options.seek = record_input_seek;
	options.arg = record_input_open(format, cursor, context);
	records->json = json_records_create(format, &options, context);
	records->reader.methods = &methods;
	records->reader.unknown_name = records->json->unknown_name;
	return &records->reader;
}
