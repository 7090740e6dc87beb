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
#include "table/merge/merge.h"

/*
 * Outcomes, as history shows them.  A refresh is RUNNING first and ends as
 * one of the others:
 *
 *	loaded		the table has new contents
 *	merged		the same, by changes of rows
 *	appended	what is new has been added to the table, nothing if nothing was
 *	retained	what retention has outlived has been deleted
 *	unchanged	the source has not changed; nothing was written
 *	following	changes come by themselves, and all is well (of a check, which history does not show)
 *	registered	not accelerated: the foreign table is up to date
 *	empty		no record and no declared column to make a table from
 *	failed		nothing has changed
 *	interrupted	its process ended before it did
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
	Oid			extension;		/* that the dataset belongs to */
	bool		background;		/* a worker's: another time is as good */
	const char *trigger;
	const char *refresh_sql;	/* an override, or NULL */
	const char *refresh_mode;	/* the same */
	MemoryContext context;		/* outlives the refresh's transactions */
	int64		request;		/* its row of spice.refresh_request, or 0 */
	int64		history;		/* its row; 0: a check, which has none */
	bool		retention;		/* deletes old rows; fetches nothing */
	bool		rebuild;		/* from the table's own rows; nothing is fetched */
	Watermark  *watermark;		/* NULL: the table is loaded whole */
	char	   *source_query;	/* http_append_query with the watermark, or NULL */
	HttpResponse *response;
	HttpReport	report;			/* of the request, also of one that failed */
	bool		alone;			/* processors are short: no other process is to help */
	bool		moves_clock;	/* the row of history says when the dataset is due again */
	struct SourceCopy *snapshot;	/* of a table that follows its source, while it is loaded */

	/* what history shows of it */
	const char *outcome;
	int64		rows;
	MergeCounts counts;			/* retention counts what it deletes here, too */
	char	   *notice;			/* or NULL */
	double		load_ms;
	double		index_ms;
	double		swap_ms;
	bool		repeatable;		/* same bytes, same rows: validators may be kept */
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
