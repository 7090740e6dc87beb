/*-------------------------------------------------------------------------
 *
 * spec.c
 *		One dataset while its entry is parsed.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/spec.h"

#include <string.h>

#include "manifest/check.h"

static const DocNode *
find_block(const KeyTable *table, const DocNode *mapping, const char *key)
{
	static const DocNode none = {.kind = DOC_MAPPING};
	const DocNode *block = check_value(table, mapping, key);

	return block ? block : &none;
}

void
spec_begin(DatasetSpec *spec, const DocNode *entry)
{
	memset(spec, 0, sizeof(*spec));
	spec->entry = entry;
	spec->params = find_block(&keys_of_dataset, entry, "params");
	spec->acceleration = find_block(&keys_of_dataset, entry, "acceleration");
	spec->acceleration_params = find_block(&keys_of_acceleration, spec->acceleration, "params");
	definition_clear(&spec->definition);
}

bool
spec_has_mode(const DatasetSpec *spec, const char *mode)
{
	const char *refresh_mode = spec->definition.refresh_mode;

	return refresh_mode != NULL && strcmp(refresh_mode, mode) == 0;
}

bool
spec_has_connector(const DatasetSpec *spec, const char *connector)
{
	const char *given = spec->definition.connector;

	return given != NULL && strcmp(given, connector) == 0;
}

void
spec_require_time_column(Parser *parser, DatasetSpec *spec, const char *setting, int line)
{
	if (spec->time_column_told || document_given(spec->entry, "time_column") != NULL)
		return;
	parse_problem(parser, MANIFEST_ERROR, line,
				  "write time_column: and the column, above acceleration",
				  "%s needs time_column", setting);
	spec->time_column_told = true;
}

void
spec_require_mode(Parser *parser, const DatasetSpec *spec, const char *mode,
				  const char *setting, int line)
{
	if (spec->definition.refresh_mode != NULL && !spec_has_mode(spec, mode))
		parse_problem(parser, MANIFEST_ERROR, line,
					  arena_printf(parser->arena, "write refresh_mode: %s, or take it out", mode),
					  "%s needs refresh_mode %s", setting, mode);
}

void
spec_require_needs(Parser *parser, DatasetSpec *spec, const KeyTable *table,
				   const DocNode *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
	{
		const DocNode *node = mapping->pairs[i].value;
		const KeyInfo *key = keys_find(table, mapping->pairs[i].key->text);

		if (key == NULL || document_is_null(node))
			continue;
		if (key->needs_mode != NULL)
			spec_require_mode(parser, spec, key->needs_mode, key->name, node->line);
		if (key->needs_time_column)
			spec_require_time_column(parser, spec, key->name, node->line);
	}
}

char *
spec_statement(Parser *parser, const DatasetSpec *spec, const char *key,
			   const char *verb, int *line)
{
	const DocNode *node = check_value(&keys_of_acceleration, spec->acceleration, key);

	if (node == NULL)
		return NULL;
	*line = node->line + (node->block ? 1 : 0);
	if (node->text[strspn(node->text, " \t\r\n")] != '\0')
		return (char *) node->text;
	parse_problem(parser, MANIFEST_ERROR, node->line,
				  arena_printf(parser->arena, "write a %s or take it out", verb),
				  "%s is empty", key);
	return NULL;
}
