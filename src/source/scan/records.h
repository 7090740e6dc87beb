/*-------------------------------------------------------------------------
 *
 * records.h
 *		The records of a spool, whatever its format.
 *
 * A reader gives one record after the other, as values by field.  The values
 * are those of JSON, which has every kind there is; another format presents
 * its texts as such, by the type of the column that a field is for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_RECORDS_H
#define SPICE_RECORDS_H

#include "catalog/dataset.h"
#include "source/format/json_reader.h"
#include "source/http/spool.h"

/* how to stay below the limits of the readers */
#define RECORDS_LIMIT_HINT \
	"A record may have 1600 fields, 512 levels and 256 MB. Ask the source for less, and see that what is read are the records."

typedef struct RecordReader RecordReader;

/* one format's ways; what they do stands with the functions below */
typedef struct RecordMethods
{
	bool		(*next) (RecordReader *reader);
	int			(*add_field) (RecordReader *reader, const char *name, Oid type);
	const char *(*field_name) (const RecordReader *reader, int field, size_t *length);
	char	   *(*place) (const RecordReader *reader, const JsonValue *value);

	/* both NULL: two readers cannot share a spool of this format */
	bool		(*skip) (RecordReader *reader, int64 offset);
	bool		(*go) (RecordReader *reader, int64 record, int64 end);
} RecordMethods;

struct RecordReader
{
	const RecordMethods *methods;
	const Dataset *dataset;

	/* the current record */
	const JsonValue *values;	/* by field */
	int			n_fields;
	int64		record;			/* its number, from 1; at the end, how many there were */
	int64		end;			/* the offset behind it, if the spool can be shared */
	bool		foreign;		/* it has fields, but none that was added */

	/* over all records so far: values of fields that were not added */
	int64		unknown_total;
	const char *unknown_name;	/* the first such field, cut to 63 bytes */
	int64		unknown_record; /* and where it was */
};

/*
 * A reader from the cursor, freed with context.  discover: fields are added as
 * they are met.  Errors in the response are raised and say where.
 */
extern RecordReader *records_open(const Dataset *dataset, SpoolCursor *cursor,
								  bool discover, MemoryContext context);

/*
 * Adds a field before the first record; returns its index in values[].  type:
 * what its values shall become, InvalidOid when nobody will look at them.
 */
static inline int
records_add_field(RecordReader *reader, const char *name, Oid type)
{
	return reader->methods->add_field(reader, name, type);
}

/* NUL-terminated, *length its bytes (it may hold a NUL) */
static inline const char *
records_field_name(const RecordReader *reader, int field, size_t *length)
{
	return reader->methods->field_name(reader, field, length);
}

/* false at the end */
static inline bool
records_next(RecordReader *reader)
{
	return reader->methods->next(reader);
}

static inline bool
records_can_be_shared(const RecordReader *reader)
{
	return reader->methods->skip != NULL;
}

/*
 * See json_reader_skip() and json_reader_go(): false when there is no record there,
 * or something is wrong, which records_next() then raises.
 */
static inline bool
records_skip(RecordReader *reader, int64 offset)
{
	return reader->methods->skip(reader, offset);
}

static inline bool
records_go(RecordReader *reader, int64 record, int64 end)
{
	return reader->methods->go(reader, record, end);
}

/* where the current record stands, or a value of it, for errors: palloc'd */
static inline char *
record_place(const RecordReader *reader, const JsonValue *value)
{
	return reader->methods->place(reader, value);
}

/* JsonRead of a SpoolCursor */
extern int64 records_read_spool(void *arg, char *buffer, size_t size);

/* csv.c: for datasets that have a csv_delimiter */
extern RecordReader *csv_open(const Dataset *dataset, SpoolCursor *cursor,
							  bool discover, MemoryContext context);

#endif
