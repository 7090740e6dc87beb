/*-------------------------------------------------------------------------
 *
 * vector_batch.c
 *		Some rows of the table, column by column, and which of them are selected.
 *
 * A condition narrows the selection.  A column's vector has the selected rows only, one
 * behind the other, so that nothing above knows of the others.  It is made when it is
 * asked for: a value that no selected row has is neither read nor detoasted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "vector/vector_batch.h"

VectorBatch *
vector_batch_make(TupleDesc desc, List *attributes)
{
	VectorBatch *batch = palloc0(sizeof(VectorBatch));
	ListCell   *cell;

	batch->most_rows = VECTOR_ROWS;
	batch->context = AllocSetContextCreate(CurrentMemoryContext, "spice batch",
										   ALLOCSET_DEFAULT_SIZES);
	batch->column = palloc0(Max(list_length(attributes), 1) * sizeof(BatchColumn));
	foreach(cell, attributes)
	{
		BatchColumn *column = &batch->column[batch->columns++];
		Form_pg_attribute attribute = TupleDescAttr(desc, lfirst_int(cell) - 1);

		column->attribute = attribute->attnum;
		column->type = value_type(attribute->atttypid, attribute->atttypmod,
								  attribute->attcollation);
		column->datums = palloc(VECTOR_ROWS * sizeof(Datum));
		column->datum_nulls = palloc(VECTOR_ROWS * sizeof(bool));
		column->whole_room = palloc(sizeof(VectorRoom));
		column->room = palloc(sizeof(VectorRoom));
	}
	return batch;
}

/* The caller has filled the Datums of rows of the heap. */
void
vector_batch_start(VectorBatch *batch, int rows, bool from_heap)
{
	MemoryContextReset(batch->context);
	batch->rows = rows;
	batch->from_heap = from_heap;
	batch->selection = (VectorSelection) {NULL, rows, ++batch->last_serial};
	for (int i = 0; i < batch->columns; i++)
		batch->column[i].is_read = false;
}

int
vector_batch_find(const VectorBatch *batch, AttrNumber attribute)
{
	for (int i = 0; i < batch->columns; i++)
	{
		if (batch->column[i].attribute == attribute)
			return i;
	}
	elog(ERROR, "no column %d in the batch", attribute);
}

static void
take_datum(BatchColumn *column, VectorRoom *room, int to, Datum value)
{
	switch (column->type.class)
	{
		case VALUE_INTEGER:
			room->integers[to] = value_to_integer(&column->type, value);
			break;
		case VALUE_FLOAT:
			room->floats[to] = value_to_float(&column->type, value);
			break;
		default:
			room->bytes[to] = value_to_bytes(&column->type, value);
			break;
	}
}

static void
take_null(BatchColumn *column, VectorRoom *room, int to)
{
	if (column->type.class == VALUE_NUMERIC || column->type.class == VALUE_BYTES)
		room->bytes[to] = (ByteView) {"", 0};
	else
		room->integers[to] = 0;
}

static void
select_datums(VectorBatch *batch, BatchColumn *column)
{
	const VectorSelection *selection = &batch->selection;
	VectorRoom *room = column->room;
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	bool		any_null = false;

	for (int i = 0; i < selection->count; i++)
	{
		int			row = selection->rows ? selection->rows[i] : i;

		room->nulls[i] = column->datum_nulls[row];
		any_null |= room->nulls[i];
		if (room->nulls[i])
			take_null(column, room, i);
		else
			take_datum(column, room, i, column->datums[row]);
	}
	MemoryContextSwitchTo(old);
	column->selected.integers = room->integers;
	column->selected.nulls = any_null ? room->nulls : NULL;
	column->selected.scale = 0;
	column->selected.dictionary = NULL;
	switch (column->type.class)
	{
		case VALUE_INTEGER:
			column->selected.kind = VECTOR_INTEGER;
			break;
		case VALUE_FLOAT:
			column->selected.kind = VECTOR_FLOAT;
			break;
		default:
			column->selected.kind = VECTOR_BYTES;
			break;
	}
}

#define GATHER(member) \
	do { \
		for (int i = 0; i < selection->count; i++) \
			room->member[i] = whole->member[selection->rows[i]]; \
		selected->member = room->member; \
	} while (0)

/* the selected rows of the whole vector */
static void
gather(const VectorSelection *selection, const Vector *whole, VectorRoom *room, Vector *selected)
{
	*selected = *whole;
	if (selection->rows == NULL)
		return;
	switch (whole->kind)
	{
		case VECTOR_INTEGER:
			GATHER(integers);
			break;
		case VECTOR_FLOAT:
			GATHER(floats);
			break;
		case VECTOR_BYTES:
			GATHER(bytes);
			break;
		case VECTOR_CODE:
			GATHER(codes);
			break;
	}
	if (whole->nulls)
		GATHER(nulls);
}

/* the column's values in the selected rows; valid until the next selection */
const Vector *
vector_batch_column(VectorBatch *batch, int number)
{
	BatchColumn *column = &batch->column[number];

	if (column->serial == batch->selection.serial)
		return &column->selected;
	if (batch->from_heap)
		select_datums(batch, column);
	else
	{
		if (!column->is_read)
			batch->read_column(batch->reader, batch, column);
		column->is_read = true;
		gather(&batch->selection, &column->whole, column->room, &column->selected);
	}
	column->serial = batch->selection.serial;
	return &column->selected;
}

/* which of eight rows are kept: their numbers one behind the other */
typedef struct EightPlaces
{
	uint16		place[8];
} EightPlaces;

/* by the bits of a byte */
static const EightPlaces *
places_of_bits(void)
{
	static EightPlaces places[256];
	static bool is_made = false;

	for (int bits = 0; !is_made && bits < 256; bits++)
	{
		int			count = 0;

		for (int i = 0; i < 8; i++)
		{
			if (bits & (1 << i))
				places[bits].place[count++] = i;
		}
	}
	is_made = true;
	return places;
}

/* The places among count rows of those that are kept; the room has space for eight more. */
static int
compress(const bool *keep, int count, uint16 *room)
{
	const EightPlaces *places = places_of_bits();
	int			kept = 0;
	int			i;

	for (i = 0; i + 8 <= count; i += 8)
	{
		uint64		eight;
		uint8		bits;

		memcpy(&eight, keep + i, 8);
		bits = (eight * UINT64CONST(0x0102040810204080)) >> 56;
		for (int k = 0; k < 8; k++)
			room[kept + k] = i + places[bits].place[k];
		kept += pg_number_of_ones[bits];
	}
	for (; i < count; i++)
	{
		room[kept] = i;
		kept += keep[i];
	}
	return kept;
}

/*
 * Narrows the selection to those of its rows for which keep is true.  The room is the
 * selection's as long as it lasts.
 */
void
vector_batch_select(VectorBatch *batch, const bool *keep, uint16 *room)
{
	VectorSelection *selection = &batch->selection;
	uint16		places[VECTOR_SELECTION_ROOM];
	int			count = compress(keep, selection->count, selection->rows ? places : room);

	if (count == selection->count)
		return;
	for (int i = 0; selection->rows && i < count; i++)
		room[i] = selection->rows[places[i]];
	*selection = (VectorSelection) {room, count, ++batch->last_serial};
}
