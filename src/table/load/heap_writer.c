/*-------------------------------------------------------------------------
 *
 * heap_writer.c
 *		Fills a heap that no other backend can see yet, a page at a time.
 *
 * A heap that is written through shared buffers needs, for every page, a buffer
 * that another page has to leave, an entry in the table of buffers, an empty page
 * appended to the file, and later the page itself written over it.  All of that
 * exists so that other backends can see the page while it is being filled.  No
 * other backend can see this heap before the transaction commits.  So pages are
 * filled in local memory and appended to the file when they are full, as CLUSTER
 * and CREATE INDEX do, by the same functions of core (compat.h: smgr_bulk_write).
 * The buffers keep the pages that are being read.
 *
 * Rows are frozen and pages all-visible from the start, and the visibility map
 * is written as a whole at the end: index-only scans work at once, and vacuum
 * has nothing to do.  A heap of few pages gets no map.
 *
 * The log need not be flushed before a page is written: until the transaction
 * commits, which flushes it, nothing refers to the file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/visibilitymapdefs.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufpage.h"
#include "storage/smgr.h"
#include "utils/memutils.h"

#include "compat.h"
#include "table/load/heap_writer.h"

/* Smaller heaps get no visibility map: scanning so few pages is cheaper than one more file. */
#define LEAST_MAPPED	8

/* Layout of the visibility map; visibilitymap.c keeps its own macros private. */
#define MAP_BYTES		(BLCKSZ - MAXALIGN(SizeOfPageHeaderData))
#define BLOCKS_PER_BYTE (BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define BLOCKS_PER_MAP	(MAP_BYTES * BLOCKS_PER_BYTE)

struct HeapWriter
{
	Relation	heap;
	BulkWriteState *rows;
	BulkWriteBuffer page;		/* being filled; NULL: none yet */
	BlockNumber block;			/* of that page */
	TransactionId xid;
	CommandId	command;
	Size		reserve;		/* bytes of each page that fillfactor leaves free */
	MemoryContext toast_context;	/* reset for each row that is toasted */
};

static void
begin_page(HeapWriter *writer)
{
	writer->page = smgr_bulk_get_buf(writer->rows);
	PageInit((Page) writer->page, BLCKSZ, 0);
	PageSetAllVisible((Page) writer->page);
}

static void
append_page(HeapWriter *writer)
{
	CHECK_FOR_INTERRUPTS();
	smgr_bulk_write(writer->rows, writer->block++, writer->page, true);
	writer->page = NULL;
}

HeapWriter *
heap_writer_begin(Relation heap)
{
	HeapWriter *writer = palloc0(sizeof(HeapWriter));

	Assert(RelationGetNumberOfBlocks(heap) == 0);
	writer->heap = heap;
	writer->rows = smgr_bulk_start_rel(heap, MAIN_FORKNUM);
	writer->xid = GetCurrentTransactionId();
	writer->command = GetCurrentCommandId(true);
	writer->reserve = RelationGetTargetPageFreeSpace(heap, HEAP_DEFAULT_FILLFACTOR);
	writer->toast_context = AllocSetContextCreate(CurrentMemoryContext, "spice toasted row",
												  ALLOCSET_DEFAULT_SIZES);
	return writer;
}

/*
 * Removes from a tuple's header the row type that the tuple was formed as, which
 * overlays the fields of the transactions.
 */
static void
forget_row_type(HeapTupleHeader header)
{
	HeapTupleHeaderSetXmin(header, InvalidTransactionId);
	HeapTupleHeaderSetXmax(header, InvalidTransactionId);
	HeapTupleHeaderSetCmin(header, 0);
}

bool
heap_tuple_wants_toast(HeapTuple tuple)
{
	return HeapTupleHasExternal(tuple) || tuple->t_len > TOAST_TUPLE_THRESHOLD;
}

/* Compresses the tuple's large values or moves them to the TOAST table. */
static HeapTuple
toast_tuple(HeapWriter *writer, HeapTuple tuple)
{
	MemoryContext old;

	MemoryContextReset(writer->toast_context);
	old = MemoryContextSwitchTo(writer->toast_context);
	tuple = heap_copytuple(tuple);
	forget_row_type(tuple->t_data);
	/* decoding skips the heap's rows, and would keep the chunks in memory for them */
	tuple = heap_toast_insert_or_update(writer->heap, tuple, NULL,
										HEAP_INSERT_SKIP_FSM | HEAP_INSERT_FROZEN | HEAP_INSERT_NO_LOGICAL);
	MemoryContextSwitchTo(old);
	return tuple;
}

/* Sets what heap_insert() would have set in the header. */
static void
freeze_tuple(const HeapWriter *writer, HeapTupleHeader header, OffsetNumber offset)
{
	header->t_infomask &= ~HEAP_XACT_MASK;
	header->t_infomask2 &= ~HEAP2_XACT_MASK;
	header->t_infomask |= HEAP_XMAX_INVALID;
	HeapTupleHeaderSetXmin(header, writer->xid);
	HeapTupleHeaderSetXminFrozen(header);
	HeapTupleHeaderSetCmin(header, writer->command);
	HeapTupleHeaderSetXmax(header, InvalidTransactionId);
	ItemPointerSet(&header->t_ctid, writer->block, offset);
}

void
heap_writer_add(HeapWriter *writer, HeapTuple tuple)
{
	Page		page;
	Size		length;
	OffsetNumber offset;

	if (heap_tuple_wants_toast(tuple))
		tuple = toast_tuple(writer, tuple);
	length = MAXALIGN(tuple->t_len);
	if (length > MaxHeapTupleSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("row is too big: size %zu, maximum size %zu", length, MaxHeapTupleSize),
				 errhint("The columns of a row must fit a page of %d kB. Leave some out with refresh_sql, or put them into one of type jsonb.",
						 BLCKSZ / 1024)));

	if (writer->page != NULL && length + writer->reserve > PageGetHeapFreeSpace((Page) writer->page))
		append_page(writer);
	if (writer->page == NULL)
		begin_page(writer);
	page = (Page) writer->page;
	offset = PageAddItem(page, (Item) tuple->t_data, tuple->t_len, InvalidOffsetNumber, false, true);
	if (offset == InvalidOffsetNumber)
		elog(ERROR, "could not add a row to a page");
	freeze_tuple(writer, (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, offset)), offset);
}

/* Sets both bits of the first n blocks that a page of the map covers. */
static void
fill_map(Page page, BlockNumber n)
{
	char	   *map = PageGetContents(page);

	PageInit(page, BLCKSZ, 0);
	memset(map, 0xFF, n / BLOCKS_PER_BYTE);
	if (n % BLOCKS_PER_BYTE > 0)
		map[n / BLOCKS_PER_BYTE] = (1 << (n % BLOCKS_PER_BYTE * BITS_PER_HEAPBLOCK)) - 1;
}

static void
write_map(const HeapWriter *writer)
{
	BulkWriteState *map;

	smgrcreate(RelationGetSmgr(writer->heap), VISIBILITYMAP_FORKNUM, false);
	map = smgr_bulk_start_rel(writer->heap, VISIBILITYMAP_FORKNUM);
	for (BlockNumber i = 0; i * BLOCKS_PER_MAP < writer->block; i++)
	{
		BulkWriteBuffer page = smgr_bulk_get_buf(map);

		fill_map((Page) page, Min(writer->block - i * BLOCKS_PER_MAP, BLOCKS_PER_MAP));
		/* the page has no standard layout */
		smgr_bulk_write(map, i, page, false);
	}
	smgr_bulk_finish(map);
}

void
heap_writer_end(HeapWriter *writer)
{
	if (writer->page != NULL)
		append_page(writer);
	smgr_bulk_finish(writer->rows);
	if (writer->block >= LEAST_MAPPED)
		write_map(writer);
	MemoryContextDelete(writer->toast_context);
}
