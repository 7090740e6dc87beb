/*-------------------------------------------------------------------------
 *
 * records.c
 *		Opens a reader of the records of a spool.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/definition_read.h"
#include "source/scan/column_records.h"
#include "source/scan/csv_records.h"
#include "source/scan/json_records.h"
#include "source/scan/parquet_records.h"
#include "source/scan/record_input.h"
#include "source/scan/records.h"

static JsonRecordFormat
json_format(const char *name)
{
	static const char *const names[] = {
		[JSON_FORMAT_DOCUMENT] = "json",
		[JSON_FORMAT_LINES] = "jsonl",
		[JSON_FORMAT_MAP] = "map",
		[JSON_FORMAT_WHOLE] = "document",
		[JSON_FORMAT_COLUMNS] = "columns"
	};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return (JsonRecordFormat) i;
	}
	return JSON_FORMAT_AUTO;
}

void
records_format(const Dataset *dataset, RecordFormat *format)
{
	memset(format, 0, sizeof(*format));
	format->dataset = dataset->name;
	format->definition = dataset->definition;
	format->columns = dataset->columns;
	format->null_values = dataset->null_values;
	format->not_finite = dataset->json_nan == NULL ? JSON_ABSENT :
		strcmp(dataset->json_nan, "null") == 0 ? JSON_NULL :
		strcmp(dataset->json_nan, "float") == 0 ? JSON_NOT_FINITE : JSON_ABSENT;
	format->invalid = dataset->invalid_value_action == NULL ? INVALID_ERROR :
		strcmp(dataset->invalid_value_action, "null") == 0 ? INVALID_NULL :
		strcmp(dataset->invalid_value_action, "replace") == 0 ? INVALID_REPLACE : INVALID_ERROR;
	format->json = json_format(dataset->format);
	format->no_rows = dataset->json_empty != NULL && strcmp(dataset->json_empty, "no_rows") == 0;
	format->parquet = dataset_is_parquet(dataset);
	format->pointer = dataset->json_pointer;
	format->encoding = record_input_encoding(dataset->name, dataset->encoding);
	format->compression = dataset->file_compression_type;
	format->csv = strcmp(dataset->format, "csv") == 0 || strcmp(dataset->format, "tsv") == 0;
	format->detect = strcmp(dataset->format, "detect") == 0;
	format->header = dataset->csv_has_header;
	format->delimiter = dataset->csv_delimiter != NULL ? dataset->csv_delimiter[0] : '\0';
	/* no quote is an empty text; a definition that another version has written may lack both */
	format->quote = dataset->csv_quote != NULL ? dataset->csv_quote[0] : '"';
	format->escape = dataset->csv_escape != NULL ? dataset->csv_escape[0] : format->quote;
	format->comment = dataset->csv_comment != NULL ? dataset->csv_comment[0] : '\0';
	format->decimal = dataset->csv_decimal != NULL ? dataset->csv_decimal[0] : '.';
	format->trim = dataset->csv_trim;
	format->skip_lines = Max(dataset->csv_skip_lines, 0);
}

static bool
is_type(const char *type, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
	{
		size_t		length = strlen(names[i]);

		if (pg_strncasecmp(type, names[i], length) == 0 && strchr("; \t", type[length]) != NULL)
			return true;
	}
	return false;
}

void
records_detect(RecordFormat *format, Spool *spool)
{
	static const char *const csv[] = {"text/csv", "application/csv", "text/x-csv", "text/comma-separated-values"};
	static const char *const tsv[] = {"text/tab-separated-values", "text/tsv"};
	const char *type = spool_type(spool);
	bool		tabs = is_type(type, tsv, lengthof(tsv));

	if (format->detect)
	{
		format->csv = tabs || is_type(type, csv, lengthof(csv));
		format->parquet = !format->csv && record_input_begins(spool, "PAR1");
		format->detect = false;
	}
	if (format->delimiter == '\0')
		format->delimiter = tabs ? '\t' : ',';
	/* JSON is UTF-8 whatever its type says, unless the manifest says otherwise */
	if (format->csv && format->encoding == RECORD_INPUT_UNKNOWN)
		format->encoding = record_input_encoding_of_type(type);
}

bool
records_are_plain(const RecordFormat *format, Spool *spool)
{
	return !format->parquet && spool_path(spool) != NULL && record_input_is_plain(format, spool);
}

void
records_read_format(const char *definition, RecordFormat *format)
{
	struct JsonbContainer *keys = definition_read_text(definition);
	Dataset    *dataset = palloc0(sizeof(Dataset));

	dataset->definition = pstrdup(definition);
	dataset->name = definition_read_key(keys, "name");
	definition_read(dataset, keys);
	records_format(dataset, format);
}

RecordReader *
records_open(const RecordFormat *format, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	RecordReader *reader = format->csv ? csv_records_open(format, cursor, discover, context) :
	format->parquet ? parquet_records_open(format, cursor, discover, context) :
	format->json == JSON_FORMAT_COLUMNS ? column_records_open(format, cursor, discover, context) :
	json_records_open(format, cursor, discover, context);

	reader->format = format;
	reader->wrapper = -1;
	return reader;
}

void
records_part_callback(void *arg)
{
	const SpoolPart *part = arg;

	if (part != NULL && part->page > 0)
		errcontext("page %d of the response", part->page);
	else if (part != NULL)
		errcontext("file \"%s\"", part->location);
}
