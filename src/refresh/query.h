/*-------------------------------------------------------------------------
 *
 * query.h
 *		The query whose rows a refresh loads.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_QUERY_H
#define SPICE_QUERY_H

#include "access/tupdesc.h"
#include "tcop/dest.h"

#include "catalog/dataset.h"

typedef struct RefreshQuery
{
	const Dataset *dataset;
	const char *text;
	struct PlannedStmt *plan;
	TupleDesc	result;
	bool		repeatable;		/* the same bytes of the source give the same rows */
	bool		reader_allowed; /* another process may read the source's records */
} RefreshQuery;

/*
 * Plans the refresh query; refresh_sql NULL: all of the source.  condition: on
 * its rows, whose alias is q, or NULL.
 */
extern RefreshQuery *query_plan(const Dataset *dataset, const char *refresh_sql,
								const char *condition);

/* Plans another query of spice's own over relations of the dataset. */
extern RefreshQuery *query_plan_text(const Dataset *dataset, const char *text);
extern void query_run(const RefreshQuery *query, DestReceiver *receiver);

#endif
