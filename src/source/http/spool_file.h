/*-------------------------------------------------------------------------
 *
 * spool_file.h
 *		The temporary file of a spool, written while the next bytes come in.
 *
 * It is closed, and removed by the process that has created it, when the memory
 * context that it was made in goes, at the latest.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SPOOL_FILE_H
#define SPICE_SPOOL_FILE_H

typedef struct SpoolFile SpoolFile;

extern SpoolFile *spool_file_create(MemoryContext context);

/* another process's file, to be read */
extern SpoolFile *spool_file_open(MemoryContext context, const char *path, int64 size);

/*
 * Begins to write data at the file's end.  They must stay as they are until the next
 * spool_file_append(), spool_file_settle() or spool_file_close() returns.  May raise
 * the error of an earlier write.
 */
extern void spool_file_append(SpoolFile *file, const char *data, Size length);

/* waits until all has been written; may raise */
extern void spool_file_settle(SpoolFile *file);

/* of a settled file: bytes read from offset on, 0 at its end; may raise */
extern Size spool_file_read(SpoolFile *file, char *buffer, Size size, int64 offset);

extern const char *spool_file_path(const SpoolFile *file);

/* never raises; NULL does nothing */
extern void spool_file_close(SpoolFile *file);

#endif
