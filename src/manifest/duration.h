/*-------------------------------------------------------------------------
 *
 * duration.h
 *		Durations as the manifest writes them: 30s, 1.5h, 90d, 10.
 *
 * Includes no server header.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_DURATION_H
#define SPICE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Units ns, us (also Ms and the micro sign), ms, s, m, h, d, w; no unit means
 * seconds; decimals and exponents are fine.  The result is in milliseconds,
 * rounded to nearest, and a positive duration never becomes 0.  Range: 0 to
 * 100 years.  On failure *error is a static text without full stop, *hint the
 * cure (static, or NULL).
 */
extern bool duration_parse(const char *text, int64_t *milliseconds,
						   const char **error, const char **hint);

#endif
