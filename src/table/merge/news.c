/*-------------------------------------------------------------------------
 *
 * news.c
 *		News of a source into the table that has the rest: refresh_mode append.
 *
 * The rows at and past the watermark have been loaded into a heap of their
 * own, the news.  A few statements bring them into the table, each
 * linear in the news and, by an index, in the rows of the table that they
 * meet.  A row that is there already, as it is, is not touched: a refresh
 * without news writes no page of the table.
 *
 *		no on_conflict	what is new is added.  Rows at the watermark come again
 *						and again, so what the table has is subtracted first, as
 *						often as it has it: a multiset difference.  Rows are the
 *						same if they are stored as the same bytes (diff.c).
 *		drop			the row that is there stays
 *		upsert			the newest of a key's rows wins
 *
 * Position in the source is position in the news: rows were written in order,
 * so ctid tells.
 *
 * The statements run as the table's owner, in a search_path that others may be
 * able to create in, because conditions and types of the table may need it.  So
 * no operator, function or type of ours is left to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "catalog/execute.h"
#include "catalog/relation.h"
#include "catalog/rights.h"
#include "table/merge/diff.h"
#include "table/merge/news.h"

#define PLACES_AT_ONCE	10000	/* that one statement inserts */

/* the columns of the refresh, each after a prefix, separated by commas */
static char *
column_list(const TableBuild *build, const char *prefix)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < build->n_result; i++)
		appendStringInfo(&list, "%s%s%s", i == 0 ? "" : ", ", prefix,
						 quote_identifier(NameStr(TupleDescAttr(build->desc, build->attnums[i] - 1)->attname)));
	return list.data;
}

static Oid
column_type(const TableBuild *build, const char *name)
{
	for (int i = 0; i < build->n_result; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(build->desc, build->attnums[i] - 1);

		if (strcmp(NameStr(attribute->attname), name) == 0)
			return attribute->atttypid;
	}
	return InvalidOid;
}

/* the operator of the type's default order or hash, wherever it is */
static char *
equality(const TableBuild *build, const char *column)
{
	Oid			type = column_type(build, column);
	Oid			operator = OidIsValid(type) ? lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr : InvalidOid;
	HeapTuple	tuple;
	Form_pg_operator form;
	char	   *text;

	/* a key has a unique index, which no type without equality can be in */
	if (!OidIsValid(operator))
		elog(ERROR, "column \"%s\" has no equality", column);
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	text = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return text;
}

/* says something of each column of a key: its name, and after that */
static char *
key_text(const DatasetConflict *conflict, const char *separator, const char *after)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, conflict->columns)
		appendStringInfo(&text, "%s%s%s", text.len ? separator : "", quote_identifier(lfirst(cell)), after);
	return text.data;
}

static char *
key_list(const DatasetConflict *conflict)
{
	return key_text(conflict, ", ", "");
}

static char *
same_key(const TableBuild *build, const DatasetConflict *conflict)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, conflict->columns)
	{
		const char *name = quote_identifier(lfirst(cell));

		appendStringInfo(&text, "%st.%s %s n.%s", text.len ? " AND " : "", name,
						 equality(build, lfirst(cell)), name);
	}
	return text.data;
}

/* does any column of the key hold a null?  Such rows are in conflict with none. */
static char *
null_key(const DatasetConflict *conflict)
{
	return psprintf("(%s)", key_text(conflict, " OR ", " IS NULL"));
}

/* how many rows the query gives; they are counted where they are */
static int64
count_rows(const char *query)
{
	char	   *count;
	int64		rows;

	SPI_connect();
	catalog_execute(psprintf("SELECT pg_catalog.count(*) FROM (%s) c", query), 0, NULL, NULL, NULL);
	count = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	rows = strtoll(count, NULL, 10);
	SPI_finish();
	return rows;
}

/* runs a statement of the merge and says how many rows it wrote */
static int64
execute(const char *command)
{
	int64		rows;

	SPI_connect();
	catalog_execute(command, 0, NULL, NULL, NULL);
	rows = (int64) SPI_processed;
	SPI_finish();
	return rows;
}

static char *
any_null_key(const Dataset *dataset)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, dataset->conflicts)
		appendStringInfo(&text, "%s%s", text.len ? " OR " : "(", null_key(lfirst(cell)));
	appendStringInfoChar(&text, ')');
	return text.data;
}

/* time_column as something that has an order in time: text has none */
static char *
time_expression(const TableBuild *build, const char *prefix)
{
	const char *name = build->dataset->time_column;
	Oid			type = column_type(build, name);

	return psprintf("%s%s%s", prefix, quote_identifier(name),
					type == TEXTOID || type == VARCHAROID ? "::pg_catalog.timestamptz" : "");
}

/* In refresh_mode full there need not be a time. */
static bool
has_time(const TableBuild *build)
{
	return build->dataset->time_column != NULL && OidIsValid(column_type(build, build->dataset->time_column));
}

/* the winner of a key's rows comes first in this order */
static char *
winner_order(const TableBuild *build, const DatasetConflict *conflict)
{
	char	   *keys = key_list(conflict);

	if (conflict->action == CONFLICT_DROP)
		return psprintf("%s, ctid", keys);
	if (conflict->action == CONFLICT_UPSERT_LAST || !has_time(build))
		return psprintf("%s, ctid DESC", keys);
	return psprintf("%s, %s DESC NULLS LAST, ctid DESC", keys, time_expression(build, ""));
}

static char *
winners(const TableBuild *build, const DatasetConflict *conflict)
{
	return psprintf("SELECT DISTINCT ON (%s) %s FROM %s WHERE NOT %s ORDER BY %s", key_list(conflict),
					column_list(build, ""), catalog_relation_name(build->heap), null_key(conflict),
					winner_order(build, conflict));
}

char *
news_winners(const TableBuild *build, const DatasetConflict *conflict)
{
	char	   *heap = catalog_relation_name(build->heap);
	char	   *repeated = psprintf("SELECT 1 FROM %s WHERE NOT %s GROUP BY %s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
									heap, null_key(conflict), key_list(conflict));

	if (count_rows(repeated) == 0)
		return NULL;
	return psprintf("(%s) UNION ALL SELECT %s FROM %s WHERE %s", winners(build, conflict),
					column_list(build, ""), heap, null_key(conflict));
}

/* ------- news that the table does not have ------- */

/* A statement that inserts rows of the news by their places, and the places for its next run. */
typedef struct Insertion
{
	char	   *command;
	Datum	   *places;
	int			n_places;
	int64		inserted;
} Insertion;

static void
insert_places(Insertion *insertion)
{
	Oid			types[] = {TIDARRAYOID};
	Datum		values[] = {
		PointerGetDatum(construct_array(insertion->places, insertion->n_places, TIDOID,
										sizeof(ItemPointerData), false, TYPALIGN_SHORT))
	};

	SPI_connect();
	catalog_execute(insertion->command, 1, types, values, NULL);
	insertion->inserted += SPI_processed;
	SPI_finish();
	pfree(DatumGetPointer(values[0]));
	for (int i = 0; i < insertion->n_places; i++)
		pfree(DatumGetPointer(insertion->places[i]));
	insertion->n_places = 0;
}

static void
add_fresh(void *arg, ItemPointer new_row)
{
	Insertion  *insertion = arg;
	ItemPointer place = palloc(sizeof(ItemPointerData));

	*place = *new_row;
	insertion->places[insertion->n_places++] = PointerGetDatum(place);
	if (insertion->n_places == PLACES_AT_ONCE)
		insert_places(insertion);
}

/* The news need not have what the table has. */
static void
ignore_gone(void *arg pg_attribute_unused(), ItemPointer old_row pg_attribute_unused())
{
}

/* Two hashes of one row differ: so do the rows. */
static bool
tell_apart(void *arg pg_attribute_unused(), ItemPointer old_row pg_attribute_unused(),
		   ItemPointer new_row pg_attribute_unused())
{
	return false;
}

/*
 * Adds the news that the table does not have yet, each as often as it is missing.
 * only: a condition on both sides.  Returns how many were added.
 */
static int64
merge_difference(const TableBuild *build, const char *condition, const char *only, const char *otherwise)
{
	char	   *columns = column_list(build, "");
	char	   *table_name = catalog_relation_name(build->table);
	char	   *news_name = catalog_relation_name(build->heap);
	DiffRows	table = {
		table_open(build->table, RowExclusiveLock),
		psprintf("SELECT q.ctid FROM %s q WHERE %s AND %s", table_name, condition, only)
	};
	DiffRows	news = {
		table_open(build->heap, NoLock),
		psprintf("SELECT q.ctid FROM %s q WHERE %s", news_name, only)
	};
	Insertion	insertion = {
		.command = psprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)%s",
							table_name, columns, columns, news_name, otherwise),
		.places = palloc(sizeof(Datum) * PLACES_AT_ONCE)
	};
	DiffReceiver receiver = {ignore_gone, tell_apart, add_fresh, &insertion};
	bool		was_empty;

	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	(void) diff_run(&table, &news, false, GetActiveSnapshot(), &receiver, &was_empty);
	PopActiveSnapshot();
	if (insertion.n_places > 0)
		insert_places(&insertion);
	table_close(news.relation, NoLock);
	table_close(table.relation, NoLock);
	return insertion.inserted;
}

/* ------- what happens to keys ------- */

/* rows of the news for which a condition holds */
static int64
count_news(const TableBuild *build, const char *condition)
{
	return count_rows(psprintf("SELECT 1 FROM %s WHERE %s", catalog_relation_name(build->heap), condition));
}

/* rows whose key has a null are in conflict with none, and may come again as any row may */
static int64
merge_null_keys(const TableBuild *build, const char *condition)
{
	char	   *null_keys = any_null_key(build->dataset);

	if (count_news(build, null_keys) == 0)
		return 0;
	return merge_difference(build, condition, null_keys, " ON CONFLICT DO NOTHING");
}

static void
merge_drop(const TableBuild *build, const char *condition, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");
	char	   *null_keys = any_null_key(build->dataset);
	int64		inserted;

	inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE NOT %s ORDER BY ctid"
								" ON CONFLICT DO NOTHING",
								catalog_relation_name(build->table), columns, columns,
								catalog_relation_name(build->heap), null_keys));
	counts->dropped = count_news(build, psprintf("NOT %s", null_keys)) - inserted;
	counts->inserted = inserted + merge_null_keys(build, condition);
	counts->unchanged = build->rows - counts->dropped - counts->inserted;
}

static void
merge_upsert(const TableBuild *build, const DatasetConflict *conflict, const char *condition,
			 MergeCounts *counts)
{
	char	   *columns = column_list(build, "");
	char	   *theirs = column_list(build, "t.");
	char	   *ours = column_list(build, "n.");
	char	   *table = catalog_relation_name(build->table);
	char	   *news = winners(build, conflict);
	char	   *key = same_key(build, conflict);
	char	   *newer = "";
	int64		n_news = count_rows(news);

	/* a record that was overtaken by another before it came must not undo it */
	if (conflict->action == CONFLICT_UPSERT)
		newer = psprintf(" AND %s OPERATOR(pg_catalog.>=) %s", time_expression(build, "n."), time_expression(build, "t."));
	/* before rows move: looking for a key then finds one version of it */
	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM (%s) n"
										" WHERE NOT EXISTS (SELECT 1 FROM %s t WHERE %s)",
										table, columns, ours, news, table, key));
	counts->updated = execute(psprintf("UPDATE %s t SET (%s) = ROW (%s) FROM (%s) n WHERE %s"
									   " AND ROW (%s)::record OPERATOR(pg_catalog.*<>) ROW (%s)::record%s",
									   table, columns, ours, news, key, theirs, ours, newer));
	counts->dropped = count_news(build, psprintf("NOT %s", null_key(conflict))) - n_news;
	counts->inserted += merge_null_keys(build, condition);
	counts->unchanged = build->rows - counts->dropped - counts->updated - counts->inserted;
}

MergeCounts
news_merge(TableBuild *build, const char *condition)
{
	MergeCounts counts = {0};
	const DatasetConflict *conflict = build->dataset->conflicts == NIL ? NULL :
	linitial(build->dataset->conflicts);
	CatalogRights rights;

	catalog_enter_unfiltered(build->dataset, &rights);
	if (build->rows == 0)
		;						/* nothing at or past the watermark, not even what is there */
	else if (conflict == NULL)
	{
		counts.inserted = merge_difference(build, condition, "true", "");
		counts.unchanged = build->rows - counts.inserted;
	}
	else if (conflict->action == CONFLICT_DROP)
		merge_drop(build, condition, &counts);
	else
		merge_upsert(build, conflict, condition, &counts);
	catalog_leave(&rights);
	build_drop(build->heap);
	return counts;
}
