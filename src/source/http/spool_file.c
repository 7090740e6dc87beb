/*-------------------------------------------------------------------------
 *
 * spool_file.c
 *		The temporary file of a spool.
 *
 * To write a large response into a file costs the kernel as much as to receive
 * it, and one process would do both by turns.  So writes are given to the C
 * library (POSIX asynchronous I/O), one at a time: a thread of its own writes one
 * block while libcurl fills the next.  That thread touches nothing of the server's but
 * the block and the descriptor, and runs none of its signal handlers: glibc and musl
 * block all signals in it, whoever starts it.  Where it cannot be had, and while processors
 * are short (processors.c), the process writes by itself.
 *
 *	 - The descriptor is ours.  One of the server's files may be closed at any
 *	   moment, for others to be opened, and its number be another file's when the
 *	   thread comes to write.
 *	 - The server counts what its temporary files hold against temp_file_limit when it
 *	   writes them.  An empty write behind the block lets it count what the thread writes.
 *
 * States and their successors:
 *
 *		idle	-> writing	(spool_file_append)
 *		writing	-> idle		(settle: the write has ended)
 *		idle	-> closed	(spool_file_close, which settles before)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/spool_file.h"

#include <aio.h>
#include <fcntl.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/wait_event.h"

#include "refresh/processors.h"
#include "spice.h"

#define MAX_READ	((Size) 4 * 1024 * 1024)
#define LOOK_SIZE	((int64) 16 * 1024 * 1024)	/* written between looks at the processors: takes
												 * some 10 ms */

struct SpoolFile
{
	MemoryContextCallback callback;
	File		file;			/* 0: none, or closed */
	int			descriptor;		/* for the thread; -1: it is another process's file */
	bool		writing;
	struct aiocb write;
	int64		size;			/* with what is being written */
	bool		alone;			/* no thread is to help */
	ProcessorTime since;		/* the newest look at the processors */
	int64		next_look;		/* at this size */
};

/* how the write under way has ended, once it has: 0, or the error's number */
static int
settle(SpoolFile *file)
{
	const struct aiocb *waited[1] = {&file->write};
	int			error;

	if (!file->writing)
		return 0;
	pgstat_report_wait_start(WAIT_EVENT_BUFFILE_WRITE);
	while ((error = aio_error(&file->write)) == EINPROGRESS)
		(void) aio_suspend(waited, 1, NULL);
	pgstat_report_wait_end();
	file->writing = false;
	/* what does not fit is cut short */
	if (aio_return(&file->write) != (ssize_t) file->write.aio_nbytes && error == 0)
		error = ENOSPC;
	return error;
}

/* error: 0 is none */
static void
check_write(int error)
{
	errno = error;
	if (error != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write a fetched response to a temporary file: %m"),
				 errhint("Free disk space in the data directory, or raise spice.fetch_memory.")));
}

void
spool_file_close(SpoolFile *file)
{
	if (file == NULL || file->file <= 0)
		return;
	(void) settle(file);
	if (file->descriptor >= 0)
	{
		(void) close(file->descriptor);
		ReleaseExternalFD();
	}
	FileClose(file->file);
	file->file = 0;
}

/* runs when the context goes, also in the middle of an error */
static void
release(void *arg)
{
	spool_file_close(arg);
}

static SpoolFile *
allocate(MemoryContext context)
{
	SpoolFile  *file = MemoryContextAllocZero(context, sizeof(SpoolFile));

	file->descriptor = -1;
	file->callback.func = release;
	file->callback.arg = file;
	MemoryContextRegisterResetCallback(context, &file->callback);
	return file;
}

static void
fail_to_open(void)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not open the temporary file of a fetched response: %m")));
}

SpoolFile *
spool_file_create(MemoryContext context)
{
	SpoolFile  *file = allocate(context);
	int			descriptor;

	file->file = OpenTemporaryFile(true);
	ReserveExternalFD();
	descriptor = BasicOpenFile(FilePathName(file->file), O_WRONLY | O_CLOEXEC | PG_BINARY);
	if (descriptor < 0)
	{
		ReleaseExternalFD();
		fail_to_open();
	}
	file->descriptor = descriptor;
	/* as long as nothing is known */
	file->alone = !spice_parallel_when_busy;
	file->next_look = LOOK_SIZE;
	processors_read(&file->since);
	return file;
}

SpoolFile *
spool_file_open(MemoryContext context, const char *path, int64 size)
{
	SpoolFile  *file = allocate(context);
	File		opened = PathNameOpenFile(path, O_RDONLY | PG_BINARY);

	if (opened <= 0)
		fail_to_open();
	file->file = opened;
	file->size = size;
	return file;
}

/* by the library's thread; false: it has no room for it */
static bool
start_write(SpoolFile *file, const char *data, Size length, off_t offset)
{
	struct aiocb *write = &file->write;

	/* fails if it would be more than temp_file_limit allows */
	(void) FileWrite(file->file, unconstify(char *, data), 0, offset + length, WAIT_EVENT_BUFFILE_WRITE);
	memset(write, 0, sizeof(*write));
	write->aio_fildes = file->descriptor;
	write->aio_buf = unconstify(char *, data);
	write->aio_nbytes = length;
	write->aio_offset = offset;
	write->aio_sigevent.sigev_notify = SIGEV_NONE;
	file->writing = aio_write(write) == 0;
	return file->writing;
}

/* 0, or the error's number */
static int
write_here(const SpoolFile *file, const char *data, Size length, off_t offset)
{
	errno = 0;
	if (FileWrite(file->file, unconstify(char *, data), length, offset, WAIT_EVENT_BUFFILE_WRITE) == (ssize_t) length)
		return 0;
	return errno != 0 ? errno : ENOSPC;
}

/*
 * Once they have been short, no more: the thread may be what made them so, and whether
 * others shall help later is judged by how this process has had to wait meanwhile.
 */
static void
look_at_processors(SpoolFile *file)
{
	file->alone = processors_short_since(&file->since);
	file->next_look = file->alone ? PG_INT64_MAX : file->size + LOOK_SIZE;
	processors_read(&file->since);
}

void
spool_file_append(SpoolFile *file, const char *data, Size length)
{
	int64		offset = file->size;

	check_write(settle(file));
	if (file->size >= file->next_look)
		look_at_processors(file);
	file->size += length;
	if (file->alone || !start_write(file, data, length, offset))
		check_write(write_here(file, data, length, offset));
}

void
spool_file_settle(SpoolFile *file)
{
	check_write(settle(file));
}

const char *
spool_file_path(const SpoolFile *file)
{
	return FilePathName(file->file);
}

Size
spool_file_read(SpoolFile *file, char *buffer, Size size, int64 offset)
{
	int64		left = file->size - offset;
	ssize_t		n;

	if (left <= 0)
		return 0;
	n = FileRead(file->file, buffer, Min(Min((int64) size, left), (int64) MAX_READ), offset,
				 WAIT_EVENT_BUFFILE_READ);
	if (n <= 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 n < 0 ? errmsg("could not read a fetched response from its temporary file: %m") :
				 errmsg("temporary file of a fetched response is too short")));
	return (Size) n;
}
