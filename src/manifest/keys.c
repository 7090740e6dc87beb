/*-------------------------------------------------------------------------
 *
 * keys.c
 *		Every key and param that a manifest may hold, and what becomes of it.
 *
 * A misspelt key that is passed over in silence costs its author a day, and
 * so does a key that is spelt well but does nothing yet.  The tables here are
 * the one place that tells the three cases apart: supported; known to the
 * original runtime but without effect here, which is a warning; and unknown,
 * which is an error that proposes the nearest name.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/keys.h"

#include <string.h>

/* Past this length a name is not a slip of the pen. */
#define MAX_NAME		48

#define ON_OFF			"enabled|disabled"
#define IN_POSTGRES		"the table lives in PostgreSQL, whose own settings apply"
#define OUT_OF_SCOPE	"models and search are not part of this extension"
#define WHOLE_RESPONSE	"types are inferred over the whole first response"
#define UNSUPPORTED		.status = KEY_UNSUPPORTED
#define ONE_CONNECTION	"a session has one connection to a source"
#define NO_TIMEOUTS		"mysql_fdw has no timeouts"
#define TABLE(place, keys) {place, keys, sizeof(keys) / sizeof(keys[0]), NULL, NULL}
#define PARAMS(connector, prefix, keys) \
	{"params", keys, sizeof(keys) / sizeof(keys[0]), connector, prefix}

static const KeyInfo manifest_keys[] = {
	{.name = "version", .kind = KEY_STRING, .values = "v1beta1|v1|v2"},
	{.name = "kind", .kind = KEY_STRING, .values = "Spicepod"},
	{.name = "name", .kind = KEY_STRING},
	{.name = "datasets", .kind = KEY_LIST},
	{.name = "secrets", .kind = KEY_LIST},
	{.name = "metadata"},
	{.name = "runtime", UNSUPPORTED, .hint = "the server's own settings apply"},
	{.name = "extensions", UNSUPPORTED},
	{.name = "catalogs", UNSUPPORTED, .hint = "list the tables under datasets"},
	{.name = "views", UNSUPPORTED, .hint = "use CREATE VIEW"},
	{.name = "dependencies", UNSUPPORTED, .hint = "copy the datasets into this manifest"},
	{.name = "snapshots", UNSUPPORTED},
	{.name = "functions", UNSUPPORTED, .hint = "use CREATE FUNCTION"},
	{.name = "models", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "embeddings", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "tools", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "workers", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "memory", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "rerankers", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "evals", UNSUPPORTED, .hint = OUT_OF_SCOPE},
};

const KeyTable keys_of_manifest = TABLE("the manifest", manifest_keys);

static const KeyInfo dataset_keys[] = {
	{.name = "from", .kind = KEY_STRING},
	{.name = "ref", .kind = KEY_STRING},
	{.name = "name", .kind = KEY_STRING},
	{.name = "description", .kind = KEY_STRING},
	{.name = "params", .kind = KEY_MAPPING},
	{.name = "columns", .kind = KEY_LIST},
	{.name = "time_column", .kind = KEY_STRING},
	{.name = "time_format", .kind = KEY_STRING,
	.values = "timestamp|timestamptz|unix_seconds|unix_millis|ISO8601|date"},
	{.name = "ready_state", .kind = KEY_STRING,
	.values = "on_load|on_registration|on_schema_resolved"},
	{.name = "acceleration", .kind = KEY_MAPPING},
	{.name = "metadata"},
	{.name = "access", .kind = KEY_STRING, UNSUPPORTED,
	.values = "read|read_write", .harmless = "read"},
	{.name = "mode", .kind = KEY_STRING, UNSUPPORTED,
		.values = "read|read_write", .harmless = "read",
	.hint = "mode: file belongs under acceleration"},
	{.name = "dependsOn", UNSUPPORTED},
	{.name = "has_metadata_table", .kind = KEY_BOOLEAN, UNSUPPORTED, .harmless = "false"},
	{.name = "replication", UNSUPPORTED},
	{.name = "time_partition_column", .kind = KEY_STRING, UNSUPPORTED},
	{.name = "time_partition_format", .kind = KEY_STRING, UNSUPPORTED},
	{.name = "unsupported_type_action", .kind = KEY_STRING, UNSUPPORTED,
	.values = "error|warn|ignore|string", .harmless = "error"},
	{.name = "invalid_type_action", .kind = KEY_STRING, UNSUPPORTED,
	.values = "error|warn|ignore|string", .harmless = "error"},
	{.name = "on_schema_change", .kind = KEY_STRING,
	.values = "block|fail|append_new_columns|sync_all_columns|drop_and_recreate"},
	{.name = "check_availability", .kind = KEY_STRING, UNSUPPORTED,
	.values = "auto|disabled", .harmless = "disabled"},
	{.name = "check_availability_interval", .kind = KEY_DURATION, UNSUPPORTED},
	{.name = "metrics", UNSUPPORTED},
	{.name = "vectors", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "embeddings", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "full_text_search", UNSUPPORTED, .hint = OUT_OF_SCOPE},
};

const KeyTable keys_of_dataset = TABLE("a dataset", dataset_keys);

static const KeyInfo acceleration_keys[] = {
	{.name = "enabled", .kind = KEY_BOOLEAN},
	{.name = "engine", .kind = KEY_STRING,
	.values = "arrow|duckdb|sqlite|postgres|postgresql|cayenne|turso"},
	{.name = "mode", .kind = KEY_STRING,
	.values = "memory|file|file_create|file_update"},
	{.name = "refresh_mode", .kind = KEY_STRING,
	.values = "full|append|changes|caching|snapshot"},
	{.name = "refresh_check_interval", .kind = KEY_DURATION},
	{.name = "refresh_cron", .kind = KEY_STRING},
	{.name = "refresh_sql", .kind = KEY_STRING},
	{.name = "refresh_retry_enabled", .kind = KEY_BOOLEAN},
	{.name = "refresh_retry_max_attempts", .kind = KEY_COUNT},
	{.name = "refresh_on_startup", .kind = KEY_STRING, .values = "auto|always"},
	{.name = "indexes", .kind = KEY_MAPPING},
	{.name = "primary_key", .kind = KEY_STRING},
	{.name = "params", .kind = KEY_MAPPING},
	{.name = "ready_state", .kind = KEY_STRING,
	.values = "on_load|on_registration|on_schema_resolved"},
	{.name = "refresh_data_window", .kind = KEY_DURATION},
	{.name = "refresh_append_overlap", .kind = KEY_DURATION},
	{.name = "refresh_jitter_enabled", .kind = KEY_BOOLEAN},
	{.name = "refresh_jitter_max", .kind = KEY_DURATION},
	{.name = "on_zero_results", .kind = KEY_STRING, UNSUPPORTED,
	.values = "return_empty|use_source", .harmless = "return_empty"},
	{.name = "retention_check_enabled", .kind = KEY_BOOLEAN},
	{.name = "retention_period", .kind = KEY_DURATION},
	{.name = "retention_sql", .kind = KEY_STRING},
	{.name = "retention_check_interval", .kind = KEY_DURATION},
	{.name = "retention_cron", .kind = KEY_STRING},
	{.name = "on_conflict", .kind = KEY_MAPPING},
	{.name = "partition_by", UNSUPPORTED},
	{.name = "storage_profile", .kind = KEY_STRING, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "maintained_aggregates", UNSUPPORTED},
	{.name = "write_mode", .kind = KEY_STRING, UNSUPPORTED,
	.values = "write_through|write_back"},
	{.name = "snapshots", .kind = KEY_STRING, UNSUPPORTED,
	.values = "disabled|enabled|bootstrap_only|create_only", .harmless = "disabled"},
	{.name = "snapshots_trigger", .kind = KEY_STRING, UNSUPPORTED,
	.values = "refresh_complete|time_interval|stream_batches"},
	{.name = "snapshots_trigger_threshold", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "snapshots_compaction", .kind = KEY_STRING, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "snapshots_creation_policy", .kind = KEY_STRING, UNSUPPORTED,
	.values = "on_change|always"},
	{.name = "snapshots_reset_expiry_on_load", .kind = KEY_STRING, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "metrics", UNSUPPORTED},
	{.name = "engine_secret", UNSUPPORTED, .hint = IN_POSTGRES},
};

const KeyTable keys_of_acceleration = TABLE("acceleration", acceleration_keys);

static const KeyInfo column_keys[] = {
	{.name = "name", .kind = KEY_STRING},
	{.name = "type", .kind = KEY_STRING},
	{.name = "nullable", .kind = KEY_BOOLEAN},
	{.name = "description", .kind = KEY_STRING},
	{.name = "metadata", UNSUPPORTED},
	{.name = "embeddings", UNSUPPORTED, .hint = OUT_OF_SCOPE},
	{.name = "full_text_search", UNSUPPORTED, .hint = OUT_OF_SCOPE},
};

const KeyTable keys_of_column = TABLE("a column", column_keys);

static const KeyInfo secret_keys[] = {
	{.name = "from", .kind = KEY_STRING},
	{.name = "name", .kind = KEY_STRING},
	{.name = "params", .kind = KEY_MAPPING},
	{.name = "description", .kind = KEY_STRING},
};

const KeyTable keys_of_secret = TABLE("a secret store", secret_keys);

static const KeyInfo http_params[] = {
	{.name = "http_port", .kind = KEY_TEXT},
	{.name = "http_username", .kind = KEY_TEXT},
	{.name = "http_password", .kind = KEY_TEXT},
	{.name = "http_headers", .kind = KEY_TEXT},
	{.name = "client_timeout", .kind = KEY_DURATION},
	{.name = "connect_timeout", .kind = KEY_DURATION},
	{.name = "file_format", .kind = KEY_TEXT,
	.values = "json|jsonl|ndjson|ldjson|csv|tsv|parquet|arrow|avro|vortex|soda|md|txt|pdf|docx"},
	{.name = "json_format", .kind = KEY_TEXT,
	.values = "auto|json|array|object|jsonl|ndjson|ldjson|soda|socrata"},
	{.name = "json_pointer", .kind = KEY_TEXT},
	{.name = "json_path", .kind = KEY_TEXT},
	{.name = "allowed_request_paths", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "request_query_filters", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "request_body_filters", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "request_header_filters", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "request_header_allowlist", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "max_request_query_length", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "max_request_body_bytes", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "max_request_headers_length", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "max_request_partitions", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pool_max_idle_per_host", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pool_idle_timeout", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "max_retries", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = "use refresh_retry_enabled and refresh_retry_max_attempts"},
	{.name = "retry_backoff_method", .kind = KEY_TEXT, UNSUPPORTED,
	.values = "fibonacci|linear|exponential", .harmless = "fibonacci"},
	{.name = "retry_max_duration", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "retry_jitter", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "health_probe", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "max_concurrent_requests", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "requests_per_second_limit", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "requests_per_minute_limit", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "rate_control_jitter_min", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "rate_control_jitter_max", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "response_cache_max_size_bytes", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "response_cache_fallback_ttl", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "auth_token_url", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "auth_grant_type", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "auth_scopes", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "auth_client_auth", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "auth_header_name", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_auth_refresh_token", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_auth_client_id", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_auth_client_secret", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_tls_client_certificate", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_tls_client_certificate_file", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_tls_client_key", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "http_tls_client_key_file", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pagination", .kind = KEY_TEXT, UNSUPPORTED,
	.values = "auto|enabled|disabled", .harmless = "disabled"},
	{.name = "pagination_next_pointer", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pagination_token_param", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pagination_link_header", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "pagination_data_pointer", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = "use json_pointer"},
	{.name = "pagination_data_map_to_array", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pagination_query_params", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pagination_page_size", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "pagination_max_pages", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "file_extension", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "schema_infer_max_records", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = WHOLE_RESPONSE},
	{.name = "csv_schema_infer_max_records", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = WHOLE_RESPONSE},
	{.name = "tsv_schema_infer_max_records", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = WHOLE_RESPONSE},
	{.name = "file_compression_type", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = "a Content-Encoding of the response is undone without being asked"},
	{.name = "csv_has_header", .kind = KEY_TEXT, .values = "true|false"},
	{.name = "csv_quote", .kind = KEY_TEXT},
	{.name = "csv_escape", .kind = KEY_TEXT},
	{.name = "csv_delimiter", .kind = KEY_TEXT},
	{.name = "tsv_has_header", .kind = KEY_TEXT, .values = "true|false"},
	{.name = "tsv_quote", .kind = KEY_TEXT},
	{.name = "tsv_escape", .kind = KEY_TEXT},
	{.name = "flatten_json", .kind = KEY_TEXT, UNSUPPORTED,
	.values = "true|false", .harmless = "false"},
	{.name = "soda_metadata", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "hive_partitioning_enabled", .kind = KEY_TEXT, UNSUPPORTED,
	.values = "true|false", .harmless = "false"},
	{.name = "schema_source_path", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = "declare the columns"},
};

const KeyTable params_of_http = PARAMS("http", "http_", http_params);

#define BY_THE_SERVER	"replication goes by the server's own settings"

static const KeyInfo postgres_params[] = {
	{.name = "pg_connection_string", .kind = KEY_TEXT},
	{.name = "pg_host", .kind = KEY_TEXT},
	{.name = "pg_port", .kind = KEY_TEXT},
	{.name = "pg_db", .kind = KEY_TEXT},
	{.name = "pg_user", .kind = KEY_TEXT},
	{.name = "pg_pass", .kind = KEY_TEXT},
	{.name = "pg_sslmode", .kind = KEY_TEXT,
	.values = "disable|allow|prefer|require|verify-ca|verify-full"},
	{.name = "pg_sslrootcert", .kind = KEY_TEXT},
	{.name = "client_timeout", .kind = KEY_DURATION},
	{.name = "connect_timeout", .kind = KEY_DURATION},
	{.name = "pg_connection_pool_min_idle", .kind = KEY_TEXT, UNSUPPORTED, .hint = ONE_CONNECTION},
	{.name = "connection_pool_size", .kind = KEY_TEXT, UNSUPPORTED, .hint = ONE_CONNECTION},
	{.name = "pg_publication", .kind = KEY_TEXT},
	{.name = "pg_replication_slot", .kind = KEY_TEXT},
	{.name = "pg_replication_*", .kind = KEY_TEXT, UNSUPPORTED, .hint = BY_THE_SERVER},
};

const KeyTable params_of_postgres = PARAMS("postgres", "pg_", postgres_params);

static const KeyInfo mysql_params[] = {
	{.name = "mysql_host", .kind = KEY_TEXT},
	{.name = "mysql_tcp_port", .kind = KEY_TEXT},
	{.name = "mysql_db", .kind = KEY_TEXT},
	{.name = "mysql_user", .kind = KEY_TEXT},
	{.name = "mysql_pass", .kind = KEY_TEXT},
	{.name = "mysql_sslmode", .kind = KEY_TEXT, .values = "required|preferred|disabled"},
	{.name = "mysql_sslrootcert", .kind = KEY_TEXT},
	{.name = "mysql_connection_string", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = "write mysql_host, mysql_tcp_port, mysql_db, mysql_user and mysql_pass"},
	{.name = "mysql_time_zone", .kind = KEY_TEXT, UNSUPPORTED, .harmless = "+00:00"},
	{.name = "mysql_zero_date_behavior", .kind = KEY_TEXT, UNSUPPORTED,
	.values = "null|error"},
	{.name = "mysql_pool_min", .kind = KEY_TEXT, UNSUPPORTED, .hint = ONE_CONNECTION},
	{.name = "mysql_pool_max", .kind = KEY_TEXT, UNSUPPORTED, .hint = ONE_CONNECTION},
	{.name = "client_timeout", .kind = KEY_DURATION, UNSUPPORTED, .hint = NO_TIMEOUTS},
	{.name = "connect_timeout", .kind = KEY_DURATION, UNSUPPORTED, .hint = NO_TIMEOUTS},
};

const KeyTable params_of_mysql = PARAMS("mysql", "mysql_", mysql_params);

/* a relation of this very database is read with the rights of spice.role */
const KeyTable params_of_table = {.place = "params", .connector = "table", .prefix = "table_"};

static const KeyInfo acceleration_params[] = {
	{.name = "http_append_query", .kind = KEY_TEXT},
	{.name = "refresh_min_rows", .kind = KEY_COUNT},
	{.name = "refresh_max_shrink", .kind = KEY_TEXT},
	{.name = "refresh_method", .kind = KEY_STRING, .values = "swap|merge"},
	{.name = "duckdb_*", .kind = KEY_TEXT, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "cayenne_*", .kind = KEY_TEXT, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "pg_*", .kind = KEY_TEXT, UNSUPPORTED,
	.hint = "the table lives in this very server"},
	{.name = "sqlite_file", .kind = KEY_TEXT, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "busy_timeout", .kind = KEY_TEXT, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "turso_file", .kind = KEY_TEXT, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "connection_pool_size", .kind = KEY_TEXT, UNSUPPORTED, .hint = IN_POSTGRES},
	{.name = "on_refresh_recompute_statistics", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "enabled"},
	{.name = "on_refresh_sort_columns", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "partition_mode", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "query_federation", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "file_watcher", .kind = KEY_TEXT, UNSUPPORTED,
	.values = ON_OFF, .harmless = "disabled"},
	{.name = "caching_ttl", .kind = KEY_DURATION, UNSUPPORTED},
	{.name = "caching_item_ttl", .kind = KEY_DURATION, UNSUPPORTED},
	{.name = "caching_stale_while_revalidate_ttl", .kind = KEY_DURATION, UNSUPPORTED},
	{.name = "caching_stale_if_error", .kind = KEY_TEXT, UNSUPPORTED, .harmless = "disabled"},
	{.name = "caching_max_size", .kind = KEY_TEXT, UNSUPPORTED},
	{.name = "caching_max_items", .kind = KEY_TEXT, UNSUPPORTED},
};

const KeyTable params_of_acceleration = TABLE("acceleration.params", acceleration_params);

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
	&params_of_http, &params_of_postgres, &params_of_mysql
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
key_find(const KeyTable *table, const char *name)
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

/* ASCII only: every valid name is, and a locale must not change the answer. */
static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/*
 * Damerau-Levenshtein distance (restricted: no part is edited twice), since
 * two letters that changed places are the commonest slip.  Three rows of the
 * matrix suffice.
 */
static int
distance(const char *a, const char *b)
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
			int			cost = fold(a[i - 1]) != fold(b[j - 1]);

			row[j] = least(least(row[j - 1], last[j]) + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
				fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[m];
}

const char *
key_nearest(const KeyTable *table, const char *name)
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
		found = distance(name, candidate);
		if (found < best)
		{
			best = found;
			nearest = candidate;
		}
	}
	return nearest;
}

const char *
key_home(const char *name)
{
	static const KeyTable *const tables[] = {
		&keys_of_dataset, &keys_of_acceleration, &params_of_http,
		&keys_of_manifest, &params_of_acceleration
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
	{
		if (key_find(tables[i], name) != NULL)
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
param_with_right_prefix(const KeyTable *table, const char *name)
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
param_connector(const char *name)
{
	for (size_t i = 0; i < sizeof(param_tables) / sizeof(param_tables[0]); i++)
	{
		if (key_find(param_tables[i], name) != NULL)
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
connector_is_known(const char *name, size_t length)
{
	return list_has(connectors, name, length);
}

bool
word_in_list(const char *list, const char *value)
{
	return list_has(list, value, strlen(value));
}
