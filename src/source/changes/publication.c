/*-------------------------------------------------------------------------
 *
 * publication.c
 *		What a source publishes of a dataset's table.
 *
 * A publication restricts the source's application: once a table's updates are
 * published, the source refuses an UPDATE of a table without a replica identity,
 * or whose identity or filter has a column that is not published.  A sidecar must
 * not break the application whose data it reads.  So all of this is checked before
 * a publication is created.
 *
 * The publication's name has the table and a hash of columns and filter.  So
 * sidecars that want the same columns and rows share one publication.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "catalog/changes_sql.h"
#include "source/changes/publication.h"
#include "source/source_name.h"

#define OLDEST_SERVER	150000
#define OLDEST_STANDBY	160000

/* the table itself */
typedef struct SourceTable
{
	char	   *oid;
	char		kind;
	char		identity;		/* relreplident */
	bool		standby;		/* nothing can be made where it is */
	List	   *key;			/* of char *: the replica identity, or the primary key */
} SourceTable;

static char *
qualified_name(const Dataset *dataset)
{
	return quote_qualified_identifier(dataset->remote_schema, dataset->remote_table);
}

static void
refuse_table(const Dataset *dataset, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("changes of %s, the source of dataset \"%s\", cannot be followed: %s",
					qualified_name(dataset), dataset->name, problem),
			 errhint("%s", hint)));
}

static void
check_server(const Dataset *dataset, const char *version, const char *wal_level, bool standby)
{
	if (atoi(version) < OLDEST_SERVER)
		refuse_table(dataset, "the source's server is older than PostgreSQL 15",
					 "Write refresh_mode: full or append.");
	if (standby && atoi(version) < OLDEST_STANDBY)
		refuse_table(dataset, "the source's server is a standby, which has changes to give from PostgreSQL 16 on",
					 "Name the primary in pg_host, or write refresh_mode: full or append.");
	if (strcmp(wal_level, "logical") != 0)
		refuse_table(dataset, psprintf("wal_level of the source is %s", wal_level),
					 "Set wal_level = logical on the source, and restart it.");
}

static List *
first_column(const RemoteRows *rows)
{
	List	   *list = NIL;

	for (int row = 0; row < rows->n_rows; row++)
		list = lappend(list, remote_value(rows, row, 0));
	return list;
}

static SourceTable *
find_table(Remote *remote)
{
	const Dataset *dataset = remote_dataset(remote);
	SourceTable *table = palloc0(sizeof(SourceTable));
	RemoteRows *rows;

	rows = remote_query(remote,
						psprintf("SELECT c.oid, c.relkind, c.relreplident, c.relpersistence,"
								 " current_setting('server_version_num'), current_setting('wal_level'),"
								 " pg_is_in_recovery()"
								 " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
								 " WHERE n.nspname = %s AND c.relname = %s",
								 quote_literal_cstr(dataset->remote_schema),
								 quote_literal_cstr(dataset->remote_table)), NULL);
	if (rows->n_rows == 0)
		source_refuse_missing_relation(dataset);
	table->standby = remote_value(rows, 0, 6)[0] == 't';
	check_server(dataset, remote_value(rows, 0, 4), remote_value(rows, 0, 5), table->standby);
	table->oid = remote_value(rows, 0, 0);
	table->kind = remote_value(rows, 0, 1)[0];
	table->identity = remote_value(rows, 0, 2)[0];
	if ((table->kind != RELKIND_RELATION && table->kind != RELKIND_PARTITIONED_TABLE) ||
		remote_value(rows, 0, 3)[0] != RELPERSISTENCE_PERMANENT)
		refuse_table(dataset, "it is not a logged table", "Write refresh_mode: full or append.");
	rows = remote_query(remote,
						psprintf("SELECT a.attname FROM pg_catalog.pg_index i,"
								 " unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY k(attnum, position)"
								 " JOIN pg_catalog.pg_attribute a ON a.attrelid = %s AND a.attnum = k.attnum"
								 " WHERE i.indrelid = %s AND %s ORDER BY k.position", table->oid, table->oid,
								 table->identity == REPLICA_IDENTITY_INDEX ? "i.indisreplident" :
	/* one that is checked at the commit is no replica identity */
								 "i.indisprimary AND i.indimmediate"), NULL);
	table->key = first_column(rows);
	return table;
}

/* the first of names that is not in list, or NULL */
static const char *
missing_name(List *names, List *list)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (!catalog_names_have(list, lfirst(cell)))
			return lfirst(cell);
	}
	return NULL;
}

static void
check_identity(const Dataset *dataset, const SourceTable *table)
{
	if (table->identity == REPLICA_IDENTITY_FULL ||
		(table->identity != REPLICA_IDENTITY_NOTHING && table->key != NIL))
		return;
	refuse_table(dataset, "it has no replica identity, so its updates and deletes cannot be published",
				 "On the source, give it a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL; or name in pg_publication one WITH (publish = 'insert').");
}

/* would updates of the table still work, once it is published like this? */
static void
check_query(const Dataset *dataset, const SourceTable *table, const ChangesQuery *query)
{
	bool		full = table->identity == REPLICA_IDENTITY_FULL;
	const char *missing;

	check_identity(dataset, table);
	if (full && query->columns != NIL)
		refuse_table(dataset, "its replica identity is FULL, which wants all columns published",
					 "SELECT * in refresh_sql, or on the source ALTER TABLE ... REPLICA IDENTITY DEFAULT or USING INDEX.");
	missing = query->columns == NIL ? NULL : missing_name(table->key, query->columns);
	if (missing != NULL)
		refuse_table(dataset, psprintf("refresh_sql leaves out column \"%s\" of its replica identity", missing),
					 "SELECT it in refresh_sql.");
	missing = full ? NULL : missing_name(query->filter_columns, table->key);
	if (missing != NULL)
		refuse_table(dataset, psprintf("refresh_sql filters by column \"%s\", which is not in its replica identity", missing),
					 "On the source, ALTER TABLE ... REPLICA IDENTITY FULL, or USING INDEX of a unique index that has the column; or filter by the key.");
}

static char *
column_clause(List *columns)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, columns)
		appendStringInfo(&text, "%s%s", cell == list_head(columns) ? "" : ", ", quote_identifier(lfirst(cell)));
	return text.data;
}

/* the same columns and filter, the same name */
static char *
own_publication(const Dataset *dataset, const ChangesQuery *query)
{
	char	   *what = psprintf("%s (%s) %s", qualified_name(dataset), column_clause(query->columns),
								query->filter ? query->filter : "");
	uint64		hash = hash_bytes_extended((unsigned char *) what, (int) strlen(what), 0);
	int			length = pg_mbcliplen(dataset->remote_table, (int) strlen(dataset->remote_table), 32);

	return psprintf("spice_%.*s_%08x%08x", length, dataset->remote_table, (uint32) (hash >> 32), (uint32) hash);
}

/*
 * What a publication gives, NULL when it is not there or does not have the
 * table.  The columns it lists are those it has, if it lists none.
 */
static PublishedTable *
read_publication(Remote *remote, const SourceTable *table, const char *publication)
{
	const Dataset *dataset = remote_dataset(remote);
	PublishedTable *published = palloc0(sizeof(PublishedTable));
	StringInfoData shape;
	RemoteRows *rows;

	rows = remote_query(remote,
						psprintf("SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.rowfilter,"
								 " p.pubupdate OR p.pubdelete"
								 " FROM pg_catalog.pg_publication p"
								 " JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname"
								 " JOIN pg_catalog.pg_attribute a ON a.attrelid = %s AND a.attname = ANY (t.attnames)"
								 " WHERE p.pubname = %s AND t.schemaname = %s AND t.tablename = %s"
								 " AND a.attnum > 0 AND NOT a.attisdropped AND (a.attgenerated = ''"
								 " OR current_setting('server_version_num')::int >= 180000)"
								 " ORDER BY a.attnum", table->oid, quote_literal_cstr(publication),
								 quote_literal_cstr(dataset->remote_schema),
								 quote_literal_cstr(dataset->remote_table)), NULL);
	if (rows->n_rows == 0)
		return NULL;
	published->publication = pstrdup(publication);
	published->columns = first_column(rows);
	published->filter = remote_value(rows, 0, 2);
	published->changes_rows = remote_value(rows, 0, 3)[0] == 't';
	published->key = table->key;
	published->identity_full = table->identity == REPLICA_IDENTITY_FULL;
	published->partitioned = table->kind == RELKIND_PARTITIONED_TABLE;
	initStringInfo(&shape);
	for (int row = 0; row < rows->n_rows; row++)
		appendStringInfo(&shape, "%s %s, ", quote_identifier(remote_value(rows, row, 0)), remote_value(rows, row, 1));
	appendStringInfo(&shape, "key (%s)", column_clause(table->key));
	if (published->filter != NULL)
		appendStringInfo(&shape, " where %s", published->filter);
	published->shape = shape.data;
	return published;
}

static ChangesQuery *
query_of(const Dataset *dataset)
{
	return changes_sql_parse(dataset->refresh_sql, dataset->name, dataset->schema, dataset->table);
}

/* TABLE ...: what of it is published */
static char *
table_clause(const Dataset *dataset, const SourceTable *table, const ChangesQuery *query)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "TABLE %s%s", table->kind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					 qualified_name(dataset));
	if (query->columns != NIL)
		appendStringInfo(&text, " (%s)", column_clause(query->columns));
	if (query->filter != NULL)
		appendStringInfo(&text, " WHERE (%s\n)", query->filter);
	return text.data;
}

static void
refuse_creation(const Dataset *dataset, const SourceTable *table, const char *statement)
{
	if (table->standby)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the source of dataset \"%s\" is a standby, where no publication can be made", dataset->name),
				 errhint("Have the owner of the table run this on the primary: %s", statement)));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the user of dataset \"%s\" may not make a publication on its source", dataset->name),
			 errhint("Have the owner of the table run this there: %s", statement)));
}

/* several sidecars may be at it */
static void
create_publication(Remote *remote, const SourceTable *table, const ChangesQuery *query,
				   const char *publication)
{
	const Dataset *dataset = remote_dataset(remote);
	const char *clause = table_clause(dataset, table, query);
	const char *statement = psprintf("CREATE PUBLICATION %s FOR %s%s", quote_identifier(publication), clause,
									 table->kind == RELKIND_PARTITIONED_TABLE ?
									 " WITH (publish_via_partition_root = true)" : "");

	if (remote_query(remote, statement, "42501 42710 23505 25006") != NULL)
		(void) remote_query(remote, psprintf("COMMENT ON PUBLICATION %s IS 'made by spice for those who follow %s'",
											 quote_identifier(publication), dataset->remote_table), NULL);
	else if (remote_query(remote, psprintf("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = %s",
										   quote_literal_cstr(publication)), NULL)->n_rows == 0)
		refuse_creation(dataset, table, statement);
	else
		/* it is there, and may have lost the table, which was dropped and made again */
		(void) remote_query(remote, psprintf("ALTER PUBLICATION %s SET %s", quote_identifier(publication), clause),
							"42501 25006");
}

static void
refuse_publication(const Dataset *dataset, const char *publication)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("publication \"%s\" on the source of dataset \"%s\" is not there, or does not have %s",
					publication, dataset->name, qualified_name(dataset)),
			 errhint("On the source, CREATE PUBLICATION or ALTER PUBLICATION ... ADD TABLE, of a partitioned table WITH (publish_via_partition_root = true).")));
}

PublishedTable *
changes_look(Remote *source)
{
	const Dataset *dataset = remote_dataset(source);
	const char *given = catalog_param(dataset, "pg_publication");
	SourceTable *table = find_table(source);

	return read_publication(source, table, given ? given : own_publication(dataset, query_of(dataset)));
}

PublishedTable *
changes_publish(Remote *source)
{
	const Dataset *dataset = remote_dataset(source);
	const char *given = catalog_param(dataset, "pg_publication");
	SourceTable *table = find_table(source);
	PublishedTable *published;
	const char *name;

	if (given != NULL)
		name = given;
	else
	{
		ChangesQuery *query = query_of(dataset);

		check_query(dataset, table, query);
		name = own_publication(dataset, query);
		if (read_publication(source, table, name) == NULL)
			create_publication(source, table, query, name);
	}
	published = read_publication(source, table, name);
	if (published == NULL)
		refuse_publication(dataset, name);
	if (published->changes_rows)
		check_identity(dataset, table);
	return published;
}
