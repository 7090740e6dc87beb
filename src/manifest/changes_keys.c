/*-------------------------------------------------------------------------
 *
 * changes_keys.c
 *		A dataset whose table follows its source: refresh_mode changes.
 *
 * The table is kept by logical replication, in which every change of the source
 * is one of the table.  Settings that pick, limit or delete rows by other rules
 * would be overruled by the next change that comes, so they are refused by
 * name.  The server applies changes to the table that is called as the source's
 * is, hence the rule about the dataset's name.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

#define CHECK_INTERVAL_MS	10000	/* of the subscription's health */
#define MAX_IDENTIFIER		63

typedef struct Misfit
{
	const char *key;
	const char *why;			/* the hint */
} Misfit;

#define AT_ONCE		"take it out: changes come as they happen; refresh_check_interval is how often the subscription is checked"
#define EVERY_ROW	"take it out: the table has the rows of its source, and refresh_sql may filter them"

static const Misfit misfits[] = {
	{"refresh_cron", AT_ONCE},
	{"refresh_jitter_enabled", AT_ONCE},
	{"refresh_jitter_max", AT_ONCE},
	{"refresh_data_window", EVERY_ROW},
	{"retention_check_enabled", EVERY_ROW},
	{"retention_period", EVERY_ROW},
	{"retention_sql", EVERY_ROW},
	{"retention_check_interval", EVERY_ROW},
	{"retention_cron", EVERY_ROW},
	{"on_conflict", "take it out: the source's own key tells rows apart"},
};

static void
refuse(Parser *parser, int line, const char *setting, const char *why)
{
	parse_problem(parser, MANIFEST_ERROR, line, why,
				  "%s does not apply to refresh_mode changes", setting);
}

static void
refuse_misfits(Parser *parser, const DocNode *entry, const DocNode *block, const DatasetSpec *spec)
{
	const DocNode *startup = given_value(block, "refresh_on_startup");
	const DocNode *drift = given_value(entry, "on_schema_change");

	for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++)
	{
		const DocNode *node = given_value(block, misfits[i].key);

		if (node != NULL && !scalar_is_false(node))
			refuse(parser, key_line(block, misfits[i].key), misfits[i].key, misfits[i].why);
	}
	if (spec->time_column != NULL)
		refuse(parser, key_line(entry, "time_column"), "time_column",
			   "take it out: changes go by the log of the source, not by a column");
	if (startup != NULL && strcmp(spec->acceleration.refresh_on_startup, "always") == 0)
		refuse(parser, startup->line, "refresh_on_startup always",
			   "take it out: a start goes on from where the table is");
	if (drift != NULL && strcmp(spec->on_schema_change, "sync_all_columns") != 0)
		refuse(parser, drift->line, "on_schema_change",
			   "take it out: columns follow the source; refresh_sql may name those that are wanted");
}

/* Changes are applied to the table that has the name of the source's. */
static void
check_name(Parser *parser, const DocNode *entry, const ManifestDataset *dataset,
		   const ConnectionSpec *connection)
{
	bool		public = strcmp(connection->remote_schema, "public") == 0;

	if (strcmp(dataset->schema, connection->remote_schema) == 0 &&
		strcmp(dataset->table, connection->remote_table) == 0)
		return;
	parse_problem(parser, MANIFEST_ERROR, document_get(entry, "name")->line,
				  arena_printf(parser->arena, "write name: %s%s%s, with double quotes around parts that hold other characters than small letters, digits and _",
							   public ? "" : connection->remote_schema, public ? "" : ".",
							   connection->remote_table),
				  "in refresh_mode changes a dataset has the name of its source's table");
}

/* Names that are looked up on the source, where a reference means nothing. */
static void
check_names_of_source(Parser *parser, const DocNode *params)
{
	const char *publication = valid_text(&params_of_postgres, params, "pg_publication", NULL);
	const char *slot = valid_text(&params_of_postgres, params, "pg_replication_slot", NULL);

	if (publication != NULL && (publication[0] == '\0' || strlen(publication) > MAX_IDENTIFIER))
		parse_problem(parser, MANIFEST_ERROR, key_line(params, "pg_publication"), NULL,
					  "pg_publication is not a name of 1 to %d bytes", MAX_IDENTIFIER);
	if (slot != NULL && (slot[0] == '\0' || strlen(slot) > MAX_IDENTIFIER ||
						 slot[strspn(slot, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0'))
		parse_problem(parser, MANIFEST_ERROR, key_line(params, "pg_replication_slot"), NULL,
					  "pg_replication_slot is not a name of 1 to %d small letters, digits and _",
					  MAX_IDENTIFIER);
}

/* A table that is empty after a crash would stay so: the source has been told that it has it all. */
static void
parse_logged(Parser *parser, const DocNode *block, AccelerationSpec *spec)
{
	const DocNode *mode = given_value(block, "mode");

	if (mode != NULL && strcmp(spec->mode, "memory") == 0)
		parse_problem(parser, MANIFEST_WARNING, mode->line, "take it out, or write mode: file",
					  "mode memory is treated as file in refresh_mode changes");
	spec->mode = "file";
}

/* What says how changes come, though none do. */
static void
advise_changes(Parser *parser, const DocNode *params)
{
	static const char *const names[] = {"pg_publication", "pg_replication_slot"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (given_value(params, names[i]) != NULL)
			parse_problem(parser, MANIFEST_WARNING, key_line(params, names[i]),
						  "write refresh_mode: changes, or take it out",
						  "%s has no effect without refresh_mode changes", names[i]);
	}
}

void
changes_parse(Parser *parser, const DocNode *entry, const ManifestDataset *dataset,
			  DatasetSpec *spec)
{
	static const DocNode none = {.kind = DOC_MAPPING};
	const DocNode *block = valid_value(&keys_of_dataset, entry, "acceleration");
	const DocNode *params = valid_value(&keys_of_dataset, entry, "params");
	AccelerationSpec *acceleration = &spec->acceleration;
	bool		postgres = spec->connection.connector != NULL &&
	strcmp(spec->connection.connector, "postgres") == 0;

	if (params == NULL)
		params = &none;
	acceleration->follows = acceleration->accelerated && acceleration->refresh_mode != NULL &&
		strcmp(acceleration->refresh_mode, "changes") == 0;
	if (!acceleration->follows)
	{
		if (postgres)
			advise_changes(parser, params);
		return;
	}
	if (!postgres)
	{
		parse_problem(parser, MANIFEST_ERROR, key_line(block, "refresh_mode"),
					  "write refresh_mode: full or append",
					  "refresh_mode changes works for the postgres connector only");
		return;
	}
	if (spec->connection.remote_table != NULL)
		check_name(parser, entry, dataset, &spec->connection);
	refuse_misfits(parser, entry, block, spec);
	check_names_of_source(parser, params);
	if (acceleration->refresh_sql != NULL && given_value(params, "pg_publication") != NULL)
		refuse(parser, acceleration->refresh_sql_line, "refresh_sql with pg_publication",
			   "take one of the two out: the publication says which columns and rows there are");
	parse_logged(parser, block, acceleration);
	if (acceleration->refresh_interval_ms < 0)
		acceleration->refresh_interval_ms = CHECK_INTERVAL_MS;
}
