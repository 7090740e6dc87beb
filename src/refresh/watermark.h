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
	char	   *newest;			/* for spice.datasets */
	char	   *floor;			/* newest less the overlap, a literal of the column's type */
	char	   *for_source;		/* floor as the source reads it: ISO 8601 or unix time */
	bool		future;			/* the newest time lies more than a day ahead */
} Watermark;

/*
 * Returns NULL if the table, or the new heap, holds no row.  Needs a transaction.
 * Raises an error if the column is missing or does not agree with time_format.
 */
extern Watermark *watermark_read(const Dataset *dataset, Oid table);

/*
 * Conditions on the rows of the refresh query, whose alias is q: not older
 * than the watermark, or than refresh_data_window.  Rows without a time fulfil
 * them, so that the load refuses those rows instead of losing them.
 */
extern char *watermark_condition(const Dataset *dataset, const Watermark *watermark, Oid type);
extern char *window_condition(const Dataset *dataset, Oid type);

/*
 * The newest time of the table, or of the new heap, if refresh_append_max_future does
 * not allow it, else NULL; and the condition that leaves such rows out, as above.
 */
extern char *watermark_beyond(const Dataset *dataset, Oid table);
extern char *future_condition(const Dataset *dataset, Oid type);

/* A condition on the table, for rows older than retention_period. */
extern char *retention_condition(const Dataset *dataset);

/* http_append_query with the watermark, percent-encoded; NULL if there is neither. */
extern char *watermark_query(const Dataset *dataset, const Watermark *watermark);

#endif
