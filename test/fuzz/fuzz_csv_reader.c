/*-------------------------------------------------------------------------
 *
 * fuzz_csv_reader.c
 *		libFuzzer harness of the CSV reader.
 *
 * The first byte of the input chooses dialect and chunking, the rest is the
 * document.  Checked: the outcome is the same at two chunkings, and the same
 * as that of a reader which looks at one byte after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/csv_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../feed.h"
#include "check.h"

#define MAX_FIELDS	20

typedef struct Dialect
{
	char		delimiter;
	char		quote;
	char		escape;
} Dialect;

static const Dialect dialects[] = {{',', '"', '"'}, {'\t', '"', '"'}, {';', '\'', '\\'}, {'|', '\0', '\0'}};
static const size_t chunks[] = {1, 2, 5, 16};

static CsvReader *
make_reader(Feed * feed, const Dialect * dialect)
{
	CsvReaderOptions options = {.delimiter = dialect->delimiter, .quote = dialect->quote, .escape = dialect->escape,
	.max_fields = MAX_FIELDS, .read = feed_read, .arg = feed};
	CsvReader  *reader = csv_reader_create(&options);

	CHECK(reader != NULL);
	return reader;
}

static bool
is_break(const char *p, const char *end)
{
	return p == end || *p == '\n' || *p == '\r';
}

/*
 * Compares a field with what begins at p, byte by byte.  Returns where the
 * field ends.
 */
static const char *
compare_field(const CsvField *field, const char *p, const char *end, const Dialect * dialect)
{
	size_t		length = 0;
	bool		quoted = dialect->quote != '\0' && p < end && *p == dialect->quote;

	CHECK(field->quoted == quoted);
	if (quoted)
		p++;
	for (;; p++)
	{
		CHECK(!quoted || p < end);
		if (quoted ? *p == dialect->quote &&
			!(dialect->escape == dialect->quote && p + 1 < end && p[1] == dialect->quote) :
			is_break(p, end) || *p == dialect->delimiter)
			break;
		if (quoted && *p == dialect->escape && p + 1 < end &&
			(p[1] == dialect->quote || p[1] == dialect->escape))
			p++;
		CHECK(*p != '\0');
		CHECK(length < field->length && field->start[length] == *p);
		length++;
	}
	CHECK(length == field->length);
	return quoted ? p + 1 : p;
}

/* where the next record begins */
static const char *
compare_record(const CsvReader *reader, const char *p, const char *end, const Dialect * dialect)
{
	for (int i = 0; i < reader->n_fields; i++)
	{
		p = compare_field(&reader->fields[i], p, end, dialect);
		if (i < reader->n_fields - 1)
		{
			CHECK(p < end && *p == dialect->delimiter);
			p++;
		}
	}
	CHECK(is_break(p, end));
	if (p < end && *p == '\r' && p + 1 < end && p[1] == '\n')
		p++;
	return p < end ? p + 1 : p;
}

static void
check_same_record(const CsvReader *one, const CsvReader *other)
{
	CHECK(one->n_fields == other->n_fields && one->line == other->line);
	for (int i = 0; i < one->n_fields; i++)
	{
		const CsvField *a = &one->fields[i];
		const CsvField *b = &other->fields[i];

		CHECK(a->quoted == b->quoted && a->length == b->length);
		CHECK(memcmp(a->start, b->start, a->length) == 0);
	}
}

/* line breaks before p, of any kind */
static int64_t
count_lines(const char *document, const char *p)
{
	int64_t		lines = 0;

	for (const char *q = document; q < p; q++)
		lines += *q == '\n' || (*q == '\r' && q[1] != '\n');
	return lines;
}

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *document;
	const char *end;
	const char *p;
	const		Dialect *dialect;
	Feed		whole;
	Feed		pieces;
	CsvReader  *one;
	CsvReader  *other;
	JsonStatus	status;

	if (size == 0)
		return 0;
	/* with a NUL behind it, for count_lines() */
	document = calloc(size, 1);
	CHECK(document != NULL);
	memcpy(document, data + 1, --size);
	end = document + size;
	p = document + (size >= 3 && memcmp(document, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
	dialect = &dialects[data[0] & 3];
	whole = (Feed) {document, size, 0, false};
	pieces = (Feed) {document, size, chunks[data[0] >> 2 & 3], false};
	one = make_reader(&whole, dialect);
	other = make_reader(&pieces, dialect);
	do
	{
		status = csv_reader_next(one);
		CHECK(csv_reader_next(other) == status);
		if (status != JSON_RECORD)
			break;
		CHECK(one->line == count_lines(document, p) + 1);
		check_same_record(one, other);
		p = compare_record(one, p, end, dialect);
	} while (true);

	CHECK(status == JSON_FAILED || p == end);
	CHECK(one->error.code == other->error.code && one->error.offset == other->error.offset);
	CHECK(status == JSON_END || one->line == other->line);
	CHECK(one->error.offset >= 0 && (size_t) one->error.offset <= size);
	CHECK(strcmp(one->error.message, other->error.message) == 0);
	CHECK((status == JSON_FAILED) == (one->error.code != JSON_ERROR_NONE));
	csv_reader_free(one);
	csv_reader_free(other);
	free(document);
	return 0;
}
