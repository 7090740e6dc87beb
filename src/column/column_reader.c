/*-------------------------------------------------------------------------
 *
 * column_reader.c
 *		What a column index knows of its table's rows.
 *
 * For each group, the reader looks at the visibility map of all its blocks, and then
 * at its entry; column_marks.c says why in this order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/visibilitymap.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "column/column_marks.h"
#include "column/column_pages.h"
#include "column/column_reader.h"
#include "compat.h"

/* so long that a change falls between the looks */
#define LOOK_PAUSE_US 20000

int			column_look = COLUMN_LOOK;

typedef struct ReaderColumn
{
	AttrNumber	attribute;
	const ColumnChunk *chunk;	/* of the current group */
	ColumnBytes *dictionary;	/* NULL: not read yet */
	Buffer		buffer;			/* the page of values read last */
	BlockNumber block;
} ReaderColumn;

struct ColumnReader
{
	Relation	table;
	Relation	index;
	BufferAccessStrategy strategy;
	MemoryContext context;		/* of the current group */
	Buffer		map;			/* visibility map */
	ColumnEntry entry;
	ColumnGroup group;
	char	   *header;
	const ColumnBlock *blocks;
	const uint16 *offsets;
	uint32	   *first_offset;	/* of each block among the offsets; NULL: not asked for yet */
	uint32		first_row[COLUMN_GROUP_BLOCKS + 1];
	bool		vouched[COLUMN_GROUP_BLOCKS];
	int			columns;
	ReaderColumn column[FLEXIBLE_ARRAY_MEMBER];
};

ColumnReader *
column_reader_open(Relation table, Relation index, BufferAccessStrategy strategy)
{
	int			columns = IndexRelationGetNumberOfKeyAttributes(index);
	ColumnReader *reader = palloc0(offsetof(ColumnReader, column) + sizeof(ReaderColumn) * columns);

	reader->table = table;
	reader->index = index;
	reader->strategy = strategy;
	reader->context = AllocSetContextCreate(CurrentMemoryContext, "spice row group", ALLOCSET_DEFAULT_SIZES);
	reader->columns = columns;
	for (int i = 0; i < columns; i++)
		reader->column[i].attribute = index->rd_index->indkey.values[i];
	return reader;
}

static void
release_group(ColumnReader *reader)
{
	for (int i = 0; i < reader->columns; i++)
	{
		ReaderColumn *column = &reader->column[i];

		if (BufferIsValid(column->buffer))
			ReleaseBuffer(column->buffer);
		column->buffer = InvalidBuffer;
		column->dictionary = NULL;
		column->chunk = NULL;
	}
	reader->first_offset = NULL;
	MemoryContextReset(reader->context);
}

void
column_reader_close(ColumnReader *reader)
{
	release_group(reader);
	if (BufferIsValid(reader->map))
		ReleaseBuffer(reader->map);
	MemoryContextDelete(reader->context);
	pfree(reader);
}

int
column_reader_find(const ColumnReader *reader, AttrNumber attribute)
{
	for (int i = 0; i < reader->columns; i++)
	{
		if (reader->column[i].attribute == attribute)
			return i;
	}
	return -1;
}

uint32
column_reader_groups(ColumnReader *reader)
{
	ColumnRoot *root = column_root_read(reader->index);
	uint32		groups = root->groups;

	pfree(root);
	return groups;
}

/* ------- a group ------- */

pg_noreturn static void
report_damage(const ColumnReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("row group %u of column index \"%s\" is damaged",
					reader->group.number, RelationGetRelationName(reader->index)),
			 errhint("REINDEX makes it again.")));
}

static ColumnStamp
stamp_of(const ColumnReader *reader, uint32 page)
{
	return (ColumnStamp) {COLUMN_MAGIC, reader->group.number, reader->entry.version, page};
}

static void
copy_bytes(ColumnReader *reader, uint32 page, uint64 offset, uint64 length, void *to)
{
	ColumnStamp stamp = stamp_of(reader, page);

	column_pages_copy(reader->index, reader->entry.first, &stamp, offset, length, to, reader->strategy);
}

static void
read_header(ColumnReader *reader)
{
	ColumnHeader head;
	Size		length;
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	copy_bytes(reader, 0, 0, sizeof(head), &head);
	length = sizeof(ColumnHeader) + sizeof(ColumnChunk) * reader->columns;
	if (head.blocks > COLUMN_GROUP_BLOCKS || head.offsets > COLUMN_GROUP_BLOCKS * (uint32) MaxHeapTuplesPerPage)
		report_damage(reader);
	length += sizeof(ColumnBlock) * head.blocks + sizeof(uint16) * head.offsets;
	if (length > (Size) reader->entry.pages * COLUMN_PAGE_BYTES)
		report_damage(reader);
	reader->header = palloc(length);
	copy_bytes(reader, 0, 0, length, reader->header);
	if (!column_decode_header(reader->header, length, reader->entry.pages, reader->columns))
		report_damage(reader);
	for (int i = 0; i < reader->columns; i++)
		reader->column[i].chunk = (const ColumnChunk *) (reader->header + sizeof(ColumnHeader)) + i;
	reader->blocks = (const ColumnBlock *) (reader->column[0].chunk + reader->columns);
	reader->offsets = (const uint16 *) (reader->blocks + head.blocks);
	reader->group.blocks = head.blocks;
	reader->group.rows = head.rows;
	MemoryContextSwitchTo(old);
}

static void
look_at_map(ColumnReader *reader, BlockNumber first)
{
	BlockNumber end = RelationGetNumberOfBlocks(reader->table);

	for (int i = 0; i < COLUMN_GROUP_BLOCKS; i++)
		reader->vouched[i] = first + i < end && VM_ALL_VISIBLE(reader->table, first + i, &reader->map);
}

/* False: no block of the group is covered. */
static bool
look_at_marks(ColumnReader *reader, uint32 number)
{
	if (!column_entry_read(reader->index, number, &reader->entry) || reader->entry.first == 0)
		return false;
	if (column_look == COLUMN_LOOK_MAP_ONLY)
		memset(reader->entry.marks, 0, sizeof(reader->entry.marks));
	return true;
}

/* The rule's two looks, in the order that column_marks.c explains. */
static bool
look(ColumnReader *reader, uint32 number)
{
	BlockNumber first = number * COLUMN_GROUP_BLOCKS;
	bool		covered;

	if (column_look == COLUMN_LOOK_MARKS_FIRST)
	{
		covered = look_at_marks(reader, number);
		pg_usleep(LOOK_PAUSE_US);
		look_at_map(reader, first);
		return covered;
	}
	look_at_map(reader, first);
	if (column_look != COLUMN_LOOK)
		pg_usleep(LOOK_PAUSE_US);
	covered = look_at_marks(reader, number);
	if (column_look == COLUMN_LOOK_MARKS_ONLY)
		memset(reader->vouched, true, sizeof(reader->vouched));
	return covered;
}

const ColumnGroup *
column_reader_group(ColumnReader *reader, uint32 number)
{
	ColumnGroup *group = &reader->group;

	release_group(reader);
	group->number = number;
	group->first_block = number * COLUMN_GROUP_BLOCKS;
	group->first_row = reader->first_row;
	group->vouched = reader->vouched;
	group->all_vouched = true;
	if (!look(reader, number))
		return NULL;
	read_header(reader);
	reader->first_row[0] = 0;
	for (int i = 0; i < group->blocks; i++)
	{
		reader->vouched[i] &= !column_is_marked(&reader->entry, i);
		group->all_vouched &= reader->vouched[i];
		reader->first_row[i + 1] = reader->first_row[i] + reader->blocks[i].rows;
	}
	return group;
}

const ColumnChunk *
column_reader_chunk(const ColumnReader *reader, int column)
{
	return reader->column[column].chunk;
}

/* ------- values ------- */

/* The contents of the page, locked to share until release_page(). */
static const char *
read_page(ColumnReader *reader, ReaderColumn *column, uint32 page)
{
	BlockNumber block = reader->entry.first + page;

	if (!BufferIsValid(column->buffer) || column->block != block)
	{
		ColumnStamp stamp = stamp_of(reader, page);

		if (BufferIsValid(column->buffer))
			ReleaseBuffer(column->buffer);
		column->buffer = InvalidBuffer;
		column->buffer = column_pages_read(reader->index, block, &stamp, reader->strategy);
		column->block = block;
	}
	else
		LockBuffer(column->buffer, BUFFER_LOCK_SHARE);
	return PageGetContents(BufferGetPage(column->buffer));
}

static void
release_page(ReaderColumn *column)
{
	LockBuffer(column->buffer, BUFFER_LOCK_UNLOCK);
}

/* The page of a row, the row's number within it, and how many of the rows it has. */
static const char *
read_rows(ColumnReader *reader, ReaderColumn *column, int row, int count, int *first, int *part)
{
	int			per_page = column_rows_per_page(column->chunk);

	*first = row % per_page;
	*part = Min(count, per_page - *first);
	return read_page(reader, column, column->chunk->value_page + row / per_page);
}

bool
column_reader_nulls(ColumnReader *reader, int number, int row, int count, bool *nulls)
{
	ReaderColumn *column = &reader->column[number];
	bool		any = false;

	if (column->chunk->nulls == 0)
		return false;
	while (count > 0)
	{
		int			first = row % (COLUMN_PAGE_BYTES * 8);
		int			part = Min(count, COLUMN_PAGE_BYTES * 8 - first);
		ColumnStamp stamp = stamp_of(reader, column->chunk->null_page + row / (COLUMN_PAGE_BYTES * 8));
		Buffer		buffer = column_pages_read(reader->index, reader->entry.first + stamp.page, &stamp, reader->strategy);

		column_decode_nulls(PageGetContents(BufferGetPage(buffer)), first, part, nulls);
		UnlockReleaseBuffer(buffer);
		for (int i = 0; i < part; i++)
			any |= nulls[i];
		nulls += part;
		row += part;
		count -= part;
	}
	return any;
}

void
column_reader_integers(ColumnReader *reader, int number, int row, int count, int64 *values)
{
	ReaderColumn *column = &reader->column[number];

	Assert(column->chunk->encoding == COLUMN_INTEGER);
	if (column->chunk->width == 0)
	{
		column_decode_integers(column->chunk, NULL, 0, count, values);
		return;
	}
	while (count > 0)
	{
		int			first;
		int			part;
		const char *page = read_rows(reader, column, row, count, &first, &part);

		column_decode_integers(column->chunk, page, first, part, values);
		release_page(column);
		values += part;
		row += part;
		count -= part;
	}
}

void
column_reader_floats(ColumnReader *reader, int number, int row, int count, double *values)
{
	ReaderColumn *column = &reader->column[number];

	Assert(column->chunk->encoding == COLUMN_FLOAT);
	while (count > 0)
	{
		int			first;
		int			part;
		const char *page = read_rows(reader, column, row, count, &first, &part);

		column_decode_floats(column->chunk, page, first, part, values);
		release_page(column);
		values += part;
		row += part;
		count -= part;
	}
}

void
column_reader_codes(ColumnReader *reader, int number, int row, int count, uint16 *codes)
{
	ReaderColumn *column = &reader->column[number];

	Assert(column->chunk->encoding == COLUMN_CODE);
	while (count > 0)
	{
		int			first;
		int			part;
		const char *page = read_rows(reader, column, row, count, &first, &part);
		bool		sound = column_decode_codes(column->chunk, page, first, part, codes);

		release_page(column);
		if (!sound)
			report_damage(reader);
		codes += part;
		row += part;
		count -= part;
	}
}

/* ------- strings ------- */

/* Strings by their offsets, which are count and one more. */
static void
read_strings(ColumnReader *reader, const ColumnChunk *chunk, const uint32 *offsets, int count, ColumnBytes *values)
{
	uint32		start = offsets[0];
	uint32		end = offsets[count];
	char	   *bytes;

	if (start > end || end > chunk->bytes)
		report_damage(reader);
	bytes = palloc(Max(end - start, 1));
	copy_bytes(reader, chunk->byte_page, start, end - start, bytes);
	if (!column_decode_strings(offsets, count, start, bytes, end - start, values))
		report_damage(reader);
}

/* Offsets have 4 bytes, and a page has room for a whole number of them. */
static uint32 *
read_offsets(ColumnReader *reader, uint32 page, int first, int count)
{
	uint32	   *offsets = palloc(sizeof(uint32) * (count + 1));

	StaticAssertStmt(COLUMN_PAGE_BYTES % sizeof(uint32) == 0, "no offset crosses the end of a page");
	copy_bytes(reader, page, sizeof(uint32) * first, sizeof(uint32) * (count + 1), offsets);
	return offsets;
}

const ColumnBytes *
column_reader_dictionary(ColumnReader *reader, int number)
{
	ReaderColumn *column = &reader->column[number];
	const ColumnChunk *chunk = column->chunk;

	Assert(chunk->encoding == COLUMN_CODE);
	if (column->dictionary == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->context);
		ColumnBytes *entries = palloc(sizeof(ColumnBytes) * chunk->entries);

		read_strings(reader, chunk, read_offsets(reader, chunk->offset_page, 0, chunk->entries),
					 chunk->entries, entries);
		column->dictionary = entries;
		MemoryContextSwitchTo(old);
	}
	return column->dictionary;
}

void
column_reader_bytes(ColumnReader *reader, int number, int row, int count, ColumnBytes *values)
{
	const ColumnChunk *chunk = reader->column[number].chunk;
	uint32	   *offsets;

	Assert(chunk->encoding == COLUMN_BYTES);
	offsets = read_offsets(reader, chunk->value_page, row, count);
	read_strings(reader, chunk, offsets, count, values);
	pfree(offsets);
}

/* ------- places ------- */

static void
find_offsets(ColumnReader *reader)
{
	uint32		next = 0;

	reader->first_offset = MemoryContextAlloc(reader->context, sizeof(uint32) * (reader->group.blocks + 1));
	for (int i = 0; i < reader->group.blocks; i++)
	{
		reader->first_offset[i] = next;
		next += reader->blocks[i].has_offsets ? reader->blocks[i].rows : 0;
	}
}

/* The block of a row: the last one that begins with it or before, and has rows. */
static int
find_block(const ColumnReader *reader, uint32 row)
{
	int			low = 0;
	int			high = reader->group.blocks;

	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (reader->first_row[middle] <= row)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void
column_reader_tid(ColumnReader *reader, int row, ItemPointer tid)
{
	int			block = find_block(reader, row);
	uint32		in_block = row - reader->first_row[block];
	OffsetNumber offset = in_block + 1;

	if (reader->blocks[block].has_offsets)
	{
		if (reader->first_offset == NULL)
			find_offsets(reader);
		offset = reader->offsets[reader->first_offset[block] + in_block];
	}
	ItemPointerSet(tid, reader->group.first_block + block, offset);
}
