/*-------------------------------------------------------------------------
 *
 * parquet_records.c
 *		The records of a Parquet file as values by field, and as tuples.
 *
 * A Parquet file says of which type its values are.  A column of the type that
 * stands for it takes them as they are; a column of any other type takes their
 * texts, as it takes those of JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "source/format/parquet_reader.h"
#include "source/format/parquet_text.h"
#include "source/scan/parquet_records.h"

/* between the epochs of Unix and PostgreSQL */
#define EPOCH_DAYS		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_MICROS	((int64) EPOCH_DAYS * USECS_PER_DAY)

#define MAX_PRECISION_OF_INT64	18

typedef struct ParquetRecords ParquetRecords;
typedef struct ParquetColumnWay ParquetColumnWay;

/* how a field's values get into the column that takes them */
struct ParquetColumnWay
{
	/* a value that is not null, as a Datum */
	Datum		(*convert) (ParquetRecords *records, ParquetColumnWay *way,
							const ParquetValue *value, ValuePlace *place);
	const ParquetNode *leaf;	/* NULL: values are documents */
	ColumnTyper *typer;			/* of the column, or of an array's elements */

	/* of an array */
	ParquetColumnWay *element;
	int16		element_length;
	bool		element_by_value;
	char		element_alignment;
};

struct ParquetRecords
{
	RecordReader reader;
	ParquetReader *parquet;
	int			n_fields;		/* that were added */
	int		   *fields;			/* of the file, by field; -1: the file has no such field */
	JsonValue  *values;			/* by field */
	ParquetColumnWay *ways;		/* by column; NULL before the first tuple */
	ParquetText text;			/* of the value that is being converted */
	Datum	   *datums;			/* by column */
	bool	   *nulls;
	int64		n_unknown;		/* fields of the file that were not added */
	List	   *bounds;			/* of ColumnBound * */
	ValuePlace *place;			/* of the scan, with bounds */
};

static bool
read_spool(void *arg, int64_t offset, void *buffer, size_t length)
{
	SpoolCursor *cursor = arg;

	cursor->offset = offset;
	return spool_read_fully(cursor, buffer, length);
}

static void
expect_ranges(void *arg, const ByteRange *ranges, int n)
{
	SpoolCursor *cursor = arg;

	spool_expect(cursor->spool, ranges, n);
}

static void
free_parquet_reader(void *arg)
{
	ParquetRecords *records = arg;

	free(records->text.bytes);
	parquet_reader_free(records->parquet);
}

pg_noreturn static void
raise_parquet_error(const ParquetRecords *records)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid Parquet file: %s", records->parquet->file.message),
			 errdetail("Dataset \"%s\", after record %lld.", records->reader.format->dataset,
					   (long long) records->parquet->record)));
	pg_unreachable();
}

/* the first field of the file that was not added */
static void
name_unknown(ParquetRecords *records)
{
	bool		added[MaxHeapAttributeNumber] = {false};
	int			field = 0;

	for (int i = 0; i < records->n_fields; i++)
	{
		if (records->fields[i] >= 0 && records->fields[i] < MaxHeapAttributeNumber)
			added[records->fields[i]] = true;
	}
	while (field < MaxHeapAttributeNumber && added[field])
		field++;
	records->reader.unknown_name = records->parquet->fields[field].node->name;
}

static bool
parquet_next(RecordReader *reader)
{
	ParquetRecords *records = (ParquetRecords *) reader;
	ParquetStatus status = parquet_reader_next(records->parquet);

	if (status == PARQUET_FAILED)
		raise_parquet_error(records);
	if (status == PARQUET_END)
		return false;
	reader->record = records->parquet->record;
	if (reader->unknown_total == 0 && records->n_unknown > 0)
		name_unknown(records);
	reader->unknown_total += records->n_unknown;
	for (int i = 0; i < records->n_fields; i++)
	{
		int			field = records->fields[i];

		if (field >= 0 && records->parquet->fields[field].wanted)
			records->values[i].kind = parquet_reader_value(records->parquet, field)->null ? JSON_NULL : JSON_STRING;
	}
	return true;
}

static int
parquet_add_field(RecordReader *reader, const char *name, Oid type)
{
	ParquetRecords *records = (ParquetRecords *) reader;
	ParquetReader *parquet = records->parquet;
	int			added = records->n_fields++;

	if (added == MaxHeapAttributeNumber)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("Parquet file has more than %d columns", MaxHeapAttributeNumber),
				 errdetail("Dataset \"%s\".", reader->format->dataset)));
	reader->n_fields = records->n_fields;
	records->fields[added] = -1;
	records->values[added].kind = JSON_ABSENT;
	for (int i = 0; i < parquet->n_fields; i++)
	{
		if (strcmp(parquet->fields[i].node->name, name) != 0)
			continue;
		records->fields[added] = i;
		parquet->fields[i].wanted = OidIsValid(type);
		records->values[added].kind = JSON_NULL;
		records->n_unknown--;
		break;
	}
	return added;
}

static const char *
parquet_field_name(const RecordReader *reader, int field, size_t *length)
{
	const ParquetRecords *records = (const ParquetRecords *) reader;
	const char *name = records->parquet->fields[records->fields[field]].node->name;

	*length = strlen(name);
	return name;
}

static char *
parquet_place(const RecordReader *reader, const JsonValue *value pg_attribute_unused())
{
	return psprintf("record %lld", (long long) reader->record);
}

RecordReader *
parquet_records_open(const RecordFormat *format, SpoolCursor *cursor, bool discover, MemoryContext context)
{
	static const RecordMethods methods = {
		.next = parquet_next,
		.add_field = parquet_add_field,
		.field_name = parquet_field_name,
		.place = parquet_place
	};
	MemoryContext old = MemoryContextSwitchTo(context);
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	ParquetRecords *records = palloc0(sizeof(ParquetRecords));

	records->reader.methods = &methods;
	records->reader.format = format;
	records->fields = palloc(sizeof(int) * MaxHeapAttributeNumber);
	records->values = palloc0(sizeof(JsonValue) * MaxHeapAttributeNumber);
	records->reader.values = records->values;
	records->parquet = parquet_reader_create(read_spool, cursor, spool_size(cursor->spool));
	if (records->parquet == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	records->parquet->file.expect = expect_ranges;
	callback->func = free_parquet_reader;
	callback->arg = records;
	MemoryContextRegisterResetCallback(context, callback);
	records->text.file = &records->parquet->file;
	if (!parquet_reader_open(records->parquet))
		raise_parquet_error(records);
	records->n_unknown = records->parquet->n_fields;
	records->reader.unknown_record = 1;
	records->reader.unknown_name = "";
	for (int i = 0; i < records->parquet->n_fields && discover; i++)
		parquet_add_field(&records->reader, records->parquet->fields[i].node->name, InvalidOid);
	MemoryContextSwitchTo(old);
	return &records->reader;
}

/* ------- types ------- */

static Oid
integer_type(const ParquetNode *leaf)
{
	int			bits = leaf->bits * (leaf->is_unsigned ? 2 : 1);

	if (leaf->is_unsigned && leaf->bits == 64)
		return NUMERICOID;
	return bits <= 16 ? INT2OID : bits <= 32 ? INT4OID : INT8OID;
}

static Oid
leaf_type(const ParquetNode *leaf, int32 *typmod)
{
	*typmod = -1;
	switch (leaf->meaning)
	{
		case PARQUET_TEXT:
		case PARQUET_ALWAYS_NULL:
			return TEXTOID;
		case PARQUET_JSON:
			return JSONBOID;
		case PARQUET_INTEGER:
			return integer_type(leaf);
		case PARQUET_DECIMAL:
			*typmod = ((leaf->precision << 16) | leaf->scale) + VARHDRSZ;
			return NUMERICOID;
		case PARQUET_DATE:
			return DATEOID;
		case PARQUET_TIME:
			return TIMEOID;
		case PARQUET_TIMESTAMP:
			return leaf->utc ? TIMESTAMPTZOID : TIMESTAMPOID;
		case PARQUET_INTERVAL:
			return INTERVALOID;
		case PARQUET_UUID:
			return UUIDOID;
		case PARQUET_FLOAT16:
			return FLOAT4OID;
		default:
			return leaf->physical == PARQUET_BOOLEAN ? BOOLOID : leaf->physical == PARQUET_INT96 ? TIMESTAMPOID :
				leaf->physical == PARQUET_FLOAT ? FLOAT4OID : leaf->physical == PARQUET_DOUBLE ? FLOAT8OID : BYTEAOID;
	}
}

Oid
parquet_records_type(const RecordReader *reader, int field, int32 *typmod)
{
	const ParquetRecords *records = (const ParquetRecords *) reader;
	const ParquetField *found = &records->parquet->fields[records->fields[field]];

	*typmod = -1;
	if (found->shape == PARQUET_DOCUMENT)
		return JSONBOID;
	if (found->shape == PARQUET_SCALAR && found->leaf->meaning == PARQUET_ALWAYS_NULL)
		return InvalidOid;
	return found->shape == PARQUET_SCALAR ? leaf_type(found->leaf, typmod) :
		get_array_type(leaf_type(found->leaf, typmod));
}

/* ------- values ------- */

static Datum
convert_int2(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			 const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return Int16GetDatum((int16) value->integer);
}

static Datum
convert_int4(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			 const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return Int32GetDatum((int32) value->integer);
}

static Datum
convert_int8(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			 const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return Int64GetDatum(value->integer);
}

static Datum
convert_bool(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			 const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return BoolGetDatum(value->integer != 0);
}

static Datum
convert_float4(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way,
			   const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return Float4GetDatum(way->leaf->meaning == PARQUET_FLOAT16 ? (float4) parquet_half(value->bytes) :
						  (float4) value->number);
}

static Datum
convert_float8(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			   const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return Float8GetDatum(value->number);
}

/* a decimal that fits 64 bits and has the column's scale */
static Datum
convert_numeric(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way,
				const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	int64		number = value->integer;

	if (way->leaf->physical != PARQUET_INT32 && way->leaf->physical != PARQUET_INT64)
	{
		number = value->length > 0 && (value->bytes[0] & 0x80) ? -1 : 0;
		for (uint32_t i = 0; i < value->length; i++)
			number = (int64) ((uint64) number << 8 | (uint8) value->bytes[i]);
	}
	return NumericGetDatum(int64_div_fast_to_numeric(number, way->leaf->scale));
}

static Datum
convert_bytea(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			  const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	return PointerGetDatum(cstring_to_text_with_len(value->bytes, (int) value->length));
}

/* Neither a NUL nor bytes that are not UTF-8 get into a text. */
static void
check_text(const ParquetColumnWay *way, const char *bytes, Size length, const ValuePlace *place)
{
	/* a zero byte is not valid, either */
	if (pg_verify_mbstr(PG_UTF8, bytes, (int) length, true))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("a text of column \"%s\" is not UTF-8, or holds a zero byte", way->typer->name),
			 errdetail("Dataset \"%s\", %s.", place->dataset, record_reader_place(place->reader, NULL)),
			 errhint("Declare the column as bytea under columns in the manifest.")));
}

static Datum
convert_text(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way,
			 const ParquetValue *value, ValuePlace *place)
{
	check_text(way, value->bytes, value->length, place);
	return PointerGetDatum(cstring_to_text_with_len(value->bytes, (int) value->length));
}

static Datum
convert_uuid(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
			 const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	memcpy(uuid->data, value->bytes, UUID_LEN);
	return UUIDPGetDatum(uuid);
}

static Datum
convert_interval(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way pg_attribute_unused(),
				 const ParquetValue *value, ValuePlace *place pg_attribute_unused())
{
	Interval   *interval = palloc0(sizeof(Interval));
	uint32		parts[3];

	memcpy(parts, value->bytes, sizeof(parts));
	interval->month = (int32) Min(parts[0], PG_INT32_MAX);
	interval->day = (int32) Min(parts[1], PG_INT32_MAX);
	interval->time = (int64) parts[2] * 1000;
	return IntervalPGetDatum(interval);
}

pg_noreturn static void
refuse_range(const ParquetColumnWay *way, const ValuePlace *place)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
			 errmsg("a time of column \"%s\" is out of the range of type %s", way->typer->name,
					format_type_be(way->typer->type)),
			 errdetail("Dataset \"%s\", %s.", place->dataset, record_reader_place(place->reader, NULL)),
			 errhint("Declare the column as text under columns in the manifest.")));
}

static Datum
convert_date(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way,
			 const ParquetValue *value, ValuePlace *place)
{
	int64		days = value->integer - EPOCH_DAYS;

	if (!IS_VALID_DATE(days))
		refuse_range(way, place);
	return DateADTGetDatum((DateADT) days);
}

static Datum
convert_timestamp(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way,
				  const ParquetValue *value, ValuePlace *place)
{
	int64		micros;

	if (!parquet_microseconds(way->leaf, value, &micros) || micros < PG_INT64_MIN + EPOCH_MICROS ||
		!IS_VALID_TIMESTAMP(micros - EPOCH_MICROS))
		refuse_range(way, place);
	return TimestampGetDatum(micros - EPOCH_MICROS);
}

static Datum
convert_time_of_day(ParquetRecords *records pg_attribute_unused(), ParquetColumnWay *way,
					const ParquetValue *value, ValuePlace *place)
{
	int64		micros;

	if (!parquet_microseconds(way->leaf, value, &micros) || micros < 0 || micros > USECS_PER_DAY)
		refuse_range(way, place);
	return TimeADTGetDatum(micros);
}

/* the value's text in records->text, followed by zeros; returns its length */
static Size
write_text(ParquetRecords *records, const ParquetColumnWay *way, const ParquetValue *value)
{
	static const char zeros[16] = {0};
	Size		length;

	if (setjmp(records->parquet->file.escape) != 0)
		raise_parquet_error(records);
	records->text.length = 0;
	if (way->leaf == NULL)
		parquet_text_append(&records->text, value->bytes, value->length);
	else if (way->typer->type == JSONBOID || way->typer->type == JSONOID)
		parquet_text_json(&records->text, way->leaf, value);
	else
		parquet_text_value(&records->text, way->leaf, value);
	length = records->text.length;
	/* typers read whole words */
	parquet_text_append(&records->text, zeros, sizeof(zeros));
	return length;
}

/* what JSON would have for the value */
static JsonKind
kind_as_json(const ParquetColumnWay *way, const ParquetValue *value)
{
	if (way->leaf == NULL)
		return value->bytes[0] == '{' ? JSON_OBJECT : JSON_ARRAY;
	if (way->typer->type == JSONBOID || way->typer->type == JSONOID)
		return JSON_OBJECT;		/* its text is a token */
	if (way->leaf->meaning == PARQUET_INTEGER)
		return JSON_INTEGER;
	return way->leaf->meaning == PARQUET_DECIMAL ? JSON_DECIMAL : JSON_STRING;
}

/* the value's text through the column's typer, as if JSON had it */
static Datum
convert_by_text(ParquetRecords *records, ParquetColumnWay *way, const ParquetValue *value, ValuePlace *place)
{
	JsonValue	json = {.kind = kind_as_json(way, value)};
	Datum		result;

	json.length = write_text(records, way, value);
	json.start = records->text.bytes;
	check_text(way, json.start, json.length, place);
	place->column = way->typer->name;
	place->value = &json;
	result = way->typer->convert(way->typer, &json, place);
	place->value = NULL;
	return result;
}

static Datum
convert_array(ParquetRecords *records, ParquetColumnWay *way, const ParquetValue *value, ValuePlace *place)
{
	const ParquetValue *elements = (const ParquetValue *) (const void *) value->bytes;
	int			n = (int) value->length;
	int			lower = 1;
	Datum	   *datums;
	bool	   *nulls;

	if (n == 0)
		return PointerGetDatum(construct_empty_array(way->element->typer->type));
	datums = palloc(sizeof(Datum) * n);
	nulls = palloc(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		nulls[i] = elements[i].null;
		datums[i] = nulls[i] ? (Datum) 0 : way->element->convert(records, way->element, &elements[i], place);
	}
	return PointerGetDatum(construct_md_array(datums, nulls, 1, &n, &lower, way->element->typer->type,
											  way->element_length, way->element_by_value,
											  way->element_alignment));
}

/* ------- the way of each column ------- */

static bool
fits_int64(const ParquetNode *leaf)
{
	return leaf->precision <= MAX_PRECISION_OF_INT64 &&
		(leaf->physical == PARQUET_INT32 || leaf->physical == PARQUET_INT64 ||
		 (leaf->physical == PARQUET_FIXED && leaf->length <= 8));
}

/* a column of the leaf's own type takes values as they are */
static void
choose_conversion(ParquetColumnWay *way)
{
	int32		typmod;

	way->convert = convert_by_text;
	if (way->leaf == NULL || leaf_type(way->leaf, &typmod) != way->typer->type ||
		(way->typer->typmod != -1 && way->typer->typmod != typmod))
		return;
	switch (way->typer->type)
	{
		case INT2OID:
			way->convert = convert_int2;
			break;
		case INT4OID:
			way->convert = convert_int4;
			break;
		case INT8OID:
			way->convert = convert_int8;
			break;
		case BOOLOID:
			way->convert = convert_bool;
			break;
		case FLOAT4OID:
			way->convert = convert_float4;
			break;
		case FLOAT8OID:
			way->convert = convert_float8;
			break;
		case NUMERICOID:
			if (way->leaf->meaning == PARQUET_DECIMAL && fits_int64(way->leaf))
				way->convert = convert_numeric;
			break;
		case TEXTOID:
			way->convert = convert_text;
			break;
		case BYTEAOID:
			way->convert = convert_bytea;
			break;
		case UUIDOID:
			way->convert = convert_uuid;
			break;
		case INTERVALOID:
			way->convert = convert_interval;
			break;
		case DATEOID:
			way->convert = convert_date;
			break;
		case TIMEOID:
			way->convert = convert_time_of_day;
			break;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			way->convert = convert_timestamp;
			break;
		default:
			break;
	}
}

/* bytes without a type are often texts of an old writer's */
static bool
takes_bytes_as_text(const ParquetColumnWay *way)
{
	return way->leaf != NULL && way->leaf->meaning == PARQUET_PLAIN_VALUE &&
		(way->leaf->physical == PARQUET_BYTE_ARRAY || way->leaf->physical == PARQUET_FIXED) &&
		way->typer->type == TEXTOID;
}

static void
choose_array(ParquetColumnWay *way, Oid element_type)
{
	FormData_pg_attribute attribute = {0};

	way->element = palloc0(sizeof(ParquetColumnWay));
	way->element->leaf = way->leaf;
	way->element->typer = palloc0(sizeof(ColumnTyper));
	attribute.atttypid = element_type;
	attribute.atttypmod = way->typer->typmod;
	typer_init(way->element->typer, &attribute, NULL);
	way->element->typer->inferred = false;
	way->element->typer->name = way->typer->name;
	get_typlenbyvalalign(element_type, &way->element_length, &way->element_by_value, &way->element_alignment);
	choose_conversion(way->element);
	if (takes_bytes_as_text(way->element))
		way->element->convert = convert_text;
	way->convert = convert_array;
}

pg_noreturn static void
refuse_list(const ParquetRecords *records, const ColumnTyper *typer)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the Parquet file is a list, and not of type %s", typer->name,
					format_type_be(typer->type)),
			 errdetail("Dataset \"%s\".", records->reader.format->dataset),
			 errhint("Declare the column as an array, or leave it out of columns in the manifest.")));
	pg_unreachable();
}

static void
choose_way(ParquetRecords *records, ParquetColumnWay *way, const ParquetField *field, ColumnTyper *typer)
{
	Oid			element_type = get_element_type(typer->type);

	way->leaf = field->leaf;
	way->typer = typer;
	if (field->shape != PARQUET_ELEMENTS)
	{
		choose_conversion(way);
		if (takes_bytes_as_text(way))
			way->convert = convert_text;
	}
	else if (OidIsValid(element_type))
		choose_array(way, element_type);
	else
		refuse_list(records, typer);
}

static void
choose_ways(ParquetRecords *records, const TupleWriter *writer)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(records));
	int			n = writer->desc->natts;

	records->ways = palloc0(sizeof(ParquetColumnWay) * n);
	records->datums = palloc0(sizeof(Datum) * n);
	records->nulls = palloc0(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		const WriterColumn *column = &writer->columns[i];

		if (column->typer != NULL && records->fields[column->field] >= 0)
			choose_way(records, &records->ways[i], &records->parquet->fields[records->fields[column->field]],
					   column->typer);
	}
	MemoryContextSwitchTo(old);
}

/* Do the types of file and column have the same order, and a conversion that keeps it? */
static bool
keeps_order(const ParquetColumnWay *way)
{
	return way->convert == convert_int2 || way->convert == convert_int4 || way->convert == convert_int8 ||
		way->convert == convert_numeric || way->convert == convert_date || way->convert == convert_timestamp;
}

/* Does the bound exclude all values from the least to the greatest of a row group? */
static bool
bound_excludes(ParquetRecords *records, const ColumnBound *bound, int group)
{
	ParquetColumnWay *way = &records->ways[bound->column - 1];
	ParquetValue least;
	ParquetValue greatest;
	int64_t		nulls;

	if (!keeps_order(way) ||
		!parquet_column_bounds(&records->parquet->file, way->leaf, group, &least, &greatest, &nulls) ||
		(bound->or_null && nulls != 0))
		return false;
	return !bound_allows(bound, way->convert(records, way, &least, records->place),
						 way->convert(records, way, &greatest, records->place));
}

static bool
excludes_group(void *arg, int group)
{
	ParquetRecords *records = arg;
	ListCell   *cell;

	foreach(cell, records->bounds)
	{
		if (bound_excludes(records, lfirst(cell), group))
			return true;
	}
	return false;
}

void
parquet_records_restrict(RecordReader *reader, const TupleWriter *writer, List *bounds, ValuePlace *place)
{
	ParquetRecords *records = (ParquetRecords *) reader;

	if (bounds == NIL)
		return;
	choose_ways(records, writer);
	records->bounds = bounds;
	records->place = place;
	records->parquet->excludes = excludes_group;
	records->parquet->excludes_arg = records;
}

HeapTuple
parquet_records_tuple(RecordReader *reader, const TupleWriter *writer, ValuePlace *place)
{
	ParquetRecords *records = (ParquetRecords *) reader;

	if (records->ways == NULL)
		choose_ways(records, writer);
	for (int i = 0; i < writer->desc->natts; i++)
	{
		ParquetColumnWay *way = &records->ways[i];
		const ParquetValue *value;

		records->nulls[i] = true;
		if (way->convert == NULL)
		{
			if (writer->columns[i].typer != NULL)
				typer_take_null(writer->columns[i].typer);
			continue;
		}
		value = parquet_reader_value(records->parquet, records->fields[writer->columns[i].field]);
		records->nulls[i] = value->null;
		if (value->null)
			typer_take_null(way->typer);
		else
			records->datums[i] = way->convert(records, way, value, place);
	}
	return heap_form_tuple(writer->desc, records->datums, records->nulls);
}
