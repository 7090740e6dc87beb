/*-------------------------------------------------------------------------
 *
 * build.c
 *		Makes and drops the heap that is to replace a table's storage.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "table/abort.h"
#include "table/build.h"
#include "table/storage.h"

/*
 * A new heap's storage, its TOAST table's and that one's index's, and those of the
 * indexes which come later: noted once for all of them.
 */
static Oid
draw_numbers(TableBuild *build, Relation table, char persistence)
{
	int			n = 3 + 2 * list_length(build->indexes);
	Oid		   *numbers = palloc(sizeof(Oid) * n);
	Oid		   *next = numbers;
	Oid			heap_number;
	ListCell   *cell;

	storage_draw(table->rd_rel->reltablespace, persistence, numbers, n);
	heap_number = *next++;
	build->toast_number = *next++;
	build->toast_index_number = *next++;
	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		index->new_number = *next++;
		index->table_number = *next++;
	}
	pfree(numbers);
	return heap_number;
}

/*
 * The new heap lives in a schema of ours, where no other role can take its name.  relrewrite
 * tells logical decoding that its rows are not for subscribers.
 */
Oid
build_create_heap(TableBuild *build, Relation table)
{
	char		name[NAMEDATALEN];
	char		persistence = dataset_is_unlogged(build->dataset) || build->apart ?
	RELPERSISTENCE_UNLOGGED : RELPERSISTENCE_PERMANENT;
	Datum		options = (Datum) 0;
	bool		isnull = true;
	HeapTuple	tuple;
	Oid			number;
	Oid			heap;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(build->table));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", build->table);
	options = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &isnull);
	if (isnull)
		options = (Datum) 0;

	abort_durably();
	number = draw_numbers(build, table, persistence);
	snprintf(name, sizeof(name), build->heaps == 0 ? "spice_new_%u" : "spice_new_%u_%d",
			 build->table, build->heaps);
	heap = heap_create_with_catalog(name, get_namespace_oid(SPICE_SOURCE_SCHEMA, false), table->rd_rel->reltablespace,
									number, InvalidOid, InvalidOid, table->rd_rel->relowner,
									table->rd_rel->relam, build->desc, NIL, RELKIND_RELATION,
									persistence, false, false, ONCOMMIT_NOOP, options, false, true,
									true, build->table, NULL);
	ReleaseSysCache(tuple);
	CommandCounterIncrement();
	LockRelationOid(heap, AccessExclusiveLock);
	return heap;
}

void
build_drop(Oid heap)
{
	ObjectAddress object;

	ObjectAddressSet(object, RelationRelationId, heap);
	performDeletion(&object, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
	CommandCounterIncrement();
}

Oid
build_again(TableBuild *build)
{
	Relation	table = table_open(build->table, AccessShareLock);
	Oid			before = build->heap;

	build->heaps++;
	build->rows = 0;
	build->heap = build_create_heap(build, table);
	table_close(table, AccessShareLock);
	return before;
}
