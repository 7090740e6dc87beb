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

typedef struct HttpHeader
{
	char	   *name;
	char	   *value;
} HttpHeader;

typedef struct HttpRequest
{
	const char *dataset;		/* for errors */
	const char *url;
	int			port;			/* 0: the URL's */
	const char *username;		/* NULL: no authentication */
	const char *password;
	HttpHeader *headers;
	int			n_headers;
	int			client_timeout_ms;
	int			connect_timeout_ms;
	const char *etag;			/* NULL: unconditional */
	const char *last_modified;
} HttpRequest;

typedef struct HttpResponse
{
	Spool	   *spool;			/* NULL: unchanged (status 304) */
	char	   *etag;			/* NULL when the server sent none */
	char	   *last_modified;
} HttpResponse;

/*
 * What became of a request, also when http_fetch() raised an error: the refresh
 * records it and decides from it whether to try again.
 */
typedef struct HttpReport
{
	int			status;			/* 0: no response */
	int64		bytes;			/* of the body, decoded */
	double		fetch_ms;
	bool		transient;		/* network, 408, 429, 5xx: may pass */
	int			retry_after_s;	/* what the server asked for, else 0 */
} HttpReport;

/*
 * Result and spool live in context.  After an error the caller resets or
 * deletes context, which also closes the connection.  Waits serve interrupts,
 * so a worker must have a SIGTERM handler that CHECK_FOR_INTERRUPTS() obeys.
 * Raises ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION
 * for DNS, connect and TLS; ERRCODE_CONNECTION_FAILURE for a broken transfer;
 * ERRCODE_FDW_UNABLE_TO_CREATE_REPLY for an error status;
 * ERRCODE_PROGRAM_LIMIT_EXCEEDED for a body over spice.fetch_max_size.
 */
extern HttpResponse *http_fetch(const HttpRequest *request, HttpReport *report,
								MemoryContext context);

/*
 * Reads the manifest's form 'K: V, K2: V2' (or with semicolons) into the
 * request, with copies in context that whoever owns the request wipes, also
 * when an error is raised after some of them.  A comma or semicolon separates
 * only when something like "K:" follows.  Errors never quote any of the text.
 */
extern void http_parse_headers(const char *text, HttpRequest *request, MemoryContext context);

#endif
