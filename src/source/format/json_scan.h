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

#include "source/format/json_reader.h"

/* zero bytes that have to follow the window's last byte */
#define JSON_SCAN_PADDING	16

typedef struct JsonScan
{
	const char *end;			/* of the window; JSON_SCAN_PADDING NULs follow */

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

/* how many bytes the UTF-8 character at p has, 0 if it is none; NUL ends p */
extern int	json_utf8_length(const char *p);

/* as json_value_unescape(), but \u0000 is allowed: member names may hold it */
extern int64_t json_unescape_name(const JsonValue *value, char *out);

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
