/*-------------------------------------------------------------------------
 *
 * check.c
 *		Problems, and values checked against the tables of keys.
 *
 * A value is judged in one place (value_fault) and that judgement is used
 * twice: check_mapping() reports it once, and the valid_...() readers fall
 * back to the default without a second word.  So every mapping is checked in
 * full before anything is taken from it, and one mistake gives one problem.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

#include "manifest/duration.h"

/* Enough for any human; a file of nonsense must not fill the memory. */
#define MAX_PROBLEMS		1000

typedef struct Fault
{
	const char *what;			/* NULL: the value is good */
	const char *hint;
	bool		show_value;
} Fault;

void
parse_problem(Parser *parser, ManifestSeverity severity, int line,
			  const char *hint, const char *format,...)
{
	Manifest   *manifest = parser->manifest;
	ManifestProblem *problem;
	va_list		args;

	if (severity == MANIFEST_ERROR)
		parser->failed = true;
	if (manifest->n_problems >= MAX_PROBLEMS)
		return;
	manifest->problems = arena_grow(parser->arena, manifest->problems,
									(size_t) manifest->n_problems,
									&parser->problems_capacity,
									sizeof(ManifestProblem));
	problem = &manifest->problems[manifest->n_problems];
	memset(problem, 0, sizeof(*problem));
	problem->severity = severity;
	problem->line = line;
	if (parser->dataset != NULL)
		problem->dataset = arena_strdup(parser->arena, parser->dataset);
	if (hint != NULL)
		problem->hint = arena_strdup(parser->arena, hint);
	va_start(args, format);
	problem->message = arena_vprintf(parser->arena, format, args);
	va_end(args);
	manifest->n_problems++;
}

static bool
is_boolean(const DocNode *node)
{
	return node->plain &&
		word_in_list("true|True|TRUE|false|False|FALSE", node->text);
}

/* A plain scalar that YAML takes for a number: 12, -1.5e3, 0x1F, .inf */
static bool
is_number(const DocNode *node)
{
	const char *p = node->text;
	size_t		digits;

	if (!node->plain)
		return false;
	p += *p == '+' || *p == '-';
	if (word_in_list(".inf|.Inf|.INF|.nan|.NaN|.NAN", p))
		return true;
	if (p[0] == '0' && p[1] == 'x')
		return p[2] != '\0' && p[2 + strspn(p + 2, "0123456789abcdefABCDEF")] == '\0';
	if (p[0] == '0' && p[1] == 'o')
		return p[2] != '\0' && p[2 + strspn(p + 2, "01234567")] == '\0';
	digits = strspn(p, "0123456789");
	p += digits;
	if (*p == '.')
	{
		size_t		fraction = strspn(++p, "0123456789");

		digits += fraction;
		p += fraction;
	}
	if (digits == 0)
		return false;
	if (*p == 'e' || *p == 'E')
	{
		p++;
		p += *p == '+' || *p == '-';
		if (*p == '\0')
			return false;
		p += strspn(p, "0123456789");
	}
	return *p == '\0';
}

static bool
read_count(const DocNode *node, int64_t *count)
{
	size_t		length = strlen(node->text);

	*count = 0;
	if (!node->plain || length == 0 || length > 10 ||
		strspn(node->text, "0123456789") != length)
		return false;
	for (const char *p = node->text; *p != '\0'; p++)
		*count = *count * 10 + (*p - '0');
	return *count <= INT32_MAX;
}

static Fault
string_fault(const KeyInfo *key, const DocNode *node)
{
	if (key->values != NULL)
	{
		if (!word_in_list(key->values, node->text))
			return (Fault) {"is not a valid value", NULL, true};
	}
	else if (key->kind == KEY_STRING && (is_boolean(node) || is_number(node)))
		return (Fault) {"must be a string", "put the value in quotes", true};
	return (Fault) {0};
}

static Fault
scalar_fault(const KeyInfo *key, const DocNode *node)
{
	Fault		fault = {0};
	int64_t		number;

	switch (key->kind)
	{
		case KEY_BOOLEAN:
			if (!is_boolean(node))
				fault = (Fault) {"is not a boolean", "write true or false, without quotes", true};
			break;
		case KEY_COUNT:
			if (!read_count(node, &number))
				fault = (Fault) {"is not a whole number from 0 to 2147483647", NULL, true};
			break;
		case KEY_DURATION:
			if (!duration_parse(node->text, &number, &fault.what, &fault.hint))
				fault.show_value = node->text[0] != '\0';
			break;
		default:
			fault = string_fault(key, node);
	}
	return fault;
}

static Fault
value_fault(const KeyInfo *key, const DocNode *node)
{
	if (key->kind == KEY_ANY)
		return (Fault) {0};
	if (key->kind == KEY_MAPPING)
	{
		if (node->kind != DOC_MAPPING)
			return (Fault) {"must be a mapping", "write its keys below it, further indented", false};
		return (Fault) {0};
	}
	if (key->kind == KEY_LIST)
	{
		if (node->kind != DOC_SEQUENCE)
			return (Fault) {"must be a list", "begin each entry with a hyphen", false};
		return (Fault) {0};
	}
	if (node->kind != DOC_SCALAR)
		return (Fault) {"must be a single value", NULL, false};
	return scalar_fault(key, node);
}

/* "full|append" as "valid values: full, append" */
static const char *
list_values(Parser *parser, const char *values)
{
	const char *text = "valid values:";

	while (*values != '\0')
	{
		size_t		span = strcspn(values, "|");

		text = arena_printf(parser->arena, "%s %.*s%s", text, (int) span, values,
							values[span] == '|' ? "," : "");
		values += span;
		values += *values == '|';
	}
	return text;
}

static void
report_fault(Parser *parser, const KeyInfo *key, const char *name,
			 const DocNode *node, const Fault *fault)
{
	const char *hint = fault->hint;

	if (hint == NULL && key->values != NULL)
		hint = list_values(parser, key->values);
	if (fault->show_value)
		parse_problem(parser, MANIFEST_ERROR, node->line, hint, "%s \"%s\" %s",
					  name, document_excerpt(parser->arena, node->text), fault->what);
	else
		parse_problem(parser, MANIFEST_ERROR, node->line, hint, "%s %s",
					  name, fault->what);
}

/* For an unknown name: a wrong place first, then a slip of the pen. */
static const char *
cure_unknown(Parser *parser, const KeyTable *table, const char *name)
{
	const char *near = NULL;
	const char *home = key_home(name);
	const char *connector = table->connector ? param_connector(name) : NULL;

	if (table->connector != NULL)
		near = param_with_right_prefix(table, name);
	if (near == NULL && connector != NULL && strcmp(connector, table->connector) != 0)
		return arena_printf(parser->arena, "it is a param of the %s connector", connector);
	if (near == NULL && home != NULL)
		return arena_printf(parser->arena, "%s belongs in %s", name, home);
	if (near == NULL)
		near = key_nearest(table, name);
	if (near != NULL)
		return arena_printf(parser->arena, "did you mean \"%s\"?", near);
	if (table == &keys_of_manifest)
		return "take it out; anchors may be kept under metadata";
	return NULL;
}

static void
check_pair(Parser *parser, const KeyTable *table, const DocPair *pair)
{
	const KeyInfo *key = key_find(table, pair->key->text);
	const char *name = document_excerpt(parser->arena, pair->key->text);
	const DocNode *node = pair->value;
	Fault		fault;

	if (key == NULL)
	{
		parse_problem(parser, MANIFEST_ERROR, pair->key->line,
					  cure_unknown(parser, table, pair->key->text),
					  "unknown key \"%s\" in %s", name, table->place);
		return;
	}
	if (document_is_null(node))
	{
		parse_problem(parser, MANIFEST_WARNING, pair->key->line,
					  "give it a value or take it out",
					  "%s has no value and has no effect", name);
		return;
	}
	fault = value_fault(key, node);
	if (fault.what != NULL)
		report_fault(parser, key, name, node, &fault);
	else if (key->status == KEY_UNSUPPORTED &&
			 !(key->harmless != NULL && node->kind == DOC_SCALAR &&
			   strcmp(node->text, key->harmless) == 0))
		parse_problem(parser, MANIFEST_WARNING, pair->key->line,
					  key->hint ? key->hint : "take it out until it is",
					  "%s is not supported yet and has no effect", name);
}

void
check_mapping(Parser *parser, const KeyTable *table, const DocNode *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		check_pair(parser, table, &mapping->pairs[i]);
}

/* What stands there, valid or not; NULL when nothing does. */
const DocNode *
given_value(const DocNode *mapping, const char *key)
{
	const DocNode *node = document_get(mapping, key);

	return node != NULL && !document_is_null(node) ? node : NULL;
}

/* Where a key that is there stands: a block begins in the line below it. */
int
key_line(const DocNode *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->count; i++)
	{
		if (strcmp(mapping->pairs[i].key->text, key) == 0)
			return mapping->pairs[i].key->line;
	}
	return mapping->line;
}

bool
scalar_is_false(const DocNode *node)
{
	return node->kind == DOC_SCALAR && node->plain &&
		word_in_list("false|False|FALSE", node->text);
}

const DocNode *
valid_value(const KeyTable *table, const DocNode *mapping, const char *key)
{
	const DocNode *node = given_value(mapping, key);

	if (node == NULL ||
		value_fault(key_find(table, key), node).what != NULL)
		return NULL;
	return node;
}

const char *
valid_text(const KeyTable *table, const DocNode *mapping, const char *key,
		   const char *otherwise)
{
	const DocNode *node = valid_value(table, mapping, key);

	return node ? node->text : otherwise;
}

bool
valid_boolean(const KeyTable *table, const DocNode *mapping, const char *key,
			  bool otherwise)
{
	const DocNode *node = valid_value(table, mapping, key);

	return node ? word_in_list("true|True|TRUE", node->text) : otherwise;
}

int64_t
valid_count(const KeyTable *table, const DocNode *mapping, const char *key,
			int64_t otherwise)
{
	const DocNode *node = valid_value(table, mapping, key);
	int64_t		count;

	return node && read_count(node, &count) ? count : otherwise;
}

int64_t
valid_duration(const KeyTable *table, const DocNode *mapping, const char *key,
			   int64_t otherwise)
{
	const DocNode *node = valid_value(table, mapping, key);
	int64_t		milliseconds;
	const char *error;
	const char *hint;

	if (node == NULL || !duration_parse(node->text, &milliseconds, &error, &hint))
		return otherwise;
	return milliseconds;
}

/* A statement for the server's own parser, and the line of its first byte. */
const char *
valid_statement(Parser *parser, const DocNode *block, const char *key,
				const char *verb, int *line)
{
	const DocNode *node = valid_value(&keys_of_acceleration, block, key);

	if (node == NULL)
		return NULL;
	*line = node->line + (node->block ? 1 : 0);
	if (node->text[strspn(node->text, " \t\r\n")] != '\0')
		return node->text;
	parse_problem(parser, MANIFEST_ERROR, node->line,
				  arena_printf(parser->arena, "write a %s or take it out", verb),
				  "%s is empty", key);
	return NULL;
}

void
require_positive(Parser *parser, const DocNode *mapping, const char *key,
				 int64_t milliseconds)
{
	if (milliseconds == 0)
		parse_problem(parser, MANIFEST_ERROR, document_get(mapping, key)->line,
					  "write a duration such as 30s", "%s must be more than zero", key);
}

/*
 * Refuses a setting that works in one refresh_mode alone.  A mode that has
 * been refused itself (NULL) says nothing about what belongs with it.
 */
void
require_mode(Parser *parser, const AccelerationSpec *spec, const char *mode,
			 const char *setting, int line)
{
	if (spec->refresh_mode != NULL && strcmp(spec->refresh_mode, mode) != 0)
		parse_problem(parser, MANIFEST_ERROR, line,
					  arena_printf(parser->arena, "write refresh_mode: %s, or take it out", mode),
					  "%s needs refresh_mode %s", setting, mode);
}

void
require_time_column(Parser *parser, AccelerationSpec *spec, const char *setting,
					int line)
{
	if (spec->has_time_column)
		return;
	parse_problem(parser, MANIFEST_ERROR, line,
				  "write time_column: and the column, above acceleration",
				  "%s needs time_column", setting);
	spec->has_time_column = true;	/* one cure for all, so it is said once */
}
