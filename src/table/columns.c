/*-------------------------------------------------------------------------
 *
 * columns.c
 *		Column indexes of accelerated tables: which tables have them, and when
 *		they are brought up to date.
 *
 * A refresh neither makes nor fills one: the copies of the table's column indexes
 * that come with a new heap cover nothing.  Once the refresh has committed, the
 * worker covers the rows in transactions of their own, beside readers and writers.
 * Until then a query reads the heap.
 *
 * An index that depends on the extension is ours; one that a person has made is
 * covered like ours, and never dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/defrem.h"
#include "commands/vacuum.h"
#include "nodes/makefuncs.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "catalog/extension.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "column/column_access.h"
#include "compat.h"
#include "table/abort.h"
#include "table/columns.h"
#include "table/storage.h"
#include "table/swap_lock.h"

#define COLUMN_METHOD "spice_columns"
#define VACUUM_SHARE 20			/* vacuumed when one block in so many is not all-visible */

/* NULL: another session holds a lock that is in the way, or the table is gone */
static Relation
open_at_once(Oid table, LOCKMODE mode)
{
	Relation	relation;

	if (!ConditionalLockRelationOid(table, mode))
		return NULL;
	relation = try_relation_open(table, NoLock);
	if (relation == NULL)
		UnlockRelationOid(table, mode);
	return relation;
}

static bool
wants_columns(const Dataset *dataset)
{
	return dataset->column_index != NULL && strcmp(dataset->column_index, "on") == 0;
}

static Oid
access_method_of(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			method;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	method = ((Form_pg_class) GETSTRUCT(tuple))->relam;
	ReleaseSysCache(tuple);
	return method;
}

/* OIDs of the table's column indexes */
static List *
column_indexes(Relation table)
{
	Oid			method = get_index_am_oid(COLUMN_METHOD, true);
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		if (OidIsValid(method) && access_method_of(lfirst_oid(cell)) == method)
			found = lappend_oid(found, lfirst_oid(cell));
	}
	return found;
}

/* ------- which indexes there are ------- */

/* Names of columns that no column index has; their values are stored in the heap. */
static List *
missing_columns(Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);
	Bitmapset  *present = NULL;
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, column_indexes(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		for (int i = 0; i < index->rd_index->indnatts; i++)
			present = bms_add_member(present, Max(index->rd_index->indkey.values[i], 0));
		index_close(index, AccessShareLock);
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && !compat_is_virtual(attribute) &&
			!bms_is_member(attribute->attnum, present))
			names = lappend(names, pstrdup(NameStr(attribute->attname)));
	}
	return names;
}

static IndexStmt *
index_statement(Oid table, List *names)
{
	IndexStmt  *statement = makeNode(IndexStmt);
	Oid			schema = get_rel_namespace(table);
	ListCell   *cell;

	foreach(cell, names)
	{
		IndexElem  *element = makeNode(IndexElem);

		element->name = lfirst(cell);
		element->ordering = SORTBY_DEFAULT;
		element->nulls_ordering = SORTBY_NULLS_DEFAULT;
		statement->indexParams = lappend(statement->indexParams, element);
	}
	statement->relation = makeRangeVar(get_namespace_name(schema), get_rel_name(table), -1);
	statement->idxname = ChooseRelationName(get_rel_name(table), NULL, "columns", schema, false);
	statement->accessMethod = COLUMN_METHOD;
	statement->transformed = true;
	return statement;
}

static void
make_index(Oid table, List *names)
{
	ObjectAddress index,
				extension;
	Oid			number;

	storage_draw(get_rel_tablespace(table), get_rel_persistence(table), &number, 1);
	abort_durably();
	ObjectAddressSet(index, RelationRelationId,
					 compat_define_index(table, index_statement(table, names), number, false));
	/* as ALTER INDEX ... DEPENDS ON EXTENSION, which a dump has, too */
	ObjectAddressSet(extension, ExtensionRelationId, catalog_extension());
	recordDependencyOn(&index, &extension, DEPENDENCY_AUTO_EXTENSION);
	CommandCounterIncrement();
}

/* Makes indexes on the columns, which they hold nothing of yet. */
static void
make_indexes(const Dataset *dataset, List *names)
{
	CatalogRights rights;

	/* writers are locked out for as long as an empty index takes */
	if (!ConditionalLockRelationOid(dataset->relation, ShareLock))
		return;
	catalog_enter_as_owner(dataset, &rights);
	while (names != NIL)
	{
		List	   *some = NIL;

		while (names != NIL && list_length(some) < INDEX_MAX_KEYS)
		{
			some = lappend(some, linitial(names));
			names = list_delete_first(names);
		}
		make_index(dataset->relation, some);
	}
	catalog_leave(&rights);
}

static List *
our_indexes(Relation table)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, column_indexes(table))
	{
		if (catalog_depends_on_extension(RelationRelationId, lfirst_oid(cell)))
			found = lappend_oid(found, lfirst_oid(cell));
	}
	return found;
}

static bool
drop_our_indexes(void *arg)
{
	Relation	table = try_relation_open(*(const Oid *) arg, NoLock);
	List	   *indexes;
	ListCell   *cell;

	if (table == NULL)
		return true;
	indexes = our_indexes(table);
	relation_close(table, NoLock);
	foreach(cell, indexes)
	{
		ObjectAddress object;

		ObjectAddressSet(object, RelationRelationId, lfirst_oid(cell));
		performDeletion(&object, DROP_RESTRICT, 0);
	}
	return true;
}

bool
columns_settle(const Dataset *dataset)
{
	Oid			oid = dataset->relation;
	Relation	table = open_at_once(oid, AccessShareLock);
	SwapChange	change = {NULL, drop_our_indexes, &oid};
	bool		wanted = wants_columns(dataset);
	List	   *missing = NIL;
	bool		present;
	bool		drop;

	if (table == NULL)
		return false;
	if (wanted)
		missing = missing_columns(table);
	present = column_indexes(table) != NIL;
	drop = !wanted && our_indexes(table) != NIL;
	relation_close(table, AccessShareLock);
	if (missing != NIL)
		make_indexes(dataset, missing);
	if (drop)
		swap_lock_and_change(oid, dataset->name, &change);
	return present || missing != NIL;
}

/* ------- what they hold ------- */

/*
 * Vacuum makes blocks all-visible, which is what a column index can hold.  It has to read
 * them, so it waits until they are many, and until no snapshot is left to which the rows that
 * were written last are news.
 */
static bool
vacuum_helps(Relation table, TransactionId written)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(table);
	BlockNumber visible;
	TransactionId newest = written;

	visibilitymap_count(table, &visible, NULL);
	if (blocks - Min(visible, blocks) <= blocks / VACUUM_SHARE)
		return false;
	if (!TransactionIdIsValid(newest))
	{
		newest = ReadNextTransactionId();
		TransactionIdRetreat(newest);
	}
	return TransactionIdFollows(GetOldestNonRemovableTransactionId(table), newest);
}

/* As VACUUM does, but for truncation, which would want the strongest lock. */
static void
vacuum_table(Relation table)
{
	VacuumParams params = {
		.options = VACOPT_VACUUM,
		.freeze_min_age = -1,
		.freeze_table_age = -1,
		.multixact_freeze_min_age = -1,
		.multixact_freeze_table_age = -1,
		.log_min_duration = -1,
		.index_cleanup = VACOPTVALUE_ENABLED,
		.truncate = VACOPTVALUE_DISABLED,
		.nworkers = -1
	};

	table_relation_vacuum(table, &params, GetAccessStrategy(BAS_VACUUM));
}

void
columns_cover(const Dataset *dataset, TransactionId written)
{
	Relation	table = open_at_once(dataset->relation, ShareUpdateExclusiveLock);
	CatalogRights rights;

	if (table == NULL)
		return;
	catalog_enter_as_owner(dataset, &rights);
	if (column_indexes(table) != NIL && vacuum_helps(table, written))
		vacuum_table(table);
	(void) column_cover_table(table);
	catalog_leave(&rights);
	relation_close(table, NoLock);
}
