/*-------------------------------------------------------------------------
 *
 * record_reader.h
 *		Reads the records of a spool one after the other, whatever their format.
 *
 * A reader presents each record as values by field.  The values are those of
 * JSON, which has every kind that there is; another format presents its texts
 * by the type of the column that a field is for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECORD_READER_H
#define SPICE_RECORD_READER_H

#include "nodes/pg_list.h"

#include "source/format/json_reader.h"
#include "source/http/spool.h"

/* how to stay below the limits of the readers */
#define RECORDS_LIMIT_HINT \
	"A record may have 1600 fields, 512 levels and 256 MB. Ask the source for less, and see that what is read are the records."

/* what becomes of a value that does not fit its column */
typedef enum InvalidAction
{
	INVALID_ERROR,
	INVALID_NULL,
	INVALID_REPLACE				/* U+FFFD for what is no character; null for other values */
} InvalidAction;

/*
 * What a reader has to know of a dataset.  Another process that gets the definition
 * looks nothing up.
 */
typedef struct RecordFormat
{
	const char *dataset;		/* its name, for errors */
	const char *definition;		/* as the catalog has it: the rest follows from it */
	List	   *columns;		/* of DatasetColumn *: what the manifest says of columns */
	JsonKind	not_finite;		/* what NaN and Infinity in JSON count as; JSON_ABSENT: an error */
	InvalidAction invalid;
	const char *null_values;	/* texts that stand for null, each with a line break; or NULL */
	JsonRecordFormat json;
	const char *pointer;		/* json_pointer, or NULL */
	bool		no_rows;		/* no records where they should be are none */
	bool		parquet;		/* the response is a Parquet file */
	bool		csv;			/* the records are CSV, of which the rest says how */
	bool		header;			/* the first line names the fields */
	char		delimiter;
	char		quote;			/* NUL: there is none */
	char		escape;
	char		comment;		/* begins a comment line; NUL: there are no comments */
	char		decimal;		/* of numbers: point or comma */
	bool		trim;			/* blanks around a field do not count */
	int			skip_lines;		/* before the header */
	bool		detect;			/* what the response says of itself decides */
	int			encoding;		/* see record_input.h */
	const char *compression;	/* file_compression_type; NULL: the first bytes tell */
} RecordFormat;

typedef struct RecordReader RecordReader;

/* one format's ways; what they do stands with the functions below */
typedef struct RecordMethods
{
	bool		(*next) (RecordReader *reader);
	int			(*add_field) (RecordReader *reader, const char *name, Oid type);
	const char *(*field_name) (const RecordReader *reader, int field, size_t *length);
	char	   *(*place) (const RecordReader *reader, const JsonValue *value);
} RecordMethods;

struct RecordReader
{
	const RecordMethods *methods;
	const RecordFormat *format;

	/* the current record */
	const JsonValue *values;	/* by field */
	int			n_fields;
	int64		record;			/* its number, from 1; at the end, how many there were */
	bool		foreign;		/* it has fields, but none that was added */
	int			wrapper;		/* a field of a document's only record that holds records; -1:
								 * none */
	const bool *unnamed;		/* by field, of a reader that discovers: it has no name of its
								 * own; or NULL */

	/* over all records so far: values, but null, of fields that were not added */
	int64		unknown_total;
	const char *unknown_name;	/* the first such field, cut to 63 bytes */
	int64		unknown_record; /* and where it was */
};

/*
 * Adds a field before the first record; returns its index in values[].  type is
 * the type that its values become, InvalidOid if the query does not use them.
 */
static inline int
record_reader_add_field(RecordReader *reader, const char *name, Oid type)
{
	return reader->methods->add_field(reader, name, type);
}

/* NUL-terminated, *length its bytes (it may hold a NUL) */
static inline const char *
record_reader_field_name(const RecordReader *reader, int field, size_t *length)
{
	return reader->methods->field_name(reader, field, length);
}

/* false at the end */
static inline bool
record_reader_next(RecordReader *reader)
{
	return reader->methods->next(reader);
}

/* Is the text one that stands for null? */
static inline bool
record_format_is_null(const RecordFormat *format, const char *text, size_t length)
{
	const char *end;

	for (const char *p = format->null_values; p != NULL && *p != '\0'; p = end + 1)
	{
		end = strchr(p, '\n');
		if ((size_t) (end - p) == length && memcmp(p, text, length) == 0)
			return true;
	}
	return false;
}

/* where the current record stands, or a value of it, for errors: palloc'd */
static inline char *
record_reader_place(const RecordReader *reader, const JsonValue *value)
{
	return reader->methods->place(reader, value);
}

#endif
