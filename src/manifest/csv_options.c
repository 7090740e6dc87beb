/*-------------------------------------------------------------------------
 *
 * csv_options.c
 *		How a CSV or TSV response is written: "params" csv_* and tsv_*.
 *
 * The two formats are one, with other defaults and names of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <ctype.h>
#include <string.h>

static const char *const settings[] = {"has_header", "quote", "escape", "delimiter"};

/*
 * One byte that can stand between or around fields and is no part of a number
 * or a word; otherwise when nothing is said.
 */
static char
parse_byte(Parser *parser, const DocNode *params, const char *key, char otherwise)
{
	const DocNode *node = valid_value(&params_of_http, params, key);
	const char *text;

	if (node == NULL)
		return otherwise;
	/* plain and in single quotes YAML leaves the backslash */
	text = strcmp(node->text, "\\t") == 0 ? "\t" : node->text;
	if (text[0] != '\0' && text[1] == '\0' && (unsigned char) text[0] < 0x80 &&
		!isalnum((unsigned char) text[0]) && strchr("\r\n+-.", text[0]) == NULL)
		return text[0];
	parse_problem(parser, MANIFEST_ERROR, node->line,
				  "write one ASCII character in quotes, such as \";\" or \"\\t\"",
				  "%s \"%s\" is not a single character that can separate fields", key,
				  document_excerpt(parser->arena, node->text));
	return otherwise;
}

/* Empty: no quotes at all, which NUL stands for. */
static char
parse_quote(Parser *parser, const DocNode *params, const char *key)
{
	const DocNode *node = valid_value(&params_of_http, params, key);

	return node != NULL && node->text[0] == '\0' ? '\0' : parse_byte(parser, params, key, '"');
}

/* Settings of the other format, or of any when the response is JSON. */
static void
warn_of_others(Parser *parser, const DocNode *params, const char *prefix, const char *format)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
	{
		const char *key = arena_printf(parser->arena, "%s_%s", prefix, settings[i]);
		const DocNode *node = given_value(params, key);

		if (node != NULL)
			parse_problem(parser, MANIFEST_WARNING, node->line,
						  arena_printf(parser->arena, "write file_format: %s, or take it out", prefix),
						  "%s has no effect: the response is %s", key, format);
	}
}

static void
check_bytes(Parser *parser, const DocNode *params, const char *prefix, const CsvSpec *spec)
{
	const char *escape = arena_printf(parser->arena, "%s_escape", prefix);

	if (spec->quote == '\0' && given_value(params, escape) != NULL)
		parse_problem(parser, MANIFEST_WARNING, key_line(params, escape), "take it out",
					  "%s has no effect without quotes", escape);
	if (spec->delimiter == spec->quote)
		parse_problem(parser, MANIFEST_ERROR, params->line, "choose another",
					  "delimiter and quote of %s are the same character", prefix);
	else if (spec->delimiter == spec->escape)
		parse_problem(parser, MANIFEST_ERROR, params->line, "choose another",
					  "delimiter and escape of %s are the same character", prefix);
}

void
csv_parse(Parser *parser, const DocNode *params, const char *format, CsvSpec *spec)
{
	bool		tabs = strcmp(format, "tsv") == 0;
	const char *key[sizeof(settings) / sizeof(settings[0])];

	spec->used = tabs || strcmp(format, "csv") == 0;
	if (!spec->used || tabs)
		warn_of_others(parser, params, "csv", spec->used ? "TSV" : "JSON");
	if (!tabs)
		warn_of_others(parser, params, "tsv", spec->used ? "CSV" : "JSON");
	if (!spec->used)
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		key[i] = arena_printf(parser->arena, "%s_%s", format, settings[i]);
	spec->header = strcmp(valid_text(&params_of_http, params, key[0], "true"), "true") == 0;
	spec->quote = parse_quote(parser, params, key[1]);
	spec->escape = parse_byte(parser, params, key[2], spec->quote);
	spec->delimiter = tabs ? '\t' : parse_byte(parser, params, key[3], ',');
	check_bytes(parser, params, format, spec);
}
