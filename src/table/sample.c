/*-------------------------------------------------------------------------
 *
 * sample.c
 *		A sample of the rows that were loaded, for the planner's statistics.
 *
 * ANALYZE reads the heap that has just been written, all of it if it has fewer
 * pages than the sample has rows, to pick rows out of it; for a small part of
 * that cost they can be picked on their way in.  They are as many as ANALYZE
 * would take, by the same algorithm, in the same order.
 *
 * Core lets only foreign tables bring a sample of their own.  So the statistics
 * are made for the foreign table, if its columns are the heap's, and handed on
 * (apply.c, source.h).  Where a row is too large, an index has expressions, or the
 * columns differ, ANALYZE reads the heap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/heap.h"
#include "commands/vacuum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

#include "compat.h"
#include "table/table.h"

#define ROWS_PER_TARGET	300		/* as std_typanalyze() has it */
#define MAX_BYTES		(16 * 1024 * 1024)

typedef struct SampleRow
{
	double		number;			/* its place among all rows */
	HeapTuple	tuple;
} SampleRow;

struct TableSample
{
	MemoryContext context;
	ReservoirStateData state;
	SampleRow  *rows;
	int			wanted;
	int			n_rows;
	double		seen;
	double		skip;			/* rows until the next one is taken; < 0: to be drawn */
	Size		bytes;
	bool		failed;			/* it would be too large */
};

TableSample *
sample_begin(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "spice sample", ALLOCSET_DEFAULT_SIZES);
	TableSample *sample = MemoryContextAllocZero(context, sizeof(TableSample));

	sample->context = context;
	sample->wanted = ROWS_PER_TARGET * Max(default_statistics_target, 1);
	sample->rows = MemoryContextAllocHuge(context, sizeof(SampleRow) * sample->wanted);
	sample->skip = -1;
	reservoir_init_selection_state(&sample->state, sample->wanted);
	return sample;
}

void
sample_free(TableSample *sample)
{
	if (sample != NULL)
		MemoryContextDelete(sample->context);
}

/* which place of the reservoir the row gets, -1: none */
static int
choose_place(TableSample *sample)
{
	if (sample->n_rows < sample->wanted)
		return sample->n_rows++;
	if (sample->skip < 0)
		sample->skip = reservoir_get_next_S(&sample->state, sample->seen, sample->wanted);
	if (sample->skip-- > 0)
		return -1;
	return (int) (sample->wanted * sampler_random_fract(&sample->state.randstate));
}

void
sample_add(TableSample *sample, HeapTuple tuple)
{
	MemoryContext old;
	int			before = sample->n_rows;
	int			place;

	if (sample->failed)
		return;
	place = choose_place(sample);
	sample->seen++;
	if (place < 0)
		return;
	if (place < before)
	{
		sample->bytes -= sample->rows[place].tuple->t_len;
		heap_freetuple(sample->rows[place].tuple);
	}
	sample->bytes += tuple->t_len;
	if (tuple->t_len > TOAST_TUPLE_THRESHOLD || sample->bytes > MAX_BYTES)
	{
		sample->failed = true;
		return;
	}
	old = MemoryContextSwitchTo(sample->context);
	sample->rows[place].number = sample->seen;
	sample->rows[place].tuple = heap_copytuple(tuple);
	MemoryContextSwitchTo(old);
}

static int
compare_rows(const void *a, const void *b)
{
	double		first = ((const SampleRow *) a)->number;
	double		second = ((const SampleRow *) b)->number;

	return first < second ? -1 : first > second;
}

HeapTuple *
build_sample_rows(const TableBuild *build, int *n_rows)
{
	TableSample *sample = build->sample;
	HeapTuple  *tuples = MemoryContextAllocHuge(sample->context, sizeof(HeapTuple) * (sample->n_rows + 1));

	qsort(sample->rows, sample->n_rows, sizeof(SampleRow), compare_rows);
	for (int i = 0; i < sample->n_rows; i++)
		tuples[i] = sample->rows[i].tuple;
	*n_rows = sample->n_rows;
	return tuples;
}

static bool
same_columns(TupleDesc a, TupleDesc b)
{
	bool		same = a->natts == b->natts;

	for (int i = 0; i < a->natts && same; i++)
	{
		Form_pg_attribute first = TupleDescAttr(a, i);
		Form_pg_attribute second = TupleDescAttr(b, i);

		same = first->atttypid == second->atttypid && first->atttypmod == second->atttypmod &&
			first->attcollation == second->attcollation &&
			!first->attisdropped && !second->attisdropped;
	}
	return same;
}

static bool
any_expression_index(const TableBuild *build)
{
	ListCell   *cell;
	bool		any = false;

	foreach(cell, build->indexes)
	{
		Relation	index = relation_open(((IndexBuild *) lfirst(cell))->new_index, AccessShareLock);

		any |= RelationGetIndexExpressions(index) != NIL;
		relation_close(index, NoLock);
	}
	return any;
}

bool
build_sample_serves(const TableBuild *build, Oid foreign_table)
{
	Relation	relation;
	bool		same;

	if (build->sample == NULL || build->sample->failed || any_expression_index(build))
		return false;
	relation = relation_open(foreign_table, AccessShareLock);
	same = same_columns(RelationGetDescr(relation), build->desc);
	relation_close(relation, NoLock);
	return same;
}

void
build_take_statistics(const TableBuild *build, Oid foreign_table)
{
	Relation	heap = relation_open(build->heap, AccessShareLock);

	CopyStatistics(foreign_table, build->heap);
	/* of the rows of this refresh, which need not be all of the source's */
	RemoveStatistics(foreign_table, 0);
	compat_update_relstats(heap, (double) build->rows);
	relation_close(heap, NoLock);
	CommandCounterIncrement();
}
