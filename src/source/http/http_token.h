/*-------------------------------------------------------------------------
 *
 * http_token.h
 *		Tokens of OAuth 2.0, which all processes share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_TOKEN_H
#define SPICE_HTTP_TOKEN_H

#include "source/http/http.h"

extern Size http_token_shared_size(void);
extern void http_token_shared_start(void *memory, bool initialize);

/*
 * Writes what the request's header is to have into token, of HTTP_TOKEN_SIZE bytes.  refused:
 * the source has just refused what stands there.  Asks the token server when no process has a
 * token that is good for a while.  What became of that is in the report when an error is raised.
 */
extern void http_token_get(const HttpRequest *request, bool refused, HttpReport *report, char *token);

/* The process gives up asking for a token. */
extern void http_token_leave(void);

#endif
