/*-------------------------------------------------------------------------
 *
 * names.c
 *		Names of datasets, tables and columns.
 *
 * A dataset's name is written once in YAML and typed often in SQL, mostly
 * without quotes.  So the parser folds it as SQL does, turns hyphens (which SQL
 * reads as minus) into underscores, and refuses a word that needs quotes unless
 * the manifest quotes it.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/names.h"

#include <string.h>

#include "ascii.h"
#include "manifest/keys.h"

/* Words that cannot name a table without quotes. */
static const char reserved_words[] =
	"all|analyse|analyze|and|any|array|as|asc|asymmetric|authorization|binary|both|"
	"case|cast|check|collate|collation|column|concurrently|constraint|create|cross|"
	"current_catalog|current_date|current_role|current_schema|current_time|"
	"current_timestamp|current_user|default|deferrable|desc|distinct|do|else|end|"
	"except|false|fetch|for|foreign|freeze|from|full|grant|group|having|ilike|in|"
	"initially|inner|intersect|into|is|isnull|join|lateral|leading|left|like|limit|"
	"localtime|localtimestamp|natural|not|notnull|null|offset|on|only|or|order|outer|"
	"overlaps|placing|primary|references|returning|right|select|session_user|similar|"
	"some|symmetric|system_user|table|tablesample|then|to|trailing|true|union|unique|"
	"user|using|variadic|verbose|when|where|window|with";

/* Schemas that belong to the server or to this extension. */
static const char taken_schemas[] = "spice|spice_catalog|spice_source|information_schema";

static bool
starts_identifier(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		(unsigned char) c >= 0x80;
}

static bool
continues_identifier(char c)
{
	return starts_identifier(c) || (c >= '0' && c <= '9') || c == '-';
}

/* Reads "quoted" with doubled quotes inside; NULL when it does not end. */
static const char *
read_quoted(Parser *parser, const char *p, char **part)
{
	char	   *to = *part = arena_alloc(parser->arena, strlen(p) + 1);

	for (p++; *p != '\0'; p++)
	{
		if (*p == '"' && *++p != '"')
			return p;
		*to++ = *p;
	}
	return NULL;
}

static const char *
read_plain(Parser *parser, const char *p, char **part)
{
	char	   *to = *part = arena_alloc(parser->arena, strlen(p) + 1);

	if (!starts_identifier(*p))
		return NULL;
	for (; continues_identifier(*p); p++)
		*to++ = *p == '-' ? '_' : ascii_lower(*p);
	return p;
}

static bool
refuse_name(Parser *parser, const char *name, int line, const char *hint,
			const char *why)
{
	parse_problem(parser, MANIFEST_ERROR, line, hint, "dataset name \"%s\" %s",
				  document_excerpt(parser->arena, name), why);
	return false;
}

static bool
part_is_usable(Parser *parser, const char *name, int line, const char *part,
			   bool quoted)
{
	if (part[0] == '\0')
		return refuse_name(parser, name, line, NULL, "has an empty part");
	if (strlen(part) > NAMES_MAX_IDENTIFIER)
		return refuse_name(parser, name, line, "choose a shorter name",
						   "is longer than 63 bytes");
	if (!quoted && keys_value_in(reserved_words, part))
		return refuse_name(parser, name, line,
						   "choose another name, or quote it twice: '\"order\"'",
						   "is a reserved word of SQL");
	return true;
}

bool
names_parse_table(Parser *parser, const char *name, int line,
				  char **schema, char **table)
{
	char	   *parts[2] = {NULL, NULL};
	int			count = 0;
	const char *p = name;

	for (;;)
	{
		bool		quoted = *p == '"';
		char	   *part;

		if (count == 2)
			return refuse_name(parser, name, line, "write table or schema.table",
							   "has more than two parts");
		p = quoted ? read_quoted(parser, p, &part) : read_plain(parser, p, &part);
		if (p == NULL || (*p != '.' && *p != '\0'))
			return refuse_name(parser, name, line,
							   "use letters, digits, _ and -, not beginning with a digit, or quote it twice: '\"2024 sales\"'",
							   "is not a name");
		if (!part_is_usable(parser, name, line, part, quoted))
			return false;
		parts[count++] = part;
		if (*p++ == '\0')
			break;
	}
	if (count == 2 && (keys_value_in(taken_schemas, parts[0]) || strncmp(parts[0], "pg_", 3) == 0))
		return refuse_name(parser, name, line, "choose another schema",
						   "lies in a schema that is not free for tables");
	*schema = count == 2 ? parts[0] : arena_strdup(parser->arena, "public");
	*table = parts[count - 1];
	return true;
}

void
names_check_column(Parser *parser, const char *name, int line)
{
	if (name[0] == '\0')
		parse_problem(parser, MANIFEST_ERROR, line, NULL, "a column's name is empty");
	else if (strlen(name) > NAMES_MAX_IDENTIFIER)
		parse_problem(parser, MANIFEST_ERROR, line, NULL,
					  "column name \"%s\" is longer than 63 bytes",
					  document_excerpt(parser->arena, name));
}

/* Cuts the blanks from both ends of the text between begin and end. */
static char *
trimmed(Parser *parser, const char *begin, const char *end)
{
	while (begin < end && (*begin == ' ' || *begin == '\t'))
		begin++;
	while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return arena_strndup(parser->arena, begin, (size_t) (end - begin));
}

static bool
add_column(Parser *parser, ColumnList *list, const char *name)
{
	if (name[0] == '\0' || strpbrk(name, ",;:()\"") != NULL)
		return false;
	for (size_t i = 0; i < list->count; i++)
	{
		if (strcmp(list->names[i], name) == 0)
			return false;
	}
	list->names = arena_grow(parser->arena, list->names, list->count,
							 &list->capacity, sizeof(char *));
	list->names[list->count++] = name;
	return true;
}

/* The list of YAML that names columns one by one; NULL: an entry is no text. */
static const char *
join_names(Parser *parser, const DocNode *node)
{
	const char *text = "";

	for (size_t i = 0; i < node->count; i++)
	{
		if (node->items[i]->kind != DOC_SCALAR)
			return NULL;
		text = arena_printf(parser->arena, "%s%s%s", text, i > 0 ? "," : "",
							node->items[i]->text);
	}
	return text;
}

bool
names_parse_columns(Parser *parser, const char *setting, const DocNode *node,
					ColumnList *list)
{
	const char *given = node->kind == DOC_SEQUENCE ? join_names(parser, node) : node->text;
	const char *text = given != NULL ? trimmed(parser, given, given + strlen(given)) : "";
	size_t		length = strlen(text);
	bool		good = true;

	if (length >= 2 && text[0] == '(' && text[length - 1] == ')')
		text = arena_strndup(parser->arena, text + 1, length - 2);
	for (const char *p = text; good; p++)
	{
		const char *end = p + strcspn(p, ",");
		char	   *name = trimmed(parser, p, end);

		good = list->count < 32 && add_column(parser, list, name);
		if (good)
			names_check_column(parser, name, node->line);
		p = end;
		if (*p == '\0')
			break;
	}
	if (!good)
		parse_problem(parser, MANIFEST_ERROR, node->line,
					  "write one column, or several different ones as (a, b)",
					  "%s \"%s\" is not a list of columns", setting,
					  document_excerpt(parser->arena, given != NULL ? given : ""));
	return good;
}

const char *
names_type(const char *type)
{
	/* int8 is not here: to the server it is bigint, which holds Arrow's Int8, too */
	static const char *const types[][2] = {
		{"string", "text"}, {"str", "text"}, {"utf8", "text"}, {"large_utf8", "text"},
		{"tinyint", "smallint"}, {"int16", "smallint"}, {"int32", "integer"},
		{"int64", "bigint"}, {"long", "bigint"}, {"uint8", "smallint"},
		{"uint16", "integer"}, {"uint32", "bigint"}, {"uint64", "numeric"},
		{"number", "numeric"}, {"float16", "real"}, {"float32", "real"},
		{"float64", "double precision"}, {"double", "double precision"},
		{"datetime", "timestamp"}, {"binary", "bytea"}, {"blob", "bytea"},
		{"object", "jsonb"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strlen(type) == strlen(types[i][0]) && ascii_same(type, types[i][0], strlen(type)))
			return types[i][1];
	}
	return type;
}
