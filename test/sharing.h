/*-------------------------------------------------------------------------
 *
 * sharing.h
 *		Two readers that share a JSON document, beside one that reads it alone.
 *
 * For the unit tests and the fuzzer.  One reads, and hands some of the stripes over to
 * the other, which it passes over itself.  Taken in order, what they read must be
 * the same records at the same places, and the same end or the same failure.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TEST_SHARING_H
#define SPICE_TEST_SHARING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/format/json_reader.h"

#include "feed.h"

typedef struct Reading
{
	char	  **records;		/* as text, by number less one; NULL: not read */
	int64_t		n_records;		/* the highest number */
	int64_t		capacity;
	bool		twice;			/* one came again */
	JsonStatus	status;
	JsonError	error;
	int64_t		unknown_total;
} Reading;

static inline void *
sharing_alloc(void *old, size_t size)
{
	void	   *memory = realloc(old, size);

	if (memory == NULL)
		abort();
	return memory;
}

static inline char *
record_text(const JsonReader *reader)
{
	size_t		size = 64;
	size_t		used;
	char	   *text;

	for (int i = 0; i < reader->n_fields; i++)
		size += 64 + (reader->values[i].kind == JSON_ABSENT ? 0 : reader->values[i].length);
	text = sharing_alloc(NULL, size);
	used = (size_t) sprintf(text, "%lld-%lld %d", (long long) reader->offset, (long long) reader->end,
							reader->n_known);
	for (int i = 0; i < reader->n_fields; i++)
	{
		const JsonValue *value = &reader->values[i];

		used += (size_t) sprintf(text + used, ",%d%d", value->kind, value->kind != JSON_ABSENT && value->escaped);
		if (value->kind == JSON_ABSENT)
			continue;
		memcpy(text + used, value->start, value->length);
		used += value->length;
		text[used] = '\0';
	}
	return text;
}

static inline void
keep_record(Reading *reading, const JsonReader *reader)
{
	int64_t		i = reader->record - 1;

	if (i >= reading->capacity)
	{
		int64_t		capacity = i * 2 + 16;

		reading->records = sharing_alloc(reading->records, sizeof(char *) * (size_t) capacity);
		memset(reading->records + reading->capacity, 0, sizeof(char *) * (size_t) (capacity - reading->capacity));
		reading->capacity = capacity;
	}
	reading->twice |= reading->records[i] != NULL;
	free(reading->records[i]);
	reading->records[i] = record_text(reader);
	if (reading->n_records < i + 1)
		reading->n_records = i + 1;
}

static inline void
free_reading(Reading *reading)
{
	for (int64_t i = 0; i < reading->capacity; i++)
		free(reading->records[i]);
	free(reading->records);
}

/* what a reader reads, from the start or wherever it is told to go */
typedef struct SharedFeed
{
	Feed		whole;
	Feed		rest;
} SharedFeed;

static int64_t
shared_read(void *arg, char *buffer, size_t size)
{
	return feed_read(&((SharedFeed *) arg)->rest, buffer, size);
}

static void
shared_seek(void *arg, int64_t offset)
{
	SharedFeed *feed = arg;

	feed->rest = feed->whole;
	feed->rest.bytes += offset;
	feed->rest.left -= (size_t) offset;
}

/* a reader with the fields that another has found; fields NULL: it finds them */
static inline JsonReader *
open_sharer(SharedFeed * feed, JsonRecordFormat format, const char *pointer, const JsonReader *fields)
{
	JsonReaderOptions options = {format, pointer, fields == NULL, 1000, shared_read, feed, shared_seek};
	JsonReader *reader = json_reader_create(&options);

	if (reader == NULL)
		abort();
	for (int i = 0; fields != NULL && i < fields->n_fields; i++)
	{
		size_t		length;
		const char *name = json_reader_field_name(fields, i, &length);

		if (json_reader_add_field(reader, name, length) != i)
			abort();
	}
	return reader;
}

/* up to the first record that ends at this offset or later; JSON_RECORD: it was there */
static inline JsonStatus
read_stripe(Reading *reading, JsonReader *reader, int64_t offset)
{
	JsonStatus	status = JSON_RECORD;

	while (status == JSON_RECORD && reader->end < offset)
	{
		status = json_reader_next(reader);
		if (status == JSON_RECORD)
			keep_record(reading, reader);
	}
	reading->status = status;
	if (status == JSON_FAILED)
		reading->error = reader->error;
	return status;
}

/* one reads and hands over every stripe whose bit of pattern is set */
static inline void
read_shared(Reading *reading, JsonReader *one, JsonReader *other, int64_t stripe_size, unsigned int pattern)
{
	for (int stripe = 0;; stripe++)
	{
		int64_t		offset = one->end + stripe_size;

		/* there is no record before the first one, behind which the other could go on */
		if (stripe == 0 || (pattern >> (stripe % 8) & 1) == 0)
		{
			if (read_stripe(reading, one, offset) != JSON_RECORD)
				break;
			continue;
		}
		if (json_reader_go(other, one->record, one->end))
		{
			if (read_stripe(reading, other, offset) == JSON_FAILED)
				break;
		}
		else if (other->error.code != JSON_ERROR_NONE)
		{
			reading->status = JSON_FAILED;
			reading->error = other->error;
			break;
		}
		if (!json_reader_skip(one, offset))
		{
			(void) read_stripe(reading, one, INT64_MAX);
			break;
		}
	}
	reading->unknown_total = one->unknown_total + other->unknown_total;
}

static inline const char *
compare_readings(const Reading *alone, const Reading *shared)
{
	if (alone->status != shared->status)
		return alone->status == JSON_END ? "a document that is well formed fails" : "a failure is passed over";
	if (alone->status == JSON_FAILED &&
		(alone->error.code != shared->error.code || alone->error.record != shared->error.record ||
		 alone->error.offset != shared->error.offset || strcmp(alone->error.message, shared->error.message) != 0))
		return "another failure";
	if (shared->twice)
		return "a record comes twice";
	if (alone->n_records != shared->n_records || alone->unknown_total != shared->unknown_total)
		return "another number of records or unknown values";
	for (int64_t i = 0; i < alone->n_records; i++)
	{
		if (shared->records[i] == NULL || strcmp(alone->records[i], shared->records[i]) != 0)
			return "another record";
	}
	return NULL;
}

/* what is wrong, or NULL */
static inline const char *
sharing_differs(const char *document, size_t length, size_t chunk, JsonRecordFormat format,
				const char *pointer, int64_t stripe_size, unsigned int pattern)
{
	Feed		whole = {document, length, chunk, false};
	SharedFeed	feeds[4] = {{whole, whole}, {whole, whole}, {whole, whole}, {whole, whole}};
	JsonReader *readers[4];
	Reading		alone = {0};
	Reading		shared = {0};
	const char *difference;

	/* the first finds the fields */
	readers[0] = open_sharer(&feeds[0], format, pointer, NULL);
	while (json_reader_next(readers[0]) == JSON_RECORD)
		;
	for (int i = 1; i < 4; i++)
		readers[i] = open_sharer(&feeds[i], format, pointer, readers[0]);
	(void) read_stripe(&alone, readers[1], INT64_MAX);
	alone.unknown_total = readers[1]->unknown_total;
	if (json_reader_has_objects(readers[2]))
		read_shared(&shared, readers[2], readers[3], stripe_size, pattern);
	else
	{
		/* nothing is shared */
		(void) read_stripe(&shared, readers[2], INT64_MAX);
		shared.unknown_total = readers[2]->unknown_total;
	}
	difference = compare_readings(&alone, &shared);
	for (int i = 0; i < 4; i++)
		json_reader_free(readers[i]);
	free_reading(&alone);
	free_reading(&shared);
	return difference;
}

#endif
