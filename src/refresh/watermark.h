/*-------------------------------------------------------------------------
 *
 * watermark.h
 *		The newest time a table holds, and what it means for the next refresh.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_WATERMARK_H
#define SPICE_WATERMARK_H

#include "catalog/dataset.h"

typedef struct Watermark
{
	char	   *newest;			/* as people read it */
	char	   *floor;			/* newest less the overlap, a literal of the column's type */
	char	   *for_source;		/* floor as the source reads it: ISO 8601 or unix time */
} Watermark;

/*
 * NULL when the table (or the heap that is to become it) holds no row.  Needs a transaction; raises an error when
 * the column is missing or does not agree with time_format.  In the current
 * context.
 */
extern Watermark *watermark_read(const Dataset *dataset, Oid table);

/*
 * Conditions on the rows of the refresh query, whose alias is q: not older
 * than the watermark, or than refresh_data_window.  Rows without a time pass,
 * so that the load refuses them instead of losing them.
 */
extern char *watermark_condition(const Dataset *dataset, const Watermark *watermark, Oid type);
extern char *window_condition(const Dataset *dataset, Oid type);

/* a condition on the table that holds for what retention_period has outlived */
extern char *retention_condition(const Dataset *dataset);

/* http_append_query with the watermark in it, percent-encoded; NULL without either */
extern char *watermark_query(const Dataset *dataset, const Watermark *watermark);

#endif
