/*-------------------------------------------------------------------------
 *
 * vector_batch.h
 *		Some rows of the table, column by column, and which of them are selected.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_VECTOR_BATCH_H
#define SPICE_VECTOR_BATCH_H

#include "access/attnum.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

#include "vector/vector_value.h"

/* room for a vector's values, whatever their kind, and nulls */
typedef struct VectorRoom
{
	union
	{
		int64		integers[VECTOR_ROWS];
		double		floats[VECTOR_ROWS];
		ByteView	bytes[VECTOR_ROWS];
		uint16		codes[VECTOR_ROWS];
	};
	bool		nulls[VECTOR_ROWS];
} VectorRoom;

/* of what vector_batch_select() gets */
#define VECTOR_SELECTION_ROOM (VECTOR_ROWS + 8)

/* the rows that the conditions have left; numbers are ascending */
typedef struct VectorSelection
{
	const uint16 *rows;			/* NULL: all */
	int			count;
	uint64		serial;			/* of this batch and this selection */
} VectorSelection;

/*
 * A column of the batch.  Rows of the heap are Datums; rows of a column index are a
 * vector that is read when it is asked for.
 */
typedef struct BatchColumn
{
	AttrNumber	attribute;
	ValueType	type;
	Datum	   *datums;
	bool	   *datum_nulls;
	bool		has_datum_null;
	Vector		whole;
	bool		is_read;
	int			number;			/* in the column index */
	VectorDictionary dictionary;	/* of the row group */
	VectorRoom *whole_room;
	Vector		selected;
	uint64		serial;			/* of the selection that the vector is of */
	VectorRoom *room;
} BatchColumn;

typedef struct VectorBatch
{
	int			rows;
	int			most_rows;		/* VECTOR_ROWS; more when no vector is ever asked for */
	bool		from_heap;
	VectorSelection selection;
	uint64		last_serial;
	uint16		room[VECTOR_SELECTION_ROOM];	/* of the selection that conditions leave */
	MemoryContext context;		/* of values; reset by the next batch */
	int			columns;
	BatchColumn *column;
	void		(*read_column) (void *reader, struct VectorBatch *batch, BatchColumn *column);
	void	   *reader;
} VectorBatch;

extern VectorBatch *vector_batch_make(TupleDesc desc, List *attributes);
extern void vector_batch_start(VectorBatch *batch, int rows, bool from_heap);
extern const Vector *vector_batch_column(VectorBatch *batch, int number);
extern int	vector_batch_find(const VectorBatch *batch, AttrNumber attribute);
extern void vector_batch_select(VectorBatch *batch, const bool *keep, uint16 *room);

#endif
