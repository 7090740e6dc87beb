/*-------------------------------------------------------------------------
 *
 * analyze.c
 *		The planner's statistics of a table whose storage is replaced.
 *
 * A table keeps its OID when a refresh replaces its storage, and with the OID its
 * rows of pg_statistic.  The swap sets the counts of pg_class and reports the new
 * rows to the cumulative statistics, so that autovacuum decides when to analyze,
 * as for any table.
 *
 * A refresh analyzes the new heap itself, before the swap, where autovacuum
 * would leave queries without usable statistics:
 *
 *	- The table has never been analyzed, or its columns change.
 *	- The number of rows moves by more than autovacuum's threshold.  The
 *	  statistics of ten rows say nothing about a million, and queries would be
 *	  planned by them until autovacuum comes.
 *	- Autovacuum does not serve the table.
 *
 * ANALYZE runs as the heap's owner, who is the table's, and honours the
 * statistics targets and the n_distinct that are set for the table's columns.
 * Extended statistics belong to the table itself; autovacuum renews them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "pgstat.h"
#include "postmaster/autovacuum.h"
#include "utils/syscache.h"

#include "catalog/dataset.h"
#include "catalog/execute.h"
#include "catalog/pinned.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "compat.h"
#include "table/load/analyze.h"

void
analyze_plan(TableBuild *build, Relation table)
{
	const		StdRdOptions *options = (const StdRdOptions *) table->rd_options;
	double		before = table->rd_rel->reltuples;
	double		threshold = autovacuum_anl_thresh;
	double		scale = autovacuum_anl_scale;
	bool		served = AutoVacuumingActive();

	if (options != NULL)
	{
		served = served && options->autovacuum.enabled;
		if (options->autovacuum.analyze_threshold >= 0)
			threshold = options->autovacuum.analyze_threshold;
		if (options->autovacuum.analyze_scale_factor >= 0)
			scale = options->autovacuum.analyze_scale_factor;
	}
	threshold += scale * Max(before, 0);
	build->least_usual = served ? before - threshold : 0;
	build->most_usual = served ? before + threshold : threshold;
	if (before < 0 || !build->same_shape)
		build->least_usual = INFINITY;
}

/* Gives the heap what ALTER TABLE ... ALTER COLUMN ... SET has set for statistics. */
static void
copy_column_options(Oid table, Oid heap)
{
	Relation	attributes = table_open(AttributeRelationId, RowExclusiveLock);
	int			wanted[] = {Anum_pg_attribute_attstattarget, Anum_pg_attribute_attoptions};
	HeapTuple	from;

	for (AttrNumber attnum = 1;
		 HeapTupleIsValid(from = SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(attnum)));
		 attnum++)
	{
		HeapTuple	to = SearchSysCache2(ATTNUM, ObjectIdGetDatum(heap), Int16GetDatum(attnum));
		Datum		values[lengthof(wanted)];
		bool		nulls[lengthof(wanted)];
		HeapTuple	changed;

		for (int i = 0; i < (int) lengthof(wanted); i++)
			values[i] = SysCacheGetAttr(ATTNUM, from, wanted[i], &nulls[i]);
		if (HeapTupleIsValid(to))
		{
			changed = heap_modify_tuple_by_cols(to, RelationGetDescr(attributes), lengthof(wanted),
												wanted, values, nulls);
			CatalogTupleUpdate(attributes, &to->t_self, changed);
			ReleaseSysCache(to);
		}
		ReleaseSysCache(from);
	}
	table_close(attributes, RowExclusiveLock);
	CommandCounterIncrement();
}

void
analyze_relation(Oid relation)
{
	/* the pages were written just now; catalog_leave() restores the setting */
	catalog_pin_setting("maintenance_io_concurrency", "0");
	catalog_run(psprintf("ANALYZE %s", catalog_relation_name(relation)));
	CommandCounterIncrement();
}

void
analyze_heap(TableBuild *build)
{
	Relation	heap;

	build->analyzed = build->rows < build->least_usual || build->rows > build->most_usual;
	if (build->analyzed)
	{
		copy_column_options(build->table, build->heap);
		analyze_relation(build->heap);
		return;
	}
	heap = relation_open(build->heap, AccessShareLock);
	compat_update_relstats(heap, (double) build->rows);
	relation_close(heap, NoLock);
	CommandCounterIncrement();
}
