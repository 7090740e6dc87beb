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
#include "source/tuple_writer.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"

#define FIRST_CAPACITY 1024

void
tuple_writer_init(TupleWriter *writer, TupleDesc desc, MemoryContext context)
{
	writer->desc = desc;
	writer->context = context;
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

/* zeros up to where an attribute may begin; room for them is reserved */
static inline char *
align(TupleWriter *writer, char *p, char alignment)
{
	Size		aligned = att_align_nominal(writer->used, alignment);

	for (; writer->used < aligned; writer->used++)
		*p++ = '\0';
	return p;
}

/* a text of plain bytes, with the short header if it may have one */
static void
add_text(TupleWriter *writer, Form_pg_attribute attribute, const char *text, Size length)
{
	char	   *p = reserve(writer, VARHDRSZ + length);
	Size		header = VARHDRSZ_SHORT;

	if (length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX && attribute->attstorage != TYPSTORAGE_PLAIN)
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

/* what an input function has made: never toasted, never expanded */
static void
add_pointer(TupleWriter *writer, Form_pg_attribute attribute, const void *value)
{
	Size		length;
	char	   *p;

	if (attribute->attlen == -1 && attribute->attstorage != TYPSTORAGE_PLAIN &&
		VARATT_CAN_MAKE_SHORT(value))
	{
		length = VARATT_CONVERTED_SHORT_SIZE(value);
		p = reserve(writer, length);
		SET_VARSIZE_SHORT(p, length);
		memcpy(p + VARHDRSZ_SHORT, VARDATA(value), length - VARHDRSZ_SHORT);
	}
	else
	{
		length = att_addlength_pointer(0, attribute->attlen, value);
		p = align(writer, reserve(writer, length), attribute->attalign);
		memcpy(p, value, length);
	}
	writer->used += length;
}

static void
add_datum(TupleWriter *writer, Form_pg_attribute attribute, Datum value)
{
	char	   *p;

	if (!attribute->attbyval)
	{
		add_pointer(writer, attribute, DatumGetPointer(value));
		return;
	}
	p = align(writer, reserve(writer, sizeof(Datum)), attribute->attalign);
	store_att_byval(p, value, attribute->attlen);
	writer->used += attribute->attlen;
}

static inline bool
is_null(const ColumnTyper *typer, const JsonValue *value)
{
	return !OidIsValid(typer->type) || value->kind == JSON_ABSENT || value->kind == JSON_NULL;
}

/* the header, and where there are nulls the bits that say so */
static void
begin_tuple(TupleWriter *writer, const ColumnTyper *typers, const int *fields, const JsonValue *values)
{
	HeapTupleHeader header = writer->tuple.t_data;
	int			natts = writer->desc->natts;
	bool		nulls = false;

	for (int i = 0; i < natts && !nulls; i++)
		nulls = is_null(&typers[i], &values[fields[i]]);
	writer->used = MAXALIGN(SizeofHeapTupleHeader + (nulls ? BITMAPLEN(natts) : 0));
	memset(header, 0, writer->used);
	for (int i = 0; i < natts && nulls; i++)
	{
		if (!is_null(&typers[i], &values[fields[i]]))
			header->t_bits[i >> 3] |= 1 << (i & 7);
	}
	header->t_infomask = (nulls ? HEAP_HASNULL : 0) | HEAP_HASVARWIDTH;
	header->t_hoff = (uint8) writer->used;
	HeapTupleHeaderSetNatts(header, natts);
}

static HeapTuple
end_tuple(TupleWriter *writer)
{
	HeapTupleHeader header = writer->tuple.t_data;

	writer->tuple.t_len = (uint32) writer->used;
	HeapTupleHeaderSetDatumLength(header, writer->used);
	HeapTupleHeaderSetTypeId(header, writer->desc->tdtypeid);
	HeapTupleHeaderSetTypMod(header, writer->desc->tdtypmod);
	ItemPointerSetInvalid(&header->t_ctid);
	return &writer->tuple;
}

HeapTuple
tuple_writer_write(TupleWriter *writer, ColumnTyper *typers, const int *fields, ValuePlace *place)
{
	const JsonValue *values = place->reader->values;

	begin_tuple(writer, typers, fields, values);
	for (int i = 0; i < writer->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(writer->desc, i);
		const JsonValue *value = &values[fields[i]];
		bool		isnull;
		Datum		datum;

		if (!OidIsValid(typers[i].type))
			continue;
		if (typers[i].type == TEXTOID && value->kind == JSON_STRING && !value->escaped)
		{
			add_text(writer, attribute, value->start, value->length);
			continue;
		}
		place->column = typers[i].name;
		place->value = value;
		datum = typer_convert(&typers[i], value, place, &isnull);
		if (!isnull)
			add_datum(writer, attribute, datum);
	}
	place->value = NULL;
	return end_tuple(writer);
}
