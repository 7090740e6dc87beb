/*-------------------------------------------------------------------------
 *
 * reading.h
 *		What the readers of all formats have in common: input, status and errors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_READING_H
#define SPICE_READING_H

#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH	512
#define JSON_MAX_RECORD	((size_t) 256 * 1024 * 1024)	/* bytes of one record */

typedef enum JsonStatus
{
	JSON_RECORD,				/* values[] hold a record */
	JSON_END,					/* no more records, document is well formed */
	JSON_FAILED					/* see error */
} JsonStatus;

typedef enum JsonErrorCode
{
	JSON_ERROR_NONE,
	JSON_ERROR_SYNTAX,			/* not RFC 8259, or truncated */
	JSON_ERROR_ENCODING,		/* not UTF-8 */
	JSON_ERROR_SHAPE,			/* well formed, but records are not where expected */
	JSON_ERROR_ABSENT,			/* the same: there is null, or nothing at all */
	JSON_ERROR_LIMIT,			/* depth, record size, number of fields */
	JSON_ERROR_READ,			/* the read callback failed */
	JSON_ERROR_MEMORY
} JsonErrorCode;

typedef struct JsonError
{
	JsonErrorCode code;
	int64_t		record;			/* from 1; 0: before the first record */
	int64_t		offset;			/* byte offset from the start of the document */
	char		message[256];	/* lower case, no full stop */
} JsonError;

/* next bytes of the document: how many, 0 at the end, < 0 on failure */
typedef int64_t (*JsonRead) (void *arg, char *buffer, size_t size);

/* from now on JsonRead gives what is at this offset of the document */
typedef void (*JsonSeek) (void *arg, int64_t offset);

#endif
