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
 * The storage manager appends page by page, and so small a write costs the kernel
 * three times what the same bytes do in a large one, as does removing the file
 * later: it keeps account of each piece that it was given.  So the file is
 * written here, by segments as the storage manager has them, many pages at once.
 *
 * Rows are frozen and pages all-visible from the start, and the visibility map
 * is written as a whole at the end: index-only scans work at once, and vacuum
 * has nothing to do.  A heap of few pages goes without.
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
 *	- With wal_level minimal a new file is synced, by sync_storage() or the commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/visibilitymapdefs.h"
#include "access/xact.h"
#include "common/file_utils.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_iovec.h"
#include "storage/bufpage.h"
#include "storage/fd.h"
#include "storage/proc.h"
#include "storage/smgr.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "table/load/heap_writer.h"
#include "table/sync.h"

/* pages that are logged and appended together: as many as a record of the log takes */
#define BATCH_PAGES		32

/* direct I/O wants this, and copies of the kernel's are faster with it */
#define PAGE_ALIGNMENT	4096

/* blocks of a heap that has a map: one more file is not worth it to spare a look at so few pages */
#define LEAST_MAPPED	8

/* that the disk is asked to begin with at once: less costs more calls, and smaller pieces on the disk */
#define FLUSH_BLOCKS	((BlockNumber) (4 * 1024 * 1024 / BLCKSZ))

/* of the visibility map, whose own file does not tell */
#define MAP_BYTES		(BLCKSZ - MAXALIGN(SizeOfPageHeaderData))
#define BLOCKS_PER_BYTE (BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define BLOCKS_PER_MAP	(MAP_BYTES * BLOCKS_PER_BYTE)

/* what of a heap is being appended to */
typedef struct ForkFile
{
	Relation	heap;
	ForkNumber	fork;
	BlockNumber blocks;			/* appended so far */
	int			file;			/* of the segment that they have reached; -1: none yet */
	BlockNumber flushed;		/* blocks of that which the disk has begun with */
} ForkFile;

struct HeapWriter
{
	ForkFile	rows;
	TransactionId xid;
	CommandId	command;
	Size		reserve;		/* bytes of each page that fillfactor leaves free */
	char	   *pages;			/* BATCH_PAGES, aligned */
	int			n_pages;		/* of these begun; the last one is being filled */
	MemoryContext toast_context;	/* reset for each row that is toasted */
};

static Page
page_at(const HeapWriter *writer, int i)
{
	return (Page) (writer->pages + (Size) i * BLCKSZ);
}

static char *
segment_path(const ForkFile *fork)
{
	char	   *path = compat_relation_path(fork->heap, fork->fork);
	BlockNumber segment = fork->blocks / RELSEG_SIZE;

	return segment == 0 ? path : psprintf("%s.%u", path, segment);
}

static void
close_segment(ForkFile *fork)
{
	if (fork->file >= 0)
		(void) CloseTransientFile(fork->file);
	fork->file = -1;
}

/* the first is there when the fork is; an error closes it with the transaction */
static void
open_segment(ForkFile *fork)
{
	close_segment(fork);
	fork->flushed = 0;
	fork->file = OpenTransientFile(segment_path(fork), O_RDWR | PG_BINARY | (fork->blocks > 0 ? O_CREAT : 0));
	if (fork->file < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", segment_path(fork))));
}

static void
write_at(const ForkFile *fork, const char *data, Size length, off_t offset)
{
	struct iovec vector = {.iov_base = unconstify(char *, data), .iov_len = length};
	ssize_t		written;

	pgstat_report_wait_start(WAIT_EVENT_DATA_FILE_EXTEND);
	written = pg_pwritev_with_retry(fork->file, &vector, 1, offset);
	pgstat_report_wait_end();
	if (written < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not extend file \"%s\": %m", segment_path(fork)),
				 errhint("Check free disk space.")));
}

/* by the next checkpoint; at once where it has no room to take note of that */
static void
ask_for_sync(const ForkFile *fork)
{
	if (!compat_register_sync(fork->heap, fork->fork, fork->blocks / RELSEG_SIZE) && pg_fsync(fork->file) != 0)
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", segment_path(fork))));
}

/* what is not logged is synced when the load is over: the disk begins with it before */
static void
begin_sync(ForkFile *fork, BlockNumber in_segment)
{
	BlockNumber n = in_segment - fork->flushed;

	if (n < FLUSH_BLOCKS || !sync_is_due(fork->heap))
		return;
	pg_flush_data(fork->file, (off_t) fork->flushed * BLCKSZ, (off_t) n * BLCKSZ);
	fork->flushed = in_segment;
}

static void
write_pages(ForkFile *fork, const char *pages, int n)
{
	while (n > 0)
	{
		BlockNumber in_segment = fork->blocks % RELSEG_SIZE;
		int			now = Min((BlockNumber) n, RELSEG_SIZE - in_segment);

		if (in_segment == 0)
			open_segment(fork);
		write_at(fork, pages, (Size) now * BLCKSZ, (off_t) in_segment * BLCKSZ);
		begin_sync(fork, in_segment + now);
		ask_for_sync(fork);
		pages += (Size) now * BLCKSZ;
		fork->blocks += now;
		n -= now;
	}
}

static void
append_pages(ForkFile *fork, char *pages, int n, bool has_hole)
{
	BlockNumber blocks[BATCH_PAGES];
	Page		images[BATCH_PAGES];

	for (int i = 0; i < n; i++)
	{
		blocks[i] = fork->blocks + i;
		images[i] = (Page) (pages + (Size) i * BLCKSZ);
	}
	MyProc->delayChkptFlags |= DELAY_CHKPT_START;
	PG_TRY();
	{
		if (RelationNeedsWAL(fork->heap))
			compat_log_newpages(fork->heap, fork->fork, n, blocks, images, has_hole);
		for (int i = 0; i < n; i++)
			PageSetChecksumInplace(images[i], blocks[i]);
		write_pages(fork, pages, n);
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
	append_pages(&writer->rows, writer->pages, writer->n_pages, true);
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
	writer->rows = (ForkFile) {.heap = heap, .fork = MAIN_FORKNUM, .file = -1};
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

bool
heap_tuple_wants_toast(HeapTuple tuple)
{
	return HeapTupleHasExternal(tuple) || tuple->t_len > TOAST_TUPLE_THRESHOLD;
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
	tuple = heap_toast_insert_or_update(writer->rows.heap, tuple, NULL,
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
	ItemPointerSet(&header->t_ctid, writer->rows.blocks + writer->n_pages - 1, offset);
}

void
heap_writer_add(HeapWriter *writer, HeapTuple tuple)
{
	Page		page = writer->n_pages > 0 ? page_at(writer, writer->n_pages - 1) : NULL;
	Size		length;
	OffsetNumber offset;

	if (heap_tuple_wants_toast(tuple))
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
	BlockNumber blocks = writer->rows.blocks;
	Page		page = page_at(writer, 0);
	ForkFile	map = {.heap = writer->rows.heap, .fork = VISIBILITYMAP_FORKNUM, .file = -1};

	smgrcreate(RelationGetSmgr(map.heap), VISIBILITYMAP_FORKNUM, false);
	for (BlockNumber i = 0; i * BLOCKS_PER_MAP < blocks; i++)
	{
		fill_map(page, Min(blocks - i * BLOCKS_PER_MAP, BLOCKS_PER_MAP));
		/* it looks empty, though it is not */
		append_pages(&map, (char *) page, 1, false);
	}
	close_segment(&map);
}

void
heap_writer_end(HeapWriter *writer)
{
	if (writer->n_pages > 0)
		flush_pages(writer);
	if (writer->rows.blocks >= LEAST_MAPPED)
		write_map(writer);
	close_segment(&writer->rows);
	MemoryContextDelete(writer->toast_context);
}
