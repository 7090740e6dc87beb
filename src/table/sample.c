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
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/memutils.h"
#include "utils/sampling.h"

#include "table/heap_writer.h"
#include "table/table.h"

#define ROWS_PER_TARGET	300		/* as std_typanalyze() has it */
#define MAX_BYTES		(16 * 1024 * 1024)
#define ROOM_STEP		64		/* rows that differ little in length fit into each other's place */

typedef struct SampleRow
{
	double		number;			/* its place among all rows */
	HeapTupleData tuple;		/* in here: the data alone is far away enough */
	Size		room;			/* for the data, which another row's may take over */
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
	SampleRow  *next;			/* whose place that one gets */
	Size		bytes;
	bool		failed;			/* it would be too large */
};

TableSample *
sample_begin(MemoryContext parent, int target)
{
	MemoryContext context = AllocSetContextCreate(parent, "spice sample", ALLOCSET_DEFAULT_SIZES);
	TableSample *sample = MemoryContextAllocZero(context, sizeof(TableSample));

	sample->context = context;
	sample->wanted = ROWS_PER_TARGET * Max(target, 1);
	sample->rows = MemoryContextAllocExtended(context, sizeof(SampleRow) * sample->wanted,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
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

/* the place of the reservoir that the row gets, NULL: none */
static SampleRow *
choose_place(TableSample *sample)
{
	if (sample->n_rows < sample->wanted)
		return &sample->rows[sample->n_rows++];
	if (sample->skip < 0)
	{
		sample->skip = reservoir_get_next_S(&sample->state, sample->seen, sample->wanted);
		sample->next = &sample->rows[(int) (sample->wanted * sampler_random_fract(&sample->state.randstate))];
		/* it is in no cache, and there is time until it is needed */
		__builtin_prefetch(sample->next, 1);
	}
	return sample->skip-- > 0 ? NULL : sample->next;
}

static void
make_room(TableSample *sample, SampleRow *row, Size needed)
{
	if (row->tuple.t_data != NULL)
		pfree(row->tuple.t_data);
	row->room = TYPEALIGN(ROOM_STEP, needed);
	row->tuple.t_data = MemoryContextAlloc(sample->context, row->room);
}

void
sample_add(TableSample *sample, HeapTuple tuple)
{
	SampleRow  *row;

	if (sample->failed)
		return;
	row = choose_place(sample);
	sample->seen++;
	if (row == NULL)
		return;
	sample->bytes -= row->tuple.t_len;
	sample->bytes += tuple->t_len;
	if (sample->bytes > MAX_BYTES)
	{
		sample->failed = true;
		return;
	}
	if (row->room < tuple->t_len)
		make_room(sample, row, tuple->t_len);
	row->number = sample->seen;
	row->tuple.t_len = tuple->t_len;
	memcpy(row->tuple.t_data, tuple->t_data, tuple->t_len);
	heap_tuple_forget_type(row->tuple.t_data);
}

/* what is sorted: little, as it is moved often */
typedef struct PlacedTuple
{
	double		number;
	HeapTuple	tuple;
} PlacedTuple;

static int
compare_places(const void *a, const void *b)
{
	double		first = ((const PlacedTuple *) a)->number;
	double		second = ((const PlacedTuple *) b)->number;

	return first < second ? -1 : first > second;
}

HeapTuple *
sample_rows(TableSample *sample, int *n_rows)
{
	int			n = sample->n_rows;
	HeapTuple  *tuples = MemoryContextAllocHuge(sample->context, sizeof(HeapTuple) * (n + 1));
	PlacedTuple *places = MemoryContextAllocHuge(sample->context, sizeof(PlacedTuple) * (n + 1));

	for (int i = 0; i < n; i++)
		places[i] = (PlacedTuple) {sample->rows[i].number, &sample->rows[i].tuple};
	qsort(places, n, sizeof(PlacedTuple), compare_places);
	for (int i = 0; i < n; i++)
		tuples[i] = places[i].tuple;
	pfree(places);
	*n_rows = n;
	return tuples;
}

bool
sample_serves(const TableSample *sample)
{
	return sample != NULL && !sample->failed;
}
