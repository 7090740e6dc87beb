/*-------------------------------------------------------------------------
 *
 * page_link.h
 *		Where the next page of a response is: the header Link, and queries.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_PAGE_LINK_H
#define SPICE_PAGE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Keeps the target of an answer's header line "Link" that has the relation "next" (RFC 8288).
 * A target that is too long is cut: size has to exceed what a URL may have.
 */
extern void page_link_keep(const char *line, size_t length, char *out, size_t size);

/*
 * Writes url with the pairs of query, each in place of all of the same key.  What follows
 * a # is left out.  False: it does not fit.
 */
extern bool page_link_set_query(const char *url, const char *query, char *buffer, size_t size);

/*
 * Writes url with those pairs of query whose keys it does not have.  False: it does not fit.
 */
extern bool page_link_add_query(const char *url, const char *query, char *buffer, size_t size);

/* Writes key=text with text percent-encoded.  False: it does not fit. */
extern bool page_link_pair(const char *key, const char *text, char *buffer, size_t size);

/*
 * Writes a template with the numbers of a page, which is the one of this index, in place of
 * {page}, {offset} and {limit}.  first: the first one's {page}.  False: it does not fit.
 */
extern bool page_link_expand(const char *template, int64_t index, int64_t first, int64_t limit,
							 char *buffer, size_t size);

/* The number that the URL's own query gives to the key whose template is {page}; or 0. */
extern int	page_link_first(const char *url, const char *template);

#endif
