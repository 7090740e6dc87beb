/*-------------------------------------------------------------------------
 *
 * json_skip.h
 *		Passes over records without looking into them.
 *
 * In a well-formed document it finds exactly where records end.  In a malformed one it
 * may be wrong about everything behind the first error, which the process that reads
 * the skipped records reports.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_JSON_SKIP_H
#define SPICE_JSON_SKIP_H

#include <stdbool.h>
#include <stdint.h>

/* where in the document it is: begins as zeros, at a place between records */
typedef struct JsonSkip
{
	int64_t		records;		/* that have ended */
	int			depth;			/* objects that are open */
	bool		in_string;
	bool		escaped;		/* the byte before was a backslash that escapes the next one */
	bool		closed;			/* it stands at the bracket that closes the array of records */
} JsonSkip;

/*
 * From p on: behind the first record that ends at target or later, or at the bracket
 * that closes the array of records.  NULL when neither is before end.
 */
extern const char *json_skip_records(JsonSkip *skip, const char *p, const char *end,
									 const char *target);

#endif
