/*-------------------------------------------------------------------------
 *
 * request_keys.c
 *		What a request holds: "params" http_headers, http_query, http_method, http_body.
 *
 * Messages name keys and never quote a value, which may be a credential.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/request_keys.h"

#include <string.h>

#include "ascii.h"
#include "manifest/check.h"
#include "percent.h"

#define WATERMARK		"{watermark}"
#define MIN_CREDENTIAL	8		/* bytes; key=name is no credential */
#define TOKEN_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"

/* ---- mappings ---- */

/* The bytes of a reference to a secret, or of a place of a time, that begins here; or 0. */
static size_t
place_length(const char *text)
{
	static const char *const times[] = {WATERMARK, "{now}"};
	size_t		length = strcspn(text, "}");

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
	{
		if (strncmp(text, times[i], strlen(times[i])) == 0)
			return strlen(times[i]);
	}
	if (strncmp(text, "${", 2) == 0 && text[length] == '}' && memchr(text, ':', length) != NULL)
		return length + 1;
	return 0;
}

static const char *
encode_text(Parser *parser, const char *text)
{
	char	   *encoded = arena_alloc(parser->arena, strlen(text) * PERCENT_LENGTH + 1);
	char	   *out = encoded;

	while (*text != '\0')
	{
		size_t		length = place_length(text);

		if (length == 0)
			out += percent_encode(*text++, out);
		else
		{
			memcpy(out, text, length);
			out += length;
			text += length;
		}
	}
	return encoded;
}

static const char *
query_of(Parser *parser, const DocPair *pair, const DocNode *value)
{
	return arena_printf(parser->arena, "%s=%s", encode_text(parser, pair->key->text),
						document_is_null(value) ? "" : encode_text(parser, value->text));
}

/* A key may have several values. */
static const char *
flatten_query(Parser *parser, const DocNode *mapping)
{
	const char *query = "";

	for (size_t i = 0; i < mapping->count; i++)
	{
		const DocPair *pair = &mapping->pairs[i];
		const DocNode *list = pair->value;

		for (size_t n = 0; n < (list->kind == DOC_SEQUENCE ? list->count : 1); n++)
		{
			const DocNode *value = list->kind == DOC_SEQUENCE ? list->items[n] : list;

			if (value->kind == DOC_SCALAR)
				query = arena_printf(parser->arena, "%s%s%s", query, query[0] != '\0' ? "&" : "",
									 query_of(parser, pair, value));
			else
				parse_problem(parser, MANIFEST_ERROR, value->line, "write a text, a number or a list of these",
							  "the value of \"%s\" in http_query is not a single value",
							  document_excerpt(parser->arena, pair->key->text));
		}
	}
	return query;
}

static const char *
flatten_headers(Parser *parser, const DocNode *mapping)
{
	const char *lines = "";

	for (size_t i = 0; i < mapping->count; i++)
	{
		const char *name = mapping->pairs[i].key->text;
		const DocNode *value = mapping->pairs[i].value;

		if (name[0] == '\0' || name[strspn(name, TOKEN_CHARACTERS)] != '\0')
			parse_problem(parser, MANIFEST_ERROR, mapping->pairs[i].key->line, "write the name without its colon",
						  "\"%s\" in http_headers is not the name of a header", document_excerpt(parser->arena, name));
		else if (value->kind != DOC_SCALAR || strpbrk(value->text, "\r\n") != NULL)
			parse_problem(parser, MANIFEST_ERROR, value->line, "write the value on one line",
						  "the value of \"%s\" in http_headers is not a text of one line", name);
		else
			lines = arena_printf(parser->arena, "%s%s: %s\n", lines, name,
								 document_is_null(value) ? "" : value->text);
	}
	return lines;
}

/* A text of several lines would be taken for that of a mapping. */
static void
refuse_line_break(Parser *parser, const DocNode *headers)
{
	if (headers->kind == DOC_SCALAR && strpbrk(headers->text, "\r\n") != NULL)
		parse_problem(parser, MANIFEST_ERROR, headers->line,
					  "write http_headers: \"Name: value, Other: value\"",
					  "http_headers holds a line break");
}

void
request_keys_flatten(Parser *parser, const DocNode *params)
{
	for (size_t i = 0; i < params->count; i++)
	{
		DocPair    *pair = &params->pairs[i];
		bool		headers = strcmp(pair->key->text, "http_headers") == 0;
		DocNode    *flat;

		if (headers)
			refuse_line_break(parser, pair->value);
		if (pair->value->kind != DOC_MAPPING || (!headers && strcmp(pair->key->text, "http_query") != 0))
			continue;
		/* an alias may have the node elsewhere, too */
		flat = arena_alloc(parser->arena, sizeof(DocNode));
		flat->kind = DOC_SCALAR;
		flat->line = pair->value->line;
		flat->text = headers ? flatten_headers(parser, pair->value) : flatten_query(parser, pair->value);
		pair->value = flat;
	}
}

/* ---- checks ---- */

bool
request_key_is_secret(const char *name, size_t length)
{
	static const char *const names[] = {
		"key", "apikey", "api_key", "api-key", "appid", "app_key", "access_key", "token", "access_token",
		"auth_token", "api_token", "auth", "secret", "client_secret", "password", "passwd", "pwd", "sig",
		"signature", "subscription-key", "x-api-key"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strlen(names[i]) == length && ascii_same(names[i], name, length))
			return true;
	}
	return false;
}

/* Warns where a credential of a query stands in the file itself. */
static void
advise_store(Parser *parser, const char *query, const char *place, int line)
{
	while (*query != '\0')
	{
		size_t		length = strcspn(query, "&#");
		size_t		name = strcspn(query, "=&#");

		if (length > name + MIN_CREDENTIAL && request_key_is_secret(query, name) && place_length(query + name + 1) == 0)
		{
			const char *key = arena_strndup(parser->arena, query, name);

			parse_problem(parser, MANIFEST_WARNING, line,
						  arena_printf(parser->arena,
									   "write http_query: {%s: \"${secrets:KEY}\"} and keep the value in a secret store", key),
						  "\"%s\" in %s stands in the manifest for everyone to read", key, place);
		}
		query += length + (query[length] == '&');
		if (*query == '#')
			return;
	}
}

static bool
stands_in_query(const char *text)
{
	while (*text != '\0')
	{
		size_t		place = place_length(text);

		if (place == 0 && ((unsigned char) *text <= ' ' || *text == '#' || *text == 0x7f))
			return false;
		text += place > 0 ? place : 1;
	}
	return true;
}

static void
check_query(Parser *parser, const DocNode *query)
{
	if (query->text[0] == '?' || query->text[0] == '&')
		parse_problem(parser, MANIFEST_ERROR, query->line, "write for instance status=open&limit=100",
					  "http_query begins with ? or &, which is put there without being asked");
	if (!stands_in_query(query->text))
		parse_problem(parser, MANIFEST_ERROR, query->line,
					  "write it as a mapping, whose values are encoded without being asked",
					  "http_query holds a blank or another character that cannot stand in a query");
	advise_store(parser, query->text, "http_query", query->line);
}

static void
check_body(Parser *parser, const DatasetSpec *spec)
{
	const DocNode *method = check_value(spec->params_table, spec->params, "http_method");
	const DocNode *body = check_value(spec->params_table, spec->params, "http_body");
	const DocNode *type = check_value(spec->params_table, spec->params, "http_post_content_type");

	if (body != NULL && method != NULL && strcmp(method->text, "GET") == 0)
		parse_problem(parser, MANIFEST_ERROR, body->line, "write http_method: POST, or take http_body out",
					  "http_body contradicts http_method GET");
	if (type != NULL && body == NULL)
		parse_problem(parser, MANIFEST_ERROR, type->line, "write http_body, or take it out",
					  "http_post_content_type needs http_body");
	if (type != NULL && strpbrk(type->text, "\r\n") != NULL)
		parse_problem(parser, MANIFEST_ERROR, type->line, "write for instance application/json",
					  "http_post_content_type holds a line break");
}

/* What is newer than the table's rows is of use to those refreshes alone that keep them. */
static void
check_watermark(Parser *parser, DatasetSpec *spec, const char *text, const char *place, int line)
{
	if (text == NULL || strstr(text, WATERMARK) == NULL)
		return;
	place = arena_printf(parser->arena, WATERMARK " in %s", place);
	spec_require_mode(parser, spec, "append", place, line);
	spec_require_time_column(parser, spec, place, line);
}

void
request_keys_check(Parser *parser, DatasetSpec *spec)
{
	static const char *const places[] = {"http_query", "http_body", "pagination_query_params"};
	const char *from = spec->definition.from;
	const char *query = strchr(from, '?');
	int			line = document_line(spec->entry, "from");
	const DocNode *pairs = check_value(spec->params_table, spec->params, "http_query");

	check_watermark(parser, spec, query, "from", line);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check_watermark(parser, spec, check_text(spec->params_table, spec->params, places[i], NULL), places[i],
						document_line(spec->params, places[i]));
	if (query != NULL)
		advise_store(parser, query + 1, "from", line);
	if (pairs != NULL)
		check_query(parser, pairs);
	check_body(parser, spec);
}
