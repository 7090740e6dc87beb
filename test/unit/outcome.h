/*-------------------------------------------------------------------------
 *
 * outcome.h
 *		What the JSON reader makes of a document, as one line of text.
 *
 * Every document is fed in several chunk sizes, because what goes wrong in a
 * reader with a window goes wrong where the window ends.  The outcome is
 * written as, for instance
 *
 *		{a=i:1 b=s:x} {a=n:null} end
 *		{a=i:1} syntax record 2 offset 10
 *
 * and must be the expected one, and the same message, at every chunking.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TEST_OUTCOME_H
#define SPICE_TEST_OUTCOME_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/format/json_reader.h"

#include "../feed.h"
#include "../sharing.h"
#include "tap.h"

typedef struct Outcome
{
	char		text[4096];
	size_t		used;
	JsonErrorCode code;
	int64_t		offset;
	char		message[256];
} Outcome;

static const size_t chunks[] = {1, 2, 3, 7, 0};

#define N_CHUNKS (sizeof(chunks) / sizeof(chunks[0]))

static inline char *
allocate(size_t size)
{
	char	   *memory = malloc(size);

	if (memory == NULL)
		abort();
	return memory;
}

static inline void
say(Outcome * outcome, const char *format,...)
{
	va_list		args;
	size_t		room = sizeof(outcome->text) - outcome->used;
	int			length;

	va_start(args, format);
	length = vsnprintf(outcome->text + outcome->used, room, format, args);
	va_end(args);
	outcome->used += (size_t) length < room ? (size_t) length : room - 1;
}

static inline void
say_record(Outcome * outcome, const JsonReader *reader)
{
	const char *separator = "";

	say(outcome, "{");
	for (int i = 0; i < reader->n_fields; i++)
	{
		const JsonValue *value = &reader->values[i];
		size_t		length;

		if (value->kind == JSON_ABSENT)
			continue;
		say(outcome, "%s%s=%c%s:%.*s", separator, json_reader_field_name(reader, i, &length),
			"?nftidsoa"[value->kind], value->escaped ? "e" : "",
			(int) value->length, value->start);
		separator = " ";
	}
	say(outcome, "} ");
}

static inline JsonReader *
make_reader(Feed * feed, JsonRecordFormat format, const char *pointer, bool discover)
{
	JsonReaderOptions options = {format, pointer, discover, 100, feed_read, feed, NULL};
	JsonReader *reader = json_reader_create(&options);

	if (reader == NULL)
		abort();
	return reader;
}

static inline void
run(Outcome * outcome, const char *document, size_t length, size_t chunk,
	JsonRecordFormat format, const char *pointer)
{
	static const char *const codes[] = {
		"none", "syntax", "encoding", "shape", "absent", "limit", "read", "memory"
	};

	/* a copy without a byte to spare, so that a sanitizer sees over-reads */
	char	   *copy = allocate(length + 1);
	Feed		feed = {memcpy(copy, document, length), length, chunk, false};
	JsonReader *reader = make_reader(&feed, format, pointer, true);
	JsonStatus	status;

	outcome->used = 0;
	while ((status = json_reader_next(reader)) == JSON_RECORD)
		say_record(outcome, reader);
	outcome->code = reader->error.code;
	outcome->offset = reader->error.offset;
	strcpy(outcome->message, reader->error.message);
	if (status == JSON_END)
		say(outcome, "end");
	else
		say(outcome, "%s record %lld offset %lld", codes[reader->error.code],
			(long long) reader->error.record, (long long) reader->error.offset);

	/* both are final */
	if (json_reader_next(reader) != status)
		say(outcome, " and then something else");
	json_reader_free(reader);
	free(copy);
}

/* two readers that share the document make the same of it */
static inline bool
shares_agree(const char *document, size_t length, JsonRecordFormat format, const char *pointer)
{
	static const int stripes[] = {1, 2, 5, 16, 70};
	const char *difference = NULL;

	for (unsigned int pattern = 1; pattern < 256 && difference == NULL; pattern += 42)
	{
		for (size_t i = 0; i < sizeof(stripes) / sizeof(stripes[0]) && difference == NULL; i++)
		{
			difference = sharing_differs(document, length, i % 2, format, pointer, stripes[i], pattern);
			if (difference != NULL)
				printf("# pattern %u, stripes of %d: %s\n", pattern, stripes[i], difference);
		}
	}
	return difference == NULL;
}

/* message: a part of the error's message, or NULL */
static inline void
expect(const char *document, size_t length, JsonRecordFormat format, const char *pointer,
	   const char *expected, const char *message)
{
	static Outcome outcome;
	static Outcome first;
	bool		good = true;

	for (size_t i = 0; i < N_CHUNKS && good; i++)
	{
		run(&outcome, document, length, chunks[i], format, pointer);
		if (i == 0)
			first = outcome;
		good = strcmp(outcome.text, expected) == 0 &&
			strcmp(outcome.message, first.message) == 0 &&
			(message == NULL || strstr(outcome.message, message) != NULL);
		if (!good)
			printf("# chunks of %zu: %s (%s)\n# expected: %s (%s)\n", chunks[i], outcome.text,
				   outcome.message, expected, message != NULL ? message : first.message);
	}
	good = good && shares_agree(document, length, format, pointer);
	check(good, "%.*s -> %s", (int) strcspn(document, "\r\n"), document, expected);
}

#endif
