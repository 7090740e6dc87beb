/*-------------------------------------------------------------------------
 *
 * s3_list.h
 *		Reads an answer of S3's ListObjectsV2.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_S3_LIST_H
#define SPICE_S3_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define S3_MAX_KEY		1024	/* bytes, as S3 has it */

typedef struct S3Entry
{
	char		key[S3_MAX_KEY + 1];
	char		etag[128];		/* with its quotes */
	int64_t		size;
	int64_t		modified;		/* microseconds since 2000-01-01 00:00 UTC */
} S3Entry;

typedef enum S3ListStatus
{
	S3_LIST_ENTRY,
	S3_LIST_END,				/* the whole answer has been read */
	S3_LIST_FAILED				/* it is no such answer */
} S3ListStatus;

typedef struct S3List S3List;

/* The text, an answer with encoding-type=url, has to live as long.  NULL: out of memory. */
extern S3List *s3_list_create(const char *text, size_t length);
extern void s3_list_free(S3List *list);

extern S3ListStatus s3_list_next(S3List *list, S3Entry *entry);

/* At the end: what to ask for the rest with; NULL: there is no rest. */
extern const char *s3_list_continuation(const S3List *list);

#endif
