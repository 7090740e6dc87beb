/*-------------------------------------------------------------------------
 *
 * column_cover.c
 *		Columns from the rows of the heap.
 *
 * Rows are read a block at a time under its share lock, from blocks whose page says
 * that all is visible.  The state of the group is set to covering before; so a change
 * that comes after the block was read leaves a mark, and a change that came before makes
 * the page say otherwise.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/visibilitymap.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "column/column_cover.h"
#include "column/column_marks.h"
#include "column/column_numeric.h"
#include "column/column_pages.h"

/* a longer value stays in the heap */
#define MAX_VALUE_BYTES 2000

/* a group is covered when one block in so many gains by it */
#define GAIN_SHARE 20

typedef struct CoverColumn
{
	AttrNumber	attribute;
	int16		length;
	ColumnClass class;
	ColumnGather *gather;
	ColumnChunk chunk;
	ColumnArea	areas[COLUMN_AREAS];
} CoverColumn;

typedef struct Cover
{
	Relation	heap;
	Relation	index;
	MemoryContext context;
	BufferAccessStrategy strategy;
	int			columns;
	CoverColumn *column;
	Datum	   *values;			/* of a row of the heap */
	bool	   *nulls;
	ColumnHeader header;
	ColumnBlock blocks[COLUMN_GROUP_BLOCKS];
	uint16	   *offsets;		/* of rows of blocks that say so */
	int			offset_room;
} Cover;

ColumnClass
column_class(Oid type, bool by_value)
{
	if (type == FLOAT4OID || type == FLOAT8OID)
		return COLUMN_CLASS_FLOAT;
	if (type == NUMERICOID)
		return COLUMN_CLASS_NUMERIC;
	return by_value ? COLUMN_CLASS_INTEGER : COLUMN_CLASS_BYTES;
}

static void *
allocate(void *context, void *old, size_t size)
{
	if (size == 0)
	{
		if (old)
			pfree(old);
		return NULL;
	}
	if (old == NULL)
		return MemoryContextAllocHuge(context, size);
	return repalloc_huge(old, size);
}

static Cover *
cover_make(Relation heap, Relation index)
{
	Cover	   *cover = palloc0(sizeof(Cover));
	TupleDesc	desc = RelationGetDescr(heap);

	cover->heap = heap;
	cover->index = index;
	cover->context = AllocSetContextCreate(CurrentMemoryContext, "spice column values", ALLOCSET_DEFAULT_SIZES);
	cover->strategy = GetAccessStrategy(BAS_BULKREAD);
	cover->columns = IndexRelationGetNumberOfKeyAttributes(index);
	cover->column = palloc0(sizeof(CoverColumn) * cover->columns);
	for (int i = 0; i < cover->columns; i++)
	{
		CoverColumn *column = &cover->column[i];
		Form_pg_attribute attribute;

		column->attribute = index->rd_index->indkey.values[i];
		attribute = TupleDescAttr(desc, column->attribute - 1);
		column->length = attribute->attlen;
		column->class = column_class(getBaseType(attribute->atttypid), attribute->attbyval);
		column->gather = column_gather_make(column->class, attribute->attlen, allocate, cover->context);
	}
	cover->values = palloc(sizeof(Datum) * desc->natts);
	cover->nulls = palloc(sizeof(bool) * desc->natts);
	return cover;
}

/* ------- rows ------- */

static int64
integer_of(Datum value, int16 length)
{
	switch (length)
	{
		case 1:
			return (int8) DatumGetChar(value);
		case 2:
			return DatumGetInt16(value);
		case 4:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

static void
take_bytes(CoverColumn *column, const char *pointer)
{
	const char *data = pointer;
	uint32		length = column->length;

	if (column->length == -1)
	{
		if (VARATT_IS_EXTERNAL(pointer) || VARATT_IS_COMPRESSED(pointer) ||
			VARSIZE_ANY_EXHDR(pointer) > MAX_VALUE_BYTES)
		{
			column_gather_give_up(column->gather);
			return;
		}
		data = VARDATA_ANY(pointer);
		length = VARSIZE_ANY_EXHDR(pointer);
	}
	if (column->class == COLUMN_CLASS_NUMERIC)
	{
		int64		value;
		int			scale = column_numeric_split(data, length, &value);

		column_gather_numeric(column->gather, value, scale, data, length);
	}
	else
		column_gather_bytes(column->gather, data, length);
}

static void
take_row(Cover *cover, HeapTuple tuple)
{
	heap_deform_tuple(tuple, RelationGetDescr(cover->heap), cover->values, cover->nulls);
	for (int i = 0; i < cover->columns; i++)
	{
		CoverColumn *column = &cover->column[i];
		Datum		value = cover->values[column->attribute - 1];

		if (cover->nulls[column->attribute - 1])
			column_gather_null(column->gather);
		else if (column->class == COLUMN_CLASS_INTEGER)
			column_gather_integer(column->gather, integer_of(value, column->length));
		else if (column->class == COLUMN_CLASS_FLOAT)
			column_gather_float(column->gather, column->length == sizeof(float4) ?
								DatumGetFloat4(value) : DatumGetFloat8(value));
		else
			take_bytes(column, DatumGetPointer(value));
	}
}

static void
add_offset(Cover *cover, OffsetNumber offset)
{
	if (cover->header.offsets == (uint32) cover->offset_room)
	{
		cover->offset_room = Max(cover->offset_room * 2, 1024);
		cover->offsets = allocate(cover->context, cover->offsets, cover->offset_room * sizeof(uint16));
	}
	cover->offsets[cover->header.offsets++] = offset;
}

/*
 * The page's rows in the order of the line pointers by which indexes know them, so that
 * all column indexes of a table have the same order.
 */
static void
take_page(Cover *cover, Page page, ColumnBlock *block)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	uint32		first_offset = cover->header.offsets;

	block->last_offset = last;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		HeapTupleData tuple;

		/* behind a redirection is what HOT updates have left */
		if (ItemIdIsRedirected(item))
			item = PageGetItemId(page, ItemIdGetRedirect(item));
		else if (ItemIdIsNormal(item) &&
				 HeapTupleHeaderIsHeapOnly((HeapTupleHeader) PageGetItem(page, item)))
			continue;
		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_tableOid = RelationGetRelid(cover->heap);
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		ItemPointerSetInvalid(&tuple.t_self);
		take_row(cover, &tuple);
		add_offset(cover, offset);
		block->rows++;
	}
	block->has_offsets = block->rows > 0 && cover->offsets[cover->header.offsets - 1] != block->rows;
	if (!block->has_offsets)
		cover->header.offsets = first_offset;
	cover->header.rows += block->rows;
}

/* False: not all of the block is visible to everybody. */
static bool
take_block(Cover *cover, BlockNumber number, ColumnBlock *block)
{
	Buffer		buffer = ReadBufferExtended(cover->heap, MAIN_FORKNUM, number, RBM_NORMAL, cover->strategy);
	Page		page;
	bool		visible;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	visible = !PageIsNew(page) && PageIsAllVisible(page);
	if (visible)
		take_page(cover, page, block);
	UnlockReleaseBuffer(buffer);
	return visible;
}

static void
take_group(Cover *cover, BlockNumber first, ColumnEntry *entry)
{
	memset(&cover->header, 0, sizeof(cover->header));
	memset(cover->blocks, 0, sizeof(cover->blocks));
	memset(entry->marks, 0, sizeof(entry->marks));
	cover->header.blocks = entry->blocks;
	cover->header.columns = cover->columns;
	for (int i = 0; i < cover->columns; i++)
		column_gather_start(cover->column[i].gather);
	for (uint32 i = 0; i < entry->blocks; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!take_block(cover, first + i, &cover->blocks[i]))
			entry->marks[i / 8] |= 1 << i % 8;
	}
}

/* ------- the extent ------- */

static char *
make_header(Cover *cover, Size *length)
{
	Size		chunks = sizeof(ColumnChunk) * cover->columns;
	Size		blocks = sizeof(ColumnBlock) * cover->header.blocks;
	Size		offsets = sizeof(uint16) * cover->header.offsets;
	char	   *header;
	char	   *end;

	*length = sizeof(ColumnHeader) + chunks + blocks + offsets;
	header = palloc(*length);
	memcpy(header, &cover->header, sizeof(ColumnHeader));
	end = header + sizeof(ColumnHeader);
	for (int i = 0; i < cover->columns; i++, end += sizeof(ColumnChunk))
		memcpy(end, &cover->column[i].chunk, sizeof(ColumnChunk));
	memcpy(end, cover->blocks, blocks);
	if (offsets > 0)
		memcpy(end + blocks, cover->offsets, offsets);
	return header;
}

/* Encodes the columns, and says how many pages the extent needs. */
static uint32
lay_out(Cover *cover)
{
	Size		length = sizeof(ColumnHeader) + sizeof(ColumnChunk) * cover->columns +
	sizeof(ColumnBlock) * cover->header.blocks + sizeof(uint16) * cover->header.offsets;
	ColumnArea	header = {NULL, length, 1};
	uint32		pages = column_area_pages(&header);

	for (int i = 0; i < cover->columns; i++)
	{
		CoverColumn *column = &cover->column[i];
		ColumnChunk *chunk = &column->chunk;
		uint32	   *first[COLUMN_AREAS] = {&chunk->value_page, &chunk->null_page, &chunk->offset_page, &chunk->byte_page};

		column_encode(column->gather, chunk, column->areas);
		for (int kind = 0; kind < COLUMN_AREAS; kind++)
		{
			*first[kind] = pages;
			pages += column_area_pages(&column->areas[kind]);
		}
	}
	return pages;
}

static void
write_area(Cover *cover, BlockNumber first, ColumnStamp *stamp, const ColumnArea *area)
{
	const char *data = area->data;
	Size		left = area->bytes;

	while (left > 0)
	{
		Size		part = Min(left, (Size) COLUMN_PAGE_BYTES / area->unit * area->unit);

		CHECK_FOR_INTERRUPTS();
		column_pages_write(cover->index, first + stamp->page, stamp, data, part);
		stamp->page++;
		data += part;
		left -= part;
	}
}

static void
write_extent(Cover *cover, uint32 group, const ColumnEntry *entry)
{
	ColumnStamp stamp = {COLUMN_MAGIC, group, entry->version, 0};
	ColumnArea	header = {NULL, 0, 1};

	header.data = make_header(cover, &header.bytes);
	write_area(cover, entry->first, &stamp, &header);
	for (int i = 0; i < cover->columns; i++)
	{
		for (int kind = 0; kind < COLUMN_AREAS; kind++)
			write_area(cover, entry->first, &stamp, &cover->column[i].areas[kind]);
	}
	pfree(unconstify(void *, header.data));
	if (stamp.page != entry->pages)
		elog(ERROR, "row group %u has %u pages instead of %u", group, stamp.page, entry->pages);
}

static void
cover_group(Cover *cover, uint32 group, uint32 blocks)
{
	ColumnEntry old;
	ColumnEntry entry = {.blocks = blocks};

	column_cover_begin(cover->index, group);
	if (!column_entry_read(cover->index, group, &old))
		elog(ERROR, "row group %u has no entry", group);
	take_group(cover, group * COLUMN_GROUP_BLOCKS, &entry);
	entry.pages = lay_out(cover);
	entry.version = old.version + 1;
	entry.first = column_cover_place(cover->index, cover->heap, entry.pages);
	write_extent(cover, group, &entry);
	column_cover_publish(cover->index, group, &entry);
}

/* ------- which groups ------- */

/* Blocks of the group that columns could speak for, and do not. */
static uint32
count_gain(Cover *cover, uint32 group, uint32 blocks, Buffer *map)
{
	ColumnEntry entry;
	BlockNumber first = group * COLUMN_GROUP_BLOCKS;
	uint32		gain = 0;

	if (!column_entry_read(cover->index, group, &entry) || entry.first == 0)
		entry.blocks = 0;
	for (uint32 i = 0; i < blocks; i++)
	{
		if ((i >= entry.blocks || column_is_marked(&entry, i)) && VM_ALL_VISIBLE(cover->heap, first + i, map))
			gain++;
	}
	return gain;
}

int
column_cover(Relation heap, Relation index)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context;
	BlockNumber end = Min(RelationGetNumberOfBlocks(heap), (BlockNumber) COLUMN_GROUP_BLOCKS * COLUMN_MAP_ENTRIES * COLUMN_MAPS);
	Cover	   *cover;
	Buffer		map = InvalidBuffer;
	int			covered = 0;
	ColumnRoot *root = column_root_read(index);

	/* REINDEX makes an index of this format */
	if (root->end == 0)
		return 0;
	context = AllocSetContextCreate(before, "spice column cover", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	cover = cover_make(heap, index);
	for (BlockNumber first = 0; first < end; first += COLUMN_GROUP_BLOCKS)
	{
		uint32		group = first / COLUMN_GROUP_BLOCKS;
		uint32		blocks = Min(end - first, COLUMN_GROUP_BLOCKS);

		if (count_gain(cover, group, blocks, &map) * GAIN_SHARE <= blocks)
			continue;
		cover_group(cover, group, blocks);
		covered++;
	}
	if (BufferIsValid(map))
		ReleaseBuffer(map);
	FreeAccessStrategy(cover->strategy);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return covered;
}
