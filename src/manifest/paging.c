/*-------------------------------------------------------------------------
 *
 * paging.c
 *		How a source answers in pages: "params" pagination_*.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/paging.h"

#include <string.h>

#include "manifest/check.h"

#define NEXT		"pagination_next_pointer"
#define TOKEN		"pagination_token_param"
#define TEMPLATE	"pagination_query_params"
#define SIZE		"pagination_page_size"

bool
paging_pointer_is_valid(const char *pointer)
{
	for (const char *p = strchr(pointer, '~'); p != NULL; p = strchr(p + 1, '~'))
	{
		if (p[1] != '0' && p[1] != '1')
			return false;
	}
	return true;
}

bool
paging_looks_into_pages(const DatasetSpec *spec)
{
	return document_given(spec->params, NEXT) != NULL || document_given(spec->params, TEMPLATE) != NULL ||
		document_given(spec->params, "pagination_data_pointer") != NULL;
}

static const DocNode *
find_param(const DatasetSpec *spec, const char *key)
{
	return check_value(spec->params_table, spec->params, key);
}

static void
require_other(Parser *parser, const DatasetSpec *spec, const char *key, const char *needed, const char *hint)
{
	const DocNode *node = find_param(spec, key);

	if (node != NULL && find_param(spec, needed) == NULL)
		parse_problem(parser, MANIFEST_ERROR, node->line, hint, "%s needs %s", key, needed);
}

static void
refuse_beside(Parser *parser, const DatasetSpec *spec, const char *key)
{
	const DocNode *node = find_param(spec, key);

	if (node != NULL && find_param(spec, TEMPLATE) != NULL)
		parse_problem(parser, MANIFEST_ERROR, node->line, "take one of the two out",
					  "%s contradicts " TEMPLATE, key);
}

static void
check_number(Parser *parser, const DatasetSpec *spec, const char *key, const char *word)
{
	const DocNode *node = find_param(spec, key);
	const char *digits;

	if (node == NULL || (word != NULL && strcmp(node->text, word) == 0))
		return;
	digits = node->text + strspn(node->text, "0");
	if (digits[0] == '\0' || strlen(digits) > 9 || digits[strspn(digits, "0123456789")] != '\0')
		parse_problem(parser, MANIFEST_ERROR, node->line,
					  word != NULL ? "write a number such as 100, or nolimit" : "write a number such as 100",
					  "%s \"%s\" is not a whole number from 1 to 999999999", key,
					  document_excerpt(parser->arena, node->text));
}

static void
check_template(Parser *parser, const DatasetSpec *spec)
{
	const DocNode *node = find_param(spec, TEMPLATE);

	if (node == NULL)
		return;
	if (strstr(node->text, "{offset}") == NULL && strstr(node->text, "{page}") == NULL)
		parse_problem(parser, MANIFEST_ERROR, node->line, "write offset={offset}&limit={limit}",
					  TEMPLATE " has neither {offset} nor {page}");
	for (const char *p = node->text; *p != '\0'; p++)
	{
		if ((unsigned char) *p > 0x20 && *p != 0x7F && *p != '#')
			continue;
		parse_problem(parser, MANIFEST_ERROR, node->line, "write a blank as %20",
					  TEMPLATE " holds a blank, a # or a control character");
		break;
	}
}

/* The pages are looked into for the records, or for the place of the next one. */
static void
require_json(Parser *parser, const DatasetSpec *spec, const char *key, bool lines)
{
	const DocNode *node = find_param(spec, key);
	const char *format = spec->definition.format;

	if (node != NULL && (keys_value_in("csv|tsv|parquet", format) || (!lines && strcmp(format, "jsonl") == 0)))
		parse_problem(parser, MANIFEST_ERROR, node->line, "take it out, or ask the source for JSON",
					  "%s has no meaning in file_format %s", key, format);
}

void
paging_check(Parser *parser, DatasetSpec *spec)
{
	const DocNode *next = find_param(spec, NEXT);

	require_other(parser, spec, TEMPLATE, SIZE, "write " SIZE ": 100, the records of a page");
	require_other(parser, spec, SIZE, TEMPLATE, "write " TEMPLATE ": \"offset={offset}&limit={limit}\"");
	require_other(parser, spec, TOKEN, NEXT, "write " NEXT ": /next, the place of the token in a page");
	refuse_beside(parser, spec, NEXT);
	refuse_beside(parser, spec, TOKEN);
	check_number(parser, spec, SIZE, NULL);
	check_number(parser, spec, "pagination_max_pages", "nolimit");
	check_template(parser, spec);
	require_json(parser, spec, NEXT, false);
	require_json(parser, spec, TEMPLATE, true);
	if (next != NULL && (next->text[0] != '/' || !paging_pointer_is_valid(next->text)))
		parse_problem(parser, MANIFEST_ERROR, next->line,
					  "write it as /links/next; ~ is written ~0, and / inside a name ~1",
					  NEXT " \"%s\" is not valid", document_excerpt(parser->arena, next->text));
}
