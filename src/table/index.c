/*-------------------------------------------------------------------------
 *
 * index.c
 *		Indexes of a new heap.
 *
 * Core's own heap swap rebuilds every index while the table is locked.  Here
 * they are built on the new heap beforehand, each as a copy of one of the
 * table's, and only their storage changes hands at the swap.  An index which the
 * manifest newly asks for is built in the same way and gets its catalog entry on
 * the table, unbuilt, at the swap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attmap.h"
#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_utilcmd.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "compat.h"
#include "table/abort.h"
#include "table/guard.h"
#include "table/index.h"
#include "table/storage.h"

static IndexStmt *
index_statement(const DatasetIndex *index, Oid table)
{
	IndexStmt  *statement = makeNode(IndexStmt);
	ListCell   *cell;

	foreach(cell, index->columns)
	{
		IndexElem  *element = makeNode(IndexElem);

		element->name = lfirst(cell);
		element->ordering = SORTBY_DEFAULT;
		element->nulls_ordering = SORTBY_NULLS_DEFAULT;
		statement->indexParams = lappend(statement->indexParams, element);
	}
	statement->relation = makeRangeVar(get_namespace_name(get_rel_namespace(table)),
									   get_rel_name(table), -1);
	statement->accessMethod = DEFAULT_INDEX_TYPE;
	statement->unique = index->unique;
	statement->transformed = true;
	return statement;
}

/* an index of the manifest, on the table itself */
void
index_create_on_table(IndexBuild *index, Oid table, bool skip_build)
{
	IndexStmt  *statement = index_statement(index->definition, table);

	abort_durably();
	statement->primary = index->definition->primary;
	statement->isconstraint = index->definition->primary;
	index->old_index = compat_define_index(table, statement, index->table_number, skip_build);
	CommandCounterIncrement();
}

/* is the i-th key of the index what index_statement() makes of this column? */
static bool
matches_column(Relation index, int i, const char *name, TupleDesc desc)
{
	AttrNumber	attnum = index->rd_index->indkey.values[i];
	Form_pg_attribute attribute;

	if (attnum <= 0)
		return false;
	attribute = TupleDescAttr(desc, attnum - 1);
	return strcmp(NameStr(attribute->attname), name) == 0 && index->rd_indoption[i] == 0 &&
		index->rd_indcollation[i] == attribute->attcollation &&
		index->rd_opfamily[i] == get_opclass_family(GetDefaultOpClass(attribute->atttypid, BTREE_AM_OID));
}

/* Is this the index that the manifest's entry describes?  A user may have created it. */
static bool
matches(Relation index, const DatasetIndex *definition, TupleDesc desc)
{
	Form_pg_index form = index->rd_index;
	ListCell   *cell;
	int			i = 0;

	if (index->rd_rel->relam != BTREE_AM_OID ||
		form->indisunique != definition->unique || form->indisprimary != definition->primary ||
		form->indnatts != list_length(definition->columns) || form->indnkeyatts != form->indnatts ||
		RelationGetIndexExpressions(index) != NIL || RelationGetIndexPredicate(index) != NIL)
		return false;
	foreach(cell, definition->columns)
	{
		if (!matches_column(index, i++, lfirst(cell), desc))
			return false;
	}
	return true;
}

static bool
any_matches(Relation index, List *definitions, TupleDesc desc)
{
	ListCell   *cell;

	foreach(cell, definitions)
	{
		if (matches(index, lfirst(cell), desc))
			return true;
	}
	return false;
}

static bool
uses_dropped_column(Relation index, const TableBuild *build)
{
	for (int i = 0; i < index->rd_index->indnatts; i++)
	{
		AttrNumber	attnum = index->rd_index->indkey.values[i];
		ListCell   *cell;

		foreach(cell, build->drop_columns)
		{
			if (attnum > 0 &&
				strcmp(NameStr(TupleDescAttr(build->table_desc, attnum - 1)->attname), lfirst(cell)) == 0)
				return true;
		}
	}
	return false;
}

/* which indexes stay, leave and come */
void
index_plan(TableBuild *build, Relation table)
{
	List	   *wanted = build->dataset->changed ? list_copy(build->dataset->indexes) : NIL;
	ListCell   *cell;

	build->old_indexes = RelationGetIndexList(table);
	foreach(cell, build->old_indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		IndexBuild *copy;
		ListCell   *definition;

		if (build->dataset->changed &&
			any_matches(index, build->dataset->applied_indexes, build->table_desc) &&
			!any_matches(index, build->dataset->indexes, build->table_desc))
			build->drop_indexes = lappend_oid(build->drop_indexes, lfirst_oid(cell));
		else if (!uses_dropped_column(index, build))
		{
			copy = palloc0(sizeof(IndexBuild));
			copy->old_index = lfirst_oid(cell);
			copy->name = pstrdup(RelationGetRelationName(index));
			build->indexes = lappend(build->indexes, copy);
			foreach(definition, wanted)
			{
				if (matches(index, lfirst(definition), build->table_desc))
					wanted = foreach_delete_current(wanted, definition);
			}
		}
		index_close(index, AccessShareLock);
	}
	foreach(cell, wanted)
	{
		IndexBuild *fresh = palloc0(sizeof(IndexBuild));

		fresh->definition = lfirst(cell);
		build->indexes = lappend(build->indexes, fresh);
	}
}

/* a statement that makes on the new heap what the table has */
static IndexStmt *
copy_statement(Oid old_index, Oid heap, int natts)
{
	Relation	index = index_open(old_index, AccessShareLock);
	AttrMap    *map = make_attrmap(natts);
	RangeVar   *target = makeRangeVar(get_namespace_name(get_rel_namespace(heap)),
									  get_rel_name(heap), -1);
	IndexStmt  *statement;

	for (int i = 0; i < natts; i++)
		map->attnums[i] = i + 1;
	statement = generateClonedIndexStmt(target, index, map, NULL);
	/* a constraint is an entry in the catalog, which the table keeps */
	statement->primary = false;
	statement->isconstraint = false;
	statement->deferrable = false;
	statement->initdeferred = false;
	statement->idxname = NULL;
	statement->idxcomment = NULL;
	/* a violation is what has left it invalid, and must not make the refresh fail */
	if (!index->rd_index->indisvalid)
	{
		statement->unique = false;
		statement->nulls_not_distinct = false;
	}
	/* without a name default_tablespace would decide */
	statement->tableSpace = get_tablespace_name(OidIsValid(index->rd_rel->reltablespace) ?
												index->rd_rel->reltablespace : MyDatabaseTableSpace);
	index_close(index, AccessShareLock);
	return statement;
}

/* a violation names the copy: say which index it is a copy of */
static void
index_callback(void *arg)
{
	const IndexBuild *index = arg;

	if (index->definition == NULL)
		errcontext("building what is to be index \"%s\"", index->name);
	else
		errcontext("building %s of the manifest",
				   index->definition->primary ? "the primary_key" : "an entry of indexes");
}

/* one statement per index: none can go while its table is locked, and then it may */
static List *
index_statements(const TableBuild *build)
{
	List	   *statements = NIL;
	ListCell   *cell;

	guard_check_table(build, AccessShareLock);
	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		statements = lappend(statements, index->definition != NULL ?
							 index_statement(index->definition, build->heap) :
							 copy_statement(index->old_index, build->heap, build->table_desc->natts));
	}
	UnlockRelationOid(build->table, AccessShareLock);
	return statements;
}

void
index_build_all(TableBuild *build)
{
	ErrorContextCallback callback = {error_context_stack, index_callback, NULL};
	ListCell   *cell,
			   *statement;

	forboth(cell, build->indexes, statement, index_statements(build))
	{
		IndexBuild *index = lfirst(cell);

		callback.arg = index;
		error_context_stack = &callback;
		index->new_index = compat_define_index(build->heap, lfirst(statement), index->new_number, false);
		error_context_stack = callback.previous;
		CommandCounterIncrement();
	}
}

void
index_drop_planned(const TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->drop_indexes)
	{
		Oid			index = lfirst_oid(cell);
		Oid			constraint = get_index_constraint(index);
		ObjectAddress object;

		/* gone already, with a column */
		if (get_rel_relkind(index) != RELKIND_INDEX)
			continue;
		if (OidIsValid(constraint))
			ObjectAddressSet(object, ConstraintRelationId, constraint);
		else
			ObjectAddressSet(object, RelationRelationId, index);
		performDeletion(&object, DROP_RESTRICT, 0);
		CommandCounterIncrement();
	}
}

void
index_draw_numbers(TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		if (index->definition != NULL)
			storage_draw(get_rel_tablespace(build->table), get_rel_persistence(build->table),
						 &index->table_number, 1);
	}
}

void
index_create_planned(TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		if (index->definition != NULL)
			index_create_on_table(index, build->table, true);
	}
}

void
index_build_on_table(TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);
		IndexStmt  *statement;

		if (index->definition == NULL)
			continue;
		statement = index_statement(index->definition, build->table);
		if (index->definition->primary)
			statement->idxname = ChooseRelationName(get_rel_name(build->table), NULL, "pkey",
													get_rel_namespace(build->table), true);
		index->old_index = compat_define_index(build->table, statement, index->table_number, false);
		CommandCounterIncrement();
	}
}

static IndexBuild *
new_primary(const TableBuild *build)
{
	ListCell   *cell;

	foreach(cell, build->indexes)
	{
		IndexBuild *index = lfirst(cell);

		if (index->definition != NULL && index->definition->primary)
			return index;
	}
	return NULL;
}

bool
index_has_new_primary(const TableBuild *build)
{
	return new_primary(build) != NULL;
}

void
index_promote_primary(const TableBuild *build)
{
	const IndexBuild *primary = new_primary(build);
	Relation	table;
	Relation	index;

	if (primary == NULL)
		return;
	table = table_open(build->table, NoLock);
	index = index_open(primary->old_index, NoLock);
	(void) index_constraint_create(table, primary->old_index, InvalidOid, BuildIndexInfo(index),
								   RelationGetRelationName(index), CONSTRAINT_PRIMARY,
								   INDEX_CONSTR_CREATE_MARK_AS_PRIMARY |
								   INDEX_CONSTR_CREATE_UPDATE_INDEX |
								   INDEX_CONSTR_CREATE_REMOVE_OLD_DEPS, false, true);
	index_close(index, NoLock);
	table_close(table, NoLock);
	CommandCounterIncrement();
}
