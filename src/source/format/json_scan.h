/*-------------------------------------------------------------------------
 *
 * json_scan.h
 *		Scans one JSON value that should lie whole in a window of memory.
 *
 * Private to the JSON reader.  The window ends with a NUL and padding.  No
 * valid JSON holds a NUL, so every loop stops there by itself and asks only
 * then whether it met the end of the window or a bad byte: the hot loops
 * carry no length checks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_SCAN_H
#define SPICE_JSON_SCAN_H

#include "source/format/json_value.h"
#include "source/format/reading.h"

typedef struct JsonScan
{
	const char *end;			/* of the window; BYTES_PADDING NULs follow */
	JsonKind	not_finite;		/* what NaN and Infinity count as; JSON_ABSENT: an error */

	/* set when a function returns NULL */
	bool		more;			/* the window ended too early, nothing was wrong */
	JsonErrorCode code;
	const char *at;
	const char *what;			/* static text */
} JsonScan;

/*
 * All take where to begin and return where the value ended, or NULL.  depth
 * counts the containers around the value.  A number that touches the end of
 * the window is taken as unfinished.
 */
extern const char *json_scan_value(JsonScan *scan, const char *p, int depth,
								   JsonValue *value);

/* p: behind the opening quote */
extern const char *json_scan_string(JsonScan *scan, const char *p, JsonValue *value);

/* notes what is wrong at p, or that p is the window's end; returns NULL */
extern const char *json_scan_fail(JsonScan *scan, JsonErrorCode code,
								  const char *p, const char *what);

static inline bool
json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *
json_skip_space(const char *p)
{
	/* one comparison where there is none, as in most documents */
	while ((unsigned char) *p <= ' ' && json_is_space(*p))
		p++;
	return p;
}

#endif
