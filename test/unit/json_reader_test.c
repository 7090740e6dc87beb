/*-------------------------------------------------------------------------
 *
 * json_reader_test.c
 *		Host test of the JSON reader: records, fields, typed values; prints TAP.
 *
 * What is JSON at all is rfc8259_test.c's.
 *
 *-------------------------------------------------------------------------
 */
#include "source/format/json_fields.h"
#include "source/format/json_reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"

#define AUTO(document, expected) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_AUTO, NULL, expected, NULL)
#define AUTO_SAYS(document, expected, message) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_AUTO, NULL, expected, message)
#define DOCUMENT(document, expected) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_DOCUMENT, NULL, expected, NULL)
#define LINES(document, expected) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_LINES, NULL, expected, NULL)
#define AT(pointer, document, expected, message) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_AUTO, pointer, expected, message)

static void
test_documents(void)
{
	AUTO("[]", "end");
	AUTO(" [ ] ", "end");
	AUTO("[{}]", "{} end");
	AUTO("[{},{}]", "{} {} end");
	AUTO("[{\"a\":1,\"b\":\"x\"},{\"a\":null}]", "{a=i:1 b=s:x} {a=n:null} end");
	AUTO("[ { \"a\" : 1.5 , \"b\" : true } , { \"b\" : false } ] \n",
		 "{a=d:1.5 b=t:true} {b=f:false} end");
	AUTO("[{\"a\":{\"x\":[1, 2]},\"b\":[ ]}]", "{a=o:{\"x\":[1, 2]} b=a:[ ]} end");
	AUTO("[{\"a\":\"x\\ny\"}]", "{a=se:x\\ny} end");
	AUTO("{\"a\":1}", "{a=i:1} end");
	AUTO("{\n\"a\":1\n}\n", "{a=i:1} end");
	AUTO("\xEF\xBB\xBF[{\"a\":1}]", "{a=i:1} end");
	DOCUMENT("{\"a\":1} ", "{a=i:1} end");

	AUTO_SAYS("", "syntax record 0 offset 0", "empty document");
	AUTO_SAYS(" \n ", "syntax record 0 offset 3", "empty document");
	AUTO_SAYS("\xEF\xBB\xBF", "syntax record 0 offset 3", "empty document");
	AUTO("\xEF\xBB", "syntax record 0 offset 0");
	AUTO("\xEF\xBB\xBF\xEF\xBB\xBF[]", "syntax record 0 offset 3");
	AUTO_SAYS("\xFF\xFE[\0]\0", "encoding record 0 offset 0", "UTF-16");
	AUTO("\xEF\xBB\xBF\xFE\xFF[]", "syntax record 0 offset 3");
	AUTO_SAYS("<!DOCTYPE html>", "syntax record 0 offset 0", "<!DOCTYPE html> (is this an HTML page?)");
	AUTO_SAYS("Not found", "syntax record 0 offset 0", "expected a value, found: Not found");
	AUTO_SAYS("nothing", "syntax record 0 offset 0", "found: nothing");
	AUTO_SAYS("\"text\"", "shape record 0 offset 0", "found a string");
	AUTO_SAYS(" 12", "shape record 0 offset 1", "found a number");
	AUTO_SAYS("null", "absent record 0 offset 0", "found null");
	AUTO_SAYS("false", "shape record 0 offset 0", "found a boolean");
	AUTO("\"text", "syntax record 0 offset 5");
	AUTO("\0", "syntax record 0 offset 0");
	AUTO("]", "syntax record 0 offset 0");

	AUTO_SAYS("[{\"a\":1},2]", "{a=i:1} shape record 2 offset 9",
			  "every record must be an object, found a number");
	AUTO("[null]", "{value=n:null} end");
	AUTO("[[]]", "{} end");
	AUTO_SAYS("[{},\"a\"]", "{} shape record 2 offset 4", "found a string");
	AUTO("[{},nul]", "{} syntax record 2 offset 4");
	AUTO("[{},]", "{} syntax record 2 offset 4");
	AUTO("[,{}]", "syntax record 1 offset 1");
	AUTO("[{} {}]", "{} syntax record 1 offset 4");
	AUTO("[{}}", "{} syntax record 1 offset 3");
	AUTO("[{\"a\":1}", "{a=i:1} syntax record 1 offset 8");
	AUTO("[{\"a\":1},", "{a=i:1} syntax record 2 offset 9");
	AUTO("[{}] x", "{} syntax record 1 offset 5");
	AUTO("[{}][{}]", "{} syntax record 1 offset 4");
	AUTO("[{}]\n{}", "{} syntax record 1 offset 5");
	AUTO("[{}]\0", "{} syntax record 1 offset 4");
	AUTO("[{}],", "{} syntax record 1 offset 4");
	AUTO_SAYS("[{\"a\":1,\"b\":<b>}]", "syntax record 1 offset 12", "found: <b>}]");
	AUTO_SAYS("[{\"a\":\"x\ny\"}]", "syntax record 1 offset 8", "byte 0x0A");
	AUTO_SAYS("[{\"a\":\"\xE9\"}]", "encoding record 1 offset 7", "byte 0xE9");
	AUTO("[{\"a\":}]", "syntax record 1 offset 6");
	AUTO("[{\"a\":012}]", "syntax record 1 offset 6");
	AUTO("[{\"a\":1}{\"a\":1}]", "{a=i:1} syntax record 1 offset 8");
	DOCUMENT("{\"a\":1}\n{\"a\":2}", "{a=i:1} syntax record 1 offset 8");
	DOCUMENT("", "syntax record 0 offset 0");
}

static void
test_lines(void)
{
	AUTO("{\"a\":1}\n{\"a\":2}\n", "{a=i:1} {a=i:2} end");
	AUTO("{\"a\":1}\r\n\r\n \n{\"a\":2}", "{a=i:1} {a=i:2} end");
	AUTO("{\"a\":1}\n {\"a\":2}", "{a=i:1} {a=i:2} end");
	AUTO("{\"a\":1} {\"a\":2}\n", "{a=i:1} {a=i:2} end");
	AUTO("{\"a\":1}{\"a\":2}{\"a\"", "{a=i:1} {a=i:2} syntax record 3 offset 18");
	AUTO("{\"a\":1}\n{\"a\":2} {}", "{a=i:1} {a=i:2} syntax record 2 offset 16");
	AUTO("{\"a\":1}\n[]", "{a=i:1} syntax record 1 offset 8");
	AUTO("{\n\"a\":1}\n{\"a\":2}", "{a=i:1} {a=i:2} end");
	AUTO("{\"a\":1}\n{\"a\":2}\n[]", "{a=i:1} {a=i:2} shape record 3 offset 16");

	LINES("", "end");
	LINES("\n \r\n", "end");
	LINES("\xEF\xBB\xBF", "end");
	LINES("{}", "{} end");
	LINES("\n{\"a\":1}\n\n{\"a\":2}\n", "{a=i:1} {a=i:2} end");
	LINES("{\"a\":1}{\"a\":2}", "{a=i:1} syntax record 1 offset 7");
	LINES("{\"a\":1},\n{\"a\":2}", "{a=i:1} syntax record 1 offset 7");
	LINES("{\"a\":1}\n{\"a\":\n2}", "{a=i:1} syntax record 2 offset 13");
	LINES("{\"a\":1}\n{\"a\"", "{a=i:1} syntax record 2 offset 12");
	LINES("{\"a\":1\n{\"a\":2}", "syntax record 1 offset 7");
	LINES("[]", "shape record 1 offset 0");
	LINES("1\n", "shape record 1 offset 0");
	LINES("{}\nx", "{} syntax record 2 offset 3");
	expect("{}", 2, JSON_FORMAT_LINES, "/a", "shape record 0 offset 0", "cannot be used");
	expect("{}", 2, JSON_FORMAT_LINES, "", "{} end", NULL);
}

#define MAP(document, expected) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_MAP, NULL, expected, NULL)
#define WHOLE(document, expected) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_WHOLE, NULL, expected, NULL)

#define VALUES(document, expected) \
	expect(document, sizeof(document) - 1, JSON_FORMAT_VALUES, NULL, expected, NULL)

/* The keys of a document, in which only the kinds of their values are known. */
static void
test_columns(void)
{
	VALUES("[1,\"a\",{\"b\":2},[3],null]", "{value=i:1} {value=s:a} {value=o:{\"b\":2}} {value=a:[3]} {value=n:null} end");
	VALUES("[]", "end");
	VALUES("{}", "shape record 0 offset 0");
	VALUES("[1,2", "{value=i:1} syntax record 2 offset 4");
	expect("{\"t\":[1,2],\"u\":\"x\",\"v\":null}", 28, JSON_FORMAT_COLUMNS, NULL,
		   "{key=s:t value=a:} {key=s:u value=s:} {key=s:v value=n:} end", NULL);
	expect("{\"t\":[1,2}", 10, JSON_FORMAT_COLUMNS, NULL, "{key=s:t value=a:} syntax record 1 offset 9", NULL);
	expect("[1]", 3, JSON_FORMAT_COLUMNS, NULL, "shape record 0 offset 0", NULL);
}

static void
test_shapes(void)
{
	AUTO("[[1,\"a\"],[],[2]]", "{column_1=i:1 column_2=s:a} {} {column_1=i:2} end");
	AUTO("[[1,{\"a\":[2]}]]", "{column_1=i:1 column_2=o:{\"a\":[2]}} end");
	AUTO("[[1,]]", "syntax record 1 offset 4");
	AUTO("[[1", "syntax record 1 offset 3");
	AUTO("[\"a\",1,null]", "{value=s:a} {value=i:1} {value=n:null} end");
	AUTO_SAYS("[[1],{}]", "{column_1=i:1} shape record 2 offset 5", "every record must be an array, as the first is");
	AUTO_SAYS("[1,[]]", "{value=i:1} shape record 2 offset 3", "every record must be a plain value, as the first is");
	AUTO(")]}'\n[{\"a\":1}]", "{a=i:1} end");
	AUTO(")]}',\n\n[{\"a\":1}]", "{a=i:1} end");
	AUTO("while(1);[{\"a\":1}]", "{a=i:1} end");
	AUTO("for(;;);{\"a\":1}", "{a=i:1} end");
	AUTO(")]}", "syntax record 0 offset 0");

	MAP("{\"x\":{\"a\":1},\"y\\n\":{\"a\":2}}", "{a=i:1 key=s:x} {a=i:2 key=se:y\\n} end");
	MAP("{\"x\":1,\"y\":[2]}", "{value=i:1 key=s:x} {key=s:y column_1=i:2} end");
	MAP("{}", "end");
	MAP("{\"x\":{\"key\":1}}", "shape record 1 offset 14");
	MAP("{\"x\":{}", "{key=s:x} syntax record 1 offset 7");
	MAP("{\"x\" 1}", "syntax record 1 offset 5");
	MAP("[{}]", "shape record 0 offset 0");
	MAP("null", "absent record 0 offset 0");

	WHOLE("{\"a\":[1]}", "{document=o:{\"a\":[1]}} end");
	WHOLE("[1, 2]", "{document=a:[1, 2]} end");
	WHOLE(" 7 ", "{document=i:7} end");
	WHOLE("{} {}", "{document=o:{}} syntax record 1 offset 3");
}

static void
test_pointers(void)
{
	AT("", "[{\"a\":1}]", "{a=i:1} end", NULL);
	AT("/data", "{\"data\":[{\"a\":1},{\"a\":2}]}", "{a=i:1} {a=i:2} end", NULL);
	AT("/data", "{\"x\":[1,{\"data\":2}],\"data\":[],\"y\":{\"z\":\"}\"}}", "end", NULL);
	AT("/data", "{\"data\":{\"a\":1}}", "{a=i:1} end", NULL);
	AT("/a/b", "{\"a\":{\"b\":[{\"c\":1}],\"d\":2},\"e\":[3]} ", "{c=i:1} end", NULL);
	AT("/1", "[[{\"a\":1}],[{\"a\":2}],[{\"a\":3}]]", "{a=i:2} end", NULL);
	AT("/0/r", "[{\"r\":[{\"a\":1}]},{\"r\":[{\"a\":2}]}]", "{a=i:1} end", NULL);
	AT("/0", "[{\"a\":1},{\"a\":2}]", "{a=i:1} end", NULL);
	AT("/a~1b", "{\"a/b\":[{}]}", "{} end", NULL);
	AT("/m~0n", "{\"m~n\":[{}]}", "{} end", NULL);
	AT("/~01", "{\"~1\":[{}]}", "{} end", NULL);
	AT("/", "{\"\":[{}]}", "{} end", NULL);
	AT("//a", "{\"\":{\"a\":[{}]}}", "{} end", NULL);
	AT("/a", "{\"\\u0061\":[{}]}", "{} end", NULL);
	AT("/\xC3\xA4", "{\"\\u00e4\":[{}]}", "{} end", NULL);
	AT("/a", "{\"b\\n\":1,\"\\ud800\":1,\"a\":[{}]}", "{} end", NULL);

	AT("/data", "{}", "absent record 0 offset 1", "has no key \"data\": it is an empty object");
	AT("/data", "{\"items\":[{}],\"next\":null}", "absent record 0 offset 25",
	   "the document has no key \"data\", only \"items\", \"next\"");
	AT("/a/b", "{\"a\":{\"c\":1}}", "absent record 0 offset 11",
	   "the value at \"/a\" has no key \"b\", only \"c\"");
	AT("/a/b", "{\"a\":\"text\"}", "shape record 0 offset 5",
	   "needs an object or array at \"/a\", found a string");
	AT("/a", "{\"a\":5}", "shape record 0 offset 5", "records must be in an array or object, found a number");
	AT("/a", "5", "shape record 0 offset 0", "found a number");
	AT("/2", "[[],[]]", "shape record 0 offset 6", "has no element 2, only 2 elements");
	AT("/0", "[]", "shape record 0 offset 1", "only 0 elements");
	AT("/-", "[[]]", "shape record 0 offset 1", "\"-\" is no index");
	AT("/00", "[[]]", "shape record 0 offset 1", "is no index");
	AT("/x", "[{}]", "shape record 0 offset 1", "is an array, and \"x\" is no index");
	AT("/99999999999999999999", "[{}]", "shape record 0 offset 1", "is no index");
	AT("data", "{}", "shape record 0 offset 0", "must begin with \"/\"");
	AT("/a~2", "{}", "shape record 0 offset 0", "must be written");
	AT("/a~", "{}", "shape record 0 offset 0", "must be written");

	AT("/a", "{\"a\":[{}],\"a\":[{}]}", "{} shape record 1 offset 14", "twice");
	AT("/a/b", "{\"a\":{\"b\":[]},\"a\":1}", "shape record 0 offset 18", "twice");
	AT("/a/b", "{\"a\":{\"b\":[]},\"b\":1}", "end", NULL);
	AT("/a", "{\"a\":[{}]", "{} syntax record 1 offset 9", NULL);
	AT("/a", "{\"a\":[{}],\"b\":[1,]}", "{} syntax record 1 offset 17", NULL);
	AT("/a", "{\"a\":[{}]]", "{} syntax record 1 offset 9", NULL);
	AT("/a", "{\"a\":[{}],}", "{} syntax record 1 offset 10", NULL);
	AT("/a", "{\"a\":[{}]} x", "{} syntax record 1 offset 11", NULL);
	AT("/a", "{\"a\":{}}\n{\"a\":{}}", "{} syntax record 1 offset 9", NULL);
	AT("/a", "{\"b\":tru,\"a\":[]}", "syntax record 0 offset 5", NULL);
	AT("/a", "{\"a\" []}", "syntax record 0 offset 5", NULL);
	AT("/1", "[{},{},{\"a\" 1}]", "{} syntax record 1 offset 12", NULL);
}

static void
test_keys(void)
{
	AUTO("[{\"a\":1,\"b\":2},{\"b\":3,\"a\":4},{\"a\":5,\"b\":6}]",
		 "{a=i:1 b=i:2} {a=i:4 b=i:3} {a=i:5 b=i:6} end");
	AUTO("[{\"a\":1,\"b\":2,\"c\":3},{\"a\":1,\"c\":2},{\"a\":1,\"b\":2,\"c\":3}]",
		 "{a=i:1 b=i:2 c=i:3} {a=i:1 c=i:2} {a=i:1 b=i:2 c=i:3} end");
	AUTO("[{\"a\":1,\"ab\":2},{\"ab\":1,\"a\":2}]", "{a=i:1 ab=i:2} {a=i:2 ab=i:1} end");
	AUTO("[{\"a\":1,\"a\":\"x\"}]", "{a=s:x} end");
	AUTO("[{\"a\":1},{\"\\u0061\":2}]", "{a=i:1} {a=i:2} end");
	AUTO("[{\"x\\\"y\":1},{\"x\\\"y\":2}]", "{x\"y=i:1} {x\"y=i:2} end");
	AUTO("[{\"x\\\"\":1},{\"x\":2}]", "{x\"=i:1} {x=i:2} end");
	AUTO("[{\"x\\\"\":1},{\"x\"\":2}]", "{x\"=i:1} syntax record 2 offset 15");
	AUTO("[{\"a\\\\n\":1},{\"a\\n\":2}]", "{a\\n=i:1} {a\n=i:2} end");
	AUTO("[{\"\":1},{\"\":2}]", "{=i:1} {=i:2} end");
	AUTO("[{\"eight888\":1,\"sixteen_16161616\":2},{\"eight888\":3,\"sixteen_16161616\":4}]",
		 "{eight888=i:1 sixteen_16161616=i:2} {eight888=i:3 sixteen_16161616=i:4} end");
	AUTO("[{\"eight888\":1},{\"eight889\":2},{\"eight88\":3}]",
		 "{eight888=i:1} {eight889=i:2} {eight88=i:3} end");
	AUTO("[{\"a\":1},{\"a\x01\":1}]", "{a=i:1} syntax record 2 offset 12");
	AUTO("[{\"\\ud800\":1}]", "{} end");
}

static void
test_known_fields(void)
{
	static const char document[] =
	"[{\"b\":1,\"other\":[1],\"a\":2,\"a\":3},{\"c\\u0000d\":1,\"\\ud800\":2},{\"x\":1,\"b\":null}]";

	for (size_t i = 0; i < N_CHUNKS; i++)
	{
		Feed		feed = {document, sizeof(document) - 1, chunks[i], false};
		JsonReader *reader = make_reader(&feed, JSON_FORMAT_AUTO, NULL, false);
		size_t		length;

		check(json_reader_add_field(reader, "a", 1) == 0 &&
			  json_reader_add_field(reader, "b", 1) == 1 &&
			  json_reader_add_field(reader, "c\0d", 3) == 2 &&
			  json_reader_add_field(reader, "b", 1) == -1 && reader->n_fields == 3 &&
			  memcmp(json_reader_field_name(reader, 2, &length), "c\0d", 4) == 0 && length == 3,
			  "fields are added once each");
		check(json_reader_next(reader) == JSON_RECORD && reader->record == 1 &&
			  reader->offset == 1 && reader->n_known == 2 && reader->n_unknown == 1 &&
			  reader->values[0].length == 1 && *reader->values[0].start == '3' &&
			  json_reader_value_offset(reader, &reader->values[0]) == 30 &&
			  reader->values[2].kind == JSON_ABSENT,
			  "an unknown key and a duplicate are counted");
		check(json_reader_next(reader) == JSON_RECORD && reader->record == 2 &&
			  reader->offset == 33 && reader->n_known == 1 && reader->n_unknown == 1 &&
			  reader->values[0].kind == JSON_ABSENT && reader->values[1].kind == JSON_ABSENT &&
			  reader->values[2].kind == JSON_INTEGER,
			  "a name with a NUL is found, a lone surrogate is unknown");
		check(json_reader_next(reader) == JSON_RECORD && reader->n_known == 1 &&
			  reader->values[1].kind == JSON_NULL && json_reader_next(reader) == JSON_END &&
			  reader->unknown_total == 3 && strcmp(reader->unknown_name, "other") == 0,
			  "unknown keys are totalled, the first is named");
		json_reader_free(reader);
	}
}

static void
test_value_offsets(void)
{
	static const char document[] = "[{\"a\":\"text\",\"b\": -5}\n,{\"a\":\"\",\"b\":[7]}]";

	for (size_t i = 0; i < N_CHUNKS; i++)
	{
		Feed		feed = {document, sizeof(document) - 1, chunks[i], false};
		JsonReader *reader = make_reader(&feed, JSON_FORMAT_AUTO, NULL, true);
		bool		good = true;

		for (int record = 0; record < 2; record++)
		{
			good &= json_reader_next(reader) == JSON_RECORD && document[reader->offset] == '{';
			good &= json_reader_value_offset(reader, &reader->values[0]) == (record == 0 ? 6 : 28);
			good &= json_reader_value_offset(reader, &reader->values[1]) == (record == 0 ? 18 : 35);
		}
		check(good && json_reader_next(reader) == JSON_END, "offsets of values, chunks of %zu", chunks[i]);
		json_reader_free(reader);
	}
}

static void
test_unknown_name_is_cut(void)
{
	/* the 63rd byte is in the middle of a character */
	static const char document[] =
	"{\"12345678901234567890123456789012345678901234567890123456789012\xC3\xA4x\":1}";
	Feed		feed = {document, sizeof(document) - 1, 0, false};
	JsonReader *reader = make_reader(&feed, JSON_FORMAT_AUTO, NULL, false);

	check(json_reader_next(reader) == JSON_RECORD && strlen(reader->unknown_name) == 62,
		  "the unknown name is cut at a character");
	json_reader_free(reader);
}

static void
test_max_fields(void)
{
	static const char document[] = "[{\"a\":1,\"b\":1},{\"b\":2,\"a\":1},{\"a\":1,\"c\":1}]";

	for (size_t i = 0; i < N_CHUNKS; i++)
	{
		Feed		feed = {document, sizeof(document) - 1, chunks[i], false};
		JsonReaderOptions options = {JSON_FORMAT_AUTO, NULL, true, 2, feed_read, &feed, NULL};
		JsonReader *reader = json_reader_create(&options);

		check(json_reader_next(reader) == JSON_RECORD && json_reader_next(reader) == JSON_RECORD &&
			  json_reader_next(reader) == JSON_FAILED && reader->error.code == JSON_ERROR_LIMIT &&
			  reader->error.record == 3 && reader->error.offset == 36 && reader->n_fields == 2,
			  "more keys than max_fields, chunks of %zu", chunks[i]);
		json_reader_free(reader);
	}
}

/* more fields than any first capacity, and records that have each other one */
static void
test_many_fields(void)
{
	char	   *document = allocate(200000);
	size_t		used = (size_t) sprintf(document, "[");
	bool		good = true;

	for (int record = 0; record < 20; record++)
	{
		used += (size_t) sprintf(document + used, record == 0 ? "{" : ",{");
		for (int i = record % 3; i < 300; i += 1 + record % 2)
			used += (size_t) sprintf(document + used, "%s\"field number %d\":%d",
									 i == record % 3 ? "" : ",", i, i + record);
		used += (size_t) sprintf(document + used, "}");
	}
	used += (size_t) sprintf(document + used, "]");

	for (size_t c = 0; c < N_CHUNKS; c++)
	{
		Feed		feed = {document, used, chunks[c], false};
		JsonReaderOptions options = {JSON_FORMAT_AUTO, NULL, true, 1600, feed_read, &feed, NULL};
		JsonReader *reader = json_reader_create(&options);

		for (int record = 0; record < 20; record++)
		{
			int			known = 0;

			good &= json_reader_next(reader) == JSON_RECORD && reader->n_fields == 300;
			for (int i = 0; i < 300 && good; i++)
			{
				int64_t		number;

				if (i < record % 3 || (i - record % 3) % (1 + record % 2) != 0)
					good &= reader->values[i].kind == JSON_ABSENT;
				else
				{
					good &= json_value_integer(&reader->values[i], &number) && number == i + record;
					known++;
				}
			}
			good &= reader->n_known == known;
		}
		good &= json_reader_next(reader) == JSON_END;
		json_reader_free(reader);
	}
	free(document);
	check(good, "300 fields, some of them absent");
}

static void
test_read_failure(void)
{
	for (size_t i = 0; i < N_CHUNKS; i++)
	{
		Feed		feed = {"[{\"a\":1},{\"a\"", 13, chunks[i], true};
		JsonReader *reader = make_reader(&feed, JSON_FORMAT_AUTO, NULL, true);
		JsonStatus	status;

		while ((status = json_reader_next(reader)) == JSON_RECORD)
			;
		check(status == JSON_FAILED && reader->error.code == JSON_ERROR_READ,
			  "a failure of reading is no end, chunks of %zu", chunks[i]);
		json_reader_free(reader);
	}
}

/* '[{"a":"xxxx...', without an end, or with it after this many bytes */
typedef struct BigFeed
{
	size_t		sent;
	size_t		string_length;
} BigFeed;

static int64_t
big_read(void *arg, char *buffer, size_t size)
{
	static const char head[] = "[{\"a\":\"";
	static const char tail[] = "\"},{\"a\":1}]";
	BigFeed    *feed = arg;
	size_t		tail_start = sizeof(head) - 1 + feed->string_length;
	size_t		end = tail_start + sizeof(tail) - 1;

	if (size > end - feed->sent)
		size = end - feed->sent;
	for (size_t i = 0; i < size; i++)
	{
		size_t		at = feed->sent + i;

		buffer[i] = at < sizeof(head) - 1 ? head[at] : at < tail_start ? 'x' : tail[at - tail_start];
	}
	feed->sent += size;
	return (int64_t) size;
}

static void
test_big_records(void)
{
	static const size_t lengths[] = {262144 - 20, 262144, 3000000, JSON_MAX_RECORD - 8, JSON_MAX_RECORD};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		BigFeed		feed = {0, lengths[i]};
		JsonReaderOptions options = {JSON_FORMAT_AUTO, NULL, true, 10, big_read, &feed, NULL};
		JsonReader *reader = json_reader_create(&options);
		bool		good;

		if (lengths[i] < JSON_MAX_RECORD)
			good = json_reader_next(reader) == JSON_RECORD && reader->values[0].length == lengths[i] &&
				json_reader_next(reader) == JSON_RECORD && reader->offset == (int64_t) lengths[i] + 10 &&
				json_reader_next(reader) == JSON_END;
		else
			good = json_reader_next(reader) == JSON_FAILED && reader->error.code == JSON_ERROR_LIMIT &&
				reader->error.record == 1 && reader->error.offset == 1;
		check(good, "a record with a string of %zu bytes", lengths[i]);
		json_reader_free(reader);
	}
}

static JsonValue
number_value(const char *text)
{
	JsonValue	value = {JSON_INTEGER, false, strlen(text), text};

	if (strpbrk(text, ".eE") != NULL)
		value.kind = JSON_DECIMAL;
	return value;
}

static void
expect_integer(const char *text, bool fits, int64_t expected)
{
	JsonValue	value = number_value(text);
	int64_t		result = 0;

	check(json_value_integer(&value, &result) == fits && (!fits || result == expected),
		  "integer %s", text);
}

static void
test_integers(void)
{
	JsonValue	text = {JSON_STRING, false, 1, "1"};
	int64_t		result;

	expect_integer("0", true, 0);
	expect_integer("-0", true, 0);
	expect_integer("-1", true, -1);
	expect_integer("999999999999999999", true, INT64_C(999999999999999999));
	expect_integer("9223372036854775807", true, INT64_MAX);
	expect_integer("-9223372036854775808", true, INT64_MIN);
	expect_integer("9223372036854775808", false, 0);
	expect_integer("-9223372036854775809", false, 0);
	expect_integer("9999999999999999999", false, 0);
	expect_integer("10000000000000000000", false, 0);
	expect_integer("-10000000000000000000", false, 0);
	expect_integer("18446744073709551617", false, 0);
	expect_integer("100000000000000000000000000000000000000000", false, 0);
	expect_integer("1.0", false, 0);
	expect_integer("1e3", false, 0);
	check(!json_value_integer(&text, &result), "a string is no integer");
}

static void
expect_whole(const char *text, bool fits, int64_t expected)
{
	JsonValue	value = number_value(text);
	int64_t		result = 0;

	check(json_value_whole(&value, &result) == fits && (!fits || result == expected), "whole number %s", text);
}

/* not by way of a double, which would take the last five for whole numbers */
static void
test_whole_numbers(void)
{
	JsonValue	text = {JSON_STRING, false, 3, "1e3"};
	int64_t		result;

	expect_whole("12", true, 12);
	expect_whole("3.0", true, 3);
	expect_whole("-1e3", true, -1000);
	expect_whole("1500e-2", true, 15);
	expect_whole("-0.0e-99999999999999999999", true, 0);
	expect_whole("9223372036854775807.000000000000", true, INT64_MAX);
	expect_whole("-9.223372036854775808E18", true, INT64_MIN);
	expect_whole("9.223372036854775808E18", false, 0);
	expect_whole("2e19", false, 0);
	expect_whole("1e99999999999999999999", false, 0);
	expect_whole("0.5", false, 0);
	expect_whole("1234567890123456789.5", false, 0);
	expect_whole("1.00000000000000000000001", false, 0);
	expect_whole("9007199254740993.5", false, 0);
	expect_whole("1e-400", false, 0);
	expect_whole("-1.5E-9223372036854775808", false, 0);
	check(!json_value_whole(&text, &result), "a string is no whole number");
}

/* the reference is strtod() of the whole text, which the C library rounds correctly */
static bool
same_double(const char *text)
{
	JsonValue	value = number_value(text);
	double		expected = strtod(text, NULL);
	double		result = 12345;
	bool		fits = json_value_double(&value, &result);

	if (fits != !isinf(expected) || (fits && memcmp(&result, &expected, sizeof(result)) != 0))
	{
		printf("# %.60s: %.17g, not %.17g\n", text, fits ? result : INFINITY, expected);
		return false;
	}
	return true;
}

static uint64_t
random_number(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void
test_doubles(void)
{
	static const char *const numbers[] = {
		"0", "-0", "0.0", "-0.0e5", "0e999999999999999999999", "1", "0.1", "-12.5", "1e22", "1e23", "1e-22",
		"123456789012345678", "9007199254740993", "9007199254740992.5", "9007199254740993e1",
		"90071992547409930000000000000000000000e-22", "1.7976931348623157e308",
		"1.7976931348623158e308", "1.7976931348623159e308", "1e308", "1e309", "-1e309", "1e400", "1e99999999999999999999",
		"4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308",
		"1e-400", "-1e-400", "1e-99999999999999999999", "3.141592653589793", "0.30000000000000004",
		"0.000000000000000000000000000000000000000000000000123", "18446744073709551615",
		"18446744073709551616", "9999999999999999999", "9999999999999999999e27",
		"9999999999999999999e-27", "1e-27", "1e27", "1e28", "1000000000000000000000000000000000000",
		"0.5000000000000000277555756156289135105907917022705078125",
		"0.50000000000000002775557561562891351059079170227050781250000000000000000000000000001",
		"9007199254740992000000000000000000000000000000000000000000001e-45"
	};
	JsonValue	text = {JSON_STRING, false, 1, "1"};
	double		result;
	bool		good = true;
	char		number[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		check(same_double(numbers[i]), "double %s", numbers[i]);
	check(!json_value_double(&text, &result), "a string is no double");

	for (int i = 0; i < 200000; i++)
	{
		uint64_t	bits = random_number();
		double		sample;

		memcpy(&sample, &bits, sizeof(sample));
		if (isfinite(sample))
		{
			sprintf(number, "%.*e", (int) (random_number() % 20), sample);
			good &= same_double(number);
		}
		sprintf(number, "%llu.%0*lluE%d", (unsigned long long) (random_number() >> (random_number() % 64)),
				(int) (1 + random_number() % 5), (unsigned long long) (random_number() >> (random_number() % 64)),
				(int) (random_number() % 80) - 40);
		good &= same_double(number);
		sprintf(number, "%.17g", (double) (random_number() >> 11) / 9007199254740992.0);
		good &= same_double(number);
	}
	check(good, "600,000 random doubles");
}

/* halfway between two doubles, and just above, with the deciding digit far out */
static void
test_long_doubles(void)
{
	static const int zeros[] = {0, 700, 760, 770, 5000, 300000};
	char	   *number = allocate(700000);

	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
	{
		size_t		used = (size_t) sprintf(number, "9007199254740993.");

		memset(number + used, '0', (size_t) zeros[i]);
		strcpy(number + used + zeros[i], "0");
		check(same_double(number), "a halfway number and %d zeros", zeros[i]);
		strcpy(number + used + zeros[i], "1");
		check(same_double(number), "a halfway number, %d zeros and 1", zeros[i]);

		/* the point moves to the front, a digit takes its old place */
		memmove(number + 2, number, used + (size_t) zeros[i] + 2);
		memcpy(number, "0.", 2);
		number[used + 1] = '7';
		check(same_double(number), "a fraction with %d zeros", zeros[i]);

		number[0] = '1';
		memset(number + 1, '0', (size_t) zeros[i]);
		sprintf(number + 1 + zeros[i], "e-%d", zeros[i]);
		check(same_double(number), "1, %d zeros, and an exponent that undoes them", zeros[i]);
		memcpy(number, "0.", 2);
		memset(number + 2, '0', (size_t) zeros[i]);
		sprintf(number + 2 + zeros[i], "123e%d", zeros[i]);
		check(same_double(number), "0., %d zeros, and an exponent that undoes them", zeros[i]);
	}
	free(number);
}

static void
expect_unescaped(const char *text, int64_t length, const char *expected)
{
	JsonValue	value = {JSON_STRING, strchr(text, '\\') != NULL, strlen(text), text};
	char	   *out = allocate(value.length + 1);
	int64_t		result = json_value_unescape(&value, out);

	check(result == length && (length < 0 || memcmp(out, expected, (size_t) length) == 0),
		  "unescape %s", text);
	free(out);
}

static void
test_unescape(void)
{
	expect_unescaped("", 0, "");
	expect_unescaped("plain \xC3\xA4", 8, "plain \xC3\xA4");
	expect_unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t", 8, "\"\\/\b\f\n\r\t");
	expect_unescaped("a\\u0041b", 3, "aAb");
	expect_unescaped("\\u00e9\\u00E9", 4, "\xC3\xA9\xC3\xA9");
	expect_unescaped("\\u007f\\u0080\\u07ff\\u0800\\uffff", 11,
					 "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
	expect_unescaped("\\uD83D\\uDE00!", 5, "\xF0\x9F\x98\x80!");
	expect_unescaped("\\ud800\\udc00\\udbff\\udfff", 8, "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
	expect_unescaped("a\\u0000", -1, NULL);
	expect_unescaped("\\ud800", -2, NULL);
	expect_unescaped("\\udc00", -2, NULL);
	expect_unescaped("\\ud800x", -2, NULL);
	expect_unescaped("\\ud800\\n12345", -2, NULL);
	expect_unescaped("\\ud800\\u0041", -2, NULL);
	expect_unescaped("\\ud800\\ud800\\udc00", -2, NULL);
	expect_unescaped("\\udc00\\ud800", -2, NULL);
	expect_unescaped("\\udc00\\udc00", -2, NULL);
}

/* a source must not be able to choose names that share a hash */
static void
test_hash_seed(void)
{
	JsonFields	one;
	JsonFields	other;

	check(json_fields_init(&one) && json_fields_init(&other) &&
		  json_fields_add(&one, "name", 4) == 0 && json_fields_add(&other, "name", 4) == 0 &&
		  one.field[0].hash != other.field[0].hash, "two readers hash a name differently");
	json_fields_free(&one);
	json_fields_free(&other);
}

int
main(void)
{
	test_hash_seed();
	test_documents();
	test_lines();
	test_shapes();
	test_columns();
	test_pointers();
	test_keys();
	test_known_fields();
	test_value_offsets();
	test_unknown_name_is_cut();
	test_max_fields();
	test_many_fields();
	test_read_failure();
	test_big_records();
	test_integers();
	test_whole_numbers();
	test_doubles();
	test_long_doubles();
	test_unescape();
	printf("1..%d\n", n_tests);
	return n_failed > 0;
}
