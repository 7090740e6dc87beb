/*-------------------------------------------------------------------------
 *
 * http_transfer.h
 *		One request and its answer: libcurl driven by the process's latch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_TRANSFER_H
#define SPICE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "portability/instr_time.h"

#include "source/http/http.h"
#include "source/http/http_body.h"
#include "source/http/http_pause.h"
#include "source/http/url.h"

#define HTTP_TOKEN_SIZE		8192

/* when each phase was over, in ms since the start; 0: never */
typedef struct HttpTimes
{
	int			resolved;
	int			connected;
	int			secured;		/* TLS */
	int			answered;		/* first byte */
	int			total;
} HttpTimes;

typedef struct HttpTransfer
{
	/* what to ask; set before http_transfer_run() */
	instr_time	fetch_start;	/* of the first of several runs */
	Url			url;
	Url			next;			/* the one after a redirect; in here, as all that is wiped */
	bool		own_origin;		/* url has the manifest's origin, and so had all before it */
	bool		conditional;	/* with validators */
	uint8		identity[HTTP_IDENTITY_LENGTH];
	const char *username;		/* NULL: no authentication */
	const char *password;
	const char *signature;		/* or NULL */
	HttpTls		tls;
	char		token[HTTP_TOKEN_SIZE]; /* as its header has it, if the request wants one */
	bool		post;			/* by the method POST */
	const char *content;		/* what it sends, or NULL */
	bool		ranged;			/* a part is asked for */
	int64		bytes_before;	/* of the session's earlier requests */
	double		ms_before;
	int			timeout_ms;		/* 0: none */
	int			pause_ms;		/* longest wait for a byte; 0: libcurl's notion of a stall */
	double		run_start_ms;	/* since the fetch's */
	int			connect_timeout_ms;
	HttpReport *report;

	/* what came of it */
	CURLcode	result;
	char		error_text[CURL_ERROR_SIZE];
	bool		too_many_headers;
	UrlAddress	refused;		/* other than public: an address was refused */
	HttpTimes	times;
	bool		reached;		/* TCP connected, also when TLS then failed */
	int			status;			/* 0: no answer */
	char		location[URL_MAX_LENGTH + 1];	/* of a redirect, or empty */
	char		etag[512];
	char		last_modified[64];
	char		date[64];
	char		content_type[128];
	HttpPause	pause;
	char		transfer_encoding[64];
	char		content_range[96];
	char		next_link[URL_MAX_LENGTH + 2];	/* of the header Link, or empty */
	HttpBody	body;			/* spool and max_size are set before http_transfer_run() */

	struct HttpTransferState *state;	/* private */
} HttpTransfer;

/* lives in context, whose reset closes its connections */
extern HttpTransfer *http_transfer_create(MemoryContext context);

/* adds a header to the next run only; its value is wiped afterwards */
extern void http_transfer_add_header(HttpTransfer *transfer, const char *name,
									 const char *value);

/* runs it; raises an error only for interrupts, memory and disk */
extern void http_transfer_run(HttpTransfer *transfer);

/* what is left of a time limit that began with the fetch, at least 1 ms */
extern int	http_transfer_time_left(const HttpTransfer *transfer, int limit_ms);

/* brings the report up to date */
extern void http_transfer_report(const HttpTransfer *transfer);

/* the status means that the body is what was asked for */
extern bool http_transfer_succeeded(const HttpTransfer *transfer);

#endif
