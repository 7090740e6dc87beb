/*-------------------------------------------------------------------------
 *
 * spool.h
 *		The bytes of one fetched response: in memory up to
 *		spice.fetch_memory, beyond that in a temporary file.
 *
 * A spool lives in the memory context it was made in; deleting the context
 * closes its file.  It needs no transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SPOOL_H
#define SPICE_SPOOL_H

/*
 * A digest notices change; it keeps nobody from forging a response, who could
 * as well send another.
 */
#define SPOOL_DIGEST_LENGTH 16

typedef struct Spool Spool;

extern Spool *spool_create(MemoryContext parent, Size memory, int64 max_size);
extern void spool_free(Spool *spool);

/* gives a file of it back; its bytes cannot be read any more, its digest can be had */
extern void spool_discard(Spool *spool);

/* before the first byte: so many are announced.  What memory could not hold does not fill it first */
extern void spool_expect(Spool *spool, int64 size);

/*
 * Appends without ever raising an error.  Returns how many bytes it has taken: fewer
 * than length means that spool_flush() must be called before the rest.
 */
extern Size spool_append(Spool *spool, const char *data, Size length);

/* gives what is in memory to the temporary file; may raise an error, be it of what was given before */
extern void spool_flush(Spool *spool);

/* no more bytes; completes the digest */
extern void spool_finish(Spool *spool);

extern const uint8 *spool_digest(const Spool *spool);

/*
 * A finished spool whose bytes are in its file can be read by other processes,
 * for as long as it lives: spool_path() says where, or NULL.
 */
extern const char *spool_path(const Spool *spool);
extern Spool *spool_attach(MemoryContext parent, const char *path, int64 size);
extern int64 spool_size(const Spool *spool);

/* reading: from the start, as often as wanted; 0 at the end; may raise */
typedef struct SpoolCursor
{
	Spool	   *spool;
	int64		offset;
} SpoolCursor;

extern void spool_rewind(Spool *spool, SpoolCursor *cursor);
extern Size spool_read(SpoolCursor *cursor, char *buffer, Size size);

#endif
