/*-------------------------------------------------------------------------
 *
 * storage.c
 *		Notes the files that a transaction makes, so that the launcher can remove
 *		those that a crash has orphaned.
 *
 * PostgreSQL removes the files of a transaction that rolls back, but does not
 * track the files of transactions that a crash ends: they are leaked.  A server
 * leaks little, since few of its transactions make storage.  A refresh makes
 * storage each time, and sidecars are killed for memory again and again.
 *
 * So file numbers are drawn here, and noted before anything is made of them, in
 * the ledger: a file of this process in pg_stat, which recovery leaves alone.
 * The ledger goes with the transaction, after its files have.
 *
 * The launcher sweeps when it starts.  It removes no file that a relation has or
 * will have:
 *
 *	- A ledger is read when its process is gone.  Its name has a number drawn at
 *	  random when the server's shared memory is made, which happens at each start
 *	  and after each crash, when no process is left of before.  As the launcher
 *	  starts later, the log has been replayed.  Process ids come again, and clocks
 *	  are set back.
 *	- A number is in use that is in pg_class, in the relation map, or in a row of
 *	  pg_class that a transaction under way or a prepared one has written.
 *	  pg_class is locked while it is read, so that no row moves to where the scan
 *	  has been.
 *	- The number of a file that is being made, and that pg_class does not have yet,
 *	  is in no ledger that is left, because numbers are not given out twice: the
 *	  log record that says so is flushed before the ledger is written.
 *
 * Smaller ways do not keep the promise:
 *
 *	- Files that pg_class does not have and that are older than the server's start:
 *	  recovery writes into the very files of a load that it replays, and copies
 *	  init forks, so those are never older.  And they may be orphans of others,
 *	  which are not ours to remove.
 *	- object_access_hook sees a relation when its files are there.  One in nine
 *	  crashes of small loads left an empty file.
 *	- Numbers in the row that says a refresh has begun: a session's own refresh has
 *	  no row that is committed before the load, and a dump or a copy of the
 *	  database carries the row to where the numbers belong to others.
 *	- A heap that is committed before it is filled: with wal_level minimal it has to
 *	  be logged, and other sessions and dumps see it.
 *
 * The files go as those of a dropped table do, by the commit of the sweeping
 * transaction: buffers and requests to sync them go, too, the first file of each
 * stays empty until the next checkpoint, and standbys, which have made the files
 * when they replayed the load, remove them when they replay the sweep.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_tablespace.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "table/abort.h"
#include "table/storage.h"

#define FOLDER		"pg_stat"
#define NAME_FORMAT "spice_%016" PRIx64 "_%u_%d.storage"

/* of the server, from a start or a crash to the next; NULL: not preloaded */
static uint64 *incarnation;

static uint32 noted;			/* numbers in its ledger */
static List *swept;				/* paths, which go when the transaction commits */

/* ------- shared memory ------- */

Size
storage_shared_size(void)
{
	return sizeof(*incarnation);
}

void
storage_shared_start(void *memory, bool initialize)
{
	incarnation = memory;
	if (initialize && !pg_strong_random(incarnation, sizeof(*incarnation)))
		*incarnation = (uint64) GetCurrentTimestamp();
}

/* without the library in all processes there is no launcher before the next start */
static uint64
current_incarnation(void)
{
	return incarnation ? *incarnation : (uint64) PgStartTime;
}

/* ------- the ledger of this process ------- */

static void
ledger_path(char *path)
{
	snprintf(path, MAXPGPATH, FOLDER "/" NAME_FORMAT, current_incarnation(), MyDatabaseId, MyProcPid);
}

/* runs when the transaction's memory goes: its files, if it made them in vain, have gone before */
static void
remove_ledger(void *arg pg_attribute_unused())
{
	char		path[MAXPGPATH];

	ledger_path(path);
	(void) unlink(path);
	noted = 0;
}

/* at a place of their own, so that a write that was cut short spoils no other */
static void
write_to_ledger(const Oid *numbers, int n)
{
	char		path[MAXPGPATH];
	off_t		place = (off_t) noted * sizeof(Oid);
	ssize_t		length = n * sizeof(Oid);
	int			file;
	bool		written;

	noted += n;
	ledger_path(path);
	file = OpenTransientFile(path, O_CREAT | O_WRONLY | PG_BINARY);
	if (file < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open file \"%s\": %m", path)));
	errno = 0;
	/* not synced: what a crash of the machine takes away may leak files, and does no harm */
	written = pwrite(file, numbers, length, place) == length;
	if (!written || CloseTransientFile(file) != 0)
	{
		if (errno == 0)
			errno = ENOSPC;
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", path)));
	}
}

/*
 * One record of the log says that thousands of numbers have been given out.  The
 * record is on disk when this returns.
 */
static void
flush_draws(const Oid *numbers, int n)
{
	/* the numbers of a record that is known to be on disk, as far as they were free then */
	static Oid	first = InvalidOid;
	static Oid	end = InvalidOid;
	bool		known = true;

	for (int i = 0; i < n; i++)
		known &= numbers[i] >= first && numbers[i] < end;
	if (known)
		return;
	compat_logged_oids(&first, &end);
	abort_flush_log();
}

static void
note(const Oid *numbers, int n)
{
	if (noted == 0)
	{
		MemoryContextCallback *callback = MemoryContextAllocZero(TopTransactionContext, sizeof(*callback));

		callback->func = remove_ledger;
		MemoryContextRegisterResetCallback(TopTransactionContext, callback);
		/* after a commit that could still be lost, the ledger would be gone too early */
		ForceSyncCommit();
	}
	flush_draws(numbers, n);
	write_to_ledger(numbers, n);
}

void
storage_draw(Oid tablespace, char persistence, Oid *numbers, int n)
{
	Relation	pg_class = table_open(RelationRelationId, AccessShareLock);

	for (int i = 0; i < n; i++)
		numbers[i] = compat_new_filenumber(tablespace, pg_class, persistence);
	table_close(pg_class, AccessShareLock);
	note(numbers, n);
}

void
storage_note(Oid table)
{
	Relation	relation = table_open(table, AccessShareLock);
	Oid			toast = relation->rd_rel->reltoastrelid;
	Oid			numbers[3] = {relation->rd_rel->relfilenode};
	int			n = 1;

	table_close(relation, NoLock);
	if (OidIsValid(toast))
	{
		relation = table_open(toast, AccessShareLock);
		numbers[n++] = relation->rd_rel->relfilenode;
		/* an index that was made just now has the number of its relation */
		numbers[n++] = linitial_oid(RelationGetIndexList(relation));
		table_close(relation, NoLock);
	}
	note(numbers, n);
}

/* ------- what a crash has left ------- */

static List *
read_ledger(const char *path, List *numbers)
{
	int			file = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	ssize_t		length = -1;
	Oid			number;

	while (file >= 0 && (length = read(file, &number, sizeof(number))) == sizeof(number))
	{
		/* a place that was not written is zero */
		if (number >= FirstNormalObjectId)
			numbers = list_append_unique_oid(numbers, number);
	}
	if (length < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read file \"%s\": %m", path)));
	CloseTransientFile(file);
	return numbers;
}

/* is it a ledger whose process is gone, and can be dealt with here? */
static bool
is_left(const char *name, Oid *database)
{
	uint64		made_in;
	int			process;
	int			length = 0;

	return sscanf(name, NAME_FORMAT "%n", &made_in, database, &process, &length) == 3 &&
		length > 0 && name[length] == '\0' && made_in != current_incarnation() &&
	/* of another database that is still there, the files are its launcher's, should there be one */
		(*database == MyDatabaseId || !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(*database)));
}

static List *
read_ledgers(List **paths)
{
	List	   *numbers = NIL;
	DIR		   *folder = AllocateDir(FOLDER);
	struct dirent *entry;
	Oid			database;

	while ((entry = ReadDir(folder, FOLDER)) != NULL)
	{
		char	   *path;

		if (!is_left(entry->d_name, &database))
			continue;
		path = psprintf(FOLDER "/%s", entry->d_name);
		*paths = lappend(*paths, path);
		if (database == MyDatabaseId)
			numbers = read_ledger(path, numbers);
	}
	FreeDir(folder);
	return numbers;
}

/* where indexes lie is for default_tablespace to say: so anywhere */
static List *
all_tablespaces(void)
{
	List	   *tablespaces = NIL;
	Relation	pg_tablespace = table_open(TableSpaceRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_tablespace, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			oid = ((Form_pg_tablespace) GETSTRUCT(tuple))->oid;

		if (oid != GLOBALTABLESPACE_OID)
			tablespaces = lappend_oid(tablespaces, oid);
	}
	systable_endscan(scan);
	table_close(pg_tablespace, AccessShareLock);
	return tablespaces;
}

static bool
has_files(Oid tablespace, Oid number)
{
	SMgrRelation storage = compat_smgr_open(tablespace, MyDatabaseId, number);
	bool		found = false;

	for (ForkNumber fork = 0; fork <= MAX_FORKNUM && !found; fork++)
		found = smgrexists(storage, fork);
	smgrclose(storage);
	return found;
}

/* Leaves out numbers that a relation has, also in a transaction that is still open. */
static List *
without_claimed(List *numbers)
{
	Relation	pg_class = table_open(RelationRelationId, NoLock);
	SnapshotData snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;

	InitDirtySnapshot(snapshot);
	scan = systable_beginscan(pg_class, InvalidOid, false, &snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

		numbers = list_delete_oid(numbers, OidIsValid(class->relfilenode) ? class->relfilenode :
								  compat_mapped_filenumber(class->oid, class->relisshared));
	}
	systable_endscan(scan);
	table_close(pg_class, NoLock);
	return numbers;
}

/* by the commit */
static int
drop_files(List *numbers, List *tablespaces)
{
	int			dropped = 0;
	ListCell   *number,
			   *tablespace;

	foreach(number, numbers)
	{
		foreach(tablespace, tablespaces)
		{
			if (!has_files(lfirst_oid(tablespace), lfirst_oid(number)))
				continue;
			/* the log tells of files that are dropped by a transaction that has an id */
			(void) GetCurrentTransactionId();
			compat_drop_files(lfirst_oid(tablespace), MyDatabaseId, lfirst_oid(number));
			dropped++;
		}
	}
	return dropped;
}

void
storage_at_end(XactEvent event)
{
	ListCell   *cell;

	/* that the files go is in the log, by now */
	foreach(cell, event == XACT_EVENT_COMMIT ? swept : NIL)
		(void) unlink(lfirst(cell));
	list_free_deep(swept);
	swept = NIL;
}

static void
remove_at_commit(List *paths)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	ListCell   *cell;

	foreach(cell, paths)
		swept = lappend(swept, pstrdup(lfirst(cell)));
	MemoryContextSwitchTo(old);
}

bool
storage_sweep(void)
{
	List	   *paths = NIL;
	List	   *numbers = read_ledgers(&paths);
	int			dropped;

	if (numbers != NIL)
	{
		if (!ConditionalLockRelationOid(RelationRelationId, ShareLock))
			return false;
		dropped = drop_files(without_claimed(numbers), all_tablespaces());
		if (dropped > 0)
			ereport(LOG, (errmsg("removing the storage of %d relations, which a crash has left of loads", dropped)));
	}
	remove_at_commit(paths);
	return true;
}
