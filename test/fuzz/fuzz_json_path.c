/*-------------------------------------------------------------------------
 *
 * fuzz_json_path.c
 *		libFuzzer harness of JSON pointers.
 *
 * The input's first line is the pointer, the rest the document.  Where the
 * pointer leads is found a second time, in jansson's tree: the records must be
 * those, and a failure must be one there, too.
 *
 *-------------------------------------------------------------------------
 */
/* the two libraries have names in common: jansson's are changed */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "source/format/json_reader.h"

#include <stdlib.h>
#include <string.h>

#include "../feed.h"
#include "check.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* jansson's own macros would now ask for our kinds */
static bool
is_object(const json_t *value)
{
	return value != NULL && json_typeof(value) == JANSSON_OBJECT;
}

static bool
is_array(const json_t *value)
{
	return value != NULL && json_typeof(value) == JANSSON_ARRAY;
}

/* one part of a pointer, unescaped; NULL: it is written wrong */
static char *
part_of(const char *pointer, size_t length)
{
	char	   *part = malloc(length + 1);
	char	   *out = part;

	for (size_t i = 0; i < length; i++)
	{
		if (pointer[i] != '~')
			*out++ = pointer[i];
		else if (i + 1 < length && (pointer[i + 1] == '0' || pointer[i + 1] == '1'))
			*out++ = pointer[++i] == '0' ? '~' : '/';
		else
		{
			free(part);
			return NULL;
		}
	}
	*out = '\0';
	return part;
}

static const json_t *
element(const json_t *array, const char *index)
{
	size_t		digits = strspn(index, "0123456789");

	if (digits == 0 || index[digits] != '\0' || digits > 9 || (index[0] == '0' && digits > 1))
		return NULL;
	return json_array_get(array, (size_t) atoi(index));
}

/* NULL: nothing is there */
static const json_t *
resolve(const json_t *value, const char *pointer)
{
	while (value != NULL && *pointer != '\0')
	{
		size_t		length;
		char	   *part;

		if (*pointer++ != '/')
			return NULL;
		length = strcspn(pointer, "/");
		part = part_of(pointer, length);
		if (part == NULL)
			return NULL;
		value = is_object(value) ? json_object_get(value, part) :
			is_array(value) ? element(value, part) : NULL;
		free(part);
		pointer += length;
	}
	return value;
}

/* an array in place of a record has a name for each of its values, a scalar has one */
static size_t
count_fields(const json_t *record)
{
	if (is_object(record))
		return json_object_size(record);
	return is_array(record) ? json_array_size(record) : 1;
}

/* what the reader gives, in both outcomes */
static void
compare(JsonReader *reader, const json_t *target)
{
	JsonStatus	status;
	size_t		n = 0;

	while ((status = json_reader_next(reader)) == JSON_RECORD)
	{
		const json_t *record = is_array(target) ? json_array_get(target, n) : target;

		if (target != NULL)
			CHECK(record != NULL && (size_t) reader->n_known == count_fields(record));
		n++;
	}
	if (status == JSON_END)
		CHECK(target != NULL && n == (is_array(target) ? json_array_size(target) : 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *newline = memchr(data, '\n', size);
	char	   *pointer;
	Feed		feed;
	JsonReaderOptions options = {JSON_FORMAT_DOCUMENT, NULL, true, 100, feed_read, &feed, NULL};
	JsonReader *reader;
	json_t	   *tree;

	if (newline == NULL)
		return 0;
	pointer = strndup((const char *) data, (size_t) (newline - (const char *) data));
	feed = (Feed) {newline + 1, size - (size_t) (newline + 1 - (const char *) data), 3, false};
	options.pointer = pointer;

	/* a key that comes twice may be pointed at once: jansson is no judge of that */
	tree = json_loadb(feed.bytes, feed.left, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	reader = json_reader_create(&options);
	CHECK(reader != NULL);
	if (tree != NULL)
		compare(reader, resolve(tree, pointer));
	else
	{
		while (json_reader_next(reader) == JSON_RECORD)
			;
	}
	json_reader_free(reader);
	json_decref(tree);
	free(pointer);
	return 0;
}
