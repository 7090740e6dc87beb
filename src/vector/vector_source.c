/*-------------------------------------------------------------------------
 *
 * vector_source.c
 *		The rows of a table that a snapshot sees, as batches, in the heap's order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relscan.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "column/column_reader.h"
#include "vector/vector_source.h"

struct VectorSource
{
	Relation	table;
	Relation	index;
	Snapshot	snapshot;
	VectorBatch *batch;
	SourceCounts counts;
	TupleTableSlot *slot;		/* of a tuple of the heap */
	AttrNumber	last_attribute;
	BufferAccessStrategy strategy;
	Buffer		buffer;			/* whose tuples the batch's Datums point into */
	ItemPointerData tids[MaxHeapTuplesPerPage]; /* of the batch's rows */
	BlockNumber next_block;
	BlockNumber blocks;

	ColumnReader *reader;
	uint32		groups;			/* that may be covered */
	const ColumnGroup *group;	/* of next_block; NULL: its blocks are read from the heap */
	bool		is_skipped;		/* no row of its columns passes the conditions */
	int			row;			/* of the group, that the batch begins with */
	int			next_row;		/* of a run of blocks, from here on to end_row */
	int			end_row;

	bool		(*may_pass) (void *owner, int rows);
	void	   *owner;
};

static void
release(VectorSource *source)
{
	ExecClearTuple(source->slot);
	if (BufferIsValid(source->buffer))
		ReleaseBuffer(source->buffer);
	source->buffer = InvalidBuffer;
}

/* ---------------------------------------------------------------- the heap */

/* the visible tuples of the page; as heapgetpage() finds them */
static int
find_tuples(VectorSource *source, BlockNumber block, HeapTupleData *tuples)
{
	Buffer		buffer = source->buffer;
	Page		page = BufferGetPage(buffer);
	int			count = 0;
	OffsetNumber last;
	bool		all_visible;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	compat_test_for_old_snapshot(source->snapshot, source->table, page);
	last = PageGetMaxOffsetNumber(page);
	all_visible = PageIsAllVisible(page) && !source->snapshot->takenDuringRecovery;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		HeapTuple	tuple = &tuples[count];
		bool		visible;

		if (!ItemIdIsNormal(item))
			continue;
		tuple->t_tableOid = RelationGetRelid(source->table);
		tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple->t_len = ItemIdGetLength(item);
		ItemPointerSet(&tuple->t_self, block, offset);
		visible = all_visible || HeapTupleSatisfiesVisibility(tuple, source->snapshot, buffer);
		HeapCheckForSerializableConflictOut(visible, source->table, tuple, buffer,
											source->snapshot);
		count += visible;
	}
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return count;
}

static void
take_tuple(VectorSource *source, HeapTuple tuple, int row)
{
	TupleTableSlot *slot = source->slot;
	VectorBatch *batch = source->batch;

	if (batch->columns == 0)
		return;
	ExecStoreBufferHeapTuple(tuple, slot, source->buffer);
	slot_getsomeattrs(slot, source->last_attribute);
	for (int i = 0; i < batch->columns; i++)
	{
		BatchColumn *column = &batch->column[i];

		column->datums[row] = slot->tts_values[column->attribute - 1];
		column->datum_nulls[row] = slot->tts_isnull[column->attribute - 1];
	}
}

/* The page stays pinned until the next batch, as Datums point into it. */
static void
read_heap_block(VectorSource *source, BlockNumber block)
{
	HeapTupleData tuples[MaxHeapTuplesPerPage];
	int			count;

	release(source);
	source->buffer = ReadBufferExtended(source->table, MAIN_FORKNUM, block, RBM_NORMAL,
										source->strategy);
	heap_page_prune_opt(source->table, source->buffer);
	count = find_tuples(source, block, tuples);
	for (int i = 0; i < count; i++)
	{
		take_tuple(source, &tuples[i], i);
		source->tids[i] = tuples[i].t_self;
	}
	source->counts.heap_blocks++;
	vector_batch_start(source->batch, count, true);
}

/* ---------------------------------------------------------------- the columns */

static void
read_column(void *reader, VectorBatch *batch, BatchColumn *column)
{
	VectorSource *source = reader;
	const ColumnChunk *chunk = column_reader_chunk(source->reader, column->number);
	VectorRoom *room = column->whole_room;
	Vector	   *vector = &column->whole;
	MemoryContext old;

	vector->integers = room->integers;
	vector->scale = Max(chunk->scale, 0);
	vector->dictionary = NULL;
	vector->nulls = NULL;
	if (chunk->nulls > 0 &&
		column_reader_nulls(source->reader, column->number, source->row, batch->rows, room->nulls))
		vector->nulls = room->nulls;
	switch ((ColumnEncoding) chunk->encoding)
	{
		case COLUMN_INTEGER:
			vector->kind = VECTOR_INTEGER;
			column_reader_integers(source->reader, column->number, source->row, batch->rows,
								   room->integers);
			break;
		case COLUMN_FLOAT:
			vector->kind = VECTOR_FLOAT;
			column_reader_floats(source->reader, column->number, source->row, batch->rows,
								 room->floats);
			break;
		case COLUMN_CODE:
			vector->kind = VECTOR_CODE;
			column_reader_codes(source->reader, column->number, source->row, batch->rows,
								room->codes);
			vector->dictionary = &column->dictionary;
			break;
		default:
			vector->kind = VECTOR_BYTES;
			old = MemoryContextSwitchTo(batch->context);
			column_reader_bytes(source->reader, column->number, source->row, batch->rows,
								room->bytes);
			MemoryContextSwitchTo(old);
			break;
	}
}

/* Does the index have every column of the batch in this row group? */
static bool
has_columns(VectorSource *source)
{
	VectorBatch *batch = source->batch;

	for (int i = 0; i < batch->columns; i++)
	{
		if (column_reader_chunk(source->reader, batch->column[i].number)->encoding == COLUMN_ABSENT)
			return false;
	}
	return true;
}

static void
read_dictionaries(VectorSource *source)
{
	VectorBatch *batch = source->batch;

	for (int i = 0; i < batch->columns; i++)
	{
		BatchColumn *column = &batch->column[i];
		const ColumnChunk *chunk = column_reader_chunk(source->reader, column->number);

		if (chunk->encoding != COLUMN_CODE)
			continue;
		column->dictionary.serial++;
		column->dictionary.count = chunk->entries;
		column->dictionary.entries = column_reader_dictionary(source->reader, column->number);
	}
}

static void
enter_group(VectorSource *source, uint32 number)
{
	source->group = NULL;
	source->is_skipped = false;
	if (number >= source->groups)
		return;
	source->group = column_reader_group(source->reader, number);
	if (source->group == NULL)
		return;
	if (!has_columns(source))
	{
		source->group = NULL;
		return;
	}
	source->is_skipped = source->may_pass && !source->may_pass(source->owner, source->group->rows);
	if (source->is_skipped)
		source->counts.skipped_groups++;
	else
		read_dictionaries(source);
}

/* From the block on: those that follow one another and are vouched for make a run of rows. */
static void
start_run(VectorSource *source, int block)
{
	const ColumnGroup *group = source->group;
	int			end = block;

	while (end < group->blocks && group->vouched[end] && group->first_block + end < source->blocks)
		end++;
	source->next_row = group->first_row[block];
	source->end_row = source->is_skipped ? source->next_row : (int) group->first_row[end];
	source->next_block = group->first_block + end;
	source->counts.column_blocks += source->is_skipped ? 0 : end - block;
}

static void
read_run(VectorSource *source)
{
	int			rows = Min(source->end_row - source->next_row, source->batch->most_rows);

	release(source);
	source->row = source->next_row;
	source->next_row += rows;
	vector_batch_start(source->batch, rows, false);
}

/* ---------------------------------------------------------------- the scan */

VectorSource *
source_open(Relation table, Oid index, Snapshot snapshot, VectorBatch *batch)
{
	VectorSource *source = palloc0(sizeof(VectorSource));

	source->table = table;
	source->index = index_open(index, AccessShareLock);
	source->reader = column_reader_open(table, source->index, NULL);
	source->snapshot = snapshot;
	source->batch = batch;
	source->slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsBufferHeapTuple);
	for (int i = 0; i < batch->columns; i++)
	{
		BatchColumn *column = &batch->column[i];

		source->last_attribute = Max(source->last_attribute, column->attribute);
		column->number = column_reader_find(source->reader, column->attribute);
	}
	batch->read_column = read_column;
	batch->reader = source;
	return source;
}

/* The scan begins, once more or for the first time. */
void
source_start(VectorSource *source)
{
	release(source);
	memset(&source->counts, 0, sizeof(source->counts));
	PredicateLockRelation(source->table, source->snapshot);
	source->next_block = 0;
	source->next_row = source->end_row = 0;
	source->groups = column_reader_groups(source->reader);
	source->blocks = RelationGetNumberOfBlocks(source->table);
	if (source->strategy == NULL && source->blocks > (BlockNumber) NBuffers / 4)
		source->strategy = GetAccessStrategy(BAS_BULKREAD);
}

const SourceCounts *
source_counts(const VectorSource *source)
{
	return &source->counts;
}

void
source_close(VectorSource *source)
{
	release(source);
	ExecDropSingleTupleTableSlot(source->slot);
	if (source->strategy)
		FreeAccessStrategy(source->strategy);
	column_reader_close(source->reader);
	index_close(source->index, AccessShareLock);
}

/* the next rows into the batch; false: there are no more */
bool
source_next(VectorSource *source)
{
	for (;;)
	{
		BlockNumber block = source->next_block;
		int			in_group = block % COLUMN_GROUP_BLOCKS;

		CHECK_FOR_INTERRUPTS();
		if (source->next_row < source->end_row)
		{
			read_run(source);
			return true;
		}
		if (block >= source->blocks)
			return false;
		if (in_group == 0)
			enter_group(source, block / COLUMN_GROUP_BLOCKS);
		if (source->group && in_group < source->group->blocks && source->group->vouched[in_group])
		{
			start_run(source, in_group);
			continue;
		}
		source->next_block++;
		read_heap_block(source, block);
		return true;
	}
}

/* The chunk of a column in the row group that is about to be read: for may_pass. */
const ColumnChunk *
source_chunk(const VectorSource *source, int column)
{
	return column_reader_chunk(source->reader, source->batch->column[column].number);
}

/* Asked before a row group is read: may a row of its columns pass the conditions? */
void
source_set_filter(VectorSource *source, bool (*may_pass) (void *owner, int rows), void *owner)
{
	source->may_pass = may_pass;
	source->owner = owner;
}

/* Where the row of the batch is: a tuple, or what an index entry would point to. */
void
source_tid(const VectorSource *source, int row, ItemPointer tid, bool *is_exact)
{
	*is_exact = source->batch->from_heap;
	if (*is_exact)
		*tid = source->tids[row];
	else
		column_reader_tid(source->reader, source->row + row, tid);
}
