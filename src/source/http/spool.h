/*-------------------------------------------------------------------------
 *
 * spool.h
 *		The bytes of one response: in memory up to spice.fetch_memory, beyond
 *		that in a temporary file.
 *
 * A spool lives in the memory context it was made in; deleting the context
 * closes its file.  It needs no transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SPOOL_H
#define SPICE_SPOOL_H

/*
 * The digest notices a change.  It is no protection against a source that
 * forges a response: that source could as well send another one.
 */
#define SPOOL_DIGEST_LENGTH 16

typedef struct Spool Spool;

extern Spool *spool_create(MemoryContext parent, Size memory);
extern void spool_free(Spool *spool);

/* closes the file; the bytes cannot be read any more, the digest can */
extern void spool_discard(Spool *spool);

/* Appends without ever raising an error.  False: out of memory. */
extern bool spool_append(Spool *spool, const char *data, Size length);

/*
 * Writes what is more than the memory to hold to the temporary file.  The caller
 * owes a call after every few appends, outside of foreign libraries: it may
 * raise an error.
 */
extern void spool_flush(Spool *spool);

/* no more bytes; completes the digest; may raise an error */
extern void spool_finish(Spool *spool);

extern const uint8 *spool_digest(const Spool *spool);

/*
 * Other processes can read a finished spool whose bytes are in its file for as
 * long as the spool lives: spool_path() says where, or NULL.
 */
extern const char *spool_path(const Spool *spool);
extern Spool *spool_attach(MemoryContext parent, const char *path, int64 size);
extern int64 spool_size(const Spool *spool);

/* reading, from the start and as often as wanted; 0 at the end; may raise */
typedef struct SpoolCursor
{
	Spool	   *spool;
	int64		offset;
} SpoolCursor;

extern void spool_rewind(Spool *spool, SpoolCursor *cursor);
extern Size spool_read(SpoolCursor *cursor, char *buffer, Size size);

#endif
