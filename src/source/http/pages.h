/*-------------------------------------------------------------------------
 *
 * pages.h
 *		A whole response: one page, or one after the other until the last.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PAGES_H
#define SPICE_PAGES_H

#include "source/format/json_reader.h"
#include "source/http/http.h"

/* How a source that answers in pages names the next one. */
typedef struct PageRules
{
	bool		link_header;	/* by a header Link with rel="next" */
	const char *next_pointer;	/* by a value in the page, RFC 6901; or NULL */
	const char *token_param;	/* which is a token for this key of the query; NULL: a URL */
	const char *template;		/* by numbers, in this query; or NULL */
	int			page_size;		/* of the template: records of each page but the last */
	int			max_pages;		/* 0: any number */
	bool		json;			/* the pages are JSON, and the records are there: */
	JsonRecordFormat format;
	const char *records;		/* RFC 6901, or NULL */
} PageRules;

/*
 * Fetches the request's page and those that follow it.  rules NULL: there are none.
 * Result and spool live in context.  After an error the caller resets or deletes
 * context, which also closes the connection.  Raises what http_session_get() does, and an
 * error when the pages do not end, repeat themselves or lead to another origin.
 */
extern HttpResponse *pages_fetch(const HttpRequest *request, const PageRules *rules, HttpReport *report,
								 MemoryContext context);

/* What an answer is, whose body the finished spool has; without the spool when its status is 304. */
extern HttpResponse *pages_make_response(const struct HttpTransfer *transfer, Spool *spool,
										 MemoryContext context);

#endif
