/*-------------------------------------------------------------------------
 *
 * record_input.h
 *		A document's bytes as its reader wants them: unpacked, and in UTF-8.
 *
 * The first bytes say whether gzip, zstd, bzip2 or xz have packed the document, and a mark
 * whether it is UTF-16.  Otherwise its encoding is the manifest's, that of the
 * response's Content-Type, or UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECORD_INPUT_H
#define SPICE_RECORD_INPUT_H

#include "source/scan/record_reader.h"

/* beside the encodings of mb/pg_wchar.h */
#define RECORD_INPUT_UNKNOWN	(-1)
#define RECORD_INPUT_UTF16		(-2)	/* little-endian, unless a mark says otherwise */
#define RECORD_INPUT_UTF16BE	(-3)

typedef struct RecordInput RecordInput;

/* name: as in the manifest, or NULL */
extern int	record_input_encoding(const char *dataset, const char *name);

/* of a Content-Type with a charset */
extern int	record_input_encoding_of_type(const char *type);

/* Does the first document begin with this text? */
extern bool record_input_begins(Spool *spool, const char *text);

/* Are the bytes of the first document read as they are? */
extern bool record_input_is_plain(const RecordFormat *format, Spool *spool);

/* lives in context, and uses the cursor as long */
extern RecordInput *record_input_open(const RecordFormat *format, SpoolCursor *cursor,
									  MemoryContext context);

/* the readers' JsonRead and, for a document that is plain, JsonSeek */
extern int64_t record_input_read(void *arg, char *buffer, size_t size);
extern void record_input_seek(void *arg, int64_t offset);

#endif
