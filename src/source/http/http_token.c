/*-------------------------------------------------------------------------
 *
 * http_token.c
 *		Tokens of OAuth 2.0, which all processes share.
 *
 * Shared memory holds the token of each grant, under a salted hash of it, so all datasets with
 * the same credentials have one token.  One process asks the token server, and the others wait
 * for it: a refresh token that is replaced with each use would not survive two of them.
 *
 * A refresh token that has replaced the manifest's is needed after a restart, when the manifest's
 * is worth nothing any more.  It is kept in a file of mode 0600, under the same hash; a manifest
 * with another refresh token has another hash, and so begins anew.
 *
 * States of a slot and their successors:
 *
 *		free	-> asking		(no process had this grant)
 *		asking	-> held			(the token server has answered)
 *		asking	-> free			(it has not, or the process has ended)
 *		held	-> asking		(the token ends soon, or was refused)
 *		held	-> free			(another grant needs the slot)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/http/http_token.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "percent.h"
#include "secret/dotenv.h"
#include "secret/private_file.h"
#include "secret/wiping.h"
#include "source/http/http_transfer.h"
#include "source/http/origin_limit.h"
#include "source/http/token_answer.h"

#define MAX_GRANTS		64
#define MAX_ANSWER		(64 * 1024)
#define DEFAULT_LIFE_S	300		/* of a token whose end the server does not tell */
#define AHEAD_S			60		/* a token is renewed that long before its end */
#define POLL_MS			20
#define BEARER			"Bearer "

typedef struct TokenSlot
{
	uint8		grant[HTTP_IDENTITY_LENGTH];
	bool		used;
	bool		asking;
	TimestampTz renewal;		/* 0: there is no token */
	TimestampTz wanted;			/* when a process wanted it last */
	char		token[HTTP_TOKEN_SIZE];
} TokenSlot;

typedef struct TokenShared
{
	LWLock		lock;
	TokenSlot	slots[MAX_GRANTS];
} TokenShared;

static TokenShared *shared;
static TokenSlot *asking;		/* this process asks for it, or NULL */

Size
http_token_shared_size(void)
{
	return sizeof(TokenShared);
}

void
http_token_shared_start(void *memory, bool initialize)
{
	shared = memory;
	if (!initialize)
		return;
	memset(shared, 0, sizeof(*shared));
	LWLockInitialize(&shared->lock, LWLockNewTrancheId());
}

/* ---- slots ---- */

static void
hash_grant(const HttpTokenGrant *grant, uint8 *hash)
{
	const char *in_body = grant->in_body ? "body" : "basic";
	List	   *texts = list_make5((void *) grant->url, (void *) grant->refresh_token, (void *) grant->client_id,
								   (void *) grant->client_secret, (void *) grant->scopes);

	texts = lappend(texts, (void *) in_body);
	http_hash_texts(texts, hash);
	list_free(texts);
}

/* The caller holds the lock.  NULL: all slots are being filled. */
static TokenSlot *
find_slot(const uint8 *grant)
{
	TokenSlot  *oldest = NULL;

	for (int i = 0; i < MAX_GRANTS; i++)
	{
		TokenSlot  *slot = &shared->slots[i];

		if (slot->used && memcmp(slot->grant, grant, HTTP_IDENTITY_LENGTH) == 0)
			return slot;
		if (!slot->asking && (oldest == NULL || slot->wanted < oldest->wanted))
			oldest = slot;
	}
	if (oldest != NULL)
	{
		explicit_bzero(oldest, sizeof(TokenSlot));
		memcpy(oldest->grant, grant, HTTP_IDENTITY_LENGTH);
		oldest->used = true;
	}
	return oldest;
}

static void
leave_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	http_token_leave();
}

void
http_token_leave(void)
{
	if (asking == NULL)
		return;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	asking->asking = false;
	LWLockRelease(&shared->lock);
	asking = NULL;
}

/*
 * Copies the token that the slot has, unless it is the one that was refused.  Without one the
 * process is to ask for it, or to wait for another that does: false then.
 */
static bool
take_token(const uint8 *grant, const char *refused, char *token)
{
	TimestampTz now = GetCurrentTimestamp();
	TokenSlot  *slot;
	bool		good = false;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	slot = find_slot(grant);
	if (slot != NULL)
	{
		slot->wanted = now;
		good = slot->renewal > now && (refused == NULL || strcmp(slot->token, refused) != 0);
		if (good)
			strlcpy(token, slot->token, HTTP_TOKEN_SIZE);
		else if (!slot->asking)
		{
			slot->asking = true;
			asking = slot;
		}
	}
	LWLockRelease(&shared->lock);
	return good;
}

static void
keep_token(const char *token, int64 life_s)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	strlcpy(asking->token, token, HTTP_TOKEN_SIZE);
	asking->renewal = GetCurrentTimestamp() + (life_s > 2 * AHEAD_S ? life_s - AHEAD_S : life_s / 2) * USECS_PER_SEC;
	LWLockRelease(&shared->lock);
}

/* ---- the file of a refresh token ---- */

static char *
token_path(const uint8 *grant)
{
	char		name[2 * HTTP_IDENTITY_LENGTH + 1];

	for (int i = 0; i < HTTP_IDENTITY_LENGTH; i++)
		snprintf(name + 2 * i, 3, "%02x", grant[i]);
	return psprintf(PRIVATE_FOLDER "/spice_%s.token", name);
}

/* The newest refresh token, which goes when the text is freed by secret_wipe(); NULL: the manifest's. */
static char *
read_refresh_token(const uint8 *grant)
{
	char	   *text;

	return secret_file_read(token_path(grant), &text) == FILE_READ ? text : NULL;
}

/* ---- the exchange ---- */

typedef struct Exchange
{
	const HttpRequest *request; /* which wants the token */
	uint8		grant[HTTP_IDENTITY_LENGTH];
	HttpReport	report;
	char	   *token;			/* HTTP_TOKEN_SIZE bytes */
	char	   *form;
	Size		form_length;
	char	   *answer;
	TokenAnswer tokens;
} Exchange;

pg_noreturn static void
refuse_answer(const Exchange *exchange, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("could not fetch dataset \"%s\": token server sent no token", exchange->request->dataset),
			 errdetail("Its answer %s.", problem),
			 errhint("Check auth_token_url against the source's documentation.")));
	pg_unreachable();
}

/* Appends a field to the form, which has room for it. */
static void
add_field(Exchange *exchange, const char *name, const char *value)
{
	char	   *out = exchange->form + exchange->form_length;

	if (value == NULL)
		return;
	out += sprintf(out, "%s%s=", exchange->form_length > 0 ? "&" : "", name);
	for (; *value != '\0'; value++)
		out += percent_encode(*value, out);
	*out = '\0';
	exchange->form_length = out - exchange->form;
}

static Size
length_of(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

static void
make_form(Exchange *exchange, const char *refresh_token)
{
	const HttpTokenGrant *grant = exchange->request->grant;
	Size		room = 200 + PERCENT_LENGTH * (length_of(refresh_token) + length_of(grant->scopes) +
											   length_of(grant->client_id) + length_of(grant->client_secret));

	exchange->form = wiping_malloc(room);
	if (exchange->form == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	add_field(exchange, "grant_type", refresh_token != NULL ? "refresh_token" : "client_credentials");
	add_field(exchange, "refresh_token", refresh_token);
	add_field(exchange, "scope", grant->scopes);
	/* a public client has no secret and says who it is all the same */
	if (grant->in_body || grant->client_secret == NULL)
		add_field(exchange, "client_id", grant->client_id);
	if (grant->in_body)
		add_field(exchange, "client_secret", grant->client_secret);
}

/* Asks the token server; the answer is a text of JSON. */
static void
ask_server(Exchange *exchange)
{
	const HttpTokenGrant *grant = exchange->request->grant;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "spice token", ALLOCSET_SMALL_SIZES);
	HttpSession *session = http_session_open(&exchange->report, context);
	Spool	   *spool = spool_create(context, MAX_ANSWER);
	HttpHeader	accept = {"Accept", "application/json"};
	HttpRequest request = {
		.dataset = exchange->request->dataset, .url = grant->url, .post = true, .content = exchange->form,
		.content_type = "application/x-www-form-urlencoded", .headers = &accept, .n_headers = 1, .for_token = true,
		.tls = {.authorities = exchange->request->tls.authorities},
		.client_timeout_ms = exchange->request->client_timeout_ms,
		.connect_timeout_ms = exchange->request->connect_timeout_ms
	};
	SpoolCursor cursor;

	if (!grant->in_body && grant->client_secret != NULL)
	{
		request.username = grant->client_id;
		request.password = grant->client_secret;
	}
	(void) http_session_get(session, &request, spool);
	if (spool_size(spool) >= MAX_ANSWER)
		refuse_answer(exchange, "is longer than 64 kB");
	spool_finish(spool);
	spool_rewind(spool, &cursor);
	exchange->answer = wiping_calloc(1, MAX_ANSWER);
	if (exchange->answer == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	(void) spool_read(&cursor, exchange->answer, MAX_ANSWER - 1);
	spool_empty(spool);
	MemoryContextDelete(context);
}

/* Keeps the tokens of the answer. */
static void
keep_answer(Exchange *exchange)
{
	const HttpTokenGrant *grant = exchange->request->grant;
	const TokenAnswer *tokens = &exchange->tokens;

	grant->hide(grant->arg, tokens->token);
	if (grant->refresh_token != NULL && tokens->refresh_token != NULL)
	{
		grant->hide(grant->arg, tokens->refresh_token);
		private_file_replace(token_path(exchange->grant), tokens->refresh_token, strlen(tokens->refresh_token));
	}
	snprintf(exchange->token, HTTP_TOKEN_SIZE, "%s%s", grant->header == NULL ? BEARER : "", tokens->token);
	if (asking != NULL)
		keep_token(exchange->token, tokens->life_s > 0 ? tokens->life_s : DEFAULT_LIFE_S);
}

static void
exchange_token(Exchange *exchange)
{
	const HttpTokenGrant *grant = exchange->request->grant;
	char	   *rotated = grant->refresh_token != NULL ? read_refresh_token(exchange->grant) : NULL;

	if (rotated != NULL)
		grant->hide(grant->arg, rotated);
	make_form(exchange, rotated != NULL ? rotated : grant->refresh_token);
	secret_wipe(rotated);
	ask_server(exchange);
	token_answer_read(exchange->answer, HTTP_TOKEN_SIZE - sizeof(BEARER), &exchange->tokens);
	if (exchange->tokens.fault != NULL)
		refuse_answer(exchange, exchange->tokens.fault);
	keep_answer(exchange);
}

void
http_token_get(const HttpRequest *request, bool refused, HttpReport *report, char *token)
{
	static bool registered = false;
	Exchange	exchange = {.request = request, .token = token};
	char	   *old = refused ? wiping_strdup(token) : NULL;

	if (!registered)
		before_shmem_exit(leave_at_exit, (Datum) 0);
	registered = true;
	http_token_leave();
	hash_grant(request->grant, exchange.grant);
	PG_TRY();
	{
		bool		taken = false;

		while (shared != NULL && asking == NULL && !taken)
		{
			taken = take_token(exchange.grant, old, token);
			if (!taken && asking == NULL)
				origin_limit_wait(POLL_MS);
		}
		if (!taken)
			exchange_token(&exchange);
	}
	PG_FINALLY();
	{
		wiping_free(old);
		wiping_free(exchange.form);
		wiping_free(exchange.answer);
		token_answer_free(&exchange.tokens);
		http_token_leave();
		if (exchange.report.transient)
		{
			report->transient = true;
			report->retry_after_s = exchange.report.retry_after_s;
		}
	}
	PG_END_TRY();
	request->grant->hide(request->grant->arg, token);
}
