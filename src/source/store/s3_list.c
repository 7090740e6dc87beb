/*-------------------------------------------------------------------------
 *
 * s3_list.c
 *		Reads an answer of S3's ListObjectsV2.
 *
 * expat calls back for each element.  It is suspended after each object, so that no more
 * than one is kept, and nothing but expat allocates memory.
 *
 *-------------------------------------------------------------------------
 */
#include "source/store/s3_list.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "source/format/iso8601.h"
#include "percent.h"

#define MAX_TOKEN	4096

struct S3List
{
	XML_Parser	parser;
	const char *text;
	size_t		length;
	bool		begun;
	bool		failed;
	bool		answered;		/* the root element is the answer's */
	int			depth;
	bool		in_contents;
	bool		truncated;
	S3Entry		entry;
	unsigned	seen;			/* of the entry: its elements */
	char		value[MAX_TOKEN];	/* of the current element */
	size_t		value_length;
	char		token[MAX_TOKEN];
};

enum
{
	SEEN_KEY = 1, SEEN_SIZE = 2, SEEN_MODIFIED = 4, SEEN_ETAG = 8
};

static void
fail(S3List *list)
{
	list->failed = true;
	XML_StopParser(list->parser, XML_FALSE);
}

static void XMLCALL
begin_element(void *arg, const char *name, const char **attributes)
{
	S3List	   *list = arg;

	(void) attributes;
	list->depth++;
	list->value_length = 0;
	if (list->depth == 1)
	{
		list->answered = strcmp(name, "ListBucketResult") == 0;
		if (!list->answered)
			fail(list);
	}
	else if (list->depth == 2 && strcmp(name, "Contents") == 0)
	{
		memset(&list->entry, 0, sizeof(list->entry));
		list->seen = 0;
		list->in_contents = true;
	}
}

static void XMLCALL
take_text(void *arg, const char *text, int length)
{
	S3List	   *list = arg;

	if (list->value_length + (size_t) length >= sizeof(list->value))
	{
		fail(list);
		return;
	}
	memcpy(list->value + list->value_length, text, (size_t) length);
	list->value_length += (size_t) length;
}

/* False: it is no escaped key. */
static bool
unescape_key(const char *text, char *key)
{
	size_t		n = 0;

	for (; *text != '\0'; text++)
	{
		char		c = *text == '+' ? ' ' : *text;

		if (c == '%')
		{
			int			byte = percent_decode(text);

			if (byte < 0)
				return false;
			c = (char) byte;
			text += PERCENT_LENGTH - 1;
		}
		if (n == S3_MAX_KEY)
			return false;
		key[n++] = c;
	}
	key[n] = '\0';
	return n > 0;
}

static bool
read_size(const char *text, int64_t *size)
{
	char	   *end;

	errno = 0;
	*size = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *size >= 0;
}

/* an element of an object */
static bool
read_member(S3List *list, const char *name)
{
	S3Entry    *entry = &list->entry;

	if (strcmp(name, "Key") == 0)
	{
		list->seen |= SEEN_KEY;
		return unescape_key(list->value, entry->key);
	}
	if (strcmp(name, "Size") == 0)
	{
		list->seen |= SEEN_SIZE;
		return read_size(list->value, &entry->size);
	}
	if (strcmp(name, "LastModified") == 0)
	{
		list->seen |= SEEN_MODIFIED;
		return iso8601_parse(list->value, list->value_length, &entry->modified) == ISO_TIMESTAMPTZ;
	}
	if (strcmp(name, "ETag") == 0)
	{
		list->seen |= SEEN_ETAG;
		if (list->value_length >= sizeof(entry->etag))
			return false;
		strcpy(entry->etag, list->value);
	}
	return true;
}

static void XMLCALL
end_element(void *arg, const char *name)
{
	S3List	   *list = arg;

	list->value[list->value_length] = '\0';
	if (list->depth == 3 && list->in_contents && !read_member(list, name))
		fail(list);
	if (list->depth == 2 && strcmp(name, "Contents") == 0)
	{
		list->in_contents = false;
		if (list->seen != (SEEN_KEY | SEEN_SIZE | SEEN_MODIFIED | SEEN_ETAG))
			fail(list);
		else
			XML_StopParser(list->parser, XML_TRUE);
	}
	else if (list->depth == 2 && strcmp(name, "IsTruncated") == 0)
		list->truncated = strcmp(list->value, "true") == 0;
	else if (list->depth == 2 && strcmp(name, "NextContinuationToken") == 0)
		memcpy(list->token, list->value, list->value_length + 1);
	list->depth--;
	list->value_length = 0;
}

/* An answer has no document type, which could define entities. */
static void XMLCALL
refuse_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void) name;
	(void) system;
	(void) public;
	(void) internal;
	fail(arg);
}

S3List *
s3_list_create(const char *text, size_t length)
{
	S3List	   *list = calloc(1, sizeof(S3List));

	if (list == NULL)
		return NULL;
	list->parser = XML_ParserCreate(NULL);
	if (list->parser == NULL)
	{
		free(list);
		return NULL;
	}
	list->text = text;
	list->length = length;
	XML_SetUserData(list->parser, list);
	XML_SetElementHandler(list->parser, begin_element, end_element);
	XML_SetCharacterDataHandler(list->parser, take_text);
	XML_SetStartDoctypeDeclHandler(list->parser, refuse_doctype);
	return list;
}

void
s3_list_free(S3List *list)
{
	if (list == NULL)
		return;
	XML_ParserFree(list->parser);
	free(list);
}

S3ListStatus
s3_list_next(S3List *list, S3Entry *entry)
{
	enum XML_Status status;

	if (list->begun)
		status = XML_ResumeParser(list->parser);
	else
		status = XML_Parse(list->parser, list->text, (int) list->length, XML_TRUE);
	list->begun = true;
	if (list->failed || status == XML_STATUS_ERROR || !list->answered)
		return S3_LIST_FAILED;
	if (status == XML_STATUS_SUSPENDED)
	{
		*entry = list->entry;
		return S3_LIST_ENTRY;
	}
	return list->truncated && list->token[0] == '\0' ? S3_LIST_FAILED : S3_LIST_END;
}

const char *
s3_list_continuation(const S3List *list)
{
	return list->truncated ? list->token : NULL;
}
