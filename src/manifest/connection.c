/*-------------------------------------------------------------------------
 *
 * connection.c
 *		Where a dataset comes from: "from" and "params".
 *
 * These are the values in which passwords get written by mistake, so messages
 * here name keys and connectors and never quote a URL or a credential.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/parse.h"

#include <string.h>

#include "ascii.h"

#define DEFAULT_CLIENT_TIMEOUT_MS	30000
#define DEFAULT_CONNECT_TIMEOUT_MS	10000

#define JSON_LINES	"jsonl|ndjson|ldjson"
#define CSV_FORMATS	"csv|tsv"

static void
check_connector(Parser *parser, const char *from, int line)
{
	size_t		length = strcspn(from, ":/");
	const char *hint = "connectors that work: http, https, postgres, mysql, table";
	const char *name = document_excerpt(parser->arena,
										arena_strndup(parser->arena, from, length));

	if (from[length] == '\0' && !connector_is_known(from, length))
		parse_problem(parser, MANIFEST_ERROR, line, hint,
					  "from \"%s\" names no connector", name);
	else if (!connector_is_known(from, length))
		parse_problem(parser, MANIFEST_ERROR, line, hint,
					  "unknown connector \"%s\" in from", name);
	else if (strncmp(from, "http", 4) == 0)
		parse_problem(parser, MANIFEST_ERROR, line, "write http://host/path",
					  "from is not a complete URL");
	else
		parse_problem(parser, MANIFEST_ERROR, line, hint,
					  "the %s connector is not supported yet", name);
}

static bool
has_control_or_blank(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if ((unsigned char) *text <= 0x20 || *text == 0x7F)
			return true;
	}
	return false;
}

static void
check_url(Parser *parser, const char *url, int line)
{
	const char *host;
	size_t		length;

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
	{
		check_connector(parser, url, line);
		return;
	}
	host = strstr(url, "://") + 3;
	length = strcspn(host, "/?#\\");
	if (memchr(host, '@', length) != NULL)
		parse_problem(parser, MANIFEST_ERROR, line,
					  "use the params http_username and http_password",
					  "from holds a user name or password");
	else if (strstr(url, "${") != NULL)
		parse_problem(parser, MANIFEST_ERROR, line,
					  "secrets are replaced in params only: use http_password or http_headers",
					  "from holds a reference to a secret");
	else if (length == 0 || host[0] == ':')
		parse_problem(parser, MANIFEST_ERROR, line, "write http://host/path",
					  "from names no host");
	else if (has_control_or_blank(url))
		parse_problem(parser, MANIFEST_ERROR, line, "write a blank as %20",
					  "from holds a blank or a control character");
}

void
connection_add(ConnectionSpec *spec, const char *name, const char *value, bool place)
{
	spec->params[spec->n_params++] = (ParamSpec) {name, value, place};
}

/* -1: none is given */
int
port_parse(Parser *parser, const KeyTable *table, const DocNode *params, const char *name)
{
	const DocNode *node = valid_value(table, params, name);
	int			port = 0;

	if (node == NULL)
		return -1;
	for (const char *p = node->text; *p >= '0' && *p <= '9' && port <= 65535; p++)
		port = port * 10 + (*p - '0');
	if (node->text[strspn(node->text, "0123456789")] != '\0' ||
		port < 1 || port > 65535)
		parse_problem(parser, MANIFEST_ERROR, node->line, NULL,
					  "%s is not a whole number from 1 to 65535", name);
	return port;
}

/* Does a value that may be a credential stand in the file itself? */
void
advise_secret(Parser *parser, const KeyTable *table, const DocNode *params, const char *name)
{
	const DocNode *node = valid_value(table, params, name);

	if (node != NULL && strstr(node->text, "${") == NULL)
		parse_problem(parser, MANIFEST_WARNING, node->line,
					  arena_printf(parser->arena,
								   "write %s: ${secrets:KEY} and keep the value in a secret store",
								   name),
					  "%s stands in the manifest for everyone to read", name);
}

bool
mentions(const char *text, const char *word)
{
	for (; *text != '\0'; text++)
	{
		if (ascii_same(text, word, strlen(word)))
			return true;
	}
	return false;
}

static void
parse_credentials(Parser *parser, const DocNode *params, ConnectionSpec *spec)
{
	const DocNode *headers = valid_value(&params_of_http, params, "http_headers");

	connection_add(spec, "http_username", valid_text(&params_of_http, params, "http_username", NULL), false);
	connection_add(spec, "http_password", valid_text(&params_of_http, params, "http_password", NULL), false);
	advise_secret(parser, &params_of_http, params, "http_password");
	if (headers == NULL)
		return;
	spec->headers = headers->text;
	if (strpbrk(headers->text, "\r\n") != NULL)
		parse_problem(parser, MANIFEST_ERROR, headers->line,
					  "write http_headers: \"Name: value, Other: value\"",
					  "http_headers holds a line break");
	else if (mentions(headers->text, "authorization"))
		advise_secret(parser, &params_of_http, params, "http_headers");
}

void
timeouts_parse(Parser *parser, const KeyTable *table, const DocNode *params,
			   int64_t client_timeout_ms, ConnectionSpec *spec)
{
	spec->client_timeout_ms = valid_duration(table, params, "client_timeout", client_timeout_ms);
	spec->connect_timeout_ms = valid_duration(table, params, "connect_timeout",
											  DEFAULT_CONNECT_TIMEOUT_MS);
	require_positive(parser, params, "client_timeout", spec->client_timeout_ms);
	require_positive(parser, params, "connect_timeout", spec->connect_timeout_ms);
}

/* The part behind the last point of the URL's path; "" when there is none. */
static const char *
url_extension(Parser *parser, const char *url)
{
	size_t		length = strcspn(url, "?#");
	const char *path = arena_strndup(parser->arena, url, length);
	const char *point = strrchr(path, '.');

	if (point == NULL || strchr(point, '/') != NULL)
		return "";
	return point + 1;
}

static void
refuse_format(Parser *parser, int line, const char *setting, const char *format)
{
	parse_problem(parser, MANIFEST_ERROR, line,
				  "formats that work: json, jsonl, ndjson, ldjson, csv, tsv",
				  "%s %s is not supported yet", setting, format);
}

/*
 * file_format says what the response is and json_format how its records are
 * laid out; without either the URL's extension decides, and without that the
 * reader looks at the first bytes.
 */
static const char *
parse_format(Parser *parser, const DocNode *params, const char *from, int from_line)
{
	const DocNode *file = valid_value(&params_of_http, params, "file_format");
	const DocNode *json = valid_value(&params_of_http, params, "json_format");
	const char *extension = url_extension(parser, from);
	bool		lines = file != NULL && word_in_list(JSON_LINES, file->text);
	bool		csv = file != NULL && word_in_list(CSV_FORMATS, file->text);

	if (file != NULL && !lines && !csv && strcmp(file->text, "json") != 0)
		refuse_format(parser, file->line, "file_format", file->text);
	if (json != NULL && word_in_list("soda|socrata", json->text))
		refuse_format(parser, json->line, "json_format", json->text);
	if (file == NULL && json == NULL)
	{
		if (word_in_list("parquet|arrow|avro|vortex", extension))
			refuse_format(parser, from_line, "file_format", extension);
		if (word_in_list(CSV_FORMATS, extension))
			return extension;
		return word_in_list(JSON_LINES, extension) ? "jsonl" : "auto";
	}
	if (csv)
	{
		if (json != NULL)
			parse_problem(parser, MANIFEST_ERROR, json->line, "take one of the two out",
						  "json_format contradicts file_format %s", file->text);
		return file->text;
	}
	if (json == NULL || strcmp(json->text, "auto") == 0)
		return lines ? "jsonl" : "auto";
	if (word_in_list(JSON_LINES, json->text))
		return "jsonl";
	if (lines)
		parse_problem(parser, MANIFEST_ERROR, json->line, "take one of the two out",
					  "json_format %s contradicts file_format %s",
					  json->text, file->text);
	return "json";
}

static bool
pointer_is_valid(const char *pointer)
{
	for (const char *p = strchr(pointer, '~'); p != NULL; p = strchr(p + 1, '~'))
	{
		if (p[1] != '0' && p[1] != '1')
			return false;
	}
	return true;
}

static const char *
parse_pointer(Parser *parser, const DocNode *params, const char *format)
{
	const DocNode *pointer = valid_value(&params_of_http, params, "json_pointer");
	const DocNode *path = valid_value(&params_of_http, params, "json_path");

	if (pointer != NULL && path != NULL && strcmp(pointer->text, path->text) != 0)
		parse_problem(parser, MANIFEST_ERROR, path->line,
					  "json_path is another name of json_pointer: keep one",
					  "json_path contradicts json_pointer");
	if (pointer == NULL)
		pointer = path;
	if (pointer == NULL || pointer->text[0] == '\0')
		return NULL;
	if (strcmp(format, "jsonl") == 0 || word_in_list(CSV_FORMATS, format))
		parse_problem(parser, MANIFEST_ERROR, pointer->line, "take one of the two out",
					  "json_pointer has no meaning in %s",
					  strcmp(format, "jsonl") == 0 ? "JSON Lines" : "CSV");
	if (!pointer_is_valid(pointer->text))
		parse_problem(parser, MANIFEST_ERROR, pointer->line,
					  "in a JSON pointer ~ is written ~0 and / inside a name ~1",
					  "json_pointer \"%s\" is not valid",
					  document_excerpt(parser->arena, pointer->text));
	return pointer->text[0] == '/' ? pointer->text :
		arena_printf(parser->arena, "/%s", pointer->text);
}

void
connection_parse(Parser *parser, const DocNode *dataset, ConnectionSpec *spec)
{
	static const DocNode no_params = {.kind = DOC_MAPPING};
	const DocNode *from = valid_value(&keys_of_dataset, dataset, "from");
	const DocNode *params = valid_value(&keys_of_dataset, dataset, "params");

	if (from == NULL || from->text[0] == '\0')
	{
		/* a value of the wrong kind has been reported already */
		if (from != NULL || document_get(dataset, "from") == NULL ||
			document_is_null(document_get(dataset, "from")))
			parse_problem(parser, MANIFEST_ERROR, dataset->line,
						  "write from: http://host/path", "from is missing");
		return;
	}
	spec->from = from->text;
	spec->connector = "http";
	if (params == NULL)
		params = &no_params;
	if (database_parse(parser, from, params, spec))
		return;
	check_url(parser, from->text, from->line);

	/* params of another connector would only add noise to its error */
	if (strncmp(from->text, "http", 4) != 0)
		params = &no_params;
	check_mapping(parser, &params_of_http, params);
	spec->port = port_parse(parser, &params_of_http, params, "http_port");
	parse_credentials(parser, params, spec);
	timeouts_parse(parser, &params_of_http, params, DEFAULT_CLIENT_TIMEOUT_MS, spec);
	spec->format = parse_format(parser, params, from->text, from->line);
	spec->json_pointer = parse_pointer(parser, params, spec->format);
	csv_parse(parser, params, spec->format, &spec->csv);
}
