/*-------------------------------------------------------------------------
 *
 * foreign_table.c
 *		Creates a dataset's source relation and keeps it in agreement with the
 *		definition.
 *
 * The source relation is a foreign table or, if the source is in this database, a
 * view.  It records the source's columns and their types: they are found once, in the
 * whole first response, and stay until the part of the definition that describes the
 * source changes.  The relation is altered and not dropped, so that views of it
 * survive, unless it moves to another server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "compat.h"
#include "source/connector.h"
#include "source/field_name.h"
#include "source/foreign_option.h"
#include "source/foreign_server.h"
#include "source/foreign_table.h"
#include "source/local_type.h"
#include "source/scan/infer.h"
#include "source/scan/offer.h"
#include "source/source.h"
#include "source/source_name.h"
#include "source/table_connector.h"

#define NULL_FIELDS "null_fields"	/* an option of the foreign table */

static char *
source_table_name(const Dataset *dataset)
{
	return dataset->accelerated ? source_name(dataset, "") : dataset->table;
}

static const char *
source_schema_name(const Dataset *dataset)
{
	return dataset->accelerated ? SPICE_SOURCE_SCHEMA : dataset->schema;
}

static char *
source_relation_name(const Dataset *dataset)
{
	return quote_qualified_identifier(source_schema_name(dataset), source_table_name(dataset));
}

bool
source_columns_declared(const Dataset *dataset)
{
	ListCell   *cell;

	foreach(cell, dataset->columns)
	{
		if (((DatasetColumn *) lfirst(cell))->type == NULL)
			return false;
	}
	return dataset->columns != NIL;
}

bool
source_needs_response(const Dataset *dataset)
{
	if (!source_fetches(dataset) ||
		(OidIsValid(dataset->source_relation) && !dataset->source_changed))
		return false;
	/* what a live read returns is all that a declared foreign table needs */
	return dataset->accelerated || !source_columns_declared(dataset);
}

static void
declared_type_callback(void *arg)
{
	const char **names = arg;

	if (geterrcode() == ERRCODE_UNDEFINED_OBJECT)
		errhint("Write a type of PostgreSQL, such as text, bigint, numeric, boolean, date, timestamptz or jsonb.");
	errcontext("type of column \"%s\" of dataset \"%s\" in the manifest", names[0], names[1]);
}

static void
parse_declared_type(const Dataset *dataset, const DatasetColumn *declared, SourceColumn *column)
{
	const char *names[] = {column->name, dataset->name};
	ErrorContextCallback callback = {error_context_stack, declared_type_callback, names};

	error_context_stack = &callback;
	compat_parse_type(declared->type, &column->type, &column->typmod);
	error_context_stack = callback.previous;
	if (get_typtype(column->type) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("column \"%s\" of dataset \"%s\" cannot have type %s",
						column->name, dataset->name, declared->type)));
}

/* is a value of the source's type one of the declared type, as it is? */
static bool
is_same_to_source(const SourceColumn *declared, const SourceColumn *found)
{
	if (found->local)
		return false;
	if (declared->type == found->type)
		return declared->typmod == found->typmod || declared->typmod == -1;
	return declared->typmod == -1 && IsBinaryCoercible(found->type, declared->type);
}

static SourceColumn *
declared_column(const Dataset *dataset, const DatasetColumn *declared, List *found)
{
	SourceColumn *source = source_column_find(found, declared->name);
	SourceColumn *column = palloc0(sizeof(SourceColumn));

	if (source != NULL)
		*column = *source;
	else if (!source_fetches(dataset))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of dataset \"%s\" is not in the source", declared->name, dataset->name),
				 errhint("Correct columns in the manifest.")));
	else
	{
		column->type = TEXTOID;
		column->typmod = -1;
	}
	column->name = declared->name;
	/* a column that a response lacks keeps its field, unless the definition has changed */
	if (declared->source != NULL)
		column->field = declared->source;
	else if (source == NULL)
		column->field = dataset->source_changed ? declared->name : NULL;
	column->declared = declared->type != NULL;
	if (!OidIsValid(column->type))
		column->type = TEXTOID;
	if (column->declared)
	{
		parse_declared_type(dataset, declared, column);
		column->local = source != NULL && !is_same_to_source(column, source);
	}
	return column;
}

List *
source_null_fields(const Dataset *dataset)
{
	DefElem    *option;
	List	   *names = NIL;

	if (!source_fetches(dataset) || get_rel_relkind(dataset->source_relation) != RELKIND_FOREIGN_TABLE)
		return NIL;
	option = foreign_option_find(GetForeignTable(dataset->source_relation)->options, NULL_FIELDS);
	if (option != NULL)
		(void) SplitIdentifierString(pstrdup(defGetString(option)), ',', &names);
	return names;
}

/*
 * Decides the type of each column of a response.  A column keeps its type or gets a
 * wider one, unless the definition describes another source; null decides nothing.
 */
static void
decide_types(const Dataset *dataset, List *found)
{
	ListCell   *cell;

	foreach(cell, found)
	{
		SourceColumn *column = lfirst(cell);
		AttrNumber	number = get_attnum(dataset->source_relation, column->name);
		Oid			present;
		int32		typmod;
		Oid			collation;

		/* a dataset that is read live is described once */
		if (!OidIsValid(column->type) && !dataset->accelerated)
			column->type = TEXTOID;
		if (number <= 0)
			continue;
		get_atttypetypmodcoll(dataset->source_relation, number, &present, &typmod, &collation);
		if (!dataset->source_changed)
			column->type = infer_wider_type(present, column);
		else if (column->seen == 0)
			column->type = present;
		if (column->type == present)
			column->typmod = typmod;
	}
}

/* Has the response a field of the table or, before there is one, of the declared columns? */
static bool
has_known_field(const Dataset *dataset, List *found)
{
	bool		first = !OidIsValid(dataset->source_relation) || dataset->source_changed;
	ListCell   *cell;

	if (first && dataset->columns == NIL)
		return true;
	foreach(cell, found)
	{
		if (!first && get_attnum(dataset->source_relation, ((SourceColumn *) lfirst(cell))->name) > 0)
			return true;
	}
	foreach(cell, first ? dataset->columns : NIL)
	{
		if (source_column_find(found, ((DatasetColumn *) lfirst(cell))->name) != NULL)
			return true;
	}
	return false;
}

/* An error document with status 200 must not decide which columns there are. */
static void
refuse_foreign_fields(const Dataset *dataset, List *found)
{
	if (found == NIL || has_known_field(dataset, found))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the response has none of the columns of dataset \"%s\"", dataset->name),
			 errdetail("Its first field is \"%s\".", ((SourceColumn *) linitial(found))->name),
			 errhint("Look at what the source answers, and at columns and params.json_pointer.")));
}

/* declared columns first, in their order, then what the source has besides */
static List *
wanted_columns(Dataset *dataset, Spool *spool, SourceRelation *source)
{
	const Connector *connector = connector_of(dataset);
	List	   *wanted = NIL;
	List	   *found;
	ListCell   *cell;

	found = connector->find(dataset, spool, source);
	if (connector->fetches)
	{
		field_name_columns(dataset, found);
		refuse_foreign_fields(dataset, found);
		decide_types(dataset, found);
	}
	foreach(cell, dataset->columns)
		wanted = lappend(wanted, declared_column(dataset, lfirst(cell), found));
	foreach(cell, found)
	{
		SourceColumn *column = lfirst(cell);

		if (source_column_find(wanted, column->name) == NULL)
			wanted = lappend(wanted, column);
	}
	foreach(cell, wanted)
	{
		SourceColumn *column = lfirst(cell);

		if (!column->local || connector->fetches || connector->view)
			continue;
		column->type = local_type_ensure(dataset, column->type, column->typmod);
		column->typmod = -1;
	}
	return wanted;
}

/* The options of a column: the name of its field, when it is another. */
static List *
column_options(const SourceColumn *column)
{
	return column->field != NULL && strcmp(column->field, column->name) != 0 ?
		list_make1(foreign_option_make(FIELD_OPTION, column->field)) : NIL;
}

static char *
column_definition(const SourceColumn *column)
{
	return psprintf("%s %s %s", quote_identifier(column->name),
					format_type_extended(column->type, column->typmod,
										 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
					foreign_option_clause(column_options(column)));
}

static bool
has_types(List *columns)
{
	ListCell   *cell;

	foreach(cell, columns)
	{
		if (OidIsValid(((SourceColumn *) lfirst(cell))->type))
			return true;
	}
	return false;
}

/* A response is read through the extension's own server, a database through the dataset's. */
static const char *
server_name(const Dataset *dataset)
{
	return source_fetches(dataset) ? SPICE_SERVER : foreign_server_name(dataset);
}

/*
 * The options of the foreign table.  One of them keeps the names of the fields that
 * are no column yet because they have had nothing but null.
 */
static List *
table_options(const Dataset *dataset, List *columns)
{
	List	   *options;
	StringInfoData names;
	ListCell   *cell;

	if (!source_fetches(dataset))
		return connector_of(dataset)->options(dataset);
	options = list_make1(foreign_option_make("dataset", dataset->name));
	initStringInfo(&names);
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (!OidIsValid(column->type))
			appendStringInfo(&names, "%s%s", names.len ? "," : "", quote_identifier(column->name));
	}
	foreach(cell, dataset->source_changed ? NIL : source_null_fields(dataset))
	{
		if (source_column_find(columns, lfirst(cell)) == NULL)
			appendStringInfo(&names, "%s%s", names.len ? "," : "", quote_identifier(lfirst(cell)));
	}
	return names.len > 0 ? lappend(options, foreign_option_make(NULL_FIELDS, names.data)) : options;
}

static void
create_foreign_table(const Dataset *dataset, List *columns)
{
	StringInfoData command;
	const char *separator = "";
	ListCell   *cell;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE FOREIGN TABLE %s (", source_relation_name(dataset));
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (OidIsValid(column->type))
			appendStringInfo(&command, "%s%s", separator, column_definition(column));
		if (OidIsValid(column->type))
			separator = ", ";
	}
	appendStringInfo(&command, ") SERVER %s %s",
					 quote_identifier(server_name(dataset)),
					 foreign_option_clause(table_options(dataset, columns)));
	catalog_run(command.data);
}

static void
alter_options(const Dataset *dataset, List *columns)
{
	char	   *changes = foreign_option_changes(GetForeignTable(dataset->source_relation)->options,
												 table_options(dataset, columns));

	if (changes != NULL)
		catalog_alter(dataset->source_relation, psprintf("ALTER FOREIGN TABLE %s %s", source_relation_name(dataset), changes));
}

static void
alter_column_options(const Dataset *dataset, AttrNumber number, const SourceColumn *column)
{
	char	   *changes = foreign_option_changes(GetForeignColumnOptions(dataset->source_relation, number),
												 column_options(column));

	if (changes != NULL)
		catalog_alter(dataset->source_relation, psprintf("ALTER FOREIGN TABLE %s ALTER COLUMN %s %s", source_relation_name(dataset),
														 quote_identifier(column->name), changes));
}

/*
 * Adds columns until the foreign table has the wanted ones; drop: and drops
 * and retypes.  False when it had them.
 */
static bool
alter_foreign_table(const Dataset *dataset, List *columns, bool drop)
{
	bool		altered = false;
	Relation	relation = table_open(dataset->source_relation, AccessShareLock);
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(relation));
	char	   *name = source_relation_name(dataset);
	ListCell   *cell;

	table_close(relation, AccessShareLock);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		SourceColumn *column = source_column_find(columns, NameStr(attribute->attname));

		if (!attribute->attisdropped && column != NULL && column->field != NULL && source_fetches(dataset))
			alter_column_options(dataset, attribute->attnum, column);
		if (attribute->attisdropped || !drop ||
			(column != NULL && column->type == attribute->atttypid &&
			 column->typmod == attribute->atttypmod))
			continue;
		altered = true;
		if (column == NULL)
			catalog_alter(dataset->source_relation, psprintf("ALTER FOREIGN TABLE %s DROP COLUMN %s", name,
															 quote_identifier(NameStr(attribute->attname))));
		else
			catalog_alter(dataset->source_relation, psprintf("ALTER FOREIGN TABLE %s ALTER COLUMN %s TYPE %s", name,
															 quote_identifier(column->name),
															 format_type_extended(column->type, column->typmod,
																				  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY)));
	}
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (!OidIsValid(column->type) ||
			get_attnum(dataset->source_relation, column->name) != InvalidAttrNumber)
			continue;
		altered = true;
		catalog_alter(dataset->source_relation, psprintf("ALTER FOREIGN TABLE %s ADD COLUMN %s", name, column_definition(column)));
	}
	return altered;
}

static Oid
existing_relation(const Dataset *dataset)
{
	Oid			namespace = get_namespace_oid(source_schema_name(dataset), true);

	return OidIsValid(namespace) ? get_relname_relid(source_table_name(dataset), namespace) : InvalidOid;
}

static void
refuse_relation(const Dataset *dataset)
{
	if (existing_relation(dataset) == dataset->relation)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("dataset \"%s\" is no longer accelerated, but its table is still there", dataset->name),
				 errhint("DROP TABLE %s to let the foreign table take its name.",
						 source_relation_name(dataset))));
	catalog_refuse_relation(dataset, existing_relation(dataset));
}

/* is it of the kind, and of the server, that the definition makes it? */
static bool
is_fitting(const Dataset *dataset)
{
	const Connector *connector = connector_of(dataset);
	char		kind = get_rel_relkind(dataset->source_relation);

	/* a dataset which used to be accelerated under the name, or the reverse */
	if (dataset->source_relation != existing_relation(dataset))
		return false;
	if (connector->view)
		return kind == RELKIND_VIEW;
	return kind == RELKIND_FOREIGN_TABLE && GetForeignTable(dataset->source_relation)->serverid ==
		get_foreign_server_oid(server_name(dataset), true);
}

static void
drop_unfitting(Dataset *dataset)
{
	if (!OidIsValid(dataset->source_relation) || is_fitting(dataset))
		return;
	catalog_run(psprintf("DROP %s %s", catalog_relation_kind(dataset->source_relation),
						 catalog_relation_name(dataset->source_relation)));
	/* its columns have to be found, whatever else has changed */
	dataset->source_relation = InvalidOid;
}

/* of another wrapper's table the role that owns the tables is no more than a reader */
static bool
owns_source(const Dataset *dataset)
{
	const Connector *connector = connector_of(dataset);

	return connector->fetches || connector->view;
}

/*
 * The foreign table of a database stays the extension owner's: its owner could
 * point it at any relation that the source shows to the manifest's user.
 */
static void
give_rights(const Dataset *dataset, Oid owner)
{
	if (owns_source(dataset))
		catalog_ensure_owner(dataset->source_relation, owner);
	else if (pg_class_aclcheck(dataset->source_relation, owner, ACL_SELECT) != ACLCHECK_OK)
		catalog_alter(dataset->source_relation, psprintf("GRANT SELECT ON %s TO %s WITH GRANT OPTION", source_relation_name(dataset),
														 quote_identifier(GetUserNameFromId(owner, false))));
}

static void
create_relation(Dataset *dataset, List *columns, Oid owner)
{
	if (OidIsValid(existing_relation(dataset)))
		refuse_relation(dataset);
	catalog_ensure_schema(source_schema_name(dataset), owner);
	if (connector_of(dataset)->view)
		table_connector_create_view(dataset, source_relation_name(dataset), columns);
	else
		create_foreign_table(dataset, columns);
	CommandCounterIncrement();
	dataset->source_relation = existing_relation(dataset);
	catalog_depend_on_extension(RelationRelationId, dataset->source_relation);
	give_rights(dataset, owner);
	if (owns_source(dataset))
		catalog_grant_defaults(dataset->source_relation, owner);
}

static bool
alter_relation(Dataset *dataset, List *columns, bool drop)
{
	bool		altered;

	if (connector_of(dataset)->view)
		altered = table_connector_alter_view(dataset, source_relation_name(dataset), columns, drop);
	else
	{
		altered = alter_foreign_table(dataset, columns, drop);
		alter_options(dataset, columns);
	}
	CommandCounterIncrement();
	dataset->source_relation = existing_relation(dataset);
	catalog_depend_on_extension(RelationRelationId, dataset->source_relation);
	return altered;
}

/* descriptions that the source has; the manifest's come over them */
static void
comment_columns(const Dataset *dataset, List *columns, const SourceRelation *source)
{
	char	   *name = source_relation_name(dataset);
	ListCell   *cell;

	catalog_alter(dataset->source_relation, psprintf("COMMENT ON %s %s IS %s", catalog_relation_kind(dataset->source_relation), name,
													 source->description ? quote_literal_cstr(source->description) : "NULL"));
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		catalog_alter(dataset->source_relation, psprintf("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
														 column->description ? quote_literal_cstr(column->description) : "NULL"));
	}
}

bool
source_prepare(Dataset *dataset, Spool *spool, Oid owner)
{
	const Connector *connector = connector_of(dataset);
	SourceRelation source = {0};
	List	   *columns;

	drop_unfitting(dataset);
	if (connector->setup != NULL)
		connector->setup(dataset);
	if (dataset->accelerated)
		source_check(dataset);
	if (OidIsValid(dataset->source_relation) && !dataset->source_changed)
	{
		give_rights(dataset, owner);
		return true;
	}
	/* a dataset that has come from a database before keeps nothing of that */
	if (connector->setup == NULL)
		source_forget(dataset);
	columns = wanted_columns(dataset, spool, &source);
	if (!has_types(columns))
		return false;
	if (!OidIsValid(dataset->source_relation))
		create_relation(dataset, columns, owner);
	else
	{
		dataset->source_relation = existing_relation(dataset);
		(void) alter_relation(dataset, columns, true);
		give_rights(dataset, owner);
	}
	if (!connector->fetches)
		comment_columns(dataset, columns, &source);
	return true;
}

/* how the columns that are there differ from those the source has */
static void
report_drift(const Dataset *dataset, List *columns, SourceReport *report)
{
	Relation	relation = table_open(dataset->source_relation, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	ListCell   *cell;

	memset(report, 0, sizeof(*report));
	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (get_attnum(dataset->source_relation, column->name) != InvalidAttrNumber)
			continue;
		if (report->unknown_total++ == 0)
			strlcpy(report->unknown_name, column->name, sizeof(report->unknown_name));
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && source_column_find(columns, NameStr(attribute->attname)) == NULL)
			strlcpy(report->absent_name, NameStr(attribute->attname), NAMEDATALEN);
	}
	table_close(relation, AccessShareLock);
}

/* the columns that are there, and those that have had nothing but null before */
static List *
known_columns(const Dataset *dataset, List *columns)
{
	List	   *null_fields = source_null_fields(dataset);
	List	   *known = NIL;
	ListCell   *cell;

	foreach(cell, columns)
	{
		SourceColumn *column = lfirst(cell);

		if (get_attnum(dataset->source_relation, column->name) != InvalidAttrNumber ||
			catalog_names_have(null_fields, column->name))
			known = lappend(known, column);
	}
	return known;
}

bool
source_evolve(Dataset *dataset, Spool *spool, bool drop, SourceReport *report)
{
	const Connector *connector = connector_of(dataset);
	SourceRelation source = {0};
	List	   *columns = wanted_columns(dataset, spool, &source);
	bool		evolved;

	if (connector->fetches)
	{
		if (dataset_schema_change(dataset) == SCHEMA_BLOCK || dataset_schema_change(dataset) == SCHEMA_FAIL)
			columns = known_columns(dataset, columns);
		/* a response without records says nothing about fields */
		return source.records > 0 && has_types(columns) && alter_relation(dataset, columns, drop);
	}
	report_drift(dataset, columns, report);
	if (dataset_schema_change(dataset) == SCHEMA_FAIL)
		return false;
	evolved = alter_relation(dataset, columns, drop);
	if (evolved)
		comment_columns(dataset, columns, &source);
	return evolved;
}
