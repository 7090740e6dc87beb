/*-------------------------------------------------------------------------
 *
 * column_marks.c
 *		Which blocks of the heap the columns still speak for.
 *
 * The rule: a block of the heap may be read from columns if its bit in the visibility
 * map is set, looked at first, and no mark says that it was touched, looked at then.
 * column_reader.c looks.  It holds because
 *
 * - a deletion clears the bit before it commits, and a bit is not set again before
 *	 VACUUM has called ambulkdelete for the dead rows, which marks their blocks;
 * - an insertion clears the bit, and aminsert marks the block before the insertion is
 *	 done;
 * - an update that changes a value of the index is an insertion, and any other leaves
 *	 the values as they are.
 *
 * A mark stays until the row group is covered anew:
 *
 *	 no entry	insertions leave no marks						-> covering
 *	 covering	marks are left in next_marks; blocks are read	-> covered
 *	 covered	an extent has what blocks without marks hold	-> covering
 *
 * While a group is covered anew its old extent serves on, with its own marks.  A
 * process that ends while it covers leaves the state behind, and the next one to
 * cover begins again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/transam.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "column/column_free.h"
#include "column/column_marks.h"
#include "column/column_pages.h"

static ColumnRoot *
root_of(Page page)
{
	return (ColumnRoot *) PageGetContents(page);
}

static ColumnEntry *
entry_of(Page page, uint32 group)
{
	return (ColumnEntry *) PageGetContents(page) + group % COLUMN_MAP_ENTRIES;
}

static ColumnFreeList *
free_list_of(Page page)
{
	return (ColumnFreeList *) PageGetContents(page);
}

/* The log has the init fork of an unlogged index, and not its other pages. */
static void
log_init_page(Buffer buffer)
{
	START_CRIT_SECTION();
	MarkBufferDirty(buffer);
	log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
}

/* A page with these contents at the end of the fork. */
static void
make_page(Relation index, ForkNumber fork, const void *contents, Size length)
{
	Buffer		buffer = column_pages_extend(index, fork);
	GenericXLogState *record = GenericXLogStart(index);
	Page		page = GenericXLogRegisterBuffer(record, buffer, GENERIC_XLOG_FULL_IMAGE);
	ColumnStamp stamp = {COLUMN_MAGIC, 0, 0, 0};

	memcpy(column_pages_init(page, &stamp, length), contents, length);
	GenericXLogFinish(record);
	if (fork == INIT_FORKNUM)
		log_init_page(buffer);
	UnlockReleaseBuffer(buffer);
}

void
column_root_make(Relation index, ForkNumber fork)
{
	ColumnRoot *root = palloc0(sizeof(ColumnRoot));
	ColumnFreeList *list = palloc0(sizeof(ColumnFreeList));

	root->magic = COLUMN_MAGIC;
	root->format = COLUMN_FORMAT;
	root->end = COLUMN_FREE_BLOCK + 1;
	make_page(index, fork, root, sizeof(ColumnRoot));
	make_page(index, fork, list, sizeof(ColumnFreeList));
	pfree(root);
	pfree(list);
}

/* False: the index is of another format. */
static bool
read_root(Relation index, uint32 group, uint32 *groups, BlockNumber *map)
{
	Buffer		buffer = ReadBuffer(index, COLUMN_ROOT_BLOCK);
	const ColumnRoot *root;
	bool		known;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	root = root_of(BufferGetPage(buffer));
	known = root->magic == COLUMN_MAGIC && root->format == COLUMN_FORMAT;
	*groups = known ? root->groups : 0;
	*map = known && group < root->groups ? root->maps[group / COLUMN_MAP_ENTRIES] : 0;
	UnlockReleaseBuffer(buffer);
	return known;
}

/* A copy; of an index of another format, that of an empty one with no end. */
ColumnRoot *
column_root_read(Relation index)
{
	ColumnRoot *copy = palloc0(sizeof(ColumnRoot));
	Buffer		buffer = ReadBuffer(index, COLUMN_ROOT_BLOCK);
	const ColumnRoot *root;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	root = root_of(BufferGetPage(buffer));
	if (root->magic == COLUMN_MAGIC && root->format == COLUMN_FORMAT)
		*copy = *root;
	UnlockReleaseBuffer(buffer);
	return copy;
}

/* A copy.  False: the group has no entry. */
bool
column_entry_read(Relation index, uint32 group, ColumnEntry *entry)
{
	uint32		groups;
	BlockNumber map;
	Buffer		buffer;

	if (!read_root(index, group, &groups, &map) || map == 0)
		return false;
	buffer = ReadBuffer(index, map);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	*entry = *entry_of(BufferGetPage(buffer), group);
	UnlockReleaseBuffer(buffer);
	return true;
}

bool
column_is_marked(const ColumnEntry *entry, int block)
{
	return entry->marks[block / 8] >> (block % 8) & 1;
}

int
column_count_marks(const ColumnEntry *entry)
{
	int			count = 0;

	for (int block = 0; block < (int) entry->blocks; block++)
		count += column_is_marked(entry, block);
	return count;
}

static bool
is_marked_everywhere(const ColumnEntry *entry, int byte, uint8 bit)
{
	return (entry->marks[byte] & bit) != 0 && (!entry->covering || (entry->next_marks[byte] & bit) != 0);
}

/* The heap's block holds a row that the columns may not have, or lost one that they have. */
void
column_mark(Relation index, BlockNumber block)
{
	uint32		group = block / COLUMN_GROUP_BLOCKS;
	int			byte = block % COLUMN_GROUP_BLOCKS / 8;
	uint8		bit = 1 << block % 8;
	uint32		groups;
	BlockNumber map;
	Buffer		buffer;
	bool		is_marked;

	if (!read_root(index, group, &groups, &map) || map == 0)
		return;
	buffer = ReadBuffer(index, map);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	is_marked = is_marked_everywhere(entry_of(BufferGetPage(buffer), group), byte, bit);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (!is_marked)
	{
		GenericXLogState *record;
		ColumnEntry *entry;

		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		record = GenericXLogStart(index);
		entry = entry_of(GenericXLogRegisterBuffer(record, buffer, 0), group);
		entry->marks[byte] |= bit;
		if (entry->covering)
			entry->next_marks[byte] |= bit;
		GenericXLogFinish(record);
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(buffer);
}

/* The first group of a map page. */
static void
make_map(Relation index, Buffer root_buffer, uint32 group)
{
	BlockNumber block = root_of(BufferGetPage(root_buffer))->end;
	Buffer		buffer = column_pages_new(index, block);
	GenericXLogState *record = GenericXLogStart(index);
	ColumnRoot *root = root_of(GenericXLogRegisterBuffer(record, root_buffer, 0));
	Page		page = GenericXLogRegisterBuffer(record, buffer, GENERIC_XLOG_FULL_IMAGE);
	ColumnStamp stamp = {COLUMN_MAGIC, group, 0, 0};

	memset(column_pages_init(page, &stamp, COLUMN_PAGE_BYTES), 0, COLUMN_PAGE_BYTES);
	root->maps[group / COLUMN_MAP_ENTRIES] = block;
	root->end = block + 1;
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buffer);
}

/* From now on, what happens to the group's blocks is marked for the next extent, too. */
void
column_cover_begin(Relation index, uint32 group)
{
	Buffer		root_buffer = ReadBuffer(index, COLUMN_ROOT_BLOCK);
	Buffer		buffer;
	GenericXLogState *record;
	ColumnRoot *root;
	ColumnEntry *entry;

	LockBuffer(root_buffer, BUFFER_LOCK_EXCLUSIVE);
	if (root_of(BufferGetPage(root_buffer))->maps[group / COLUMN_MAP_ENTRIES] == 0)
		make_map(index, root_buffer, group);
	buffer = ReadBuffer(index, root_of(BufferGetPage(root_buffer))->maps[group / COLUMN_MAP_ENTRIES]);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	record = GenericXLogStart(index);
	root = root_of(GenericXLogRegisterBuffer(record, root_buffer, 0));
	entry = entry_of(GenericXLogRegisterBuffer(record, buffer, 0), group);
	root->groups = Max(root->groups, group + 1);
	entry->covering = true;
	memset(entry->next_marks, 0, COLUMN_MARK_BYTES);
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(root_buffer);
}

static bool
is_unread(void *heap, uint64 since)
{
	return GlobalVisCheckRemovableFullXid(heap, FullTransactionIdFromU64(since));
}

/* Where an extent of so many pages goes: free pages that no snapshot needs, or those behind all others. */
uint32
column_cover_place(Relation index, Relation heap, uint32 pages)
{
	Buffer		buffer = ReadBuffer(index, COLUMN_FREE_BLOCK);
	ColumnRoot *root = column_root_read(index);
	uint32		first;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	first = column_free_find(free_list_of(BufferGetPage(buffer)), pages, is_unread, heap);
	UnlockReleaseBuffer(buffer);
	if (first == 0)
		first = root->end;
	pfree(root);
	return first;
}

/*
 * The extent of the entry serves from now on.  The entry's marks are those of blocks that
 * could not be read; marks that were left meanwhile are added.
 *
 * A reader of the old extent has looked at the entry before, so that its snapshot is not
 * newer than the transaction id that is next while the entry is locked.
 */
void
column_cover_publish(Relation index, uint32 group, const ColumnEntry *covered)
{
	Buffer		root_buffer = ReadBuffer(index, COLUMN_ROOT_BLOCK);
	Buffer		free_buffer = ReadBuffer(index, COLUMN_FREE_BLOCK);
	Buffer		buffer;
	GenericXLogState *record;
	ColumnRoot *root;
	ColumnFreeList *list;
	ColumnEntry *entry;

	LockBuffer(root_buffer, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(free_buffer, BUFFER_LOCK_EXCLUSIVE);
	buffer = ReadBuffer(index, root_of(BufferGetPage(root_buffer))->maps[group / COLUMN_MAP_ENTRIES]);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	record = GenericXLogStart(index);
	root = root_of(GenericXLogRegisterBuffer(record, root_buffer, 0));
	list = free_list_of(GenericXLogRegisterBuffer(record, free_buffer, 0));
	entry = entry_of(GenericXLogRegisterBuffer(record, buffer, 0), group);
	if (covered->first == root->end)
		root->end += covered->pages;
	else
		column_free_take(list, covered->first, covered->pages);
	if (entry->first != 0)
		column_free_add(list, entry->first, entry->pages,
						U64FromFullTransactionId(ReadNextFullTransactionId()));
	for (int i = 0; i < COLUMN_MARK_BYTES; i++)
		entry->marks[i] = entry->next_marks[i] | covered->marks[i];
	entry->first = covered->first;
	entry->pages = covered->pages;
	entry->version = covered->version;
	entry->blocks = covered->blocks;
	entry->covering = false;
	GenericXLogFinish(record);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(free_buffer);
	UnlockReleaseBuffer(root_buffer);
}
