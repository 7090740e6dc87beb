/*-------------------------------------------------------------------------
 *
 * parquet_reader.h
 *		Reads the records of a Parquet file.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 * A field is a child of the schema's root.  A field of scalars has one value a
 * record; a list of scalars has the values of its elements; any other field, of
 * structs, maps, or lists of these, has a text in JSON.  Only the column chunks
 * of the fields that are wanted are read.
 *
 * Memory is bounded by the largest page of each wanted column, not by the file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PARQUET_READER_H
#define SPICE_PARQUET_READER_H

#include "source/format/parquet_column.h"

typedef enum ParquetShape
{
	PARQUET_SCALAR,				/* the value of leaf */
	PARQUET_ELEMENTS,			/* bytes points to length values of leaf */
	PARQUET_DOCUMENT			/* bytes and length are a text in JSON */
} ParquetShape;

typedef struct ParquetField
{
	const ParquetNode *node;
	const ParquetNode *leaf;	/* NULL: a document */
	ParquetShape shape;
	bool		wanted;
	ParquetValue *values;		/* of the batch, by record */
	struct ParquetCursor *cursors;	/* by leaf; private */
} ParquetField;

typedef struct ParquetReader
{
	ParquetFile file;			/* message says what is wrong */
	ParquetField *fields;
	int			n_fields;
	int64_t		record;			/* the current one, from 1 */

	/* set before the first record: whether a row group is passed over; or NULL */
	bool		(*excludes) (void *arg, int group);
	void	   *excludes_arg;

	/* private */
	int			group;			/* the row group that is being read */
	int64_t		group_left;		/* its records that are in no batch yet */
	int			batch_size;
	int			in_batch;		/* records of the batch */
	int			next;			/* in the batch */
	struct ParquetBatchText *texts;
	ByteRange  *expected;		/* of the row group's wanted chunks */
} ParquetReader;

typedef enum ParquetStatus
{
	PARQUET_RECORD,
	PARQUET_END,
	PARQUET_FAILED				/* see file.message; file.read_failed: see what read() said */
} ParquetStatus;

/* NULL: out of memory.  The reader is to be freed even if its footer is damaged. */
extern ParquetReader *parquet_reader_create(ParquetRead read, void *arg, int64_t size);
extern void parquet_reader_free(ParquetReader *reader);

/* reads the footer; the fields are known then, and none is wanted */
extern bool parquet_reader_open(ParquetReader *reader);

/* the next record, from the first one on if that was reset */
extern ParquetStatus parquet_reader_next(ParquetReader *reader);
extern void parquet_reader_reset(ParquetReader *reader);

/* a wanted field of the current record */
static inline const ParquetValue *
parquet_reader_value(const ParquetReader *reader, int field)
{
	return &reader->fields[field].values[reader->next - 1];
}

#endif
