/*-------------------------------------------------------------------------
 *
 * http_range.h
 *		A document that stays with its server, and is read in parts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_RANGE_H
#define SPICE_HTTP_RANGE_H

#include "source/http/http.h"

/*
 * A spool in context whose bytes are asked for when they are read.  request: as for the
 * whole, with if_match, so that all parts are of one version; it and the session live as long.
 */
extern Spool *http_range_spool(HttpSession *session, const HttpRequest *request, int64 size,
							   MemoryContext context);

/*
 * Fetches the end of a document, and leaves the rest with a source that answers with ranges
 * and says which version they are of; from any other it fetches the whole.  request and all
 * that it points to, and the report, live as long as the response.
 */
extern HttpResponse *http_range_fetch(const HttpRequest *request, HttpReport *report,
									  MemoryContext context);

#endif
