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
 * A row that is picked later takes the place of one picked before, anywhere among them.
 * They are far more than the processor's caches hold, and to write over that one would be
 * to wait for memory.  So each is appended to a log, and places say where in it their
 * rows are: what no place knows any more is dropped when the log is full.  Left are
 * the rows in the order in which they came, and packed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/sampling.h"

#include "table/load/heap_writer.h"
#include "table/load/sample.h"

#define ROWS_PER_TARGET	300		/* as std_typanalyze() has it */
#define MAX_BYTES		((Size) 16 * 1024 * 1024)	/* that rows may have when a full log is
													 * looked through */
#define FIRST_LOG		((Size) 64 * 1024)
#define LAST_LOG		(MAX_BYTES / 2 * 3) /* so that at least a third is free when rows have
											 * been dropped */
#define NO_PLACE		(-1)

/* in the log, before each row, which is padded to the same alignment */
typedef struct LogEntry
{
	uint32		length;
	uint32		place;
} LogEntry;

struct TableSample
{
	MemoryContext context;
	ReservoirStateData state;
	Size	   *places;			/* where in the log the entry is */
	int			wanted;			/* places in all */
	int			n_rows;			/* places that are taken */
	double		seen;
	double		skip;			/* rows until the next one is taken; < 0: to be drawn */
	int			next;			/* place that one gets */
	char	   *log;
	Size		size;
	Size		used;
	bool		failed;			/* it would be too large */
};

TableSample *
sample_begin(MemoryContext parent, int target)
{
	MemoryContext context = AllocSetContextCreate(parent, "spice sample", ALLOCSET_DEFAULT_SIZES);
	TableSample *sample = MemoryContextAllocZero(context, sizeof(TableSample));

	StaticAssertStmt(sizeof(LogEntry) == MAXALIGN(sizeof(LogEntry)), "rows in the log are aligned");
	sample->context = context;
	sample->wanted = ROWS_PER_TARGET * Max(target, 1);
	sample->places = MemoryContextAllocHuge(context, sizeof(Size) * sample->wanted);
	sample->size = FIRST_LOG;
	sample->log = MemoryContextAlloc(context, sample->size);
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

/* the place that the row gets, or none */
static int
choose_place(TableSample *sample)
{
	if (sample->n_rows < sample->wanted)
		return sample->n_rows++;
	if (sample->skip < 0)
	{
		sample->skip = reservoir_get_next_S(&sample->state, sample->seen, sample->wanted);
		sample->next = (int) (sample->wanted * sampler_random_fract(&sample->state.randstate));
	}
	return sample->skip-- > 0 ? NO_PLACE : sample->next;
}

static Size
entry_size(uint32 length)
{
	return sizeof(LogEntry) + MAXALIGN(length);
}

/* moves the rows that still have a place together */
static void
drop_replaced(TableSample *sample)
{
	Size		kept = 0;
	Size		size;

	for (Size at = 0; at < sample->used; at += size)
	{
		LogEntry   *entry = (LogEntry *) (sample->log + at);
		Size	   *place = &sample->places[entry->place];

		size = entry_size(entry->length);
		if (*place != at)
			continue;
		memmove(sample->log + kept, entry, size);
		*place = kept;
		kept += size;
	}
	sample->used = kept;
}

/* false: the sample would be too large */
static bool
make_room(TableSample *sample, Size needed)
{
	Size		size = sample->size;

	if (sample->used + needed <= size)
		return true;
	drop_replaced(sample);
	if (sample->used + needed > MAX_BYTES)
		return false;
	while (size < LAST_LOG && size < (sample->used + needed) / 2 * 3)
		size = Min(size * 2, LAST_LOG);
	if (size > sample->size)
		sample->log = repalloc_huge(sample->log, size);
	sample->size = size;
	return true;
}

static void
append_row(TableSample *sample, HeapTuple tuple, int place)
{
	LogEntry   *entry = (LogEntry *) (sample->log + sample->used);
	HeapTupleHeader row = (HeapTupleHeader) (entry + 1);

	sample->places[place] = sample->used;
	sample->used += entry_size(tuple->t_len);
	entry->length = tuple->t_len;
	entry->place = place;
	memcpy(row, tuple->t_data, tuple->t_len);
	heap_tuple_forget_type(row);
}

void
sample_add(TableSample *sample, HeapTuple tuple)
{
	int			place;

	if (sample->failed)
		return;
	place = choose_place(sample);
	sample->seen++;
	if (place == NO_PLACE)
		return;
	if (make_room(sample, entry_size(tuple->t_len)))
		append_row(sample, tuple, place);
	else
		sample->failed = true;
}

bool
sample_serves(const TableSample *sample)
{
	return sample != NULL && !sample->failed;
}

const char *
sample_pack(TableSample *sample, Size *size, int *n_rows)
{
	drop_replaced(sample);
	*size = sample->used;
	*n_rows = sample->n_rows;
	return sample->log;
}

HeapTupleData *
sample_unpack(const char *packed, int n_rows)
{
	HeapTupleData *rows = palloc_extended(sizeof(HeapTupleData) * (n_rows + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < n_rows; i++)
	{
		const LogEntry *entry = (const LogEntry *) packed;

		rows[i].t_len = entry->length;
		rows[i].t_data = (HeapTupleHeader) (entry + 1);
		packed += entry_size(entry->length);
	}
	return rows;
}
