/*-------------------------------------------------------------------------
 *
 * mysql_connector.c
 *		Connector mysql: a table of MySQL or MariaDB, by mysql_fdw.
 *
 * The wrapper reads passwords only from user mappings, which are rows of the catalog.
 * But the client library takes the password from the environment variable MYSQL_PWD
 * if the wrapper gives none.  So a refresh sets the variable while the wrapper
 * connects as each role of the refresh, and clears it before any other query is
 * planned.  The wrapper keeps the connections, and no other server is sent this
 * password.  Only refreshes can read a source that has a password.
 *
 * The source compares texts without regard to case and trailing blanks, so only
 * conditions on long texts are sent to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "catalog/execute.h"
#include "catalog/rights.h"
#include "source/connector.h"
#include "source/foreign_option.h"
#include "source/foreign_server.h"
#include "source/resolve.h"
#include "source/source_name.h"

#define PASSWORD_VARIABLE	"MYSQL_PWD"
#define LONGEST_BLOB		8192	/* bytes: the wrapper's buffer, whatever its option
									 * max_blob_size says */

/* The C library keeps its copy of a variable, so the copy is wiped before it is dropped. */
static void
wipe_variable(void)
{
	char	   *password = getenv(PASSWORD_VARIABLE);

	if (password != NULL)
		explicit_bzero(password, strlen(password));
	unsetenv(PASSWORD_VARIABLE);
}

static char *
resolved(Resolver *resolver, const Dataset *dataset, const char *name, const char *otherwise)
{
	char	   *value = resolve_value(resolver, name, catalog_param(dataset, name));

	return value ? value : (char *) otherwise;
}

static List *
server_options(const Dataset *dataset, Resolver *resolver)
{
	List	   *options = list_make3(foreign_option_make("host", resolved(resolver, dataset, "mysql_host", "")),
									 foreign_option_make("port", resolved(resolver, dataset, "mysql_tcp_port", "3306")),
									 foreign_option_make("fetch_size", "1000"));
	char	   *certificate = resolved(resolver, dataset, "mysql_sslrootcert", NULL);

	/* four-byte characters, and times that mean the same in every session */
	options = lappend(options, foreign_option_make("character_set", "utf8mb4"));
	options = lappend(options, foreign_option_make("init_command", "SET time_zone = '+00:00'"));
	if (certificate != NULL)
		options = lappend(options, foreign_option_make("ssl_ca", resolve_path(dataset, certificate)));
	return options;
}

static void
setup_server(const Dataset *dataset)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice secrets",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Resolver   *resolver = resolver_open(dataset, context);

	foreign_server_ensure(dataset, "mysql_fdw", "postgresql-" PG_MAJORVERSION "-mysql-fdw",
						  server_options(dataset, resolver));
	foreign_server_ensure_mapping(dataset, list_make1(foreign_option_make("username", resolved(resolver, dataset, "mysql_user", ""))));
	CommandCounterIncrement();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* the database of from, else that of mysql_db */
static char *
database_name(const Dataset *dataset)
{
	MemoryContext context;
	char	   *name;

	if (dataset->remote_schema != NULL)
		return dataset->remote_schema;
	context = AllocSetContextCreate(CurrentMemoryContext, "spice secrets", ALLOCSET_SMALL_SIZES);
	name = pstrdup(resolved(resolver_open(dataset, context), dataset, "mysql_db", ""));
	MemoryContextDelete(context);
	return name;
}

static List *
table_options(const Dataset *dataset)
{
	return list_make2(foreign_option_make("dbname", database_name(dataset)),
					  foreign_option_make("table_name", dataset->remote_table));
}

/* a type of information_schema, and what holds all of its values */
typedef struct MysqlType
{
	const char *name;
	Oid			type;
	Oid			type_unsigned;	/* InvalidOid: there is no such thing */
	bool		local;
} MysqlType;

static const MysqlType mysql_types[] = {
	{"tinyint", INT2OID, INT2OID, false},
	{"smallint", INT2OID, INT4OID, false},
	{"mediumint", INT4OID, INT4OID, false},
	{"int", INT4OID, INT8OID, false},
	{"bigint", INT8OID, NUMERICOID, false},
	{"decimal", NUMERICOID, NUMERICOID, false},
	{"float", FLOAT4OID, FLOAT4OID, true},
	{"double", FLOAT8OID, FLOAT8OID, false},
	{"date", DATEOID, InvalidOid, false},
	{"datetime", TIMESTAMPOID, InvalidOid, false},
	{"timestamp", TIMESTAMPOID, InvalidOid, false},
	{"time", INTERVALOID, InvalidOid, true},
	{"year", INT4OID, INT4OID, false},
	/* the wrapper reads values of more than 64 kB into the type text itself alone */
	{"mediumtext", TEXTOID, InvalidOid, false},
	{"longtext", TEXTOID, InvalidOid, false},
	{"json", TEXTOID, InvalidOid, false},
	{"binary", BYTEAOID, InvalidOid, false},
	{"varbinary", BYTEAOID, InvalidOid, false},
	{"tinyblob", BYTEAOID, InvalidOid, false},
	{"blob", BYTEAOID, InvalidOid, false},
	{"mediumblob", BYTEAOID, InvalidOid, false},
	{"longblob", BYTEAOID, InvalidOid, false},
};

/* name: data_type, as in "int"; text: column_type, as in "int(10) unsigned" */
static void
map_type(const char *name, const char *text, const char *precision, const char *scale, SourceColumn *column)
{
	bool		is_unsigned = strstr(text, "unsigned") != NULL;

	column->type = TEXTOID;
	column->typmod = -1;
	column->local = true;
	if (pg_strcasecmp(text, "bit(1)") == 0)
	{
		column->type = BITOID;
		column->typmod = 1;
		column->local = false;
	}
	else if (pg_strcasecmp(name, "bit") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" has type %s, which mysql_fdw cannot read", column->name, text),
				 errhint("Name a view in from that leaves it out or makes a number of it.")));
	for (size_t i = 0; i < lengthof(mysql_types); i++)
	{
		const MysqlType *known = &mysql_types[i];

		if (pg_strcasecmp(name, known->name) != 0)
			continue;
		column->local = known->local;
		column->type = is_unsigned && OidIsValid(known->type_unsigned) ? known->type_unsigned : known->type;
		if (pg_strcasecmp(name, "decimal") == 0 && precision != NULL && scale != NULL)
			column->typmod = ((atoi(precision) << 16) | atoi(scale)) + VARHDRSZ;
	}
}

/* an empty comment is none */
static char *
comment_text(int row, int column, MemoryContext context)
{
	char	   *text = catalog_text(row, column, context);

	return text == NULL || text[0] == '\0' ? NULL : text;
}

static void
read_description(const char *schema, Oid *types, Datum *values, MemoryContext context, SourceRelation *source)
{
	catalog_execute(psprintf("SELECT c.table_comment FROM %s.tables c"
							 " WHERE c.table_schema = $1 AND c.table_name = $2 AND c.table_type = 'BASE TABLE'", schema),
					2, types, values, NULL);
	if (SPI_processed == 1)
		source->description = comment_text(0, 1, context);
}

/*
 * The source finds names without regard to case: more than are asked for, and
 * only here they are told apart.
 */
static List *
read_columns(const Dataset *dataset, const char *schema, MemoryContext context, SourceRelation *source)
{
	char	   *database = database_name(dataset);
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(database), CStringGetTextDatum(dataset->remote_table)};
	List	   *columns = NIL;

	catalog_execute(psprintf("SELECT c.column_name, c.data_type, c.column_type, c.numeric_precision,"
							 " c.numeric_scale, c.column_comment, c.table_schema, c.table_name"
							 " FROM %s.columns c WHERE c.table_schema = $1 AND c.table_name = $2"
							 " ORDER BY c.ordinal_position", schema), 2, types, values, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		MemoryContext old;
		SourceColumn *column;

		if (strcmp(catalog_text(row, 7, context), database) != 0 ||
			strcmp(catalog_text(row, 8, context), dataset->remote_table) != 0)
			continue;
		old = MemoryContextSwitchTo(context);
		column = palloc0(sizeof(SourceColumn));
		column->name = catalog_text(row, 1, context);
		map_type(catalog_text(row, 2, context), catalog_text(row, 3, context), catalog_text(row, 4, context),
				 catalog_text(row, 5, context), column);
		column->description = comment_text(row, 6, context);
		columns = lappend(columns, column);
		MemoryContextSwitchTo(old);
	}
	read_description(schema, types, values, context, source);
	return columns;
}

/*
 * Has the wrapper connect as each role that reads the source during a refresh: the
 * extension's owner, who asks for columns, and the owner of the tables, who runs the
 * query.  To plan a query is enough, and of the planned one nothing is run.
 */
static void
connect_with_password(const char *password, const char *schema)
{
	char	   *text = psprintf("SELECT FROM %s.tables", schema);
	RawStmt    *raw = linitial_node(RawStmt, raw_parser(text, RAW_PARSE_DEFAULT));
	Query	   *query = parse_analyze_fixedparams(raw, text, NULL, 0, NULL);
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	if (setenv(PASSWORD_VARIABLE, password, 1) != 0)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	PG_TRY();
	{
		(void) pg_plan_query(copyObject(query), text, 0, NULL);
		SetUserIdAndSecContext(catalog_table_owner(), security | SECURITY_LOCAL_USERID_CHANGE);
		(void) pg_plan_query(query, text, 0, NULL);
	}
	PG_FINALLY();
	{
		SetUserIdAndSecContext(user, security);
		wipe_variable();
	}
	PG_END_TRY();
}

static void
connect_as_readers(const Dataset *dataset, const char *schema)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice secrets",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	char	   *password = resolve_secret(resolver_open(dataset, context), "mysql_pass",
										  catalog_param(dataset, "mysql_pass"));

	if (password != NULL)
		connect_with_password(password, schema);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* opens foreign tables over the two catalogs that are asked, and the connections */
static const char *
open_catalogs(const Dataset *dataset)
{
	const char *schema = foreign_server_begin_schema();
	const char *server = foreign_server_name(dataset);

	foreign_server_add_table(schema, "columns", "table_schema text, table_name text, column_name text, ordinal_position int8,"
							 " data_type text, column_type text, numeric_precision int8, numeric_scale int8,"
							 " column_comment text, character_octet_length numeric", server,
							 list_make2(foreign_option_make("dbname", "information_schema"), foreign_option_make("table_name", "COLUMNS")));
	foreign_server_add_table(schema, "tables", "table_schema text, table_name text, table_type text, table_comment text", server,
							 list_make2(foreign_option_make("dbname", "information_schema"), foreign_option_make("table_name", "TABLES")));
	CommandCounterIncrement();
	connect_as_readers(dataset, schema);
	return schema;
}

static List *
find_columns(const Dataset *dataset, Spool *spool pg_attribute_unused(), SourceRelation *source)
{
	MemoryContext context = CurrentMemoryContext;
	const char *schema = open_catalogs(dataset);
	List	   *columns;

	SPI_connect();
	columns = read_columns(dataset, schema, context, source);
	SPI_finish();
	if (columns == NIL)
		source_refuse_missing_relation(dataset);
	foreign_server_end_schema(schema);
	return columns;
}

/* ------- values that the wrapper cannot read ------- */

/* columns that may hold one: definitions, and the condition on them */
static bool
find_long_columns(const Dataset *dataset, const char *schema, StringInfo definitions, StringInfo condition)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, TEXTOID, NUMERICOID};
	Datum		values[] = {CStringGetTextDatum(database_name(dataset)), CStringGetTextDatum(dataset->remote_table),
	DirectFunctionCall1(int4_numeric, Int32GetDatum(LONGEST_BLOB))};

	SPI_connect();
	catalog_execute(psprintf("SELECT DISTINCT c.column_name FROM %s.columns c WHERE c.table_schema = $1"
							 " AND c.table_name = $2 AND c.character_octet_length > $3"
							 " AND c.data_type IN ('varbinary', 'blob', 'mediumblob', 'longblob')", schema), 3, types, values, NULL);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		const char *name = quote_identifier(catalog_text(row, 1, context));

		appendStringInfo(definitions, "%s%s bytea", row ? ", " : "", name);
		appendStringInfo(condition, "%slength(v.%s) > %d", row ? " OR " : "", name, LONGEST_BLOB);
	}
	SPI_finish();
	return definitions->len > 0;
}

/* the source itself has to evaluate the condition: here such values never arrive */
static void
check_is_shipped(const Dataset *dataset, const char *query)
{
	List	   *raw = raw_parser(query, RAW_PARSE_DEFAULT);
	Query	   *analyzed = parse_analyze_fixedparams(linitial_node(RawStmt, raw), query, NULL, 0, NULL);
	Plan	   *plan = pg_plan_query(analyzed, query, 0, NULL)->planTree;

	while (plan != NULL && !IsA(plan, ForeignScan))
		plan = outerPlan(plan);
	if (plan == NULL || plan->qual != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot tell whether dataset \"%s\" has blobs longer than mysql_fdw reads", dataset->name),
				 errhint("Allow pg_catalog.length(bytea) in mysql_fdw_pushdown.config, or name a view without long blobs in from.")));
}

/*
 * At the first blob that is longer than its buffer the wrapper ends the scan as if
 * there were no more rows.  So a refresh makes sure that there is none, before the
 * load and once more after it.
 */
static void
refuse_long_blobs(const Dataset *dataset)
{
	const char *schema = open_catalogs(dataset);
	StringInfoData definitions,
				condition;
	char	   *query;

	initStringInfo(&definitions);
	initStringInfo(&condition);
	if (find_long_columns(dataset, schema, &definitions, &condition))
	{
		foreign_server_add_table(schema, "long_blobs", definitions.data, foreign_server_name(dataset), table_options(dataset));
		CommandCounterIncrement();
		query = psprintf("SELECT 1 FROM %s.long_blobs v WHERE %s", schema, condition.data);
		check_is_shipped(dataset, query);
		SPI_connect();
		SPI_execute(query, false, 1);
		if (SPI_processed > 0)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the source of dataset \"%s\" has a blob of more than %d bytes", dataset->name, LONGEST_BLOB),
					 errdetail("mysql_fdw would end there, without an error."),
					 errhint("Name a view in from that leaves out or cuts: %s.", definitions.data)));
		SPI_finish();
	}
	foreign_server_end_schema(schema);
}

static const char *
cure(const ErrorData *error)
{
	if (strstr(error->message, "Access denied") != NULL)
		return "Correct mysql_user and mysql_pass, or the secret behind it. A source with a password is read by refreshes only.";
	if (strstr(error->message, "denied") != NULL)
		return "GRANT SELECT on the table to the user of mysql_user, in the source.";
	if (strstr(error->message, "Unknown column") != NULL)
		return "The source's columns have changed: on_schema_change: sync_all_columns follows them, and so does any change of from or columns.";
	if (strstr(error->message, "doesn't exist") != NULL)
		return "Correct from, or make the table again in the source.";
	if (error->sqlerrcode == ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION)
		return "Check that the source's server runs and may be reached, and mysql_host and mysql_tcp_port.";
	return NULL;
}

const Connector mysql_connector = {
	.name = "mysql",
	.options = table_options,
	.setup = setup_server,
	.find = find_columns,
	.check = refuse_long_blobs,
	.cure = cure,
};
