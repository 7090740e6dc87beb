/*-------------------------------------------------------------------------
 *
 * changes_keys.c
 *		A dataset whose table follows its source: refresh_mode changes.
 *
 * Logical replication keeps the table: every change of the source is a change of
 * the table.  The next change would overrule a setting that picks, limits or
 * deletes rows by other rules, so such a setting is refused by name.  keys.def
 * marks them with not_in_changes.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/changes_keys.h"

#include <string.h>

#include "manifest/check.h"

#define CHECK_INTERVAL_MS	10000	/* of the subscription's health */

static void
refuse_setting(Parser *parser, int line, const char *setting, const char *why)
{
	parse_problem(parser, MANIFEST_ERROR, line, why,
				  "%s does not apply to refresh_mode changes", setting);
}

static void
refuse_misfits(Parser *parser, const DatasetSpec *spec)
{
	const DocNode *block = spec->acceleration;
	const DocNode *entry = spec->entry;
	const Definition *definition = &spec->definition;

	for (size_t i = 0; i < block->count; i++)
	{
		const DocPair *pair = &block->pairs[i];
		const KeyInfo *key = keys_find(&keys_of_acceleration, pair->key->text);

		if (key != NULL && key->not_in_changes != NULL && !document_is_null(pair->value) &&
			!document_is_false(pair->value))
			refuse_setting(parser, pair->key->line, key->name, key->not_in_changes);
	}
	if (definition->time_column != NULL)
		refuse_setting(parser, document_line(entry, "time_column"), "time_column",
					   "take it out: changes go by the log of the source, not by a column");
	if (strcmp(definition->refresh_on_startup, "always") == 0)
		refuse_setting(parser, document_line(block, "refresh_on_startup"), "refresh_on_startup always",
					   "take it out: a start goes on from where the table is");
	if (document_given(entry, "on_schema_change") != NULL &&
		strcmp(definition->on_schema_change, "sync_all_columns") != 0)
		refuse_setting(parser, document_line(entry, "on_schema_change"), "on_schema_change",
					   "take it out: columns follow the source; refresh_sql may name those that are wanted");
}

/* The server applies changes to the table that has the name of the source's. */
static void
check_name(Parser *parser, const DatasetSpec *spec)
{
	const Definition *definition = &spec->definition;
	bool		public = strcmp(definition->remote_schema, "public") == 0;

	if (strcmp(definition->schema, definition->remote_schema) == 0 &&
		strcmp(definition->table, definition->remote_table) == 0)
		return;
	parse_problem(parser, MANIFEST_ERROR, document_get(spec->entry, "name")->line,
				  arena_printf(parser->arena, "write name: %s%s%s, with double quotes around parts that hold other characters than small letters, digits and _",
							   public ? "" : definition->remote_schema, public ? "" : ".",
							   definition->remote_table),
				  "in refresh_mode changes a dataset has the name of its source's table");
}

/* The source looks these names up, so a reference to a secret means nothing in them. */
static void
check_names_of_source(Parser *parser, const DocNode *params)
{
	const char *publication = check_text(&keys_of_postgres, params, "pg_publication", NULL);
	const char *slot = check_text(&keys_of_postgres, params, "pg_replication_slot", NULL);

	if (publication != NULL && (publication[0] == '\0' || strlen(publication) > NAMES_MAX_IDENTIFIER))
		parse_problem(parser, MANIFEST_ERROR, document_line(params, "pg_publication"), NULL,
					  "pg_publication is not a name of 1 to %d bytes", NAMES_MAX_IDENTIFIER);
	if (slot != NULL && (slot[0] == '\0' || strlen(slot) > NAMES_MAX_IDENTIFIER ||
						 slot[strspn(slot, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0'))
		parse_problem(parser, MANIFEST_ERROR, document_line(params, "pg_replication_slot"), NULL,
					  "pg_replication_slot is not a name of 1 to %d small letters, digits and _",
					  NAMES_MAX_IDENTIFIER);
}

/* Warns of params that say how changes come, in a mode in which none do. */
static void
advise_changes(Parser *parser, const DocNode *params)
{
	static const char *const names[] = {"pg_publication", "pg_replication_slot"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (document_given(params, names[i]) != NULL)
			parse_problem(parser, MANIFEST_WARNING, document_line(params, names[i]),
						  "write refresh_mode: changes, or take it out",
						  "%s has no effect without refresh_mode changes", names[i]);
	}
}

void
changes_keys_parse(Parser *parser, DatasetSpec *spec)
{
	const DocNode *mode = document_given(spec->acceleration, "mode");
	Definition *definition = &spec->definition;

	if (!spec_has_mode(spec, "changes"))
	{
		if (spec_has_connector(spec, "postgres"))
			advise_changes(parser, spec->params);
		return;
	}
	if (!spec_has_connector(spec, "postgres"))
	{
		parse_problem(parser, MANIFEST_ERROR, document_line(spec->acceleration, "refresh_mode"),
					  "write refresh_mode: full or append",
					  "refresh_mode changes works for the postgres connector only");
		return;
	}
	if (definition->remote_table != NULL)
		check_name(parser, spec);
	refuse_misfits(parser, spec);
	check_names_of_source(parser, spec->params);
	if (definition->refresh_sql != NULL && document_given(spec->params, "pg_publication") != NULL)
		refuse_setting(parser, spec->refresh_sql_line, "refresh_sql with pg_publication",
					   "take one of the two out: the publication says which columns and rows there are");

	/* A table that a crash empties would stay empty: the source does not send its rows again. */
	if (mode != NULL && strcmp(definition->mode, "memory") == 0)
		parse_problem(parser, MANIFEST_WARNING, mode->line, "take it out, or write mode: file",
					  "mode memory is treated as file in refresh_mode changes");
	definition->mode = "file";
	if (definition->refresh_check_interval_ms == 0)
		definition->refresh_check_interval_ms = CHECK_INTERVAL_MS;
}
