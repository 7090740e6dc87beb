/*-------------------------------------------------------------------------
 *
 * private_file.c
 *		Files of secrets that the server writes for itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "secret/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

void
private_file_replace(const char *path, const char *text, size_t length)
{
	char	   *fresh = psprintf("%s.%d", path, MyProcPid);
	int			file;
	bool		written;

	(void) unlink(fresh);
	file = OpenTransientFilePerm(fresh, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY, 0600);
	if (file < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not create file \"%s\": %m", fresh)));
	written = write(file, text, length) == (ssize_t) length;
	if (CloseTransientFile(file) != 0 || !written || rename(fresh, path) != 0)
	{
		int			reason = errno ? errno : ENOSPC;

		(void) unlink(fresh);
		errno = reason;
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", path)));
	}
}
