/*-------------------------------------------------------------------------
 *
 * keys.c
 *		The tables of keys, as keys.def writes them.
 *
 * A misspelt key that is ignored in silence costs its author a day, and so does
 * a key that is spelt well and has no effect yet.  The tables tell three cases
 * apart: supported; known to the original runtime and ignored here, which is a
 * warning; unknown, which is an error that proposes the nearest name.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/keys.h"

#include <string.h>

#include "ascii.h"
#include "manifest/definition.h"

/* A longer name is no slip of the pen. */
#define MAX_NAME		48

#define BEGIN_KEYS(table) static const KeyInfo table[] = {
#define END_KEYS(table) };
#define FIELD(key, key_kind, part, ...) SAME(key, key_kind, __VA_ARGS__)
#define SAME(key, key_kind, ...) \
	{.name = #key, .kind = KEY_##key_kind, \
		.field = offsetof(Definition, KEY_FIELD_##key_kind(key)), __VA_ARGS__},
#define LISTS(key, key_kind, part, ...) KEY(#key, key_kind, __VA_ARGS__)
#define PARAM(key, key_kind, part, ...) KEY(#key, key_kind, .param = true, __VA_ARGS__)
#define KEY(key, key_kind, ...) {.name = key, .kind = KEY_##key_kind, .field = -1, __VA_ARGS__},
#define IGNORED(key, key_kind, ...) KEY(key, key_kind, .ignored = true, __VA_ARGS__)
#include "manifest/keys.def"

#define TABLE(place, keys) {place, keys, sizeof(keys) / sizeof(keys[0]), NULL, NULL}
#define PARAMS(connector, prefix, keys) \
	{"params", keys, sizeof(keys) / sizeof(keys[0]), connector, prefix}

const KeyTable keys_of_manifest = TABLE("the manifest", manifest_keys);
const KeyTable keys_of_dataset = TABLE("a dataset", dataset_keys);
const KeyTable keys_of_acceleration = TABLE("acceleration", acceleration_keys);
const KeyTable keys_of_acceleration_params = TABLE("acceleration.params", acceleration_params);
const KeyTable keys_of_column = TABLE("a column", column_keys);
const KeyTable keys_of_secret = TABLE("a secret store", secret_keys);
const KeyTable keys_of_env = TABLE("params", env_params);
const KeyTable keys_of_file = TABLE("params", file_params);
const KeyTable keys_of_http = PARAMS("http", "http_", http_params);
const KeyTable keys_of_file_source = PARAMS("file", "file_", file_source_params);
const KeyTable keys_of_s3 = PARAMS("s3", "s3_", s3_params);
const KeyTable keys_of_postgres = PARAMS("postgres", "pg_", postgres_params);
const KeyTable keys_of_mysql = PARAMS("mysql", "mysql_", mysql_params);

/* a relation of this very database is read with the rights of spice.role */
const KeyTable keys_of_table = {.place = "params", .connector = "table", .prefix = "table_"};

/* Params of other connectors, to say more than "unknown" about them. */
static const char *const connector_prefixes[][2] = {
	{"pg_", "postgres"}, {"mysql_", "mysql"}, {"s3_", "s3"}, {"ftp_", "ftp"},
	{"sftp_", "sftp"}, {"graphql_", "graphql"}, {"debezium_", "debezium"},
	{"kafka_", "kafka"}, {"duckdb_", "duckdb"}, {"github_", "github"},
	{"databricks_", "databricks"}, {"snowflake_", "snowflake"},
	{"dremio_", "dremio"}, {"mssql_", "mssql"}, {"odbc_", "odbc"},
	{"spark_", "spark"}, {"flightsql_", "flightsql"}, {"abfs_", "abfs"},
	{"clickhouse_", "clickhouse"}, {"mongodb_", "mongodb"},
	{"dynamodb_", "dynamodb"}, {"oracle_", "oracle"}, {"imap_", "imap"},
	{"smb_", "smb"}, {"nfs_", "nfs"}, {"gcs_", "gcs"}, {"glue_", "glue"},
	{"iceberg_", "iceberg"}, {"sharepoint_", "sharepoint"},
	{"delta_lake_", "delta_lake"}, {"scylladb_", "scylladb"},
	{"elasticsearch_", "elasticsearch"}, {"redshift_", "redshift"},
	{"adbc_", "adbc"}, {"ducklake_", "ducklake"}, {"cosmosdb_", "cosmosdb"},
};

static const char connectors[] =
	"http|https|postgres|mysql|s3|file|duckdb|dremio|spice.ai|spiceai|databricks|"
	"delta_lake|github|iceberg|graphql|dynamodb|flightsql|mssql|odbc|snowflake|"
	"spark|abfs|abfss|ftp|sftp|smb|nfs|gcs|gs|glue|imap|localpod|oracle|sharepoint|"
	"clickhouse|debezium|kafka|mongodb|ducklake|scylladb|adbc|cosmosdb|"
	"elasticsearch|redshift|sink|memory|table";

static const KeyTable *const param_tables[] = {
	&keys_of_http, &keys_of_file_source, &keys_of_s3, &keys_of_postgres, &keys_of_mysql
};

static bool
key_matches(const KeyInfo *key, const char *name)
{
	size_t		length = strlen(key->name);

	if (key->name[length - 1] == '*')
		return strncmp(key->name, name, length - 1) == 0;
	return strcmp(key->name, name) == 0;
}

const KeyInfo *
keys_find(const KeyTable *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
	{
		if (key_matches(&table->keys[i], name))
			return &table->keys[i];
	}
	return NULL;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/*
 * Damerau-Levenshtein distance (restricted: no part is edited twice), since
 * two letters that changed places are the commonest slip.  Three rows of the
 * matrix suffice.
 */
static int
edit_distance(const char *a, const char *b)
{
	int			rows[3][MAX_NAME + 2];
	int		   *before = rows[0];
	int		   *last = rows[1];
	int		   *row = rows[2];
	int			n = (int) strlen(a);
	int			m = (int) strlen(b);

	for (int j = 0; j <= m; j++)
		last[j] = before[j] = j;
	for (int i = 1; i <= n; i++)
	{
		int		   *spare = before;

		row[0] = i;
		for (int j = 1; j <= m; j++)
		{
			int			cost = ascii_lower(a[i - 1]) != ascii_lower(b[j - 1]);

			row[j] = least(least(row[j - 1], last[j]) + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
				ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[m];
}

const char *
keys_nearest(const KeyTable *table, const char *name)
{
	const char *nearest = NULL;
	size_t		length = strlen(name);
	int			best;

	if (length > MAX_NAME)
		return NULL;
	/* a third of the letters may be wrong, and no more than three */
	best = least((int) (length + 2) / 3, 3) + 1;
	for (size_t i = 0; i < table->count; i++)
	{
		const char *candidate = table->keys[i].name;
		int			found;

		if (strchr(candidate, '*') != NULL || strlen(candidate) > MAX_NAME)
			continue;
		found = edit_distance(name, candidate);
		if (found < best)
		{
			best = found;
			nearest = candidate;
		}
	}
	return nearest;
}

const char *
keys_home(const char *name)
{
	static const KeyTable *const tables[] = {
		&keys_of_dataset, &keys_of_acceleration, &keys_of_http,
		&keys_of_manifest, &keys_of_acceleration_params
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
	{
		if (keys_find(tables[i], name) != NULL)
			return tables[i]->place;
	}
	return NULL;
}

static bool
has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

const char *
keys_with_right_prefix(const KeyTable *table, const char *name)
{
	size_t		length = strlen(table->prefix);

	for (size_t i = 0; i < table->count; i++)
	{
		const char *candidate = table->keys[i].name;

		if (has_prefix(candidate, table->prefix) &&
			(strcmp(candidate + length, name) == 0 ||
			 (has_prefix(name, "https_") &&
			  strcmp(candidate + length, name + strlen("https_")) == 0)))
			return candidate;
		if (has_prefix(name, table->prefix) && strcmp(candidate, name + length) == 0)
			return candidate;
	}
	return NULL;
}

const char *
keys_connector(const char *name)
{
	for (size_t i = 0; i < sizeof(param_tables) / sizeof(param_tables[0]); i++)
	{
		if (keys_find(param_tables[i], name) != NULL)
			return param_tables[i]->connector;
	}
	for (size_t i = 0; i < sizeof(connector_prefixes) / sizeof(connector_prefixes[0]); i++)
	{
		if (has_prefix(name, connector_prefixes[i][0]))
			return connector_prefixes[i][1];
	}
	return NULL;
}

static bool
list_has(const char *list, const char *word, size_t length)
{
	while (*list != '\0')
	{
		size_t		span = strcspn(list, "|");

		if (span == length && strncmp(list, word, length) == 0)
			return true;
		list += span;
		list += *list == '|';
	}
	return false;
}

bool
keys_know_connector(const char *name, size_t length)
{
	return list_has(connectors, name, length);
}

bool
keys_value_in(const char *list, const char *value)
{
	return list_has(list, value, strlen(value));
}

const char *
keys_value_spelled(const char *list, const char *value, size_t *length)
{
	while (*list != '\0')
	{
		*length = strcspn(list, "|");
		if (strlen(value) == *length && ascii_same(list, value, *length))
			return list;
		list += *length;
		list += *list == '|';
	}
	return NULL;
}
