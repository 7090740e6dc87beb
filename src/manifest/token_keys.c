/*-------------------------------------------------------------------------
 *
 * token_keys.c
 *		Who a request says it is: "params" http_bearer_token, auth_*, http_auth_*, http_tls_*.
 *
 *-------------------------------------------------------------------------
 */
#include "manifest/token_keys.h"

#include <string.h>

#include "ascii.h"
#include "manifest/check.h"

#define URL				"auth_token_url"
#define REFRESH_TOKEN	"http_auth_refresh_token"
#define ID				"http_auth_client_id"
#define SECRET			"http_auth_client_secret"

static bool
is_given(const DatasetSpec *spec, const char *key)
{
	return document_given(spec->params, key) != NULL;
}

static bool
headers_authorize(const DatasetSpec *spec)
{
	for (const char *p = check_text(spec->params_table, spec->params, "http_headers", ""); *p != '\0'; p++)
	{
		if (ascii_same(p, "authorization:", strlen("authorization:")))
			return true;
	}
	return false;
}

/* A request has one header Authorization. */
static void
check_alone(Parser *parser, const DatasetSpec *spec, const char *key)
{
	int			line = document_line(spec->params, key);

	if (!is_given(spec, key))
		return;
	if (is_given(spec, "http_password") || is_given(spec, "http_username"))
		parse_problem(parser, MANIFEST_ERROR, line, "take one of them out",
					  "%s contradicts http_username and http_password", key);
	else if (headers_authorize(spec))
		parse_problem(parser, MANIFEST_ERROR, line, "take one of the two out",
					  "%s contradicts Authorization in http_headers", key);
}

static bool
begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Credentials go there, so only the machine itself is reached without TLS. */
static bool
url_is_safe(const char *url)
{
	static const char *const own[] = {"http://localhost", "http://127.0.0.1", "http://[::1]"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
	{
		char		next = begins_with(url, own[i]) ? url[strlen(own[i])] : 'x';

		if (next == '\0' || next == ':' || next == '/' || next == '?')
			return true;
	}
	return begins_with(url, "https://") || begins_with(url, "${");
}

static void
check_grant(Parser *parser, const DatasetSpec *spec, int line)
{
	const char *type = check_text(spec->params_table, spec->params, "auth_grant_type", "refresh_token");
	bool		refresh = strcmp(type, "refresh_token") == 0;

	if (refresh && !is_given(spec, REFRESH_TOKEN))
		parse_problem(parser, MANIFEST_ERROR, line,
					  "write " REFRESH_TOKEN ": ${secrets:KEY}, or auth_grant_type: client_credentials",
					  "auth_grant_type refresh_token needs " REFRESH_TOKEN);
	if (!refresh && is_given(spec, REFRESH_TOKEN))
		parse_problem(parser, MANIFEST_ERROR, document_line(spec->params, REFRESH_TOKEN), "take it out",
					  REFRESH_TOKEN " contradicts auth_grant_type client_credentials");
	if (!refresh && !(is_given(spec, ID) && is_given(spec, SECRET)))
		parse_problem(parser, MANIFEST_ERROR, line, "write both, the secret as ${secrets:KEY}",
					  "auth_grant_type client_credentials needs " ID " and " SECRET);
	else if (is_given(spec, SECRET) && !is_given(spec, ID))
		parse_problem(parser, MANIFEST_ERROR, document_line(spec->params, SECRET), "write " ID ", too",
					  SECRET " needs " ID);
}

/* What TLS is told stands in the manifest or in files, not in both. */
static void
check_tls(Parser *parser, const DatasetSpec *spec)
{
	static const char *const pairs[][2] = {
		{"http_tls_ca", "http_tls_ca_file"},
		{"http_tls_client_certificate", "http_tls_client_key"},
		{"http_tls_client_certificate_file", "http_tls_client_key_file"},
	};
	const char *from = spec->definition.from;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		bool		first = is_given(spec, pairs[i][0]);
		bool		second = is_given(spec, pairs[i][1]);
		const char *given = first ? pairs[i][0] : pairs[i][1];
		int			line = document_line(spec->params, given);

		if (i == 0 && first && second)
			parse_problem(parser, MANIFEST_ERROR, line, "take one of the two out", "%s contradicts %s", pairs[i][0], pairs[i][1]);
		if (i > 0 && first != second)
			parse_problem(parser, MANIFEST_ERROR, line, "write both, or both as files",
						  "%s needs %s", given, first ? pairs[i][1] : pairs[i][0]);
		if ((first || second) && from != NULL && begins_with(from, "http://"))
			parse_problem(parser, MANIFEST_WARNING, line, "write from: https://host/path, or take it out",
						  "%s has no effect without https", given);
	}
	if (is_given(spec, "http_tls_client_key") && is_given(spec, "http_tls_client_key_file"))
		parse_problem(parser, MANIFEST_ERROR, document_line(spec->params, "http_tls_client_key"), "take one pair out",
					  "http_tls_client_key contradicts http_tls_client_key_file");
}

void
token_keys_check(Parser *parser, const DatasetSpec *spec)
{
	static const char *const others[] = {
		"auth_grant_type", "auth_scopes", "auth_client_auth", "auth_header_name", REFRESH_TOKEN, ID, SECRET
	};
	const DocNode *url = check_value(spec->params_table, spec->params, URL);

	check_tls(parser, spec);
	check_alone(parser, spec, "http_bearer_token");
	if (url != NULL)
	{
		check_alone(parser, spec, URL);
		if (is_given(spec, "http_bearer_token"))
			parse_problem(parser, MANIFEST_ERROR, url->line, "take one of the two out",
						  URL " contradicts http_bearer_token");
		if (!url_is_safe(url->text))
			parse_problem(parser, MANIFEST_ERROR, url->line, "write https://host/path",
						  URL " is neither https nor on this machine");
		check_grant(parser, spec, url->line);
		return;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		if (is_given(spec, others[i]))
			parse_problem(parser, MANIFEST_ERROR, document_line(spec->params, others[i]),
						  "write " URL ": and the URL that gives tokens", "%s needs " URL, others[i]);
	}
}
