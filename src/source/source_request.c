/*-------------------------------------------------------------------------
 *
 * source_request.c
 *		The request of a dataset over HTTP.
 *
 * Times are put in before secrets, so that no secret is taken for a place of a time.  Each
 * secret is written as the text around it wants it: percent-encoded in a query, escaped in JSON.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "lib/stringinfo.h"

#include "manifest/request_keys.h"
#include "percent.h"
#include "secret/dotenv.h"
#include "source/http/page_link.h"
#include "source/http/url.h"
#include "source/source_request.h"

/* as the original runtime has them */
#define PAGE_RETRIES	3
#define RETRY_JITTER	0.3

/* what a body asks for as long as there is no watermark */
#define FIRST_TIME		"1970-01-01T00:00:00Z"

/* ---- times ---- */

static bool
has_format(const Dataset *dataset, const char *format)
{
	return dataset->time_format != NULL && strcmp(dataset->time_format, format) == 0;
}

/* The present as the source reads times. */
static char *
present_text(const Dataset *dataset)
{
	pg_time_t	now = (pg_time_t) time(NULL);
	char		text[64];

	if (has_format(dataset, "unix_seconds"))
		return psprintf(INT64_FORMAT, (int64) now);
	if (has_format(dataset, "unix_millis"))
		return psprintf(INT64_FORMAT "000", (int64) now);
	pg_strftime(text, sizeof(text), has_format(dataset, "date") ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", pg_gmtime(&now));
	return pstrdup(text);
}

static const char *
first_time(const Dataset *dataset)
{
	if (has_format(dataset, "unix_seconds") || has_format(dataset, "unix_millis"))
		return "0";
	return has_format(dataset, "date") ? pnstrdup(FIRST_TIME, strlen("1970-01-01")) : FIRST_TIME;
}

/* Appends text with the value in each place. */
static void
append_in_places(StringInfo out, const char *text, const char *place, const char *value, bool encoded)
{
	const char *next;

	while ((next = strstr(text, place)) != NULL)
	{
		appendBinaryStringInfo(out, text, (int) (next - text));
		for (const char *p = value; *p != '\0'; p++)
		{
			char		escape[PERCENT_LENGTH];

			if (encoded)
				appendBinaryStringInfo(out, escape, (int) percent_encode(*p, escape));
			else
				appendStringInfoChar(out, *p);
		}
		text = next + strlen(place);
	}
	appendStringInfoString(out, text);
}

static char *
put_times(const Dataset *dataset, const char *text, const char *watermark, bool encoded)
{
	StringInfoData half;
	StringInfoData whole;

	initStringInfo(&half);
	initStringInfo(&whole);
	append_in_places(&half, text, "{watermark}", watermark, encoded);
	append_in_places(&whole, half.data, "{now}", present_text(dataset), encoded);
	return whole.data;
}

/* ---- queries ---- */

/* A credential that stands in the manifest itself is struck from messages, too. */
static void
hide_key(Resolver *resolver, const char *param, const char *pair)
{
	const char *value = strchr(pair, '=');

	if (value == NULL || !request_key_is_secret(pair, value - pair))
		return;
	resolver_hide(resolver, param, value + 1);
}

/*
 * The pairs of a query with times and secrets.  A pair that asks for what is newer than the
 * watermark is left out as long as there is none.
 */
static char *
expand_query(Resolver *resolver, const Dataset *dataset, const char *param, const char *query,
			 const char *watermark)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*query != '\0')
	{
		int			length = (int) strcspn(query, "&");
		char	   *pair = pnstrdup(query, length);

		query += length + (query[length] == '&');
		if (watermark == NULL && strstr(pair, "{watermark}") != NULL)
			continue;
		pair = put_times(dataset, pair, watermark != NULL ? watermark : "", true);
		pair = resolve_form(resolver, param, pair, SECRET_IN_QUERY);
		hide_key(resolver, param, pair);
		appendStringInfo(&out, "%s%s", out.len > 0 ? "&" : "", pair);
	}
	return resolver_keep(resolver, out.data);
}

/* The pairs of a query that are credentials, which each page wants to see. */
static char *
credentials_of(const char *query)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*query != '\0')
	{
		int			length = (int) strcspn(query, "&");
		char	   *pair = pnstrdup(query, length);

		if (strstr(pair, "${") != NULL || request_key_is_secret(pair, strcspn(pair, "=")))
			appendStringInfo(&out, "%s%s", out.len > 0 ? "&" : "", pair);
		query += length + (query[length] == '&');
	}
	return out.data;
}

/* what follows a # is never sent */
static char *
add_query(const char *url, const char *query)
{
	int			length = (int) strcspn(url, "#");
	const char *separator = memchr(url, '?', length) == NULL ? "?" :
	url[length - 1] == '?' || url[length - 1] == '&' ? "" : "&";

	return psprintf("%.*s%s%s", length, url, separator, query);
}

/* The URL of from with times in its query, which holds no secret. */
static char *
expand_from(Resolver *resolver, const Dataset *dataset, const char *watermark)
{
	int			path = (int) strcspn(dataset->from, "?#");
	char	   *query;

	if (dataset->from[path] != '?')
		return dataset->from;
	query = pstrdup(dataset->from + path + 1);
	query[strcspn(query, "#")] = '\0';
	query = expand_query(resolver, dataset, "from", query, watermark);
	return psprintf("%.*s%s%s", path, dataset->from, query[0] != '\0' ? "?" : "", query);
}

static void
add_url(Resolver *resolver, const Dataset *dataset, const char *query, const char *watermark,
		HttpRequest *request)
{
	char	   *url = expand_from(resolver, dataset, watermark);
	const char *pairs = catalog_param(dataset, "http_query");
	char	   *whole;

	if (query != NULL)
		url = add_query(url, query);
	request->url = url;
	if (pairs == NULL)
		return;
	request->query_key = expand_query(resolver, dataset, "http_query", credentials_of(pairs), watermark);
	pairs = expand_query(resolver, dataset, "http_query", pairs, watermark);
	if (pairs[0] == '\0')
		return;
	whole = palloc(URL_MAX_LENGTH + 1);
	if (!page_link_set_query(url, pairs, whole, URL_MAX_LENGTH + 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid URL of dataset \"%s\": URL too long", dataset->name),
				 errdetail("With http_query it has more than %d bytes.", URL_MAX_LENGTH),
				 errhint("Ask for less in http_query, or send it as http_body.")));
	request->url = resolver_keep(resolver, whole);
}

char *
source_request_template(const Dataset *dataset, const char *watermark, Resolver *resolver)
{
	if (dataset->pagination_query_params == NULL)
		return NULL;
	return expand_query(resolver, dataset, "pagination_query_params", dataset->pagination_query_params, watermark);
}

/* ---- headers ---- */

/* A credential that stands in the manifest itself is the last word: "Bearer abc". */
static void
hide_credential(Resolver *resolver, const char *name, const char *value)
{
	static const char *const names[] = {"authorization", "cookie", "proxy-authorization", "x-api-key"};
	const char *space = strrchr(value, ' ');

	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (pg_strcasecmp(name, names[i]) == 0)
			resolver_hide(resolver, "http_headers", space != NULL ? space + 1 : value);
	}
}

/*
 * Headers are split before secrets are put in, so that no secret becomes two headers.
 * Only what is one reference and nothing else may hold several.  Those of a mapping have a
 * line each.
 */
static void
add_headers(Resolver *resolver, const char *text, HttpRequest *request)
{
	bool		whole = secret_is_reference(text);

	http_split_headers(whole ? resolve_value(resolver, "http_headers", text) : pstrdup(text),
					   !whole && strchr(text, '\n') != NULL, request);
	for (int i = 0; i < request->n_headers; i++)
	{
		if (!whole)
			request->headers[i].value = resolve_value(resolver, "http_headers", request->headers[i].value);
		http_check_header(request, i);
		hide_credential(resolver, request->headers[i].name, request->headers[i].value);
	}
}

static void
add_bearer(Resolver *resolver, const char *token, HttpRequest *request)
{
	HttpHeader *headers = palloc((request->n_headers + 1) * sizeof(HttpHeader));

	/* a token that stands in the manifest is to be hidden, too */
	(void) resolve_secret(resolver, "http_bearer_token", token);
	if (request->n_headers > 0)
		memcpy(headers, request->headers, request->n_headers * sizeof(HttpHeader));
	headers[request->n_headers].name = pstrdup("Authorization");
	headers[request->n_headers].value = resolve_value(resolver, "http_bearer_token", psprintf("Bearer %s", token));
	request->headers = headers;
	http_check_header(request, request->n_headers++);
}

/* ---- TLS ---- */

/* The text of a file that the manifest names. */
static char *
read_pem(Resolver *resolver, const Dataset *dataset, const char *param, const char *name)
{
	char	   *path = resolve_path(dataset, name);
	char	   *text;
	char	   *kept;
	FileOutcome outcome;
	const char *reason;

	errno = 0;
	outcome = secret_file_read(path, &text);
	reason = outcome == FILE_OUT_OF_MEMORY ? "out of memory" : outcome == FILE_MISSING ? strerror(ENOENT) :
		errno != 0 ? strerror(errno) : "no small text file";
	if (outcome != FILE_READ)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not read %s of dataset \"%s\": %s", param, dataset->name, reason),
				 errdetail("The file is \"%s\".", path),
				 errhint("The server's own account has to be able to read it.")));
	kept = resolver_keep(resolver, text);
	secret_wipe(text);
	return kept;
}

/* The PEM of a param, or of the file that param_file names; or NULL. */
static const char *
pem_of(Resolver *resolver, const Dataset *dataset, const char *param)
{
	char	   *in_file = psprintf("%s_file", param);
	const char *text = catalog_param(dataset, param);
	const char *path = catalog_param(dataset, in_file);

	if (text != NULL)
		return resolve_value(resolver, param, text);
	return path != NULL ? read_pem(resolver, dataset, in_file, resolve_value(resolver, in_file, path)) : NULL;
}

static void
add_tls(Resolver *resolver, const Dataset *dataset, HttpRequest *request)
{
	request->tls.authorities = pem_of(resolver, dataset, "http_tls_ca");
	request->tls.certificate = pem_of(resolver, dataset, "http_tls_client_certificate");
	request->tls.key = pem_of(resolver, dataset, "http_tls_client_key");
}

/* ---- tokens ---- */

static void
hide_token(void *arg, const char *secret)
{
	resolver_hide(arg, "auth_token_url", secret);
}

static void
add_grant(Resolver *resolver, const Dataset *dataset, HttpRequest *request)
{
	HttpTokenGrant *grant = palloc0(sizeof(HttpTokenGrant));
	const char *method = catalog_param(dataset, "auth_client_auth");
	const char *header = catalog_param(dataset, "auth_header_name");

	grant->url = resolve_value(resolver, "auth_token_url", catalog_param(dataset, "auth_token_url"));
	grant->refresh_token = resolve_secret(resolver, "http_auth_refresh_token",
										  catalog_param(dataset, "http_auth_refresh_token"));
	grant->client_id = resolve_value(resolver, "http_auth_client_id", catalog_param(dataset, "http_auth_client_id"));
	grant->client_secret = resolve_secret(resolver, "http_auth_client_secret",
										  catalog_param(dataset, "http_auth_client_secret"));
	grant->scopes = catalog_param(dataset, "auth_scopes");
	grant->in_body = method != NULL && strcmp(method, "body") == 0;
	grant->header = header != NULL && pg_strcasecmp(header, "Authorization") != 0 ? header : NULL;
	grant->hide = hide_token;
	grant->arg = resolver;
	request->grant = grant;
}

/* ---- the body ---- */

static const char *
find_header(const HttpRequest *request, const char *name)
{
	for (int i = 0; i < request->n_headers; i++)
	{
		if (pg_strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	}
	return NULL;
}

static bool
is_json(const char *type)
{
	return strstr(type, "json") != NULL || strstr(type, "graphql") != NULL;
}

/* The type is the manifest's, or follows from the first letter of the body. */
static void
add_body(Resolver *resolver, const Dataset *dataset, const char *watermark, HttpRequest *request)
{
	const char *body = catalog_param(dataset, "http_body");
	const char *method = catalog_param(dataset, "http_method");
	const char *type = catalog_param(dataset, "http_post_content_type");
	SecretForm	form = SECRET_PLAIN;

	request->post = body != NULL || (method != NULL && strcmp(method, "POST") == 0);
	if (body == NULL)
		return;
	if (type == NULL)
		type = find_header(request, "Content-Type");
	else
		request->content_type = type;
	if (type == NULL)
		type = request->content_type = strchr("{[", body[strspn(body, " \t\r\n")]) != NULL ? "application/json" :
			"application/x-www-form-urlencoded";
	if (is_json(type))
		form = SECRET_IN_JSON;
	else if (strstr(type, "x-www-form-urlencoded") != NULL)
		form = SECRET_IN_QUERY;
	body = put_times(dataset, body, watermark != NULL ? watermark : first_time(dataset), form == SECRET_IN_QUERY);
	request->content = resolve_form(resolver, "http_body", body, form);
}

/* ---- limits and retries ---- */

static int
number_of(const Dataset *dataset, const char *param, int otherwise)
{
	const char *text = catalog_param(dataset, param);

	return text != NULL ? atoi(text) : otherwise;
}

static double
share_of(const Dataset *dataset, const char *param, double otherwise)
{
	const char *text = catalog_param(dataset, param);

	if (text == NULL)
		return otherwise;
	return strtod(text, NULL) / (strchr(text, '%') != NULL ? 100 : 1);
}

/*
 * A refresh that fails at its first request has lost nothing, and is itself tried again.
 * Behind that there are pages to lose.
 */
static void
add_limits(const Dataset *dataset, HttpRequest *request)
{
	const char *backoff = catalog_param(dataset, "retry_backoff_method");

	request->limits.per_second = number_of(dataset, "requests_per_second_limit", 0);
	request->limits.per_minute = number_of(dataset, "requests_per_minute_limit", 0);
	request->limits.concurrent = number_of(dataset, "max_concurrent_requests", 0);
	request->retries.most = number_of(dataset, "max_retries", 0);
	request->retries.most_of_pages = number_of(dataset, "max_retries", PAGE_RETRIES);
	request->retries.jitter = share_of(dataset, "retry_jitter", RETRY_JITTER);
	request->retries.longest_ms = dataset->retry_max_duration_ms;
	if (backoff != NULL && strcmp(backoff, "linear") == 0)
		request->retries.backoff = HTTP_BACKOFF_LINEAR;
	else if (backoff != NULL && strcmp(backoff, "exponential") == 0)
		request->retries.backoff = HTTP_BACKOFF_EXPONENTIAL;
}

HttpRequest *
source_request_make(const Dataset *dataset, const char *query, const char *watermark, Resolver *resolver)
{
	HttpRequest *request = palloc0(sizeof(HttpRequest));
	const char *token = catalog_param(dataset, "http_bearer_token");

	request->dataset = dataset->name;
	add_url(resolver, dataset, query, watermark, request);
	request->port = dataset->http_port;
	request->username = resolve_value(resolver, "http_username", catalog_param(dataset, "http_username"));
	request->password = resolve_secret(resolver, "http_password", catalog_param(dataset, "http_password"));
	request->client_timeout_ms = dataset->client_timeout_ms;
	request->transfer_timeout_ms = dataset->transfer_timeout_ms;
	request->connect_timeout_ms = dataset->connect_timeout_ms;
	if (dataset->http_headers != NULL)
		add_headers(resolver, dataset->http_headers, request);
	if (token != NULL)
		add_bearer(resolver, token, request);
	add_tls(resolver, dataset, request);
	if (catalog_param(dataset, "auth_token_url") != NULL)
		add_grant(resolver, dataset, request);
	add_body(resolver, dataset, watermark, request);
	add_limits(dataset, request);
	return request;
}
