/*-------------------------------------------------------------------------
 *
 * http_header.h
 *		Headers of HTTP: the manifest's, and those of an answer.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_HEADER_H
#define SPICE_HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* One header of the manifest's form 'K: V, K2: V2', in the text it was found in. */
typedef struct HttpHeaderScan
{
	const char *rest;			/* set before the first call: the whole text */
	bool		lines;			/* set then, too: each header has a line */
	int			number;			/* of this header, from 1 */
	const char *name;
	size_t		name_length;
	const char *value;
	size_t		value_length;
	const char *problem;		/* why it is refused, or NULL */
	const char *hint;
} HttpHeaderScan;

/*
 * Moves on to the next header.  A comma or semicolon separates only when
 * something like "K:" follows, or only a line break does.  False: there is none, or problem is set.
 */
extern bool http_header_scan(HttpHeaderScan *scan);

/* where a text has its first line break or control character, from 1; 0: nowhere */
extern int	http_header_control(const char *text);

/*
 * Keeps the value of an answer's header line that has the name.  One that is
 * too long or holds a control character is as if absent.
 */
extern void http_header_keep(const char *line, size_t length, const char *name,
							 char *out, size_t size);

/* neither empty nor anything but printable ASCII */
extern bool http_header_is_printable(const char *text);

/*
 * Is a Last-Modified at least a second before the answer's Date?  Only then can the
 * source not have changed again in the second that it names (RFC 9110, 8.8.2.2).
 */
extern bool http_header_is_past(const char *last_modified, const char *date);

/* the seconds that a Retry-After asks for, at most a day; 0: none */
extern int	http_header_retry_after(const char *text, time_t now);

#endif
