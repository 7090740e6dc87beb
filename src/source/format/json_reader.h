/*-------------------------------------------------------------------------
 *
 * json_reader.h
 *		Streams the records of a JSON document, without building a tree.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 * Accepts exactly RFC 8259 (UTF-8; one leading byte order mark is skipped;
 * nesting is limited to JSON_MAX_DEPTH), also behind a guard such as )]}' that keeps
 * browsers from running it.
 *
 * Records are objects.  The elements of an array may as well all be arrays, whose
 * elements are the fields column_1, column_2 and so on, or all be scalars, in field value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_READER_H
#define SPICE_JSON_READER_H

#include "source/format/json_value.h"
#include "source/format/reading.h"

typedef enum JsonRecordFormat
{
	JSON_FORMAT_AUTO,			/* array or object; several objects, one behind the other */
	JSON_FORMAT_DOCUMENT,		/* exactly one JSON value */
	JSON_FORMAT_LINES,			/* one object per line, blank lines skipped */
	JSON_FORMAT_MAP,			/* an object whose values are the records; its keys are field key */
	JSON_FORMAT_WHOLE,			/* any value is the only record, in field document */
	JSON_FORMAT_COLUMNS,		/* an object's keys: of each value, which is passed over, field
								 * value has the kind, and where it begins */
	JSON_FORMAT_VALUES			/* an array whose elements are field value, whatever they are */
} JsonRecordFormat;

typedef struct JsonReaderOptions
{
	JsonRecordFormat format;
	const char *pointer;		/* RFC 6901 path to the records, or NULL */
	bool		discover;		/* add fields as they are met */
	int			max_fields;		/* discover: more is JSON_ERROR_LIMIT */
	JsonRead	read;
	void	   *arg;
	JsonSeek	seek;			/* or NULL */
} JsonReaderOptions;

typedef struct JsonReader
{
	/* the current record; read by the caller after JSON_RECORD */
	JsonValue  *values;			/* one per field */
	int			n_fields;
	int64_t		record;			/* its number, from 1 */
	int64_t		offset;			/* its first byte's offset in the document */
	int64_t		end;			/* the offset behind it; 0: there was none */
	int			n_known;		/* how many of the fields it has */
	int			n_unknown;		/* how many keys it has that are no field */
	int			n_unknown_null; /* for how many of them it has null */

	/* over all records so far */
	int64_t		unknown_total;	/* values, but null, of keys that were no field */
	char		unknown_name[64];	/* the first of them, cut at a character */
	int64_t		unknown_record; /* and where it was */

	JsonError	error;
	struct JsonReaderState *state;	/* private */
} JsonReader;

extern JsonReader *json_reader_create(const JsonReaderOptions *options);	/* NULL: out of memory */
extern void json_reader_free(JsonReader *reader);

/* Before the first record: what a field's NaN and Infinity count as, which else are an error. */
extern void json_reader_count_not_finite(JsonReader *reader, JsonKind kind);

/*
 * Adds a field before the first json_reader_next(); returns its index in
 * values[].  The name is plain UTF-8 (not escaped).  -1 when out of memory or
 * when the reader already has a field of that name.
 */
extern int	json_reader_add_field(JsonReader *reader, const char *name, size_t length);

/* name of a field, NUL-terminated, *length its bytes (it may hold a NUL) */
extern const char *json_reader_field_name(const JsonReader *reader, int field, size_t *length);

extern JsonStatus json_reader_next(JsonReader *reader);

/* Is the current record an object that may be the whole document? */
extern bool json_reader_at_single_object(const JsonReader *reader);

/* Are the records objects that follow one another?  json_reader_next() reports what is wrong. */
extern bool json_reader_has_objects(JsonReader *reader);

/*
 * For two readers of one document, of which one passes over what the other reads.
 *
 * json_reader_skip: up to and over the first record that ends at this offset or
 * later; record and end are that one's then.  False: the records end before, or
 * something is wrong, as json_reader_next() then says.  What is passed over is not
 * checked: the other one's failure in it is the document's.
 *
 * json_reader_go: on behind a record that the other has read, whose number (from 1)
 * and end are given.  Needs a seek.  False: there is no more, or see error.
 */
extern bool json_reader_skip(JsonReader *reader, int64_t offset);
extern bool json_reader_go(JsonReader *reader, int64_t record, int64_t end);

/* offset in the document of a value of the current record */
extern int64_t json_reader_value_offset(const JsonReader *reader, const JsonValue *value);

#endif
