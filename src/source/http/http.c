/*-------------------------------------------------------------------------
 *
 * http.c
 *		One HTTP request into a spool.
 *
 * libcurl could follow redirects by itself, but then it would decide who gets
 * our credentials and which address may be asked.  So each hop is a transfer
 * of its own: the URL is judged first (url.c), and only the manifest's own
 * origin receives user name, password, headers and validators.
 *
 * States of a fetch and their successors:
 *
 *		asking		-> redirected	(301, 302, 303, 307, 308)
 *		redirected	-> asking		(the target is allowed, at most MAX_REDIRECTS)
 *		asking		-> fetched		(the body is complete in the spool)
 *		asking		-> denied		(status 4xx for a page that may lie behind the last one)
 *		asking		-> unchanged	(304, and we had asked for it)
 *		asking		-> nothing		(204, and that is an answer to the request)
 *		asking		-> waiting		(a failure that may pass, and another try is left)
 *		waiting		-> asking		(after a pause)
 *		any			-> failed		(an error is raised)
 *
 * transfer_timeout covers all hops together, client_timeout each wait for a byte.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/http.h"

#include <time.h>

#include "access/xlog.h"
#include "common/cryptohash.h"
#include "common/pg_prng.h"
#include "common/sha2.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "settings.h"
#include "source/http/http_error.h"
#include "source/http/http_header.h"
#include "source/http/http_text.h"
#include "source/http/http_token.h"
#include "source/http/http_transfer.h"
#include "source/http/origin_limit.h"
#include "source/http/url.h"

#define MAX_REDIRECTS	10
#define FIRST_PAUSE_MS	500
#define LONGEST_PAUSE_MS	60000	/* that a refresh waits for, unless transfer_timeout is longer */

typedef enum Verdict
{
	VERDICT_DONE,
	VERDICT_REDIRECT,
	VERDICT_AGAIN
} Verdict;

/* The tries of one request. */
typedef struct HttpTries
{
	int			failed;
	double		pause_ms;		/* before the next one */
	instr_time	start;
	int64		spooled;		/* bytes that the spool had before */
	bool		refused;		/* the token was */
} HttpTries;

struct HttpSession
{
	MemoryContext context;
	MemoryContextCallback callback;
	HttpTransfer *transfer;
	Url			origin;			/* of the request under way */
};

/* ---- headers of the manifest ---- */

void
http_split_headers(char *text, bool lines, HttpRequest *request)
{
	HttpHeaderScan scan = {.rest = text, .lines = lines};
	int			size = 4;

	request->headers = palloc(size * sizeof(HttpHeader));
	while (http_header_scan(&scan))
	{
		HttpHeader *header;

		if (request->n_headers == size)
		{
			size *= 2;
			request->headers = repalloc(request->headers, size * sizeof(HttpHeader));
		}
		header = &request->headers[request->n_headers++];
		header->name = text + (scan.name - text);
		header->value = text + (scan.value - text);
		/* the scan goes on behind the separator */
		header->name[scan.name_length] = '\0';
		header->value[scan.value_length] = '\0';
	}
	if (scan.problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid http_headers: %s", scan.problem),
				 errdetail("This is header number %d.", scan.number),
				 errhint("%s", scan.hint)));
}

void
http_check_header(const HttpRequest *request, int number)
{
	int			control = http_header_control(request->headers[number].value);

	if (control > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid http_headers: line breaks and control characters are not allowed"),
				 errdetail("The first is at byte %d of the value of header number %d.", control, number + 1),
				 errhint("Write each header on one line, and look at the secrets in its value.")));
}

/* ---- the request's identity ---- */

static void
add_to_hash(pg_cryptohash_ctx * hash, const char *text)
{
	uint64		length = text != NULL ? strlen(text) : PG_UINT64_MAX;

	/* the lengths keep two texts from being another two */
	if (pg_cryptohash_update(hash, (const uint8 *) &length, sizeof(length)) < 0 ||
		(text != NULL && pg_cryptohash_update(hash, (const uint8 *) text, length) < 0))
		elog(ERROR, "could not compute a hash: %s", pg_cryptohash_error(hash));
}

void
http_hash_texts(const List *texts, uint8 *identity)
{
	ResourceOwner saved = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(NULL, "spice request");
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash;
	ListCell   *cell;

	/* a hash wants a resource owner, and a worker fetches without a transaction */
	CurrentResourceOwner = owner;
	hash = pg_cryptohash_create(PG_SHA256);
	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not compute a hash: %s", pg_cryptohash_error(hash));
	/* the number of the cluster is in no dump */
	add_to_hash(hash, psprintf(UINT64_FORMAT, GetSystemIdentifier()));
	foreach(cell, texts)
		add_to_hash(hash, lfirst(cell));
	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a hash: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);
	CurrentResourceOwner = saved;
	ResourceOwnerDelete(owner);
	memcpy(identity, digest, HTTP_IDENTITY_LENGTH);
}

/*
 * What the answer of this hop may depend on.  Another origin gets the same request
 * whatever the manifest says.
 */
static void
identify_request(const HttpRequest *request, HttpTransfer *transfer)
{
	const HttpTokenGrant *grant = request->grant;
	List	   *texts = list_make1(transfer->url.text);

	if (transfer->own_origin)
	{
		texts = lappend(lappend(texts, (void *) request->username), (void *) request->password);
		for (int i = 0; i < request->n_headers; i++)
			texts = lappend(lappend(texts, request->headers[i].name), request->headers[i].value);
	}
	if (transfer->own_origin && request->tls.certificate != NULL)
		texts = lappend(texts, (void *) request->tls.certificate);
	if (transfer->own_origin && transfer->post)
		texts = lappend(lappend(texts, (void *) request->content_type), (void *) request->content);
	/* a token changes, and what it stands for does not */
	if (transfer->own_origin && grant != NULL)
		texts = lappend(lappend(lappend(texts, (void *) grant->url), (void *) grant->client_id), (void *) grant->scopes);
	http_hash_texts(texts, transfer->identity);
	list_free(texts);
}

/* ---- one fetch ---- */

static bool
is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/*
 * Everything that only the manifest's own origin may see.  Validators mean nothing to
 * another request than the one that they came with.
 */
static void
add_private_parts(const HttpRequest *request, HttpTransfer *transfer)
{
	transfer->username = request->username;
	transfer->password = request->password;
	transfer->signature = request->signature;
	transfer->tls = request->tls;
	transfer->content = transfer->post ? request->content : NULL;
	if (transfer->content != NULL && request->content_type != NULL)
		http_transfer_add_header(transfer, "Content-Type", request->content_type);
	transfer->ranged = request->range != NULL;
	if (request->range != NULL)
		http_transfer_add_header(transfer, "Range", request->range);
	if (request->if_match != NULL)
		http_transfer_add_header(transfer, "If-Match", request->if_match);
	for (int i = 0; i < request->n_headers; i++)
		http_transfer_add_header(transfer, request->headers[i].name, request->headers[i].value);
	if (request->grant != NULL)
		http_transfer_add_header(transfer, request->grant->header != NULL ? request->grant->header : "Authorization",
								 transfer->token);
	if (!transfer->conditional)
		return;
	if (request->etag != NULL)
		http_transfer_add_header(transfer, "If-None-Match", request->etag);
	if (request->last_modified != NULL)
		http_transfer_add_header(transfer, "If-Modified-Since", request->last_modified);
}

static void
ask(const HttpRequest *request, HttpTransfer *transfer, bool own)
{
	transfer->url = transfer->next;
	transfer->own_origin = own;
	transfer->username = NULL;
	transfer->password = NULL;
	transfer->signature = NULL;
	memset(&transfer->tls, 0, sizeof(transfer->tls));
	transfer->content = NULL;
	transfer->ranged = false;
	transfer->connect_timeout_ms = request->connect_timeout_ms;
	transfer->pause_ms = request->client_timeout_ms;
	transfer->timeout_ms = request->transfer_timeout_ms <= 0 ? 0 :
		http_transfer_time_left(transfer, request->transfer_timeout_ms);
	identify_request(request, transfer);
	transfer->conditional = own && request->validated != NULL &&
		(request->etag != NULL || request->last_modified != NULL) &&
		memcmp(request->validated, transfer->identity, HTTP_IDENTITY_LENGTH) == 0;
	if (own)
		add_private_parts(request, transfer);
	http_transfer_run(transfer);
}

/* what sources answer for a page behind the last */
static bool
status_denies_page(int status)
{
	return status == 400 || status == 404 || status == 410 || status == 416;
}

static double
since(instr_time start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_MILLISEC(now);
}

/* The pause before the next try, as the params have it. */
static double
backoff_ms(const HttpRetries *retries, int failed)
{
	int64		factor = 1;
	int64		before = 0;

	for (int i = 0; i < failed && factor < LONGEST_PAUSE_MS; i++)
	{
		int64		last = factor;

		factor = retries->backoff == HTTP_BACKOFF_EXPONENTIAL ? factor * 2 :
			retries->backoff == HTTP_BACKOFF_LINEAR ? factor + 1 : factor + before;
		before = last;
	}
	return FIRST_PAUSE_MS * (double) factor *
		(1 + retries->jitter * (2 * pg_prng_double(&pg_global_prng_state) - 1));
}

/* Is the request to be sent again?  Sets the pause before that. */
static bool
try_again(const HttpRequest *request, const HttpTransfer *transfer, HttpTries *tries)
{
	int64		asked = http_pause_ms(&transfer->pause, time(NULL));

	if (tries->failed >= request->retries.most || !http_error_may_pass(transfer) ||
	/* the bytes of earlier requests cannot be taken back */
		(tries->spooled > 0 && transfer->body.bytes > 0) ||
		asked > Max(LONGEST_PAUSE_MS, request->transfer_timeout_ms))
		return false;
	tries->pause_ms = Max((double) asked, backoff_ms(&request->retries, tries->failed));
	return request->retries.longest_ms == 0 || since(tries->start) + tries->pause_ms <= request->retries.longest_ms;
}

/* Is the token no longer good?  It is replaced once. */
static bool
is_refused(const HttpRequest *request, const HttpTransfer *transfer, HttpTries *tries)
{
	if (request->grant == NULL || !transfer->own_origin || transfer->status != 401 || tries->refused)
		return false;
	tries->refused = true;
	tries->pause_ms = 0;
	return true;
}

static Verdict
judge(const HttpRequest *request, const HttpTransfer *transfer, HttpTries *tries)
{
	if ((request->past_end && status_denies_page(transfer->status)) ||
		(request->may_be_nothing && transfer->status == 204 && transfer->result == CURLE_OK))
		return VERDICT_DONE;
	if (is_refused(request, transfer, tries) || try_again(request, transfer, tries))
		return VERDICT_AGAIN;
	/* an error status says more than a broken transfer of its explanation */
	if (transfer->status >= 400)
		http_raise_status(request, transfer);
	if (transfer->result != CURLE_OK && transfer->body.fault != HTTP_BODY_ENOUGH)
		http_raise_transfer(request, transfer);
	if (is_redirect(transfer->status))
		return VERDICT_REDIRECT;
	if (!http_transfer_succeeded(transfer) &&
		!(transfer->status == 304 && transfer->conditional))
		http_raise_status(request, transfer);
	if (http_text_is_page(transfer->content_type, transfer->body.excerpt, transfer->body.excerpt_length))
		http_raise_page(request, transfer);
	return VERDICT_DONE;
}

/* sets where it leads */
static void
follow(const HttpRequest *request, HttpTransfer *transfer)
{
	const char *refusal = url_redirect(&transfer->url, transfer->location, &transfer->next);

	if (transfer->location[0] == '\0')
		http_raise_redirect(request, transfer, "the answer does not say where it leads", "");
	if (refusal != NULL)
		http_raise_redirect(request, transfer, refusal, transfer->next.shown);
	/* as browsers do, and what the names of these statuses have come to mean */
	if (transfer->status == 301 || transfer->status == 302 || transfer->status == 303)
		transfer->post = false;
	if (transfer->post && !url_same_origin(&transfer->next, &transfer->url))
		http_raise_redirect(request, transfer, "a POST does not follow to another origin", transfer->next.shown);
}

/*
 * Asks until the answer is no redirect.  False: all of it is to be asked again.  A redirect that has left the origin is
 * trusted no more, also when it leads back: another host chose the path.
 */
static bool
ask_all(const HttpRequest *request, HttpTransfer *transfer, const Url *origin, HttpTries *tries)
{
	int			hops = 0;
	Verdict		verdict;
	bool		own = true;

	transfer->next = *origin;
	transfer->post = request->post;
	for (;;)
	{
		own = own && url_same_origin(&transfer->next, origin);
		ask(request, transfer, own);
		verdict = judge(request, transfer, tries);
		if (verdict != VERDICT_REDIRECT)
			return verdict == VERDICT_DONE;
		if (++hops > MAX_REDIRECTS)
			http_raise_redirect(request, transfer,
								"there are more than " CppAsString2(MAX_REDIRECTS) " in a row", "");
		follow(request, transfer);
	}
}

static void
set_origin(HttpSession *session, const HttpRequest *request)
{
	const char *refusal = url_parse(request->url, request->port, &session->origin);

	if (refusal != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid URL of dataset \"%s\": %s", request->dataset, refusal),
				 errhint("Write it as http://host/path or https://host/path.")));
}

/* runs when the context goes, also in the middle of an error */
static void
release_session(void *arg)
{
	HttpSession *session = arg;

	origin_limit_leave();
	/* a query may hold secrets */
	explicit_bzero(&session->origin, sizeof(Url));
}

HttpSession *
http_session_open(HttpReport *report, MemoryContext context)
{
	MemoryContext fetch = AllocSetContextCreate(context, "spice fetch", ALLOCSET_DEFAULT_SIZES);
	HttpSession *session = MemoryContextAllocZero(fetch, sizeof(HttpSession));

	memset(report, 0, sizeof(*report));
	session->context = fetch;
	session->transfer = http_transfer_create(fetch);
	session->transfer->report = report;
	session->callback.func = release_session;
	session->callback.arg = session;
	MemoryContextRegisterResetCallback(fetch, &session->callback);
	return session;
}

/* What the source has said of its limits holds for the request behind the one that it answered. */
static void
wait_for_source(const HttpRequest *request, const HttpTransfer *transfer)
{
	int64		asked = transfer->own_origin ? http_pause_ms(&transfer->pause, time(NULL)) : 0;

	if (asked > 0 && asked <= Max(LONGEST_PAUSE_MS, request->transfer_timeout_ms))
		origin_limit_wait((double) asked);
}

/* One try.  False: there is to be another. */
static bool
try_once(HttpSession *session, const HttpRequest *request, Spool *spool, HttpTries *tries)
{
	HttpTransfer *transfer = session->transfer;
	bool		done;

	if (request->grant != NULL)
		http_token_get(request, tries->refused && transfer->status == 401, transfer->report, transfer->token);

	transfer->bytes_before = transfer->report->bytes;
	transfer->ms_before = transfer->report->fetch_ms;
	origin_limit_enter(&session->origin, &request->limits);
	INSTR_TIME_SET_CURRENT(transfer->fetch_start);
	transfer->body.max_size = (int64) spice_fetch_max_size * 1024 * 1024 - spool_size(spool) -
		request->before;
	transfer->body.spool = spool;
	done = ask_all(request, transfer, &session->origin, tries);
	origin_limit_leave();
	http_transfer_report(transfer);
	return done;
}

const HttpTransfer *
http_session_get(HttpSession *session, const HttpRequest *request, Spool *spool)
{
	HttpTransfer *transfer = session->transfer;
	MemoryContext saved = MemoryContextSwitchTo(session->context);
	HttpTries	tries = {.spooled = spool_size(spool)};

	set_origin(session, request);
	INSTR_TIME_SET_CURRENT(tries.start);
	wait_for_source(request, transfer);
	while (!try_once(session, request, spool, &tries))
	{
		tries.failed += tries.pause_ms > 0;
		if (tries.spooled == 0)
			spool_empty(spool);
		/* the bytes of a try that failed are no part of the response */
		transfer->report->bytes = transfer->bytes_before;
		origin_limit_wait(tries.pause_ms);
	}
	MemoryContextSwitchTo(saved);
	return transfer;
}

void
http_session_close(HttpSession *session)
{
	MemoryContextDelete(session->context);
}
