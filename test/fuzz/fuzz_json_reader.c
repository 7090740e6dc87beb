/*-------------------------------------------------------------------------
 *
 * fuzz_json_reader.c
 *		libFuzzer harness of the JSON reader.
 *
 * The first byte of the input chooses format, pointer and chunking, the rest
 * is the document.  Checked: the outcome is the same at two chunkings; values
 * lie inside of the document, at the offset that is claimed for them; typed
 * access is safe; readers that share the document make the same of it; and jansson,
 * an independent parser, agrees about what is JSON and about the values, as far as it
 * does not have limits of its own (depth, lone surrogates, numbers out of a double's
 * range).
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

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../feed.h"
#include "../sharing.h"
#include "check.h"

static const char *const pointers[] = {NULL, "/a", "/a/b", "/0", "/a/1", "/", "/~0~1", "b"};
static const size_t chunks[] = {1, 2, 5, 16};

static JsonReader *
make_reader(Feed * feed, JsonRecordFormat format, const char *pointer)
{
	JsonReaderOptions options = {format, pointer, true, 50, feed_read, feed, NULL};
	JsonReader *reader = json_reader_create(&options);

	CHECK(reader != NULL);
	return reader;
}

static void
check_value(const JsonReader *reader, const JsonValue *value, const char *document, size_t size)
{
	int64_t		offset = json_reader_value_offset(reader, value) + (value->kind == JSON_STRING);
	char	   *out = malloc(value->length + 1);
	int64_t		number;
	double		real;

	CHECK(offset >= 0 && (size_t) offset + value->length <= size);
	CHECK(memcmp(document + offset, value->start, value->length) == 0);
	if (value->kind == JSON_STRING)
		CHECK(json_value_unescape(value, out) <= (int64_t) value->length);
	if (value->kind == JSON_INTEGER || value->kind == JSON_DECIMAL)
	{
		char	   *copy = strndup(value->start, value->length);
		double		expected = strtod(copy, NULL);

		CHECK(json_value_double(value, &real) == !isinf(expected));
		CHECK(isinf(expected) || memcmp(&real, &expected, sizeof(real)) == 0);
		if (json_value_integer(value, &number))
			CHECK(strtoll(copy, NULL, 10) == number);
		free(copy);
	}
	free(out);
}

/* both readers at a record: the same fields, with the same text */
static void
check_same_record(const JsonReader *one, const JsonReader *other)
{
	CHECK(one->n_fields == other->n_fields);
	CHECK(one->record == other->record && one->offset == other->offset);
	CHECK(one->n_known == other->n_known && one->n_unknown == other->n_unknown);
	for (int i = 0; i < one->n_fields; i++)
	{
		const JsonValue *a = &one->values[i];
		const JsonValue *b = &other->values[i];

		CHECK(a->kind == b->kind && a->escaped == b->escaped && a->length == b->length);
		if (a->kind != JSON_ABSENT)
			CHECK(memcmp(a->start, b->start, a->length) == 0);
	}
}

/* jansson refuses what it cannot represent; then it is no judge */
static bool
jansson_has_own_limit(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_stack_overflow || code == json_error_numeric_overflow ||
		strstr(error->text, "surrogate") != NULL || strstr(error->text, "unicode") != NULL ||
		strstr(error->text, "Unicode") != NULL || strstr(error->text, "real number overflow") != NULL ||
		strstr(error->text, "too big integer") != NULL || strstr(error->text, "too big negative integer") != NULL ||
		strstr(error->text, "\\u0000") != NULL || strstr(error->text, "NUL byte in object key") != NULL;
}

/* whether the reader takes what jansson refuses: NaN, several documents, a guard before one */
static bool
reader_takes_more(const char *document, size_t size, const json_error_t *error)
{
	return memmem(document, size, "NaN", 3) != NULL || memmem(document, size, "Infinity", 8) != NULL ||
		json_error_code(error) == json_error_end_of_input_expected || strchr(")wf", document[0]) != NULL;
}

static void
compare_value(const JsonValue *value, const json_t *expected)
{
	double		real;
	int64_t		integer;

	CHECK((expected == NULL) == (value->kind == JSON_ABSENT));
	switch (value->kind)
	{
		case JSON_ABSENT:
			break;
		case JSON_NULL:
			CHECK(json_typeof(expected) == JANSSON_NULL);
			break;
		case JSON_FALSE:
			CHECK(json_typeof(expected) == JANSSON_FALSE);
			break;
		case JSON_TRUE:
			CHECK(json_typeof(expected) == JANSSON_TRUE);
			break;
		case JSON_INTEGER:
			CHECK(json_value_integer(value, &integer));
			CHECK(json_typeof(expected) == JANSSON_INTEGER && json_integer_value(expected) == integer);
			break;
		case JSON_DECIMAL:
			CHECK(json_value_double(value, &real));
			CHECK(json_typeof(expected) == JSON_REAL && json_real_value(expected) == real);
			break;
		case JSON_STRING:
			{
				char	   *out = malloc(value->length + 1);
				int64_t		length = json_value_unescape(value, out);

				CHECK(json_typeof(expected) == JANSSON_STRING);
				if (length >= 0)
					CHECK((size_t) length == json_string_length(expected) &&
						  memcmp(out, json_string_value(expected), (size_t) length) == 0);
				else
					CHECK(length == -1 && memchr(json_string_value(expected), 0,
												 json_string_length(expected)) != NULL);
				free(out);
				break;
			}
		case JSON_NOT_FINITE:
			/* jansson has refused the document */
			CHECK(false);
			break;
		case JSON_OBJECT:
		case JSON_ARRAY:
			{
				json_t	   *nested = json_loadb(value->start, value->length, JSON_ALLOW_NUL, NULL);

				CHECK(nested != NULL && json_equal(nested, expected));
				json_decref(nested);
				break;
			}
	}
}

static void
compare_record(const JsonReader *reader, const json_t *record)
{
	CHECK(json_typeof(record) == JANSSON_OBJECT);
	CHECK((size_t) reader->n_known == json_object_size(record));
	for (int i = 0; i < reader->n_fields; i++)
	{
		size_t		length;
		const char *name = json_reader_field_name(reader, i, &length);

		compare_value(&reader->values[i], json_object_getn(record, name, length));
	}
}

/* a whole document without a pointer: what jansson makes of it */
static void
check_with_jansson(const char *document, size_t size)
{
	Feed		feed = {document, size, 0, false};
	JsonReader *reader = make_reader(&feed, JSON_FORMAT_DOCUMENT, NULL);
	bool		mark = size >= 3 && memcmp(document, "\xEF\xBB\xBF", 3) == 0;
	json_error_t error;
	json_t	   *tree = json_loadb(document + (mark ? 3 : 0), size - (mark ? 3 : 0),
								  JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	JsonStatus	status;
	size_t		index = 0;

	while ((status = json_reader_next(reader)) == JSON_RECORD)
	{
		const json_t *record = tree == NULL ? NULL :
		json_typeof(tree) == JANSSON_ARRAY ? json_array_get(tree, index) : tree;

		/* an array or a scalar in place of a record has made names */
		if (record != NULL && json_typeof(record) == JANSSON_OBJECT && reader->n_unknown == 0)
			compare_record(reader, record);
		index++;
	}
	if (status == JSON_END)
		CHECK(tree != NULL || jansson_has_own_limit(&error) || reader_takes_more(document, size, &error));
	else if (reader->error.code == JSON_ERROR_SYNTAX || reader->error.code == JSON_ERROR_ENCODING)
	{
		/* jansson overlooks a NUL byte behind a number */
		CHECK(tree == NULL || memchr(document, '\0', size) != NULL);
	}
	json_decref(tree);
	json_reader_free(reader);
}

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *document = (const char *) data + 1;
	Feed		whole;
	Feed		pieces;
	JsonReader *one;
	JsonReader *other;
	JsonRecordFormat format;
	const char *pointer;
	JsonStatus	status;

	if (size == 0)
		return 0;
	size--;
	format = data[0] % 16 == 15 ? JSON_FORMAT_COLUMNS : data[0] % 16 == 14 ? JSON_FORMAT_VALUES :
		(JsonRecordFormat) (data[0] % 4 % 3);
	pointer = pointers[data[0] >> 2 & 7];
	whole = (Feed) {document, size, 0, false};
	pieces = (Feed) {document, size, chunks[data[0] >> 5 & 3], false};
	one = make_reader(&whole, format, pointer);
	other = make_reader(&pieces, format, pointer);
	do
	{
		status = json_reader_next(one);
		CHECK(json_reader_next(other) == status);
		if (status != JSON_RECORD)
			break;
		check_same_record(one, other);
		for (int i = 0; i < one->n_fields; i++)
		{
			if (one->values[i].kind != JSON_ABSENT && format != JSON_FORMAT_COLUMNS)
				check_value(one, &one->values[i], document, size);
		}
	} while (true);

	CHECK(one->error.code == other->error.code);
	CHECK(one->error.record == other->error.record && one->error.offset == other->error.offset);
	CHECK(one->error.offset >= 0 && (size_t) one->error.offset <= size);
	CHECK(strcmp(one->error.message, other->error.message) == 0);
	CHECK((status == JSON_FAILED) == (one->error.code != JSON_ERROR_NONE));
	json_reader_free(one);
	json_reader_free(other);

	check_with_jansson(document, size);
	/* records of these formats are not shared */
	if (format == JSON_FORMAT_COLUMNS || format == JSON_FORMAT_VALUES)
		return 0;
	CHECK(sharing_differs(document, size, pieces.chunk, format, pointer, 1 + size % 61, data[0]) == NULL);
	return 0;
}
