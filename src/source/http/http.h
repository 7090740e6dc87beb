/*-------------------------------------------------------------------------
 *
 * http.h
 *		One HTTP request into a spool.
 *
 * Works with and without an open transaction.  Waits on the process's latch,
 * so cancel and shutdown act at once.  Follows redirects itself, so that
 * credentials and headers never reach another origin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_H
#define SPICE_HTTP_H

#include "source/http/spool.h"

/*
 * Which request a response was the answer to: a hash of its URL, headers, body, user name
 * and password.  It is salted, so that a dump does not let anyone try passwords.
 */
#define HTTP_IDENTITY_LENGTH	16

typedef struct HttpHeader
{
	char	   *name;
	char	   *value;
} HttpHeader;

/* How often all processes may ask the origin; 0: no limit. */
typedef struct HttpLimits
{
	int			per_second;
	int			per_minute;
	int			concurrent;
} HttpLimits;

typedef enum HttpBackoff
{
	HTTP_BACKOFF_FIBONACCI,
	HTTP_BACKOFF_LINEAR,
	HTTP_BACKOFF_EXPONENTIAL
} HttpBackoff;

/* When a request that has failed is sent again. */
typedef struct HttpRetries
{
	int			most;			/* 0: it is not */
	int			most_of_pages;	/* the same of a page behind the first one */
	HttpBackoff backoff;
	double		jitter;			/* part of a pause that is left to chance */
	int64		longest_ms;		/* of all tries and pauses; 0: any */
} HttpRetries;

/* Where a token comes from (OAuth 2.0), with all secrets in it. */
typedef struct HttpTokenGrant
{
	const char *url;
	const char *refresh_token;	/* NULL: client_credentials */
	const char *client_id;		/* or NULL */
	const char *client_secret;	/* or NULL */
	const char *scopes;			/* or NULL */
	bool		in_body;		/* the client says there who it is, else by Basic */
	const char *header;			/* that the token goes into; NULL: Authorization, as Bearer */
	void		(*hide) (void *arg, const char *secret);	/* a token that came: no error repeats
															 * it */
	void	   *arg;
} HttpTokenGrant;

/* What TLS is told, as PEM; NULL: whom the machine trusts, and no certificate of the client. */
typedef struct HttpTls
{
	const char *authorities;
	const char *certificate;
	const char *key;
} HttpTls;

typedef struct HttpRequest
{
	const char *dataset;		/* for errors */
	const char *url;
	const char *query_key;		/* pairs of a query that each URL has to have; or NULL */
	int			port;			/* 0: the URL's */
	const char *username;		/* NULL: no authentication */
	const char *password;
	HttpHeader *headers;
	int			n_headers;
	bool		post;			/* by the method POST, else GET */
	const char *content;		/* what it sends, or NULL */
	const char *content_type;	/* of that; NULL: a header says it */
	int			client_timeout_ms;	/* for the first byte and each further one; 0: none */
	int			transfer_timeout_ms;	/* for all of it; 0: none */
	int			connect_timeout_ms;
	const HttpTokenGrant *grant;	/* each request wants its token; or NULL */
	bool		for_token;		/* it asks for one itself; for messages */
	HttpTls		tls;
	HttpLimits	limits;
	HttpRetries retries;
	const char *signature;		/* AWS's version 4, as libcurl names it: user name and password
								 * are the key; or NULL */
	bool		store;			/* to an object store; for hints */
	const char *range;			/* what to ask for, as "bytes=0-99"; NULL: the whole */
	const char *if_match;		/* an answer for this ETag only; or NULL */
	const uint8 *validated;		/* identity of the request that the validators came with; NULL:
								 * unconditional */
	const char *etag;			/* or NULL */
	const char *last_modified;	/* or NULL */
	int			page;			/* its number, from 1, for errors; 0: no page of several */
	bool		may_be_nothing; /* status 204 is an answer */
	bool		past_end;		/* it may lie behind the last page, which a 4xx may say */
	int64		before;			/* bytes of the earlier pages */
} HttpRequest;

typedef struct HttpResponse
{
	Spool	   *spool;			/* NULL: unchanged (status 304) */
	uint8		identity[HTTP_IDENTITY_LENGTH]; /* of the request that it answers */
	char	   *etag;			/* NULL: none that can be believed */
	char	   *last_modified;	/* the same */
	char	   *more;			/* JSON pointer to what seems to name a next page, or NULL */
} HttpResponse;

/*
 * What became of a request, also when the fetch raised an error: the refresh
 * records it and decides from it whether to try again.
 */
typedef struct HttpReport
{
	int			status;			/* 0: no response */
	int64		bytes;			/* of the body, decoded */
	double		fetch_ms;
	bool		transient;		/* network, 202, 408, 412, 425, 429, 5xx, Retry-After: may pass */
	int			retry_after_s;	/* what the server asked for, else 0 */
} HttpReport;

/*
 * Several requests over the same connections.  The report counts them all and lives as long
 * as the session, which lives in context.
 */
typedef struct HttpSession HttpSession;

extern HttpSession *http_session_open(HttpReport *report, MemoryContext context);
extern void http_session_close(HttpSession *session);

/*
 * Appends the body to spool, which the caller finishes.  What the answer said stays until
 * the next request.  Waits serve interrupts, so a worker must have a SIGTERM handler that
 * CHECK_FOR_INTERRUPTS() obeys.  Raises ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION
 * for DNS, connect and TLS; ERRCODE_CONNECTION_FAILURE for a broken transfer;
 * ERRCODE_FDW_UNABLE_TO_CREATE_REPLY for an error status;
 * ERRCODE_PROGRAM_LIMIT_EXCEEDED for a body over spice.fetch_max_size.
 */
extern const struct HttpTransfer *http_session_get(HttpSession *session,
												   const HttpRequest *request, Spool *spool);

/*
 * Splits the manifest's form 'K: V, K2: V2' (or with semicolons) in place: the
 * request's headers point into text.  A comma or semicolon separates only when
 * something like "K:" follows.  lines: each header has a line instead.  Errors never quote
 * any of the text.
 */
extern void http_split_headers(char *text, bool lines, HttpRequest *request);

/* A salted hash of texts, in their order, of which some may be NULL. */
extern void http_hash_texts(const List *texts, uint8 *identity);

/* Raises an error if a header's value, whose secrets are resolved, cannot be sent. */
extern void http_check_header(const HttpRequest *request, int number);

#endif
