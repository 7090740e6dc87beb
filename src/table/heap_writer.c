/*-------------------------------------------------------------------------
 *
 * heap_writer.c
 *		Fills a heap that nobody else can see yet, a page at a time.
 *
 * A heap that is written through shared buffers needs, for every page, a buffer
 * that another page has to leave, an entry in the table of buffers, an empty page
 * appended to the file, and later the page itself written over it.  All that
 * serves others who might look at the page meanwhile; here is nobody.  So pages
 * are filled in memory of our own and appended to the file once, when they are
 * full, as CLUSTER and CREATE INDEX do.  The buffers keep what is being read.
 *
 * Rows are frozen and pages all-visible from the start, and the visibility map
 * is written as a whole at the end: index-only scans work at once, and vacuum
 * has nothing to do.
 *
 * What keeps it durable:
 *
 *	- The log has an image of every page, unless the relation is not logged.
 *	- It need not be flushed before a page is written: until the transaction
 *	  commits, which flushes it, nothing refers to the file.
 *	- A checkpoint must not begin between the two and end without having the
 *	  page synced, because recovery would start behind the image.  So checkpoints
 *	  are held off for that moment (DELAY_CHKPT_START).  Appending asks for the
 *	  file to be synced by the next one.
 *	- With wal_level minimal a new file is synced, by build_sync() or the commit.
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
#include "storage/proc.h"
#include "storage/smgr.h"
#include "utils/memutils.h"

#include "compat.h"
#include "table/heap_writer.h"

/* pages that are logged and appended together: as many as a record of the log takes */
#define BATCH_PAGES		32

/* direct I/O wants this, and copies of the kernel's are faster with it */
#define PAGE_ALIGNMENT	4096

/* of the visibility map, whose own file does not tell */
#define MAP_BYTES		(BLCKSZ - MAXALIGN(SizeOfPageHeaderData))
#define BLOCKS_PER_BYTE (BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define BLOCKS_PER_MAP	(MAP_BYTES * BLOCKS_PER_BYTE)

struct HeapWriter
{
	Relation	heap;
	TransactionId xid;
	CommandId	command;
	Size		reserve;		/* bytes of each page that fillfactor leaves free */
	char	   *pages;			/* BATCH_PAGES, aligned */
	int			n_pages;		/* of these begun; the last one is being filled */
	BlockNumber first;			/* where pages[0] goes */
	MemoryContext toast_context;	/* reset for each row that is toasted */
};

static Page
page_at(const HeapWriter *writer, int i)
{
	return (Page) (writer->pages + (Size) i * BLCKSZ);
}

/* appends pages to a fork of the heap, the first of them as block first */
static void
append_pages(Relation heap, ForkNumber fork, BlockNumber first, char *pages, int n, bool has_hole)
{
	BlockNumber blocks[BATCH_PAGES];
	Page		images[BATCH_PAGES];

	for (int i = 0; i < n; i++)
	{
		blocks[i] = first + i;
		images[i] = (Page) (pages + (Size) i * BLCKSZ);
	}
	MyProc->delayChkptFlags |= DELAY_CHKPT_START;
	PG_TRY();
	{
		if (RelationNeedsWAL(heap))
			compat_log_newpages(heap, fork, n, blocks, images, has_hole);
		for (int i = 0; i < n; i++)
		{
			PageSetChecksumInplace(images[i], blocks[i]);
			smgrextend(RelationGetSmgr(heap), fork, blocks[i], images[i], false);
		}
	}
	PG_FINALLY();
	{
		/* also after an error, as only the end of the whole transaction would do it */
		MyProc->delayChkptFlags &= ~DELAY_CHKPT_START;
	}
	PG_END_TRY();
}

static void
flush_pages(HeapWriter *writer)
{
	CHECK_FOR_INTERRUPTS();
	append_pages(writer->heap, MAIN_FORKNUM, writer->first, writer->pages, writer->n_pages, true);
	writer->first += writer->n_pages;
	writer->n_pages = 0;
}

static Page
next_page(HeapWriter *writer)
{
	Page		page;

	if (writer->n_pages == BATCH_PAGES)
		flush_pages(writer);
	page = page_at(writer, writer->n_pages++);
	PageInit(page, BLCKSZ, 0);
	PageSetAllVisible(page);
	return page;
}

HeapWriter *
heap_writer_begin(Relation heap)
{
	HeapWriter *writer = palloc0(sizeof(HeapWriter));

	Assert(RelationGetNumberOfBlocks(heap) == 0);
	writer->heap = heap;
	writer->xid = GetCurrentTransactionId();
	writer->command = GetCurrentCommandId(true);
	writer->reserve = RelationGetTargetPageFreeSpace(heap, HEAP_DEFAULT_FILLFACTOR);
	writer->pages = (char *) TYPEALIGN(PAGE_ALIGNMENT, palloc(BATCH_PAGES * BLCKSZ + PAGE_ALIGNMENT));
	writer->toast_context = AllocSetContextCreate(CurrentMemoryContext, "spice toasted row",
												  ALLOCSET_DEFAULT_SIZES);
	return writer;
}

void
heap_tuple_forget_type(HeapTupleHeader header)
{
	HeapTupleHeaderSetXmin(header, InvalidTransactionId);
	HeapTupleHeaderSetXmax(header, InvalidTransactionId);
	HeapTupleHeaderSetCmin(header, 0);
}

/* the row with what is too large for a page compressed or moved to the TOAST table */
static HeapTuple
toast(HeapWriter *writer, HeapTuple tuple)
{
	MemoryContext old;

	MemoryContextReset(writer->toast_context);
	old = MemoryContextSwitchTo(writer->toast_context);
	tuple = heap_copytuple(tuple);
	heap_tuple_forget_type(tuple->t_data);
	tuple = heap_toast_insert_or_update(writer->heap, tuple, NULL,
										HEAP_INSERT_SKIP_FSM | HEAP_INSERT_FROZEN);
	MemoryContextSwitchTo(old);
	return tuple;
}

/* what heap_insert() would have written into the header */
static void
freeze(const HeapWriter *writer, HeapTupleHeader header, OffsetNumber offset)
{
	header->t_infomask &= ~HEAP_XACT_MASK;
	header->t_infomask2 &= ~HEAP2_XACT_MASK;
	header->t_infomask |= HEAP_XMAX_INVALID;
	HeapTupleHeaderSetXmin(header, writer->xid);
	HeapTupleHeaderSetXminFrozen(header);
	HeapTupleHeaderSetCmin(header, writer->command);
	HeapTupleHeaderSetXmax(header, InvalidTransactionId);
	ItemPointerSet(&header->t_ctid, writer->first + writer->n_pages - 1, offset);
}

HeapTuple
heap_writer_add(HeapWriter *writer, HeapTuple tuple)
{
	Page		page = writer->n_pages > 0 ? page_at(writer, writer->n_pages - 1) : NULL;
	Size		length;
	OffsetNumber offset;

	if (HeapTupleHasExternal(tuple) || tuple->t_len > TOAST_TUPLE_THRESHOLD)
		tuple = toast(writer, tuple);
	length = MAXALIGN(tuple->t_len);
	if (length > MaxHeapTupleSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("row is too big: size %zu, maximum size %zu", length, MaxHeapTupleSize),
				 errhint("The columns of a row must fit a page of %d kB. Leave some out with refresh_sql, or put them into one of type jsonb.",
						 BLCKSZ / 1024)));

	if (page == NULL || length + writer->reserve > PageGetHeapFreeSpace(page))
		page = next_page(writer);
	offset = PageAddItem(page, (Item) tuple->t_data, tuple->t_len, InvalidOffsetNumber, false, true);
	if (offset == InvalidOffsetNumber)
		elog(ERROR, "could not add a row to a page");
	freeze(writer, (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, offset)), offset);
	return tuple;
}

/* two bits for each block below n of the blocks that the page of the map is about */
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
write_map(HeapWriter *writer)
{
	BlockNumber blocks = writer->first;
	Page		page = page_at(writer, 0);

	smgrcreate(RelationGetSmgr(writer->heap), VISIBILITYMAP_FORKNUM, false);
	for (BlockNumber i = 0; i * BLOCKS_PER_MAP < blocks; i++)
	{
		fill_map(page, Min(blocks - i * BLOCKS_PER_MAP, BLOCKS_PER_MAP));
		/* it looks empty, though it is not */
		append_pages(writer->heap, VISIBILITYMAP_FORKNUM, i, (char *) page, 1, false);
	}
}

void
heap_writer_end(HeapWriter *writer)
{
	if (writer->n_pages > 0)
		flush_pages(writer);
	if (writer->first > 0)
		write_map(writer);
	MemoryContextDelete(writer->toast_context);
}
