/*-------------------------------------------------------------------------
 *
 * merge.c
 *		News of a source into the table that has the rest: refresh_mode append.
 *
 * The rows at and past the watermark have been loaded into a heap of their
 * own, the news.  Three statements at most bring them into the table, each
 * linear in the news and, by an index, in the rows of the table that they
 * meet.  A row that is there already, as it is, is not touched: a refresh
 * without news writes no page of the table.
 *
 *		no on_conflict	what is new is added.  Rows at the watermark come again
 *						and again, so what the table has is subtracted first, as
 *						often as it has it: a multiset difference.
 *		drop			the row that is there stays
 *		upsert			the newest of a key's rows wins
 *
 * Position in the source is position in the news: rows were written in order,
 * so ctid tells.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "table/table.h"

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

static char *
key_list(const DatasetConflict *conflict)
{
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, conflict->columns)
		appendStringInfo(&list, "%s%s", list.len ? ", " : "", quote_identifier(lfirst(cell)));
	return list.data;
}

static char *
same_key(const DatasetConflict *conflict)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, conflict->columns)
	{
		const char *name = quote_identifier(lfirst(cell));

		appendStringInfo(&text, "%st.%s = n.%s", text.len ? " AND " : "", name, name);
	}
	return text.data;
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

/* the winner of a key's rows comes first in this order */
static char *
winner_order(const Dataset *dataset, const DatasetConflict *conflict)
{
	char	   *keys = key_list(conflict);

	switch (conflict->action)
	{
		case CONFLICT_DROP:
			return psprintf("%s, ctid", keys);
		case CONFLICT_UPSERT_LAST:
			return psprintf("%s, ctid DESC", keys);
		default:
			return psprintf("%s, %s DESC, ctid DESC", keys, quote_identifier(dataset->time_column));
	}
}

static char *
winners(const TableBuild *build, const DatasetConflict *conflict)
{
	return psprintf("SELECT DISTINCT ON (%s) %s FROM %s ORDER BY %s", key_list(conflict),
					column_list(build, ""), catalog_relation_name(build->heap),
					winner_order(build->dataset, conflict));
}

char *
build_winners(const TableBuild *build, const DatasetConflict *conflict)
{
	char	   *repeated = psprintf("SELECT 1 FROM %s GROUP BY %s HAVING count(*) > 1 LIMIT 1",
									catalog_relation_name(build->heap), key_list(conflict));

	return execute(repeated) > 0 ? winners(build, conflict) : NULL;
}

static void
merge_difference(const TableBuild *build, const char *condition, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");

	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM %s"
										" EXCEPT ALL SELECT %s FROM %s q WHERE %s",
										catalog_relation_name(build->table), columns, columns,
										catalog_relation_name(build->heap), columns,
										catalog_relation_name(build->table), condition));
	counts->unchanged = build->rows - counts->inserted;
}

static void
merge_drop(const TableBuild *build, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");

	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY ctid"
										" ON CONFLICT DO NOTHING",
										catalog_relation_name(build->table), columns, columns,
										catalog_relation_name(build->heap)));
	counts->dropped = build->rows - counts->inserted;
}

static void
merge_upsert(const TableBuild *build, const DatasetConflict *conflict, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");
	char	   *theirs = column_list(build, "t.");
	char	   *ours = column_list(build, "n.");
	char	   *table = catalog_relation_name(build->table);
	char	   *news = winners(build, conflict);
	char	   *key = same_key(conflict);
	char	   *newer = "";
	int64		n_news = execute(psprintf("SELECT 1 FROM (%s) n", news));

	/* a record that was overtaken by another before it came must not undo it */
	if (conflict->action == CONFLICT_UPSERT)
		newer = psprintf(" AND n.%s >= t.%s", quote_identifier(build->dataset->time_column),
						 quote_identifier(build->dataset->time_column));
	counts->updated = execute(psprintf("UPDATE %s t SET (%s) = ROW (%s) FROM (%s) n WHERE %s"
									   " AND ROW (%s)::record OPERATOR(pg_catalog.*<>) ROW (%s)::record%s",
									   table, columns, ours, news, key, theirs, ours, newer));
	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM (%s) n"
										" WHERE NOT EXISTS (SELECT 1 FROM %s t WHERE %s)",
										table, columns, ours, news, table, key));
	counts->dropped = build->rows - n_news;
	counts->unchanged = n_news - counts->updated - counts->inserted;
}

MergeCounts
build_merge(TableBuild *build, const char *condition)
{
	MergeCounts counts = {0};
	const DatasetConflict *conflict = build->dataset->conflicts == NIL ? NULL :
		linitial(build->dataset->conflicts);
	CatalogRights rights;

	catalog_enter_as_owner(build->dataset, &rights);
	if (build->rows == 0)
		;						/* nothing at or past the watermark, not even what is there */
	else if (conflict == NULL)
		merge_difference(build, condition, &counts);
	else if (conflict->action == CONFLICT_DROP)
		merge_drop(build, &counts);
	else
		merge_upsert(build, conflict, &counts);
	catalog_leave(&rights);
	build_drop(build->heap);
	return counts;
}
