/*-------------------------------------------------------------------------
 *
 * iso8601.h
 *		Dates and times as JSON APIs write them.
 *
 * Includes no server header.  Accepted: YYYY-MM-DD, and that followed by 'T',
 * 't' or one space, HH:MM[:SS[.fraction]] and an optional zone: Z, z, +HH,
 * +HHMM, +HH:MM.  Years 0001 to 9999; leap second 60 is carried over;
 * more than six digits of fraction are rounded to the nearest microsecond.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ISO8601_H
#define SPICE_ISO8601_H

#include <stddef.h>
#include <stdint.h>

typedef enum IsoKind
{
	ISO_NONE,					/* not a date or time */
	ISO_DATE,					/* value: days since 2000-01-01 */
	ISO_TIMESTAMP,				/* value: microseconds since 2000-01-01 00:00 */
	ISO_TIMESTAMPTZ				/* the same, in UTC */
} IsoKind;

/* reads all of text; *value is set unless ISO_NONE is returned */
extern IsoKind iso8601_parse(const char *text, size_t length, int64_t *value);

#endif
