/*-------------------------------------------------------------------------
 *
 * plan.c
 *		Plans the shape of a new heap, and what changes of the table.
 *
 * The table keeps its OID for life, so that views, grants, publications and
 * prepared statements survive every refresh and even a change of its columns.
 * That forces one rule upon a change of shape: columns which leave are
 * dropped, columns which come are appended, and the new heap is laid out as
 * the table will be *after* that, with nulls where a column has been dropped.
 * The catalog change and the swap then happen together, in an instant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "table/build.h"
#include "table/guard.h"
#include "table/index.h"
#include "table/load/analyze.h"
#include "table/plan.h"
#include "table/published.h"

/* do these declarations make the column NOT NULL? */
static bool
declared_not_null(List *columns, List *indexes, const char *column)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		DatasetColumn *declared = lfirst(cell);

		if (!declared->nullable && strcmp(declared->name, column) == 0)
			return true;
	}
	foreach(cell, indexes)
	{
		DatasetIndex *index = lfirst(cell);
		ListCell   *name;

		foreach(name, index->columns)
		{
			if (index->primary && strcmp(lfirst(name), column) == 0)
				return true;
		}
	}
	return false;
}

bool
plan_wants_not_null(const Dataset *dataset, const char *column)
{
	/* a row without a time could neither be found again nor outlive retention */
	if (dataset_appends(dataset) && strcmp(dataset->time_column, column) == 0)
		return true;
	return declared_not_null(dataset->columns, dataset->indexes, column);
}

static Form_pg_attribute
find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return attribute;
	}
	return NULL;
}

/* a key or an index over a column that the refresh does not produce */
void
plan_check_index_columns(const Dataset *dataset, TupleDesc result)
{
	ListCell   *cell;

	foreach(cell, dataset->indexes)
	{
		DatasetIndex *index = lfirst(cell);
		ListCell   *name;

		foreach(name, index->columns)
		{
			if (find_attribute(result, lfirst(name)) == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_COLUMN),
						 errmsg("%s of dataset \"%s\" names column \"%s\", which its refresh does not produce",
								index->primary ? "primary_key" : "an index", dataset->name,
								(char *) lfirst(name)),
						 errhint("Correct the manifest, add the column to refresh_sql, or declare its type under columns if it has had nothing but null.")));
		}
	}
}

static bool
same_column(Form_pg_attribute a, Form_pg_attribute b)
{
	return a->atttypid == b->atttypid && a->atttypmod == b->atttypmod &&
		a->attcollation == b->attcollation;
}

/*
 * Decides where each column of the result goes, which columns of the table
 * leave it, and how many are appended.
 */
static int
plan_columns(TableBuild *build, TupleDesc result)
{
	TupleDesc	desc = build->table_desc;
	int			appended = 0;

	build->n_result = result->natts;
	build->attnums = palloc0(sizeof(AttrNumber) * result->natts);
	for (int i = 0; i < result->natts; i++)
	{
		Form_pg_attribute wanted = TupleDescAttr(result, i);
		Form_pg_attribute existing = find_attribute(desc, NameStr(wanted->attname));

		if (existing != NULL && same_column(wanted, existing))
			build->attnums[i] = existing->attnum;
		else
			build->attnums[i] = desc->natts + ++appended;
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute existing = TupleDescAttr(desc, i);
		Form_pg_attribute wanted;

		if (existing->attisdropped)
			continue;
		wanted = find_attribute(result, NameStr(existing->attname));
		if (wanted == NULL || !same_column(wanted, existing))
			build->drop_columns = lappend(build->drop_columns, pstrdup(NameStr(existing->attname)));
	}
	build->same_shape = appended == 0 && build->drop_columns == NIL;
	return appended;
}

/* without a new definition the shape is fixed: a refresh must not change it */
static void
refuse_other_shape(const TableBuild *build, TupleDesc result)
{
	StringInfoData detail;
	ListCell   *cell;

	initStringInfo(&detail);
	foreach(cell, build->drop_columns)
		appendStringInfo(&detail, "%s\"%s\"", detail.len ? ", " : " The table has ",
						 (char *) lfirst(cell));
	if (detail.len)
		appendStringInfoString(&detail, ", which the refresh does not produce.");
	for (int i = 0; i < result->natts; i++)
	{
		if (build->attnums[i] > build->table_desc->natts)
			appendStringInfo(&detail, " The refresh produces \"%s\" of type %s, which the table does not have.",
							 NameStr(TupleDescAttr(result, i)->attname),
							 format_type_be(TupleDescAttr(result, i)->atttypid));
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the refresh of dataset \"%s\" does not have the columns of its table",
					build->dataset->name),
			 errdetail_internal("%s", detail.data + 1),
			 errhint("Change refresh_sql in the manifest to change the table's columns; columns added to the table by hand have to go.")));
}

static TupleDesc
future_descriptor(const TableBuild *build, TupleDesc result, int appended)
{
	TupleDesc	old = build->table_desc;
	TupleDesc	desc = CreateTemplateTupleDesc(old->natts + appended);

	for (int i = 1; i <= old->natts; i++)
		TupleDescCopyEntry(desc, i, old, i);
	for (int i = 0; i < result->natts; i++)
	{
		if (build->attnums[i] > old->natts)
			TupleDescCopyEntry(desc, build->attnums[i], result, i + 1);
	}
	/* a column that is replaced by one of another type still has its name */
	for (int i = 0; i < old->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		ListCell   *cell;

		foreach(cell, build->drop_columns)
		{
			if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), lfirst(cell)) == 0)
				snprintf(NameStr(attribute->attname), NAMEDATALEN, "........spice.dropped.%d........", i + 1);
		}
	}
	return desc;
}

/* what people have set by hand stays; what the definition before this asked for may go */
static void
plan_not_null(TableBuild *build)
{
	const Dataset *dataset = build->dataset;

	build->notnull = palloc0(sizeof(bool) * build->desc->natts);
	for (int i = 0; i < build->n_result; i++)
	{
		AttrNumber	attnum = build->attnums[i];
		const char *name = NameStr(TupleDescAttr(build->desc, attnum - 1)->attname);
		bool		before = attnum <= build->table_desc->natts &&
		TupleDescAttr(build->table_desc, attnum - 1)->attnotnull;

		if (dataset->changed &&
			declared_not_null(dataset->applied_columns, dataset->applied_indexes, name))
			before = false;
		build->notnull[attnum - 1] = before || plan_wants_not_null(dataset, name);
	}
}

TableBuild *
plan_build(const Dataset *dataset, Oid table_oid, TupleDesc result, bool may_alter, bool apart)
{
	TableBuild *build = palloc0(sizeof(TableBuild));
	Relation	table = try_relation_open(table_oid, AccessShareLock);
	int			appended;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" was dropped during the refresh", dataset->name)));
	guard_refuse_unswappable(table, dataset);
	if (dataset->changed)
		plan_check_index_columns(dataset, result);
	build->dataset = dataset;
	build->table = table_oid;
	build->tablespace = table->rd_rel->reltablespace;
	build->apart = apart;
	build->published = published_table(table_oid);
	build->table_desc = CreateTupleDescCopyConstr(RelationGetDescr(table));
	appended = plan_columns(build, result);
	if (!build->same_shape && !may_alter)
		refuse_other_shape(build, result);
	build->desc = future_descriptor(build, result, appended);
	plan_not_null(build);
	index_plan(build, table);
	analyze_plan(build, table);
	build->heap = build_create_heap(build, table);
	table_close(table, AccessShareLock);
	return build;
}
