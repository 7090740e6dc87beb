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

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/fd.h"

#include "source/format/byte_range.h"

/*
 * The digest notices a change.  It is no protection against a source that
 * forges a response: that source could as well send another one.
 */
#define SPOOL_DIGEST_LENGTH 16

typedef struct Spool Spool;

extern Spool *spool_create(MemoryContext parent, Size memory);

/* The same with the memory that spice.fetch_memory allows. */
extern Spool *spool_create_response(MemoryContext parent);
extern void spool_free(Spool *spool);

/* closes the file; the bytes cannot be read any more, the digest can */
extern void spool_discard(Spool *spool);

/* Appends without ever raising an error.  False: out of memory. */
extern bool spool_append(Spool *spool, const char *data, Size length);

/* Appends, outside of foreign libraries: raises an error when out of memory. */
extern void spool_write(Spool *spool, const void *data, Size length);

/*
 * Writes what is more than the memory to hold to the temporary file.  The caller
 * owes a call after every few appends, outside of foreign libraries: it may
 * raise an error.
 */
extern void spool_flush(Spool *spool);

/* Forgets all bytes, and wipes those in memory. */
extern void spool_empty(Spool *spool);

/* no more bytes; completes the digest; may raise an error */
extern void spool_finish(Spool *spool);

/* what the source calls the bytes, its Content-Type; "" when it does not say */
extern void spool_set_type(Spool *spool, const char *type);
extern const char *spool_type(const Spool *spool);

extern const uint8 *spool_digest(const Spool *spool);

/*
 * Other processes can read a finished spool whose bytes are in its file for as
 * long as the spool lives: spool_path() says where, or NULL.
 */
extern const char *spool_path(const Spool *spool);
extern Spool *spool_attach(MemoryContext parent, const char *path, int64 size);

/* The first size bytes of an open file, which the spool closes. */
extern Spool *spool_of_file(MemoryContext parent, File file, int64 size);
extern File spool_file(const Spool *spool);

/* Bytes that stay where they are until they are asked for. */
typedef struct SpoolMethods
{
	/* fills the buffer; offset and size lie in the document */
	void		(*read) (void *arg, int64 offset, char *buffer, Size size);
	/* these are to be read next; or NULL */
	void		(*expect) (void *arg, const ByteRange *ranges, int n);
} SpoolMethods;

/* A finished spool whose bytes the methods read; it has no digest. */
extern Spool *spool_of_methods(MemoryContext parent, const SpoolMethods *methods, void *arg,
							   int64 size);

/* Tells a reader that fetches bytes which ones it will be asked for. */
extern void spool_expect(Spool *spool, const ByteRange *ranges, int n);

/* Another spool's bytes from offset on, for as long as that one lives. */
extern Spool *spool_slice(MemoryContext parent, Spool *whole, int64 offset, int64 size);

/* A column's value that is the same in all records of a document, and in none of them. */
typedef struct PartValue
{
	const char *name;
	const char *text;			/* NULL: null */
	Oid			type;			/* InvalidOid: to be found from the texts of all parts */
} PartValue;

/*
 * One of the documents of a response that has several, such as the files of a folder.
 * Both functions raise an error when the bytes are not those that were listed.
 */
typedef struct SpoolPart
{
	const char *location;		/* as people know it */
	int			page;			/* of one response: its number, from 1; 0: a document of its own */
	int64		size;
	TimestampTz last_modified;
	List	   *values;			/* of PartValue * */
	Spool	   *(*open) (const struct SpoolPart *part, MemoryContext context);
	void		(*check) (const struct SpoolPart *part, Spool *bytes);	/* after reading; or NULL */
} SpoolPart;

/* A finished spool of documents, of SpoolPart *; the digest is that of their list. */
extern Spool *spool_of_parts(MemoryContext parent, List *parts, const uint8 *digest);

/* A finished spool without a document. */
extern Spool *spool_of_nothing(MemoryContext parent);
extern int64 spool_size(const Spool *spool);

/* reading, from the start and as often as wanted; 0 at the end; may raise */
typedef struct SpoolCursor
{
	Spool	   *spool;
	int64		offset;
} SpoolCursor;

extern void spool_rewind(Spool *spool, SpoolCursor *cursor);

/*
 * Opens the document of this number, from 0, at its start; what is opened lives in context.
 * False: there is none.  *part describes it, NULL when the spool is one document.
 */
extern bool spool_open_document(Spool *spool, int number, MemoryContext context,
								SpoolCursor *cursor, const SpoolPart **part);

/* Describes a document that spool_open_document() would open; NULL: there is none, or nothing to say. */
extern const SpoolPart *spool_part(const Spool *spool, int number);

/* Returns the part's own value of a column, or NULL. */
extern const PartValue *spool_part_value(const SpoolPart *part, const char *name);
extern Size spool_read(SpoolCursor *cursor, char *buffer, Size size);

/* Fills the buffer.  False: the document has fewer bytes left. */
extern bool spool_read_fully(SpoolCursor *cursor, void *buffer, Size size);

#endif
