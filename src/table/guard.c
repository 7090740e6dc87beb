/*-------------------------------------------------------------------------
 *
 * guard.c
 *		What a swap must not pass over.
 *
 * A swap replaces the table's storage as a whole.  It refuses tables whose triggers,
 * rules or children that would bypass, and tables that a session has altered since
 * the new heap was planned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/tablecmds.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "table/guard.h"
#include "table/published.h"

/* the source that stands in for the table until its first load is none */
static bool
has_children(Relation table, const Dataset *dataset)
{
	return table->rd_rel->relhassubclass &&
		list_delete_oid(find_inheritance_children(RelationGetRelid(table), NoLock),
						dataset->source_relation) != NIL;
}

void
guard_refuse_unswappable(Relation table, const Dataset *dataset)
{
	const char *problem = NULL;
	ListCell   *cell;

	if (table->trigdesc != NULL || RelationGetFKeyList(table) != NIL)
		problem = "has triggers or takes part in foreign keys";
	else if (table->rd_rules != NULL)
		problem = "has rules";
	else if (table->rd_rel->relam != HEAP_TABLE_AM_OID)
		problem = "is of another access method than heap";
	else if (table->rd_rel->relispartition || has_children(table, dataset))
		problem = "is a partition or has children";
	else if (dataset_is_unlogged(dataset) && table->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT &&
			 published_table(RelationGetRelid(table)))
		problem = "is in a publication, which mode: memory would silence";
	foreach(cell, problem ? NIL : RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indisexclusion)
			problem = "has an exclusion constraint";
		index_close(index, AccessShareLock);
	}
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" %s", RelationGetRelationName(table), problem),
				 errdetail("Dataset \"%s\" replaces the table's storage as a whole, which would pass over that.",
						   dataset->name),
				 errhint("Undo it, or keep it on another table.")));
}

void
guard_refuse_altered(const TableBuild *build)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("table of dataset \"%s\" was altered during the refresh", build->dataset->name),
			 errhint("The next refresh works with the table as it is now.")));
}

/* Raises an error if the table has changed since the build was planned. */
void
guard_check_table(const TableBuild *build, LOCKMODE lockmode)
{
	Relation	table = try_relation_open(build->table, lockmode);
	bool		changed;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" was dropped during the refresh",
						build->dataset->name)));
	CheckTableNotInUse(table, "refresh");
	guard_refuse_unswappable(table, build->dataset);
	changed = !equalTupleDescs(RelationGetDescr(table), build->table_desc) ||
		table->rd_rel->reltablespace != build->tablespace ||
		!equal(RelationGetIndexList(table), build->old_indexes);
	table_close(table, NoLock);
	if (changed)
		guard_refuse_altered(build);
}

/* A subscriber that has come since the build was planned would not see the swap. */
void
guard_check_unpublished(const TableBuild *build)
{
	if (!build->published && published_table(build->table))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" became part of a publication during the refresh",
						build->dataset->name),
				 errhint("The next refresh changes rows, which subscribers see.")));
}

bool
guard_has_checks(Oid table)
{
	Relation	relation = OidIsValid(table) ? try_relation_open(table, AccessShareLock) : NULL;
	bool		found;

	if (relation == NULL)
		return false;
	found = RelationGetDescr(relation)->constr != NULL &&
		RelationGetDescr(relation)->constr->num_check > 0;
	relation_close(relation, AccessShareLock);
	return found;
}
