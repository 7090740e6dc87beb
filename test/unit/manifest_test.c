/*-------------------------------------------------------------------------
 *
 * manifest_test.c
 *		The manifest room on the host: durations, names, secrets, YAML.
 *
 * Prints TAP and ends with 1 when anything failed.  A failed check names its
 * own line and shows what was found, since the parser has too many outcomes
 * for "expected true".
 *
 *-------------------------------------------------------------------------
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest/duration.h"
#include "manifest/keys.h"
#include "manifest/manifest.h"
#include "secret/secrets.h"

static int	failures_in_test = 0;

#define CHECK(condition) \
	check((condition), __LINE__, #condition)
#define CHECK_TEXT(found, wanted) \
	check_text((found), (wanted), __LINE__)

static void
check(bool good, int line, const char *what)
{
	if (good)
		return;
	printf("# line %d: not true: %s\n", line, what);
	failures_in_test++;
}

static void
check_text(const char *found, const char *wanted, int line)
{
	bool		same = (found == NULL) == (wanted == NULL) &&
	(found == NULL || strcmp(found, wanted) == 0);

	if (same)
		return;
	printf("# line %d: found \"%s\", wanted \"%s\"\n", line,
		   found ? found : "(null)", wanted ? wanted : "(null)");
	failures_in_test++;
}

/* ---------------------------------------------------------------- durations */

static int64_t
milliseconds_of(const char *text)
{
	int64_t		milliseconds = -2;
	const char *error;
	const char *hint;

	return duration_parse(text, &milliseconds, &error, &hint) ? milliseconds : -1;
}

static const char *
duration_error(const char *text)
{
	int64_t		milliseconds;
	const char *error = "accepted";
	const char *hint;

	duration_parse(text, &milliseconds, &error, &hint);
	return error;
}

static void
test_durations(void)
{
	CHECK(milliseconds_of("30s") == 30000);
	CHECK(milliseconds_of("10") == 10000);
	CHECK(milliseconds_of("1.5h") == 5400000);
	CHECK(milliseconds_of("90d") == INT64_C(7776000000));
	CHECK(milliseconds_of("2w") == INT64_C(1209600000));
	CHECK(milliseconds_of("5m") == 300000);
	CHECK(milliseconds_of("250ms") == 250);
	CHECK(milliseconds_of("1500us") == 2);
	CHECK(milliseconds_of("1400Ms") == 1);
	CHECK(milliseconds_of("3000\xc2\xb5s") == 3);
	CHECK(milliseconds_of("3000\xce\xbcs") == 3);
	CHECK(milliseconds_of("9e3ns") == 1);
	CHECK(milliseconds_of("1e3") == 1000000);
	CHECK(milliseconds_of("25e-1s") == 2500);
	CHECK(milliseconds_of("0.1s") == 100);
	CHECK(milliseconds_of(".5s") == 500);
	CHECK(milliseconds_of("+1s") == 1000);
	CHECK(milliseconds_of("0s") == 0);
	CHECK(milliseconds_of("0.0000000000000000000001ns") == 1);
	CHECK(milliseconds_of("36525d") == INT64_C(3155760000000));
	CHECK(milliseconds_of("0e999999999s") == 0);
}

static void
test_bad_durations(void)
{
	int64_t		milliseconds;
	const char *error;
	const char *hint = NULL;

	CHECK_TEXT(duration_error(""), "is empty");
	CHECK_TEXT(duration_error("-1s"), "is negative");
	CHECK_TEXT(duration_error("soon"), "is not a duration");
	CHECK_TEXT(duration_error("."), "is not a duration");
	CHECK_TEXT(duration_error("1h30m"), "mixes several units");
	CHECK_TEXT(duration_error("1 h"), "has an unknown unit");
	CHECK_TEXT(duration_error("30S"), "has an unknown unit");
	CHECK_TEXT(duration_error("1e"), "has an unknown unit");
	CHECK_TEXT(duration_error("36526d"), "is longer than 100 years");
	CHECK_TEXT(duration_error("1e400"), "is longer than 100 years");
	CHECK_TEXT(duration_error("99999999999999999999999999w"), "is longer than 100 years");
	CHECK(!duration_parse("1h30m", &milliseconds, &error, &hint));
	CHECK(hint != NULL && strstr(hint, "90m") != NULL);
}

/* --------------------------------------------------------------- suggestions */

static void
test_nearest_names(void)
{
	CHECK_TEXT(keys_nearest(&keys_of_acceleration, "refresh_sq"), "refresh_sql");
	CHECK_TEXT(keys_nearest(&keys_of_acceleration, "refersh_mode"), "refresh_mode");
	CHECK_TEXT(keys_nearest(&keys_of_acceleration, "refreshMode"), "refresh_mode");
	CHECK_TEXT(keys_nearest(&keys_of_acceleration, "engien"), "engine");
	CHECK_TEXT(keys_nearest(&keys_of_manifest, "dataset"), "datasets");
	/* one slip, not two: the letters changed places */
	CHECK_TEXT(keys_nearest(&keys_of_dataset, "rfe"), "ref");
	CHECK_TEXT(keys_nearest(&keys_of_acceleration, "colour"), NULL);
	CHECK_TEXT(keys_nearest(&keys_of_acceleration, ""), NULL);
	CHECK_TEXT(keys_with_right_prefix(&keys_of_http, "username"), "http_username");
	CHECK_TEXT(keys_with_right_prefix(&keys_of_http, "http_client_timeout"), "client_timeout");
	CHECK_TEXT(keys_with_right_prefix(&keys_of_http, "https_password"), "http_password");
	CHECK_TEXT(keys_with_right_prefix(&keys_of_http, "nothing"), NULL);
	CHECK_TEXT(keys_home("refresh_sql"), "acceleration");
	CHECK_TEXT(keys_with_right_prefix(&keys_of_postgres, "host"), "pg_host");
	CHECK_TEXT(keys_with_right_prefix(&keys_of_mysql, "mysql_client_timeout"), "client_timeout");
	CHECK_TEXT(keys_connector("pg_pass"), "postgres");
	CHECK_TEXT(keys_connector("pg_passwd"), "postgres");
	CHECK_TEXT(keys_connector("json_pointer"), "http");
}

/* ----------------------------------------------------------------- manifests */

#define HEAD "version: v1\nkind: Spicepod\nname: test\n"
#define ENTRY HEAD "datasets:\n- from: http://h/x\n  name: a\n" /* line 5 and 6 */

static Manifest *
parse(const char *text)
{
	return manifest_parse(text, strlen(text));
}

/* The first problem whose message holds part, or NULL. */
static const ManifestProblem *
problem_about(const Manifest *manifest, const char *part)
{
	for (int i = 0; i < manifest->n_problems; i++)
	{
		if (strstr(manifest->problems[i].message, part) != NULL)
			return &manifest->problems[i];
	}
	return NULL;
}

static void
show_problems(const Manifest *manifest)
{
	for (int i = 0; i < manifest->n_problems; i++)
		printf("#   found: line %d: %s\n", manifest->problems[i].line,
			   manifest->problems[i].message);
}

/* Expects one problem in text, of the given severity, line, words and cure. */
static void
expect(int test_line, const char *text, ManifestSeverity severity, int line,
	   const char *message, const char *hint)
{
	Manifest   *manifest = parse(text);
	const ManifestProblem *problem = problem_about(manifest, message);

	if (problem == NULL || problem->severity != severity || problem->line != line ||
		(hint != NULL && (problem->hint == NULL || strstr(problem->hint, hint) == NULL)))
	{
		printf("# line %d: no such problem: line %d: %s (%s)\n", test_line, line,
			   message, hint ? hint : "any hint");
		show_problems(manifest);
		failures_in_test++;
	}
	manifest_free(manifest);
}

#define ERROR_AT(line, text, message, hint) \
	expect(__LINE__, text, MANIFEST_ERROR, line, message, hint)
#define WARNING_AT(line, text, message, hint) \
	expect(__LINE__, text, MANIFEST_WARNING, line, message, hint)

static void
expect_count(int test_line, const char *text, int count)
{
	Manifest   *manifest = parse(text);

	check(manifest->n_problems == count, test_line, "as many problems as mistakes");
	if (manifest->n_problems != count)
		show_problems(manifest);
	manifest_free(manifest);
}

#define PROBLEMS(count, text)	expect_count(__LINE__, text, count)

/* The value of a key of a definition as JSON text in a static buffer; null if it is left out. */
static const char *
defined(const Manifest *manifest, int index, const char *key)
{
	static char buffer[1024];
	json_t	   *json;
	size_t		size;

	if (index >= manifest->n_datasets || manifest->datasets[index].definition == NULL)
		return "(no definition)";
	json = json_loads(manifest->datasets[index].definition, 0, NULL);
	if (json_object_get(json, key) == NULL)
	{
		json_decref(json);
		return "null";
	}
	size = json_dumpb(json_object_get(json, key), buffer, sizeof(buffer) - 1,
					  JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	buffer[size < sizeof(buffer) ? size : 0] = '\0';
	json_decref(json);
	return buffer;
}

static const char first_seed[] =
	"version: v1\n"
	"kind: Spicepod\n"
	"name: product-catalog\n"
	"datasets:\n"
	"  - from: http://127.0.0.1:8080/v1/products\n"
	"    name: products\n"
	"    description: Product catalog data for active electronics category\n"
	"    params:\n"
	"      http_username: api-user\n"
	"      http_password: ${secrets:API_KEY}\n"
	"    acceleration:\n"
	"      enabled: true\n"
	"      engine: duckdb\n"
	"      refresh_mode: full # Replace entire dataset on each refresh\n"
	"      refresh_sql: | # Accelerate specific product subset\n"
	"        SELECT * FROM products\n"
	"        WHERE category = 'electronics'\n"
	"          AND status = 'active'\n"
	"      refresh_check_interval: 1h # Refresh hourly or via API\n";

static void
test_first_seed(void)
{
	Manifest   *manifest = parse(first_seed);

	CHECK(!manifest->broken);
	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(manifest->name, "product-catalog");
	CHECK_TEXT(manifest->secrets, "[{\"from\":\"env\",\"name\":\"env\",\"path\":null}]");
	CHECK(manifest->n_datasets == 1);
	CHECK(manifest->datasets[0].line == 5);
	CHECK(manifest->datasets[0].refresh_sql_line == 16);
	CHECK_TEXT(manifest->datasets[0].refresh_sql,
			   "SELECT * FROM products\nWHERE category = 'electronics'\n"
			   "  AND status = 'active'\n");
	CHECK_TEXT(manifest->datasets[0].definition,
			   "{\"accelerated\":true,\"client_timeout_ms\":30000,\"connect_timeout_ms\":10000,"
			   "\"connector\":\"http\",\"csv_escape\":\"\\\"\",\"csv_has_header\":true,\"csv_quote\":\"\\\"\","
			   "\"description\":\"Product catalog data for active electronics"
			   " category\",\"engine\":\"duckdb\",\"format\":\"detect\","
			   "\"from\":\"http://127.0.0.1:8080/v1/products\",\"mode\":\"memory\","
			   "\"name\":\"products\",\"on_schema_change\":\"block\","
			   "\"params\":{\"http_password\":\"${secrets:API_KEY}\","
			   "\"http_username\":\"api-user\"},\"ready_state\":\"on_load\","
			   "\"refresh_check_interval_ms\":3600000,\"refresh_mode\":\"full\","
			   "\"refresh_on_startup\":\"auto\",\"refresh_retry_enabled\":true,"
			   "\"refresh_sql\":\"SELECT * FROM products\\n"
			   "WHERE category = 'electronics'\\n  AND status = 'active'\\n\","
			   "\"schema\":\"public\",\"table\":\"products\"}");
	manifest_free(manifest);
}

static const char second_seed[] =
	"version: v1\n"
	"kind: Spicepod\n"
	"name: customer-portal\n"
	"datasets:\n"
	"  - from: http://127.0.0.1:8080/v1/interactions\n"
	"    name: customer-interactions\n"
	"    description: Customer support interactions and engagement history\n"
	"    time_column: interaction_timestamp # Column used to track when data is updated\n"
	"    params:\n"
	"      http_username: customer-service\n"
	"      http_password: ${secrets:CUSTOMER_API_KEY}\n"
	"      client_timeout: 30s\n"
	"    acceleration:\n"
	"      enabled: true\n"
	"      engine: duckdb # Persist the accelerated data to a DuckDB file\n"
	"      mode: file\n"
	"      refresh_mode: append # Append only the data that has changed since the last refresh\n"
	"      refresh_sql: | # Configure the initial load of the dataset to only load data from the last 90 days\n"
	"        SELECT * FROM customer_interactions\n"
	"        WHERE interaction_timestamp >= NOW() - INTERVAL '90 days'\n"
	"      primary_key: interaction_id # Primary key is required if data is updated in place as opposed to only appending new data\n"
	"      on_conflict:\n"
	"        interaction_id: upsert # Tell the runtime how to handle conflicts when updating data in place\n"
	"      refresh_check_interval: 30s # Refresh the data every 30 seconds\n"
	"      refresh_retry_enabled: true # Retry the refresh if it fails\n"
	"      refresh_retry_max_attempts: 3 # Retry the refresh up to 3 times\n"
	"      retention_check_enabled: true # Check if the data is older than the retention period\n"
	"      retention_period: 90d # Retain the data for 90 days\n"
	"      retention_check_interval: 24h # Run a cleanup of old data every 24 hours\n";

static void
test_second_seed(void)
{
	Manifest   *manifest = parse(second_seed);

	CHECK(!manifest->broken);
	CHECK(manifest->n_problems == 0);
	CHECK(manifest->n_datasets == 1);
	CHECK_TEXT(manifest->datasets[0].name, "customer-interactions");
	CHECK_TEXT(manifest->datasets[0].table, "customer_interactions");
	CHECK(manifest->datasets[0].refresh_sql_line == 19);
	CHECK(manifest->datasets[0].retention_sql == NULL);
	CHECK_TEXT(manifest->datasets[0].definition,
			   "{\"accelerated\":true,\"client_timeout_ms\":30000,\"connect_timeout_ms\":10000,"
			   "\"connector\":\"http\",\"csv_escape\":\"\\\"\",\"csv_has_header\":true,\"csv_quote\":\"\\\"\","
			   ""
			   "\"description\":\"Customer support interactions and engagement history\","
			   "\"engine\":\"duckdb\",\"format\":\"detect\","
			   "\"from\":\"http://127.0.0.1:8080/v1/interactions\","
			   "\"mode\":\"file\",\"name\":\"customer-interactions\","
			   "\"on_conflict\":[{\"action\":\"upsert\",\"columns\":[\"interaction_id\"]}],"
			   "\"on_schema_change\":\"block\","
			   "\"params\":{\"http_password\":\"${secrets:CUSTOMER_API_KEY}\","
			   "\"http_username\":\"customer-service\"},\"primary_key\":[\"interaction_id\"],"
			   "\"ready_state\":\"on_load\",\"refresh_check_interval_ms\":30000,"
			   "\"refresh_mode\":\"append\",\"refresh_on_startup\":\"auto\","
			   "\"refresh_retry_enabled\":true,\"refresh_retry_max_attempts\":3,"
			   "\"refresh_sql\":\"SELECT * FROM customer_interactions\\n"
			   "WHERE interaction_timestamp >= NOW() - INTERVAL '90 days'\\n\","
			   "\"retention_check_interval_ms\":86400000,\"retention_period_ms\":7776000000,"
			   "\"schema\":\"public\",\"table\":\"customer_interactions\","
			   "\"time_column\":\"interaction_timestamp\"}");
	manifest_free(manifest);
}

static void
test_merge_keys(void)
{
	Manifest   *manifest = parse(
								 HEAD
								 "metadata:\n"
								 "  base: &base {engine: duckdb, mode: file, refresh_check_interval: 10}\n"
								 "  quick: &quick {refresh_check_interval: 5s, refresh_on_startup: always}\n"
								 "datasets:\n"
								 "- from: http://h/a\n"
								 "  name: a\n"
								 "  acceleration:\n"
								 "    mode: memory\n"
								 "    <<: [*quick, *base]\n"
								 "- from: http://h/b\n"
								 "  name: b\n"
								 "  acceleration: *base\n");

	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(defined(manifest, 0, "mode"), "\"memory\"");
	CHECK_TEXT(defined(manifest, 0, "engine"), "\"duckdb\"");
	CHECK_TEXT(defined(manifest, 0, "refresh_check_interval_ms"), "5000");
	CHECK_TEXT(defined(manifest, 0, "refresh_on_startup"), "\"always\"");
	CHECK_TEXT(defined(manifest, 1, "mode"), "\"file\"");
	CHECK_TEXT(defined(manifest, 1, "refresh_check_interval_ms"), "10000");
	manifest_free(manifest);

	/* a key that is overridden is gone, with whatever was wrong about it */
	manifest = parse(HEAD "metadata: {base: &base {engine: none}}\n"
					 "datasets:\n"
					 "- {from: 'http://h/a', name: a, acceleration: {<<: *base, engine: duckdb}}\n");
	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(defined(manifest, 0, "engine"), "\"duckdb\"");
	manifest_free(manifest);
	ERROR_AT(4, HEAD "metadata: {<<: 1}\n", "the merge key << needs a mapping", NULL);
	ERROR_AT(4, HEAD "metadata: &a {<<: *a}\n", "has no anchor before it", NULL);
}

static void
expect_broken(int test_line, const char *text)
{
	Manifest   *manifest = parse(text);

	check(manifest->broken && manifest->n_problems > 0, test_line, "manifest is broken");
	manifest_free(manifest);
}

#define BROKEN(text) expect_broken(__LINE__, text)

static void
test_broken_manifests(void)
{
	char		bomb[2048] = HEAD "metadata:\n  a0: &a0 [x]\n";
	char		deep[512] = HEAD "metadata: ";
	char		tags[4096] = "";

	BROKEN("");
	BROKEN("just text");
	BROKEN("kind: Spicepod\nname: x\n");
	BROKEN("version: v1\nname: x\n");
	BROKEN("version: v1\nkind: Spicepod\n");
	BROKEN("version: v9\nkind: Spicepod\nname: x\n");
	BROKEN("version: v1\nkind: Model\nname: x\n");
	BROKEN(HEAD "---\n" HEAD);
	BROKEN(HEAD "datasets: {a: b}\n");
	BROKEN(HEAD "datasets: [a]\n");
	BROKEN(HEAD "datasets:\n- from: http://h/x\n");
	ERROR_AT(4, HEAD "dataset: []\n", "unknown key \"dataset\"", "did you mean \"datasets\"?");
	ERROR_AT(4, HEAD "name: again\n", "key \"name\" stands twice", NULL);
	ERROR_AT(5, HEAD "datasets: [a\n", "not valid YAML", NULL);
	ERROR_AT(4, HEAD "x: \xff\n", "not valid YAML", "UTF-8");
	ERROR_AT(4, HEAD "metadata: \"a\\0b\"\n", "zero byte", NULL);
	ERROR_AT(4, HEAD "metadata: !ruby/object x\n", "unknown tag", NULL);
	PROBLEMS(0, "\xef\xbb\xbf%YAML 1.1\n---\n" HEAD);
	ERROR_AT(1, "\xff\xfe" "v", "not valid YAML", "UTF-8");

	for (int i = 0; i < 101; i++)
		snprintf(tags + strlen(tags), sizeof(tags) - strlen(tags), "%%TAG !t%d! tag:x,2000:\n", i);
	strcat(tags, "---\n" HEAD);
	ERROR_AT(101, tags, "more than 100 %TAG directives", "take the directives out");

	for (int i = 1; i < 12; i++)
		snprintf(bomb + strlen(bomb), sizeof(bomb) - strlen(bomb),
				 "  a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n",
				 i, i, i - 1, i - 1, i - 1, i - 1, i - 1);
	BROKEN(bomb);
	for (int i = 0; i < 40; i++)
		strcat(deep, "[");
	for (int i = 0; i < 40; i++)
		strcat(deep, "]");
	ERROR_AT(4, deep, "nested more than 32 levels deep", NULL);
}

static void
test_unknown_keys(void)
{
	WARNING_AT(4, HEAD "definitions: [&a {b: c}]\n", "unknown key \"definitions\" in the manifest has no effect", NULL);
	WARNING_AT(4, HEAD "secrest: []\n", "unknown key \"secrest\"", "did you mean \"secrets\"?");
	WARNING_AT(4, HEAD "refresh_sql: x\n", "unknown key \"refresh_sql\"", "belongs in acceleration");
	ERROR_AT(7, ENTRY "  acceleraton: {}\n", "unknown key \"acceleraton\" in a dataset",
			 "did you mean \"acceleration\"?");
	ERROR_AT(7, ENTRY "  refresh_sql: x\n", "unknown key \"refresh_sql\" in a dataset",
			 "refresh_sql belongs in acceleration");
	ERROR_AT(8, ENTRY "  acceleration:\n    egnine: duckdb\n",
			 "unknown key \"egnine\" in acceleration", "did you mean \"engine\"?");
	ERROR_AT(7, ENTRY "  params: {username: x}\n", "unknown key \"username\" in params",
			 "did you mean \"http_username\"?");
	ERROR_AT(7, ENTRY "  params: {pg_pass: x}\n", "unknown key \"pg_pass\" in params", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {params: {duckdb_fil: x, sqlite_fil: y}}\n",
			 "unknown key \"sqlite_fil\" in acceleration.params",
			 "did you mean \"sqlite_file\"?");
	ERROR_AT(7, ENTRY "  columns: [{name: x, typ: text}]\n",
			 "unknown key \"typ\" in a column", "did you mean \"type\"?");
	ERROR_AT(7, ENTRY "  acceleration: {enabled: false, egnine: x}\n",
			 "unknown key \"egnine\"", "did you mean \"engine\"?");
	WARNING_AT(7, ENTRY "  check_availability: auto\n", "check_availability is not supported yet", NULL);
	ERROR_AT(7, ENTRY "  params: {http_bearer_token: '${secrets:A}', http_password: '${secrets:B}'}\n",
			 "http_bearer_token contradicts http_username and http_password", NULL);
	ERROR_AT(7, ENTRY "  params: {http_bearer_token: '${secrets:A}', http_headers: 'X: y, authorization: ${secrets:B}'}\n",
			 "http_bearer_token contradicts Authorization in http_headers", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_query_params: 'offset={offset}'}\n",
			 "pagination_query_params needs pagination_page_size", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_page_size: 10}\n",
			 "pagination_page_size needs pagination_query_params", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_query_params: 'limit={limit}', pagination_page_size: 10}\n",
			 "has neither {offset} nor {page}", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_query_params: 'page={page}', pagination_page_size: 0}\n",
			 "pagination_page_size \"0\" is not a whole number", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_max_pages: all}\n",
			 "pagination_max_pages \"all\" is not a whole number", "nolimit");
	ERROR_AT(7, ENTRY "  params: {pagination_token_param: after}\n",
			 "pagination_token_param needs pagination_next_pointer", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_next_pointer: next}\n",
			 "pagination_next_pointer \"next\" is not valid", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_next_pointer: /next, pagination_query_params: 'page={page}', pagination_page_size: 9}\n",
			 "pagination_next_pointer contradicts pagination_query_params", NULL);
	ERROR_AT(7, ENTRY "  params: {pagination_next_pointer: /next, file_format: csv}\n",
			 "pagination_next_pointer has no meaning in file_format csv", NULL);
	WARNING_AT(7, ENTRY "  params: {health_probe: /up}\n", "health_probe is not supported yet", NULL);
	WARNING_AT(4, HEAD "views: []\n", "views is not supported yet", "CREATE VIEW");
	WARNING_AT(7, ENTRY "  description:\n", "description has no value", NULL);
}

/* Asking for what happens anyway is nothing to warn about. */
static void
test_harmless_values(void)
{
	Manifest   *manifest = parse(ENTRY
								 "  access: read\n"
								 "  on_schema_change: block\n"
								 "  acceleration: {retention_check_enabled: false, snapshots: disabled,"
								 " on_zero_results: return_empty}\n");

	CHECK(manifest->n_problems == 0);
	manifest_free(manifest);
	WARNING_AT(7, ENTRY "  acceleration: {on_zero_results: use_source}\n",
			   "on_zero_results is not supported yet", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {on_zero_results: ask}\n",
			 "on_zero_results \"ask\" is not a valid value", "return_empty, use_source");
}

static void
test_wrong_values(void)
{
	ERROR_AT(7, ENTRY "  acceleration: {enabled: yes}\n", "enabled \"yes\" is not a boolean", "true or false");
	ERROR_AT(7, ENTRY "  acceleration: {enabled: \"true\"}\n", "is not a boolean", "without quotes");
	ERROR_AT(7, ENTRY "  acceleration: {engine: mysql}\n", "engine \"mysql\" is not a valid value", "arrow, duckdb");
	ERROR_AT(7, ENTRY "  acceleration: {refresh_check_interval: 1h30m}\n",
			 "refresh_check_interval \"1h30m\" mixes several units", "90m");
	ERROR_AT(7, ENTRY "  acceleration: {refresh_check_interval: 0s}\n", "must be more than zero", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {refresh_retry_max_attempts: -1}\n", "not a whole number", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {refresh_mode: caching}\n", "refresh_mode caching is not supported yet", "append");
	ERROR_AT(7, ENTRY "  acceleration: {engine: arrow, mode: file}\n", "engine arrow has no mode file",
			 "mode: memory");
	WARNING_AT(7, ENTRY "  acceleration: {engine: duckdb, mode: file_update}\n", "is treated as file", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {indexes: {a: primary}}\n", "kind of index \"a\"", "enabled, unique");
	ERROR_AT(7, ENTRY "  acceleration: {indexes: {\"(a, a)\": unique}}\n", "not a list of columns", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {indexes: {a: unique, (a): enabled}}\n", "is there twice", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {primary_key: '(a'}\n", "not a list of columns", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {refresh_sql: ' '}\n", "refresh_sql is empty", NULL);
	ERROR_AT(7, ENTRY "  acceleration: 1\n", "acceleration must be a mapping", NULL);
	ERROR_AT(7, ENTRY "  description: 12\n", "description \"12\" must be a string", "quotes");
	ERROR_AT(7, ENTRY "  time_format: iso\n", "time_format \"iso\" is not a valid value", "ISO8601");
	ERROR_AT(7, ENTRY "  columns: [{name: x}, {name: x}]\n", "column \"x\" is there twice", NULL);
	ERROR_AT(7, ENTRY "  columns: [{type: x}]\n", "has no name", NULL);
	WARNING_AT(7, ENTRY "  acceleration: {enabled: false, engine: duckdb, refresh_sql: x}\n",
			   "no effect: engine, refresh_sql", NULL);
	WARNING_AT(7, ENTRY "  ready_state: on_registration\n",
			   "ready_state on_registration has no effect without acceleration", "on_load");
	WARNING_AT(7, ENTRY "  ready_state: on_registration\n  acceleration: {refresh_sql: SELECT 1}\n",
			   "ready_state on_registration has no effect with refresh_sql", "on_load");
	WARNING_AT(7, ENTRY "  ready_state: on_registration\n  acceleration: {}\n",
			   "ready_state on_registration has no effect without columns", "declare columns");
	WARNING_AT(7, ENTRY "  ready_state: on_registration\n  acceleration: {}\n  columns: [{name: a, type: int}, {name: b}]\n",
			   "ready_state on_registration has no effect without a type of every column", "declare columns");
	ERROR_AT(7, ENTRY "  ref: some/folder\n", "ref is not supported yet", NULL);
}

static void
test_params(void)
{
	Manifest   *manifest = parse(ENTRY
								 "  params: {http_port: 8080, http_headers: 'A: b', client_timeout: 1.5m,"
								 " connect_timeout: 2, json_path: a/b}\n");

	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(defined(manifest, 0, "http_port"), "8080");
	CHECK_TEXT(defined(manifest, 0, "http_headers"), "\"A: b\"");
	CHECK_TEXT(defined(manifest, 0, "client_timeout_ms"), "90000");
	CHECK_TEXT(defined(manifest, 0, "connect_timeout_ms"), "2000");
	CHECK_TEXT(defined(manifest, 0, "json_pointer"), "\"/a/b\"");
	CHECK_TEXT(defined(manifest, 0, "accelerated"), "null");
	manifest_free(manifest);

	manifest = parse(ENTRY "  params: {file_format: ndjson}\n");
	CHECK_TEXT(defined(manifest, 0, "format"), "\"jsonl\"");
	manifest_free(manifest);
	manifest = parse(ENTRY "  params: {file_format: json, json_format: array}\n");
	CHECK_TEXT(defined(manifest, 0, "format"), "\"json\"");
	manifest_free(manifest);

	manifest = parse(HEAD "datasets:\n- {from: 'file:data', name: a, params: {file_format: csv, csv_delimiter: ';'}}\n");
	CHECK_TEXT(defined(manifest, 0, "connector"), "\"file\"");
	CHECK_TEXT(defined(manifest, 0, "format"), "\"csv\"");
	CHECK_TEXT(defined(manifest, 0, "csv_delimiter"), "\";\"");
	manifest_free(manifest);
	manifest = parse(HEAD "datasets:\n- {from: 'file:a.json', name: a, acceleration: {params: {file_watcher: enabled}}}\n");
	CHECK_TEXT(defined(manifest, 0, "refresh_check_interval_ms"), "2000");
	manifest_free(manifest);

	ERROR_AT(7, ENTRY "  params: {http_port: 65536}\n", "http_port is not a whole number", NULL);
	ERROR_AT(7, ENTRY "  params: {http_port: 0}\n", "http_port is not a whole number", NULL);
	ERROR_AT(7, ENTRY "  params: {http_port: [1]}\n", "http_port must be a single value", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: avro}\n", "file_format avro is not supported yet", "csv, tsv");
	ERROR_AT(7, ENTRY "  params: {file_format: xml}\n", "file_format \"xml\" is not a valid value", "jsonl");
	ERROR_AT(7, ENTRY "  params: {json_format: soda}\n", "json_format soda is not supported yet", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: jsonl, json_format: array}\n", "contradicts", NULL);
	ERROR_AT(7, ENTRY "  params: {json_pointer: /a~2}\n", "is not valid", "~0");
	ERROR_AT(7, HEAD "datasets:\n- from: file:a.json\n  name: a\n  params: {pagination_data_pointer: /a}\n",
			 "unknown key \"pagination_data_pointer\"", "http");
	WARNING_AT(7, ENTRY "  params: {http_query: {appid: 0123456789}}\n", "\"appid\" in http_query stands in the manifest", "${secrets:KEY}");
	WARNING_AT(7, ENTRY "  params: {http_query: 'a=1&Token=0123456789'}\n", "\"Token\" in http_query stands in the manifest", NULL);
	ERROR_AT(7, ENTRY "  params: {http_query: '?a=1'}\n", "http_query begins with ?", NULL);
	ERROR_AT(7, ENTRY "  params: {http_query: {a: {b: 1}}}\n", "the value of \"a\" in http_query is not a single value", NULL);
	ERROR_AT(7, ENTRY "  params: {http_headers: {A: \"b\\nC: d\"}}\n", "is not a text of one line", NULL);
	ERROR_AT(7, ENTRY "  params: {http_post_content_type: a/b}\n", "http_post_content_type needs http_body", NULL);
	ERROR_AT(7, ENTRY "  params: {http_tls_client_key_file: k}\n", "needs http_tls_client_certificate_file", NULL);

	manifest = parse(ENTRY "  params: {http_query: {a b: 'c&d', k: \"x${env:K}{watermark}\", l: [1, null]}, http_headers: {A: 'b, C: d', E: null},"
					 " pagination_data_map_to_array: enabled}\n  time_column: t\n  acceleration: {refresh_mode: append}\n");
	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(defined(manifest, 0, "params"), "{\"http_query\":\"a%20b=c%26d&k=x${env:K}{watermark}&l=1&l=\"}");
	CHECK_TEXT(defined(manifest, 0, "http_headers"), "\"A: b, C: d\\nE: \\n\"");
	CHECK_TEXT(defined(manifest, 0, "format"), "\"map\"");
	manifest_free(manifest);
	ERROR_AT(7, ENTRY "  params: {client_timeout: 0}\n", "client_timeout must be more than zero", NULL);
	ERROR_AT(7, ENTRY "  params: {http_headers: \"A: b\\nC: d\"}\n", "line break", NULL);
	WARNING_AT(7, ENTRY "  params: {http_headers: \"authorization: Bearer x\"}\n", "for everyone to read", "${secrets:KEY}");
}

static void
test_secrets_stay_unsaid(void)
{
	Manifest   *manifest = parse(HEAD "datasets:\n"
								 "- from: http://me:hunter2@h/x\n  name: a\n"
								 "  params: {http_password: hunter2, http_passwrod: hunter2}\n"
								 "- from: postgres://me:hunter2@h/x\n  name: b\n"
								 "- from: http://h/x\n  name: c\n"
								 "  params: {http_port: hunter2}\n");

	CHECK(manifest->n_problems == 5);
	CHECK(problem_about(manifest, "user name or password") != NULL);
	CHECK(problem_about(manifest, "for everyone to read") != NULL);
	CHECK(problem_about(manifest, "from does not name a relation") != NULL);
	for (int i = 0; i < manifest->n_problems; i++)
	{
		CHECK(strstr(manifest->problems[i].message, "hunter2") == NULL);
		CHECK(manifest->problems[i].hint == NULL ||
			  strstr(manifest->problems[i].hint, "hunter2") == NULL);
	}
	manifest_free(manifest);
}

static void
expect_name(int test_line, const char *yaml, const char *schema, const char *table)
{
	char		text[512];
	Manifest   *manifest;

	snprintf(text, sizeof(text), HEAD "datasets:\n- from: http://h/x\n  name: %s\n", yaml);
	manifest = parse(text);
	check(manifest->n_datasets == 1, test_line, "one dataset");
	if (manifest->n_datasets == 1)
	{
		bool		good = manifest->datasets[0].definition != NULL;

		check(good == (table != NULL), test_line, "accepted or refused");
		if (good && table != NULL)
		{
			check_text(manifest->datasets[0].schema, schema, test_line);
			check_text(manifest->datasets[0].table, table, test_line);
		}
	}
	manifest_free(manifest);
}

static void
test_names(void)
{
	expect_name(__LINE__, "Customer-Interactions", "public", "customer_interactions");
	expect_name(__LINE__, "eth.Blocks", "eth", "blocks");
	expect_name(__LINE__, "'\"Mixed\"'", "public", "Mixed");
	expect_name(__LINE__, "'\"a-b \"\"c\"'", "public", "a-b \"c");
	expect_name(__LINE__, "'\"order\"'", "public", "order");
	expect_name(__LINE__, "order", NULL, NULL);
	expect_name(__LINE__, "a.b.c", NULL, NULL);
	ERROR_AT(6, HEAD "datasets:\n- from: http://h/x\n  name: 2024\n",
			 "a dataset has no name", "in quotes if it is a number");
	expect_name(__LINE__, "'2024'", NULL, NULL);
	expect_name(__LINE__, "a b", NULL, NULL);
	expect_name(__LINE__, "a.", NULL, NULL);
	expect_name(__LINE__, "'\"a'", NULL, NULL);
	expect_name(__LINE__, "pg_catalog.x", NULL, NULL);
	expect_name(__LINE__, "spice_source.x", NULL, NULL);
	expect_name(__LINE__, "a23456789012345678901234567890123456789012345678901234567890123",
				"public", "a23456789012345678901234567890123456789012345678901234567890123");
	expect_name(__LINE__, "a234567890123456789012345678901234567890123456789012345678901234",
				NULL, NULL);
}

static void
test_datasets_apart(void)
{
	Manifest   *manifest = parse(HEAD "datasets:\n"
								 "- {from: 'http://h/1', name: good}\n"
								 "- {from: 'http://h/2', name: bad, colour: red}\n"
								 "- {from: 'http://h/3', name: twice}\n"
								 "- {from: 'http://h/4', name: twice}\n"
								 "- {from: 'http://h/5', name: a-b}\n"
								 "- {from: 'http://h/6', name: a_b}\n"
								 "- {from: 'http://h/7', name: s.good}\n");

	CHECK(!manifest->broken);
	CHECK(manifest->n_datasets == 6);
	CHECK(manifest->datasets[0].definition != NULL);
	CHECK(manifest->datasets[1].definition == NULL);
	CHECK(manifest->datasets[2].definition == NULL);
	CHECK(manifest->datasets[3].definition == NULL);
	CHECK(manifest->datasets[4].definition == NULL);
	CHECK(manifest->datasets[5].definition != NULL);
	CHECK(manifest->n_problems == 3);
	CHECK(problem_about(manifest, "two datasets have the name \"twice\", the first in line 7") != NULL);
	CHECK(problem_about(manifest, "\"a-b\" in line 9 has the same table public.a_b") != NULL);
	manifest_free(manifest);
}

static void
test_keys_and_columns(void)
{
	Manifest   *manifest = parse(ENTRY
								 "  columns:\n"
								 "  - {name: id, type: 'numeric(12,2)', nullable: false, description: the key}\n"
								 "  - name: other\n"
								 "  acceleration:\n"
								 "    indexes: {\"( a,b )\": unique, c: enabled}\n"
								 "    primary_key: id, other\n");

	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(defined(manifest, 0, "indexes"),
			   "[{\"columns\":[\"a\",\"b\"],\"unique\":true},{\"columns\":[\"c\"],\"unique\":false}]");
	CHECK_TEXT(defined(manifest, 0, "primary_key"), "[\"id\",\"other\"]");
	CHECK_TEXT(defined(manifest, 0, "columns"),
			   "[{\"description\":\"the key\",\"name\":\"id\",\"nullable\":false,\"type\":\"numeric(12,2)\"},"
			   "{\"description\":null,\"name\":\"other\",\"nullable\":true,\"type\":null}]");
	CHECK_TEXT(defined(manifest, 0, "refresh_check_interval_ms"), "null");
	manifest_free(manifest);
}

/* An entry with time_column t, whose acceleration is in line 8. */
#define TIMED			ENTRY "  time_column: t\n"
#define APPEND			TIMED "  acceleration: {refresh_mode: append, "
#define FULL			TIMED "  acceleration: {refresh_mode: full, "
#define REFUSED(text, message, hint)	ERROR_AT(8, text, message, hint)

/* What the definition of the one dataset in text holds under key. */
static const char *
defined_in(int test_line, const char *text, const char *key)
{
	Manifest   *manifest = parse(text);
	const char *found;

	check(manifest->n_problems == 0, test_line, "no problems");
	show_problems(manifest);
	found = defined(manifest, 0, key);
	manifest_free(manifest);
	return found;
}

#define DEFINED(text, key, wanted) \
	check_text(defined_in(__LINE__, text, key), wanted, __LINE__)

#define DATABASE(from) HEAD "datasets:\n- from: '" from "'\n  name: a\n"

static void
test_databases(void)
{
	DEFINED(DATABASE("postgres:Shop.\"My.\"\"Orders\"") "  params: {pg_host: h, pg_db: d, pg_user: u}\n",
			"remote_schema", "\"shop\"");
	DEFINED(DATABASE("postgres:Shop.\"My.\"\"Orders\"") "  params: {pg_host: h, pg_db: d, pg_user: u}\n",
			"remote_table", "\"My.\\\"Orders\"");
	DEFINED(DATABASE("postgres:orders") "  params: {pg_host: h, pg_port: '${env:P}', pg_db: d, pg_user: u}\n",
			"params", "{\"pg_db\":\"d\",\"pg_host\":\"h\",\"pg_port\":\"${env:P}\",\"pg_user\":\"u\"}");
	DEFINED(DATABASE("postgres:orders") "  params: {pg_connection_string: '${env:P}', pg_pass: '${env:Q}'}\n",
			"params", "{\"pg_connection_string\":\"${env:P}\",\"pg_pass\":\"${env:Q}\"}");
	DEFINED(DATABASE("mysql:orders") "  params: {mysql_host: h, mysql_db: d, mysql_user: u, mysql_sslmode: disabled}\n",
			"remote_schema", "null");
	DEFINED(DATABASE("table:orders"), "connector", "\"table\"");

	ERROR_AT(5, DATABASE("postgres:a.b.c"), "from does not name a relation", "postgres:schema.relation");
	ERROR_AT(5, DATABASE("postgres:a."), "from does not name a relation", NULL);
	ERROR_AT(5, DATABASE("postgres:.a"), "from does not name a relation", NULL);
	ERROR_AT(5, DATABASE("postgres:"), "from does not name a relation", NULL);
	ERROR_AT(5, DATABASE("postgres:\"a"), "from does not name a relation", NULL);
	ERROR_AT(5, DATABASE("postgres:a b"), "from does not name a relation", NULL);
	ERROR_AT(5, DATABASE("postgres:\"a\"b"), "from does not name a relation", NULL);
	ERROR_AT(5, DATABASE("postgres:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
			 "  params: {pg_host: h, pg_db: d, pg_user: u}\n", "longer than 63 bytes", NULL);
	ERROR_AT(5, DATABASE("postgres:a") "  params: {pg_db: d, pg_user: u}\n", "pg_host is missing", NULL);
	ERROR_AT(5, DATABASE("mysql:a") "  params: {mysql_host: h, mysql_user: u}\n", "mysql_db is missing", NULL);
	ERROR_AT(5, DATABASE("mysql:a.b") "  params: {mysql_host: h, mysql_user: u}\n", "which mysql_fdw cannot promise", "disabled");
	ERROR_AT(7, DATABASE("mysql:a.b") "  params: {mysql_host: h, mysql_user: u, mysql_sslmode: disabled, mysql_sslrootcert: x}\n",
			 "mysql_sslrootcert has no meaning", NULL);
	ERROR_AT(7, DATABASE("mysql:a.b") "  params: {mysql_host: h, mysql_user: u, mysql_sslmode: disabled, mysql_pass: '${env:P}'}\n",
			 "cannot be read without acceleration", NULL);
	ERROR_AT(7, DATABASE("postgres:a") "  params: {pg_connection_string: x, pg_host: h}\n", "both say", "keep one");
	ERROR_AT(7, DATABASE("postgres:a") "  params: {pg_host: h, pg_port: 0, pg_db: d, pg_user: u}\n", "pg_port is not", NULL);
	ERROR_AT(7, DATABASE("postgres:a") "  params: {pg_host: h, pg_db: d, pg_user: u, pg_sslmode: on}\n",
			 "pg_sslmode \"on\" is not a valid value", "verify-full");
	ERROR_AT(7, DATABASE("postgres:a") "  params: {pg_host: h, pg_db: d, pg_user: u, json_pointer: /a}\n",
			 "unknown key \"json_pointer\"", "param of the http connector");
	ERROR_AT(7, DATABASE("postgres:a") "  params: {pg_host: h, pg_db: d, pg_user: u, mysql_pass: a}\n",
			 "unknown key \"mysql_pass\"", "param of the mysql connector");
	ERROR_AT(7, DATABASE("postgres:a") "  params: {host: h, pg_host: h, pg_db: d, pg_user: u}\n",
			 "unknown key \"host\"", "pg_host");
	ERROR_AT(7, ENTRY "  params: {pg_pass: h}\n", "unknown key \"pg_pass\"", "param of the postgres connector");
	ERROR_AT(7, DATABASE("table:a") "  params: {pg_host: h}\n", "unknown key \"pg_host\"", "postgres connector");
	ERROR_AT(10, DATABASE("table:a") "  time_column: t\n  acceleration:\n    refresh_mode: append\n"
			 "    params: {http_append_query: \"t={watermark}\"}\n", "http_append_query has no meaning", NULL);
	WARNING_AT(7, DATABASE("postgres:a") "  params: {pg_host: h, pg_db: d, pg_user: u, pg_pass: x}\n",
			   "for everyone to read", "${secrets:KEY}");
	WARNING_AT(7, DATABASE("postgres:a") "  params: {pg_connection_string: 'postgresql://u:x@h/d'}\n",
			   "pg_connection_string stands in the manifest", "${secrets:KEY}");
	WARNING_AT(7, DATABASE("postgres:a") "  params: {pg_connection_string: 'postgresql://${env:U}:x@${env:H}/d'}\n",
			   "pg_connection_string stands in the manifest", "${secrets:KEY}");
	PROBLEMS(0, DATABASE("postgres:a") "  params: {pg_connection_string: 'postgresql://u:${env:P}@h:5432/d'}\n");
	PROBLEMS(0, DATABASE("postgres:a") "  params: {pg_connection_string: 'postgresql://u@h:5432/d?a=b@c:d'}\n");
	WARNING_AT(7, DATABASE("postgres:a") "  params: {pg_connection_string: host=h password=x}\n",
			   "for everyone to read", "${secrets:KEY}");
}

/* One mistake must not be told twice. */
static void
test_append(void)
{
	DEFINED(APPEND "}\n", "refresh_mode", "\"append\"");
	DEFINED(APPEND "refresh_append_overlap: 5m}\n", "refresh_append_overlap_ms", "300000");
	DEFINED(APPEND "refresh_data_window: 1d}\n", "refresh_data_window_ms", "86400000");
	DEFINED(FULL "refresh_data_window: 1d}\n", "refresh_data_window_ms", "86400000");
	DEFINED(TIMED "  time_format: unix_millis\n", "time_format", "\"unix_millis\"");

	ERROR_AT(7, ENTRY "  acceleration: {refresh_mode: append}\n",
			 "refresh_mode append needs time_column", "write time_column:");
	ERROR_AT(7, ENTRY "  acceleration: {refresh_data_window: 1d}\n",
			 "refresh_data_window needs time_column", "write time_column:");
	ERROR_AT(8, ENTRY "  time_column:\n  acceleration: {refresh_mode: append}\n",
			 "refresh_mode append needs time_column", NULL);
	PROBLEMS(1, ENTRY "  acceleration: {refresh_mode: append, refresh_data_window: 1d,"
			 " refresh_append_overlap: 1s, retention_check_enabled: true,"
			 " retention_period: 1d, retention_check_interval: 1h}\n");
	PROBLEMS(1, ENTRY "  time_column: 5\n  acceleration: {refresh_mode: append}\n");
	PROBLEMS(1, TIMED "  acceleration: {refresh_mode: caching, refresh_append_overlap: 1s,"
			 " params: {refresh_min_rows: 1, http_append_query: 's={watermark}'}}\n");
	REFUSED(FULL "refresh_append_overlap: 1s}\n",
			"refresh_append_overlap needs refresh_mode append", "write refresh_mode: append");
	REFUSED(TIMED "  acceleration: {refresh_append_overlap: 1s}\n",
			"refresh_append_overlap needs refresh_mode append", NULL);
	REFUSED(APPEND "refresh_data_window: 0s}\n", "refresh_data_window must be more than zero", NULL);
	REFUSED(APPEND "refresh_append_overlap: 1x}\n", "has an unknown unit", NULL);
	ERROR_AT(8, TIMED "  time_format: iso8602\n", "time_format \"iso8602\" is not a valid value", "ISO8601");
	DEFINED(TIMED "  time_format: iso8601\n", "time_format", "\"ISO8601\"");
}

static void
test_append_query(void)
{
#define QUERY(template)	APPEND "params: {http_append_query: '" template "'}}\n"
	DEFINED(QUERY("since={watermark}&limit=5"), "http_append_query", "\"since={watermark}&limit=5\"");
	REFUSED(QUERY(""), "does not hold {watermark}", "since={watermark}");
	REFUSED(QUERY("since=watermark"), "does not hold {watermark}", NULL);
	REFUSED(QUERY("a={watermark}&b={watermark}"), "holds {watermark} more than once", NULL);
	REFUSED(QUERY("a={watermark}&b={limit}"), "holds other braces", NULL);
	REFUSED(QUERY("a={x}&b={watermark}"), "holds other braces", NULL);
	REFUSED(QUERY("a={{watermark}}"), "holds other braces", NULL);
	REFUSED(QUERY("a={watermark}}"), "holds other braces", NULL);
	REFUSED(QUERY("?a={watermark}"), "begins with ? or &", NULL);
	REFUSED(QUERY("&a={watermark}"), "begins with ? or &", NULL);
	REFUSED(QUERY("a b={watermark}"), "cannot stand in a query", "percent-encoded");
	REFUSED(QUERY("a={watermark}#b"), "cannot stand in a query", NULL);
	REFUSED(FULL "params: {http_append_query: 's={watermark}'}}\n",
			"http_append_query needs refresh_mode append", "write refresh_mode: append");
	ERROR_AT(7, ENTRY "  params: {http_append_query: 's={watermark}'}\n",
			 "unknown key \"http_append_query\"", "belongs in acceleration.params");
#undef QUERY
}

static void
test_conflicts(void)
{
#define KEYS	APPEND "primary_key: '(b, a)', indexes: {'(c, d)': unique, e: enabled}, "
	DEFINED(APPEND "}\n", "on_conflict", "null");
	DEFINED(APPEND "primary_key: id, on_conflict: {(id): drop}}\n", "on_conflict",
			"[{\"action\":\"drop\",\"columns\":[\"id\"]}]");
	DEFINED(KEYS "on_conflict: {'a, b': upsert}}\n", "on_conflict",
			"[{\"action\":\"upsert\",\"columns\":[\"b\",\"a\"]}]");
	DEFINED(KEYS "on_conflict: {'(d,c)': upsert_dedup}}\n", "on_conflict",
			"[{\"action\":\"upsert_dedup\",\"columns\":[\"c\",\"d\"]}]");
	DEFINED(KEYS "on_conflict: {'(c, d)': upsert_dedup_by_row_id}}\n", "on_conflict",
			"[{\"action\":\"upsert_dedup_by_row_id\",\"columns\":[\"c\",\"d\"]}]");
	DEFINED(KEYS "on_conflict: {'(c, d)': drop, '(a, b)': drop}}\n", "on_conflict",
			"[{\"action\":\"drop\",\"columns\":[\"c\",\"d\"]},{\"action\":\"drop\",\"columns\":[\"b\",\"a\"]}]");

	REFUSED(APPEND "on_conflict: {id: upsert}}\n",
			"on_conflict needs a primary_key or a unique index", "write primary_key:");
	REFUSED(APPEND "indexes: {id: enabled}, on_conflict: {id: upsert}}\n",
			"on_conflict needs a primary_key or a unique index", NULL);
	REFUSED(KEYS "on_conflict: {e: upsert}}\n",
			"target \"e\" of on_conflict is neither the primary_key nor a unique index", "primary_key");
	REFUSED(KEYS "on_conflict: {b: upsert}}\n", "target \"b\" of on_conflict is neither", NULL);
	REFUSED(KEYS "on_conflict: {'(a, b, c)': upsert}}\n", "of on_conflict is neither", NULL);
	REFUSED(KEYS "on_conflict: {'(a, b)': drop, '(c, d)': upsert}}\n",
			"on_conflict has several targets, and not all of them are drop", "drop for each");
	REFUSED(KEYS "on_conflict: {'(a, b)': drop, 'b, a': drop}}\n", "is there twice", NULL);
	REFUSED(KEYS "on_conflict: {'(a, b)': replace}}\n",
			"the action for target \"(a, b)\" of on_conflict is not valid", "upsert_dedup_by_row_id");
	REFUSED(KEYS "on_conflict: {'(a, b)': [drop]}}\n", "of on_conflict is not valid", NULL);
	REFUSED(KEYS "on_conflict: {'(a, a)': drop}}\n", "target \"(a, a)\" is not a list of columns", NULL);
	REFUSED(KEYS "on_conflict: drop}\n", "on_conflict must be a mapping", NULL);
	expect(__LINE__, KEYS "on_conflict: {}}\n", MANIFEST_WARNING, 8, "on_conflict is empty", NULL);
	PROBLEMS(1, APPEND "primary_key: '(a', on_conflict: {a: upsert}}\n");
	DEFINED(FULL "primary_key: [a, b]}\n", "primary_key", "[\"a\",\"b\"]");
	REFUSED(FULL "primary_key: [a, a]}\n", "primary_key \"a,a\" is not a list of columns", NULL);
	REFUSED(FULL "primary_key: [{a: b}]}\n", "is not a list of columns", "(a, b)");
	REFUSED(FULL "primary_key: []}\n", "is not a list of columns", NULL);
	PROBLEMS(1, APPEND "primary_key: 5, on_conflict: {a: upsert}}\n");
	PROBLEMS(1, APPEND "on_conflict: {a: upsert, b: upsert}}\n");

	/* a primary key alone keeps one row of each key, but not where the source does */
	DEFINED(FULL "primary_key: a}\n", "on_conflict", "[{\"action\":\"upsert\",\"columns\":[\"a\"]}]");
	DEFINED(APPEND "primary_key: a}\n", "on_conflict", "[{\"action\":\"upsert\",\"columns\":[\"a\"]}]");
	DEFINED(FULL "primary_key: a, on_conflict: {a: drop}}\n", "on_conflict", "[{\"action\":\"drop\",\"columns\":[\"a\"]}]");
	REFUSED(FULL "primary_key: a, on_conflict: {b: upsert}}\n", "is neither the primary_key", NULL);
#undef KEYS
}

static void
test_guard(void)
{
	DEFINED(FULL "params: {refresh_min_rows: 100}}\n", "refresh_min_rows", "100");
	DEFINED(ENTRY "  acceleration: {params: {refresh_max_shrink: 50%}}\n", "refresh_max_shrink", "0.5");
	DEFINED(FULL "params: {refresh_max_shrink: 0.5}}\n", "refresh_max_shrink", "0.5");
	DEFINED(FULL "params: {refresh_max_shrink: .25}}\n", "refresh_max_shrink", "0.25");
	DEFINED(FULL "params: {refresh_max_shrink: 12.5%}}\n", "refresh_max_shrink", "0.125");
	DEFINED(FULL "params: {refresh_max_shrink: 0}}\n", "refresh_max_shrink", "0.0");
	for (int i = 0; i < 2; i++)
	{
		Manifest   *manifest = parse(i ? FULL "params: {refresh_max_shrink: 10%}}\n" :
									 FULL "params: {refresh_max_shrink: 0.1}}\n");

		CHECK(strstr(manifest->datasets[0].definition, "\"refresh_max_shrink\":0.1,") != NULL);
		manifest_free(manifest);
	}
	REFUSED(FULL "params: {refresh_max_shrink: 50}}\n",
			"refresh_max_shrink \"50\" is not a part from 0 to 100%", "50% or 0.5");
	REFUSED(FULL "params: {refresh_max_shrink: 101%}}\n", "is not a part", NULL);
	REFUSED(FULL "params: {refresh_max_shrink: -1%}}\n", "is not a part", NULL);
	REFUSED(FULL "params: {refresh_max_shrink: '%'}}\n", "is not a part", NULL);
	REFUSED(FULL "params: {refresh_max_shrink: 0.5.5}}\n", "is not a part", NULL);
	REFUSED(FULL "params: {refresh_max_shrink: 50%%}}\n", "is not a part", NULL);
	REFUSED(FULL "params: {refresh_max_shrink: 0.0000000001}}\n", "is not a part", NULL);
	REFUSED(FULL "params: {refresh_max_shrink: 'half'}}\n", "is not a part", NULL);
	WARNING_AT(8, FULL "params: {refresh_max_shrink: 1}}\n", "has no effect", "50%");
	REFUSED(FULL "params: {refresh_min_rows: many}}\n", "is not a whole number", NULL);
	REFUSED(APPEND "params: {refresh_min_rows: 1}}\n",
			"refresh_min_rows needs refresh_mode full", "write refresh_mode: full");
	REFUSED(APPEND "params: {refresh_max_shrink: 50%}}\n",
			"refresh_max_shrink needs refresh_mode full", "write refresh_mode: full");
	REFUSED(FULL "refresh_min_rows: 1}\n", "unknown key \"refresh_min_rows\"",
			"belongs in acceleration.params");
}

static void
test_retention(void)
{
#define RETENTION	FULL "retention_check_enabled: true, "
	Manifest   *manifest = parse(TIMED
								 "  acceleration:\n"
								 "    retention_check_enabled: true\n"
								 "    retention_sql: |\n"
								 "      DELETE FROM a WHERE x\n"
								 "    retention_cron: \" 0  4 * * sun\"\n");

	CHECK(manifest->n_problems == 0);
	CHECK_TEXT(manifest->datasets[0].retention_sql, "DELETE FROM a WHERE x\n");
	CHECK(manifest->datasets[0].retention_sql_line == 11);
	CHECK_TEXT(defined(manifest, 0, "retention_sql"), "\"DELETE FROM a WHERE x\\n\"");
	CHECK_TEXT(defined(manifest, 0, "retention_cron"), "\"0 4 * * sun\"");
	CHECK_TEXT(defined(manifest, 0, "retention_check_interval_ms"), "null");
	CHECK_TEXT(defined(manifest, 0, "retention_period_ms"), "null");
	manifest_free(manifest);
	DEFINED(RETENTION "retention_period: 90d, retention_check_interval: 1h}\n",
			"retention_period_ms", "7776000000");
	DEFINED(RETENTION "retention_period: 90d, retention_sql: x, retention_check_interval: 1h}\n",
			"retention_check_interval_ms", "3600000");
	DEFINED(FULL "retention_check_enabled: false}\n", "retention_period_ms", "null");

	REFUSED(FULL "retention_period: 1d}\n",
			"retention_period has no effect without retention_check_enabled: true",
			"write retention_check_enabled: true");
	REFUSED(FULL "retention_sql: x}\n", "retention_sql has no effect without", NULL);
	REFUSED(FULL "retention_cron: '0 4 * * *'}\n", "retention_cron has no effect without", NULL);
	REFUSED(FULL "retention_check_enabled: false, retention_check_interval: 1h}\n",
			"retention_check_interval has no effect without", NULL);
	PROBLEMS(1, FULL "retention_check_enabled: yes, retention_period: 1d}\n");
	REFUSED(RETENTION "retention_period: 1d}\n",
			"retention_check_enabled needs retention_check_interval or retention_cron",
			"write retention_check_interval: 24h");
	REFUSED(RETENTION "retention_check_interval: 1d}\n",
			"retention_check_enabled needs retention_period or retention_sql",
			"write retention_period: 90d");
	REFUSED(RETENTION "retention_period: 1d, retention_check_interval: 1d, retention_cron: '0 4 * * *'}\n",
			"retention_cron contradicts retention_check_interval", "keep one");
	ERROR_AT(7, ENTRY "  acceleration: {retention_check_enabled: true, retention_period: 1d,"
			 " retention_check_interval: 1h}\n", "retention_period needs time_column", "write time_column:");
	PROBLEMS(0, ENTRY "  acceleration: {retention_check_enabled: true, retention_sql: x,"
			 " retention_check_interval: 1h}\n");
	REFUSED(RETENTION "retention_period: 0d, retention_check_interval: 1h}\n",
			"retention_period must be more than zero", NULL);
	REFUSED(RETENTION "retention_period: 1d, retention_check_interval: 0}\n",
			"retention_check_interval must be more than zero", NULL);
	REFUSED(RETENTION "retention_sql: ' ', retention_check_interval: 1h}\n",
			"retention_sql is empty", "DELETE");
	REFUSED(RETENTION "retention_period: 1d, retention_cron: '@daily'}\n",
			"retention_cron \"@daily\" is a name", NULL);
	PROBLEMS(1, RETENTION "retention_period: 1x, retention_check_interval: 1h}\n");
	PROBLEMS(1, RETENTION "retention_period: 1d, retention_check_interval: 1x}\n");
#undef RETENTION
}

static void
test_schedule(void)
{
	DEFINED(FULL "refresh_cron: '*/5 * * * *'}\n", "refresh_check_interval_ms", "null");
	DEFINED(APPEND "refresh_cron: '*/5 * * * *'}\n", "refresh_cron", "\"*/5 * * * *\"");
	REFUSED(FULL "refresh_cron: '0 4 * * *', refresh_check_interval: 1h}\n",
			"refresh_cron contradicts refresh_check_interval", "keep one");
	ERROR_AT(7, ENTRY "  acceleration: {refresh_mode: append, refresh_cron: '0 4 * * *'}\n",
			 "needs time_column", NULL);

	DEFINED(FULL "refresh_check_interval: 50s, refresh_jitter_enabled: true}\n",
			"refresh_jitter_max_ms", "5000");
	DEFINED(FULL "refresh_check_interval: 50s, refresh_jitter_enabled: true, refresh_jitter_max: 7s}\n",
			"refresh_jitter_max_ms", "7000");
	REFUSED(FULL "refresh_cron: '0 4 * * *', refresh_jitter_enabled: true, refresh_jitter_max: 7s}\n",
			"refresh_jitter_enabled has no effect without refresh_check_interval", "take it out");
	DEFINED(FULL "refresh_check_interval: 50s, refresh_jitter_enabled: false}\n",
			"refresh_jitter_max_ms", "null");
	REFUSED(FULL "refresh_jitter_enabled: true}\n",
			"refresh_jitter_enabled has no effect", "write refresh_check_interval");
	REFUSED(FULL "refresh_jitter_max: 5s}\n",
			"refresh_jitter_max has no effect without refresh_jitter_enabled: true",
			"write refresh_jitter_enabled: true");
	REFUSED(FULL "refresh_jitter_enabled: false, refresh_jitter_max: 5s}\n",
			"refresh_jitter_max has no effect", NULL);
	REFUSED(FULL "refresh_check_interval: 50s, refresh_jitter_enabled: true, refresh_jitter_max: 0s}\n",
			"refresh_jitter_max must be more than zero", NULL);
	PROBLEMS(1, FULL "refresh_jitter_enabled: 1, refresh_jitter_max: 5s}\n");
	PROBLEMS(1, FULL "refresh_jitter_enabled: true, refresh_check_interval: 5x}\n");
}

static void
test_cron(void)
{
#define CRON(text)	FULL "refresh_cron: '" text "'}\n"
#define CRON_GOOD(text)	DEFINED(CRON(text), "refresh_cron", "\"" text "\"")
	CRON_GOOD("* * * * *");
	CRON_GOOD("0,15,30-59/5 0-23/2 1,31 jan,DEC mon-Fri");
	CRON_GOOD("59 23 29 2 7");
	CRON_GOOD("05 0 31 2 1");
	CRON_GOOD("*/60 */24 1 12 0-7");
	DEFINED(CRON("  0   4 *  * * "), "refresh_cron", "\"0 4 * * *\"");

	REFUSED(CRON("5 0 4 * * *"), "asks for seconds of certain minutes", "write 0 for the seconds");
	REFUSED(CRON("0 4 * *"), "has not five fields", "minute, hour");
	REFUSED(CRON("0 4 * * * * *"), "has not five fields", NULL);
	REFUSED(CRON(""), "has not five fields", NULL);
	DEFINED(CRON("0 30 4 * * *"), "refresh_cron", "\"30 4 * * *\"");
	DEFINED(CRON("*/30 * * * * *"), "refresh_check_interval_ms", "30000");
	DEFINED(CRON("*/30 * * * * *"), "refresh_cron", "null");
	DEFINED(CRON("* * * * * *"), "refresh_check_interval_ms", "1000");
	REFUSED(CRON("*/7 * * * * *"), "asks for seconds of certain minutes", "write 0 for the seconds");
	REFUSED(CRON("*/30 4 * * * *"), "asks for seconds of certain minutes", NULL);
	REFUSED(CRON("@hourly"), "refresh_cron \"@hourly\" is a name", "0 * * * *");
	REFUSED(CRON("60 4 * * *"), "the minute \"60\" of refresh_cron is out of range", "from 0 to 59");
	REFUSED(CRON("0 24 * * *"), "the hour \"24\" of refresh_cron is out of range", "from 0 to 23");
	REFUSED(CRON("0 4 0 * *"), "the day of the month \"0\" of refresh_cron is out of range", "from 1 to 31");
	REFUSED(CRON("0 4 0-5 * *"), "the day of the month \"0-5\" of refresh_cron is out of range", NULL);
	REFUSED(CRON("0 4 32 * *"), "the day of the month \"32\"", NULL);
	REFUSED(CRON("0 4 * 13 *"), "the month \"13\" of refresh_cron is out of range", "English name");
	REFUSED(CRON("0 4 * * 8"), "the day of the week \"8\" of refresh_cron is out of range", "from 0 to 7");
	REFUSED(CRON("0 4 * * 1-9"), "is out of range", NULL);
	REFUSED(CRON("mon 4 * * *"), "the minute \"mon\" of refresh_cron is not understood", NULL);
	REFUSED(CRON("0 4 * mon *"), "the month \"mon\" of refresh_cron is not understood", NULL);
	REFUSED(CRON("0 4 * * monday"), "is not understood", NULL);
	REFUSED(CRON("0 4 * * ?"), "is not understood", NULL);
	REFUSED(CRON("0 4 L * *"), "is not understood", NULL);
	REFUSED(CRON("1, 4 * * *"), "the minute \"1,\" of refresh_cron is not understood", NULL);
	REFUSED(CRON("1, 4 * * * *"), "asks for seconds", NULL);
	REFUSED(CRON("1,,2 4 * * *"), "is not understood", NULL);
	REFUSED(CRON("1- 4 * * *"), "is not understood", NULL);
	REFUSED(CRON("-1 4 * * *"), "is not understood", NULL);
	REFUSED(CRON("*/ 4 * * *"), "is not understood", NULL);
	REFUSED(CRON("001 4 * * *"), "is not understood", NULL);
	REFUSED(CRON("5/10 4 * * *"), "has a step without a range", "0-59/2");
	REFUSED(CRON("*/0 4 * * *"), "has a step that does not fit", NULL);
	REFUSED(CRON("*/90 4 * * *"), "has a step that does not fit", NULL);
	REFUSED(CRON("10-20/12 4 * * *"), "has a step that does not fit", NULL);
	REFUSED(CRON("0 22-4 * * *"), "is a range that goes down", NULL);
	REFUSED(CRON("0 4 * * fri-sun"), "is a range that goes down", NULL);
	REFUSED(CRON("0 4 31 feb,apr *"), "is never due", "a day that exists");
	REFUSED(FULL "refresh_cron: 5}\n", "must be a string", NULL);
#undef CRON_GOOD
#undef CRON
}

static void
test_schema_change(void)
{
	DEFINED(ENTRY, "on_schema_change", "\"block\"");
	DEFINED(ENTRY "  on_schema_change: sync_all_columns\n  acceleration: {}\n",
			"on_schema_change", "\"sync_all_columns\"");
	DEFINED(FULL "}\n  on_schema_change: drop_and_recreate\n",
			"on_schema_change", "\"drop_and_recreate\"");
	DEFINED(APPEND "}\n  on_schema_change: append_new_columns\n",
			"on_schema_change", "\"append_new_columns\"");
	DEFINED(APPEND "}\n  on_schema_change: fail\n", "on_schema_change", "\"fail\"");
	ERROR_AT(9, APPEND "}\n  on_schema_change: drop_and_recreate\n",
			 "on_schema_change drop_and_recreate needs refresh_mode full", "write refresh_mode: full");
	ERROR_AT(7, ENTRY "  on_schema_change: sync\n",
			 "on_schema_change \"sync\" is not a valid value", "sync_all_columns");
	WARNING_AT(7, ENTRY "  on_schema_change: fail\n",
			   "on_schema_change fail has no effect without acceleration", "enabled: true");
}

/* What other systems and versions of the original runtime write, as it stands. */
static void
test_tolerated(void)
{
	DEFINED(ENTRY "  acceleration: {mode: file}\n", "mode", "\"file\"");
	DEFINED(ENTRY "  acceleration: {write_mode: acceleration}\n", "mode", "\"memory\"");
	PROBLEMS(0, ENTRY "  acceleration: {write_mode: acceleration}\n");
	PROBLEMS(0, ENTRY "  load: on_startup\n");
	WARNING_AT(7, ENTRY "  load: on_demand\n", "load is not supported yet", "is loaded at once");
	WARNING_AT(8, ENTRY "  acceleration:\n    sort_columns: [a]\n", "sort_columns is not supported yet", "ORDER BY");
	PROBLEMS(0, ENTRY "  params: {on_error_response: error}\n");
	ERROR_AT(7, ENTRY "  params: {on_error_response: store}\n", "on_error_response \"store\" is not a valid value",
			 "valid values: error");
	WARNING_AT(7, ENTRY "  params: {rate_control_window: 10s}\n", "rate_control_window is not supported yet", NULL);
	WARNING_AT(7, ENTRY "  params: {http_username: '${API_KEY}'}\n",
			   "http_username holds ${API_KEY}, which is no reference to a secret", "write ${secrets:API_KEY}");
	PROBLEMS(0, ENTRY "  params: {http_username: '${secrets:API_KEY}'}\n");
	PROBLEMS(0, HEAD "datasets:\n- from: postgres:a\n  name: a\n"
			 "  params: {pg_host: h, pg_db: d, pg_user: u, pg_sslmode: '${secrets:MODE}'}\n");
	ERROR_AT(7, HEAD "datasets:\n- from: postgres:a\n  name: a\n"
			 "  params: {pg_host: h, pg_db: d, pg_user: u, pg_sslmode: maybe}\n", "pg_sslmode \"maybe\" is not", NULL);
	DEFINED(ENTRY "  columns: [{name: a, type: Int64}, {name: b, type: string}, {name: c, type: integer}]\n", "columns",
			"[{\"description\":null,\"name\":\"a\",\"nullable\":true,\"type\":\"bigint\"},"
			"{\"description\":null,\"name\":\"b\",\"nullable\":true,\"type\":\"text\"},"
			"{\"description\":null,\"name\":\"c\",\"nullable\":true,\"type\":\"integer\"}]");
}

static void
test_changes(void)
{
#define FOLLOWED(name, params, more) HEAD "datasets:\n- from: postgres:sales.orders\n  name: " name "\n" \
	"  params: {pg_host: h, pg_db: d, pg_user: u" params "}\n  acceleration: {refresh_mode: changes" more "}\n"
#define MISFIT(setting, more) ERROR_AT(8, FOLLOWED("sales.orders", "", more), setting " does not apply to refresh_mode changes", "take it out")
	DEFINED(FOLLOWED("sales.orders", "", ""), "refresh_mode", "\"changes\"");
	DEFINED(FOLLOWED("sales.orders", "", ""), "mode", "\"file\"");
	DEFINED(FOLLOWED("sales.orders", "", ""), "refresh_check_interval_ms", "10000");
	DEFINED(FOLLOWED("sales.orders", "", ", refresh_check_interval: 1m"), "refresh_check_interval_ms", "60000");
	DEFINED(FOLLOWED("sales.orders", ", pg_publication: p, pg_replication_slot: s_1", ""), "params",
			"{\"pg_db\":\"d\",\"pg_host\":\"h\",\"pg_publication\":\"p\",\"pg_replication_slot\":\"s_1\",\"pg_user\":\"u\"}");
	DEFINED(FOLLOWED("sales.orders", "", ", primary_key: id"), "on_conflict", "null");
	PROBLEMS(0, FOLLOWED("Sales.orders", "", ", engine: duckdb, mode: file, primary_key: id, indexes: {a: enabled}"));
	PROBLEMS(0, HEAD "datasets:\n- from: postgres:orders\n  name: orders\n  on_schema_change: sync_all_columns\n"
			 "  params: {pg_host: h, pg_db: d, pg_user: u}\n  acceleration: {refresh_mode: changes}\n");
	WARNING_AT(8, FOLLOWED("sales.orders", "", ", mode: memory"), "mode memory is treated as file", "mode: file");

	ERROR_AT(6, FOLLOWED("orders", "", ""), "has the name of its source's table", "name: sales.orders");
	ERROR_AT(6, FOLLOWED("sales.other", "", ""), "has the name of its source's table", "name: sales.orders");
	ERROR_AT(6, HEAD "datasets:\n- from: postgres:orders\n  name: mine\n  params: {pg_host: h, pg_db: d, pg_user: u}\n"
			 "  acceleration: {refresh_mode: changes}\n", "has the name of its source's table", "write name: orders,");
	ERROR_AT(7, ENTRY "  acceleration: {refresh_mode: changes}\n", "refresh_mode changes works for the postgres connector only", "append");
	MISFIT("refresh_cron", ", refresh_cron: '* * * * *'");
	MISFIT("refresh_jitter_enabled", ", refresh_check_interval: 1s, refresh_jitter_enabled: true");
	MISFIT("refresh_data_window", ", refresh_data_window: 1d");
	MISFIT("retention_check_enabled", ", retention_check_enabled: true, retention_sql: x, retention_check_interval: 1h");
	MISFIT("retention_sql", ", retention_check_enabled: true, retention_sql: x, retention_check_interval: 1h");
	PROBLEMS(0, FOLLOWED("sales.orders", "", ", primary_key: id, on_conflict: {id: upsert}"));
	ERROR_AT(8, FOLLOWED("sales.orders", "", ", primary_key: id, on_conflict: {id: drop}"),
			 "the action drop of on_conflict does not apply to refresh_mode changes", "write upsert");
	MISFIT("refresh_on_startup always", ", refresh_on_startup: always");
	ERROR_AT(7, HEAD "datasets:\n- from: postgres:orders\n  name: orders\n  time_column: at\n"
			 "  params: {pg_host: h, pg_db: d, pg_user: u}\n  acceleration: {refresh_mode: changes}\n",
			 "time_column does not apply", NULL);
	ERROR_AT(7, HEAD "datasets:\n- from: postgres:orders\n  name: orders\n  on_schema_change: fail\n"
			 "  params: {pg_host: h, pg_db: d, pg_user: u}\n  acceleration: {refresh_mode: changes}\n",
			 "on_schema_change does not apply", "columns follow");
	ERROR_AT(8, FOLLOWED("sales.orders", "", ", refresh_append_overlap: 1s"), "refresh_append_overlap needs refresh_mode append", NULL);
	ERROR_AT(8, FOLLOWED("sales.orders", "", ", params: {refresh_min_rows: 1}"), "refresh_min_rows needs refresh_mode full", NULL);
	ERROR_AT(8, FOLLOWED("sales.orders", ", pg_publication: p", ", refresh_sql: x"), "refresh_sql with pg_publication does not apply", NULL);
	ERROR_AT(7, FOLLOWED("sales.orders", ", pg_replication_slot: My-Slot", ""), "pg_replication_slot is not a name", NULL);
	ERROR_AT(7, FOLLOWED("sales.orders", ", pg_publication: ''", ""), "pg_publication is not a name", NULL);
	WARNING_AT(7, HEAD "datasets:\n- from: postgres:orders\n  name: a\n  params: {pg_host: h, pg_db: d, pg_user: u, pg_publication: p}\n",
			   "pg_publication has no effect without refresh_mode changes", "refresh_mode: changes");
	WARNING_AT(7, FOLLOWED("sales.orders", ", pg_replication_status_interval: 1s", ""), "pg_replication_status_interval is not supported", NULL);
}

static void
test_store_list(void)
{
	Manifest   *manifest = parse(HEAD "secrets:\n"
								 "- {from: env, name: e, params: {file_path: my.env}}\n"
								 "- {from: 'file:/mnt/s', name: f}\n"
								 "- {from: file, name: g}\n"
								 "- {from: 'kubernetes:x', name: k}\n");

	CHECK(!manifest->broken);
	CHECK(manifest->n_problems == 1);
	CHECK_TEXT(manifest->secrets,
			   "[{\"from\":\"env\",\"name\":\"e\",\"path\":\"my.env\"},"
			   "{\"from\":\"file\",\"name\":\"f\",\"path\":\"/mnt/s\"},"
			   "{\"from\":\"file\",\"name\":\"g\",\"path\":\"/run/secrets\"},"
			   "{\"from\":\"kubernetes\",\"name\":\"k\",\"path\":null}]");
	manifest_free(manifest);
	ERROR_AT(5, HEAD "secrets:\n- {from: 'kubernetes:x', name: k}\n", "kubernetes is not supported yet", "env, file");
	BROKEN(HEAD "secrets:\n- {from: env, name: a}\n- {from: env, name: a}\n");
	BROKEN(HEAD "secrets:\n- {from: env, name: secrets}\n");
	BROKEN(HEAD "secrets:\n- {from: 'env:x', name: e}\n");
	BROKEN(HEAD "secrets:\n- {from: env, name: e, parms: {}}\n");
}

/* ------------------------------------------------------------------- secrets */

static char folder[] = "manifest_test.XXXXXX";

static void
write_file(const char *name, const char *text)
{
	char		path[256];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		perror(path);
}

static void
remove_file(const char *name)
{
	char		path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	remove(path);
}

/* What value becomes; or the error behind "!", in a static buffer. */
static const char *
expanded(const char *stores_json, const char *value)
{
	static char buffer[1024];
	char	   *error;
	SecretStores *stores = secret_stores_open(stores_json, folder, &error);
	char	   *text = stores ? secret_expand(stores, value, SECRET_PLAIN, &error) : NULL;

	snprintf(buffer, sizeof(buffer), "%s%s", text ? "" : "!",
			 text ? text : error ? error : "(out of memory)");
	secret_free(text);
	free(error);
	secret_stores_close(stores);
	return buffer;
}

static void
test_references(void)
{
	CHECK(secret_is_reference("${secrets:a}"));
	CHECK(secret_is_reference(" ${ env : a-b_2 } "));
	CHECK(!secret_is_reference("x ${secrets:a}"));
	CHECK(!secret_is_reference("${secrets:a}${secrets:b}"));
	CHECK(!secret_is_reference("${foo}"));
	CHECK(!secret_is_reference("${file:../etc/passwd}"));
	CHECK(!secret_is_reference(""));
	CHECK_TEXT(expanded(NULL, "${foo} $x ${a:b.c}"), "${foo} $x ${a:b.c}");
	CHECK_TEXT(expanded(NULL, ""), "");
}

static void
test_env_store(void)
{
	setenv("MT_PLAIN", "plain", 1);
	setenv("SPICE_MT_PLAIN", "prefixed", 1);
	setenv("MT_ONE", "one", 1);
	setenv("MT_EMPTY", "", 1);
	write_file(".env", "MT_ONE=file\nMT_TWO=two\nMT_THREE=three # note\n");
	write_file(".env.local", "export MT_TWO='local $x'\n# note\n\nMT_FOUR=\"a\\nb\"\n");

	CHECK_TEXT(expanded(NULL, "${secrets:mt_plain}"), "prefixed");
	CHECK_TEXT(expanded(NULL, "a ${env:MT_ONE} b ${ secrets : mt_one }"), "a one b one");
	CHECK_TEXT(expanded(NULL, "${env:mt_two}"), "local $x");
	CHECK_TEXT(expanded(NULL, "${env:mt_three}"), "three");
	CHECK_TEXT(expanded(NULL, "${env:mt_four}"), "a\nb");
	CHECK_TEXT(expanded(NULL, "${env:mt_none}"),
			   "!secret \"mt_none\" was not found; stores asked: env");
	CHECK_TEXT(expanded(NULL, "${env:mt_empty}"),
			   "!secret \"mt_empty\" was not found; stores asked: env, where it is empty");
	CHECK_TEXT(expanded(NULL, "${vault:x}"),
			   "!secret \"x\" is to come from store \"vault\", and there is no such store");
	write_file(".env", "MT_TWO=2\nnonsense\n");
	CHECK(strstr(expanded(NULL, "x"), "line 2 of") != NULL);
	CHECK(strstr(expanded(NULL, "x"), "nonsense") == NULL);
	write_file(".env", "A='no end\n");
	CHECK(strstr(expanded(NULL, "x"), "line 1 of") != NULL);
	remove_file(".env");
	remove_file(".env.local");

	write_file("other.env", "MT_TWO=other\n");
	CHECK_TEXT(expanded("[{\"from\":\"env\",\"name\":\"e\",\"path\":\"other.env\"}]", "${e:mt_two}"), "other");
	remove_file("other.env");
	CHECK(strstr(expanded("[{\"from\":\"env\",\"name\":\"e\",\"path\":\"other.env\"}]", "x"),
				 "other.env does not exist") != NULL);
}

static void
test_file_store(void)
{
	static const char both[] =
	"[{\"from\":\"env\",\"name\":\"env\",\"path\":null},"
	"{\"from\":\"file\",\"name\":\"f\",\"path\":\".\"},"
	"{\"from\":\"keyring\",\"name\":\"k\",\"path\":null}]";

	setenv("MT_BOTH", "from env", 1);
	setenv("MT_ONLY", "only env", 1);
	write_file("mt_both", "from file\n");
	write_file("MT_UPPER", "upper\n\n");
	write_file("mt_nothing", "\n");
	CHECK_TEXT(expanded(both, "${secrets:mt_both}"), "from file");
	CHECK_TEXT(expanded(both, "${secrets:MT_BOTH}"), "from file");
	CHECK_TEXT(expanded(both, "${env:mt_both}"), "from env");
	CHECK_TEXT(expanded(both, "${secrets:mt_only}"), "only env");
	CHECK_TEXT(expanded(both, "${f:mt_upper}"), "upper\n");
	CHECK(strstr(expanded(both, "${f:mt_nothing}"), "where it is empty") != NULL);
	CHECK(strstr(expanded(both, "${f:mt_absent}"), "stores asked: f (folder ") != NULL);
	CHECK(strstr(expanded(both, "${secrets:mt_absent}"), "k (not supported yet), f (folder") != NULL);
	CHECK(strstr(expanded(both, "${k:x}"), "kind keyring are not supported yet") != NULL);
	remove_file("mt_both");
	remove_file("MT_UPPER");
	remove_file("mt_nothing");
}

/* -------------------------------------------------------------------- runner */

static void
test_csv(void)
{
#define CSV(params, header, delimiter, quote, escape) \
	DEFINED(ENTRY "  params: {" params "}\n", "csv_has_header", header); \
	DEFINED(ENTRY "  params: {" params "}\n", "csv_delimiter", "\"" delimiter "\""); \
	DEFINED(ENTRY "  params: {" params "}\n", "csv_quote", "\"" quote "\""); \
	DEFINED(ENTRY "  params: {" params "}\n", "csv_escape", "\"" escape "\"")
	CSV("file_format: csv", "true", ",", "\\\"", "\\\"");
	CSV("file_format: tsv", "true", "\\t", "\\\"", "\\\"");
	CSV("file_format: csv, csv_has_header: false, csv_delimiter: ;, csv_quote: \"'\", csv_escape: '\\'",
		"null", ";", "'", "\\\\");
	CSV("file_format: csv, csv_delimiter: '\\t', csv_quote: \"'\"", "true", "\\t", "'", "'");
	CSV("file_format: tsv, tsv_has_header: \"false\", tsv_quote: \"\"", "null", "\\t", "", "");
	DEFINED(ENTRY "  params: {file_format: csv, csv_delimiter: \"\\t\"}\n", "format", "\"csv\"");
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/a.b/c.tsv?x=y.csv\n  name: a\n", "format", "\"tsv\"");
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/a.csv\n  name: a\n", "format", "\"csv\"");
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/a.csv\n  name: a\n  params: {file_format: json}\n", "csv_delimiter", "null");

	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_delimiter: \"||\"}\n", "csv_delimiter \"||\" is not a single character", "\\t");
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_delimiter: \"\"}\n", "csv_delimiter \"\" is not a single character", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_delimiter: \"\\n\"}\n", "is not a single character", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_delimiter: e}\n", "is not a single character", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_delimiter: é}\n", "is not a single character", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_quote: '.'}\n", "csv_quote \".\" is not a single character", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_has_header: 1}\n", "csv_has_header", "true, false");
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_quote: ','}\n", "delimiter and quote of csv are the same", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_escape: ','}\n", "delimiter and escape of csv are the same", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, json_pointer: /a}\n", "json_pointer has no meaning in CSV", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, json_format: array}\n", "contradicts file_format csv", NULL);
	WARNING_AT(7, ENTRY "  params: {file_format: json, csv_quote: \"'\"}\n", "csv_quote has no effect: the response is JSON", "file_format: csv");
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_decimal: \",\"}\n", "csv_decimal and csv_delimiter are the same", "csv_delimiter");
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_comment: ab}\n", "csv_comment \"ab\" is not a single character", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv, csv_skip_lines: two}\n", "csv_skip_lines", NULL);
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/a.csv\n  name: a\n  params: {csv_skip_lines: 2}\n", "csv_skip_lines", "2");
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/A.CSV\n  name: a\n", "format", "\"csv\"");
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/a.csv.gz\n  name: a\n", "format", "\"csv\"");
	DEFINED(HEAD "datasets:\n- from: http://127.0.0.1/a\n  name: a\n", "format", "\"detect\"");
	WARNING_AT(7, ENTRY "  params: {file_format: json, tsv_escape: \"'\"}\n", "tsv_escape has no effect: the response is JSON", "file_format: tsv");
	WARNING_AT(7, ENTRY "  params: {file_format: csv, tsv_has_header: false}\n", "tsv_has_header has no effect: the response is CSV", NULL);
	WARNING_AT(7, ENTRY "  params: {file_format: tsv, csv_delimiter: ;}\n", "csv_delimiter has no effect: the response is TSV", NULL);
	WARNING_AT(7, ENTRY "  params: {file_format: csv, csv_quote: '', csv_escape: '!'}\n", "csv_escape has no effect without quotes", NULL);
	WARNING_AT(7, ENTRY "  params: {file_format: csv, csv_schema_infer_max_records: 10}\n", "csv_schema_infer_max_records", "whole first response");
}

typedef struct Test
{
	const char *name;
	void		(*run) (void);
} Test;

static const Test tests[] = {
	{"durations", test_durations},
	{"bad durations", test_bad_durations},
	{"nearest names", test_nearest_names},
	{"product catalog manifest", test_first_seed},
	{"customer portal manifest", test_second_seed},
	{"merge keys", test_merge_keys},
	{"broken manifests", test_broken_manifests},
	{"unknown and unsupported keys", test_unknown_keys},
	{"harmless values", test_harmless_values},
	{"wrong values", test_wrong_values},
	{"params", test_params},
	{"csv", test_csv},
	{"databases as sources", test_databases},
	{"messages hold no secret", test_secrets_stay_unsaid},
	{"dataset names", test_names},
	{"one bad dataset does not harm the others", test_datasets_apart},
	{"keys and columns", test_keys_and_columns},
	{"append", test_append},
	{"query of append", test_append_query},
	{"conflicts", test_conflicts},
	{"guard against a short source", test_guard},
	{"retention", test_retention},
	{"schedule and jitter", test_schedule},
	{"cron expressions", test_cron},
	{"schema change", test_schema_change},
	{"what others write", test_tolerated},
	{"changes", test_changes},
	{"list of secret stores", test_store_list},
	{"secret references", test_references},
	{"env store", test_env_store},
	{"file store", test_file_store},
};

int
main(void)
{
	int			count = (int) (sizeof(tests) / sizeof(tests[0]));
	int			failed = 0;

	if (mkdtemp(folder) == NULL)
	{
		perror(folder);
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++)
	{
		failures_in_test = 0;
		tests[i].run();
		printf("%s %d - %s\n", failures_in_test ? "not ok" : "ok", i + 1, tests[i].name);
		failed += failures_in_test > 0;
	}
	rmdir(folder);
	return failed > 0;
}
