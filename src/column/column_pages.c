/*-------------------------------------------------------------------------
 *
 * column_pages.c
 *		Pages of a column index through the buffer manager, logged.
 *
 * Pages of an extent carry a stamp.  A reader on a standby may come to a page whose
 * extent was given away and written again: recovery does not wait for readers there.
 * The reader then sees another stamp, and the query fails as it does for any other
 * conflict with recovery.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/xlog.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "column/column_pages.h"
#include "compat.h"

StaticAssertDecl(MAXALIGN(SizeOfPageHeaderData) == COLUMN_PAGE_HEADER, "column pages begin behind the header");
StaticAssertDecl(BLCKSZ == COLUMN_PAGE_HEADER + COLUMN_PAGE_BYTES + COLUMN_PAGE_STAMP, "column pages have 8 kB");
StaticAssertDecl(sizeof(ColumnRoot) <= COLUMN_PAGE_BYTES, "the root has one page");
StaticAssertDecl(sizeof(ColumnFreeList) <= COLUMN_PAGE_BYTES, "the list of free pages has one page");
StaticAssertDecl(sizeof(ColumnStamp) == COLUMN_PAGE_STAMP, "a stamp is the special space");

/* A new last page, locked exclusively. */
Buffer
column_pages_extend(Relation index, ForkNumber fork)
{
#if PG_VERSION_NUM >= 160000
	return ExtendBufferedRel(BMR_REL(index), fork, NULL, EB_LOCK_FIRST);
#else
	Buffer		buffer;

	LockRelationForExtension(index, ExclusiveLock);
	buffer = ReadBufferExtended(index, fork, P_NEW, RBM_NORMAL, NULL);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	UnlockRelationForExtension(index, ExclusiveLock);
	return buffer;
#endif
}

/*
 * The page, locked exclusively, whose contents are of no use any more; the relation grows up
 * to it.  Only the process that covers makes pages, and it holds a lock against others.
 */
Buffer
column_pages_new(Relation index, BlockNumber block)
{
	Buffer		buffer;

	while (RelationGetNumberOfBlocks(index) <= block)
	{
		buffer = column_pages_extend(index, MAIN_FORKNUM);
		if (BufferGetBlockNumber(buffer) == block)
			return buffer;
		UnlockReleaseBuffer(buffer);
	}
	return ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_ZERO_AND_LOCK, NULL);
}

char *
column_pages_init(Page page, const ColumnStamp *stamp, Size length)
{
	PageInit(page, BLCKSZ, sizeof(ColumnStamp));
	memcpy(PageGetSpecialPointer(page), stamp, sizeof(ColumnStamp));
	/* the log leaves out the room between the contents and the stamp */
	((PageHeader) page)->pd_lower = COLUMN_PAGE_HEADER + MAXALIGN(length);
	return PageGetContents(page);
}

void
column_pages_write(Relation index, BlockNumber block, const ColumnStamp *stamp,
				   const void *contents, Size length)
{
	Buffer		buffer = column_pages_new(index, block);
	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buffer, GENERIC_XLOG_FULL_IMAGE);

	memcpy(column_pages_init(page, stamp, length), contents, length);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buffer);
}

static void
check_stamp(Relation index, Buffer buffer, const ColumnStamp *stamp)
{
	Page		page = BufferGetPage(buffer);
	const ColumnStamp *found;

	if (!PageIsNew(page) && PageGetSpecialSize(page) == sizeof(ColumnStamp))
	{
		found = (const ColumnStamp *) PageGetSpecialPointer(page);
		if (memcmp(found, stamp, sizeof(ColumnStamp)) == 0)
			return;
		if (found->magic == COLUMN_MAGIC && RecoveryInProgress())
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("canceling statement due to conflict with recovery"),
					 errdetail("Index \"%s\" has covered rows anew that the query was reading.",
							   RelationGetRelationName(index))));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("column index \"%s\" contains an unexpected page at block %u",
					RelationGetRelationName(index), BufferGetBlockNumber(buffer)),
			 errhint("REINDEX makes it again.")));
}

/* Pinned and locked to share; the page is the one with the stamp. */
Buffer
column_pages_read(Relation index, BlockNumber block, const ColumnStamp *stamp,
				  BufferAccessStrategy strategy)
{
	Buffer		buffer;

	if (block >= RelationGetNumberOfBlocks(index))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("column index \"%s\" has no block %u", RelationGetRelationName(index), block),
				 errhint("REINDEX makes it again.")));
	buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	check_stamp(index, buffer, stamp);
	return buffer;
}

/* Some bytes of an area without units, which begins with the stamp's page of the extent. */
void
column_pages_copy(Relation index, BlockNumber first, const ColumnStamp *stamp,
				  uint64 offset, uint64 length, char *to, BufferAccessStrategy strategy)
{
	while (length > 0)
	{
		ColumnStamp page = *stamp;
		uint32		start = offset % COLUMN_PAGE_BYTES;
		Size		part = Min(length, (uint64) COLUMN_PAGE_BYTES - start);
		Buffer		buffer;

		page.page += offset / COLUMN_PAGE_BYTES;
		buffer = column_pages_read(index, first + page.page, &page, strategy);
		memcpy(to, PageGetContents(BufferGetPage(buffer)) + start, part);
		UnlockReleaseBuffer(buffer);
		to += part;
		offset += part;
		length -= part;
	}
}
