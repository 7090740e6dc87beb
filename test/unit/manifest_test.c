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
#include "manifest/secrets.h"

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
	CHECK_TEXT(key_nearest(&keys_of_acceleration, "refresh_sq"), "refresh_sql");
	CHECK_TEXT(key_nearest(&keys_of_acceleration, "refersh_mode"), "refresh_mode");
	CHECK_TEXT(key_nearest(&keys_of_acceleration, "refreshMode"), "refresh_mode");
	CHECK_TEXT(key_nearest(&keys_of_acceleration, "engien"), "engine");
	CHECK_TEXT(key_nearest(&keys_of_manifest, "dataset"), "datasets");
	/* one slip, not two: the letters changed places */
	CHECK_TEXT(key_nearest(&keys_of_dataset, "rfe"), "ref");
	CHECK_TEXT(key_nearest(&keys_of_acceleration, "colour"), NULL);
	CHECK_TEXT(key_nearest(&keys_of_acceleration, ""), NULL);
	CHECK_TEXT(param_with_right_prefix("username"), "http_username");
	CHECK_TEXT(param_with_right_prefix("http_client_timeout"), "client_timeout");
	CHECK_TEXT(param_with_right_prefix("https_password"), "http_password");
	CHECK_TEXT(param_with_right_prefix("nothing"), NULL);
	CHECK_TEXT(key_home("refresh_sql"), "acceleration");
	CHECK_TEXT(param_connector("pg_pass"), "postgres");
}

/* ----------------------------------------------------------------- manifests */

#define HEAD "version: v1\nkind: Spicepod\nname: test\n"
#define ENTRY HEAD "datasets:\n- from: http://h/x\n  name: a\n"	/* line 5 and 6 */

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

/* What a definition holds under key, as JSON text in a static buffer. */
static const char *
defined(const Manifest *manifest, int index, const char *key)
{
	static char buffer[1024];
	json_t	   *json;
	size_t		size;

	if (index >= manifest->n_datasets || manifest->datasets[index].definition == NULL)
		return "(no definition)";
	json = json_loads(manifest->datasets[index].definition, 0, NULL);
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
			   "{\"accelerated\":true,\"client_timeout_ms\":30000,\"columns\":[],"
			   "\"connect_timeout_ms\":10000,\"description\":\"Product catalog data for"
			   " active electronics category\",\"engine\":\"duckdb\",\"format\":\"auto\","
			   "\"from\":\"http://127.0.0.1:8080/v1/products\",\"http_headers\":null,"
			   "\"http_port\":null,\"indexes\":[],\"json_pointer\":null,\"mode\":\"memory\","
			   "\"name\":\"products\",\"params\":{\"http_password\":\"${secrets:API_KEY}\","
			   "\"http_username\":\"api-user\"},\"primary_key\":[],\"ready_state\":\"on_load\","
			   "\"refresh_interval_ms\":3600000,\"refresh_mode\":\"full\","
			   "\"refresh_on_startup\":\"auto\",\"refresh_retry_enabled\":true,"
			   "\"refresh_retry_max_attempts\":null,\"refresh_sql\":\"SELECT * FROM products\\n"
			   "WHERE category = 'electronics'\\n  AND status = 'active'\\n\","
			   "\"schema\":\"public\",\"table\":\"products\",\"time_column\":null,"
			   "\"time_format\":null}");
	manifest_free(manifest);
}

static const char second_seed[] =
	"version: v1\n"
	"kind: Spicepod\n"
	"name: customer-portal\n"
	"datasets:\n"
	"  - from: http://127.0.0.1:8080/v1/interactions\n"
	"    name: customer-interactions\n"
	"    time_column: interaction_timestamp # newest\n"
	"    params:\n"
	"      http_username: customer-service\n"
	"      http_password: ${secrets:CUSTOMER_API_KEY}\n"
	"      client_timeout: 30s\n"
	"    acceleration:\n"
	"      enabled: true\n"
	"      engine: duckdb # a file\n"
	"      mode: file\n"
	"      refresh_mode: append # only news\n"
	"      refresh_sql: |\n"
	"        SELECT * FROM customer_interactions\n"
	"        WHERE interaction_timestamp >= NOW() - INTERVAL '90 days'\n"
	"      primary_key: interaction_id\n"
	"      on_conflict:\n"
	"        interaction_id: upsert\n"
	"      refresh_check_interval: 30s\n"
	"      refresh_retry_enabled: true\n"
	"      refresh_retry_max_attempts: 3\n"
	"      retention_check_enabled: true\n"
	"      retention_period: 90d\n"
	"      retention_check_interval: 24h\n";

/* Refused for its mode alone; everything else in it is understood. */
static void
test_second_seed(void)
{
	Manifest   *manifest = parse(second_seed);
	int			errors = 0;

	CHECK(!manifest->broken);
	CHECK(manifest->n_datasets == 1);
	CHECK_TEXT(manifest->datasets[0].name, "customer-interactions");
	CHECK_TEXT(manifest->datasets[0].table, "customer_interactions");
	CHECK(manifest->datasets[0].definition == NULL);
	for (int i = 0; i < manifest->n_problems; i++)
	{
		errors += manifest->problems[i].severity == MANIFEST_ERROR;
		CHECK_TEXT(manifest->problems[i].dataset, "customer-interactions");
	}
	CHECK(errors == 1);
	CHECK(manifest->n_problems == 5);
	manifest_free(manifest);
	ERROR_AT(16, second_seed, "refresh_mode append is not supported yet", "full");
	WARNING_AT(21, second_seed, "on_conflict is not supported yet and has no effect", NULL);
	WARNING_AT(26, second_seed, "retention_check_enabled is not supported yet", NULL);
	WARNING_AT(27, second_seed, "retention_period is not supported yet", NULL);
	WARNING_AT(28, second_seed, "retention_check_interval is not supported yet", NULL);
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
	CHECK_TEXT(defined(manifest, 0, "refresh_interval_ms"), "5000");
	CHECK_TEXT(defined(manifest, 0, "refresh_on_startup"), "\"always\"");
	CHECK_TEXT(defined(manifest, 1, "mode"), "\"file\"");
	CHECK_TEXT(defined(manifest, 1, "refresh_interval_ms"), "10000");
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
	WARNING_AT(7, ENTRY "  on_schema_change: fail\n", "on_schema_change is not supported yet", NULL);
	WARNING_AT(7, ENTRY "  params: {pagination: auto}\n", "pagination is not supported yet", NULL);
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
	ERROR_AT(7, ENTRY "  acceleration: {refresh_mode: changes}\n", "refresh_mode changes is not supported yet", NULL);
	ERROR_AT(7, ENTRY "  acceleration: {refresh_cron: '* * * * *'}\n", "refresh_cron is not supported yet", "refresh_check_interval");
	ERROR_AT(7, ENTRY "  acceleration: {mode: file}\n", "engine arrow has no mode file", "mode: memory");
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
	WARNING_AT(7, ENTRY "  ready_state: on_registration\n", "ready_state on_registration is not supported", NULL);
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
	CHECK_TEXT(defined(manifest, 0, "accelerated"), "false");
	manifest_free(manifest);

	manifest = parse(ENTRY "  params: {file_format: ndjson}\n");
	CHECK_TEXT(defined(manifest, 0, "format"), "\"jsonl\"");
	manifest_free(manifest);
	manifest = parse(ENTRY "  params: {file_format: json, json_format: array}\n");
	CHECK_TEXT(defined(manifest, 0, "format"), "\"json\"");
	manifest_free(manifest);

	ERROR_AT(7, ENTRY "  params: {http_port: 65536}\n", "http_port is not a whole number", NULL);
	ERROR_AT(7, ENTRY "  params: {http_port: 0}\n", "http_port is not a whole number", NULL);
	ERROR_AT(7, ENTRY "  params: {http_port: [1]}\n", "http_port must be a single value", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: csv}\n", "file_format csv is not supported yet", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: xml}\n", "file_format \"xml\" is not a valid value", "jsonl");
	ERROR_AT(7, ENTRY "  params: {json_format: soda}\n", "json_format soda is not supported yet", NULL);
	ERROR_AT(7, ENTRY "  params: {file_format: jsonl, json_format: array}\n", "contradicts", NULL);
	ERROR_AT(7, ENTRY "  params: {json_pointer: /a~2}\n", "is not valid", "~0");
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
	CHECK(problem_about(manifest, "postgres connector is not supported yet") != NULL);
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
	CHECK_TEXT(defined(manifest, 0, "refresh_interval_ms"), "null");
	manifest_free(manifest);
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
	char	   *text = stores ? secret_expand(stores, value, &error) : NULL;

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
	CHECK(secret_is_reference("x ${ env : a-b_2 } y"));
	CHECK(!secret_is_reference("${foo} $x ${1:a} ${a:1} ${a:b"));
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
	{"messages hold no secret", test_secrets_stay_unsaid},
	{"dataset names", test_names},
	{"one bad dataset does not harm the others", test_datasets_apart},
	{"keys and columns", test_keys_and_columns},
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
