/*-------------------------------------------------------------------------
 *
 * table_connector.c
 *		Connector table: a relation of this very database.
 *
 * The source relation is a view of the relation.  Like a foreign table, a view keeps
 * the columns as they were found, so that ALTER TABLE does not change the dataset.
 * The planner sees through a view, so that a foreign table of another wrapper gets
 * the conditions that its wrapper can evaluate.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "commands/comment.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog/execute.h"
#include "source/connector.h"
#include "source/source_name.h"
#include "source/table_connector.h"

static Oid
find_relation(const Dataset *dataset)
{
	Oid			namespace = get_namespace_oid(dataset->remote_schema, true);
	Oid			relation = OidIsValid(namespace) ?
	get_relname_relid(dataset->remote_table, namespace) : InvalidOid;

	if (!OidIsValid(relation) ||
		strchr("rvmfp", get_rel_relkind(relation)) == NULL)
		source_refuse_missing_relation(dataset);
	if (relation == dataset->relation || relation == dataset->source_relation)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("dataset \"%s\" cannot be its own source", dataset->name)));
	return relation;
}

static List *
find_columns(const Dataset *dataset, Spool *spool pg_attribute_unused(),
			 SourceRelation *source pg_attribute_unused())
{
	Oid			oid = find_relation(dataset);
	Relation	relation = table_open(oid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	List	   *columns = NIL;

	source->description = GetComment(oid, RelationRelationId, 0);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		SourceColumn *column;

		if (attribute->attisdropped)
			continue;
		column = palloc0(sizeof(SourceColumn));
		column->name = pstrdup(NameStr(attribute->attname));
		column->type = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->description = GetComment(oid, RelationRelationId, attribute->attnum);
		columns = lappend(columns, column);
	}
	table_close(relation, AccessShareLock);
	return columns;
}

static char *
view_query(const Dataset *dataset, List *columns)
{
	StringInfoData query;
	ListCell   *cell;

	initStringInfo(&query);
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		appendStringInfo(&query, "%s%s", query.len ? ", " : "SELECT ", quote_identifier(column->name));
		if (column->declared)
			appendStringInfo(&query, "::%s AS %s",
							 format_type_extended(column->type, column->typmod,
												  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
							 quote_identifier(column->name));
	}
	appendStringInfo(&query, " FROM %s", quote_qualified_identifier(dataset->remote_schema,
																	dataset->remote_table));
	return query.data;
}

void
table_connector_create_view(const Dataset *dataset, const char *name, List *columns)
{
	catalog_run(psprintf("CREATE VIEW %s AS %s", name, view_query(dataset, columns)));
}

/*
 * A view's columns stay at their places and keep their types, and new ones
 * come last.  Anything else takes another view.
 */
bool
table_connector_alter_view(const Dataset *dataset, const char *name, List *columns, bool drop)
{
	Relation	view = table_open(dataset->source_relation, AccessShareLock);
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(view));
	List	   *wanted = NIL;
	bool		other = false;
	ListCell   *cell;

	table_close(view, AccessShareLock);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		SourceColumn *column = source_column_find(columns, NameStr(attribute->attname));

		if (column == NULL || column->type != attribute->atttypid || column->typmod != attribute->atttypmod)
			other = true;
		if (column != NULL)
			wanted = lappend(wanted, column);
	}
	/* what a view shows cannot have gone from under it */
	if (other && !drop)
		return false;
	foreach(cell, columns)
		wanted = list_append_unique_ptr(wanted, lfirst(cell));
	if (other)
	{
		catalog_run(psprintf("DROP VIEW %s", name));
		table_connector_create_view(dataset, name, columns);
	}
	else if (dataset->source_changed || list_length(wanted) > desc->natts)
		catalog_run(psprintf("CREATE OR REPLACE VIEW %s AS %s", name, view_query(dataset, wanted)));
	return other || list_length(wanted) > desc->natts;
}

const Connector table_connector = {
	.name = "table",
	.view = true,
	.find = find_columns,
};
