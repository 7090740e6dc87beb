/*-------------------------------------------------------------------------
 *
 * standin.c
 *		Until its first load a table's source stands in for it.
 *
 * ready_state on_registration promises answers before the first load.  The foreign
 * table becomes a child of the empty table, so that queries on the table read the
 * source live.  Views, prepared statements and EXPLAIN work, and the table's
 * privileges decide who may read.  The swap of the first load ends the inheritance in
 * the instant in which the rows appear.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/tablecmds.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "table/standin.h"

bool
standin_exists(const Dataset *dataset)
{
	return OidIsValid(dataset->relation) && OidIsValid(dataset->source_relation) &&
		list_member_oid(find_inheritance_children(dataset->relation, NoLock),
						dataset->source_relation);
}

void
standin_begin(const Dataset *dataset)
{
	catalog_alter(dataset->source_relation,
				  psprintf("ALTER FOREIGN TABLE %s INHERIT %s",
						   catalog_relation_name(dataset->source_relation),
						   catalog_relation_name(dataset->relation)));
	CommandCounterIncrement();
}

/* the child's columns are its own again */
static void
disinherit_columns(Oid child)
{
	Relation	pg_attribute = table_open(AttributeRelationId, RowExclusiveLock);
	Relation	relation = table_open(child, NoLock);
	int			natts = RelationGetNumberOfAttributes(relation);

	table_close(relation, NoLock);
	for (int attnum = 1; attnum <= natts; attnum++)
	{
		HeapTuple	tuple = SearchSysCacheCopyAttNum(child, attnum);
		Form_pg_attribute attribute;

		if (!HeapTupleIsValid(tuple))
			continue;
		attribute = (Form_pg_attribute) GETSTRUCT(tuple);
		attribute->attinhcount = 0;
		attribute->attislocal = true;
		CatalogTupleUpdate(pg_attribute, &tuple->t_self, tuple);
		heap_freetuple(tuple);
	}
	table_close(pg_attribute, RowExclusiveLock);
}

/*
 * The caller holds the table's strongest lock.  ALTER TABLE NO INHERIT would ask
 * for the foreign table's as well, and wait, with the readers of the table
 * behind it, until the slowest live read is over; but nothing changes for those
 * who read the foreign table itself.
 */
void
standin_end(const Dataset *dataset)
{
	if (!standin_exists(dataset))
		return;
	DeleteInheritsTuple(dataset->source_relation, dataset->relation, false, NULL);
	deleteDependencyRecordsForSpecific(RelationRelationId, dataset->source_relation,
									   DEPENDENCY_NORMAL, RelationRelationId, dataset->relation);
	disinherit_columns(dataset->source_relation);
	SetRelationHasSubclass(dataset->relation, false);
	CacheInvalidateRelcacheByRelid(dataset->source_relation);
	CommandCounterIncrement();
}
