/*-------------------------------------------------------------------------
 *
 * database.c
 *		Datasets that come from a relation of a database: "from" and "params".
 *
 * "from" is connector:schema.relation.  Its parts fold to lower case unless
 * they stand in double quotes, as in the original runtime, so that the same text
 * means the same relation.  As in connection.c, messages quote neither "from"
 * nor a value: a URL with a password gets written there by mistake.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/database.h"

#include <string.h>

#include "ascii.h"
#include "manifest/check.h"

typedef struct DatabaseKind
{
	const char *connector;
	const KeyTable *params;
	size_t		max_name;		/* bytes */
	const char *default_schema; /* NULL: a param names it */
	void		(*check) (Parser *parser, const DocNode *from, const DatasetSpec *spec);
} DatabaseKind;

/* Reads one part of a name, up to a point or the end; NULL if it is none. */
static char *
read_part(Parser *parser, const char **text)
{
	const char *p = *text;
	bool		quoted = *p == '"';
	char	   *part = arena_strndup(parser->arena, p, strlen(p));
	size_t		length = 0;

	for (p += quoted; *p != '\0' && (quoted || strchr(".\":/", *p) == NULL); p++)
	{
		if (quoted && *p == '"' && *++p != '"')
			break;
		if ((unsigned char) *p < 0x20 || (!quoted && *p == ' '))
			return NULL;
		part[length++] = quoted ? *p : ascii_lower(*p);
	}
	if (length == 0 || (quoted && p[-1] != '"') || (*p != '\0' && *p != '.'))
		return NULL;
	part[length] = '\0';
	*text = p + (*p == '.');
	return *p == '.' && p[1] == '\0' ? NULL : part;
}

static void
parse_relation(Parser *parser, const DatabaseKind *kind, const DocNode *from,
			   Definition *definition)
{
	const char *rest = from->text + strlen(kind->connector) + 1;
	char	   *first = read_part(parser, &rest);
	char	   *second = first != NULL && *rest != '\0' ? read_part(parser, &rest) : NULL;

	if (first == NULL || *rest != '\0')
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  arena_printf(parser->arena,
								   "write %s:schema.relation, with double quotes around names that hold capitals or points",
								   kind->connector),
					  "from does not name a relation");
	else
	{
		definition->remote_schema = second ? first : (char *) kind->default_schema;
		definition->remote_table = second ? second : first;
		if (strlen(first) > kind->max_name || strlen(definition->remote_table) > kind->max_name)
			parse_problem(parser, MANIFEST_ERROR, from->line, NULL,
						  "a name in from is longer than %zu bytes", kind->max_name);
	}
}

static void
require_param(Parser *parser, const DocNode *from, const DocNode *params, const char *name)
{
	if (document_given(params, name) == NULL)
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  arena_printf(parser->arena, "write %s: under params", name),
					  "%s is missing", name);
}

static void
check_postgres(Parser *parser, const DocNode *from, const DatasetSpec *spec)
{
	static const char *const places[] = {"pg_host", "pg_port", "pg_db", "pg_user"};
	const DocNode *params = spec->params;
	bool		text = document_given(params, "pg_connection_string") != NULL;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		if (text && document_given(params, places[i]) != NULL)
			parse_problem(parser, MANIFEST_ERROR, document_line(params, places[i]),
						  "keep one of the two",
						  "%s and pg_connection_string both say where the source is", places[i]);
		else if (!text && strcmp(places[i], "pg_port") != 0)
			require_param(parser, from, params, places[i]);
	}
}

/* With a certificate, mysql_fdw encrypts if the server can, and goes on in the clear if not. */
static void
check_mysql(Parser *parser, const DocNode *from, const DatasetSpec *spec)
{
	const DocNode *params = spec->params;
	const char *mode = check_text(&keys_of_mysql, params, "mysql_sslmode", "required");
	bool		certificate = document_given(params, "mysql_sslrootcert") != NULL;

	require_param(parser, from, params, "mysql_host");
	require_param(parser, from, params, "mysql_user");
	if (spec->definition.remote_schema == NULL)
		require_param(parser, from, params, "mysql_db");
	if (strcmp(mode, "required") == 0)
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  "write mysql_sslmode: preferred or disabled if that is good enough",
					  "mysql_sslmode is required, which mysql_fdw cannot promise");
	else if (certificate && strcmp(mode, "disabled") == 0)
		parse_problem(parser, MANIFEST_ERROR, document_line(params, "mysql_sslrootcert"),
					  "write mysql_sslmode: preferred, or take it out",
					  "mysql_sslrootcert has no meaning with mysql_sslmode disabled");
}

static const DatabaseKind kinds[] = {
	{"postgres", &keys_of_postgres, 63, "public", check_postgres},
	{"mysql", &keys_of_mysql, 256, NULL, check_mysql},
	{"table", &keys_of_table, 63, "public", NULL},
};

bool
database_parse(Parser *parser, const DocNode *from, DatasetSpec *spec)
{
	Definition *definition = &spec->definition;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		const DatabaseKind *kind = &kinds[i];
		size_t		length = strlen(kind->connector);

		if (strncmp(from->text, kind->connector, length) != 0 || from->text[length] != ':')
			continue;
		definition->connector = (char *) kind->connector;
		spec->params_table = kind->params;
		check_mapping(parser, kind->params, spec->params);
		check_fill(kind->params, spec->params, definition);
		parse_relation(parser, kind, from, definition);
		/* a URL with everything in it is one mistake, not five */
		if (kind->check != NULL && definition->remote_table != NULL)
			kind->check(parser, from, spec);
		return true;
	}
	return false;
}
