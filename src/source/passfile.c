/*-------------------------------------------------------------------------
 *
 * passfile.c
 *		Passwords for libpq, in files outside of every table.
 *
 * A password in a user mapping would be dumped, replicated, and visible to every
 * role that may read the catalog.  libpq also reads passwords from a file.  So the
 * mapping has no password, and the server's option passfile names a file of mode
 * 0600, one for each dataset.  The file lies in pg_stat_tmp, which base backups and
 * pg_rewind leave out; a refresh writes it again from the manifest.
 *
 * A file is written before each refresh and stays while the dataset is in the
 * manifest, as sessions that read the source live need it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "secret/private_file.h"
#include "source/passfile.h"

#define FOLDER		PRIVATE_FOLDER
#define SUFFIX		".pgpass"

static List *removed;			/* of dataset ids, when the transaction commits */

char *
passfile_path(int dataset)
{
	return psprintf(FOLDER "/spice_%u_%d" SUFFIX, MyDatabaseId, dataset);
}

static void
append_field(StringInfo text, const char *field)
{
	for (; *field != '\0'; field++)
	{
		if (*field == ':' || *field == '\\')
			appendStringInfoChar(text, '\\');
		appendStringInfoChar(text, *field);
	}
}

static void
append_line(StringInfo text, const char *host, const char *user, const char *password)
{
	/* a field of one asterisk stands for anything */
	append_field(text, host);
	appendStringInfoString(text, ":*:*:");
	append_field(text, user ? user : "*");
	appendStringInfoChar(text, ':');
	append_field(text, password);
	appendStringInfoChar(text, '\n');
}

static bool
has_content(const char *path, const StringInfoData *text)
{
	struct stat status;
	char	   *content;
	bool		same;
	int			file;

	if (stat(path, &status) != 0 || status.st_size != text->len || (status.st_mode & 0777) != 0600)
		return false;
	file = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	if (file < 0)
		return false;
	content = palloc(text->len);
	same = read(file, content, text->len) == text->len &&
		memcmp(content, text->data, text->len) == 0;
	explicit_bzero(content, text->len);
	CloseTransientFile(file);
	return same;
}

void
passfile_write(int dataset, List *hosts, const char *user, const char *password)
{
	char	   *path = passfile_path(dataset);
	StringInfoData text;
	ListCell   *cell;

	if (strpbrk(password, "\r\n") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a password must not hold a line break")));
	initStringInfo(&text);
	foreach(cell, hosts)
	{
		append_line(&text, lfirst(cell), user, password);
		/* this is what libpq calls the socket in its default folder */
		if (((char *) lfirst(cell))[0] == '/')
			append_line(&text, "localhost", user, password);
	}
	removed = list_delete_int(removed, dataset);
	if (!has_content(path, &text))
		private_file_replace(path, text.data, text.len);
	explicit_bzero(text.data, text.len);
}

void
passfile_at_end(XactEvent event)
{
	ListCell   *cell;

	foreach(cell, event == XACT_EVENT_COMMIT ? removed : NIL)
	{
		char		path[MAXPGPATH];

		snprintf(path, sizeof(path), FOLDER "/spice_%u_%d" SUFFIX, MyDatabaseId, lfirst_int(cell));
		(void) unlink(path);
	}
	list_free(removed);
	removed = NIL;
}

void
passfile_remove(int dataset)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	removed = lappend_int(removed, dataset);
	MemoryContextSwitchTo(old);
}

/* Is the file still needed?  rest: what follows .pgpass in its name */
static bool
is_needed(Oid database, int dataset, const char *rest, List *datasets)
{
	/* on its way to its place, unless its writer is gone */
	if (rest[0] == '.' && kill(atoi(rest + 1), 0) != 0 && errno == ESRCH)
		return false;
	if (database != MyDatabaseId)
		return SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
	return rest[0] == '.' || list_member_int(datasets, dataset);
}

void
passfile_sweep(List *datasets)
{
	DIR		   *folder = AllocateDir(FOLDER);
	struct dirent *entry;

	while ((entry = ReadDir(folder, FOLDER)) != NULL)
	{
		Oid			database;
		int			dataset;
		int			length = 0;

		if (sscanf(entry->d_name, "spice_%u_%d" SUFFIX "%n", &database, &dataset, &length) == 2 &&
			length > 0 && !is_needed(database, dataset, entry->d_name + length, datasets))
			(void) unlink(psprintf(FOLDER "/%s", entry->d_name));
	}
	FreeDir(folder);
}
