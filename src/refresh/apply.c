/*-------------------------------------------------------------------------
 *
 * apply.c
 *		From the source to the table.
 *
 * Rows get there in one of four ways.  Each loads a heap of its own, so that the
 * table is not touched before the load has succeeded:
 *
 *		whole		replaces the table's contents, by a swap of storage or by a merge
 *					(full, and the first load of append)
 *		snapshot	the same, from a copy of the source (changes)
 *		news		merges rows at and past the watermark (append)
 *		rebuild		moves the table's own rows into storage of another shape, because
 *					append must not lose rows that the source no longer has
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "executor/spi.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "refresh/apply.h"
#include "refresh/follow/snapshot.h"
#include "refresh/query.h"
#include "refresh/state.h"
#include "secret/redact.h"
#include "source/foreign_table.h"
#include "source/scan/offer.h"
#include "source/source.h"
#include "table/alter.h"
#include "table/build.h"
#include "table/index.h"
#include "table/load/analyze.h"
#include "table/load/load.h"
#include "table/make.h"
#include "table/merge/news.h"
#include "table/merge/whole.h"
#include "table/plan.h"
#include "table/published.h"
#include "table/swap.h"
#include "table/swap_lock.h"
#include "table/sync.h"
#include "table/toast.h"

static double
elapsed_ms(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_MILLISEC(now);
}

static const char *
refresh_query(const Refresh *refresh)
{
	return refresh->refresh_sql ? refresh->refresh_sql : refresh->dataset->refresh_sql;
}

static bool
has_no_override(const Refresh *refresh)
{
	return refresh->refresh_sql == NULL && refresh->refresh_mode == NULL;
}

static void
add_notice(Refresh *refresh, char *notice)
{
	refresh->notice = refresh->notice ? psprintf("%s; %s", refresh->notice, notice) : notice;
}

/* The JSON pointer to a field of the document. */
static char *
pointer_to(const char *field)
{
	StringInfoData pointer;

	initStringInfo(&pointer);
	appendStringInfoChar(&pointer, '/');
	for (; *field != '\0'; field++)
	{
		if (*field == '~' || *field == '/')
			appendStringInfo(&pointer, "~%d", *field == '/');
		else
			appendStringInfoChar(&pointer, *field);
	}
	return pointer.data;
}

static void
note_unknown_fields(Refresh *refresh)
{
	List	   *null_fields = source_null_fields(refresh->dataset);

	if (refresh->source_report.unknown_total > 0)
		add_notice(refresh, psprintf("%lld values of fields that are no column, the first \"%s\"",
									 (long long) refresh->source_report.unknown_total,
									 refresh->source_report.unknown_name));
	if (refresh->source_report.invalid_total > 0)
		add_notice(refresh, psprintf("%lld values did not fit their columns and were %s, the first in column \"%s\" of record %lld",
									 (long long) refresh->source_report.invalid_total,
									 strcmp(refresh->dataset->invalid_value_action, "null") == 0 ? "made null" : "replaced or made null",
									 refresh->source_report.invalid_column,
									 (long long) refresh->source_report.invalid_record));
	if (refresh->source_report.wrapper_name[0] != '\0')
		add_notice(refresh, psprintf("the only record has an array of records in field \"%s\"; params.json_pointer: %s reads these",
									 refresh->source_report.wrapper_name, pointer_to(refresh->source_report.wrapper_name)));
	if (refresh->response != NULL && refresh->response->more != NULL)
		add_notice(refresh, psprintf("the source seems to have more: %s of the response leads to a next page, which params.pagination_next_pointer follows",
									 refresh->response->more));
	if (refresh->dataset->renamed != NULL)
		add_notice(refresh, refresh->dataset->renamed);
	if (null_fields != NIL)
		add_notice(refresh, psprintf("field \"%s\" is no column, as it has had nothing but null"
									 " (%d such fields): declare its type under columns, or wait for its first value",
									 (char *) linitial(null_fields), list_length(null_fields)));
}

/* A load that succeeds and lacks something says so in spice.datasets, and in the server's log. */
static void
warn(Refresh *refresh, char *warning, const char *hint)
{
	refresh->warning = warning;
	ereport(WARNING,
			(errmsg("dataset \"%s\": %s", refresh->dataset->name, redact_text(warning)),
			 errhint("%s", redact_text(hint))));
}

/* Has the table a value in the column, or has the load before warned of it? */
static bool
had_values(const Dataset *dataset, const char *column)
{
	CatalogArguments arguments = {0};
	CatalogRights rights;
	bool		found;

	catalog_add_int(&arguments, dataset->id);
	catalog_add_text(&arguments, psprintf("\"%s\"", column));
	if (catalog_query("SELECT 1 FROM spice_catalog.dataset WHERE id = $1 AND strpos(load_warning, $2) > 0", &arguments)->n > 0)
		return true;
	if (!dataset->loaded || !OidIsValid(dataset->relation) ||
		get_attnum(dataset->relation, column) == InvalidAttrNumber)
		return false;
	catalog_enter_unfiltered(dataset, &rights);
	SPI_connect();
	catalog_execute(psprintf("SELECT 1 FROM %s WHERE %s IS NOT NULL LIMIT 1",
							 catalog_relation_name(dataset->relation), quote_identifier(column)), 0, NULL, NULL, NULL);
	found = SPI_processed > 0;
	SPI_finish();
	catalog_leave(&rights);
	return found;
}

/* Has the source renamed a field?  Of rows that are appended any may lack one. */
static void
note_absent_column(Refresh *refresh)
{
	const SourceReport *report = &refresh->source_report;
	bool		renamed = report->unknown_total > 0;

	if (report->absent_name[0] == '\0' || !source_fetches(refresh->dataset) || dataset_appends(refresh->dataset) ||
		!had_values(refresh->dataset, report->absent_name))
		return;
	add_notice(refresh, psprintf("no record has a field for column \"%s\"", report->absent_name));
	warn(refresh, psprintf("no record has a field for column \"%s\", which is null in all rows%s", report->absent_name,
						   renamed ? psprintf("; field \"%s\" is no column", report->unknown_name) : ""),
		 psprintf("If the source calls it otherwise, write columns: [{name: %s, source: %s}] in the manifest.",
				  report->absent_name, renamed ? report->unknown_name : "..."));
}

static void
note_future(Refresh *refresh)
{
	char	   *text;

	if (refresh->watermark == NULL || !refresh->watermark->future)
		return;
	text = psprintf("the newest \"%s\" of the table, %s, lies in the future: rows before it are no news",
					refresh->dataset->time_column, refresh->watermark->newest);
	add_notice(refresh, text);
	warn(refresh, text, "Delete such rows, and set refresh_append_max_future to keep others out.");
}

static Oid
find_or_create_table(Dataset *dataset, TupleDesc result)
{
	Oid			table = table_find(dataset);

	if (!OidIsValid(table))
	{
		table = table_create(dataset, result, catalog_table_owner());
		/* it was created from the definition, so there is nothing left to alter */
		dataset->changed = false;
	}
	else
		catalog_ensure_owner(table, catalog_table_owner());
	return table;
}

static void
check_override(const Refresh *refresh)
{
	if (refresh->refresh_sql != NULL && refresh->dataset->changed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dataset \"%s\" has not been loaded with its present definition",
						refresh->dataset->name),
				 errhint("Refresh it without refresh_sql first.")));
}

/* Adds the descriptions that a database has as comments, where the manifest has none. */
static const Dataset *
with_source_descriptions(const Dataset *dataset)
{
	Dataset    *described = palloc(sizeof(Dataset));
	Relation	relation = table_open(dataset->source_relation, AccessShareLock);
	AttrNumber	natts = RelationGetNumberOfAttributes(relation);

	table_close(relation, AccessShareLock);
	*described = *dataset;
	if (described->description == NULL)
		described->description = GetComment(dataset->source_relation, RelationRelationId, 0);
	described->columns = NIL;
	for (AttrNumber i = 1; i <= natts; i++)
	{
		DatasetColumn *column = palloc0(sizeof(DatasetColumn));
		DatasetColumn *declared;

		column->name = get_attname(dataset->source_relation, i, true);
		declared = column->name ? dataset_find_column(dataset->columns, column->name) : NULL;
		if (declared != NULL)
			*column = *declared;
		if (column->name != NULL && column->description == NULL)
			column->description = GetComment(dataset->source_relation, RelationRelationId, i);
		if (column->name != NULL)
			described->columns = lappend(described->columns, column);
	}
	return described;
}

void
apply_descriptions(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	if (dataset->described && !dataset->evolving)
		return;
	if (!source_fetches(dataset) && OidIsValid(dataset->source_relation))
		table_comment(with_source_descriptions(dataset), dataset->relation);
	else
	{
		table_comment(dataset, dataset->relation);
		if (OidIsValid(dataset->source_relation) && dataset->source_relation != dataset->relation)
			table_comment(dataset, dataset->source_relation);
	}
}

/* ------- drift: the source has other fields than the table has columns ------- */

static void
refuse_drift(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	bool		unknown = refresh->source_report.unknown_total > 0;

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the source of dataset \"%s\" has changed its fields", dataset->name),
			 unknown ? errdetail("Field \"%s\" is no column.", refresh->source_report.unknown_name) :
			 source_fetches(dataset) ?
			 errdetail("No record has a field for column \"%s\".", refresh->source_report.absent_name) :
			 errdetail("Column \"%s\" is gone.", refresh->source_report.absent_name),
			 errhint("on_schema_change is fail; append_new_columns and sync_all_columns would follow the source.")));
}

/* Follows new fields if on_schema_change says so; returns whether columns have changed. */
static bool
follow_drift(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;
	bool		unknown = refresh->source_report.unknown_total > 0;
	CatalogRights rights;

	if (dataset->evolving)
		return false;
	if (unknown && source_fetches(dataset) &&
		(dataset_schema_change(dataset) == SCHEMA_APPEND || source_null_fields(dataset) != NIL))
	{
		catalog_enter(&rights);
		dataset->evolving = source_evolve(dataset, refresh->response->spool, false, &refresh->source_report);
		catalog_leave(&rights);
		CommandCounterIncrement();
	}
	if (!dataset->evolving && dataset_schema_change(dataset) == SCHEMA_FAIL &&
		(unknown || refresh->source_report.absent_name[0] != '\0'))
		refuse_drift(refresh);
	return dataset->evolving;
}

/*
 * sync_all_columns finds the columns again in each refresh, because types may
 * change, too.  A column stays if only rows of append lack its field.  A database
 * is asked before the load with any setting, because a query that names a column
 * which is gone fails.
 */
static void
sync_source(Refresh *refresh)
{
	Dataset    *dataset = refresh->dataset;
	bool		fetches = source_fetches(dataset);
	CatalogRights rights;

	if (dataset->source_changed || dataset_schema_change(dataset) == SCHEMA_BLOCK ||
		(fetches && dataset_schema_change(dataset) != SCHEMA_SYNC))
		return;
	catalog_enter(&rights);
	dataset->evolving = source_evolve(dataset, fetches ? refresh->response->spool : NULL,
									  dataset_schema_change(dataset) == SCHEMA_SYNC && refresh->watermark == NULL,
									  &refresh->source_report);
	catalog_leave(&rights);
	CommandCounterIncrement();
	if (!fetches)
	{
		(void) follow_drift(refresh);
		memset(&refresh->source_report, 0, sizeof(refresh->source_report));
	}
}

/* ------- the ways ------- */

/* The type of time_column in the refresh query's result. */
static Oid
time_column_type(const Dataset *dataset, TupleDesc result)
{
	for (int i = 0; i < result->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(result, i)->attname), dataset->time_column) == 0)
			return TupleDescAttr(result, i)->atttypid;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("time_column \"%s\" of dataset \"%s\" is not a column of its refresh",
					dataset->time_column, dataset->name),
			 errhint("Correct time_column, add the column to refresh_sql, or declare its type under columns if it has had nothing but null.")));
}

static char *
join_conditions(char *a, char *b)
{
	return a == NULL ? b : psprintf("%s AND %s", a, b);
}

static RefreshQuery *
plan_whole(Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	RefreshQuery *query = query_plan(dataset, refresh_query(refresh), NULL);
	char	   *condition = NULL;
	Oid			type = InvalidOid;

	if (dataset_appends(dataset) || (dataset->time_column != NULL && dataset->refresh_data_window_ms > 0))
		type = time_column_type(dataset, query->result);
	if (OidIsValid(type) && dataset->refresh_data_window_ms > 0)
		condition = window_condition(dataset, type);
	if (refresh->leaves_future)
		condition = join_conditions(condition, future_condition(dataset, type));
	return condition == NULL ? query : query_plan(dataset, refresh_query(refresh), condition);
}

static RefreshQuery *
plan_news(Refresh *refresh, char **condition)
{
	const Dataset *dataset = refresh->dataset;
	Oid			type = get_atttype(dataset->relation,
								   get_attnum(dataset->relation, dataset->time_column));

	*condition = watermark_condition(dataset, refresh->watermark, type);
	if (refresh->leaves_future)
		*condition = join_conditions(*condition, future_condition(dataset, type));
	return query_plan(dataset, refresh_query(refresh), *condition);
}

/* Checks again for what the source may have become during the load. */
static void
check_source(const Dataset *dataset)
{
	CatalogRights rights;

	catalog_enter(&rights);
	source_check(dataset);
	catalog_leave(&rights);
}

/* Will the whole new version come by a merge instead of a swap? */
static bool
merges_whole(const Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;

	/*
	 * A rebuild changes no row, so subscribers need not hear of it.  A change between logged and
	 * unlogged needs other storage.
	 */
	if (refresh->rebuild || refresh->watermark != NULL ||
		dataset_is_unlogged(dataset) != (get_rel_persistence(dataset->relation) == RELPERSISTENCE_UNLOGGED))
		return false;
	return dataset_refresh_method(dataset) == METHOD_MERGE ||
		(dataset_refresh_method(dataset) == METHOD_FITTING && published_table(dataset->relation));
}

static TableBuild *
begin_build(Refresh *refresh, TupleDesc result)
{
	Dataset    *dataset = refresh->dataset;
	CatalogRights rights;
	TableBuild *build;

	catalog_enter(&rights);
	dataset->relation = find_or_create_table(dataset, result);
	catalog_leave(&rights);
	catalog_enter_as_owner(dataset, &rights);
	build = plan_build(dataset, dataset->relation, result, dataset->changed || dataset->evolving,
					   merges_whole(refresh));
	catalog_leave(&rights);
	return build;
}

static bool
has_spool_in_file(const Refresh *refresh)
{
	return refresh->response != NULL && refresh->response->spool != NULL &&
		spool_path(refresh->response->spool) != NULL;
}

static void
load_query(Refresh *refresh, const RefreshQuery *query, TableBuild *build)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	/* in parallel mode the load cannot create a TOAST table */
	if (query->reader_allowed && has_spool_in_file(refresh))
		toast_add(build);
	query_run(query, load_receiver(build));
	refresh->load_ms += elapsed_ms(start);
}

pg_noreturn static void
refuse_future(const Dataset *dataset, const char *newest)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
			 errmsg("the response of dataset \"%s\" has a time too far in the future", dataset->name),
			 errdetail("The newest \"%s\" is %s, and refresh_append_max_future is %lld s.", dataset->time_column,
					   newest, (long long) dataset->refresh_append_max_future_ms / 1000),
			 errhint("Set refresh_append_future_action: leave_out to go on without such rows, or raise refresh_append_max_future.")));
}

/* Has the new heap rows that the next load of it is to leave out?  A notice counts them. */
static bool
leave_out_future(Refresh *refresh, const TableBuild *build)
{
	const Dataset *dataset = refresh->dataset;
	char	   *newest;

	if (!dataset_appends(dataset))
		return false;
	if (refresh->leaves_future)
	{
		add_notice(refresh, psprintf("%lld rows whose \"%s\" lies too far in the future were left out",
									 (long long) (refresh->rows - build->rows), dataset->time_column));
		return false;
	}
	newest = watermark_beyond(dataset, build->heap);
	if (newest == NULL)
		return false;
	if (dataset->refresh_append_future_action == NULL ||
		strcmp(dataset->refresh_append_future_action, "leave_out") != 0)
		refuse_future(dataset, newest);
	/* until the next load is counted */
	refresh->rows = build->rows;
	return refresh->leaves_future = true;
}

/* Several rows of a response may have one key: on_conflict decides which remains. */
static void
resolve_conflicts(Refresh *refresh, TableBuild *build)
{
	int64		before = build->rows;
	ListCell   *cell;

	foreach(cell, refresh->dataset->conflicts)
	{
		CatalogRights rights;
		char	   *winners;
		RefreshQuery *query;
		Oid			heap;

		catalog_enter_as_owner(refresh->dataset, &rights);
		winners = news_winners(build, lfirst(cell));
		catalog_leave(&rights);
		if (winners == NULL)
			continue;
		query = query_plan_text(refresh->dataset, winners);
		catalog_enter_as_owner(refresh->dataset, &rights);
		heap = build_again(build);
		catalog_leave(&rights);
		load_query(refresh, query, build);
		build_drop(heap);
	}
	refresh->counts.dropped = before - build->rows;
	if (refresh->counts.dropped > 0 && !dataset_appends(refresh->dataset))
		add_notice(refresh, psprintf("%lld rows were left out, as another row has their key",
									 (long long) refresh->counts.dropped));
}

/* Mode full of a dataset that appends is append from the beginning. */
static bool
counts_as_append(const Refresh *refresh)
{
	return dataset_appends(refresh->dataset) || refresh->refresh_mode != NULL;
}

/* Refuses a response with suspiciously few rows. */
static void
check_row_count(const Refresh *refresh, const TableBuild *build)
{
	const Dataset *dataset = refresh->dataset;
	int64		least = Max(dataset->refresh_min_rows, 0);

	if (dataset->loaded && !dataset->reload && dataset->refresh_max_shrink < 1)
		least = Max(least, (int64) ceil(dataset->rows * (1 - dataset->refresh_max_shrink)));
	if (build->rows < least)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the refresh of dataset \"%s\" has too few rows", dataset->name),
				 errdetail("It has %lld rows; refresh_min_rows and refresh_max_shrink ask for at least %lld. The table has %lld.",
						   (long long) build->rows, (long long) least, (long long) dataset->rows),
				 errhint("If the source is right, SELECT spice_reload() after changing them in the manifest.")));
}

/*
 * Nothing reads the response any more.  Removing a large file takes tens of
 * milliseconds, so the caller does that before it takes the swap's lock.
 */
static void
discard_response(const Refresh *refresh)
{
	source_withdraw();
	if (refresh->response != NULL && refresh->response->spool != NULL)
		spool_discard(refresh->response->spool);
}

/* The subscription begins in the transaction that loads its snapshot. */
static void
record_load(Refresh *refresh)
{
	state_loaded(refresh);
	if (refresh->snapshot != NULL)
		snapshot_subscribe(refresh->snapshot, refresh->dataset);
}

/* Does the step in a subtransaction.  Returns the error if rows have one key where they must not. */
static ErrorData *
try_with_keys(Refresh *refresh, TableBuild *build, void (*step) (Refresh *, TableBuild *))
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile violation = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		step(refresh, build);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		violation = CopyErrorData();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (violation->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
			ReThrowError(violation);
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return violation;
}

/*
 * A step that fails if two rows have one key.  To look for such rows takes as long as an
 * index, so that the rows of a dataset that does not append are resolved only after the step
 * has found some.
 */
static void
run_with_keys(Refresh *refresh, TableBuild *build, void (*step) (Refresh *, TableBuild *))
{
	CatalogRights rights;
	ErrorData  *violation = NULL;

	catalog_enter_as_owner(refresh->dataset, &rights);
	if (refresh->dataset->conflicts == NIL || counts_as_append(refresh))
		step(refresh, build);
	else
		violation = try_with_keys(refresh, build, step);
	catalog_leave(&rights);
	if (violation == NULL)
		return;
	resolve_conflicts(refresh, build);
	/* of an index that the manifest does not know: the same rows would violate it again */
	if (refresh->counts.dropped == 0)
		ReThrowError(violation);
	check_row_count(refresh, build);
	catalog_enter_as_owner(refresh->dataset, &rights);
	step(refresh, build);
	catalog_leave(&rights);
}

static void
build_indexes(Refresh *refresh pg_attribute_unused(), TableBuild *build)
{
	index_build_all(build);
}

static void
merge_rows(Refresh *refresh, TableBuild *build)
{
	int64		dropped = refresh->counts.dropped;

	refresh->counts = whole_merge(build);
	refresh->counts.dropped = dropped;
}

/* The new heap becomes the table's storage. */
static void
finish_build(Refresh *refresh, TableBuild *build)
{
	CatalogRights rights;
	instr_time	start;

	/* the indexes may need its disk space */
	discard_response(refresh);
	INSTR_TIME_SET_CURRENT(start);
	run_with_keys(refresh, build, build_indexes);
	catalog_enter_as_owner(refresh->dataset, &rights);
	toast_settle(build);
	analyze_heap(build);
	sync_storage(build->heap);
	refresh->index_ms = elapsed_ms(start);

	/* before the swap's lock, because these may wait */
	refresh->rows = build->rows;
	refresh->outcome = OUTCOME_LOADED;
	if (dataset_appends(refresh->dataset))
		refresh->watermark = watermark_read(refresh->dataset, build->heap);
	note_future(refresh);
	record_load(refresh);
	apply_descriptions(refresh);

	INSTR_TIME_SET_CURRENT(start);
	swap_table(build);
	refresh->swap_ms = elapsed_ms(start);
	/* of columns that the swap has added; all others have their comments */
	if (!build->same_shape)
		apply_descriptions(refresh);
	catalog_leave(&rights);
}

/* Rows that differ between the new heap and the table are written to the table. */
static void
finish_merge(Refresh *refresh, TableBuild *build)
{
	CatalogRights rights;
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	if (dataset_appends(refresh->dataset))
	{
		catalog_enter_as_owner(refresh->dataset, &rights);
		refresh->watermark = watermark_read(refresh->dataset, build->heap);
		catalog_leave(&rights);
	}
	note_future(refresh);
	run_with_keys(refresh, build, merge_rows);
	refresh->swap_ms = elapsed_ms(start);
	catalog_enter_as_owner(refresh->dataset, &rights);
	refresh->rows = refresh->counts.inserted + refresh->counts.updated;
	refresh->outcome = OUTCOME_MERGED;
	if (published_lacks_identity(build->table))
		add_notice(refresh, pstrdup("subscribers could not be told of rows that change or leave: "
									"the table has neither a primary_key nor another replica identity"));
	record_load(refresh);
	apply_descriptions(refresh);
	catalog_leave(&rights);
}

static void
finish_whole(Refresh *refresh, TableBuild *build)
{
	if (build->apart)
	{
		finish_merge(refresh, build);
		return;
	}
	if (build->published)
		add_notice(refresh, pstrdup("the table is in a publication, and its subscribers do not see this: refresh_method is swap"));
	finish_build(refresh, build);
}

static void
load_whole(Refresh *refresh)
{
	RefreshQuery *query = plan_whole(refresh);
	TableBuild *build = begin_build(refresh, query->result);

	refresh->repeatable = has_no_override(refresh) && query->repeatable &&
		refresh->dataset->refresh_data_window_ms == 0;
	load_query(refresh, query, build);
	if (follow_drift(refresh) || leave_out_future(refresh, build))
	{
		build_drop(build->heap);
		load_whole(refresh);
		return;
	}
	check_source(refresh->dataset);
	if (counts_as_append(refresh))
	{
		resolve_conflicts(refresh, build);
		refresh->counts.inserted = build->rows;
	}
	check_row_count(refresh, build);
	note_unknown_fields(refresh);
	note_absent_column(refresh);
	finish_whole(refresh, build);
}

static void
load_news(Refresh *refresh)
{
	char	   *condition;
	RefreshQuery *query = plan_news(refresh, &condition);
	TableBuild *build = begin_build(refresh, query->result);
	CatalogRights rights;
	instr_time	start;

	refresh->repeatable = has_no_override(refresh) && query->repeatable;
	load_query(refresh, query, build);
	if (follow_drift(refresh) || leave_out_future(refresh, build))
	{
		build_drop(build->heap);
		load_news(refresh);
		return;
	}
	check_source(refresh->dataset);
	note_unknown_fields(refresh);

	catalog_enter_as_owner(refresh->dataset, &rights);
	INSTR_TIME_SET_CURRENT(start);
	alter_before_merge(build);
	refresh->counts = news_merge(build, condition);
	refresh->swap_ms = elapsed_ms(start);
	refresh->rows = refresh->counts.inserted + refresh->counts.updated;
	refresh->outcome = OUTCOME_APPENDED;
	if (refresh->rows > 0)
		refresh->watermark = watermark_read(refresh->dataset, refresh->dataset->relation);
	note_future(refresh);
	state_loaded(refresh);
	apply_descriptions(refresh);
	catalog_leave(&rights);
}

static void
load_snapshot(Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	StringInfoData text;
	RefreshQuery *query;
	TableBuild *build;
	instr_time	start;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, refresh->snapshot->table->columns)
		appendStringInfo(&text, "%s%s", text.len ? ", " : "SELECT ", quote_identifier(lfirst(cell)));
	appendStringInfo(&text, " FROM %s", quote_qualified_identifier(dataset->schema, dataset->table));
	/* only its result's columns are used */
	query = query_plan(dataset, text.data, NULL);
	build = begin_build(refresh, query->result);
	INSTR_TIME_SET_CURRENT(start);
	snapshot_load(refresh->snapshot, build, query->result);
	refresh->load_ms = elapsed_ms(start);
	finish_whole(refresh, build);
}

void
apply_source(Refresh *refresh)
{
	check_override(refresh);
	sync_source(refresh);
	if (refresh->response != NULL)
		source_offer(refresh->dataset, refresh->response->spool, &refresh->source_report, refresh->context);
	if (refresh->snapshot != NULL)
		load_snapshot(refresh);
	else if (refresh->watermark != NULL)
		load_news(refresh);
	else
		load_whole(refresh);
	source_withdraw();
}

static void
refuse_old_snapshot(const Dataset *dataset)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("the table of dataset \"%s\" cannot be rebuilt in this transaction", dataset->name),
				 errdetail("Its isolation level is %s, so it may not see the newest rows.",
						   IsolationIsSerializable() ? "SERIALIZABLE" : "REPEATABLE READ"),
				 errhint("Refresh the dataset in a READ COMMITTED transaction.")));
}

void
apply_rebuild(Refresh *refresh)
{
	const Dataset *dataset = refresh->dataset;
	RefreshQuery *query;
	TableBuild *build;

	/* what a writer did after the rows are read would be undone by the swap */
	refuse_old_snapshot(dataset);
	swap_lock_out_writers(dataset->relation, dataset->name);
	query = query_plan_text(dataset, psprintf("SELECT * FROM %s", catalog_relation_name(dataset->relation)));
	build = begin_build(refresh, query->result);
	load_query(refresh, query, build);
	finish_build(refresh, build);
}
