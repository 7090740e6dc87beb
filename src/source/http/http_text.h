/*-------------------------------------------------------------------------
 *
 * http_text.h
 *		What a source says about an error, made into text that can be shown.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_TEXT_H
#define SPICE_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Is a body, of which this is the start, a page of HTML?  A JSON document that is
 * declared as text/html, PHP's default, is none.
 */
extern bool http_text_is_page(const char *content_type, const char *start, size_t length);

/*
 * The sentences of a problem document (RFC 9457), or of the ways in which
 * others answer with JSON.  False: it has none.
 */
extern bool http_text_of_problem(const char *body, size_t length, char *out, size_t size);

/* in place: a space for every tag of HTML, nothing for scripts and styles */
extern void http_text_strip_tags(char *text);

#endif
