/*-------------------------------------------------------------------------
 *
 * statistics.c
 *		The planner's statistics of a new heap, from rows picked while it was loaded.
 *
 * ANALYZE would read the heap that has just been written to pick rows out of it,
 * and lets nobody else bring rows but a foreign table.  So what it does with them
 * is done here: each type's own function computes the statistics of a column,
 * as ever, and they become rows of pg_statistic.
 *
 * These wait for the swap, which writes those that differ from what is there.  Of a table
 * whose rows are all in the sample few columns have changed, as a rule, and a catalog that
 * got the rows of all of them each time would be most of what the refresh of a small dataset
 * writes: into the log, into the catalog itself, and once more when that is vacuumed.
 *
 * Nearly all of the time goes into sorting the values of one column after the
 * other, which has the same length whatever the heap's.  Where a second process is
 * to be had (a parallel worker), both take the next column in turn.  It sends
 * finished rows of pg_statistic to the process that leads.
 *
 * What ANALYZE minds is minded here, too: the targets and the n_distinct that
 * people have set for columns of the table.  Where a sample has become too large
 * (sample.c), or an index has expressions, ANALYZE reads the heap, by the targets
 * that are the default.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/heap.h"
#include "catalog/indexing.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "port/atomics.h"
#include "storage/shm_mq.h"
#include "utils/array.h"
#include "utils/attoptcache.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog/rights.h"
#include "compat.h"
#include "table/load/analyze.h"
#include "table/load/sample.h"
#include "table/load/statistics.h"

#define BLOCK_COLUMNS	16		/* whose values are taken out of the rows at once */
#define LEAST_ROWS		5000	/* of a sample that is worth a second process */
#define QUEUE_SIZE		((Size) 1024 * 1024)

#define KEY_WORK	1
#define KEY_SAMPLE	2
#define KEY_QUEUE	3

/* what is to be done; in shared memory if a second process takes part */
typedef struct StatisticsWork
{
	Oid			table;
	Oid			heap;
	double		total;			/* rows of the heap */
	int			n_rows;			/* of the sample */
	pg_atomic_uint32 taken;		/* columns that somebody has taken */
} StatisticsWork;

/* one process's part */
typedef struct StatisticsRun
{
	StatisticsWork *work;
	HeapTupleData *rows;		/* of the sample */
	Relation	heap;
	Relation	catalog;		/* pg_statistic */
	int			block;			/* the first of the columns whose values are at hand; -1: none */
	Datum	   *values;			/* by row, BLOCK_COLUMNS of each */
	bool	   *nulls;
	MemoryContext column_context;	/* reset for each */
} StatisticsRun;

/* ------- the statistics of a column ------- */

static void
begin_run(StatisticsRun *run, StatisticsWork *work, const char *sample)
{
	run->work = work;
	run->rows = sample_unpack(sample, work->n_rows);
	run->heap = table_open(work->heap, AccessShareLock);
	run->catalog = table_open(StatisticRelationId, AccessShareLock);
	run->block = -1;
	run->column_context = AllocSetContextCreate(CurrentMemoryContext, "spice statistics column",
												ALLOCSET_DEFAULT_SIZES);
	run->values = palloc_extended(sizeof(Datum) * BLOCK_COLUMNS * (work->n_rows + 1), MCXT_ALLOC_HUGE);
	run->nulls = palloc_extended(sizeof(bool) * BLOCK_COLUMNS * (work->n_rows + 1), MCXT_ALLOC_HUGE);
}

static void
end_run(StatisticsRun *run)
{
	MemoryContextDelete(run->column_context);
	pfree(run->rows);
	pfree(run->values);
	pfree(run->nulls);
	table_close(run->catalog, AccessShareLock);
	table_close(run->heap, AccessShareLock);
}

/*
 * Takes the values of the columns from block on out of the rows.  To have them
 * taken out one by one would walk over each row once for every column.
 */
static void
fill_block(StatisticsRun *run, int block)
{
	TupleDesc	desc = RelationGetDescr(run->heap);
	int			n = Min(BLOCK_COLUMNS, desc->natts - block);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	for (int row = 0; row < run->work->n_rows; row++)
	{
		heap_deform_tuple(&run->rows[row], desc, values, nulls);
		memcpy(run->values + (Size) row * BLOCK_COLUMNS, values + block, sizeof(Datum) * n);
		memcpy(run->nulls + (Size) row * BLOCK_COLUMNS, nulls + block, sizeof(bool) * n);
	}
	run->block = block;
	pfree(values);
	pfree(nulls);
}

static Datum
fetch_value(VacAttrStatsP stats, int row, bool *is_null)
{
	Size		i = (Size) row * BLOCK_COLUMNS;

	*is_null = stats->exprnulls[i];
	return stats->exprvals[i];
}

/* what a type's function is told about the column, as ANALYZE tells it; NULL: it has no statistics */
static VacAttrStats *
describe_column(const StatisticsRun *run, Form_pg_attribute attribute, int target)
{
	VacAttrStats *stats = palloc0(sizeof(VacAttrStats));
	HeapTuple	type = SearchSysCacheCopy1(TYPEOID, ObjectIdGetDatum(attribute->atttypid));
	bool		known;

	if (!HeapTupleIsValid(type))
		elog(ERROR, "cache lookup failed for type %u", attribute->atttypid);
	compat_set_statistics_target(stats, attribute, target);
	stats->attrtypid = attribute->atttypid;
	stats->attrtypmod = attribute->atttypmod;
	stats->attrcollid = attribute->attcollation;
	stats->attrtype = (Form_pg_type) GETSTRUCT(type);
	stats->anl_context = run->column_context;
	stats->tupattnum = attribute->attnum;
	for (int i = 0; i < STATISTIC_NUM_SLOTS; i++)
	{
		stats->statypid[i] = stats->attrtypid;
		stats->statyplen[i] = stats->attrtype->typlen;
		stats->statypbyval[i] = stats->attrtype->typbyval;
		stats->statypalign[i] = stats->attrtype->typalign;
	}
	if (OidIsValid(stats->attrtype->typanalyze))
		known = DatumGetBool(OidFunctionCall1(stats->attrtype->typanalyze, PointerGetDatum(stats)));
	else
		known = std_typanalyze(stats);
	return known && stats->compute_stats != NULL && stats->minrows > 0 ? stats : NULL;
}

/* the kinds of statistics that a column has: each an operator, numbers, values */
static void
form_slots(const VacAttrStats *stats, Datum *values, bool *nulls)
{
	for (int i = 0; i < STATISTIC_NUM_SLOTS; i++)
	{
		int			n = stats->numnumbers[i];
		Datum	   *numbers = palloc(sizeof(Datum) * (n + 1));

		values[Anum_pg_statistic_stakind1 - 1 + i] = Int16GetDatum(stats->stakind[i]);
		values[Anum_pg_statistic_staop1 - 1 + i] = ObjectIdGetDatum(stats->staop[i]);
		values[Anum_pg_statistic_stacoll1 - 1 + i] = ObjectIdGetDatum(stats->stacoll[i]);
		for (int number = 0; number < n; number++)
			numbers[number] = Float4GetDatum(stats->stanumbers[i][number]);
		nulls[Anum_pg_statistic_stanumbers1 - 1 + i] = n == 0;
		if (n > 0)
			values[Anum_pg_statistic_stanumbers1 - 1 + i] =
				PointerGetDatum(construct_array(numbers, n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
		nulls[Anum_pg_statistic_stavalues1 - 1 + i] = stats->numvalues[i] == 0;
		if (stats->numvalues[i] > 0)
			values[Anum_pg_statistic_stavalues1 - 1 + i] =
				PointerGetDatum(construct_array(stats->stavalues[i], stats->numvalues[i], stats->statypid[i],
												stats->statyplen[i], stats->statypbyval[i], stats->statypalign[i]));
	}
}

static HeapTuple
form_statistics(const StatisticsRun *run, const VacAttrStats *stats)
{
	Datum		values[Natts_pg_statistic] = {0};
	bool		nulls[Natts_pg_statistic] = {0};

	values[Anum_pg_statistic_starelid - 1] = ObjectIdGetDatum(run->work->table);
	values[Anum_pg_statistic_staattnum - 1] = Int16GetDatum(stats->tupattnum);
	values[Anum_pg_statistic_stainherit - 1] = BoolGetDatum(false);
	values[Anum_pg_statistic_stanullfrac - 1] = Float4GetDatum(stats->stanullfrac);
	values[Anum_pg_statistic_stawidth - 1] = Int32GetDatum(stats->stawidth);
	values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum(stats->stadistinct);
	form_slots(stats, values, nulls);
	return heap_form_tuple(RelationGetDescr(run->catalog), values, nulls);
}

/* a row of pg_statistic, or NULL: there is nothing to be said about the column */
static HeapTuple
analyze_column(StatisticsRun *run, Form_pg_attribute attribute)
{
	int			place = (attribute->attnum - 1) % BLOCK_COLUMNS;
	int			block = attribute->attnum - 1 - place;
	int			target = compat_statistics_target(run->work->table, attribute->attnum);
	AttributeOpts *options = get_attribute_options(run->work->table, attribute->attnum);
	VacAttrStats *stats = target == 0 ? NULL : describe_column(run, attribute, target);

	if (stats == NULL)
		return NULL;
	if (run->block != block)
		fill_block(run, block);
	stats->exprvals = run->values + place;
	stats->exprnulls = run->nulls + place;
	stats->compute_stats(stats, fetch_value, run->work->n_rows, run->work->total);
	if (!stats->stats_valid)
		return NULL;
	if (options != NULL && options->n_distinct != 0)
		stats->stadistinct = (float4) options->n_distinct;
	return form_statistics(run, stats);
}

/* takes columns until one has statistics; NULL: none is left */
static HeapTuple
next_statistics(StatisticsRun *run)
{
	TupleDesc	desc = RelationGetDescr(run->heap);
	HeapTuple	result = NULL;

	while (result == NULL)
	{
		uint32		column = pg_atomic_fetch_add_u32(&run->work->taken, 1);
		MemoryContext old;
		HeapTuple	statistics = NULL;

		if (column >= (uint32) desc->natts)
			break;
		CHECK_FOR_INTERRUPTS();
		old = MemoryContextSwitchTo(run->column_context);
		if (!TupleDescAttr(desc, column)->attisdropped)
			statistics = analyze_column(run, TupleDescAttr(desc, column));
		MemoryContextSwitchTo(old);
		if (statistics != NULL)
			result = heap_copytuple(statistics);
		MemoryContextReset(run->column_context);
	}
	return result;
}

/* ------- the process that helps ------- */

PGDLLEXPORT void spice_statistics_main(dsm_segment *segment, shm_toc *toc);

void
spice_statistics_main(dsm_segment *segment, shm_toc *toc)
{
	StatisticsWork *work = shm_toc_lookup(toc, KEY_WORK, false);
	shm_mq	   *queue = shm_toc_lookup(toc, KEY_QUEUE, false);
	shm_mq_handle *handle;
	StatisticsRun run;
	HeapTuple	statistics;

	shm_mq_set_sender(queue, MyProc);
	handle = shm_mq_attach(queue, segment, NULL);
	begin_run(&run, work, shm_toc_lookup(toc, KEY_SAMPLE, false));
	while ((statistics = next_statistics(&run)) != NULL)
	{
		/* nobody receives any more: it does not matter */
		(void) shm_mq_send(handle, statistics->t_len, statistics->t_data, false, true);
		heap_freetuple(statistics);
	}
	end_run(&run);
	shm_mq_detach(handle);
}

/* ------- the process that leads ------- */

static ParallelContext *
start_helper(const StatisticsWork *work, const char *sample, Size size)
{
	ParallelContext *context = CreateParallelContext("spice", "spice_statistics_main", 1);
	StatisticsWork *shared;
	char	   *copy;
	shm_mq	   *queue;

	shm_toc_estimate_chunk(&context->estimator, sizeof(StatisticsWork));
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_chunk(&context->estimator, QUEUE_SIZE);
	shm_toc_estimate_keys(&context->estimator, 3);
	InitializeParallelDSM(context);

	shared = shm_toc_allocate(context->toc, sizeof(StatisticsWork));
	*shared = *work;
	shm_toc_insert(context->toc, KEY_WORK, shared);
	copy = shm_toc_allocate(context->toc, size);
	memcpy(copy, sample, size);
	shm_toc_insert(context->toc, KEY_SAMPLE, copy);
	queue = shm_mq_create(shm_toc_allocate(context->toc, QUEUE_SIZE), QUEUE_SIZE);
	shm_mq_set_receiver(queue, MyProc);
	shm_toc_insert(context->toc, KEY_QUEUE, queue);
	LaunchParallelWorkers(context);
	return context;
}

/* the rows of pg_statistic that the helper sends, until it has no more */
static List *
receive_statistics(ParallelContext *context, shm_mq_handle *queue, List *all)
{
	Size		size;
	void	   *data;

	while (shm_mq_receive(queue, &size, &data, false) == SHM_MQ_SUCCESS)
	{
		HeapTupleData tuple = {.t_len = (uint32) size, .t_data = data};

		all = lappend(all, heap_copytuple(&tuple));
	}
	/* raises the error that it ended with, if it did */
	WaitForParallelWorkersToFinish(context);
	return all;
}

/* rows of pg_statistic */
static List *
compute_alone(StatisticsWork *work, const char *sample)
{
	StatisticsRun run;
	List	   *all = NIL;
	HeapTuple	statistics;

	begin_run(&run, work, sample);
	while ((statistics = next_statistics(&run)) != NULL)
		all = lappend(all, statistics);
	end_run(&run);
	return all;
}

static List *
compute_together(const TableBuild *build, const StatisticsWork *work, const char *sample, Size size,
				 Meanwhile meanwhile, void *arg)
{
	ParallelContext *context;
	shm_mq_handle *queue;
	List	   *all;

	EnterParallelMode();
	context = start_helper(work, sample, size);
	queue = shm_mq_attach(shm_toc_lookup(context->toc, KEY_QUEUE, false), context->seg, NULL);
	meanwhile(build, arg);
	all = compute_alone(shm_toc_lookup(context->toc, KEY_WORK, false), sample);
	if (context->nworkers_launched > 0)
	{
		shm_mq_set_handle(queue, context->worker[0].bgwhandle);
		all = receive_statistics(context, queue, all);
	}
	shm_mq_detach(queue);
	DestroyParallelContext(context);
	ExitParallelMode();
	return all;
}

/* what the functions of somebody's own type do may not be allowed there */
static bool
may_be_helped(const TableBuild *build, int n_rows)
{
	if (max_parallel_workers_per_gather == 0 || n_rows < LEAST_ROWS)
		return false;
	for (int i = 0; i < build->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(build->desc, i);

		if (!attribute->attisdropped && attribute->atttypid >= FirstNormalObjectId)
			return false;
	}
	return true;
}

/* until they are handed over */
static void
keep_statistics(TableBuild *build, List *all)
{
	ListCell   *cell;

	build->statistics = palloc0(sizeof(HeapTuple) * build->desc->natts);
	foreach(cell, all)
	{
		HeapTuple	statistics = lfirst(cell);

		build->statistics[((Form_pg_statistic) GETSTRUCT(statistics))->staattnum - 1] = statistics;
	}
}

static bool
same_statistics(TupleDesc desc, HeapTuple a, HeapTuple b)
{
	Datum		values_a[Natts_pg_statistic];
	Datum		values_b[Natts_pg_statistic];
	bool		nulls_a[Natts_pg_statistic];
	bool		nulls_b[Natts_pg_statistic];

	heap_deform_tuple(a, desc, values_a, nulls_a);
	heap_deform_tuple(b, desc, values_b, nulls_b);
	for (int i = 0; i < Natts_pg_statistic; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (nulls_a[i] != nulls_b[i] ||
			(!nulls_a[i] && !datum_image_eq(values_a[i], values_b[i], attribute->attbyval, attribute->attlen)))
			return false;
	}
	return true;
}

static void
write_statistics(Relation catalog, CatalogIndexState indexes, Oid table, AttrNumber column, HeapTuple statistics)
{
	HeapTuple	old = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table), Int16GetDatum(column),
									  BoolGetDatum(false));

	if (!HeapTupleIsValid(old))
		CatalogTupleInsertWithInfo(catalog, statistics, indexes);
	else
	{
		if (!same_statistics(RelationGetDescr(catalog), old, statistics))
			CatalogTupleUpdateWithInfo(catalog, &old->t_self, statistics, indexes);
		ReleaseSysCache(old);
	}
}

void
build_hand_over_statistics(const TableBuild *build)
{
	Relation	catalog = table_open(StatisticRelationId, RowExclusiveLock);
	CatalogIndexState indexes = CatalogOpenIndexes(catalog);
	Relation	table = table_open(build->table, NoLock);

	for (int i = 0; i < build->desc->natts; i++)
	{
		/* with a column its statistics have gone */
		if (TupleDescAttr(RelationGetDescr(table), i)->attisdropped)
			continue;
		if (build->statistics[i] != NULL)
			write_statistics(catalog, indexes, build->table, i + 1, build->statistics[i]);
		else
			RemoveStatistics(build->table, i + 1);
	}
	table_close(table, NoLock);
	CatalogCloseIndexes(indexes);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
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

/* the most that the statistics of any column want to know */
int
build_statistics_target(const TableBuild *build)
{
	int			most = default_statistics_target;

	for (int i = 0; i < build->table_desc->natts; i++)
		most = Max(most, compat_statistics_target(build->table, i + 1));
	return most;
}

static void
compute_from_sample(TableBuild *build, Meanwhile meanwhile, void *arg)
{
	StatisticsWork work = {.table = build->table, .heap = build->heap, .total = (double) build->rows};
	const char *sample;
	Size		size;
	CatalogRights rights;
	List	   *all;
	Relation	heap;

	sample = sample_pack(build->sample, &size, &work.n_rows);
	pg_atomic_init_u32(&work.taken, 0);
	/* a type may have functions of whoever made it */
	catalog_enter_as_owner(build->dataset, &rights);
	if (may_be_helped(build, work.n_rows))
		all = compute_together(build, &work, sample, size, meanwhile, arg);
	else
	{
		meanwhile(build, arg);
		all = compute_alone(&work, sample);
	}
	catalog_leave(&rights);
	keep_statistics(build, all);
	heap = relation_open(build->heap, AccessShareLock);
	compat_update_relstats(heap, (double) build->rows);
	relation_close(heap, NoLock);
	CommandCounterIncrement();
}

/* here, while nobody waits; the swap hands the result over */
void
build_statistics(TableBuild *build, Meanwhile meanwhile, void *arg)
{
	if (sample_serves(build->sample) && !any_expression_index(build))
		compute_from_sample(build, meanwhile, arg);
	else
	{
		meanwhile(build, arg);
		analyze_relation(build->heap);
	}

	/*
	 * to give megabytes back takes milliseconds, in which nobody shall wait for the lock of the
	 * swap
	 */
	sample_free(build->sample);
	build->sample = NULL;
}
