/*-------------------------------------------------------------------------
 *
 * build.c
 *		Creates the accelerated table and the heap that is to replace its
 *		storage.
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

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/toasting.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "table/table.h"

static char *
table_name(const Dataset *dataset)
{
	return quote_qualified_identifier(dataset->schema, dataset->table);
}

static Oid
relation_of_that_name(const Dataset *dataset)
{
	Oid			namespace = get_namespace_oid(dataset->schema, true);

	return OidIsValid(namespace) ? get_relname_relid(dataset->table, namespace) : InvalidOid;
}

Oid
table_find(const Dataset *dataset)
{
	Oid			found = relation_of_that_name(dataset);

	/* renamed or moved by hand, it is still the dataset's table */
	if (OidIsValid(dataset->relation) && get_rel_relkind(dataset->relation) == RELKIND_RELATION)
		return dataset->relation;
	if (OidIsValid(found))
		catalog_refuse_relation(dataset, found);
	return InvalidOid;
}

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

static bool
wants_not_null(const Dataset *dataset, const char *column)
{
	/* a row without a time could neither be found again nor outlive retention */
	if (dataset->append && strcmp(dataset->time_column, column) == 0)
		return true;
	return declared_not_null(dataset->columns, dataset->indexes, column);
}

char *
column_definition(Form_pg_attribute attribute)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s %s", quote_identifier(NameStr(attribute->attname)),
					 format_type_extended(attribute->atttypid, attribute->atttypmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	if (OidIsValid(attribute->attcollation) &&
		attribute->attcollation != get_typcollation(attribute->atttypid))
		appendStringInfo(&text, " COLLATE %s", generate_collation_name(attribute->attcollation));
	return text.data;
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
static void
check_index_columns(const Dataset *dataset, TupleDesc result)
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
						 errhint("Correct the manifest, or add the column to refresh_sql.")));
		}
	}
}

Oid
table_create(const Dataset *dataset, TupleDesc result, Oid owner)
{
	StringInfoData command;
	Oid			table;
	ListCell   *cell;

	check_index_columns(dataset, result);
	catalog_ensure_schema(dataset->schema, owner);
	abort_durably();
	initStringInfo(&command);
	appendStringInfo(&command, "CREATE %sTABLE %s (", dataset->unlogged ? "UNLOGGED " : "",
					 table_name(dataset));
	for (int i = 0; i < result->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(result, i);

		appendStringInfo(&command, "%s%s%s", i == 0 ? "" : ", ", column_definition(attribute),
						 wants_not_null(dataset, NameStr(attribute->attname)) ? " NOT NULL" : "");
	}
	appendStringInfoString(&command, ") USING heap");
	catalog_run(command.data);
	CommandCounterIncrement();
	table = relation_of_that_name(dataset);
	storage_note(table);
	catalog_ensure_owner(table, owner);
	catalog_grant_defaults(table, owner);
	/* so that DROP EXTENSION says which tables would stay without their keeper */
	catalog_depend_on_extension(RelationRelationId, table);
	CommandCounterIncrement();
	foreach(cell, dataset->indexes)
	{
		IndexBuild	index = {.definition = lfirst(cell)};

		storage_draw(InvalidOid, get_rel_persistence(table), &index.table_number, 1);
		index_create_on_table(&index, table, false);
	}
	return table;
}

void
table_comment(const Dataset *dataset, Oid relation)
{
	const char *kind = catalog_relation_kind(relation);
	char	   *name = catalog_relation_name(relation);
	ListCell   *cell;

	catalog_run(psprintf("COMMENT ON %s %s IS %s", kind, name,
						 dataset->description ? quote_literal_cstr(dataset->description) : "NULL"));
	foreach(cell, dataset->columns)
	{
		DatasetColumn *column = lfirst(cell);

		if (get_attnum(relation, column->name) == InvalidAttrNumber)
			continue;
		catalog_run(psprintf("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
							 column->description ? quote_literal_cstr(column->description) : "NULL"));
	}
}

bool
table_has_checks(Oid table)
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

bool
table_lost_its_rows(const Dataset *dataset)
{
	Relation	relation;
	bool		lost;

	if (!OidIsValid(dataset->relation))
		return dataset->loaded;
	relation = try_relation_open(dataset->relation, AccessShareLock);
	if (relation == NULL)
		return true;
	lost = relation->rd_rel->relkind == RELKIND_RELATION && dataset->rows > 0 &&
		RelationGetNumberOfBlocks(relation) == 0;
	relation_close(relation, AccessShareLock);
	return lost;
}

/* the source that stands in for the table until its first load is none */
static bool
has_children(Relation table, const Dataset *dataset)
{
	return table->rd_rel->relhassubclass &&
		list_delete_oid(find_inheritance_children(RelationGetRelid(table), NoLock),
						dataset->source_relation) != NIL;
}

void
refuse_unswappable(Relation table, const Dataset *dataset)
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
	else if (dataset->unlogged && table->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT &&
			 table_is_published(RelationGetRelid(table)))
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
		build->notnull[attnum - 1] = before || wants_not_null(dataset, name);
	}
}

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
 * Only the function that makes the TOAST tables of system catalogs can be told
 * which numbers to take.  It finds the heap by its name alone, which a search_path
 * cannot lead to in every schema ("$user"): there the server chooses.
 */
static void
create_toast(const TableBuild *build, Relation heap)
{
	char	   *name = pstrdup(RelationGetRelationName(heap));

	catalog_pin_setting("search_path", psprintf("%s, pg_temp",
												quote_identifier(get_namespace_name(RelationGetNamespace(heap)))));
	if (RelnameGetRelid(name) == build->heap)
		BootstrapToastTable(name, build->toast_number, build->toast_index_number);
	else
	{
		NewRelationCreateToastTable(build->heap, (Datum) 0);
		CommandCounterIncrement();
		storage_note(build->heap);
	}
}

void
build_add_toast(TableBuild *build)
{
	Relation	heap = table_open(build->heap, AccessExclusiveLock);
	CatalogRights rights;

	if (!OidIsValid(heap->rd_rel->reltoastrelid) && table_relation_needs_toast_table(heap))
	{
		catalog_enter(&rights);
		create_toast(build, heap);
		catalog_leave(&rights);
		CommandCounterIncrement();
	}
	table_close(heap, NoLock);
}

/*
 * The new heap lives beside the table under a name of its own.  relrewrite
 * tells logical decoding that its rows are not for subscribers.
 */
static Oid
create_heap(TableBuild *build, Relation table)
{
	char		name[NAMEDATALEN];
	char		persistence = build->dataset->unlogged || build->apart ?
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
	heap = heap_create_with_catalog(name, RelationGetNamespace(table), table->rd_rel->reltablespace,
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
	build->heap = create_heap(build, table);
	table_close(table, AccessShareLock);
	return before;
}

TableBuild *
build_begin(const Dataset *dataset, Oid table_oid, TupleDesc result, bool may_alter, bool apart)
{
	TableBuild *build = palloc0(sizeof(TableBuild));
	Relation	table = try_relation_open(table_oid, AccessShareLock);
	int			appended;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("table of dataset \"%s\" was dropped during the refresh", dataset->name)));
	refuse_unswappable(table, dataset);
	if (dataset->changed)
		check_index_columns(dataset, result);
	build->dataset = dataset;
	build->table = table_oid;
	build->apart = apart;
	build->published = table_is_published(table_oid);
	build->table_desc = CreateTupleDescCopyConstr(RelationGetDescr(table));
	appended = plan_columns(build, result);
	if (!build->same_shape && !may_alter)
		refuse_other_shape(build, result);
	build->desc = future_descriptor(build, result, appended);
	plan_not_null(build);
	index_plan(build, table);
	build->heap = create_heap(build, table);
	table_close(table, AccessShareLock);
	return build;
}
