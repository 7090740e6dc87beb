/*-------------------------------------------------------------------------
 *
 * tuple_writer.c
 *		Records straight into heap tuples.
 *
 * Datums in a slot, made into a tuple later, cost an allocation and two copies
 * for every text, and a second and a third walk over all the columns: as much as
 * reading the JSON.  So a value goes from the reader's window to its place in
 * the tuple at once, in the layout that heap_fill_tuple() would have given it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "source/scan/tuple_writer.h"

#define FIRST_CAPACITY 1024

void
tuple_writer_init(TupleWriter *writer, TupleDesc desc, ColumnTyper *typers, MemoryContext context)
{
	writer->desc = desc;
	writer->columns = MemoryContextAllocZero(context, sizeof(WriterColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		WriterColumn *column = &writer->columns[i];

		column->typer = OidIsValid(typers[i].type) ? &typers[i] : NULL;
		column->length = attribute->attlen;
		column->alignment = attribute->attalign;
		column->by_value = attribute->attbyval;
		column->packable = attribute->attlen == -1 && attribute->attstorage != TYPSTORAGE_PLAIN;
		column->shortcut = attribute->atttypid == TEXTOID ? WRITER_TEXT :
			attribute->atttypid == INT8OID ? WRITER_INTEGER :
			attribute->atttypid == FLOAT8OID ? WRITER_DOUBLE : WRITER_ANY;
	}
	writer->capacity = FIRST_CAPACITY + MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(desc->natts));
	writer->tuple.t_data = MemoryContextAllocZero(context, writer->capacity);
	ItemPointerSetInvalid(&writer->tuple.t_self);
	writer->tuple.t_tableOid = InvalidOid;
}

/* room for length more bytes and the padding before them */
static inline char *
reserve(TupleWriter *writer, Size length)
{
	Size		needed = writer->used + length + MAXIMUM_ALIGNOF;

	if (unlikely(needed > writer->capacity))
	{
		writer->capacity = Max(needed, Min(writer->capacity * 2, MaxAllocSize));
		writer->tuple.t_data = repalloc(writer->tuple.t_data, writer->capacity);
	}
	return (char *) writer->tuple.t_data + writer->used;
}

/* zeros up to where an attribute may begin; room for more of them is reserved */
static inline char *
align(TupleWriter *writer, char *p, char alignment)
{
	Size		before = writer->used;

	memset(p, 0, MAXIMUM_ALIGNOF);
	writer->used = att_align_nominal(before, alignment);
	return p + (writer->used - before);
}

/* a text of plain bytes, with the short header if it may have one */
static void
add_text(TupleWriter *writer, const WriterColumn *column, const char *text, Size length)
{
	char	   *p = reserve(writer, VARHDRSZ + length);
	Size		header = VARHDRSZ_SHORT;

	if (length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX && column->packable)
		SET_VARSIZE_SHORT(p, VARHDRSZ_SHORT + length);
	else
	{
		p = align(writer, p, TYPALIGN_INT);
		header = VARHDRSZ;
		SET_VARSIZE(p, VARHDRSZ + length);
	}
	memcpy(p + header, text, length);
	writer->used += header + length;
}

/* the eight bytes of a number */
static inline void
add_word(TupleWriter *writer, const void *value)
{
	char	   *p = align(writer, reserve(writer, sizeof(int64)), TYPALIGN_DOUBLE);

	memcpy(p, value, sizeof(int64));
	writer->used += sizeof(int64);
}

/*
 * The plain values of the types that nearly all columns have.  False: it is another one,
 * which wants to be converted, or refused.
 */
static inline bool
add_plain(TupleWriter *writer, const WriterColumn *column, const JsonValue *value)
{
	int64		integer;
	double		number;

	switch (column->shortcut)
	{
		case WRITER_TEXT:
			if (value->kind != JSON_STRING || value->escaped)
				return false;
			add_text(writer, column, value->start, value->length);
			return true;
		case WRITER_INTEGER:
			if (!json_value_integer(value, &integer))
				return false;
			add_word(writer, &integer);
			return true;
		case WRITER_DOUBLE:
			if (!json_value_double(value, &number) || !typing_is_plain_double(value, number))
				return false;
			add_word(writer, &number);
			return true;
		default:
			return false;
	}
}

/* what an input function has made: never toasted, never expanded */
static void
add_pointer(TupleWriter *writer, const WriterColumn *column, const void *value)
{
	Size		length;
	char	   *p;

	if (column->packable && VARATT_CAN_MAKE_SHORT(value))
	{
		length = VARATT_CONVERTED_SHORT_SIZE(value);
		p = reserve(writer, length);
		SET_VARSIZE_SHORT(p, length);
		memcpy(p + VARHDRSZ_SHORT, VARDATA(value), length - VARHDRSZ_SHORT);
	}
	else
	{
		length = att_addlength_pointer(0, column->length, value);
		p = align(writer, reserve(writer, length), column->alignment);
		memcpy(p, value, length);
	}
	writer->used += length;
}

static inline void
add_datum(TupleWriter *writer, const WriterColumn *column, Datum value)
{
	char	   *p;

	if (!column->by_value)
	{
		add_pointer(writer, column, DatumGetPointer(value));
		return;
	}
	p = align(writer, reserve(writer, sizeof(Datum)), column->alignment);
	store_att_byval(p, value, column->length);
	writer->used += column->length;
}

static inline bool
is_null(const WriterColumn *column, const JsonValue *values)
{
	const JsonValue *value;

	if (column->typer == NULL)
		return true;
	value = &values[column->field];
	return value->kind == JSON_ABSENT || value->kind == JSON_NULL ||
		(value->length == 0 && value->kind == JSON_STRING && typer_empty_is_null(column->typer));
}

static bool
any_null(const TupleWriter *writer, const JsonValue *values)
{
	for (int i = 0; i < writer->desc->natts; i++)
	{
		if (is_null(&writer->columns[i], values))
			return true;
	}
	return false;
}

/* the header, and where there are nulls the bits that say so */
static void
begin_tuple(TupleWriter *writer, const JsonValue *values, bool nulls)
{
	HeapTupleHeader header = writer->tuple.t_data;
	int			natts = writer->desc->natts;

	writer->used = MAXALIGN(SizeofHeapTupleHeader + (nulls ? BITMAPLEN(natts) : 0));
	memset(header, 0, writer->used);
	for (int i = 0; i < natts && nulls; i++)
	{
		if (!is_null(&writer->columns[i], values))
			header->t_bits[i >> 3] |= 1 << (i & 7);
	}
	header->t_infomask = (nulls ? HEAP_HASNULL : 0) | HEAP_HASVARWIDTH;
	header->t_hoff = (uint8) writer->used;
	HeapTupleHeaderSetNatts(header, natts);
}

/* false: there is a null, which was not expected */
static bool
write_columns(TupleWriter *writer, ValuePlace *place, bool nulls)
{
	const JsonValue *values = place->reader->values;
	const WriterColumn *end = writer->columns + writer->desc->natts;

	for (const WriterColumn *column = writer->columns; column < end; column++)
	{
		const JsonValue *value = &values[column->field];
		bool		null = is_null(column, values);

		if (null && !nulls)
			return false;
		if (column->typer == NULL || (!null && add_plain(writer, column, value)))
			continue;
		place->column = column->typer->name;
		place->value = value;
		if (null)
			typer_take_null(column->typer);
		else
			add_datum(writer, column, column->typer->convert(column->typer, value, place));
	}
	place->value = NULL;
	return true;
}

HeapTuple
tuple_writer_write(TupleWriter *writer, ValuePlace *place)
{
	const JsonValue *values = place->reader->values;
	bool		nulls = writer->nulls && any_null(writer, values);

	begin_tuple(writer, values, nulls);
	if (!write_columns(writer, place, nulls))
	{
		nulls = true;
		begin_tuple(writer, values, nulls);
		(void) write_columns(writer, place, nulls);
	}
	writer->nulls = nulls;
	writer->tuple.t_len = (uint32) writer->used;
	ItemPointerSetInvalid(&writer->tuple.t_data->t_ctid);
	return &writer->tuple;
}
