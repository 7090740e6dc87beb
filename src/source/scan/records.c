/*-------------------------------------------------------------------------
 *
 * records.c
 *		Opens a reader of the records of a spool.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/definition_read.h"
#include "source/scan/csv_records.h"
#include "source/scan/json_records.h"
#include "source/scan/parquet_records.h"
#include "source/scan/records.h"

void
records_format(const Dataset *dataset, RecordFormat *format)
{
	memset(format, 0, sizeof(*format));
	format->dataset = dataset->name;
	format->definition = dataset->definition;
	format->columns = dataset->columns;
	format->json = strcmp(dataset->format, "jsonl") == 0 ? JSON_FORMAT_LINES :
		strcmp(dataset->format, "json") == 0 ? JSON_FORMAT_DOCUMENT : JSON_FORMAT_AUTO;
	format->parquet = strcmp(dataset->format, "parquet") == 0;
	format->pointer = dataset->json_pointer;
	if (dataset->csv_delimiter == NULL)
		return;
	format->csv = true;
	format->header = dataset->csv_has_header;
	format->delimiter = dataset->csv_delimiter[0];
	/* no quote is an empty text; a definition that another version has written may lack both */
	format->quote = dataset->csv_quote != NULL ? dataset->csv_quote[0] : '"';
	format->escape = dataset->csv_escape != NULL ? dataset->csv_escape[0] : format->quote;
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
	json_records_open(format, cursor, discover, context);

	reader->format = format;
	return reader;
}

void
records_part_callback(void *arg)
{
	const SpoolPart *part = arg;

	if (part != NULL)
		errcontext("file \"%s\"", part->location);
}
