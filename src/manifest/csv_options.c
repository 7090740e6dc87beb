/*-------------------------------------------------------------------------
 *
 * csv_options.c
 *		How a CSV or TSV response is written: "params" csv_* and tsv_*.
 *
 * The two formats are one, with other defaults and names of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/csv_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/check.h"

static const char *const settings[] = {"has_header", "quote", "escape", "delimiter"};

/*
 * One byte that can stand between or around fields and is no part of a number or
 * a word; without the key, "otherwise".
 */
static char
parse_byte(Parser *parser, const DatasetSpec *spec, const char *key, char otherwise)
{
	const DocNode *node = check_value(spec->params_table, spec->params, key);
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

/* An empty value means no quotes at all, for which NUL stands. */
static char
parse_quote(Parser *parser, const DatasetSpec *spec, const char *key)
{
	const DocNode *node = check_value(spec->params_table, spec->params, key);

	return node != NULL && node->text[0] == '\0' ? '\0' : parse_byte(parser, spec, key, '"');
}

/* The character that begins a comment line; NUL: there are no comments. */
static char
parse_comment(Parser *parser, const DatasetSpec *spec)
{
	const DocNode *node = check_value(spec->params_table, spec->params, "csv_comment");

	return node == NULL || node->text[0] == '\0' ? '\0' : parse_byte(parser, spec, "csv_comment", '\0');
}

/* What CSV and TSV have in common, under one name. */
static void
parse_dialect(Parser *parser, DatasetSpec *spec)
{
	const DocNode *lines = check_value(spec->params_table, spec->params, "csv_skip_lines");
	char		comment = parse_comment(parser, spec);
	Definition *definition = &spec->definition;

	if (lines != NULL)
		definition->csv_skip_lines = atoi(lines->text);
	if (comment != '\0')
		definition->csv_comment = arena_strndup(parser->arena, &comment, 1);
	definition->csv_trim = keys_value_in("true", check_text(spec->params_table, spec->params, "csv_trim", "false"));
	definition->csv_decimal = (char *) check_text(spec->params_table, spec->params, "csv_decimal", NULL);
	if (definition->csv_decimal != NULL && definition->csv_decimal[0] == ',' && definition->csv_delimiter != NULL &&
		definition->csv_delimiter[0] == ',')
		parse_problem(parser, MANIFEST_ERROR, document_line(spec->params, "csv_decimal"),
					  "write csv_delimiter, such as \";\"",
					  "csv_decimal and csv_delimiter are the same character");
}

/* Warns of settings of another format than the response has. */
static void
warn_of_others(Parser *parser, const DocNode *params, const char *prefix, const char *format)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
	{
		const char *key = arena_printf(parser->arena, "%s_%s", prefix, settings[i]);
		const DocNode *node = document_given(params, key);

		if (node != NULL)
			parse_problem(parser, MANIFEST_WARNING, node->line,
						  arena_printf(parser->arena, "write file_format: %s, or take it out", prefix),
						  "%s has no effect: the response is %s", key, format);
	}
}

void
csv_options_parse(Parser *parser, DatasetSpec *spec)
{
	const DocNode *params = spec->params;
	Definition *definition = &spec->definition;
	const char *format = definition->format;
	bool		open = strcmp(format, "detect") == 0;
	bool		tabs = strcmp(format, "tsv") == 0;
	bool		used = tabs || open || strcmp(format, "csv") == 0;
	const char *name = tabs ? "tsv" : "csv";
	const char *key[sizeof(settings) / sizeof(settings[0])];
	char		quote;
	char		escape;
	char		delimiter;

	if (!used || tabs)
		warn_of_others(parser, params, "csv", used ? "TSV" : "JSON");
	if (!tabs && !open)
		warn_of_others(parser, params, "tsv", used ? "CSV" : "JSON");
	if (!used)
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		key[i] = arena_printf(parser->arena, "%s_%s", name, settings[i]);
	quote = parse_quote(parser, spec, key[1]);
	escape = parse_byte(parser, spec, key[2], quote);
	delimiter = tabs ? '\t' : parse_byte(parser, spec, key[3], ',');
	if (quote == '\0' && document_given(params, key[2]) != NULL)
		parse_problem(parser, MANIFEST_WARNING, document_line(params, key[2]), "take it out",
					  "%s has no effect without quotes", key[2]);
	if (delimiter == quote || delimiter == escape)
		parse_problem(parser, MANIFEST_ERROR, params->line, "choose another",
					  "delimiter and %s of %s are the same character",
					  delimiter == quote ? "quote" : "escape", name);
	definition->csv_has_header = keys_value_in("true", check_text(spec->params_table, params, key[0], "true"));
	definition->csv_quote = arena_strndup(parser->arena, &quote, quote != '\0');
	definition->csv_escape = arena_strndup(parser->arena, &escape, escape != '\0');
	/* of a response whose format is not known yet, its type may say that tabs separate fields */
	if (!open || document_given(params, key[3]) != NULL)
		definition->csv_delimiter = arena_strndup(parser->arena, &delimiter, 1);
	parse_dialect(parser, spec);
}
