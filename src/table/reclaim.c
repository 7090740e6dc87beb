/*-------------------------------------------------------------------------
 *
 * reclaim.c
 *		Gives the space of storage that a swap has replaced back by and by.
 *
 * The server frees the files of a dropped relation when the transaction that drops
 * it has committed, all at once.  To free hundreds of megabytes takes a file system
 * a tenth of a second, and several where they are many gigabytes; where it tells the
 * device about each block (discard), the whole machine stands still for a part of
 * that.  A refresh drops as much as it loads, each time.
 *
 * So between the commit and the server's removal each large file changes places with
 * an empty one, which the server then removes as ever, and lies among the server's
 * temporary files (pgsql_tmp).  There the launcher makes it smaller piece by piece.
 *
 *	- Nothing is lost or left over.  The record of the commit, which names what is
 *	  dropped, is on disk before the files change places, and recovery removes what
 *	  then has the old name, whichever of the two that is.  What lies in pgsql_tmp,
 *	  the server removes when it starts.
 *	- The name is never without a file: others, who may still have pages of the
 *	  old storage to write, write them into one of the two.
 *	- From the commit on nothing may fail.  So all is prepared before it, and what
 *	  the system refuses then (few file systems do) is left to the server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/pg_tablespace.h"
#include "common/file_perm.h"
#include "common/file_utils.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/fd.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "compat.h"
#include "table/table.h"

#define PIECE_SIZE		((off_t) 8 * 1024 * 1024)	/* that is given back at once; smaller files
													 * go as ever */
#define PREFIX			PG_TEMP_FILE_PREFIX ".spice."

typedef struct ReclaimShared
{
	pg_atomic_uint32 database;	/* whose launcher gives back; 0: none does */
	pg_atomic_uint32 any;		/* there may be files */
} ReclaimShared;

/* a file of storage that is dropped, and where it is to lie */
typedef struct Exchange
{
	char	   *path;
	char	   *place;
} Exchange;

static ReclaimShared *shared;	/* NULL: not preloaded */
static bool wanted;				/* by this transaction */
static List *exchanges;			/* of Exchange *, from just before the commit on */

Size
reclaim_shared_size(void)
{
	return MAXALIGN(sizeof(ReclaimShared));
}

void
reclaim_start(void)
{
	bool		found;

	shared = ShmemInitStruct("spice reclaim", sizeof(ReclaimShared), &found);
	if (found)
		return;
	pg_atomic_init_u32(&shared->database, 0);
	pg_atomic_init_u32(&shared->any, 0);
}

/* ------- the transaction that swaps ------- */

static void
prepare_file(char *path, Oid tablespace)
{
	char		folder[MAXPGPATH];
	Exchange   *exchange = palloc(sizeof(Exchange));

	TempTablespacePath(folder, tablespace);
	/* most often it is there; if it cannot be made, the exchange fails */
	(void) MakePGDirectory(folder);
	exchange->path = path;
	exchange->place = psprintf("%s/" PREFIX "%u.%s", folder, MyDatabaseId, strrchr(path, '/') + 1);
	exchanges = lappend(exchanges, exchange);
}

/* the segments of a main fork */
static void
prepare_storage(const char *path, Oid tablespace)
{
	struct stat status;

	for (int segment = 0;; segment++)
	{
		char	   *file = segment == 0 ? pstrdup(path) : psprintf("%s.%d", path, segment);

		if (stat(file, &status) != 0)
			break;
		if (status.st_size > PIECE_SIZE)
			prepare_file(file, tablespace);
	}
}

static void
prepare(void)
{
	MemoryContext old;
	List	   *tablespaces = NIL;
	List	   *paths;

	/* so that no more waits than one version of a table, however fast others come */
	if (pg_atomic_read_u32(&shared->any) != 0)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	paths = compat_dropped_storage(&tablespaces);
	for (int i = 0; i < list_length(paths); i++)
		prepare_storage(list_nth(paths, i), list_nth_oid(tablespaces, i));
	MemoryContextSwitchTo(old);
}

static void
exchange_files(void)
{
#ifdef RENAME_EXCHANGE
	ListCell   *cell;

	foreach(cell, exchanges)
	{
		const Exchange *exchange = lfirst(cell);
		int			file = open(exchange->place, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY, pg_file_create_mode);

		if (file < 0)
			continue;
		(void) close(file);
		if (renameat2(AT_FDCWD, exchange->path, AT_FDCWD, exchange->place, RENAME_EXCHANGE) != 0)
			(void) unlink(exchange->place);
		else
			pg_atomic_write_u32(&shared->any, 1);
	}
#endif
}

static void
transaction_callback(XactEvent event, void *arg pg_attribute_unused())
{
	if (!wanted)
		return;
	if (event == XACT_EVENT_PRE_COMMIT)
	{
		prepare();
		return;
	}
	if (event == XACT_EVENT_COMMIT)
		exchange_files();
	/* the list goes with the transaction's memory */
	exchanges = NIL;
	wanted = false;
}

void
reclaim_at_commit(void)
{
	static bool registered;

	if (shared == NULL || pg_atomic_read_u32(&shared->database) != MyDatabaseId)
		return;
	if (!registered)
		RegisterXactCallback(transaction_callback, NULL);
	registered = true;
	wanted = true;
}

/* ------- the launcher ------- */

void
reclaim_serve(bool serves)
{
	/* those of a launcher before this one, too */
	pg_atomic_write_u32(&shared->any, 1);
	pg_atomic_write_u32(&shared->database, serves ? MyDatabaseId : 0);
}

/* the first file in the folder, also of a database that is gone */
static bool
find_in(const char *folder, char *path)
{
	DIR		   *dir = AllocateDir(folder);
	struct dirent *entry;
	bool		found = false;

	/* a tablespace without temporary files has no such folder */
	while (dir != NULL && !found && (entry = ReadDirExtended(dir, folder, LOG)) != NULL)
	{
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		snprintf(path, MAXPGPATH, "%s/%s", folder, entry->d_name);
		found = true;
	}
	if (dir != NULL)
		FreeDir(dir);
	return found;
}

static bool
find_file(char *path)
{
	char		folder[MAXPGPATH];
	DIR		   *dir;
	struct dirent *entry;
	bool		found;

	TempTablespacePath(folder, DEFAULTTABLESPACE_OID);
	found = find_in(folder, path);
	dir = AllocateDir("pg_tblspc");
	while (dir != NULL && !found && (entry = ReadDirExtended(dir, "pg_tblspc", LOG)) != NULL)
	{
		Oid			tablespace = atooid(entry->d_name);

		if (!OidIsValid(tablespace))
			continue;
		TempTablespacePath(folder, tablespace);
		found = find_in(folder, path);
	}
	if (dir != NULL)
		FreeDir(dir);
	return found;
}

/* true: there is more of it */
static bool
cut_piece(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_size > PIECE_SIZE &&
		pg_truncate(path, status.st_size - PIECE_SIZE) == 0;
}

static bool
remove_file(const char *path)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	ereport(LOG,
			(errcode_for_file_access(),
			 errmsg("could not remove file \"%s\": %m", path),
			 errdetail("It is storage that a refresh has replaced. The server removes it when it starts.")));
	return false;
}

bool
reclaim_piece(void)
{
	char		path[MAXPGPATH];

	/* whatever comes from here on is either found, or said again */
	if (pg_atomic_exchange_u32(&shared->any, 0) == 0 || !find_file(path))
		return false;
	if (!cut_piece(path) && (!remove_file(path) || !find_file(path)))
		return false;
	pg_atomic_write_u32(&shared->any, 1);
	return true;
}
