/*-------------------------------------------------------------------------
 *
 * check.c
 *		Values of a manifest, checked by the tables of keys.def.
 *
 * value_fault() alone judges a value.  check_mapping() reports its judgement
 * once; the functions that read a value take a refused one for missing.  Every
 * mapping is therefore checked in full before its values are read, and one
 * mistake gives one problem.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/check.h"

#include <string.h>

#include "ascii.h"
#include "manifest/duration.h"

#define TRUE_WORDS		"true|True|TRUE"
#define A_SHARE			"write for instance 50% or 0.5"
#define NAME_CHARACTERS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."

typedef struct Fault
{
	const char *what;			/* NULL: the value is good */
	const char *hint;
	bool		show_value;
} Fault;

/* the value of a scalar that is no text */
typedef struct Value
{
	int64_t		number;
	double		share;
} Value;

static bool
is_boolean(const DocNode *node)
{
	return node->plain &&
		keys_value_in(TRUE_WORDS "|false|False|FALSE", node->text);
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
	if (keys_value_in(".inf|.Inf|.INF|.nan|.NaN|.NAN", p))
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

/* A whole number that is at most "most"; -1 when it is none. */
static int64_t
read_number(const char *text, int64_t most)
{
	int64_t		number = 0;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return -1;
	for (; *text != '\0' && number <= most; text++)
		number = number * 10 + (*text - '0');
	return number <= most ? number : -1;
}

/*
 * "50%" or "0.5".  Both spellings must give the same number, hence whole numbers
 * and one division.
 */
static bool
read_share(const char *text, double *share)
{
	double		number = 0;
	double		divisor = 1;
	int			digits = 0;
	bool		fraction = false;

	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !fraction); text++)
	{
		if (*text == '.')
		{
			fraction = true;
			continue;
		}
		if (++digits > 9)
			return false;
		number = number * 10 + (*text - '0');
		divisor *= fraction ? 10 : 1;
	}
	if (*text == '%')
	{
		divisor *= 100;
		text++;
	}
	*share = number / divisor;
	return digits > 0 && *text == '\0' && *share <= 1;
}

/* Reads a text by its key's kind; the value is good unless a fault comes back. */
static Fault
read_value(const KeyInfo *key, const char *text, Value *value)
{
	Fault		fault = {0};

	switch (key->kind)
	{
		case KEY_BOOLEAN:
			value->number = keys_value_in(TRUE_WORDS, text);
			break;
		case KEY_COUNT:
			value->number = read_number(text, INT32_MAX);
			if (value->number < 0)
				return (Fault) {"is not a whole number from 0 to 2147483647", NULL, true};
			break;
		case KEY_PORT:
			value->number = read_number(text, 65535);
			/* a param may come from a secret store */
			if (value->number <= 0 && !(key->param && strstr(text, "${") != NULL))
				return (Fault) {"is not a whole number from 1 to 65535", NULL, false};
			break;
		case KEY_DURATION:
		case KEY_TIMEOUT:
			if (!duration_parse(text, &value->number, &fault.what, &fault.hint))
				fault.show_value = text[0] != '\0';
			else if (value->number == 0 && !key->zero && !key->ignored)
				return (Fault) {"must be more than zero", "write a duration such as 30s", false};
			break;
		case KEY_SHARE:
			if (!read_share(text, &value->share))
				return (Fault) {"is not a part from 0 to 100%", A_SHARE, true};
			break;
		default:
			break;
	}
	return fault;
}

static Fault
value_fault(const KeyInfo *key, const DocNode *node)
{
	Value		value;

	switch (key->kind)
	{
		case KEY_ANY:
			return (Fault) {0};
		case KEY_MAPPING:
			if (node->kind != DOC_MAPPING)
				return (Fault) {"must be a mapping", "write its keys below it, further indented", false};
			return (Fault) {0};
		case KEY_LIST:
			if (node->kind != DOC_SEQUENCE)
				return (Fault) {"must be a list", "begin each entry with a hyphen", false};
			return (Fault) {0};
		case KEY_NAMES:
			if (node->kind == DOC_SEQUENCE)
				return (Fault) {0};
			break;
		default:
			break;
	}
	if (node->kind != DOC_SCALAR)
		return (Fault) {"must be a single value", NULL, false};
	if (key->values != NULL)
	{
		if (!keys_value_in(key->values, node->text) &&
			!(key->reference && strncmp(node->text, "${", 2) == 0))
			return (Fault) {"is not a valid value", NULL, true};
		return (Fault) {0};
	}
	if (key->kind == KEY_BOOLEAN && !is_boolean(node))
		return (Fault) {"is not a boolean", "write true or false, without quotes", true};
	if (key->kind == KEY_COUNT && !node->plain)
		return (Fault) {"is not a whole number from 0 to 2147483647", NULL, true};
	if ((key->kind == KEY_STRING || key->kind == KEY_NAMES) && (is_boolean(node) || is_number(node)))
		return (Fault) {"must be a string", "put the value in quotes", true};
	return read_value(key, node->text, &value);
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

/* The cure for an unknown name: a wrong place first, then a slip of the pen. */
static const char *
find_cure(Parser *parser, const KeyTable *table, const char *name)
{
	const char *near = NULL;
	const char *home = keys_home(name);
	const char *connector = table->connector ? keys_connector(name) : NULL;

	if (table->connector != NULL)
		near = keys_with_right_prefix(table, name);
	if (near == NULL && connector != NULL && strcmp(connector, table->connector) != 0)
		return arena_printf(parser->arena, "it is a param of the %s connector", connector);
	if (near == NULL && home != NULL)
		return arena_printf(parser->arena, "%s belongs in %s", name, home);
	if (near == NULL)
		near = keys_nearest(table, name);
	if (near != NULL)
		return arena_printf(parser->arena, "did you mean \"%s\"?", near);
	return NULL;
}

/* Whether a URI such as postgresql://user:password@host holds the password itself. */
static bool
uri_has_password(const char *text)
{
	const char *user = strstr(text, "://");
	const char *at = NULL;

	if (user == NULL)
		return false;
	user += strlen("://");
	for (const char *p = user; *p != '\0' && strchr("/?#", *p) == NULL; p++)
	{
		if (*p == '@')
			at = p;
	}
	for (const char *p = user; at != NULL && p < at; p++)
	{
		if (strncmp(p, "${", 2) == 0)
			p += strcspn(p, "}");
		else if (*p == ':')
			return p + 1 < at && strncmp(p + 1, "${", 2) != 0;
	}
	return false;
}

/* Whether a credential stands in the file itself. */
static bool
shows_secret(const KeyInfo *key, const char *text)
{
	if (uri_has_password(text))
		return true;
	if (strstr(text, "${") != NULL)
		return false;
	for (const char *p = text;; p++)
	{
		if (ascii_same(p, key->secret, strlen(key->secret)))
			return true;
		if (*p == '\0')
			return false;
	}
}

/*
 * Whether a manifest that has an unknown key is refused for it.  At the top level
 * the original runtime takes any key, and authors keep anchors there.  A misspelt
 * "datasets" stays an error: nothing would be loaded.
 */
static bool
unknown_is_fault(const KeyTable *table, const char *name)
{
	const char *near = keys_nearest(table, name);

	return table != &keys_of_manifest || (near != NULL && strcmp(near, "datasets") == 0);
}

/* The name in "${NAME}", which is no reference since it names no store, or NULL. */
static const char *
name_without_store(Parser *parser, const char *text)
{
	for (const char *p = strstr(text, "${"); p != NULL; p = strstr(p + 2, "${"))
	{
		size_t		length = strspn(p + 2, NAME_CHARACTERS);

		if (length > 0 && p[2 + length] == '}')
			return arena_strndup(parser->arena, p + 2, length);
	}
	return NULL;
}

static void
advise_reference(Parser *parser, const char *name, const DocNode *node)
{
	const char *key = name_without_store(parser, node->text);

	if (key != NULL)
		parse_problem(parser, MANIFEST_WARNING, node->line,
					  arena_printf(parser->arena, "write ${secrets:%s}", key),
					  "%s holds ${%s}, which is no reference to a secret and stays as it is",
					  name, key);
}

/* A word of the key's values may be written in any case, and is read as the table has it. */
static void
spell_as_listed(Parser *parser, const KeyInfo *key, DocPair *pair)
{
	const DocNode *node = pair->value;
	const char *word;
	size_t		length;
	DocNode    *spelled;

	if (key->values == NULL || node->kind != DOC_SCALAR || keys_value_in(key->values, node->text))
		return;
	word = keys_value_spelled(key->values, node->text, &length);
	if (word == NULL)
		return;
	/* an alias may have the node elsewhere, too */
	spelled = arena_alloc(parser->arena, sizeof(DocNode));
	*spelled = *node;
	spelled->text = arena_strndup(parser->arena, word, length);
	pair->value = spelled;
}

/* Does the node stand for no value at all? */
static bool
is_missing(const KeyInfo *key, const DocNode *node)
{
	return document_is_null(node) && !(key->null_word && strcmp(node->text, "null") == 0);
}

static void
check_pair(Parser *parser, const KeyTable *table, DocPair *pair)
{
	const KeyInfo *key = keys_find(table, pair->key->text);
	const char *name = document_excerpt(parser->arena, pair->key->text);
	const DocNode *node;
	Fault		fault;

	if (key != NULL)
		spell_as_listed(parser, key, pair);
	node = pair->value;
	if (key == NULL)
	{
		bool		refused = unknown_is_fault(table, pair->key->text);

		parse_problem(parser, refused ? MANIFEST_ERROR : MANIFEST_WARNING, pair->key->line,
					  find_cure(parser, table, pair->key->text),
					  "unknown key \"%s\" in %s%s", name, table->place,
					  refused ? "" : " has no effect");
		return;
	}
	if (is_missing(key, node))
	{
		parse_problem(parser, MANIFEST_WARNING, pair->key->line,
					  "give it a value or take it out",
					  "%s has no value and has no effect", name);
		return;
	}
	if (node->kind == DOC_SCALAR && table->connector != NULL)
		advise_reference(parser, name, node);
	fault = value_fault(key, node);
	if (fault.what != NULL)
		report_fault(parser, key, name, node, &fault);
	else if (key->secret != NULL && shows_secret(key, node->text))
		parse_problem(parser, MANIFEST_WARNING, node->line,
					  arena_printf(parser->arena,
								   "write %s: ${secrets:KEY} and keep the value in a secret store",
								   name),
					  "%s stands in the manifest for everyone to read", name);
	else if (key->ignored &&
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

const DocNode *
check_value(const KeyTable *table, const DocNode *mapping, const char *key)
{
	const KeyInfo *info = keys_find(table, key);
	const DocNode *node = document_get(mapping, key);

	if (node == NULL || info == NULL || is_missing(info, node) || value_fault(info, node).what != NULL)
		return NULL;
	return node;
}

const char *
check_text(const KeyTable *table, const DocNode *mapping, const char *key,
		   const char *otherwise)
{
	const DocNode *node = check_value(table, mapping, key);

	return node ? node->text : otherwise;
}

bool
check_boolean(const KeyTable *table, const DocNode *mapping, const char *key,
			  bool otherwise)
{
	const DocNode *node = check_value(table, mapping, key);

	return node ? keys_value_in(TRUE_WORDS, node->text) : otherwise;
}

static void
set_field(const KeyInfo *key, const char *text, Definition *definition)
{
	void	   *field = (char *) definition + key->field;
	Value		value;

	(void) read_value(key, text, &value);
	switch (key->kind)
	{
		case KEY_BOOLEAN:
			*(bool *) field = value.number;
			break;
		case KEY_COUNT:
		case KEY_PORT:
			*(int *) field = (int) value.number;
			break;
		case KEY_TIMEOUT:
			*(int *) field = (int) (value.number > INT32_MAX ? INT32_MAX : value.number);
			break;
		case KEY_DURATION:
			*(int64_t *) field = value.number;
			break;
		case KEY_SHARE:
			*(double *) field = value.share;
			break;
		default:
			*(char **) field = (char *) text;
	}
}

void
check_fill(const KeyTable *table, const DocNode *mapping, Definition *definition)
{
	for (size_t i = 0; i < table->count; i++)
	{
		const KeyInfo *key = &table->keys[i];
		const char *text;

		if (key->field < 0)
			continue;
		text = check_text(table, mapping, key->name, key->otherwise);
		if (text != NULL)
			set_field(key, text, definition);
	}
}
