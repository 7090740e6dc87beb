/*-------------------------------------------------------------------------
 *
 * csv_reader_test.c
 *		Host test of the CSV reader; prints TAP.
 *
 * Every document is fed in several chunk sizes, because what goes wrong in a
 * reader with a window goes wrong where the window ends.  The outcome is
 * written as one line of text, for instance
 *
 *		1[a|"b"|] 2[c||] end
 *		1[a] syntax line 2 offset 4
 *
 * with the line of each record, quotes around what was quoted, and must be
 * the expected one at every chunking.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/csv_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../feed.h"
#include "tap.h"

typedef struct Dialect
{
	char		delimiter;
	char		quote;
	char		escape;
} Dialect;

static const Dialect csv = {',', '"', '"'};
static const Dialect tsv = {'\t', '"', '"'};
static const Dialect backslash = {';', '\'', '\\'};
static const Dialect unquoted = {'|', '\0', '\0'};

static const size_t chunks[] = {1, 2, 3, 7, 0};

static CsvReader *
make_reader(Feed * feed, const Dialect * dialect, int max_fields)
{
	CsvReaderOptions options = {.delimiter = dialect->delimiter, .quote = dialect->quote, .escape = dialect->escape,
	.max_fields = max_fields, .read = feed_read, .arg = feed};
	CsvReader  *reader = csv_reader_create(&options);

	if (reader == NULL)
		abort();
	return reader;
}

static const char *
name_of(JsonErrorCode code)
{
	switch (code)
	{
		case JSON_ERROR_SYNTAX:
			return "syntax";
		case JSON_ERROR_ENCODING:
			return "encoding";
		case JSON_ERROR_LIMIT:
			return "limit";
		case JSON_ERROR_READ:
			return "read";
		default:
			return "another error";
	}
}

/* what comes of a document, as text; to be freed */
static char *
outcome_of(const Dialect * dialect, const char *bytes, size_t size, size_t chunk, bool broken)
{
	Feed		feed = {bytes, size, chunk, broken};
	CsvReader  *reader = make_reader(&feed, dialect, 50);
	JsonStatus	status;
	char	   *text;
	size_t		length;
	FILE	   *out = open_memstream(&text, &length);

	while ((status = csv_reader_next(reader)) == JSON_RECORD)
	{
		fprintf(out, "%lld[", (long long) reader->line);
		for (int i = 0; i < reader->n_fields; i++)
		{
			const CsvField *field = &reader->fields[i];
			const char *quote = field->quoted ? "\"" : "";

			fprintf(out, "%s%s%.*s%s", i > 0 ? "|" : "", quote, (int) field->length, field->start, quote);
		}
		fputs("] ", out);
	}
	if (status == JSON_END)
		fputs("end", out);
	else
		fprintf(out, "%s line %lld offset %lld", name_of(reader->error.code),
				(long long) reader->line, (long long) reader->error.offset);
	fclose(out);
	csv_reader_free(reader);
	return text;
}

static void
expect_bytes(const Dialect * dialect, const char *bytes, size_t size, const char *expected)
{
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
	{
		char	   *text = outcome_of(dialect, bytes, size, chunks[i], false);
		bool		good = strcmp(text, expected) == 0;

		check(good, "%.80s in pieces of %zu", bytes, chunks[i]);
		if (!good)
			printf("# expected: %s\n# got:      %s\n", expected, text);
		free(text);
	}
}

static void
expect(const Dialect * dialect, const char *document, const char *expected)
{
	expect_bytes(dialect, document, strlen(document), expected);
}

static void
test_lines(void)
{
	expect(&csv, "", "end");
	expect(&csv, "a", "1[a] end");
	expect(&csv, "a\n", "1[a] end");
	expect(&csv, "a,b\nc,d\n", "1[a|b] 2[c|d] end");
	expect(&csv, "a,b\r\nc,d\r\n", "1[a|b] 2[c|d] end");
	expect(&csv, "a,b\rc,d\r", "1[a|b] 2[c|d] end");
	expect(&csv, "a\nb\r\nc\rd", "1[a] 2[b] 3[c] 4[d] end");
	expect(&csv, ",", "1[|] end");
	expect(&csv, ",\n,", "1[|] 2[|] end");
	expect(&csv, "\n\na\n\n", "1[] 2[] 3[a] 4[] end");
	expect(&csv, "\r\n\r\n", "1[] 2[] end");
	expect(&csv, "a,b,c\nd\n", "1[a|b|c] 2[d] end");
	expect(&csv, " a , b ", "1[ a | b ] end");
	expect(&csv, "a\tb\001c,d", "1[a\tb\001c|d] end");
	expect(&csv, "a field of more than sixteen bytes,another field of more than sixteen bytes\n",
		   "1[a field of more than sixteen bytes|another field of more than sixteen bytes] end");
}

static void
test_quotes(void)
{
	expect(&csv, "\"a\",\"b\"\n", "1[\"a\"|\"b\"] end");
	expect(&csv, "\"\",", "1[\"\"|] end");
	expect(&csv, "\"\"\"\"", "1[\"\"\"] end");
	expect(&csv, "\"a \"\"b\"\" c\"", "1[\"a \"b\" c\"] end");
	expect(&csv, "\"\"\"\"\"\",\"x\"\"\"", "1[\"\"\"\"|\"x\"\"] end");
	expect(&csv, "\"a,b\",c", "1[\"a,b\"|c] end");
	expect(&csv, "\"a\nb\",c\nd", "1[\"a\nb\"|c] 3[d] end");
	expect(&csv, "\"a\r\nb\rc\n\nd\"\r\ne", "1[\"a\r\nb\rc\n\nd\"] 6[e] end");
	expect(&csv, "5\" pipe,6\" pipe\n", "1[5\" pipe|6\" pipe] end");
	expect(&csv, "a\"\"b", "1[a\"\"b] end");
	expect(&csv, " \"a\"", "1[ \"a\"] end");
	expect(&csv, "\\.\n\"\\.\"", "1[\\.] 2[\"\\.\"] end");
	expect(&csv, "\"a", "syntax line 1 offset 0");
	expect(&csv, "x\ny,\"a\n\n", "1[x] syntax line 2 offset 4");
	expect(&csv, "\"", "syntax line 1 offset 0");
	expect(&csv, "\"a\"\"", "syntax line 1 offset 0");
	expect(&csv, "a\n\"a\"b\n", "1[a] syntax line 2 offset 5");
	expect(&csv, "\"a\" ,b", "syntax line 1 offset 3");
	expect(&csv, "\"say \"hi\" now\"", "syntax line 1 offset 6");
}

static void
test_dialects(void)
{
	expect(&tsv, "a\tb,c\t\"d\te\"\n", "1[a|b,c|\"d\te\"] end");
	expect(&backslash, "a;'b;\\'c\\\\';\"d\"", "1[a|\"b;'c\\\"|\"d\"] end");
	expect(&backslash, "'a\\nb';'\\", "syntax line 1 offset 7");
	expect(&backslash, "'a\\nb'", "1[\"a\\nb\"] end");
	expect(&backslash, "'a''b'", "syntax line 1 offset 3");
	expect(&backslash, "\\';b", "1[\\'|b] end");
	expect(&unquoted, "\"a|b\"|'c'\n|\n", "1[\"a|b\"|'c'] 2[|] end");
}

static void
test_encoding(void)
{
	expect(&csv, "\xEF\xBB\xBFid\n1", "1[id] 2[1] end");
	expect(&csv, "a\xEF\xBB\xBF", "1[a\xEF\xBB\xBF] end");
	expect(&csv, "\xEF\xBB\xBF", "end");
	expect(&csv, "Größe,日本,\"é\"\"𝄞\"", "1[Größe|日本|\"é\"𝄞\"] end");
	expect(&csv, "a,\xFF", "encoding line 1 offset 2");
	expect(&csv, "a\n\"b\xC3\"", "1[a] encoding line 2 offset 4");
	expect(&csv, "\xED\xA0\x80", "encoding line 1 offset 0");
	expect(&csv, "a\xE6\x97", "encoding line 1 offset 1");
	expect_bytes(&csv, "a\0b", 3, "encoding line 1 offset 1");
	expect_bytes(&csv, "\"a\0b\"", 5, "encoding line 1 offset 2");
	expect_bytes(&csv, "a,\0", 3, "encoding line 1 offset 2");
	expect_bytes(&unquoted, "\0|b", 3, "encoding line 1 offset 0");
}

/* a record far larger than the first window, and many fields */
static void
test_large(void)
{
	size_t		size = 3 * 1000 * 1000;
	char	   *document = malloc(size + 1);
	Feed		feed;
	CsvReader  *reader;
	char	   *text;

	if (document == NULL)
		abort();
	memset(document, 'x', size);
	memcpy(document, "a,\"", 3);
	memcpy(document + size - 5, "\"\"\"\nb", 5);
	feed = (Feed) {document, size, 1000, false};
	reader = make_reader(&feed, &csv, 50);
	check(csv_reader_next(reader) == JSON_RECORD && reader->n_fields == 2, "a record of 3 MB");
	check(reader->fields[1].length == size - 3 - 5 + 1 && reader->fields[1].start[size - 8] == '"' &&
		  reader->fields[1].start[size - 9] == 'x', "all of it is there");
	check(csv_reader_next(reader) == JSON_RECORD && reader->line == 2 && reader->fields[0].start[0] == 'b',
		  "the record behind it");
	check(csv_reader_next(reader) == JSON_END && csv_reader_next(reader) == JSON_END, "and the end, twice");
	csv_reader_free(reader);

	memset(document, ',', 49);
	document[49] = '\0';
	text = outcome_of(&csv, document, 49, 0, false);
	check(strstr(text, "] end") != NULL, "50 fields");
	free(text);
	text = outcome_of(&csv, document, 48, 0, true);
	check(strcmp(text, "read line 1 offset 48") == 0, "a source that breaks: %s", text);
	free(text);
	document[49] = ',';
	text = outcome_of(&csv, document, 50, 0, false);
	check(strcmp(text, "limit line 1 offset 50") == 0, "51 fields: %s", text);
	free(text);
	free(document);
}

/* a document read in pieces of each size, as "a,b|c,d" */
static void
check_dialect(const CsvReaderOptions *dialect, const char *document, const char *expected)
{
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
	{
		Feed		feed = {document, strlen(document), chunks[i], false};
		CsvReaderOptions options = *dialect;
		char		text[256] = "";
		CsvReader  *reader;

		options.quote = options.escape = '"';
		options.max_fields = 10;
		options.read = feed_read;
		options.arg = &feed;
		reader = csv_reader_create(&options);
		while (csv_reader_next(reader) == JSON_RECORD)
		{
			for (int field = 0; field < reader->n_fields; field++)
				snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s", field > 0 ? "," : "",
						 (int) reader->fields[field].length, reader->fields[field].start);
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "@%d|", (int) reader->line);
		}
		check(strcmp(text, expected) == 0, "%s in pieces of %d: %s", document, (int) chunks[i], text);
		csv_reader_free(reader);
	}
}

static void
test_everyday_dialects(void)
{
	static const CsvReaderOptions comment = {.delimiter = ',', .comment = '#'};
	static const CsvReaderOptions skip = {.delimiter = ',', .skip_lines = 2};
	static const CsvReaderOptions trim = {.delimiter = ',', .trim = true};
	static const CsvReaderOptions tabs = {.delimiter = '\t', .trim = true};
	static const CsvReaderOptions separator = {.delimiter = ',', .separator_line = true};

	check_dialect(&comment, "# a\r\n#b\nx,y\n#\n1,#2\n", "x,y@3|1,#2@5|");
	check_dialect(&comment, "#only", "");
	check_dialect(&skip, "Report \"of\r\n\xff\nx,y\n", "x,y@3|");
	check_dialect(&skip, "one line", "");
	check_dialect(&trim, "a , \"b, c\" ,\t d\n , x y ,\" z \"\n", "a,b, c,d@1|,x y, z @2|");
	check_dialect(&tabs, " a\t b \n", "a,b@1|");
	check_dialect(&separator, "sep=;\r\na;b\n1,5;2\n", "a,b@2|1,5,2@3|");
	check_dialect(&separator, "sep=;x\n", "sep=;x@1|");
	check_dialect(&separator, "sep=", "sep=@1|");
}

int
main(void)
{
	test_lines();
	test_quotes();
	test_dialects();
	test_everyday_dialects();
	test_encoding();
	test_large();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}
