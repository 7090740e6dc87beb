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

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "table/table.h"

static char *
relation_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  get_rel_name(relation));
}

/* the table's columns, each after a prefix, separated by commas */
static char *
column_list(const TableBuild *build, const char *prefix)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < build->table_desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(build->table_desc, i);

		if (!attribute->attisdropped)
			appendStringInfo(&list, "%s%s%s", list.len ? ", " : "", prefix,
							 quote_identifier(NameStr(attribute->attname)));
	}
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

char *
newest_per_key(const Dataset *dataset, const DatasetConflict *conflict)
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

char *
distinct_by_key(const TableBuild *build, const DatasetConflict *conflict)
{
	return psprintf("SELECT DISTINCT ON (%s) %s FROM %s ORDER BY %s", key_list(conflict),
					column_list(build, ""), relation_name(build->heap),
					newest_per_key(build->dataset, conflict));
}

static void
merge_difference(const TableBuild *build, const char *condition, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");

	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM %s"
										" EXCEPT ALL SELECT %s FROM %s q WHERE %s",
										relation_name(build->table), columns, columns,
										relation_name(build->heap), columns,
										relation_name(build->table), condition));
	counts->unchanged = build->rows - counts->inserted;
}

static void
merge_drop(const TableBuild *build, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");

	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY ctid"
										" ON CONFLICT DO NOTHING",
										relation_name(build->table), columns, columns,
										relation_name(build->heap)));
	counts->dropped = build->rows - counts->inserted;
}

static void
merge_upsert(const TableBuild *build, const DatasetConflict *conflict, MergeCounts *counts)
{
	char	   *columns = column_list(build, "");
	char	   *news = psprintf("(%s)", distinct_by_key(build, conflict));
	char	   *table = relation_name(build->table);
	int64		newest;

	newest = execute(psprintf("SELECT 1 FROM %s n", news));
	counts->updated = execute(psprintf("UPDATE %s t SET (%s) = ROW(%s) FROM %s n WHERE %s"
									   " AND ROW(%s) OPERATOR(pg_catalog.*<>) ROW(%s)%s",
									   table, columns, column_list(build, "n."), news, same_key(conflict),
									   column_list(build, "t."), column_list(build, "n."),
									   newer_wins(build->dataset, conflict)));
	counts->inserted = execute(psprintf("INSERT INTO %s (%s) SELECT %s FROM %s n"
										" WHERE NOT EXISTS (SELECT 1 FROM %s t WHERE %s)",
										table, columns, columns, news, table, same_key(conflict)));
	counts->dropped = build->rows - newest;
	counts->unchanged = newest - counts->updated - counts->inserted;
}
