/*-------------------------------------------------------------------------
 *
 * file_store.c
 *		Files of this machine as the documents of a response.
 *
 * The server reads them as its own operating system user, who may read more than those who
 * write a manifest.  So each path is resolved first, and so is each symbolic link below a
 * folder: none may lead into the server's own directories, and with spice.file_roots all
 * have to be below one of these.  Only regular files are read.
 *
 * A file is listed first and opened later.  It counts only if it is the listed one when it
 * is opened, and still has the listed size and time when it has been read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/store/file_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "settings.h"
#include "source/resolve.h"
#include "source/store/listing.h"

#define MAX_FOLDERS		32		/* within one another: symbolic links may lead in circles */

typedef struct LocalFile
{
	SpoolPart	part;			/* its location is the path */
	dev_t		device;
	ino_t		inode;
	struct timespec modified;
} LocalFile;

typedef struct FileWalk
{
	const Dataset *dataset;
	List	   *own;			/* directories of the server's */
	List	   *roots;			/* NIL: any other will do */
	List	   *files;			/* of LocalFile * */
} FileWalk;

pg_noreturn static void
raise_file_error(const Dataset *dataset, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read \"%s\" of dataset \"%s\": %m", path, dataset->name),
			 errhint("The server's operating system user needs the right to read it; a relative path begins at the manifest's folder.")));
	pg_unreachable();
}

/* NULL when there is no such place */
static char *
resolve_links(const char *path)
{
	char	   *resolved = realpath(path, NULL);
	char	   *copy = resolved != NULL ? pstrdup(resolved) : NULL;

	free(resolved);
	return copy;
}

/* where the server keeps what is its own */
static List *
own_directories(void)
{
	List	   *own = list_make1(resolve_links(DataDir));
	DIR		   *spaces = AllocateDir("pg_tblspc");
	struct dirent *entry;

	own = lappend(own, resolve_links("pg_wal"));
	while ((entry = ReadDir(spaces, "pg_tblspc")) != NULL)
	{
		if (entry->d_name[0] != '.')
			own = lappend(own, resolve_links(psprintf("pg_tblspc/%s", entry->d_name)));
	}
	FreeDir(spaces);
	return own;
}

static bool
is_below_any(const char *path, List *folders)
{
	ListCell   *cell;

	foreach(cell, folders)
	{
		if (lfirst(cell) != NULL && path_is_prefix_of_path(lfirst(cell), path))
			return true;
	}
	return false;
}

static List *
allowed_roots(void)
{
	List	   *names;
	List	   *roots = NIL;
	ListCell   *cell;

	if (!SplitDirectoriesString(pstrdup(spice_file_roots), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("spice.file_roots is not a list of folders")));
	foreach(cell, names)
		roots = lappend(roots, resolve_links(lfirst(cell)));
	return roots;
}

/* path: without symbolic links */
static void
check_place(const FileWalk *walk, const char *path)
{
	if (is_below_any(path, walk->own))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("dataset \"%s\" may not read \"%s\"", walk->dataset->name, path),
				 errdetail("It lies in a directory of the server's own."),
				 errhint("Move the file, and write an absolute path: a relative one begins at the manifest's folder.")));
	if (walk->roots != NIL && !is_below_any(path, walk->roots))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("dataset \"%s\" may not read \"%s\"", walk->dataset->name, path),
				 errdetail("It lies in no folder of spice.file_roots."),
				 errhint("Move the file, or have a superuser add its folder to spice.file_roots.")));
}

static bool
is_as_listed(const LocalFile *file, const struct stat *now)
{
	return S_ISREG(now->st_mode) && now->st_dev == file->device && now->st_ino == file->inode &&
		(int64) now->st_size == file->part.size && now->st_mtim.tv_sec == file->modified.tv_sec &&
		now->st_mtim.tv_nsec == file->modified.tv_nsec;
}

/* Raises an error unless the opened file is the listed one, unchanged. */
static void
check_file(const SpoolPart *part, Spool *bytes)
{
	File		opened = spool_file(bytes);
	struct stat now;

	/* FileSize() opens the file again if the server had to close it */
	if (FileSize(opened) >= 0 && fstat(FileGetRawDesc(opened), &now) == 0 &&
		is_as_listed((const LocalFile *) part, &now))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("file \"%s\" changed while it was read", part->location),
			 errhint("Write a new file beside it, and rename that.")));
}

static Spool *
open_file(const SpoolPart *part, MemoryContext context)
{
	/* a FIFO that has taken the file's place does not block */
	File		opened = PathNameOpenFile(part->location, O_RDONLY | O_NONBLOCK);
	Spool	   *bytes;

	if (opened <= 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", part->location)));
	bytes = spool_of_file(context, opened, part->size);
	check_file(part, bytes);
	return bytes;
}

static void
add_file(FileWalk *walk, const char *path, const struct stat *found)
{
	LocalFile  *file = palloc0(sizeof(LocalFile));

	file->part.location = pstrdup(path);
	file->part.size = found->st_size;
	file->part.last_modified = time_t_to_timestamptz(found->st_mtim.tv_sec) + found->st_mtim.tv_nsec / 1000;
	file->part.open = open_file;
	file->part.check = check_file;
	file->device = found->st_dev;
	file->inode = found->st_ino;
	file->modified = found->st_mtim;
	walk->files = lappend(walk->files, file);
}

static void
refuse_kind(const FileWalk *walk, const char *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("dataset \"%s\" may not read \"%s\"", walk->dataset->name, path),
			 errdetail("It is neither a regular file nor a folder.")));
}

static void walk_folder(FileWalk *walk, const char *folder, int depth);

static void
visit_entry(FileWalk *walk, const char *path, const char *name, int depth)
{
	struct stat found;

	if (lstat(path, &found) < 0)
		raise_file_error(walk->dataset, path);
	if (S_ISLNK(found.st_mode))
	{
		char	   *resolved = resolve_links(path);

		if (resolved == NULL || stat(path, &found) < 0)
			raise_file_error(walk->dataset, path);
		if (S_ISDIR(found.st_mode) || listing_has_extension(walk->dataset, name))
			check_place(walk, resolved);
	}
	if (S_ISDIR(found.st_mode))
		walk_folder(walk, path, depth + 1);
	else if (!listing_has_extension(walk->dataset, name))
		return;
	else if (S_ISREG(found.st_mode))
		add_file(walk, path, &found);
	else
		refuse_kind(walk, path);
}

static void
walk_folder(FileWalk *walk, const char *folder, int depth)
{
	DIR		   *directory;
	struct dirent *entry;

	if (depth > MAX_FOLDERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("dataset \"%s\" has more than %d folders within one another", walk->dataset->name, MAX_FOLDERS),
				 errdetail("The innermost is \"%s\".", folder),
				 errhint("Look for a symbolic link that leads in a circle.")));
	directory = AllocateDir(folder);
	if (directory == NULL)
		raise_file_error(walk->dataset, folder);
	while ((entry = ReadDir(directory, folder)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!listing_is_hidden(entry->d_name))
			visit_entry(walk, psprintf("%s/%s", folder, entry->d_name), entry->d_name, depth);
	}
	FreeDir(directory);
}

List *
file_store_list(const Dataset *dataset)
{
	const char *from = dataset->from + strlen("file:");
	FileWalk	walk = {.dataset = dataset};
	char	   *named = resolve_path(dataset, strncmp(from, "//", 2) == 0 ? from + 2 : from);
	char	   *place = resolve_links(named);
	struct stat found;

	if (place == NULL || stat(place, &found) < 0)
		raise_file_error(dataset, named);
	walk.own = own_directories();
	walk.roots = allowed_roots();
	check_place(&walk, place);
	if (S_ISDIR(found.st_mode))
		walk_folder(&walk, place, 1);
	else if (S_ISREG(found.st_mode))
		add_file(&walk, place, &found);
	else
		refuse_kind(&walk, place);
	if (walk.files == NIL)
		listing_refuse_empty(dataset, place);
	listing_sort(walk.files);
	listing_add_values(dataset, walk.files, place);
	return walk.files;
}
