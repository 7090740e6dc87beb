/*-------------------------------------------------------------------------
 *
 * http_error.c
 *		Errors of an HTTP request.
 *
 * An error names the dataset, the phase in which it happened (resolve,
 * connect, TLS, status, transfer), the source's own words, and the cure.  It
 * also tells the refresh whether a retry can succeed.
 *
 * The source's words may be HTML, binary, huge or in another encoding.  They
 * are reduced to one line of printable text here.  They may also repeat the
 * credentials of the request, which the redaction gate strikes (secret/redact.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/http_error.h"

#include <ctype.h>
#include <time.h>

#include "mb/pg_wchar.h"

#include "secret/redact.h"
#include "source/http/http_text.h"

#define QUOTE_LENGTH		200

typedef struct Failure
{
	CURLcode	code;
	const char *phase;
	const char *what;
	int			sqlstate;
	bool		transient;
	const char *hint;			/* or NULL */
} Failure;

#define UNREACHED	ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION
#define BROKEN		ERRCODE_CONNECTION_FAILURE

#define CHECK_HOST	"Check the host name in the dataset's URL and this machine's name resolution."
#define CHECK_PORT	"Check that the source is running and that the dataset's URL has the right port."
#define CHECK_CA	"Check that the certificate is valid for this host name and that this machine or http_tls_ca trusts its issuer."
#define CHECK_TLS	"Check that the source speaks https on this port."

static const Failure failures[] = {
	{CURLE_COULDNT_RESOLVE_HOST, "resolve", "host name could not be resolved", UNREACHED, true, CHECK_HOST},
	{CURLE_COULDNT_CONNECT, "connect", "connection could not be made", UNREACHED, true, CHECK_PORT},
	{CURLE_SSL_CONNECT_ERROR, "TLS", "TLS handshake failed", UNREACHED, true, CHECK_TLS},
	{CURLE_PEER_FAILED_VERIFICATION, "TLS", "certificate is not trusted", UNREACHED, false, CHECK_CA},
	{CURLE_SSL_CACERT_BADFILE, "TLS", "trusted certificates could not be read", UNREACHED, false,
	"Install this machine's certificate authorities (package ca-certificates), or check that http_tls_ca is PEM."},
	{CURLE_SSL_CERTPROBLEM, "TLS", "certificate of the client could not be used", UNREACHED, false,
	"Check that http_tls_client_certificate and http_tls_client_key are PEM and belong together."},
	{CURLE_SSL_ISSUER_ERROR, "TLS", "certificate is not trusted", UNREACHED, false, CHECK_CA},
	{CURLE_SSL_INVALIDCERTSTATUS, "TLS", "certificate is not trusted", UNREACHED, false, CHECK_CA},
	{CURLE_SSL_CIPHER, "TLS", "TLS handshake failed", UNREACHED, false, CHECK_TLS},
	{CURLE_GOT_NOTHING, "transfer", "connection was closed without an answer", BROKEN, true, NULL},
	{CURLE_SEND_ERROR, "transfer", "connection broke", BROKEN, true, NULL},
	{CURLE_RECV_ERROR, "transfer", "connection broke", BROKEN, true, NULL},
	{CURLE_PARTIAL_FILE, "transfer", "response is truncated", BROKEN, true, NULL},
	{CURLE_BAD_CONTENT_ENCODING, "transfer", "response could not be decompressed", BROKEN, false,
	"Have the source send a whole body, encoded by gzip, deflate, zstd or br; http_headers with Accept-Encoding: identity asks for one that is not encoded."},
	{CURLE_OUT_OF_MEMORY, "transfer", "libcurl ran out of memory", ERRCODE_OUT_OF_MEMORY, false,
	"A compressed body that expands more than a thousandfold can cause this."}
};

static const Failure malformed = {CURLE_OK, "transfer", "response is not valid HTTP", BROKEN, false,
	"Check that the source speaks HTTP on this port."};

static const Failure *
find_failure(CURLcode code)
{
	for (int i = 0; i < (int) lengthof(failures); i++)
	{
		if (failures[i].code == code)
			return &failures[i];
	}
	return &malformed;
}

/* ---- foreign text ---- */

/* how many bytes of a printable character stand there, 0: none */
static int
printable(const unsigned char *p, const unsigned char *end)
{
	int			n;

	if (*p < 0x80)
		return *p > 0x20 && *p < 0x7f;
	if (GetDatabaseEncoding() != PG_UTF8)
		return 0;
	n = pg_utf_mblen(p);
	if (n > end - p || !pg_utf8_islegal(p, n))
		return 0;
	/* C1 controls */
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0 ? 0 : n;
}

/* in place: one line, single spaces, question marks for what cannot be shown */
static void
make_printable(char *text)
{
	const unsigned char *in = (const unsigned char *) text;
	const unsigned char *end = in + strlen(text);
	char	   *out = text;

	while (in < end)
	{
		int			n = printable(in, end);

		if (isspace(*in) || *in == '\0')
		{
			if (out > text && out[-1] != ' ')
				*out++ = ' ';
			in++;
		}
		else if (n == 0)
		{
			*out++ = '?';
			in++;
		}
		else
		{
			memmove(out, in, n);
			out += n;
			in += n;
		}
	}
	if (out > text && out[-1] == ' ')
		out--;
	*out = '\0';
}

/*
 * The gate strikes what leaves as an error, and copies of the text stay behind in
 * memory that is free.  So the source's own words lose their secrets at once.
 */
static char *
strike_and_wipe(char *text)
{
	char	   *struck = redact_text(text);

	if (struck != text)
		explicit_bzero(text, strlen(text));
	return struck;
}

/* the start of the body in QUOTE_LENGTH characters, NULL: nothing to quote */
static char *
quote_body(const HttpTransfer *transfer)
{
	char	   *text = palloc0(HTTP_EXCERPT_SIZE + 1);
	size_t		length = transfer->body.excerpt_length;
	int			clip;

	if (!http_text_of_problem(transfer->body.excerpt, length, text, HTTP_EXCERPT_SIZE))
	{
		memcpy(text, transfer->body.excerpt, length);
		text[length] = '\0';
		for (size_t i = 0; i < length; i++)
		{
			if (text[i] == '\0')
				text[i] = ' ';
		}
		if (strstr(transfer->content_type, "html") != NULL || text[strspn(text, " \t\r\n")] == '<')
			http_text_strip_tags(text);
	}
	make_printable(text);
	text = strike_and_wipe(text);
	clip = pg_mbcharcliplen(text, (int) strlen(text), QUOTE_LENGTH);
	if (text[clip] != '\0')
		strcpy(text + clip, "...");
	return text[0] == '\0' ? NULL : text;
}

static const char *
printable_copy(const char *text)
{
	char	   *copy = pstrdup(text);

	make_printable(copy);
	return strike_and_wipe(copy);
}

static const char *
describe_url(const HttpRequest *request, const HttpTransfer *transfer)
{
	const char *url = printable_copy(transfer->url.shown);

	return request->page == 0 ? url : psprintf("page %d, %s", request->page, url);
}

/* ---- errors of the transfer ---- */

static void
report_transfer(const HttpTransfer *transfer, bool transient)
{
	http_transfer_report(transfer);
	transfer->report->transient = transient;
}

static void
raise_too_large(const HttpRequest *request, const HttpTransfer *transfer)
{
	report_transfer(transfer, false);
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("could not fetch dataset \"%s\": response is larger than spice.fetch_max_size",
					request->dataset),
			 errdetail("Phase transfer, %s: the limit is " INT64_FORMAT " bytes after decompression.",
					   describe_url(request, transfer), transfer->body.max_size),
			 errhint("Raise spice.fetch_max_size, or ask the source for less.")));
}

static void
raise_address(const HttpRequest *request, const HttpTransfer *transfer)
{
	const char *kind = url_address_name(transfer->refused);

	report_transfer(transfer, false);
	ereport(ERROR,
			(errcode(UNREACHED),
			 errmsg("could not fetch dataset \"%s\": connection to a %s address is refused",
					request->dataset, kind),
			 errdetail("Phase connect, %s: the host has a %s address%s.",
					   describe_url(request, transfer), kind,
					   transfer->own_origin ? "" : ", and a redirect led there"),
			 transfer->own_origin ?
			 errhint("To read from a link-local address, write the address itself into the dataset's URL.") :
			 errhint("Only the origin in the dataset's own URL may have such an address; write the final URL there.")));
}

/* the phase in which the time ran out */
static const Failure *
timeout_phase(const HttpTransfer *transfer)
{
	static const Failure phases[] = {
		{CURLE_OK, "resolve", "resolving the host name took too long", UNREACHED, true, CHECK_HOST},
		{CURLE_OK, "connect", "connecting took too long", UNREACHED, true, CHECK_PORT},
		{CURLE_OK, "TLS", "TLS handshake took too long", UNREACHED, true, CHECK_TLS},
		{CURLE_OK, "status", "source did not answer in time", BROKEN, true,
		"Raise client_timeout, or ask the source for less."},
		{CURLE_OK, "transfer", "transfer took too long", BROKEN, true,
		"Raise transfer_timeout, or ask the source for less."},
		{CURLE_OK, "transfer", "source stopped sending", BROKEN, true,
		"Look for the cause in the source's own log, or raise client_timeout."}
	};
	const HttpTimes *times = &transfer->times;

	if (transfer->timeout_ms > 0 && times->total >= transfer->timeout_ms && transfer->status != 0)
		return &phases[4];
	if (times->resolved == 0)
		return &phases[0];
	if (times->connected == 0 && !transfer->reached)
		return &phases[1];
	if (transfer->url.secure && times->secured == 0)
		return &phases[2];
	if (transfer->status == 0)
		return &phases[3];
	return &phases[5];
}

static int
between(int from, int to)
{
	return Max(0, to - from);
}

static void
raise_timeout(const HttpRequest *request, const HttpTransfer *transfer)
{
	const Failure *failure = timeout_phase(transfer);
	const HttpTimes *times = &transfer->times;
	int			ready = Max(times->connected, times->secured);

	report_transfer(transfer, true);
	ereport(ERROR,
			(errcode(failure->sqlstate),
			 errmsg("could not fetch dataset \"%s\": %s", request->dataset, failure->what),
			 errdetail("Phase %s, %s: %s (dns %d ms, connect %d ms, TLS %d ms, first byte %d ms, transfer %d ms).",
					   failure->phase, describe_url(request, transfer),
					   printable_copy(transfer->error_text),
					   times->resolved,
					   between(times->resolved, times->connected),
					   between(times->connected, times->secured),
					   between(ready, times->answered),
					   times->answered == 0 ? 0 : between(times->answered, times->total)),
			 errhint("%s", failure->hint)));
}

void
http_raise_transfer(const HttpRequest *request, const HttpTransfer *transfer)
{
	const Failure *failure = find_failure(transfer->result);
	const char *said = transfer->error_text[0] != '\0' ? transfer->error_text :
	curl_easy_strerror(transfer->result);

	if (transfer->body.fault == HTTP_BODY_TOO_LARGE || transfer->result == CURLE_FILESIZE_EXCEEDED)
		raise_too_large(request, transfer);
	if (transfer->result == CURLE_COULDNT_CONNECT && transfer->refused != URL_ADDRESS_PUBLIC)
		raise_address(request, transfer);
	if (transfer->result == CURLE_OPERATION_TIMEDOUT)
		raise_timeout(request, transfer);
	if (transfer->too_many_headers)
		said = "too many header bytes";
	else if (transfer->body.fault == HTTP_BODY_DAMAGED)
		said = transfer->body.coding == DECODER_REFUSED ?
			psprintf("content encoding \"%s\" is not supported", transfer->body.encoding) :
			transfer->body.problem;

	report_transfer(transfer, failure->transient);
	ereport(ERROR,
			(errcode(failure->sqlstate),
			 errmsg("could not fetch dataset \"%s\": %s", request->dataset, failure->what),
			 errdetail("Phase %s, %s: %s.", failure->phase, describe_url(request, transfer),
					   printable_copy(said)),
			 failure->hint != NULL ? errhint("%s", failure->hint) : 0));
}

/* ---- errors of the status ---- */

static bool
status_is_transient(const HttpTransfer *transfer)
{
	int			status = transfer->status;

	/* 202: the answer is being made; 412: what was listed or begun has been replaced */
	return status == 202 || status == 408 || status == 412 || status == 425 || status == 429 || status >= 500 ||
		transfer->pause.retry_after[0] != '\0' || http_pause_ms(&transfer->pause, time(NULL)) > 0;
}

bool
http_error_may_pass(const HttpTransfer *transfer)
{
	if (transfer->status >= 400 || transfer->status == 202)
		return status_is_transient(transfer);
	if (transfer->body.fault != HTTP_BODY_FINE || transfer->refused != URL_ADDRESS_PUBLIC)
		return false;
	return transfer->result == CURLE_OPERATION_TIMEDOUT ||
		(transfer->result != CURLE_OK && find_failure(transfer->result)->transient);
}

static const char *
status_hint(const HttpRequest *request, const HttpTransfer *transfer)
{
	int			status = transfer->status;

	if (status == 202 || (transfer->pause.retry_after[0] != '\0' && status != 429 && status < 500))
		return "The source asks to come back later, which the launcher does.";
	if (request->for_token && status < 404)
		return "Check http_auth_client_id, http_auth_client_secret, http_auth_refresh_token and auth_scopes in the dataset's params.";
	switch (status)
	{
		case 204:
			return "If it means that there are no records, set params.json_empty to no_rows.";
		case 206:
		case 304:
			return "The source must answer a plain GET with status 200 and the whole dataset.";
		case 412:
			return "The object changed while it was read.";
		case 401:
		case 403:
			if (request->store)
				return request->signature == NULL ?
					"Without a key only public objects can be read: set s3_key and s3_secret, or another s3_auth." :
					"Check s3_key, s3_secret, s3_session_token and s3_region in the dataset's params, and the key's rights.";
			if (request->grant != NULL)
				return "The source refuses a token that is new: check auth_scopes, and the rights of the client.";
			if (request->password == NULL && request->n_headers == 0)
				return "Set http_username and http_password, or http_headers, in the dataset's params.";
			return "Check http_username, http_password and http_headers in the dataset's params.";
		case 404:
		case 410:
			if (request->store)
				return "Check the bucket in from, s3_endpoint and s3_region.";
			return "Check the path in the dataset's URL.";
		case 429:
			return request->store ? "Refresh less often (refresh_check_interval)." :
				"Refresh less often (refresh_check_interval), or set params.requests_per_second_limit.";
	}
	if (status_is_transient(transfer))
		return "The source has a problem of its own, which may pass.";
	return "Check the dataset's URL and params against the source's documentation.";
}

void
http_raise_status(const HttpRequest *request, const HttpTransfer *transfer)
{
	char	   *quote = quote_body(transfer);

	report_transfer(transfer, status_is_transient(transfer));
	transfer->report->retry_after_s = (int) ((http_pause_ms(&transfer->pause, time(NULL)) + 999) / 1000);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("could not fetch dataset \"%s\": %s answered with status %d", request->dataset,
					request->for_token ? "token server" : "source", transfer->status),
			 quote == NULL ?
			 errdetail("Phase status, %s.", describe_url(request, transfer)) :
			 errdetail("Phase status, %s; the answer begins: %s",
					   describe_url(request, transfer), quote),
			 errhint("%s", status_hint(request, transfer))));
}

void
http_raise_page(const HttpRequest *request, const HttpTransfer *transfer)
{
	char	   *quote = quote_body(transfer);

	report_transfer(transfer, false);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("could not fetch dataset \"%s\": source answered with an HTML page",
					request->dataset),
			 errdetail("Phase status, %s, status %d; the page says: %s",
					   describe_url(request, transfer), transfer->status,
					   quote != NULL ? quote : "(nothing that can be shown)"),
			 errhint("This may be a login page or an error page: open the dataset's URL with the same credentials, and check its params.")));
}

void
http_raise_redirect(const HttpRequest *request, const HttpTransfer *transfer,
					const char *refusal, const char *target)
{
	report_transfer(transfer, false);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("could not fetch dataset \"%s\": redirect is refused: %s",
					request->dataset, refusal),
			 target[0] == '\0' ?
			 errdetail("Phase status, %s, status %d.",
					   describe_url(request, transfer), transfer->status) :
			 errdetail("Phase status, %s, status %d, leads to %s.",
					   describe_url(request, transfer), transfer->status,
					   printable_copy(target)),
			 errhint("Write the final URL into the dataset.")));
}

void
http_raise_paging(const HttpRequest *request, const HttpTransfer *transfer, const char *problem,
				  const char *hint)
{
	report_transfer(transfer, false);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("could not fetch dataset \"%s\": %s", request->dataset, problem),
			 errdetail("Phase pages, %s.", describe_url(request, transfer)),
			 errhint("%s", hint)));
}
