/*-------------------------------------------------------------------------
 *
 * http_pause.h
 *		How long a source asks to wait before the next request.
 *
 * Includes no server header: built on the host with sanitizers and fuzzed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_HTTP_PAUSE_H
#define SPICE_HTTP_PAUSE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What the headers of an answer say, or empty. */
typedef struct HttpPause
{
	char		retry_after[64];
	char		retry_after_ms[32];
	char		remaining[32];	/* requests until the reset */
	char		reset[64];
	char		rate_limit[160];	/* both, as the drafts of a standard have them */
} HttpPause;

/* An answer's header line.  Neither allocates nor raises an error. */
extern void http_pause_keep(HttpPause *pause, const char *line, size_t length);

/* The ms that the source asks for before the next request, at most a day; 0: none. */
extern int64_t http_pause_ms(const HttpPause *pause, time_t now);

#endif
