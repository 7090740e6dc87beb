/*-------------------------------------------------------------------------
 *
 * source_request.h
 *		The request of a dataset over HTTP.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_SOURCE_REQUEST_H
#define SPICE_SOURCE_REQUEST_H

#include "source/http/http.h"
#include "source/resolve.h"

/*
 * Makes the request with all secrets in it, in the current context.  query: goes to the URL's
 * end, or NULL.  watermark: the newest time as the source reads it; NULL: there is none.
 */
extern HttpRequest *source_request_make(const Dataset *dataset, const char *query, const char *watermark,
										Resolver *resolver);

/* The query of all pages, whose numbers are still to be put in; or NULL. */
extern char *source_request_template(const Dataset *dataset, const char *watermark, Resolver *resolver);

#endif
