/*-------------------------------------------------------------------------
 *
 * refresh.h
 *		One refresh from start to end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_REFRESH_H
#define SPICE_REFRESH_H

#include "catalog/dataset.h"
#include "refresh/watermark.h"
#include "source/http/http.h"
#include "source/scan/offer.h"
#include "table/merge/merge.h"

/*
 * Outcomes, as history shows them.  A refresh is running first and ends as
 * one of the others:
 *
 *	loaded		the table's contents were replaced by a swap
 *	merged		the same, by changes of rows
 *	appended	rows that are new in the source were added, possibly none
 *	retained	rows that are too old were deleted
 *	unchanged	the source has not changed; nothing was written
 *	following	a check found the subscription well (history does not show checks)
 *	registered	not accelerated: the foreign table is up to date
 *	empty		neither a record nor a declared column tells the table's columns
 *	failed		the table is as it was
 *	interrupted	the process exited before the refresh ended
 */
#define OUTCOME_RUNNING		"running"
#define OUTCOME_LOADED		"loaded"
#define OUTCOME_UNCHANGED	"unchanged"
#define OUTCOME_MERGED		"merged"
#define OUTCOME_APPENDED	"appended"
#define OUTCOME_FOLLOWING	"following"
#define OUTCOME_RETAINED	"retained"
#define OUTCOME_REGISTERED	"registered"
#define OUTCOME_EMPTY		"empty"
#define OUTCOME_FAILED		"failed"

typedef struct Refresh
{
	Dataset    *dataset;
	Oid			extension;		/* of which the dataset is a row */
	bool		background;		/* a worker's: another time is as good */
	const char *trigger;
	const char *refresh_sql;	/* an override, or NULL */
	const char *refresh_mode;	/* likewise */
	bool		force;			/* what is unchanged is loaded, too */
	MemoryContext context;		/* outlives the refresh's transactions */
	int64		request;		/* its row of spice_catalog.refresh_request, or 0 */
	int64		history;		/* its row; 0: a check, which has none */
	bool		retention;		/* deletes old rows; fetches nothing */
	bool		rebuild;		/* from the table's own rows; nothing is fetched */
	Watermark  *watermark;		/* NULL: the table is loaded whole */
	char	   *source_query;	/* http_append_query with the watermark, or NULL */
	HttpResponse *response;
	HttpReport	report;			/* of the request, also of one that failed */
	bool		leaves_future;	/* refresh_append_max_future leaves rows out */
	SourceReport source_report; /* of the newest scan of the response */
	bool		alone;			/* processors are short: no other process helps */
	bool		moves_clock;	/* next_refresh is in the row of history only */
	struct SourceCopy *snapshot;	/* refresh_mode changes: the copy that is loaded */

	/* for history */
	const char *outcome;
	int64		rows;
	MergeCounts counts;			/* retention counts deleted rows here, too */
	char	   *notice;			/* or NULL */
	char	   *warning;		/* what the load lacks, for spice.datasets; or NULL */
	double		load_ms;
	double		index_ms;
	double		swap_ms;
	TransactionId written;		/* the last that has changed rows; invalid: none has */
	bool		repeatable;		/* the same bytes give the same rows: validators are kept */
} Refresh;

/*
 * The three steps.  The caller holds the dataset's lock.  begin and apply need
 * a transaction; fetch needs none, and a worker runs it without.  begin returns
 * false if a worker would have to wait for the dataset's table.
 */
extern bool refresh_begin(Refresh *refresh, int dataset);
extern void refresh_fetch(Refresh *refresh);
extern void refresh_apply(Refresh *refresh);

/* Records the error, in a transaction after the one that has failed. */
extern void refresh_fail(const Refresh *refresh, const ErrorData *error);

#endif
