/*-------------------------------------------------------------------------
 *
 * http_error.h
 *		Errors of an HTTP request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_ERROR_H
#define SPICE_HTTP_ERROR_H

#include "source/http/http.h"
#include "source/http/http_transfer.h"

/* Is what became of the request a failure that may pass? */
extern bool http_error_may_pass(const HttpTransfer *transfer);

/* all of these raise an error, after completing the report */
extern void http_raise_transfer(const HttpRequest *request, const HttpTransfer *transfer);
extern void http_raise_status(const HttpRequest *request, const HttpTransfer *transfer);
extern void http_raise_page(const HttpRequest *request, const HttpTransfer *transfer);
extern void http_raise_redirect(const HttpRequest *request, const HttpTransfer *transfer,
								const char *refusal, const char *target);
extern void http_raise_paging(const HttpRequest *request, const HttpTransfer *transfer,
							  const char *problem, const char *hint);

#endif
