/*-------------------------------------------------------------------------
 *
 * column_reader.h
 *		What a column index knows of its table's rows.
 *
 * A reader goes from row group to row group.  The caller holds a snapshot that is
 * registered or active from column_reader_open() to column_reader_close(), and
 * reads every block of the table that the reader does not vouch for from the heap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_COLUMN_READER_H
#define SPICE_COLUMN_READER_H

#include "storage/buf.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"

#include "column/column_decode.h"
#include "column/column_format.h"

/*
 * How a reader looks at the visibility map and the marks.  All but the first are for tests:
 * they pause between the looks, and all but the first two break the rule, so that a test of
 * the rule is seen to fail.
 */
typedef enum ColumnLook
{
	COLUMN_LOOK,
	COLUMN_LOOK_SLOWLY,
	COLUMN_LOOK_MARKS_FIRST,
	COLUMN_LOOK_MAP_ONLY,
	COLUMN_LOOK_MARKS_ONLY
} ColumnLook;

extern int	column_look;

typedef struct ColumnReader ColumnReader;

/* a row group; valid until the next one */
typedef struct ColumnGroup
{
	uint32		number;
	BlockNumber first_block;
	int			blocks;			/* that columns were made from */
	int			rows;
	const uint32 *first_row;	/* of each block, and the number of rows behind the last one */
	const bool *vouched;		/* of each block: its rows are those of the columns, for any
								 * snapshot */
	bool		all_vouched;
} ColumnGroup;

extern ColumnReader *column_reader_open(Relation table, Relation index, BufferAccessStrategy strategy);
extern void column_reader_close(ColumnReader *reader);

/* the column's number in the index, from 0 on; -1: the index does not have it */
extern int	column_reader_find(const ColumnReader *reader, AttrNumber attribute);

/* groups with the numbers 0 .. this - 1 may be covered */
extern uint32 column_reader_groups(ColumnReader *reader);

/* NULL: no block of this group is covered */
extern const ColumnGroup *column_reader_group(ColumnReader *reader, uint32 number);

/*
 * All below are about the current group, and columns by column_reader_find().
 * Values of rows that are null are any.
 */
extern const ColumnChunk *column_reader_chunk(const ColumnReader *reader, int column);
extern bool column_reader_nulls(ColumnReader *reader, int number, int row, int count, bool *nulls);
extern void column_reader_integers(ColumnReader *reader, int number, int row, int count, int64 *values);
extern void column_reader_floats(ColumnReader *reader, int number, int row, int count, double *values);
extern void column_reader_codes(ColumnReader *reader, int number, int row, int count, uint16 *codes);

/* chunk->entries values, valid until the next group */
extern const ColumnBytes *column_reader_dictionary(ColumnReader *reader, int number);

/* the bytes are copied to the current memory context */
extern void column_reader_bytes(ColumnReader *reader, int number, int row, int count, ColumnBytes *values);

/* where an index entry of the row would point to */
extern void column_reader_tid(ColumnReader *reader, int row, ItemPointer tid);

#endif
