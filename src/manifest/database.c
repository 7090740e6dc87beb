/*-------------------------------------------------------------------------
 *
 * database.c
 *		Datasets that come from a relation of a database: "from" and "params".
 *
 * "from" is connector:schema.relation.  Its parts fold to lower case unless
 * they stand in double quotes, as in the original runtime, so that the same
 * text means the same relation.  As in connection.c, messages quote neither
 * "from" nor a value: a URL with a password gets written there by mistake.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

typedef struct DatabaseKind
{
	const char *connector;
	const KeyTable *params;
	size_t		max_name;		/* bytes */
	const char *default_schema; /* NULL: a param names it */
	void		(*parse) (Parser *parser, const DocNode *from, const DocNode *params,
						  ConnectionSpec *spec);
} DatabaseKind;

static void parse_postgres(Parser *parser, const DocNode *from, const DocNode *params,
						   ConnectionSpec *spec);
static void parse_mysql(Parser *parser, const DocNode *from, const DocNode *params,
						ConnectionSpec *spec);

static const DatabaseKind kinds[] = {
	{"postgres", &params_of_postgres, 63, "public", parse_postgres},
	{"mysql", &params_of_mysql, 256, NULL, parse_mysql},
	{"table", &params_of_table, 63, "public", NULL},
};

/* One part of a name, up to a point or the end; NULL when it is not one. */
static const char *
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
		part[length++] = !quoted && *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
	}
	/* a name that was opened has been closed */
	if (length == 0 || (quoted && p[-1] != '"') || (*p != '\0' && *p != '.'))
		return NULL;
	part[length] = '\0';
	*text = p + (*p == '.');
	return *p == '.' && p[1] == '\0' ? NULL : part;
}

static void
parse_relation(Parser *parser, const DatabaseKind *kind, const DocNode *from, ConnectionSpec *spec)
{
	const char *rest = from->text + strlen(kind->connector) + 1;
	const char *first = read_part(parser, &rest);
	const char *second = first != NULL && *rest != '\0' ? read_part(parser, &rest) : NULL;

	if (first == NULL || *rest != '\0')
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  arena_printf(parser->arena,
								   "write %s:schema.relation, with double quotes around names that hold capitals or points",
								   kind->connector),
					  "from does not name a relation");
	else
	{
		spec->remote_schema = second ? first : kind->default_schema;
		spec->remote_table = second ? second : first;
		if (strlen(first) > kind->max_name || strlen(spec->remote_table) > kind->max_name)
			parse_problem(parser, MANIFEST_ERROR, from->line, NULL,
						  "a name in from is longer than %zu bytes", kind->max_name);
	}
}

static void
require_param(Parser *parser, const DocNode *from, const DocNode *params, const char *name)
{
	if (given_value(params, name) == NULL)
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  arena_printf(parser->arena, "write %s: under params", name),
					  "%s is missing", name);
}

static void
take_param(const KeyTable *table, const DocNode *params, const char *name, bool place,
		   ConnectionSpec *spec)
{
	connection_add(spec, name, valid_text(table, params, name, NULL), place);
}

/* A port that is not to be found in a secret store. */
static void
check_port(Parser *parser, const KeyTable *table, const DocNode *params, const char *name)
{
	const DocNode *node = given_value(params, name);

	if (node != NULL && node->kind == DOC_SCALAR && strstr(node->text, "${") == NULL)
		(void) port_parse(parser, table, params, name);
}

static void
parse_postgres(Parser *parser, const DocNode *from, const DocNode *params, ConnectionSpec *spec)
{
	static const char *const places[] = {"pg_host", "pg_port", "pg_db", "pg_user"};
	const KeyTable *table = &params_of_postgres;
	bool		text = given_value(params, "pg_connection_string") != NULL;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		if (text && given_value(params, places[i]) != NULL)
			parse_problem(parser, MANIFEST_ERROR, key_line(params, places[i]),
						  "keep one of the two",
						  "%s and pg_connection_string both say where the source is", places[i]);
		else if (!text && strcmp(places[i], "pg_port") != 0)
			require_param(parser, from, params, places[i]);
		take_param(table, params, places[i], strcmp(places[i], "pg_user") != 0, spec);
	}
	check_port(parser, table, params, "pg_port");
	take_param(table, params, "pg_connection_string", true, spec);
	take_param(table, params, "pg_publication", true, spec);
	take_param(table, params, "pg_replication_slot", true, spec);
	take_param(table, params, "pg_pass", false, spec);
	take_param(table, params, "pg_sslmode", false, spec);
	take_param(table, params, "pg_sslrootcert", false, spec);
	advise_secret(parser, table, params, "pg_pass");
	if (text && mentions(valid_text(table, params, "pg_connection_string", ""), "password"))
		advise_secret(parser, table, params, "pg_connection_string");
	timeouts_parse(parser, table, params, -1, spec);
}

/* Given an authority, the wrapper encrypts if the server can, and goes on if it cannot. */
static void
check_encryption(Parser *parser, const DocNode *from, const DocNode *params)
{
	const char *mode = valid_text(&params_of_mysql, params, "mysql_sslmode", "required");
	bool		certificate = given_value(params, "mysql_sslrootcert") != NULL;

	if (strcmp(mode, "required") == 0)
		parse_problem(parser, MANIFEST_ERROR, from->line,
					  "write mysql_sslmode: preferred or disabled if that is good enough",
					  "mysql_sslmode is required, which mysql_fdw cannot promise");
	else if (certificate && strcmp(mode, "disabled") == 0)
		parse_problem(parser, MANIFEST_ERROR, key_line(params, "mysql_sslrootcert"),
					  "write mysql_sslmode: preferred, or take it out",
					  "mysql_sslrootcert has no meaning with mysql_sslmode disabled");
}

static void
parse_mysql(Parser *parser, const DocNode *from, const DocNode *params, ConnectionSpec *spec)
{
	const KeyTable *table = &params_of_mysql;

	require_param(parser, from, params, "mysql_host");
	require_param(parser, from, params, "mysql_user");
	if (spec->remote_schema == NULL)
		require_param(parser, from, params, "mysql_db");
	check_port(parser, table, params, "mysql_tcp_port");
	take_param(table, params, "mysql_host", true, spec);
	take_param(table, params, "mysql_tcp_port", true, spec);
	take_param(table, params, "mysql_db", true, spec);
	take_param(table, params, "mysql_user", false, spec);
	take_param(table, params, "mysql_pass", false, spec);
	take_param(table, params, "mysql_sslmode", false, spec);
	take_param(table, params, "mysql_sslrootcert", false, spec);
	advise_secret(parser, table, params, "mysql_pass");
	check_encryption(parser, from, params);
}

bool
database_parse(Parser *parser, const DocNode *from, const DocNode *params, ConnectionSpec *spec)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		const DatabaseKind *kind = &kinds[i];
		size_t		length = strlen(kind->connector);

		if (strncmp(from->text, kind->connector, length) != 0 || from->text[length] != ':')
			continue;
		spec->connector = kind->connector;
		spec->port = -1;
		spec->client_timeout_ms = spec->connect_timeout_ms = -1;
		check_mapping(parser, kind->params, params);
		parse_relation(parser, kind, from, spec);
		/* a URL with everything in it is one mistake, not five */
		if (kind->parse != NULL && spec->remote_table != NULL)
			kind->parse(parser, from, params, spec);
		return true;
	}
	return false;
}
